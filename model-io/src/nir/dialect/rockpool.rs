//! Rockpool.

use super::{Convention, Dialect, SpikeReset};

pub(super) static DIALECT: Dialect = Dialect {
    name: "rockpool",
    summary: "Rockpool: exponential decay in steps of 0.1 ms, the threshold is subtracted",
    convention: || Convention { reset: SpikeReset::Subtract, ..Convention::specification(1e-4) },
    evidence: "its documentation; not checked against a recording",
};
