//! Running a network for a time, with what is worth knowing about the run.

use crate::error::Error;
use crate::lists::named;
use crate::memory;
use crate::network_files::NetworkFile;
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::connectome::{
    Footprint, Precision, WeightRounding, predict_for, rounding,
};
use crate::sim_core::engine::{Compiled, Engine, EngineConfig, EngineEntry, EngineError};
use crate::sim_core::network::{Probe, ValidNetwork};
use crate::sim_core::recording::Recording;
use crate::sim_core::time::Time;
use crate::sim_core::units::{Dimension, Quantity};
use crate::snn_convert::fidelity::digest;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Parts in which a run tells its progress.
const PARTS: u64 = 1000;

/// Neurons that one more thread is worth: with fewer, threads wait for each other.
const NEURONS_PER_THREAD: usize = 2000;

/// How a network is run.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateConfig {
    /// For how long.
    pub duration: Time,
    /// Name of the engine.
    pub engine: String,
    /// Precision; none means what the file says, or else the engine's own.
    pub precision: Option<Precision>,
    /// Seed in place of the file's.
    pub seed: Option<u64>,
    /// Threads; none means as many as are worth it.
    pub threads: Option<usize>,
    /// Whether all spikes are recorded where the file has no probe of spikes.
    pub record_spikes: bool,
}

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
    /// Neurons, sources included.
    pub neurons: u64,
    /// Synapses.
    pub synapses: u64,
    /// What was predicted before anything was built.
    pub predicted: Footprint,
    /// Time to build (s).
    pub build_s: f64,
    /// Time to simulate (s).
    pub simulation_s: f64,
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

/// A finished run.
#[derive(Debug)]
pub struct Simulation {
    /// Spikes and traces.
    pub recording: Recording,
    /// What it did.
    pub report: SimulationReport,
}

/// Reads a time such as `1 s`.
///
/// # Errors
/// [`Error::Usage`] for what is no time above zero.
pub fn parse_time(text: &str) -> Result<Time, Error> {
    let wrong = |reason: String| Error::Usage(format!("`{text}` is no duration: {reason}"));
    let quantity: Quantity = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if quantity.unit.dimension != Dimension::Time {
        let name = quantity.unit.dimension.name();
        return Err(wrong(format!("it is {name}; give a time with its unit, such as \"1 s\"")));
    }
    match Time::from_milliseconds(quantity.in_base()) {
        Some(time) if time > Time::ZERO => Ok(time),
        Some(_) => Err(wrong("it must be above zero".to_string())),
        None => Err(wrong("at most 2.5 hours can be simulated".to_string())),
    }
}

/// The precision of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_precision(name: &str) -> Result<Precision, Error> {
    let found = Precision::ALL.into_iter().find(|precision| precision.name() == name);
    named("precision", name, found, Precision::ALL.map(Precision::name))
}

/// What is asked for, or the engine's own.
fn precision(asked: Option<Precision>, entry: &EngineEntry) -> Result<Precision, Error> {
    match asked {
        Some(Precision::Single) if entry.precision == Precision::Double => {
            Err(Error::Usage(format!(
                "the engine `{}` computes in double precision alone: ask for no other (--precision, \
                 or `precision` in the network file), or take another engine",
                entry.name
            )))
        }
        asked => Ok(asked.unwrap_or(entry.precision)),
    }
}

/// Runs a network file; asks `go_on` once an epoch.
///
/// # Errors
/// [`Error`] where the network does not fit into memory or the engine refuses it.
pub fn simulate(
    file: &NetworkFile,
    config: &SimulateConfig,
    progress: &dyn Progress,
    go_on: &dyn Fn() -> bool,
) -> Result<Simulation, Error> {
    let entry = engine(&config.engine)?;
    let precision = precision(config.precision.or(file.network.precision), &entry)?;
    let mut network = file.network.clone();
    if let Some(seed) = config.seed {
        network.seed = seed;
    }
    let has_probe = network.probes.values().any(|probe| probe.variable == "spikes");
    if config.record_spikes && !has_probe {
        let names: Vec<String> = network.populations.keys().cloned().collect();
        for name in names {
            network.add_probe(free_name(&network.probes, &name), Probe::spikes(name));
        }
    }
    let valid = network.validate()?;
    let started = Instant::now();
    let threads = config.threads.unwrap_or_else(|| worthwhile_threads(&valid));
    let compile = memory::available_for(precision, threads);
    let predicted = predict_for(&valid, compile);
    let (name, seed, dt_ms) = (valid.name().to_string(), valid.seed(), valid.grid().dt());
    let compiled = Arc::new(Compiled::new(valid, compile)?);
    let synapses = compiled.connectome().synapse_count();
    let mut engine = (entry.start)(compiled.clone(), EngineConfig { threads, ..EngineConfig::default() })?;
    let build_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let what = format!("{} engine", entry.name);
    let stopped = !run(engine.as_mut(), config.duration, &what, progress, go_on)?;
    let simulation_s = started.elapsed().as_secs_f64();
    let recording = engine.recording().clone();
    let duration_ms = recording.duration.milliseconds();
    let report = SimulationReport {
        network: name,
        engine: entry.name,
        precision: precision.name(),
        threads,
        seed,
        dt_ms,
        duration_ms,
        stopped,
        neurons: predicted.neurons,
        synapses,
        predicted,
        build_s,
        simulation_s,
        real_time_factor: (duration_ms > 0.0).then(|| 1000.0 * simulation_s / duration_ms),
        spikes: recording.counters.spikes.iter().sum(),
        recorded_spikes: recording.spikes.len(),
        synaptic_operations: recording.counters.synaptic_operations,
        spike_hash: format!("{:016x}", digest(&recording.spikes)),
        weight_rounding: rounding(compiled.network(), compiled.connectome()),
        populations: activity(&recording, &compiled),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Simulation { recording, report })
}

/// A probe's name that is not taken.
fn free_name<T>(taken: &indexmap::IndexMap<String, T>, population: &str) -> String {
    let mut name = format!("spikes of {population}");
    while taken.contains_key(&name) {
        name.push('_');
    }
    name
}

fn worthwhile_threads(network: &ValidNetwork) -> usize {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    available.min(network.neuron_count() as usize / NEURONS_PER_THREAD).max(1)
}

/// Runs an engine and tells its progress; gives whether it came to the end.
pub(crate) fn run(
    engine: &mut dyn Engine,
    duration: Time,
    what: &str,
    progress: &dyn Progress,
    go_on: &dyn Fn() -> bool,
) -> Result<bool, Error> {
    progress.begin(what, PARTS);
    let start = engine.now();
    let mut told = 0;
    let mut observer = |now: Time| {
        let share = (now - start).milliseconds() / duration.milliseconds();
        let reached = (share * PARTS as f64) as u64;
        while told < reached.min(PARTS) {
            told += 1;
            progress.advance();
        }
        go_on()
    };
    let result = engine.run(duration, &mut observer);
    progress.end();
    match result {
        Ok(()) => Ok(true),
        Err(EngineError::Stopped { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Each population's spikes and rate.
fn activity(recording: &Recording, compiled: &Compiled) -> Vec<PopulationActivity> {
    let narrow = compiled.connectome().narrow();
    let precision = |index: usize| match narrow.map(|narrow| &narrow.populations()[index]) {
        Some(Some(_)) => Precision::Single.name(),
        _ => Precision::Double.name(),
    };
    let rates = recording.rates();
    let spikes = &recording.counters.spikes;
    let populations = recording.populations.iter().zip(spikes).zip(rates);
    populations
        .enumerate()
        .map(|(index, ((population, &spikes), rate_hz))| PopulationActivity {
            name: population.name.clone(),
            neurons: population.size,
            spikes,
            rate_hz,
            precision: precision(index),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_of_time_and_a_value_above_zero() {
        assert_eq!(parse_time("1 s").unwrap(), Time::from_milliseconds(1000.0).unwrap());
        for (text, reason) in [
            ("1", "a plain number"),
            ("1 mV", "a potential"),
            ("0 ms", "above zero"),
            ("soon", "begin with a number"),
            ("1e9 s", "2.5 hours"),
        ] {
            let message = parse_time(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
