//! One population with everything that reaches it: whole, or each of its channels with a scale.

use serde::{Deserialize, Serialize};
use sim_core::network::{Connectivity, Shape, ValidNetwork, ValidPopulation, ValidProjection};

use super::float_to_fixed::{FixedLayer, FloatLayer, LayerError, quantise_layer};
use super::from_network::{QuantiseConfig, QuantiseError, not_on_chip};
use super::grid::{WeightForm, WeightGrid};
use super::network::IntegerValues;
use super::neurons::{ChipNeurons, Decay, LARGEST_THRESHOLD, currents, decay};
use super::synapses::{Form, Synapses, synapses};

/// What has a scale of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// The population: its neurons share a threshold.
    #[default]
    Layer,
    /// Each channel of a picture that convolutions reach, each neuron otherwise. Thresholds then
    /// differ within the population, as its scales do.
    Channel,
}

/// A population in integers.
pub(super) struct IntegerLayer<'a> {
    pub(super) vth: IntegerValues,
    pub(super) bias: Vec<i64>,
    /// `du` and `dv`.
    pub(super) decays: [i64; 2],
    /// Incoming projections with their written weights.
    pub(super) projections: Vec<Written<'a>>,
    pub(super) error: LayerError,
}

/// A table of an incoming projection with its weights before netx and Lava code them.
pub(super) struct Written<'a> {
    /// The projection's name; further tables of it have a number besides.
    pub(super) name: String,
    pub(super) projection: &'a ValidProjection,
    pub(super) form: Form,
    pub(super) weights: Vec<i32>,
    /// In steps: one for all, or one each.
    pub(super) delays: Vec<u32>,
}

/// A table of an incoming projection with its real weights.
struct Incoming<'a> {
    name: String,
    projection: &'a ValidProjection,
    synapses: Synapses,
    /// Channel of each weight's target.
    channels: Vec<usize>,
}

pub(super) fn quantise_population<'a>(
    network: &'a ValidNetwork,
    (index, name, population): (usize, &'a str, &'a ValidPopulation),
    neurons: &ChipNeurons,
    config: &QuantiseConfig,
) -> Result<IntegerLayer<'a>, QuantiseError> {
    let channel_of = channels(network, index, population, config.granularity);
    let mut incoming = Vec::new();
    for (projection_name, projection) in network.projections() {
        if projection.target == index {
            incoming.extend(read(network, projection_name, projection, neurons, &channel_of)?);
        }
    }
    let current = currents(network, index)?;
    let bias: Vec<f64> = current.iter().map(|value| value * neurons.current_gain).collect();
    let convolves = incoming.iter().any(|table| matches!(table.synapses.form, Form::Kernel(_)));
    let form = if convolves { WeightForm::EightBits } else { WeightForm::EvenNineBits };
    let layer = Layer {
        name,
        incoming: &incoming,
        bias: &bias,
        threshold: &neurons.threshold,
        channel_of: &channel_of,
        grid: WeightGrid { form, bits: config.weight_bits },
        neurons,
        config,
    };
    let count = channel_of.iter().max().map_or(1, |last| last + 1);
    let channels =
        (0..count).map(|channel| layer.channel(channel)).collect::<Result<Vec<_>, _>>()?;
    let mut written: Vec<Vec<i32>> =
        incoming.iter().map(|i| vec![0; i.synapses.weights.len()]).collect();
    let (mut thresholds, mut biases) = (vec![0; channel_of.len()], vec![0; channel_of.len()]);
    for (channel, fixed) in channels.iter().enumerate() {
        let mut weights = fixed.weights.iter();
        for (incoming, written) in incoming.iter().zip(&mut written) {
            let own = incoming.channels.iter().zip(written).filter(|(own, _)| **own == channel);
            own.zip(&mut weights).for_each(|((_, slot), weight)| *slot = *weight);
        }
        let own = channel_of.iter().enumerate().filter(|(_, own)| **own == channel);
        for ((neuron, _), bias) in own.zip(&fixed.bias_mant) {
            (thresholds[neuron], biases[neuron]) = (fixed.vth, *bias);
        }
    }
    let mut error =
        merged(name, &channels, incoming.iter().map(|i| i.synapses.weights.len()).sum());
    let mut decays = [4095, 0];
    if let Some(steps) = neurons.membrane_steps {
        let Decay { parts, error: off } = decay(steps);
        (decays[1], error.decay_error) = (parts, off);
    }
    if let Some(steps) = neurons.current_steps {
        let Decay { parts, error: off } = decay(steps);
        (decays[0], error.current_decay_error) = (parts - 1, off);
    }
    let projections = incoming.into_iter().zip(written).map(|(incoming, weights)| Written {
        name: incoming.name,
        projection: incoming.projection,
        form: incoming.synapses.form,
        weights,
        delays: incoming.synapses.delays,
    });
    if neurons.readout {
        thresholds.fill(LARGEST_THRESHOLD);
        error.threshold_error = 0.0;
    }
    let first = thresholds.first().copied().unwrap_or_default();
    let vth = match thresholds.iter().all(|&other| other == first) {
        true => IntegerValues::One(first),
        false => IntegerValues::PerNeuron(thresholds),
    };
    Ok(IntegerLayer { vth, bias: biases, decays, projections: projections.collect(), error })
}

/// The channel of each neuron.
fn channels(
    network: &ValidNetwork,
    index: usize,
    population: &ValidPopulation,
    granularity: Granularity,
) -> Vec<usize> {
    let size = population.neurons.size;
    if granularity == Granularity::Layer {
        return vec![0; size];
    }
    let mut incoming = network.projections().values().filter(|p| p.target == index);
    let convolved = incoming.any(|p| matches!(p.connectivity, Connectivity::Convolution(_)));
    match population.shape {
        Shape::Picture([channels, ..]) if convolved => {
            let plane = (size / (channels as usize).max(1)).max(1);
            (0..size).map(|neuron| neuron / plane).collect()
        }
        _ => (0..size).collect(),
    }
}

fn read<'a>(
    network: &'a ValidNetwork,
    name: &str,
    projection: &'a ValidProjection,
    neurons: &ChipNeurons,
    channel_of: &[usize],
) -> Result<Vec<Incoming<'a>>, QuantiseError> {
    let (targets, sources) = (projection.ends.targets as usize, projection.ends.sources as usize);
    let tables = (1..).zip(synapses(network, name, projection)?);
    let incoming = tables.map(|(number, mut synapses)| {
        synapses.weights.iter_mut().for_each(|weight| *weight *= neurons.weight_gain);
        let target = |weight: usize| match &synapses.form {
            Form::Kernel(geometry) => {
                let [outs, rest @ ..] = geometry.weight_shape().map(|n| n as usize);
                let (filter, plane) = (rest.iter().product::<usize>(), targets / outs.max(1));
                weight / filter.max(1) * plane
            }
            Form::Matrix => weight / sources.max(1),
            Form::List { targets, .. } => targets.get(weight).map_or(0, |&target| target as usize),
        };
        let channel = |weight| channel_of.get(target(weight)).copied().unwrap_or(0);
        let channels = (0..synapses.weights.len()).map(channel).collect();
        let name = match number {
            1 => name.to_owned(),
            _ => format!("{name} ({number})"),
        };
        Incoming { name, projection, synapses, channels }
    });
    Ok(incoming.collect())
}

struct Layer<'a> {
    name: &'a str,
    incoming: &'a [Incoming<'a>],
    bias: &'a [f64],
    threshold: &'a [f64],
    channel_of: &'a [usize],
    grid: WeightGrid,
    neurons: &'a ChipNeurons,
    config: &'a QuantiseConfig,
}

impl Layer<'_> {
    /// The weights, bias and threshold of one channel in integers.
    fn channel(&self, channel: usize) -> Result<FixedLayer, QuantiseError> {
        let of = |list: &[f64], channels: &[usize]| -> Vec<f32> {
            let own = list.iter().zip(channels).filter(|(_, own)| **own == channel);
            own.map(|(value, _)| *value as f32).collect()
        };
        let weights = self.incoming.iter().map(|i| of(&i.synapses.weights, &i.channels));
        let weights: Vec<f32> = weights.collect::<Vec<_>>().concat();
        let bias = of(self.bias, self.channel_of);
        let thresholds = of(self.threshold, self.channel_of);
        let largest = weights.iter().chain(&bias).fold(0.0_f32, |largest, w| largest.max(w.abs()));
        let threshold = match thresholds.first() {
            // Only weights set the scale of what has no threshold.
            _ if self.neurons.readout && largest > 0.0 => largest,
            _ if self.neurons.readout => 1.0,
            Some(&first) if thresholds.iter().all(|&theta| theta == first) => first,
            _ => {
                return Err(not_on_chip(
                    format!("populations/{}/parameters/threshold", self.name),
                    "the chip holds one threshold a population, the neurons differ",
                    "divide each neuron's weights and bias by its threshold and set all \
                     thresholds to 1",
                ));
            }
        };
        let layer = FloatLayer {
            name: self.name,
            weights: &weights,
            bias: &bias,
            threshold,
            spike: self.neurons.spike,
            grid: self.grid,
        };
        // What nothing drives has nothing to scale by: its threshold is never passed.
        let silent = weights.iter().all(|&w| w == 0.0) && bias.iter().all(|&b| b <= 0.0);
        let checked = self.config.granularity == Granularity::Channel || weights.is_empty();
        if checked && silent && threshold > 0.0 {
            let (weights, bias_mant) = (vec![0; weights.len()], vec![0; bias.len()]);
            let report = LayerError { scale: 1.0, ..LayerError::default() };
            return Ok(FixedLayer { weights, bias_mant, vth: 1, scale: 1.0, report });
        }
        Ok(quantise_layer(&layer, self.config.scale)?)
    }
}

/// The errors of a layer from those of its channels.
fn merged(name: &str, channels: &[FixedLayer], weights: usize) -> LayerError {
    let reports = || channels.iter().map(|channel| &channel.report);
    let largest = |of: fn(&LayerError) -> f64| reports().map(of).fold(0.0, f64::max);
    let squared: f64 = channels
        .iter()
        .map(|channel| channel.report.weight_error_rms.powi(2) * channel.weights.len() as f64)
        .sum();
    let scales = || reports().map(|report| report.scale);
    let extremes = [scales().fold(f64::INFINITY, f64::min), scales().fold(0.0, f64::max)];
    let threshold = reports().map(|report| report.threshold_error);
    let threshold = threshold.fold(
        0.0,
        |worst: f64, error| {
            if error.abs() > worst.abs() { error } else { worst }
        },
    );
    LayerError {
        layer: name.to_owned(),
        scale: scales().sum::<f64>() / channels.len().max(1) as f64,
        channel_scales: (channels.len() > 1).then_some(extremes),
        weight_bits: reports().map(|report| report.weight_bits).max().unwrap_or_default(),
        weight_error_max: largest(|report| report.weight_error_max),
        weight_error_rms: (squared / weights.max(1) as f64).sqrt(),
        weights_clipped: reports().map(|report| report.weights_clipped).sum(),
        bias_error_max: largest(|report| report.bias_error_max),
        biases_clipped: reports().map(|report| report.biases_clipped).sum(),
        threshold_error: threshold,
        decay_error: 0.0,
        current_decay_error: 0.0,
    }
}
