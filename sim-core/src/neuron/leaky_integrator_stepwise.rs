//! Stepwise leaky integrator that never spikes: the read-out of trained spiking networks.
//!
//! # Equations
//! As [`super::lif_stepwise`]: i ← α i + w (Σ w_s + I), then v ← β v + λ + g i at the end of every step.
//!
//! # Spike and reset
//! None.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `current_kept` | 0 | – | α | 0 to 1 |
//! | `input_gain` | 1 | – | w | any |
//! | `potential_kept` | 0.9 | – | β | 0 to 1 |
//! | `leak` | 0 | – | λ | any |
//! | `gain` | 1 | – | g | any |
//! | `onset` | 0 | – | | whole, 0 or above: steps at the beginning in which nothing happens |
//!
//! # State
//! `membrane_potential` v and `synaptic_current` i, both initially 0.
//!
//! # Numerics
//! The equations as they stand, in 64-bit floats.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Pedersen et al. 2024, Nat. Commun. 15:8122 (LI and CubaLI of NIR).

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
    name: "leaky_integrator_stepwise",
    summary: "stepwise leaky integrator with a synaptic current (NIR's LI and CubaLI)",
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
    fn step(&mut self, drive: Drive<'_>, _spikes: &mut Emitted) {
        self.0.step(drive, |_, potential| potential);
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
