//! Nengo.

use super::{Convention, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "nengo",
    summary: "Nengo: exponential decay in steps of 0.1 ms, reset to a value",
    convention: || Convention { ..Convention::specification(1e-4) },
    variants: &[],
    evidence: "the NIR paper's LIF spikes of Nengo (steps 460, 510, 710, 760); layers of Nengo 4.1.0 come back \
               spike by spike (LIF with tau_ref 0, no min_voltage, voltages from 0)",
};
