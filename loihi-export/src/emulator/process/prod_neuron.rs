//! Product of two graded inputs: Lava's `ProdNeuron`.
//!
//! Payload `p = a1 * a2 >> exp` (flooring, the product in a 32-bit word) where `|p| > vth`.
//!
//! Ports: 0 `a_in1`, 1 `a_in2`. State: v, which Lava declares and leaves at 0. Products that wrap
//! are counted. Reference: lava-nc 0.10.0 `PyProdNeuronModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{
    NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind,
    graded_vec::{THRESHOLD, send},
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "prod_neuron",
    summary: "Sends the product of its two inputs (Lava's ProdNeuron).",
    parameters: &[
        THRESHOLD,
        ParameterInfo {
            name: "exp",
            meaning: "the product is shifted right by this",
            minimum: 0,
            maximum: 31,
            default: Some(0),
            per_neuron: false,
            field: None,
        },
    ],
    ports: &["a_in1", "a_in2"],
    variables: &["v"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct ProdNeuron {
    threshold: i32,
    shift: u32,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    let (threshold, shift) = (parameters.one("vth")? as i32, parameters.one("exp")? as u32);
    Ok(Arc::new(ProdNeuron { threshold, shift }))
}

impl Process for ProdNeuron {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, 1)
    }

    fn step(
        &self,
        time: u64,
        input: &[i32],
        _state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let (first, second) = input.split_at(input.len() / 2);
        let products = first.iter().zip(second).enumerate().map(|(neuron, (&a, &b))| {
            let (product, wrapped) = a.overflowing_mul(b);
            if wrapped {
                overflows.record_state(0, time, neuron);
            }
            product >> self.shift
        });
        send(products, spikes, |value| value.wrapping_abs() > self.threshold);
    }
}
