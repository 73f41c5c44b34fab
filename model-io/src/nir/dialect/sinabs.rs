//! Sinabs 3.1.

use super::{Convention, Dialect, InputScale, SpikeReset};

/// Time constants are in steps; r is 1 whatever `norm_input` was, which is on unless told otherwise.
fn exported() -> Convention {
    Convention { reset: SpikeReset::SubtractMany, ..Convention::specification(1.0) }
}

fn unscaled() -> Convention {
    Convention { input: InputScale::One, ..exported() }
}

pub(super) static DIALECT: Dialect = Dialect {
    name: "sinabs",
    summary: "Sinabs: time constants in steps, neurons spike several times a step and keep the rest",
    convention: exported,
    variants: &[
        ("norm_input=False", unscaled),
        ("spike_fn=SingleSpike", || Convention { most_spikes: 1, ..exported() }),
        ("norm_input=False, spike_fn=SingleSpike", || Convention { most_spikes: 1, ..unscaled() }),
    ],
    evidence: "its recordings come back spike by spike (IAF and LIF of Sinabs 3.1.3, MultiSpike and \
               SingleSpike, norm_input on and off)",
};
