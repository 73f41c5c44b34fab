//! Spyx 1.0.

use super::{Convention, CurrentOrder, Decay, Dialect, InputScale, SpikeReset};

/// Steps of 1 are what Spyx's exporter takes where it is told of none; r is the part that is kept, for an
/// input that is not scaled.
fn exported() -> Convention {
    Convention {
        decay: Decay::Euler,
        input: InputScale::One,
        current: CurrentOrder::JumpFirst,
        reset: SpikeReset::SubtractNextBare,
        spike_steps: 1,
        loops_direct: true,
        ..Convention::specification(1.0)
    }
}

pub(super) static DIALECT: Dialect = Dialect {
    name: "spyx",
    summary: "Spyx: a spike leaves one step after the potential has passed the threshold; steps of 1 as its \
              exporter's",
    convention: exported,
    variants: &[
        ("dt=1e-3", || Convention { dt: 1e-3, ..exported() }),
        ("dt=1e-4", || Convention { dt: 1e-4, ..exported() }),
    ],
    evidence: "its recordings come back spike by spike (IF, LIF, CuBaLIF and their recurrent forms in Spyx \
               1.0.0, which writes that their input passes the recurrent weights and lets it not)",
};
