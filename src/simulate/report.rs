//! What is worth knowing about a run.

use crate::sim_core::connectome::{Footprint, WeightRounding};
use serde::Serialize;

/// One population of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PopulationActivity {
    /// Its name.
    pub name: String,
    /// Its neurons.
    pub neurons: u32,
    /// Its spikes.
    pub spikes: u64,
    /// Spikes per neuron and second.
    pub rate_hz: f64,
    /// `single` where it ran in the narrow form, else `double`.
    pub precision: &'static str,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationReport {
    /// Name of the network.
    pub network: String,
    /// Name of the engine.
    pub engine: &'static str,
    /// Precision that was asked for, or the engine's own.
    pub precision: &'static str,
    /// Threads.
    pub threads: usize,
    /// Seed.
    pub seed: u64,
    /// Step (ms).
    pub dt_ms: f64,
    /// Time simulated (ms).
    pub duration_ms: f64,
    /// Whether the run was stopped before its end.
    pub stopped: bool,
    /// Time (ms) of the checkpoint that the run went on from; none where it began at zero.
    pub resumed_at_ms: Option<f64>,
    /// Digest of the network's description.
    pub network_hash: String,
    /// Neurons, sources included.
    pub neurons: u64,
    /// Synapses.
    pub synapses: u64,
    /// What was predicted before anything was built.
    pub predicted: Footprint,
    /// The most memory that the process held, the program itself included; none where the system does
    /// not say.
    pub peak_memory_bytes: Option<u64>,
    /// Time to build (s).
    pub build_s: f64,
    /// Time to simulate, recording included (s).
    pub simulation_s: f64,
    /// Time to write the last checkpoint and make the files of what was recorded (s).
    pub files_s: f64,
    /// Time to simulate over time simulated; none where nothing was simulated.
    pub real_time_factor: Option<f64>,
    /// All spikes.
    pub spikes: u64,
    /// Spikes that were recorded.
    pub recorded_spikes: usize,
    /// Spikes times the synapses that they reached.
    pub synaptic_operations: u64,
    /// Digest of the recorded spikes: equal for equal spikes.
    pub spike_hash: String,
    /// How far weights in the narrow form are from those described, by projection.
    pub weight_rounding: Vec<WeightRounding>,
    /// Each population.
    pub populations: Vec<PopulationActivity>,
    /// Version of Spikeloom.
    pub version: &'static str,
}
