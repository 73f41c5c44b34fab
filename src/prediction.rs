//! What a network will take, before it is built: memory, synapses, time.
//!
//! Memory is counted from the description ([`predict_for`]). Times are measured: some neurons of each
//! population are run for some steps without input, and some rows of synapses are drawn. What cannot
//! be known before, the rate of the neurons, is assumed and stated.

use crate::error::Error;
use crate::memory;
use crate::sim_core::connectome::footprint::readable;
use crate::sim_core::connectome::{CompileConfig, Draw, Footprint, Precision, Row, predict_for};
use crate::sim_core::engine::EngineConfig;
use crate::sim_core::network::{ValidNetwork, ValidPopulation, ValidStimulus};
use crate::sim_core::neuron::{Drive, Emitted};
use crate::sim_core::stimulus::Drive as PoissonLaw;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// What a precision would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrecisionPrediction {
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
    /// Estimated time to build with one thread (s).
    pub build_s: f64,
    /// Estimated time to simulate one second with one thread, at the assumed rate (s).
    pub simulate_one_second_s: f64,
}

/// What a network would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Memory that a network may take here (bytes).
    pub available_bytes: u64,
    /// Memory that the program itself takes, with the description that it has read (bytes).
    pub program_bytes: u64,
    /// Rate of every neuron that the time to simulate assumes (Hz).
    pub assumed_rate_hz: f64,
    /// Both precisions.
    pub precisions: Vec<PrecisionPrediction>,
}

/// Rate that is assumed where none is given (Hz).
pub const USUAL_RATE_HZ: f64 = 5.0;

/// Neurons and steps that are run to be timed.
const SAMPLE: usize = 256;
const STEPS: u32 = 100;

/// Rows and synapses that are drawn to be timed.
const ROWS: u32 = 16;
const ENOUGH: usize = 1 << 16;
const LONGEST_ROW: u64 = 1 << 22;

/// Time of a synapse that a spike reaches (ns), in double and in single precision: rounded from the
/// rows of `delivery` (4.7 ns with the neurons' share) and `brunel` (0.95 to 1.6 ns) in
/// `benches/README.md`. Not measured on the machine at hand, so an estimate.
const DELIVERY_NS: [f64; 2] = [4.0, 1.5];

/// Vector code is assumed to advance neurons so many times faster than the code that is timed here.
const NARROW_GAIN: f64 = 4.0;

/// Sorting and storing a synapse takes about as long as drawing it.
const BUILD_FACTOR: f64 = 2.0;

/// Bytes of the program's own code and buffers that a run touches and a prediction does not (1.6 to 2.0 MB
/// were found with networks of 1,000 neurons).
const STARTED: u64 = 1_800_000;

/// Predicts a network in both precisions.
///
/// # Errors
/// [`Error::Usage`] for a rate that is none.
pub fn prediction(network: &ValidNetwork, rate_hz: f64) -> Result<Prediction, Error> {
    if !(0.0..=1e4).contains(&rate_hz) {
        let message = format!("--rate-hz {rate_hz}: give spikes per neuron and second, 0 to 10000");
        return Err(Error::Usage(message));
    }
    let available = memory::available().memory_limit;
    let program = memory::resident_bytes().map_or(0, |bytes| bytes + STARTED);
    let neurons_ns: f64 = network.populations().values().map(population_step_ns).sum();
    let step_ns = neurons_ns + drives_step_ns(network);
    let synapse_ns = draw_ns(network);
    let steps = 1000.0 / network.grid().dt();
    let of = |precision: Precision| {
        let config = CompileConfig { precision, ..CompileConfig::UNLIMITED };
        let footprint = predict_for(network, config);
        let single = precision == Precision::Single;
        let synapses = footprint.synapses as f64;
        let neurons = if single { step_ns / NARROW_GAIN } else { step_ns };
        let delivered = rate_hz * synapses * DELIVERY_NS[usize::from(single)];
        PrecisionPrediction {
            precision: if single { "single" } else { "double" },
            footprint,
            memory_bytes: footprint.peak_bytes.saturating_add(program),
            peak: readable(footprint.peak_bytes.saturating_add(program)),
            fits: footprint.peak_bytes <= available,
            build_s: 1e-9 * BUILD_FACTOR * synapse_ns * synapses,
            simulate_one_second_s: 1e-9 * (steps * neurons + delivered),
        }
    };
    Ok(Prediction {
        available_bytes: available,
        program_bytes: program,
        assumed_rate_hz: rate_hz,
        precisions: vec![of(Precision::Double), of(Precision::Single)],
    })
}

/// Time of a step of a whole population (ns), from a part of it without input.
fn population_step_ns(population: &ValidPopulation) -> f64 {
    let size = population.neurons.size.min(SAMPLE);
    let Some(mut neurons) = population.model.clock(&population.neurons.part(0..size)) else {
        return 0.0;
    };
    let inputs = vec![vec![0.0; size]; population.model.spec().receptors.len()];
    let (current, mut spikes) = (vec![0.0; size], Emitted::default());
    let instructions = EngineConfig::default().instructions;
    let started = Instant::now();
    for _ in 0..STEPS {
        spikes.clear();
        neurons.step(Drive { inputs: &inputs, current: &current, instructions }, &mut spikes);
    }
    let nanoseconds = started.elapsed().as_secs_f64() * 1e9;
    nanoseconds / f64::from(STEPS) / size.max(1) as f64 * population.neurons.size as f64
}

/// Time of a step of all Poisson input (ns), from a part of the neurons that it reaches.
fn drives_step_ns(network: &ValidNetwork) -> f64 {
    let drives = network.stimuli().values().filter_map(|stimulus| match stimulus {
        ValidStimulus::Drive { population, drive } => Some((*population, drive)),
        _ => None,
    });
    let of = |(population, drive): (usize, &Arc<PoissonLaw>)| {
        let size = network.populations()[population].size();
        let sample = size.min(SAMPLE as u32);
        let (first, _) = drive.arrivals();
        let (started, mut sum) = (Instant::now(), 0.0);
        for step in (first..).take(STEPS as usize) {
            drive.arrive(network.seed(), step, 0..sample, |_, weight| sum += weight);
        }
        std::hint::black_box(sum);
        let nanoseconds = started.elapsed().as_secs_f64() * 1e9;
        nanoseconds / f64::from(STEPS) / f64::from(sample.max(1)) * f64::from(size)
    };
    drives.map(of).sum()
}

/// Time to draw a synapse (ns), over all projections.
fn draw_ns(network: &ValidNetwork) -> f64 {
    let mut synapses = Row::default();
    let (mut time, mut drawn) = (0.0, 0_usize);
    for projection in network.projections().values() {
        let draw = Draw::new(network, projection);
        let rows = draw.row_count();
        let expected = projection.connectivity.behaviour().expected_synapses(&projection.ends);
        if rows == 0 || expected / u64::from(rows) > LONGEST_ROW {
            continue;
        }
        let started = Instant::now();
        for row in (0..rows).step_by((rows / ROWS).max(1) as usize) {
            draw.row(row, &mut synapses);
            drawn += synapses.partners.len();
            if drawn > ENOUGH {
                break;
            }
        }
        time += started.elapsed().as_secs_f64() * 1e9;
    }
    time / drawn.max(1) as f64
}

impl Prediction {
    /// Why no precision fits; none where one does.
    pub fn refusal(&self) -> Option<String> {
        let least = self.precisions.iter().min_by_key(|one| one.footprint.peak_bytes)?;
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
