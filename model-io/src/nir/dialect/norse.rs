//! Norse 1.1.

use super::{Convention, CurrentOrder, Decay, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "norse",
    summary: "Norse 1.1: Euler steps of 1 ms; its exporter writes time constants times dt",
    convention: || Convention {
        decay: Decay::Euler,
        current: CurrentOrder::JumpFirst,
        tau_scale: 1e3,
        ..Convention::specification(1e-3)
    },
    evidence: "its recordings come back spike by spike (LIFBox, LIF); the scale undoes norse#411",
};
