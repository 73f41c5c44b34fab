//! Thresholds and biases that bring the integer network's spike counts to the float network's.
//!
//! Layer by layer from the input on, on calibration samples: a layer that spikes more often than the
//! float network's has its threshold raised in the same proportion; then each channel's bias is
//! shifted by the mean input that its missing or surplus spikes stand for,
//! `(float - fixed) * vth / steps`. Weights stay. A change that brings the counts no nearer is taken
//! back. The idea is bias correction: Nagel et al. 2019, arXiv:1906.04721.

use crate::data::Samples;
use crate::error::Error;
use crate::fixed_point::FixedPointRunner;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::quantise::network::{IntegerValues, QuantisedNetwork};
use crate::memory;
use crate::pipeline::engine;
use crate::sim_core::engine::EngineConfig;
use crate::sim_core::network::Shape;
use crate::snn_convert::fidelity::{FidelityConfig, Presenter};
use crate::snn_convert::lower::Conversion;
use serde::Serialize;

/// Calibration samples that are shown; more would only take longer.
pub const CALIBRATION_IMAGES: usize = 64;
/// Bounds of a threshold mantissa (17 bits) and of a bias mantissa (13 bits with sign).
const THRESHOLD: (f64, f64) = (1.0, 131_071.0);
const BIAS: (f64, f64) = (-4096.0, 4095.0);

/// What calibration did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// Samples that it was done on.
    pub images: usize,
    /// Each computed layer.
    pub layers: Vec<LayerGap>,
}

/// Distance of a layer's spike counts from the float network's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerGap {
    /// Layer.
    pub layer: String,
    /// Mean absolute difference of a channel's spikes a sample, before.
    pub before: f64,
    /// The same afterwards.
    pub after: f64,
    /// What its threshold was multiplied by.
    pub threshold_factor: f64,
    /// Mean absolute change of its biases in mantissas.
    pub bias_change: f64,
}

/// Spikes of each channel of each population, summed over the samples.
type Counts = Vec<Vec<f64>>;

/// Calibrates a network in place.
///
/// # Errors
/// [`Error`] of the engine that fails.
pub(super) fn calibrate(
    conversion: &Conversion,
    network: &mut QuantisedNetwork,
    chip: &ChipSpec,
    samples: &Samples,
    steps: u32,
) -> Result<Calibrated, Error> {
    let samples = samples.first(CALIBRATION_IMAGES);
    let shapes: Vec<Shape> = network.populations.iter().map(|p| p.shape).collect();
    let wanted = in_float(conversion, &samples, &shapes, steps)?;
    let shown = f64::from(steps) * samples.len().max(1) as f64;
    let mut layers = Vec::new();
    for index in 1..network.populations.len() {
        let gap = |counts: &Counts| distance(&counts[index], &wanted[index], samples.len());
        let first = in_integers(network, chip, &samples, steps)?;
        let before = gap(&first);
        let mut best = (before, network.populations[index].parameters.clone());
        let (fired, meant): (f64, f64) = (first[index].iter().sum(), wanted[index].iter().sum());
        let factor = if meant > 0.0 && fired > 0.0 { fired / meant } else { 1.0 };
        scale_thresholds(network, index, factor);
        let second = in_integers(network, chip, &samples, steps)?;
        let mut threshold_factor = 1.0;
        if gap(&second) < best.0 {
            best = (gap(&second), network.populations[index].parameters.clone());
            threshold_factor = factor;
        } else {
            network.populations[index].parameters = best.1.clone();
        }
        let counts = in_integers(network, chip, &samples, steps)?;
        let change = shift_biases(network, index, &counts[index], &wanted[index], shown);
        let third = in_integers(network, chip, &samples, steps)?;
        let mut bias_change = 0.0;
        if gap(&third) < best.0 {
            (best.0, bias_change) = (gap(&third), change);
        } else {
            network.populations[index].parameters = best.1;
        }
        layers.push(LayerGap {
            layer: network.populations[index].name.clone(),
            before,
            after: best.0,
            threshold_factor,
            bias_change,
        });
    }
    Ok(Calibrated { images: samples.len(), layers })
}

/// Mean absolute difference of a channel's spikes a sample.
fn distance(counts: &[f64], wanted: &[f64], samples: usize) -> f64 {
    let sum: f64 = counts.iter().zip(wanted).map(|(a, b)| (a - b).abs()).sum();
    sum / (counts.len().max(1) * samples.max(1)) as f64
}

/// Neurons of a channel: those of a plane of a picture, or one.
fn plane(shape: Shape) -> usize {
    match shape {
        Shape::Picture([_, height, width]) => (height as usize * width as usize).max(1),
        Shape::List(_) => 1,
    }
}

fn channels(shape: Shape) -> usize {
    (shape.size() as usize).div_ceil(plane(shape))
}

fn in_float(
    conversion: &Conversion,
    samples: &Samples,
    shapes: &[Shape],
    steps: u32,
) -> Result<Counts, Error> {
    let fidelity = FidelityConfig { steps: vec![steps], seed: 1, compile: memory::available() };
    let presenter = Presenter::new(conversion, fidelity)?;
    let start = engine("clock")?.start;
    let mut counts: Counts = shapes.iter().map(|&shape| vec![0.0; channels(shape)]).collect();
    for (index, sample) in samples.iter().enumerate() {
        let mut running = start(presenter.compiled().clone(), EngineConfig::default())?;
        presenter.show_one(running.as_mut(), index, sample)?;
        let recording = running.recording();
        for spike in &recording.spikes {
            let own = recording.populations.iter().position(|population| {
                (population.first..population.first + population.size).contains(&spike.neuron)
            });
            let Some(own) = own else { continue };
            let neuron = (spike.neuron - recording.populations[own].first) as usize;
            let channel = shapes.get(own).map_or(0, |&shape| neuron / plane(shape));
            if let Some(count) = counts.get_mut(own).and_then(|list| list.get_mut(channel)) {
                *count += 1.0;
            }
        }
    }
    Ok(counts)
}

fn in_integers(
    network: &QuantisedNetwork,
    chip: &ChipSpec,
    samples: &Samples,
    steps: u32,
) -> Result<Counts, Error> {
    let runner = FixedPointRunner::new(network, chip, steps)?;
    let mut counts: Counts =
        network.populations.iter().map(|p| vec![0.0; channels(p.shape)]).collect();
    for sample in samples.iter() {
        let recording = runner.record(sample)?;
        for ((train, list), population) in
            recording.spikes.iter().zip(&mut counts).zip(&network.populations)
        {
            let neurons = train.counts(population.shape.size() as usize);
            for (own, count) in neurons.chunks(plane(population.shape)).zip(list) {
                *count += own.iter().map(|&spikes| f64::from(spikes)).sum::<f64>();
            }
        }
    }
    Ok(counts)
}

fn scale_thresholds(network: &mut QuantisedNetwork, index: usize, factor: f64) {
    let Some(values) = network.populations[index].parameters.get_mut("vth") else { return };
    let scaled = |vth: i64| (vth as f64 * factor).round().clamp(THRESHOLD.0, THRESHOLD.1) as i64;
    *values = match values {
        IntegerValues::One(vth) => IntegerValues::One(scaled(*vth)),
        IntegerValues::PerNeuron(each) => {
            IntegerValues::PerNeuron(each.iter().map(|&vth| scaled(vth)).collect())
        }
    };
}

/// Shifts the biases of a layer's channels; the mean absolute change.
fn shift_biases(
    network: &mut QuantisedNetwork,
    index: usize,
    counts: &[f64],
    wanted: &[f64],
    shown: f64,
) -> f64 {
    let population = &mut network.populations[index];
    let (size, plane) = (population.shape.size() as usize, plane(population.shape));
    let each = |values: Option<&IntegerValues>| match values {
        Some(IntegerValues::One(value)) => vec![*value; size],
        Some(IntegerValues::PerNeuron(values)) => values.clone(),
        None => vec![0; size],
    };
    let thresholds = each(population.parameters.get("vth"));
    let before = each(population.parameters.get("bias_mant"));
    let shifted = before.iter().enumerate().map(|(neuron, &bias)| {
        let channel = neuron / plane;
        let missing = wanted.get(channel).zip(counts.get(channel)).map_or(0.0, |(w, c)| w - c);
        let vth = thresholds.get(neuron).copied().unwrap_or_default() as f64;
        let shift = missing / plane as f64 * vth / shown.max(1.0);
        (bias as f64 + shift).round().clamp(BIAS.0, BIAS.1) as i64
    });
    let shifted: Vec<i64> = shifted.collect();
    let change: i64 = shifted.iter().zip(&before).map(|(a, b)| (a - b).abs()).sum();
    population.parameters.insert("bias_mant".to_string(), IntegerValues::PerNeuron(shifted));
    change as f64 / size.max(1) as f64
}
