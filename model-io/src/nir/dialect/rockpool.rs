//! Rockpool 2.

use super::{Convention, Dialect, InputScale, SpikeReset};

pub(super) static DIALECT: Dialect = Dialect {
    name: "rockpool",
    summary: "Rockpool: exponential decay in steps of 0.1 ms, the threshold is subtracted",
    convention: || Convention {
        reset: SpikeReset::Subtract,
        input: InputScale::Step,
        ..Convention::specification(1e-4)
    },
    evidence: "the NIR paper's LIF spikes of Rockpool (steps 450, 500, 710, 760) and potentials",
};
