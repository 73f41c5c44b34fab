//! Stepwise leaky integrate-and-fire neuron that sends as many spikes in a step as its threshold fits
//! into its potential, and that inhibition drives only so far.
//!
//! # Equations
//! As [`super::lif_stepwise`]: i ← α i + w (Σ w_s n + I), then v ← β v + λ + g i at the end of every step,
//! where n is the payload of each spike that arrives. Without other factors it integrates: v ← v + Σ w_s n.
//!
//! # Spike and reset
//! With m = ⌊v/θ⌋, at most M, of at least 1: one spike with the payload m, and v loses m θ. Then v below
//! −B becomes −B.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `current_kept` | 0 | – | α | 0 to 1 |
//! | `input_gain` | 1 | – | w | any |
//! | `potential_kept` | 1 | – | β | 0 to 1 |
//! | `leak` | 0 | – | λ | any |
//! | `gain` | 1 | – | g | any |
//! | `onset` | 0 | – | | whole, 0 or above: steps at the beginning in which nothing happens |
//! | `threshold` | 1 | – | θ | above zero |
//! | `deepest` | 1 | – | B | zero or above; [`NO_FLOOR`] for none |
//! | `most` | 2^31 − 1 | – | M | above zero |
//!
//! # State
//! `membrane_potential` v and `synaptic_current` i, both initially 0.
//!
//! # Numerics
//! The equations as they stand, in 64-bit floats. A payload ends at 2^31 − 1.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Sinabs 3.1 (`IAF` and `LIF` with `MultiSpike` or `MaxSpike` and `MembraneSubtract`; an `IAF`'s lower bound
//! is the threshold); Rockpool 3.1 (`LIFTorch`, `max_spikes_per_dt`).

use super::lif_stepwise::{
    CURRENT_KEPT, GAIN, INPUT_GAIN, LEAK, Membrane, ONSET, POTENTIAL_KEPT, RECEPTORS, VARIABLES,
    number, problems,
};
use super::model::{
    ClockNeurons, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel,
    ParameterSpec, Range, StateVisitor, bytes_of,
};
use crate::units::Dimension::Number;

/// The model.
pub struct Model;

/// How deep a potential goes that has no lower bound.
pub const NO_FLOOR: f64 = 1e300;

/// The largest payload.
const MOST: f64 = i32::MAX as f64;

static SPEC: ModelSpec = ModelSpec {
    name: "multispike_integrate_and_fire",
    summary: "stepwise (leaky) integrate-and-fire with several spikes a step (Sinabs, Rockpool)",
    time: ModelTime::Stepwise,
    parameters: &[
        CURRENT_KEPT,
        INPUT_GAIN,
        ParameterSpec { default: 1.0, ..POTENTIAL_KEPT },
        LEAK,
        GAIN,
        ONSET,
        number("threshold", "θ", 1.0, Range::Positive, "what one spike stands for"),
        number("deepest", "B", 1.0, Range::NonNegative, "how far below zero the potential goes"),
        number("most", "M", MOST, Range::Positive, "how many spikes a step has at the most"),
    ],
    receptors: RECEPTORS,
    variables: VARIABLES,
    current: Some(Number),
    spikes: false,
    subtracting_reset: false,
    graded: true,
    refractory_input: &[],
    reference: "Sinabs 3.1, IAF and LIF with MultiSpike; Rockpool 3.1, LIFTorch",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        problems(neurons)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let column = |index: usize| match neurons.parameters.get(index) {
            Some(column) => column.expand(0..neurons.size),
            None => vec![1.0; neurons.size],
        };
        Some(Box::new(State {
            membrane: Membrane::new(neurons),
            threshold: column(6),
            deepest: column(7),
            most: column(8),
        }))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("it counts the spikes of a step; choose the engine `clock`, which goes step by step"
            .to_string())
    }
}

/// Membranes and parameters, one a neuron.
struct State {
    membrane: Membrane,
    threshold: Vec<f64>,
    deepest: Vec<f64>,
    most: Vec<f64>,
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let State { membrane, threshold, deepest, most } = self;
        membrane.step(drive, |neuron, reached| {
            let theta = threshold[neuron];
            let count = (reached / theta).floor().clamp(0.0, most[neuron].min(MOST));
            if count >= 1.0 {
                spikes.push_graded(neuron as u32, count as i32);
            }
            (reached - count * theta).max(-deepest[neuron])
        });
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.membrane.visit_state(visitor);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.membrane.variable(index)
    }

    fn reset(&mut self) {
        self.membrane.reset();
    }

    fn bytes(&self) -> u64 {
        let parameters = [&self.threshold, &self.deepest, &self.most];
        self.membrane.bytes() + parameters.map(|list| bytes_of(list)).iter().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::SpikeCondition;
    use crate::neuron::{Column, LoweredReset};
    use crate::time::Grid;

    fn neurons(changes: &[(usize, Column)]) -> LoweredNeurons {
        let defaults = SPEC.parameters.iter().map(|parameter| Column::One(parameter.default));
        let mut parameters: Vec<Column> = defaults.collect();
        changes.iter().for_each(|(index, column)| parameters[*index] = column.clone());
        LoweredNeurons {
            size: 2,
            grid: Grid::new(crate::time::Time::from_milliseconds(1.0).unwrap()).unwrap(),
            parameters,
            initial: vec![None, None],
            spike: SpikeCondition::AtOrAbove,
            reset: LoweredReset::Subtract,
            refractory_input: crate::network::RefractoryInput::Lost,
        }
    }

    type Row = (Vec<u32>, Vec<i32>, Vec<f64>);

    fn step(state: &mut dyn ClockNeurons, input: f64) -> Row {
        let mut spikes = Emitted::default();
        let inputs = [vec![input; 2]];
        let instructions = kernels::Instructions::widest();
        state.step(Drive { inputs: &inputs, current: &[0.0; 2], instructions }, &mut spikes);
        (spikes.neurons, spikes.payloads, state.variable(0))
    }

    #[test]
    fn a_step_sends_what_fits_and_inhibition_ends_at_the_floor() {
        let floors = Column::Each(vec![2.0, 1.0]);
        let neurons = neurons(&[(4, Column::One(0.5)), (6, Column::One(2.0)), (7, floors)]);
        let mut state = Model.clock(&neurons).unwrap();
        assert_eq!(step(&mut *state, 11.0), (vec![0, 1], vec![2, 2], vec![1.5, 1.5]));
        assert_eq!(step(&mut *state, -9.0), (vec![], vec![], vec![-2.0, -1.0]));
        assert_eq!(step(&mut *state, 7.0), (vec![1], vec![1], vec![1.5, 0.5]));
    }

    #[test]
    fn a_leaky_neuron_keeps_a_part_and_sends_at_most_so_many() {
        let most = Column::Each(vec![1.0, 3.0]);
        let neurons = neurons(&[(0, Column::One(0.5)), (2, Column::One(0.5)), (8, most)]);
        let mut state = Model.clock(&neurons).unwrap();
        assert_eq!(step(&mut *state, 4.5), (vec![0, 1], vec![1, 3], vec![3.5, 1.5]));
        // Half of 3.5 and 1.5, and half of the current of 4.5.
        assert_eq!(step(&mut *state, 0.0), (vec![0, 1], vec![1, 3], vec![3.0, 0.0]));
    }
}
