//! Lava 0.10 in floating point.

use super::{Convention, Decay, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "lava",
    summary: "Lava: Euler steps of 0.1 ms, one step through every synapse",
    convention: || Convention {
        decay: Decay::Euler,
        synapse_steps: 1,
        ..Convention::specification(1e-4)
    },
    variants: &[],
    evidence: "the NIR paper's LIF spikes of Lava (steps 461, 511, 711, 761)",
};
