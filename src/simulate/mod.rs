//! Running a network for a time, with what is worth knowing about the run.
//!
//! A run hands on what it records piece by piece, so its memory does not grow with its length; it can
//! leave checkpoints, and go on from one as if it had never stopped.

mod checkpoints;
mod page;
mod record;
mod report;
mod tally;

pub use checkpoints::CheckpointConfig;
pub use page::{Kept, page};
pub use record::{RecordConfig, make_files, open};
pub use report::{PopulationActivity, SimulationReport};

use crate::error::Error;
use crate::lists::named;
use crate::memory;
use crate::model_io::atomic::remove_leftovers;
use crate::model_io::checkpoint::Facts;
use crate::network_files::NetworkFile;
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::connectome::{Precision, rounding};
use crate::sim_core::engine::{Compiled, Engine, EngineConfig, EngineEntry, EngineError};
use crate::sim_core::network::{Probe, ValidNetwork};
use crate::sim_core::recording::Recording;
use crate::sim_core::time::{Grid, Time};
use crate::sim_core::units::{Dimension, Quantity};
use record::Recorder;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
pub(crate) use tally::held_bytes;
use tally::{Pace, Tally};

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
    /// What goes to files. Where spikes do and the network has no probe of spikes, all do.
    pub record: RecordConfig,
    /// Checkpoints.
    pub checkpoint: Option<CheckpointConfig>,
    /// Whether something is kept for a page.
    pub keep: bool,
}

/// A finished run.
#[derive(Debug)]
pub struct Simulation {
    /// What it did.
    pub report: SimulationReport,
    /// Files that were made of what was recorded.
    pub files: Vec<PathBuf>,
    /// What was kept for a page.
    pub kept: Kept,
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

/// Runs a network file up to `config.duration`; asks `go_on` once an epoch.
///
/// # Errors
/// [`Error`] where the network does not fit into memory, the engine refuses it, its files cannot be
/// written, or a checkpoint does not fit.
pub fn simulate(
    file: NetworkFile,
    config: &SimulateConfig,
    progress: &dyn Progress,
    go_on: &dyn Fn() -> bool,
) -> Result<Simulation, Error> {
    let entry = engine(&config.engine)?;
    let precision = precision(config.precision.or(file.network.precision), &entry)?;
    let valid = described(file, config)?;
    let grid = valid.grid();
    let config = &on_grid(config, grid);
    if grid.steps_in(config.duration).is_none() {
        let (span, dt) = (config.duration, grid.step());
        return Err(EngineError::SpanOffGrid { span, dt }.into());
    }
    config.checkpoint.as_ref().map_or(Ok(()), |checkpoint| checkpoint.check(grid))?;
    let started = Instant::now();
    let threads = config.threads.unwrap_or_else(|| worthwhile_threads(&valid));
    let compile = memory::available_for(precision, threads);
    let predicted = (entry.predict)(&valid, compile);
    let (name, seed, dt_ms, hash) =
        (valid.name().to_string(), valid.seed(), grid.dt(), valid.hash().to_string());
    let compiled = Arc::new(Compiled::new(valid, compile)?);
    let synapses = compiled.connectome().synapse_count();
    let threading = EngineConfig { threads, ..EngineConfig::default() };
    let engine = (entry.start)(compiled.clone(), threading)?;
    let facts = vec![
        ("version".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("network".to_string(), name.clone()),
        ("network_hash".to_string(), hash.clone()),
        ("engine".to_string(), entry.name.to_string()),
        ("seed".to_string(), seed.to_string()),
        ("dt_ms".to_string(), dt_ms.to_string()),
    ];
    let mut run = Course::begin(config, engine, compiled.clone(), facts)?;
    let build_s = started.elapsed().as_secs_f64();
    let (started, begin) = (Instant::now(), run.engine.now());
    let what = format!("{} engine", entry.name);
    let stopped = !run.advance(&what, progress, go_on)?;
    let simulation_s = started.elapsed().as_secs_f64();
    let files = run.finish()?;
    let files_s = started.elapsed().as_secs_f64() - simulation_s;
    let recording = run.engine.recording();
    let simulated = (recording.duration - begin).milliseconds();
    let report = SimulationReport {
        network: name,
        engine: entry.name,
        precision: precision.name(),
        threads,
        seed,
        dt_ms,
        duration_ms: recording.duration.milliseconds(),
        stopped,
        resumed_at_ms: run.resumed.map(Time::milliseconds),
        network_hash: hash,
        neurons: predicted.neurons,
        synapses,
        predicted,
        peak_memory_bytes: memory::peak_resident_bytes(),
        build_s,
        simulation_s,
        files_s,
        real_time_factor: (simulated > 0.0).then(|| 1000.0 * simulation_s / simulated),
        spikes: recording.counters.spikes.iter().sum(),
        recorded_spikes: run.tally.spikes,
        synaptic_operations: recording.counters.synaptic_operations,
        spike_hash: format!("{:016x}", run.tally.hash),
        weight_rounding: rounding(compiled.network(), compiled.connectome()),
        populations: activity(recording, &compiled),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Simulation { report, files, kept: run.kept })
}

/// The configuration with decimals of any size on the grid.
fn on_grid(config: &SimulateConfig, grid: Grid) -> SimulateConfig {
    let mut config = config.clone();
    config.duration = grid.nearest(config.duration);
    if let Some(every) = config.checkpoint.as_mut().and_then(|saving| saving.every.as_mut()) {
        *every = grid.nearest(*every);
    }
    config
}

/// The network with the configuration's seed, and probes of all spikes where they are wanted. Listed synapses
/// can be large: what is not needed any more is let go.
fn described(file: NetworkFile, config: &SimulateConfig) -> Result<ValidNetwork, Error> {
    let NetworkFile { mut network, valid, .. } = file;
    let mut changed = false;
    if let Some(seed) = config.seed {
        changed = seed != network.seed;
        network.seed = seed;
    }
    let has_probe = network.probes.values().any(|probe| probe.variable == "spikes");
    let wanted = config.record.spikes.is_some() || config.keep || network.probes.is_empty();
    if wanted && (config.record.is_wanted() || config.keep) && !has_probe {
        let names: Vec<String> = network.populations.keys().cloned().collect();
        for name in names {
            network.add_probe(free_name(&network.probes, &name), Probe::spikes(name));
        }
        changed = true;
    }
    if !changed {
        return Ok(valid);
    }
    drop(valid);
    Ok(network.validate()?)
}

/// A run on its way.
struct Course<'a> {
    config: &'a SimulateConfig,
    engine: Box<dyn Engine>,
    pace: Pace,
    recorder: Option<Recorder>,
    tally: Tally,
    kept: Kept,
    facts: Facts,
    /// The time of the checkpoint that the run went on from.
    resumed: Option<Time>,
    dt: Time,
}

impl<'a> Course<'a> {
    fn begin(
        config: &'a SimulateConfig,
        mut engine: Box<dyn Engine>,
        compiled: Arc<Compiled>,
        facts: Facts,
    ) -> Result<Self, Error> {
        let checkpoint = config.checkpoint.as_ref();
        let resumed = match checkpoint {
            Some(checkpoint) => checkpoint.resume(engine.as_mut())?,
            None => None,
        };
        let position = resumed.as_ref().map(|resumed| resumed.position);
        let is_recorded = position.is_some_and(|position| position > 0);
        if is_recorded != config.record.is_wanted() && position.is_some() {
            let did = if is_recorded { "recorded to files" } else { "did not record to files" };
            return Err(Error::Usage(format!(
                "the run {did} up to the checkpoint: go on with the options that it began with"
            )));
        }
        let place = match checkpoint {
            Some(checkpoint) => Some(checkpoint.recording()),
            None => config.record.place(),
        };
        let recorder = match place.filter(|_| config.record.is_wanted()) {
            Some(place) => {
                let facts = facts.clone();
                let (record, engine) = (&config.record, engine.as_ref());
                Some(Recorder::start(record, &place, facts, engine, &compiled, position)?)
            }
            None => None,
        };
        if let Some(checkpoint) = checkpoint {
            remove_leftovers(&checkpoint.path);
        }
        let tally = resumed.as_ref().map_or_else(Tally::new, |resumed| resumed.tally);
        Ok(Course {
            config,
            pace: Pace::new(compiled.network(), compiled.connectome()),
            recorder,
            tally,
            kept: Kept::new(config.keep, engine.as_ref(), compiled.network()),
            facts,
            resumed: resumed.map(|_| engine.now()),
            dt: compiled.network().grid().step(),
            engine,
        })
    }

    /// Runs to the end of the duration; whether it was not stopped before.
    fn advance(
        &mut self,
        what: &str,
        progress: &dyn Progress,
        go_on: &dyn Fn() -> bool,
    ) -> Result<bool, Error> {
        let end = self.config.duration;
        let mut telling = Telling::new(progress, what, self.engine.now(), end);
        let mut go = true;
        while go && self.engine.now() < end {
            let now = self.engine.now();
            let steps = i64::try_from(self.pace.steps()).unwrap_or(i64::MAX);
            let due = self.config.checkpoint.as_ref().and_then(|checkpoint| checkpoint.next(now));
            let until = now.saturating_add(Time(self.dt.0.saturating_mul(steps)));
            let until = end.min(until).min(due.unwrap_or(end));
            let result = self.engine.run(until - now, &mut |now| {
                telling.reached(now);
                go_on()
            });
            go = match result {
                Ok(()) => true,
                Err(EngineError::Stopped { .. }) => false,
                Err(error) => return Err(error.into()),
            };
            self.hand_on()?;
            if due == Some(self.engine.now()) {
                self.save()?;
            }
        }
        progress.end();
        Ok(go)
    }

    /// Hands on what was recorded since the last time.
    fn hand_on(&mut self) -> Result<(), Error> {
        let recorded: Recording = self.engine.take_recorded();
        self.pace.adapt(&recorded);
        self.tally.add(&recorded.spikes);
        self.kept.add(&recorded);
        match &mut self.recorder {
            Some(recorder) => recorder.record(&recorded),
            None => Ok(()),
        }
    }

    /// Leaves a checkpoint, if the run has any: first the recording reaches the disk, then it.
    fn save(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = &self.config.checkpoint else {
            return Ok(());
        };
        let position = match &mut self.recorder {
            Some(recorder) => recorder.sync()?,
            None => 0,
        };
        checkpoint.write(self.engine.as_mut(), position, self.tally, &self.facts)
    }

    /// Leaves the last checkpoint and makes the files.
    fn finish(&mut self) -> Result<Vec<PathBuf>, Error> {
        self.save()?;
        let Some(mut recorder) = self.recorder.take() else {
            return Ok(Vec::new());
        };
        recorder.sync()?;
        let files = recorder.finish()?;
        if self.config.checkpoint.is_none() {
            recorder.discard();
        }
        Ok(files)
    }
}

/// Tells how far a run is.
struct Telling<'a> {
    progress: &'a dyn Progress,
    start: Time,
    end: Time,
    told: u64,
}

impl<'a> Telling<'a> {
    fn new(progress: &'a dyn Progress, what: &str, start: Time, end: Time) -> Self {
        progress.begin(what, PARTS);
        Telling { progress, start, end, told: 0 }
    }

    fn reached(&mut self, now: Time) {
        let share = (now - self.start).milliseconds() / (self.end - self.start).milliseconds();
        let reached = (share * PARTS as f64) as u64;
        while self.told < reached.min(PARTS) {
            self.told += 1;
            self.progress.advance();
        }
    }
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
    let start = engine.now();
    let mut telling = Telling::new(progress, what, start, start.saturating_add(duration));
    let result = engine.run(duration, &mut |now| {
        telling.reached(now);
        go_on()
    });
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
