//! snnTorch 1.0.

use super::{Convention, Decay, Dialect, SpikeReset};

fn exported() -> Convention {
    Convention { decay: Decay::Euler, ..Convention::specification(1e-4) }
}

fn with(reset: SpikeReset) -> Convention {
    Convention { reset, ..exported() }
}

pub(super) static DIALECT: Dialect = Dialect {
    name: "snntorch",
    summary: "snnTorch: Euler steps of 0.1 ms, reset in the same step; the mechanism is no field of its \
              exports",
    convention: exported,
    variants: &[
        ("reset_mechanism=\"subtract\"", || with(SpikeReset::SubtractNext)),
        ("reset_mechanism=\"subtract\", reset_delay=False", || with(SpikeReset::SubtractHeld)),
        ("reset_mechanism=\"zero\" of Synaptic or RLeaky", || with(SpikeReset::ToValueNext)),
        ("reset_mechanism=\"none\"", || with(SpikeReset::None)),
    ],
    evidence: "its recordings come back spike by spike (Leaky, Synaptic, RLeaky, every reset_mechanism and \
               reset_delay of snnTorch 1.0.0)",
};
