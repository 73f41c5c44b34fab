//! A fast simulation of rate codes, layer by layer: the reference for calibration.
//!
//! A layer of a converted network does in its own steps 1, 2, … what it would do if all layers acted
//! at once (`docs/design/depth_as_delay.md`). So a layer can be run over all steps before the next
//! one is looked at: with the spikes of its sources at hand, its thresholds and corrections are
//! chosen on what really arrives. Weights, currents and thresholds lie on the grid of the engines'
//! stepwise models and neurons answer by the same rule, so spike counts and scores equal those of
//! both engines bit for bit (`snn-convert/tests/layerwise.rs`).

mod delivery;
mod layer;

pub use delivery::{Delivery, LayerSpike};
pub use layer::{Layer, LayerRun, Reached};

use crate::lower::{NeuronForm, UnitScale};
use crate::structure::Structure;

/// Spikes of a layer on one sample, by step.
pub type Train = Vec<Vec<LayerSpike>>;

/// A converted network, layer by layer. Samples enter as constant currents.
#[derive(Debug, Clone)]
pub struct LayerwiseNetwork {
    layers: Vec<Layer>,
}

/// What a network does on one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerwiseRun {
    /// Net spike count of every neuron of every unit after the last step.
    pub counts: Vec<Vec<i32>>,
    /// Spikes of either sign of all units up to each of the steps asked for; a burst of n counts n.
    pub spikes: Vec<u64>,
    /// Scores after each of the steps asked for.
    pub scores: Vec<Vec<f64>>,
}

impl LayerwiseNetwork {
    /// The network that [`lower`](crate::lower::lower) describes for the same arguments.
    pub fn new(structure: &Structure, scales: &[UnitScale], form: NeuronForm) -> Self {
        let units = structure.units.iter().zip(scales);
        let layers = units.map(|(unit, scale)| Layer::new(unit, scale, scales, form)).collect();
        LayerwiseNetwork { layers }
    }

    /// A network of layers that were made one by one, in the order of the units.
    pub fn of_layers(layers: Vec<Layer>) -> Self {
        LayerwiseNetwork { layers }
    }

    /// Runs a sample as far as the last of `steps` (ascending) and reads at each of them.
    pub fn run(&self, sample: &[f32], steps: &[u32]) -> LayerwiseRun {
        let sample: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
        let mut trains: Vec<Train> = Vec::with_capacity(self.layers.len());
        let mut run =
            LayerwiseRun { counts: Vec::new(), spikes: vec![0; steps.len()], scores: Vec::new() };
        for layer in &self.layers {
            let current = layer.current(&sample);
            let own = layer.run(&current, |unit| trains.get(unit), steps);
            let (mut sent, mut from) = (0, 0);
            for (sum, &reached) in run.spikes.iter_mut().zip(steps) {
                let until = (reached as usize).clamp(from, own.train.len());
                sent += spike_number(&own.train[from..until]);
                (*sum, from) = (*sum + sent, until);
            }
            if !own.scores.is_empty() {
                run.scores = own.scores;
            }
            run.counts.push(own.counts);
            trains.push(own.train);
        }
        run
    }
}

/// Spikes of either sign in some steps of a train.
fn spike_number(steps: &[Vec<LayerSpike>]) -> u64 {
    steps.iter().flatten().map(|spike| u64::from(spike.payload.unsigned_abs())).sum()
}
