//! Images through a converted network at T = 32, images in parallel: the demo's digits, or a network
//! and samples of the user's.

use super::{BenchConfig, BenchModel, BenchReport, Workload, machine};
use crate::conversion::{ConvertConfig, convert, samples_for};
use crate::data::{Samples, Scaling};
use crate::error::Error;
use crate::memory;
use crate::model_io::npz::{self, NpzLimits};
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::engine::Instructions;
use crate::snn_convert::coding::InputCode;
use crate::snn_convert::convert::Convertible;
use crate::snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun};
use crate::snn_convert::lower::Conversion;
use crate::snn_convert::method::{METHODS, MethodConfig};
use crate::snn_convert::source::onnx;
use crate::snn_convert::threshold::RULES;
use indexmap::IndexMap;
use std::time::Instant;

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "inference",
    summary: "500 handwritten digits through the demo's converted network (or --model), T = 32",
    run,
};

const MODEL: &[u8] = include_bytes!("../../examples/data/digits/digits_cnn.onnx");
const DATA: &[u8] = include_bytes!("../../examples/data/digits/digits.npz");
/// Pixels are whole numbers from 0 to 16.
const SCALING: Scaling = Scaling { divisor: Some(16.0) };
/// Steps of the network.
const STEPS: u32 = 32;
/// More images than this are not held in memory.
const MOST_IMAGES: f64 = 100_000.0;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    if config.simulate.is_some() {
        let message = "inference always takes 32 steps an image; leave --simulate out".to_string();
        return Err(Error::Usage(message));
    }
    let started = Instant::now();
    let (conversion, test) = match &config.model {
        Some(model) => user_network(model)?,
        None => own_network()?,
    };
    let test = repeated(&test, config.scale)?;
    let compile = memory::available();
    let fidelity = FidelityConfig { steps: vec![STEPS], seed: config.seed, compile };
    let presenter = Presenter::counting(&conversion, fidelity.clone())?;
    let build_s = started.elapsed().as_secs_f64();

    let samples: Vec<&[f32]> = test.iter().collect();
    progress.begin("images", samples.len() as u64);
    let (started, cpu) = (Instant::now(), machine::processor_seconds());
    let runs = presenter.show(&samples, engine("clock")?.start, &|| progress.advance());
    let sim_s = started.elapsed().as_secs_f64();
    let cpu_s = machine::processor_seconds().zip(cpu).map(|(after, before)| after - before);
    progress.end();
    let runs = runs?;
    // Once more, untimed, with every spike recorded for the digest.
    let recording = Presenter::new(&conversion, fidelity)?;
    let recorded = recording.show(&samples, engine("clock")?.start, &|| {})?;

    let network = presenter.compiled().network();
    let connectome = presenter.compiled().connectome();
    let (n_synapses, n_neurons) = (connectome.synapse_count(), connectome.neuron_count());
    let operations: u64 = runs.iter().flat_map(|run| run.synaptic_operations.last()).sum();
    let images = samples.len().max(1) as f64;
    let steps = f64::from(STEPS + conversion.latency());
    let simulated_ms = images * steps * network.grid().dt();
    let mut rates_hz = IndexMap::new();
    let mut spikes = 0;
    for (index, (name, population)) in network.populations().iter().enumerate() {
        let own: u64 = runs.iter().flat_map(|run| run.population_spikes.get(index)).sum();
        let neurons = f64::from(population.size().max(1));
        rates_hz.insert(name.clone(), 1000.0 * own as f64 / neurons / simulated_ms);
        spikes += own;
    }
    Ok(BenchReport {
        workload: WORKLOAD.name,
        scale: config.scale,
        threads: config.threads,
        seed: config.seed,
        simulated_ms: Some(simulated_ms),
        build_s,
        sim_s,
        cpu_s,
        rtf: Some(1000.0 * sim_s / simulated_ms),
        peak_rss_mb: machine::peak_resident_megabytes(),
        bytes_per_synapse: Some(connectome.bytes() as f64 / n_synapses.max(1) as f64),
        n_neurons: n_neurons.into(),
        n_synapses,
        mean_rate_hz: Some(1000.0 * spikes as f64 / f64::from(n_neurons.max(1)) / simulated_ms),
        rates_hz,
        warm_up_ms: None,
        interval_cv: IndexMap::new(),
        correlation: IndexMap::new(),
        synaptic_events_per_s: operations as f64 / sim_s,
        ns_per_neuron_step: Some(1e9 * sim_s / images / steps / f64::from(n_neurons.max(1))),
        milliseconds_per_image: Some(1000.0 * sim_s / images),
        spike_hash: format!("{:016x}", digest(&recorded)),
        instructions: Instructions::widest().name(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// The demo's network and its test images.
fn own_network() -> Result<(Conversion, Samples), Error> {
    let all = Samples::from_npz(DATA, SCALING)?;
    let mut arrays = npz::read_npz(DATA, NpzLimits::default())?;
    let mut part = |name: &str| -> Result<Samples, Error> {
        let positions = npz::take(&mut arrays, name)?.values.to_i64().unwrap_or_default();
        Ok(all.select(positions.into_iter().filter_map(|p| usize::try_from(p).ok())))
    };
    let (calibration, test) = (part("calib_idx")?, part("test_idx")?);
    let graph = onnx::read(MODEL)?;
    let convertible = Convertible::new("digits_cnn", &graph, &calibration.values)?;
    let code = InputCode::ConstantCurrent;
    let method = MethodConfig::new(RULES[0], code, STEPS);
    Ok((convertible.convert(METHODS[0], &method)?, test))
}

/// A network of the user's, calibrated on the samples that it is shown: what is measured is time.
fn user_network(model: &BenchModel) -> Result<(Conversion, Samples), Error> {
    let calibrate = Some(model.data.clone());
    let config = ConvertConfig { calibrate, steps: STEPS, ..ConvertConfig::default() };
    let converted = convert(&model.path, &config)?;
    let samples = samples_for(&converted.graph, &model.data, None, &config.preparation)?;
    Ok((converted.conversion, samples))
}

/// `scale` times as many samples; they repeat where more are wanted than there are.
fn repeated(test: &Samples, scale: f64) -> Result<Samples, Error> {
    let wanted = (test.len() as f64 * scale).round();
    if !(1.0..=MOST_IMAGES).contains(&wanted) {
        let message =
            format!("--scale {scale} gives {wanted} images; 1 to {MOST_IMAGES} can be shown");
        return Err(Error::Usage(message));
    }
    let positions = (0..wanted as usize).map(|index| index % test.len().max(1));
    Ok(test.select(positions))
}

/// One digest of all images' digests.
fn digest(runs: &[SampleRun]) -> u64 {
    runs.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, run| (hash ^ run.digest).wrapping_mul(0x0100_0000_01b3))
}
