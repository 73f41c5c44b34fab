//! Spyx.

use super::{Convention, Decay, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "spyx",
    summary: "Spyx: a spike leaves one step after the potential has passed the threshold",
    convention: || Convention {
        decay: Decay::Euler,
        spike_steps: 1,
        ..Convention::specification(1e-4)
    },
    evidence: "the NIR paper's LIF spikes of Spyx (steps 461, 511, 711, 761)",
};
