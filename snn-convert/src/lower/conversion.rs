//! A converted network, and how it is used.

use crate::coding::InputCode;
use crate::linear::{ChannelScale, LinearMap};
use serde::Serialize;
use sim_core::network::{Network, Shape};

/// What is read as the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Readout {
    /// The potential of the last layer, which integrates without spiking.
    Membrane,
    /// The spike counts of the last layer; ties go to the larger potential.
    SpikeCount,
    /// The first spike of the last layer.
    FirstSpike,
    /// The potential of the last layer, as soon as the largest leads by a margin.
    EarlyStop,
    /// What the potential of the last layer gains after the first steps.
    Delayed,
    /// The slope of the potential of the last layer over all steps.
    Slope,
}

impl Readout {
    /// Whether the scores are potentials of the last layer after all steps, or made of them: they stand
    /// for the trained network's scores themselves, and not only for their order.
    pub fn gives_scores(self) -> bool {
        matches!(self, Readout::Membrane | Readout::Slope)
    }
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Name of the population.
    pub population: String,
    /// Operators of the trained network that it stands for.
    pub nodes: Vec<String>,
    /// Shape of the population.
    pub shape: Shape,
    /// Model of its neurons.
    pub model: String,
    /// Smallest and largest activation that a spike stands for.
    pub thresholds: [f64; 2],
    /// Channels that were silent on the calibration samples.
    pub dead_channels: usize,
    /// Steps before the layer's first input can arrive; the opening of its window where layers take
    /// turns.
    pub onset: u32,
    /// Whether activations occur that its code cannot express, so that they are cut.
    pub saturates: bool,
    /// Activation that a spike stands for, a channel, over all steps of a rate code.
    #[serde(skip)]
    pub output: ChannelScale,
}

/// A linear map of the sample whose result, with the bias, drives a layer as a constant current.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentDrive {
    /// Index of the stimulus.
    pub stimulus: usize,
    /// Maps of the sample that add up.
    pub maps: Vec<LinearMap>,
    /// Constant part, one a neuron.
    pub bias: Vec<f64>,
}

/// How a sample is put into the network.
#[derive(Debug, Clone, PartialEq)]
pub struct InputPlan {
    /// The code.
    pub code: InputCode,
    /// Currents that depend on the sample, for [`InputCode::ConstantCurrent`].
    pub currents: Vec<CurrentDrive>,
    /// Index of the stimulus that makes the input population spike, for the other codes.
    pub spikes: Option<usize>,
    /// Step at which the input's window opens, for codes that have one.
    pub opening: u32,
    /// Steps of that window.
    pub window: u32,
    /// How values drive populations, for [`InputCode::Population`].
    pub tuning: Option<crate::coding::population::Tuning>,
}

/// When a converted network has an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// All layers act in every step: there is an answer after any number of steps, and the scores
    /// grow with them.
    AnyStep,
    /// The layers take turns: there is one answer, the trained network's own scores.
    Once {
        /// The step at whose end the scores are read.
        step: u32,
        /// Steps that a value takes, as asked for: phases or time slots; 1 in continuous time.
        code_steps: u32,
        /// Whether spike times lie on no grid, so that only the event-driven engine is exact.
        continuous: bool,
    },
}

/// What a spike of a layer stands for, in units of the layer's scale (`Layer::output`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpikeValue {
    /// As much in every step: an activation is the net number of spikes a step.
    Count,
    /// Its payload: an activation is the sum of the payloads.
    Payload {
        /// What a spike of the first phase is worth: a payload of n times that is a burst of n spikes.
        first: u32,
    },
    /// How early it is: the share of the layer's window that is left.
    Earliness {
        /// Steps of a window.
        window: u32,
    },
}

impl SpikeValue {
    /// Spikes that one with this payload stands for.
    pub fn spikes_of(self, payload: i32) -> u64 {
        let size = u64::from(payload.unsigned_abs());
        match self {
            SpikeValue::Count => size,
            SpikeValue::Payload { first } => (size / u64::from(first.max(1))).max(1),
            SpikeValue::Earliness { .. } => 1,
        }
    }
}

/// A converted network: the description, and how to use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The spiking network.
    pub network: Network,
    /// One entry a unit, the read-out last.
    pub layers: Vec<Layer>,
    /// How samples are put in.
    pub input: InputPlan,
    /// What is read.
    pub readout: Readout,
    /// Number of values of a sample.
    pub sample_size: usize,
    /// When the scores are read.
    pub timing: Timing,
    /// What spikes stand for.
    pub spike_value: SpikeValue,
    /// Lead that the largest score needs for an early stop.
    pub margin: f64,
    /// What the conversion has to say: sentences on dead channels and on what was chosen, and why.
    pub notes: Vec<String>,
    /// What was tried, for methods that search.
    pub candidates: Vec<Candidate>,
}

/// A way to convert that a search has tried on the calibration samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Number of steps that it is made for.
    pub steps: u32,
    /// Name of the threshold rule.
    pub threshold: String,
    /// How neurons spike.
    pub neurons: String,
    /// Thresholds are those of the rule times this.
    pub scale: f64,
    /// Share of answers equal to the trained network's, in per cent.
    pub agreement: f64,
    /// Accuracy that the other answers are expected to cost, in points.
    pub expected_loss: f64,
    /// Divergence of the scores from the trained network's, in nats: the geometric mean of that on
    /// samples and that on blends of them.
    pub divergence: f64,
    /// Share of right answers, in per cent; without labels of those of the trained network.
    pub accuracy: f64,
    /// Mean spikes of a sample.
    pub spikes: f64,
    /// Whether it was taken.
    pub chosen: bool,
}

impl Conversion {
    /// Steps before the read-out's first input can arrive.
    pub fn latency(&self) -> u32 {
        self.layers.last().map_or(0, |layer| layer.onset)
    }
}
