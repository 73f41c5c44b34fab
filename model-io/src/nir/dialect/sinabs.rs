//! Sinabs 3.1.

use super::{Convention, Dialect, InputScale, SpikeReset};

pub(super) static DIALECT: Dialect = Dialect {
    name: "sinabs",
    summary: "Sinabs: IF neurons spike several times a step and keep the rest",
    convention: || Convention {
        reset: SpikeReset::SubtractMany,
        input: InputScale::Step,
        ..Convention::specification(1e-4)
    },
    evidence: "its recording comes back spike by spike (IAF); the NIR paper's LIF spikes (steps 450, \
               500, 710, 760) and potentials; its own exports of LIF state time constants in steps: \
               give a step of 1, and for r what its norm_input was (decay, or one)",
};
