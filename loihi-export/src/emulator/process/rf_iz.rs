//! Resonate-and-fire with reset: Lava's `RF_IZ`.
//!
//! Rotation as in [`super::rf`]. Spike and reset rule: a neuron spikes where `im' >= vth`; then
//! `re = 0` and `im = vth - 1`, so that it does not spike again by itself.
//!
//! Reference: lava-nc 0.10.0 `PyRF_IZModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{
    NeuronState, Process, ProcessInfo, ProcessKind,
    rf::{PARAMETERS, PORTS, Rotation, VARIABLES},
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "rf_iz",
    summary: "Resonate-and-fire that spikes and resets at a threshold of the imaginary part \
              (Lava's RF_IZ).",
    parameters: PARAMETERS,
    ports: PORTS,
    variables: VARIABLES,
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct Izhikevich {
    rotation: Rotation,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(Izhikevich { rotation: Rotation::new(parameters)? }))
}

impl Process for Izhikevich {
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let threshold = self.rotation.threshold;
        self.rotation.turn(time, input, state, spikes, overflows, |_, real, imaginary| {
            let fires = *imaginary >= threshold;
            if fires {
                (*real, *imaginary) = (0, threshold - 1);
            }
            fires
        });
    }
}
