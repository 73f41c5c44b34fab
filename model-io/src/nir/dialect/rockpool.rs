//! Rockpool 3.1.

use super::{Convention, CurrentOrder, Dialect, InputScale, SpikeReset};

/// What Rockpool writes as r, tau exp(-dt/tau)/dt, stands for an input that is not scaled.
fn exported() -> Convention {
    Convention {
        reset: SpikeReset::SubtractMany,
        input: InputScale::One,
        current: CurrentOrder::InputDecays,
        ..Convention::specification(1e-3)
    }
}

pub(super) static DIALECT: Dialect = Dialect {
    name: "rockpool",
    summary: "Rockpool: exponential decay in steps of 1 ms, several spikes a step, each subtracts the threshold",
    convention: exported,
    variants: &[("max_spikes_per_dt=1", || Convention { most_spikes: 1, ..exported() })],
    evidence: "its recordings come back spike by spike (LIFTorch and LIFNeuronTorch of Rockpool 3.1.0, with and \
               without max_spikes_per_dt)",
};
