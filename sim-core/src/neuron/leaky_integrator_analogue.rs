//! Stepwise leaky integrator that never spikes and whose potential acts on other neurons in every step.
//!
//! # Equations
//! As [`super::lif_stepwise`]: i ← α i + w (Σ w_s + I), then v ← β v + λ + g i at the end of every step.
//! Where spikes of other neurons bring a weight w to their targets, it brings w v, in every step.
//!
//! # Spike and reset
//! None. What it sends is no spike: recordings of spikes and counters leave it out, and synapses behind
//! it do not learn.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `current_kept` | 0 | – | α | 0 to 1 |
//! | `input_gain` | 1 | – | w | any |
//! | `potential_kept` | 0.9 | – | β | 0 to 1 |
//! | `leak` | 0 | – | λ | any |
//! | `gain` | 1 | – | g | any |
//! | `onset` | 0 | – | | whole, 0 or above: steps at the beginning in which nothing happens or is sent |
//!
//! # State
//! `membrane_potential` v and `synaptic_current` i, both initially 0.
//!
//! # Numerics
//! The equations as they stand, in 64-bit floats; so are the values that are sent.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Pedersen et al. 2024, Nat. Commun. 15:8122 (I, LI and CubaLI of NIR before other layers).

use super::lif_stepwise::{
    CURRENT_KEPT, GAIN, INPUT_GAIN, LEAK, Membrane, NO_EVENTS, ONSET, POTENTIAL_KEPT, RECEPTORS,
    REFERENCE, VARIABLES, problems,
};
use super::model::{
    ClockNeurons, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel,
    StateVisitor,
};
use crate::units::Dimension::Number;

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "leaky_integrator_analogue",
    summary: "stepwise leaky integrator whose potential acts on others in every step (NIR's LI)",
    time: ModelTime::Stepwise,
    parameters: &[CURRENT_KEPT, INPUT_GAIN, POTENTIAL_KEPT, LEAK, GAIN, ONSET],
    receptors: RECEPTORS,
    variables: VARIABLES,
    current: Some(Number),
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: REFERENCE,
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn sends_values(&self) -> bool {
        true
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        problems(neurons)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State(Membrane::new(neurons))))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err(NO_EVENTS.to_string())
    }
}

struct State(Membrane);

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, sent: &mut Emitted) {
        self.0.step(drive, |neuron, potential| {
            // Nothing comes of a potential of 0.
            if potential != 0.0 {
                sent.push_value(neuron as u32, potential);
            }
            potential
        });
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.0.visit_state(visitor);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.0.variable(index)
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}
