//! Workloads that are measured the same way every time.
//!
//! A workload is one file with a `pub(super) static WORKLOAD` and its line in [`WORKLOADS`]. Build
//! and simulation are timed apart; spikes are digested, so that runs with other threads can be
//! compared.

mod balanced;
mod brunel;
mod event_brunel;
mod inference;
mod machine;
mod mapping;
mod mapping_algorithms;
mod pd14;
mod silent;
mod stdp;

use crate::analysis::{AnalysisConfig, PopulationAnalysis, Trains, analyse};
use crate::error::Error;
use crate::lists::named;
use crate::memory;
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::connectome::Precision;
use crate::sim_core::engine::{Compiled, EngineConfig, Instructions};
use crate::sim_core::network::Network;
use crate::sim_core::recording::{Counters, PopulationInfo, Recording};
use crate::sim_core::time::Time;
use crate::simulate::run;
use crate::snn_convert::fidelity::digest;
use indexmap::IndexMap;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What is chosen for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchConfig {
    /// Size relative to the workload's own, above zero.
    pub scale: f64,
    /// Threads.
    pub threads: usize,
    /// Time to simulate; none means the workload's own.
    pub simulate: Option<Time>,
    /// Seed of connectivity and input.
    pub seed: u64,
    /// A trained network instead of the workload's own.
    pub model: Option<BenchModel>,
}

/// A trained network that a workload shows samples to.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchModel {
    /// The trained network.
    pub path: PathBuf,
    /// Samples; labels are not needed.
    pub data: PathBuf,
}

/// What a run measured. Fields are none where a workload has no such thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// Name of the workload.
    pub workload: &'static str,
    /// Relative size.
    pub scale: f64,
    /// Threads.
    pub threads: usize,
    /// Seed.
    pub seed: u64,
    /// Time simulated (ms).
    pub simulated_ms: Option<f64>,
    /// Wall time to build (s).
    pub build_s: f64,
    /// Wall time to simulate (s).
    pub sim_s: f64,
    /// Processor time of simulating, all threads (s); none where the system does not say.
    pub cpu_s: Option<f64>,
    /// Wall time over time simulated.
    pub rtf: Option<f64>,
    /// Most memory of the process so far (MB).
    pub peak_rss_mb: Option<f64>,
    /// Bytes of the compiled connectome over synapses.
    pub bytes_per_synapse: Option<f64>,
    /// Neurons, without the sources of input.
    pub n_neurons: u64,
    /// Synapses between them.
    pub n_synapses: u64,
    /// Mean rate (Hz).
    pub mean_rate_hz: Option<f64>,
    /// Rate of each population (Hz).
    pub rates_hz: IndexMap<String, f64>,
    /// Time simulated before anything was measured (ms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up_ms: Option<f64>,
    /// Mean coefficient of variation of the intervals of each population, over neurons with three
    /// spikes or more.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub interval_cv: IndexMap<String, Option<f64>>,
    /// Mean correlation of pairs of neurons of each population, spikes counted in 2 ms.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub correlation: IndexMap<String, Option<f64>>,
    /// Spikes times the synapses that they reached, over wall time.
    pub synaptic_events_per_s: f64,
    /// Wall time over neurons and steps (ns).
    pub ns_per_neuron_step: Option<f64>,
    /// Wall time over images (ms).
    pub milliseconds_per_image: Option<f64>,
    /// Digest of all spikes.
    pub spike_hash: String,
    /// Instruction set that inner loops run with.
    pub instructions: &'static str,
    /// Version of Spikeloom.
    pub version: &'static str,
}

pub(crate) use pd14::WARM_UP as WARM_UP_MS;

/// A workload.
pub struct Workload {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Runs it.
    pub run: fn(&BenchConfig, &dyn Progress) -> Result<BenchReport, Error>,
}

/// All workloads.
pub static WORKLOADS: &[&Workload] = &[
    &pd14::WORKLOAD,
    &brunel::WORKLOAD,
    &balanced::CUBA,
    &balanced::COBA,
    &stdp::WORKLOAD,
    &event_brunel::WORKLOAD,
    &silent::WORKLOAD,
    &inference::WORKLOAD,
    &mapping::WORKLOAD,
    &mapping_algorithms::WORKLOAD,
];

/// The workload of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_workload(name: &str) -> Result<&'static Workload, Error> {
    let found = WORKLOADS.iter().copied().find(|workload| workload.name == name);
    named("workload", name, found, WORKLOADS.iter().map(|workload| workload.name))
}

/// Runs a workload.
///
/// # Errors
/// [`Error`], also where a trained network is given to a workload that takes none.
pub fn run_workload(
    workload: &Workload,
    config: &BenchConfig,
    progress: &dyn Progress,
) -> Result<BenchReport, Error> {
    let takes_model = workload.name == inference::WORKLOAD.name;
    if config.model.is_some() && !takes_model {
        let message = format!(
            "workload `{}` has a network of its own; --model goes with `{}`",
            workload.name,
            inference::WORKLOAD.name
        );
        return Err(Error::Usage(message));
    }
    (workload.run)(config, progress)
}

impl BenchConfig {
    /// `full` neurons at this scale.
    ///
    /// # Errors
    /// [`Error::Usage`] where none are left, or more than can be counted.
    fn neurons(&self, full: u32) -> Result<u32, Error> {
        let scaled = (f64::from(full) * self.scale).round();
        if !(1.0..=f64::from(u32::MAX)).contains(&scaled) {
            // The widest range that keeps one neuron and can still be counted.
            let (low, high) = (0.5 / f64::from(full), f64::from(u32::MAX) / f64::from(full));
            let message = format!(
                "--scale {} makes {scaled:.0} of {full} neurons; give {low:.1e} to {high:.1e}",
                self.scale
            );
            return Err(Error::Usage(message));
        }
        Ok(scaled as u32)
    }
}

/// How a network is run.
#[derive(Debug, Clone, Copy, Default)]
struct Protocol {
    /// Simulated first, and neither timed nor counted.
    warm_up: Time,
    /// What is timed and counted.
    duration: Time,
    /// Whether intervals and correlations are looked at, behind the timed part.
    statistics: bool,
}

impl Protocol {
    /// Measured from the beginning.
    fn of(duration: Time) -> Self {
        Protocol { duration, ..Protocol::default() }
    }
}

/// Builds a network, runs it on the clock-driven engine and measures both.
///
/// The first `inner` populations are the network; the others are sources of input, whose spikes
/// and synapses are not counted.
fn measure(
    workload: &'static str,
    network: &Network,
    inner: usize,
    protocol: Protocol,
    config: &BenchConfig,
    progress: &dyn Progress,
) -> Result<BenchReport, Error> {
    Subject::on_the_clock(workload, network, inner).measure_as(protocol, config, progress)
}

/// What is measured: a network on an engine.
struct Subject<'a> {
    workload: &'static str,
    network: &'a Network,
    /// The first populations are the network; the others are sources of input, whose spikes and
    /// synapses are not counted.
    inner: usize,
    engine: &'static str,
    precision: Precision,
}

impl<'a> Subject<'a> {
    /// On the clock-driven engine, in single precision where the models allow it.
    fn on_the_clock(workload: &'static str, network: &'a Network, inner: usize) -> Self {
        Subject { workload, network, inner, engine: "clock", precision: Precision::Single }
    }

    /// On the event-driven engine, in double precision.
    fn on_events(workload: &'static str, network: &'a Network, inner: usize) -> Self {
        Subject { workload, network, inner, engine: "event", precision: Precision::Double }
    }

    /// Measures as long as was asked for, else for `usual` (ms).
    fn measure(
        &self,
        usual: f64,
        config: &BenchConfig,
        progress: &dyn Progress,
    ) -> Result<BenchReport, Error> {
        let duration = config.simulate.or_else(|| Time::from_milliseconds(usual));
        self.measure_as(Protocol::of(duration.unwrap_or(Time::ZERO)), config, progress)
    }

    /// Builds the network, runs it and measures both.
    fn measure_as(
        &self,
        protocol: Protocol,
        config: &BenchConfig,
        progress: &dyn Progress,
    ) -> Result<BenchReport, Error> {
        let Subject { workload, network, inner, engine: name, precision } = *self;
        let duration = protocol.duration;
        let started = Instant::now();
        let valid = network.validate()?;
        let steps = valid.grid().steps_in(duration);
        let own: Vec<bool> =
            valid.projections().values().map(|projection| projection.source < inner).collect();
        // Refuses what does not fit before anything is built.
        let compiled =
            Arc::new(Compiled::new(valid, memory::available_for(precision, config.threads))?);
        let fanouts = compiled.connectome().fanouts().iter().zip(&own);
        let (mut n_synapses, mut bytes) = (0, 0);
        for (fanout, _) in fanouts.filter(|(_, own)| **own) {
            n_synapses += fanout.synapse_count();
            bytes += fanout.bytes();
        }
        let mut running = (engine(name)?.start)(
            compiled.clone(),
            EngineConfig { threads: config.threads, ..EngineConfig::default() },
        )?;
        let build_s = started.elapsed().as_secs_f64();
        if protocol.warm_up > Time::ZERO {
            run(running.as_mut(), protocol.warm_up, "warm-up", progress, &|| true)?;
        }
        let before = running.recording().counters.clone();
        let (started, cpu) = (Instant::now(), machine::processor_seconds());
        run(running.as_mut(), duration, workload, progress, &|| true)?;
        let sim_s = started.elapsed().as_secs_f64();
        let cpu_s = machine::processor_seconds().zip(cpu).map(|(after, before)| after - before);
        let recording = running.recording();
        let populations = &recording.populations[..inner.min(recording.populations.len())];
        let n_neurons: u64 = populations.iter().map(|population| u64::from(population.size)).sum();
        let counted: Vec<u64> = recording
            .counters
            .spikes
            .iter()
            .zip(&before.spikes)
            .map(|(all, then)| all - then)
            .collect();
        let spikes: u64 = counted.iter().take(inner).sum();
        let seconds = duration.milliseconds() / 1000.0;
        let rate = |(population, &spikes): (&PopulationInfo, &u64)| {
            let rate = spikes as f64 / f64::from(population.size.max(1)) / seconds;
            (population.name.clone(), rate)
        };
        let analyses = if protocol.statistics {
            statistics(recording, populations, protocol)
        } else {
            Vec::new()
        };
        Ok(BenchReport {
            workload,
            scale: config.scale,
            threads: config.threads,
            seed: config.seed,
            simulated_ms: Some(duration.milliseconds()),
            build_s,
            sim_s,
            cpu_s,
            rtf: Some(sim_s / seconds),
            peak_rss_mb: machine::peak_resident_megabytes(),
            bytes_per_synapse: (n_synapses > 0).then(|| bytes as f64 / n_synapses as f64),
            n_neurons,
            n_synapses,
            mean_rate_hz: Some(spikes as f64 / n_neurons.max(1) as f64 / seconds),
            rates_hz: populations.iter().zip(&counted).map(rate).collect(),
            warm_up_ms: (protocol.warm_up > Time::ZERO).then(|| protocol.warm_up.milliseconds()),
            interval_cv: analyses.iter().map(|a| (a.population.clone(), a.interval_cv)).collect(),
            correlation: analyses.iter().map(|a| (a.population.clone(), a.correlation)).collect(),
            synaptic_events_per_s: events(&compiled, recording, &before, inner) as f64 / sim_s,
            ns_per_neuron_step: steps
                .filter(|&steps| steps > 0)
                .map(|steps| 1e9 * sim_s / steps as f64 / n_neurons.max(1) as f64),
            milliseconds_per_image: None,
            spike_hash: format!("{:016x}", digest(&recording.spikes)),
            instructions: Instructions::widest().name(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}

/// Spikes of the network since `before` times the synapses that they reached.
fn events(compiled: &Compiled, recording: &Recording, before: &Counters, inner: usize) -> u64 {
    let counts = recording.counters.spikes.iter().zip(&before.spikes).map(|(all, then)| all - then);
    let sources = recording.populations.iter().zip(counts).skip(inner);
    // Every source neuron reaches one neuron.
    let from_sources: u64 =
        sources.map(|(population, spikes)| spikes * compiled.out_degree(population.first)).sum();
    let all = recording.counters.synaptic_operations - before.synaptic_operations;
    all.saturating_sub(from_sources)
}

/// Intervals and correlations of the populations in the timed part.
fn statistics(
    recording: &Recording,
    populations: &[PopulationInfo],
    protocol: Protocol,
) -> Vec<PopulationAnalysis> {
    let begin = protocol.warm_up;
    let end = begin.saturating_add(protocol.duration).milliseconds();
    let empty = |population: &PopulationInfo| Trains {
        population: population.name.clone(),
        neurons: vec![Vec::new(); population.size as usize],
        begin: begin.milliseconds(),
        end,
    };
    let mut trains: Vec<Trains> = populations.iter().map(empty).collect();
    for spike in recording.spikes.iter().filter(|spike| spike.time > begin) {
        let index = populations.partition_point(|population| population.first <= spike.neuron) - 1;
        let local = (spike.neuron - populations[index].first) as usize;
        if let Some(train) = trains[index].neurons.get_mut(local) {
            train.push(spike.time.milliseconds());
        }
    }
    analyse(&trains, &AnalysisConfig::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn spikes_do_not_depend_on_threads() {
        // Expected are 250² · 0.1 random synapses, 6σ is about 450; or 225 for each of 225 neurons.
        let networks = [
            ("brunel", 250, 6250, 450),
            ("event-brunel", 250, 6250, 450),
            ("stdp", 225, 50_625, 0),
        ];
        for (name, neurons, synapses, spread) in networks {
            let run = |threads| {
                let simulate = Time::from_milliseconds(20.0);
                let config = BenchConfig { scale: 0.02, threads, simulate, seed: 3, model: None };
                (find_workload(name).unwrap().run)(&config, &Silent).unwrap()
            };
            let (one, two) = (run(1), run(2));
            assert_eq!(one.spike_hash, two.spike_hash, "{name}");
            assert_eq!((one.n_neurons, one.n_synapses), (neurons, two.n_synapses), "{name}");
            assert!(one.n_synapses.abs_diff(synapses) <= spread, "{name}: {}", one.n_synapses);
            assert!(one.mean_rate_hz.unwrap() > 1.0 && one.synaptic_events_per_s > 0.0, "{name}");
        }
    }

    #[test]
    fn a_trained_network_goes_through_inference_alone() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let model = BenchModel {
            path: root.join("examples/data/digits/digits_cnn.onnx"),
            data: root.join("tests/data/models/digits_cnn/expected.npz"),
        };
        let simulate = None;
        let config = BenchConfig { scale: 0.01, threads: 1, simulate, seed: 1, model: Some(model) };
        let run = |name: &str| run_workload(find_workload(name).unwrap(), &config, &Silent);
        let report = run("inference").unwrap();
        assert_eq!((report.n_neurons, report.rates_hz.len()), (12 * 64 + 24 * 36 + 10, 3));
        // Two images of 32 steps of a millisecond, and as many as the last layer waits.
        assert_eq!(report.simulated_ms, Some(2.0 * 34.0));
        assert!(report.mean_rate_hz.unwrap() > 0.0 && report.rtf.unwrap() > 0.0);
        let error = run("brunel").unwrap_err().to_string();
        assert!(error.contains("--model goes with `inference`"), "{error}");
    }

    #[test]
    fn scales_that_leave_nothing_and_networks_that_do_not_fit_are_refused() {
        let config =
            |scale| BenchConfig { scale, threads: 1, simulate: None, seed: 0, model: None };
        let brunel = find_workload("brunel").unwrap().run;
        for scale in [0.0, -1.0, f64::NAN, 1e9] {
            assert!(matches!(brunel(&config(scale), &Silent), Err(Error::Usage(_))), "{scale}");
        }
        let error = brunel(&config(1000.0), &Silent).unwrap_err();
        assert!(matches!(error, Error::Compile(_)), "{error}");
    }
}
