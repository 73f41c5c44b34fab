//! Stepwise integrate-and-fire neuron that sends as many spikes in a step as its threshold fits into
//! its potential, and that inhibition drives only so far.
//!
//! # Equations
//! v ← v + g (Σ w n + I) at the end of every step, where n is the payload of each spike that arrives.
//!
//! # Spike and reset
//! With m = ⌊v/θ⌋ of at least 1: one spike with the payload m, and v loses m θ. Then v below −B becomes
//! −B.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `threshold` | 1 | – | θ | above zero |
//! | `gain` | 1 | – | g | any |
//! | `deepest` | 1 | – | B | zero or above |
//!
//! # State
//! `membrane_potential` v, initially 0.
//!
//! # Numerics
//! The equations as they stand, in 64-bit floats. A payload ends at 2^31 − 1.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Sinabs 3.1 (`IAF` with `MultiSpike` and `MembraneSubtract`; its lower bound is the threshold).

use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::units::Dimension::Number;

/// The model.
pub struct Model;

const fn number(
    name: &'static str,
    symbol: &'static str,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension: Number, default: 1.0, range, meaning }
}

static SPEC: ModelSpec = ModelSpec {
    name: "multispike_integrate_and_fire",
    summary: "stepwise integrate-and-fire with several spikes a step and a floor (Sinabs's IAF)",
    time: ModelTime::Stepwise,
    parameters: &[
        number("threshold", "θ", Range::Positive, "what one spike stands for"),
        number("gain", "g", Range::Any, "what input is multiplied by"),
        number("deepest", "B", Range::NonNegative, "how far below zero the potential goes"),
    ],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Number,
        combine: Combine::Sum,
        meaning: "jump of the potential, before `gain`",
    }],
    variables: &[VariableSpec {
        name: "membrane_potential",
        dimension: Number,
        initial: Some(0.0),
        meaning: "sum of the input minus what spikes have said of it",
    }],
    current: Some(Number),
    spikes: false,
    subtracting_reset: false,
    graded: true,
    refractory_input: &[],
    reference: "Sinabs 3.1, IAF with MultiSpike",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let column = |index: usize| match neurons.parameters.get(index) {
            Some(column) => column.expand(0..neurons.size),
            None => vec![1.0; neurons.size],
        };
        let start = neurons.initial.first().and_then(Option::as_ref);
        let initial: Vec<f64> =
            (0..neurons.size).map(|n| start.map_or(0.0, |column| column.get(n))).collect();
        Some(Box::new(State {
            potential: initial.clone(),
            initial,
            threshold: column(0),
            gain: column(1),
            deepest: column(2),
        }))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("it counts the spikes of a step; choose the engine `clock`, which goes step by step"
            .to_string())
    }
}

/// Potentials and parameters, one a neuron.
struct State {
    potential: Vec<f64>,
    initial: Vec<f64>,
    threshold: Vec<f64>,
    gain: Vec<f64>,
    deepest: Vec<f64>,
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let Some(inputs) = drive.inputs.first() else { return };
        let parameters = self.threshold.iter().zip(&self.gain).zip(&self.deepest);
        let drives = inputs.iter().zip(drive.current);
        let neurons = self.potential.iter_mut().zip(parameters).zip(drives);
        for (neuron, ((potential, ((theta, gain), deepest)), (input, current))) in
            (0_u32..).zip(neurons)
        {
            let reached = *potential + gain * (input + current);
            let count = (reached / theta).floor().clamp(0.0, f64::from(i32::MAX));
            if count > 0.0 {
                spikes.push_graded(neuron, count as i32);
            }
            *potential = (reached - count * theta).max(-deepest);
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.potential.clone()
    }

    fn reset(&mut self) {
        self.potential.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.potential)
            + bytes_of(&self.initial)
            + bytes_of(&self.threshold)
            + bytes_of(&self.gain)
            + bytes_of(&self.deepest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::SpikeCondition;
    use crate::neuron::{Column, LoweredReset};
    use crate::time::Grid;

    #[test]
    fn a_step_sends_what_fits_and_inhibition_ends_at_the_floor() {
        let neurons = LoweredNeurons {
            size: 2,
            grid: Grid::new(crate::time::Time::from_milliseconds(1.0).unwrap()).unwrap(),
            parameters: vec![Column::One(2.0), Column::One(0.5), Column::Each(vec![2.0, 1.0])],
            initial: vec![None],
            spike: SpikeCondition::AtOrAbove,
            reset: LoweredReset::Subtract,
            refractory_input: crate::network::RefractoryInput::Lost,
        };
        let mut state = Model.clock(&neurons).unwrap();
        let mut step = |input: f64| {
            let mut spikes = Emitted::default();
            let inputs = [vec![input; 2]];
            let instructions = kernels::Instructions::widest();
            state.step(Drive { inputs: &inputs, current: &[0.0; 2], instructions }, &mut spikes);
            (spikes.neurons, spikes.payloads, state.variable(0))
        };
        assert_eq!(step(11.0), (vec![0, 1], vec![2, 2], vec![1.5, 1.5]));
        assert_eq!(step(-9.0), (vec![], vec![], vec![-2.0, -1.0]));
        assert_eq!(step(7.0), (vec![1], vec![1], vec![1.5, 0.5]));
    }
}
