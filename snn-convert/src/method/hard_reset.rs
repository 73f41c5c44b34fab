//! Rate code for chips whose neurons reset to zero and hold one threshold a layer.
//!
//! # Idea
//! A neuron that resets to zero loses what lies above its threshold, so it spikes less often than
//! its activation asks for. Layer by layer, on the spikes that the layers before really send, the
//! method chooses for each channel
//! 1. a bias that makes the mean input equal the trained network's mean pre-activation,
//! 2. a threshold θ from a grid k · M (M: 99.9th percentile of the activation), and
//! 3. a gain g = ⟨a, r⟩ / ⟨r, r⟩ by which the next layer multiplies the rate r,
//!
//! so that the mean squared difference of activation a and g · r is smallest: the gain makes up for
//! what resets lose. Weights are divided by θ, so that one threshold serves the whole layer. The
//! threshold of the last layer is chosen so that the trained network's class leads in spike counts,
//! by the smallest mean of exp(−lead).
//!
//! Weights and biases of a layer are rounded to multiples of its largest weight / 127, the grid of
//! 8-bit chips, **before** its gains are fitted and the next layer is looked at. Rounding errors are
//! thus part of what gains and biases make up for, and the chip's integers compute the same spikes.
//!
//! Everything happens as it will on the chip: input as evenly spaced spikes in T steps, one step a
//! layer, biases in every step from the first (scaled by T over the number of steps run), no
//! initial potential, strict v > θ.
//!
//! # References
//! Li et al. 2021, ICML, "A free lunch from ANN" (layer-wise calibration on actual spikes); Lava's
//! LIF process (reset to zero).

use super::{Method, MethodConfig, MethodError, Prepared};
use crate::ann::{AnnError, Keep, NodeId, map_batch};
use crate::calibrate::percentile;
use crate::coding::{InputCode, deterministic_rate};
use crate::linear::{ChannelScale, LinearMap};
use crate::lower::{Conversion, NeuronForm, Readout, UnitScale, lower};
use crate::structure::{Branch, Origin, Structure, Unit, UnitKind};
use rayon::prelude::*;
use sim_core::network::SpikeCondition;

pub static METHOD: Method = Method {
    name: "hard_reset",
    summary: "rate code with reset to zero, calibrated layer by layer (Loihi, Lava)",
    reference: "Li et al. 2021, ICML (layer-wise calibration on actual spikes)",
    convert,
};

/// Thresholds that are tried, in units of the 99.9th percentile of a channel's activation.
const THRESHOLD_GRID: [f64; 8] = [0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0];
/// Thresholds of the last layer that are tried, in units of the median range of the scores.
const READOUT_GRID: [f64; 10] = [0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8];
/// Bits of a weight with its sign: the largest weight of a layer is 127 steps of its grid.
const WEIGHT_BITS: u32 = 8;
/// A channel's threshold is not below this share of the largest: one weight scale serves the layer.
const SMALLEST_SHARE: f64 = 0.02;

/// Spikes of one layer on one sample: `[step][neuron]`, steps counted from the first.
type Spikes = Vec<Vec<u32>>;

fn convert(prepared: &Prepared<'_>, config: &MethodConfig) -> Result<Conversion, MethodError> {
    check(prepared, config)?;
    let samples = samples(prepared);
    let structure = prepared.structure;
    let readout_depth = structure.units.last().map_or(1, |unit| unit.depth);
    let run = Run { steps: config.steps, total: config.steps + readout_depth };
    let encode = |sample: &&[f32]| run.pad(deterministic_rate::encode(sample, config.steps));
    let input: Vec<Spikes> = samples.par_iter().map(encode).collect();
    let mut scales: Vec<UnitScale> = Vec::new();
    let mut spikes: Vec<Vec<Spikes>> = Vec::new();
    for unit in &structure.units {
        let targets = pre_activations(prepared, unit.operand).map_err(|error| {
            refuse(&unit.name, format!("it does not evaluate on the samples: {error}"))
        })?;
        let mut layer = LayerData { unit, targets, current: Vec::new(), run };
        let arrivals = arrivals(unit, structure, &input, &spikes, &scales);
        let (scale, sent) = match unit.kind {
            UnitKind::Readout => layer.fit_readout(&arrivals),
            _ => layer.fit(&arrivals),
        };
        scales.push(scale);
        spikes.push(sent);
    }
    let form = NeuronForm {
        spike: SpikeCondition::Above,
        soft_reset: false,
        initial: 0.0,
        bias_waits: false,
        readout: Readout::SpikeCount,
        graded: None,
    };
    Ok(lower(prepared.name, structure, &scales, config.code, form))
}

fn refuse(unit: &str, reason: String) -> MethodError {
    MethodError::Unit { method: METHOD.name, unit: unit.to_string(), reason }
}

fn check(prepared: &Prepared<'_>, config: &MethodConfig) -> Result<(), MethodError> {
    if config.code != InputCode::DeterministicRate {
        let (method, needed) = (METHOD.name, "deterministic_rate");
        return Err(MethodError::Code { method, needed });
    }
    let pool = prepared.structure.units.iter().find(|unit| unit.kind == UnitKind::MaxPool);
    match pool {
        Some(unit) => Err(refuse(
            &unit.name,
            "chips of this kind have no maximum over spikes; train with average pooling, or \
             convert with the method `rate`"
                .to_string(),
        )),
        None => Ok(()),
    }
}

fn samples<'a>(prepared: &Prepared<'a>) -> Vec<&'a [f32]> {
    prepared.samples.chunks_exact(prepared.structure.input.size().max(1)).collect()
}

fn pre_activations(prepared: &Prepared<'_>, node: NodeId) -> Result<Vec<Vec<f32>>, AnnError> {
    map_batch(prepared.graph, prepared.samples, Keep::Nodes(&[node]), |_, activations| {
        activations.of(node).map(<[f32]>::to_vec).unwrap_or_default()
    })
}

/// Steps in which the input spikes, and steps that are run in all.
#[derive(Debug, Clone, Copy)]
struct Run {
    steps: u32,
    total: u32,
}

impl Run {
    fn pad(self, mut spikes: Spikes) -> Spikes {
        spikes.resize(self.total as usize, Vec::new());
        spikes
    }
}

/// What a branch of a unit carries.
struct Arrival<'a> {
    map: &'a LinearMap,
    /// Activation that a spike of the source stands for.
    output: ChannelScale,
    /// Spikes of the source on each sample.
    spikes: &'a [Spikes],
    /// Steps between a spike and its arrival.
    delay: usize,
}

fn arrivals<'a>(
    unit: &'a Unit,
    structure: &Structure,
    input: &'a [Spikes],
    spikes: &'a [Vec<Spikes>],
    scales: &[UnitScale],
) -> Vec<Arrival<'a>> {
    let arrival = |branch: &'a Branch| {
        let (output, spikes, depth) = match branch.origin {
            Origin::Input => (ChannelScale::one(), input, 0),
            Origin::Unit(source) => {
                let depth = structure.units[source].depth;
                (scales[source].output.clone(), spikes[source].as_slice(), depth)
            }
        };
        Arrival { map: &branch.map, output, spikes, delay: (unit.depth - depth) as usize }
    };
    unit.branches.iter().map(arrival).collect()
}

/// What reaches a unit's neurons in each step of each sample, bias left out: `[sample][step ·
/// neurons + neuron]`, in activations per step. `maps` are the branches' weights.
fn currents(arrivals: &[Arrival<'_>], maps: &[LinearMap], size: usize, run: Run) -> Vec<Vec<f32>> {
    let samples = arrivals.first().map_or(0, |arrival| arrival.spikes.len());
    (0..samples)
        .into_par_iter()
        .map(|sample| {
            let mut current = vec![0.0_f32; size * run.total as usize];
            for (arrival, map) in arrivals.iter().zip(maps) {
                let steps = current.chunks_exact_mut(size).skip(arrival.delay);
                for (sources, arrived) in arrival.spikes[sample].iter().zip(steps) {
                    for &source in sources {
                        map.for_each_target(source as usize, |target, weight| {
                            arrived[target] += weight as f32;
                        });
                    }
                }
            }
            current
        })
        .collect()
}

/// One unit with what it should compute and what reaches it.
struct LayerData<'a> {
    unit: &'a Unit,
    /// Pre-activations of the trained network `[sample][neuron]`.
    targets: Vec<Vec<f32>>,
    current: Vec<Vec<f32>>,
    run: Run,
}

impl LayerData<'_> {
    fn size(&self) -> usize {
        self.unit.shape.size()
    }

    fn channels(&self) -> usize {
        self.unit.shape.channels()
    }

    fn channel(&self, neuron: usize) -> usize {
        neuron / self.unit.shape.per_channel()
    }

    /// What the trained network makes of a pre-activation.
    fn activation(&self, value: f32) -> f64 {
        match self.unit.kind {
            UnitKind::Rectifier { maximum } => f64::from(value).clamp(0.0, maximum),
            _ => f64::from(value).max(0.0),
        }
    }

    /// The bias per step with the mean input corrected, one a neuron.
    fn corrected_bias(&self) -> Vec<f64> {
        let size = self.size();
        let steps = f64::from(self.run.steps);
        let mut shift = vec![0.0; self.channels()];
        for (target, current) in self.targets.iter().zip(&self.current) {
            for neuron in 0..size {
                let received: f32 = current.iter().skip(neuron).step_by(size).sum();
                let wanted = f64::from(target[neuron]) - self.unit.bias[neuron];
                shift[self.channel(neuron)] += wanted - f64::from(received) / steps;
            }
        }
        let count = (self.targets.len() * self.unit.shape.per_channel()) as f64;
        // The bias acts in all steps that are run, the input only in some of them.
        let share = steps / f64::from(self.run.total);
        let corrected =
            |neuron: usize| (self.unit.bias[neuron] + shift[self.channel(neuron)] / count) * share;
        (0..size).map(corrected).collect()
    }

    /// Spikes of the neurons on one sample with these thresholds (one a channel).
    fn simulate(&self, sample: usize, bias: &[f64], thresholds: &[f64]) -> Spikes {
        let size = self.size();
        let mut potential = vec![0.0_f64; size];
        let step = |current: &[f32]| {
            let mut spikes = Vec::new();
            for neuron in 0..size {
                potential[neuron] += f64::from(current[neuron]) + bias[neuron];
                if potential[neuron] > thresholds[self.channel(neuron)] {
                    potential[neuron] = 0.0;
                    spikes.push(neuron as u32);
                }
            }
            spikes
        };
        self.current[sample].chunks_exact(size).map(step).collect()
    }

    fn counts(&self, sample: usize, bias: &[f64], thresholds: &[f64]) -> Vec<u32> {
        let mut counts = vec![0; self.size()];
        for &neuron in self.simulate(sample, bias, thresholds).iter().flatten() {
            counts[neuron as usize] += 1;
        }
        counts
    }

    /// For each channel the least-squares gain and the mean squared error of gain × rate.
    fn gains(&self, bias: &[f64], thresholds: &[f64]) -> Vec<(f64, f64)> {
        let channels = self.channels();
        let sums: Vec<Vec<[f64; 3]>> = (0..self.targets.len())
            .into_par_iter()
            .map(|sample| {
                let mut sums = vec![[0.0; 3]; channels];
                let counts = self.counts(sample, bias, thresholds);
                for (neuron, count) in counts.into_iter().enumerate() {
                    let rate = f64::from(count) / f64::from(self.run.steps);
                    let wanted = self.activation(self.targets[sample][neuron]);
                    let sums = &mut sums[self.channel(neuron)];
                    sums[0] += wanted * rate;
                    sums[1] += rate * rate;
                    sums[2] += wanted * wanted;
                }
                sums
            })
            .collect();
        let total = |channel: usize, which: usize| -> f64 {
            sums.iter().map(|sample| sample[channel][which]).sum()
        };
        let of = |channel: usize| {
            let (product, square) = (total(channel, 0), total(channel, 1));
            let gain = if square > 0.0 { product / square } else { 0.0 };
            (gain, total(channel, 2) - gain * product)
        };
        (0..channels).map(of).collect()
    }

    /// The 99.9th percentile of each channel's activation, and whether the channel is dead.
    fn ranges(&self) -> (Vec<f64>, Vec<bool>) {
        let per_channel = self.unit.shape.per_channel();
        let (percentiles, maxima): (Vec<f64>, Vec<f64>) = (0..self.channels())
            .map(|channel| {
                let range = channel * per_channel..(channel + 1) * per_channel;
                let all = self.targets.iter().flat_map(|target| &target[range.clone()]);
                let mut values: Vec<f32> =
                    all.map(|&value| self.activation(value) as f32).collect();
                values.sort_unstable_by(f32::total_cmp);
                (percentile(&values, 99.9), percentile(&values, 100.0))
            })
            .unzip();
        let largest = maxima.iter().copied().fold(0.0, f64::max);
        let dead = maxima.iter().map(|&maximum| maximum <= 1e-6 * largest || maximum <= 0.0);
        let floor = SMALLEST_SHARE * percentiles.iter().copied().fold(0.0, f64::max);
        let floor = if floor > 0.0 { floor } else { 1.0 };
        let dead = dead.collect();
        (percentiles.into_iter().map(|p| p.max(floor)).collect(), dead)
    }

    /// Chooses thresholds and gains of a hidden layer; gives its spikes.
    fn fit(&mut self, arrivals: &[Arrival<'_>]) -> (UnitScale, Vec<Spikes>) {
        self.receive(arrivals, None);
        let (thresholds, dead) = self.thresholds();
        let per_channel = self.unit.shape.per_channel();
        let scale = ChannelScale { factors: thresholds.clone(), per_channel };
        let mut scale = UnitScale {
            output: scale.clone(),
            threshold: scale,
            bias: None,
            initial: None,
            dead,
            grid: None,
        };
        self.round(arrivals, &mut scale);
        let bias = self.rounded_bias(&scale);
        let gains = self.gains(&bias, &thresholds).into_iter().zip(&scale.dead);
        scale.output.factors =
            gains.map(|((gain, _), dead)| if *dead { 0.0 } else { gain }).collect();
        let silenced: Vec<f64> = thresholds
            .iter()
            .zip(&scale.dead)
            .map(|(&theta, &dead)| if dead { f64::INFINITY } else { theta })
            .collect();
        let spikes = (0..self.targets.len())
            .into_par_iter()
            .map(|sample| self.simulate(sample, &bias, &silenced))
            .collect();
        scale.bias = Some(bias);
        (scale, spikes)
    }

    /// Chooses the threshold of the last layer.
    fn fit_readout(&mut self, arrivals: &[Arrival<'_>]) -> (UnitScale, Vec<Spikes>) {
        let channels = self.channels();
        let per_channel = self.unit.shape.per_channel();
        let range = self.median_range();
        let equal = |threshold| ChannelScale { factors: vec![threshold; channels], per_channel };
        let scale_for = |threshold| UnitScale {
            output: equal(1.0),
            threshold: equal(threshold),
            bias: None,
            initial: None,
            dead: vec![false; channels],
            grid: None,
        };
        let mut best = (f64::INFINITY, scale_for(range));
        for share in READOUT_GRID {
            let mut scale = scale_for(share * range);
            self.round(arrivals, &mut scale);
            let bias = self.rounded_bias(&scale);
            let losses: Vec<f64> = (0..self.targets.len())
                .into_par_iter()
                .map(|sample| {
                    let counts = self.counts(sample, &bias, &scale.threshold.factors);
                    (-lead(&self.targets[sample], &counts)).exp()
                })
                .collect();
            let loss = losses.iter().sum::<f64>();
            scale.bias = Some(bias);
            if loss < best.0 {
                best = (loss, scale);
            }
        }
        (best.1, Vec::new())
    }

    /// Computes what arrives, with the weights of `scale` or with those of the trained network.
    fn receive(&mut self, arrivals: &[Arrival<'_>], scale: Option<&UnitScale>) {
        let one = ChannelScale::one();
        let weights = |arrival: &Arrival<'_>| match scale {
            Some(scale) => {
                scale.weights(arrival.map, &arrival.output).scaled(&one, &scale.threshold)
            }
            None => arrival.map.scaled(&arrival.output, &one),
        };
        let maps: Vec<LinearMap> = arrivals.iter().map(weights).collect();
        self.current = currents(arrivals, &maps, self.size(), self.run);
    }

    /// Puts the weights on the chip's grid.
    fn round(&mut self, arrivals: &[Arrival<'_>], scale: &mut UnitScale) {
        let largest = arrivals
            .iter()
            .map(|arrival| scale.weights(arrival.map, &arrival.output).largest_weight())
            .fold(0.0, f64::max);
        let steps = f64::from((1_u32 << (WEIGHT_BITS - 1)) - 1);
        scale.grid = (largest > 0.0).then_some(largest / steps);
        self.receive(arrivals, Some(scale));
    }

    /// The corrected bias in activations, on the grid of `scale`.
    fn rounded_bias(&self, scale: &UnitScale) -> Vec<f64> {
        let rounded = scale.biases(&self.corrected_bias());
        rounded.iter().enumerate().map(|(n, bias)| bias * scale.threshold.at(n)).collect()
    }

    /// The threshold of each channel with the smallest error of gain × rate, and the dead channels.
    fn thresholds(&self) -> (Vec<f64>, Vec<bool>) {
        let bias = self.corrected_bias();
        let (ranges, dead) = self.ranges();
        let mut best = vec![(f64::INFINITY, 1.0); self.channels()];
        for share in THRESHOLD_GRID {
            let thresholds: Vec<f64> = ranges.iter().map(|range| share * range).collect();
            for (channel, (_, error)) in self.gains(&bias, &thresholds).into_iter().enumerate() {
                if error < best[channel].0 {
                    best[channel] = (error, thresholds[channel]);
                }
            }
        }
        (best.into_iter().map(|choice| choice.1).collect(), dead)
    }

    /// The median over samples of the distance from the smallest to the largest score.
    fn median_range(&self) -> f64 {
        let range = |scores: &Vec<f32>| {
            let largest = scores.iter().copied().fold(f32::MIN, f32::max);
            largest - scores.iter().copied().fold(f32::MAX, f32::min)
        };
        let mut ranges: Vec<f32> = self.targets.iter().map(range).collect();
        ranges.sort_unstable_by(f32::total_cmp);
        match percentile(&ranges, 50.0) {
            range if range > 0.0 => range,
            _ => 1.0,
        }
    }
}

/// By how many spikes the class with the largest score leads the best other one.
fn lead(scores: &[f32], counts: &[u32]) -> f64 {
    let class = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
    let others = counts.iter().enumerate().filter(|&(index, _)| index != class);
    let best_other = others.map(|(_, &count)| count).max().unwrap_or(0);
    f64::from(counts.get(class).copied().unwrap_or(0)) - f64::from(best_other)
}
