//! What a network will take, before it is built: memory, synapses, time.
//!
//! Memory is counted from the description ([`predict_for`]). Times are measured on a part of the network
//! (`sample.rs`) that is built and run for less than a second, on each engine and in each precision.

mod sample;
mod timing;

use crate::error::Error;
use crate::memory;
use crate::network_files::NetworkFile;
use crate::sim_core::connectome::footprint::readable;
use crate::sim_core::connectome::{
    CompileConfig, Draw, Footprint, Precision, Row, predict_event, predict_for,
};
use crate::sim_core::engine::{ENGINES, EngineEntry, Predict};
use crate::sim_core::network::{Connectivity, Network, Stimulus, ValidNetwork};
use crate::sim_core::units::Values;
use crate::simulate::held_bytes;
use sample::{Limits, part, share};
use serde::Serialize;
use std::time::{Duration, Instant};
use timing::{Timing, time};

/// How long something takes with one thread, or why that is not known.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Times {
    /// Estimated time to build (s).
    pub build_s: Option<f64>,
    /// Estimated time to simulate one second (s).
    pub simulate_one_second_s: Option<f64>,
    /// Spikes per neuron and second in the part that was run, sources left out.
    pub sample_rate_hz: Option<f64>,
    /// Simulated time of the part that was run (ms).
    pub sample_ms: Option<f64>,
    /// Why there are no times.
    pub reason: Option<String>,
}

/// Memory that a network would take on an engine in a precision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// `double` or `single`.
    pub precision: &'static str,
    /// Neurons, synapses and bytes.
    #[serde(flatten)]
    pub footprint: Footprint,
    /// The most memory in use, the program itself included.
    pub memory_bytes: u64,
    /// The same as people read it.
    pub peak: String,
    /// Whether that is free here.
    pub fits: bool,
}

/// What a precision would take on the clock-driven engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrecisionPrediction {
    /// Memory.
    #[serde(flatten)]
    pub memory: Memory,
    /// Times.
    #[serde(flatten)]
    pub times: Times,
}

/// What the event-driven engine would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventPrediction {
    /// Memory; none where the engine does not run the network.
    #[serde(flatten)]
    pub memory: Option<Memory>,
    /// Times.
    #[serde(flatten)]
    pub times: Times,
}

/// What a network would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Memory that a network may take here (bytes).
    pub available_bytes: u64,
    /// Memory that the program itself takes, with the description that it has read (bytes).
    pub program_bytes: u64,
    /// Rate of every neuron that is no source which the times assume (Hz); `None`: that of the part.
    pub assumed_rate_hz: Option<f64>,
    /// Both precisions.
    pub precisions: Vec<PrecisionPrediction>,
    /// The event-driven engine.
    pub event: EventPrediction,
}

/// A part that is run to see how long it may be run, and the largest one.
const SMALL: Limits = Limits { neurons: 500.0, synapses: 131_072.0 };
const LARGE: Limits = Limits { neurons: 20_000.0, synapses: 1_048_576.0 };

/// Wall time of a run of either.
const SMALL_BUDGET: Duration = Duration::from_millis(150);
const LARGE_BUDGET: Duration = Duration::from_millis(400);

/// The larger part is run where it is expected to get this far within a second (s).
const WORTHWHILE_S: f64 = 0.03;

/// Time of a synapse that a spike reaches (ns) where the part had none, in double and in single
/// precision: rounded from `benches/README.md`.
const DELIVERY_NS: [f64; 2] = [4.0, 1.5];

/// Rows and synapses that are drawn to be timed.
const ROWS: u32 = 16;
const ENOUGH: usize = 1 << 16;

/// Rows that are expected to be longer are neither drawn nor in the part that is run.
const LONGEST_ROW: u64 = 1 << 22;

/// Bytes of the program's own code and buffers that a run touches and a prediction does not (1.6 to 2.0 MB
/// were found with networks of 1,000 neurons).
const STARTED: u64 = 1_800_000;

/// Predicts a network in both precisions; `rate_hz` in place of the rate of the part that is run.
///
/// # Errors
/// [`Error::Usage`] for a rate that is none.
pub fn prediction(file: &NetworkFile, rate_hz: Option<f64>) -> Result<Prediction, Error> {
    if let Some(rate) = rate_hz.filter(|rate| !(0.0..=1e4).contains(rate)) {
        let message = format!("--rate-hz {rate}: give spikes per neuron and second, 0 to 10000");
        return Err(Error::Usage(message));
    }
    let network = &file.valid;
    let available = memory::available().memory_limit;
    // Before parts are built: what they take is no part of the program.
    let resident = memory::resident_bytes().map_or(0, |bytes| bytes + STARTED);
    // A run lets go of the description and keeps what validation made of it.
    let program = resident.saturating_sub(listed_bytes(&file.network));
    // Reading a large file may take more than running what it holds.
    let reading = memory::peak_resident_bytes().unwrap_or(0);
    let held = held_bytes(network);
    let memory = |precision: Precision, predict: Predict| {
        let footprint = predict(network, CompileConfig { precision, ..CompileConfig::UNLIMITED });
        let running = footprint.peak_bytes.saturating_add(program).saturating_add(held);
        let memory_bytes = running.max(reading);
        Memory {
            precision: precision.name(),
            footprint,
            memory_bytes,
            peak: readable(memory_bytes),
            fits: footprint.peak_bytes <= available,
        }
    };
    let [double, single] =
        [Precision::Double, Precision::Single].map(|precision| memory(precision, predict_for));
    let known = Known { file, rate_hz, draw_s: draw_s(network), footprint: double.footprint };
    let precisions = [(double, Precision::Double), (single, Precision::Single)];
    let precisions = precisions.map(|(memory, precision)| PrecisionPrediction {
        memory,
        times: known.times("clock", precision),
    });
    let times = known.times("event", Precision::Double);
    let runs = times.reason.is_none();
    let event =
        EventPrediction { memory: runs.then(|| memory(Precision::Double, predict_event)), times };
    Ok(Prediction {
        available_bytes: available,
        program_bytes: program,
        assumed_rate_hz: rate_hz,
        precisions: precisions.to_vec(),
        event,
    })
}

/// Bytes of the lists in a description.
fn listed_bytes(network: &Network) -> u64 {
    let numbers = |values: &Values| match values {
        Values::Each { values, .. } => 8 * values.len() as u64,
        _ => 0,
    };
    let projections = network.projections.values().map(|projection| {
        let ends = match &projection.connectivity {
            Connectivity::List(list) => 4 * (list.sources.len() + list.targets.len()) as u64,
            _ => 0,
        };
        ends + numbers(&projection.weight) + numbers(&projection.delay)
    });
    let stimuli = network.stimuli.values().map(|stimulus| match stimulus {
        Stimulus::SpikeList(list) => 4 * list.neurons.len() as u64 + numbers(&list.times),
        _ => 0,
    });
    projections.chain(stimuli).sum()
}

/// What all estimates of time need.
struct Known<'a> {
    file: &'a NetworkFile,
    rate_hz: Option<f64>,
    /// Time to draw all synapses (s).
    draw_s: f64,
    footprint: Footprint,
}

impl Known<'_> {
    fn times(&self, engine: &str, precision: Precision) -> Times {
        let found = ENGINES.iter().find(|entry| entry.name == engine);
        match found.map(|entry| self.estimate(entry, precision)) {
            Some(Ok(times)) => times,
            Some(Err(error)) => Times { reason: Some(error.to_string()), ..Times::default() },
            None => Times::default(),
        }
    }

    fn estimate(&self, entry: &EngineEntry, precision: Precision) -> Result<Times, Error> {
        let Footprint { neurons, synapses, .. } = self.footprint;
        let [small, large] = [SMALL, LARGE].map(|limits| share(neurons, synapses, limits));
        let budget = if small < 1.0 { SMALL_BUDGET } else { LARGE_BUDGET };
        let (mut share, mut timing) = (small, self.run(entry, precision, small, budget)?);
        if large > small && timing.second_s * large / small * WORTHWHILE_S < 1.0 {
            (share, timing) = (large, self.run(entry, precision, large, LARGE_BUDGET)?);
        }
        let build_s = match share < 1.0 {
            true => self.draw_s + timing.build_s / share,
            false => timing.build_s,
        };
        let at_rate =
            self.rate_hz.map(|rate| self.at_rate(rate, entry, precision, (share, timing)));
        let second_s = at_rate.transpose()?.unwrap_or(timing.second_s) / share;
        let own = self.neurons_that_fire() as f64 * share;
        Ok(Times {
            build_s: Some(build_s),
            simulate_one_second_s: Some(second_s),
            sample_rate_hz: (own > 0.0).then(|| timing.spikes / own),
            sample_ms: Some(timing.simulated_ms),
            reason: None,
        })
    }

    /// Time of a second of the part where its neurons spiked at this rate (s): what synapses take goes with
    /// the number of those that spikes reach.
    fn at_rate(
        &self,
        rate_hz: f64,
        entry: &EngineEntry,
        precision: Precision,
        (share, timing): (f64, Timing),
    ) -> Result<f64, Error> {
        let reached = rate_hz * self.synapses_of_neurons() as f64 * share + timing.of_sources;
        if timing.operations == 0.0 {
            let each = DELIVERY_NS[usize::from(precision == Precision::Single)];
            return Ok(timing.second_s + 1e-9 * each * reached);
        }
        let mut bare = self.part(share);
        bare.probes.retain(|_, probe| probe.projection.is_none());
        bare.projections.clear();
        let bare = time(bare.validate().map_err(invalid)?, entry, precision, SMALL_BUDGET)?;
        let synapses_s = (timing.second_s - bare.second_s).max(0.0);
        Ok(bare.second_s.min(timing.second_s) + synapses_s * reached / timing.operations)
    }

    fn run(
        &self,
        entry: &EngineEntry,
        precision: Precision,
        share: f64,
        budget: Duration,
    ) -> Result<Timing, Error> {
        time(self.part(share).validate().map_err(invalid)?, entry, precision, budget)
    }

    fn part(&self, share: f64) -> crate::sim_core::network::Network {
        match share < 1.0 {
            true => part(&self.file.network, &self.file.valid, share),
            false => self.file.network.clone(),
        }
    }

    /// Neurons that are no sources.
    fn neurons_that_fire(&self) -> u64 {
        let populations = self.file.valid.populations().values();
        let own = populations.filter(|p| !p.model.spec().variables.is_empty());
        own.map(|population| u64::from(population.size())).sum()
    }

    /// Synapses that do not come from sources.
    fn synapses_of_neurons(&self) -> u64 {
        let valid = &self.file.valid;
        let from_neurons = valid.projections().values().filter(|projection| {
            !valid.populations()[projection.source].model.spec().variables.is_empty()
        });
        from_neurons.map(|p| p.connectivity.behaviour().expected_synapses(&p.ends)).sum()
    }
}

fn invalid(problems: crate::sim_core::diagnostics::Problems) -> Error {
    Error::Content(format!("no part of the network can be timed: {problems}"))
}

/// Time to draw all synapses (s), with the threads that there are.
fn draw_s(network: &ValidNetwork) -> f64 {
    let (mut all, mut synapses) = (0.0, Row::default());
    for projection in network.projections().values() {
        let draw = Draw::new(network, projection);
        let rows = draw.row_count();
        let expected = projection.connectivity.behaviour().expected_synapses(&projection.ends);
        if rows == 0 || expected / u64::from(rows) > LONGEST_ROW {
            continue;
        }
        let (started, mut drawn) = (Instant::now(), 0_usize);
        for row in (0..rows).step_by((rows / ROWS).max(1) as usize) {
            draw.row(row, &mut synapses);
            drawn += synapses.partners.len();
            if drawn > ENOUGH {
                break;
            }
        }
        let each = started.elapsed().as_secs_f64() / drawn.max(1) as f64;
        all += each * expected as f64;
    }
    all / rayon::current_num_threads() as f64
}

impl Prediction {
    /// Why no precision fits; none where one does.
    pub fn refusal(&self) -> Option<String> {
        let sizes = self.precisions.iter().map(|one| &one.memory);
        let least = sizes.min_by_key(|one| one.footprint.peak_bytes)?;
        (!least.fits).then(|| {
            format!(
                "it needs {} in {} precision for {} synapses and {} neurons, but {} are free: make \
                 it smaller, share weights (one weight for all, convolution) or use a larger machine",
                least.peak,
                least.precision,
                least.footprint.synapses,
                least.footprint.neurons,
                readable(self.available_bytes)
            )
        })
    }
}
