//! snnTorch 1.0.

use super::{Convention, Decay, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "snntorch",
    summary: "snnTorch: Euler steps of 0.1 ms, reset in the same step",
    convention: || Convention { decay: Decay::Euler, ..Convention::specification(1e-4) },
    evidence: "its recordings come back spike by spike (Leaky, Synaptic, RLeaky)",
};
