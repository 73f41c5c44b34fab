//! Sinabs 3.1.

use super::{Convention, Dialect, SpikeReset};

pub(super) static DIALECT: Dialect = Dialect {
    name: "sinabs",
    summary: "Sinabs: IF neurons spike several times a step and keep the rest",
    convention: || Convention {
        reset: SpikeReset::SubtractMany,
        ..Convention::specification(1e-4)
    },
    evidence: "its recording comes back spike by spike (IAF)",
};
