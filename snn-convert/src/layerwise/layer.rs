//! One layer over all steps of one sample.

use super::{Delivery, LayerSpike, Train};
use crate::linear::{ChannelScale, LinearMap, PreparedMap};
use crate::lower::{NeuronForm, UnitScale};
use crate::structure::{Origin, Unit, UnitKind};
use sim_core::neuron::burst_integrate_and_fire::{Answer, NO_LIMIT};
use sim_core::neuron::exact;
use sim_core::neuron::max_pool_graded::PoolRule;

/// A layer: what arrives, and how its neurons answer.
#[derive(Debug, Clone)]
pub struct Layer {
    kind: UnitKind,
    size: usize,
    deliveries: Vec<(usize, Delivery)>,
    /// Maps of the sample that act as a constant current.
    maps: Vec<PreparedMap>,
    bias: Vec<f64>,
    initial: Vec<f64>,
    /// One answer a channel.
    answers: Vec<Answer>,
    per_channel: usize,
    pool: Option<Pool>,
}

/// The windows of a maximum.
#[derive(Debug, Clone)]
struct Pool {
    source: usize,
    source_size: usize,
    windows: Vec<Vec<u32>>,
    rule: PoolRule,
}

/// What a layer does on one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerRun {
    /// Its spikes.
    pub train: Train,
    /// Net spike count of every neuron.
    pub counts: Vec<i32>,
    /// Potentials of a read-out after each of the steps asked for; else empty.
    pub scores: Vec<Vec<f64>>,
}

/// What arrives at a layer's neurons and what they sent, up to some step.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Sum of each neuron's input, in thresholds.
    pub arrived: Vec<f64>,
    /// Net spike count of each neuron.
    pub counts: Vec<i32>,
}

impl Layer {
    /// A unit with its scale; `scales` are those of the units before it.
    pub fn new(unit: &Unit, scale: &UnitScale, scales: &[UnitScale], form: NeuronForm) -> Self {
        let mut layer = Layer {
            kind: unit.kind,
            size: unit.shape.size(),
            deliveries: Vec::new(),
            maps: Vec::new(),
            bias: scale.biases(scale.bias.as_ref().unwrap_or(&unit.bias)),
            initial: scale.initials(unit, form),
            answers: answers(unit, scale, form),
            per_channel: unit.shape.per_channel().max(1),
            pool: None,
        };
        for branch in &unit.branches {
            match (branch.origin, unit.kind) {
                (Origin::Unit(source), UnitKind::MaxPool) => {
                    let rule = form.graded.map_or(PoolRule::Difference, |graded| graded.pool);
                    layer.pool = Some(Pool::new(source, &branch.map, rule));
                }
                (Origin::Unit(source), _) => {
                    let map = scale.weights(&branch.map, &scales[source].output);
                    layer.deliveries.push((source, Delivery::new(&map)));
                }
                (Origin::Input, _) => {
                    let map = scale.weights(&branch.map, &ChannelScale::one());
                    layer.maps.push(PreparedMap::new(&map));
                }
            }
        }
        layer
    }

    /// Replaces the initial potentials.
    pub fn set_initial(&mut self, initial: &[f64]) {
        self.initial = initial.to_vec();
    }

    /// Replaces the bias, in thresholds.
    pub fn set_bias(&mut self, bias: &[f64]) {
        self.bias = bias.to_vec();
    }

    /// The constant current of a sample.
    pub fn current(&self, sample: &[f64]) -> Vec<f64> {
        let mut current = self.bias.clone();
        self.maps.iter().for_each(|map| map.apply(sample, &mut current));
        current.iter_mut().for_each(|value| *value = exact::round(*value));
        current
    }

    /// Runs the layer as far as the last of `steps`; `train_of` gives the spikes of a source unit.
    pub fn run<'a>(
        &self,
        current: &[f64],
        train_of: impl Fn(usize) -> Option<&'a Train>,
        steps: &[u32],
    ) -> LayerRun {
        self.run_watched(current, train_of, steps, |_, _| {})
    }

    /// What has arrived and what was sent after so many steps; nothing of either for a maximum.
    pub fn reached<'a>(
        &self,
        current: &[f64],
        train_of: impl Fn(usize) -> Option<&'a Train>,
        steps: u32,
    ) -> Reached {
        let mut reached = Reached { arrived: Vec::new(), counts: Vec::new() };
        self.run_watched(current, train_of, &[steps], |potential, counts| {
            let neurons = potential.iter().zip(counts).zip(&self.initial);
            let arrived = neurons.map(|((v, &count), start)| v + f64::from(count) - start);
            reached = Reached { arrived: arrived.collect(), counts: counts.to_vec() };
        });
        reached
    }

    /// Runs the layer; `watch` sees potentials and net counts after each of `steps`.
    fn run_watched<'a>(
        &self,
        current: &[f64],
        train_of: impl Fn(usize) -> Option<&'a Train>,
        steps: &[u32],
        mut watch: impl FnMut(&[f64], &[i32]),
    ) -> LayerRun {
        let last = steps.last().copied().unwrap_or(0);
        if let Some(pool) = &self.pool {
            return pool.run(train_of(pool.source), last);
        }
        let initial = self.initial.iter().map(|&value| exact::round(value));
        let mut potential: Vec<f64> = initial.collect();
        let mut counts = vec![0_i32; self.size];
        let mut sums: Vec<Vec<f64>> =
            self.deliveries.iter().map(|(_, delivery)| vec![0.0; delivery.targets()]).collect();
        let mut input = vec![0.0; self.size];
        let mut run = LayerRun { train: Vec::new(), counts: Vec::new(), scores: Vec::new() };
        for step in 0..last {
            input.copy_from_slice(current);
            for ((source, delivery), sums) in self.deliveries.iter().zip(&mut sums) {
                let spikes = train_of(*source).and_then(|train| train.get(step as usize));
                let Some(spikes) = spikes.filter(|spikes| !spikes.is_empty()) else { continue };
                delivery.deliver(spikes, sums);
                delivery.collect(sums, &mut input);
            }
            potential.iter_mut().zip(&input).for_each(|(v, input)| *v += input);
            let asked = steps.contains(&(step + 1));
            if self.kind == UnitKind::Readout {
                if asked {
                    run.scores.push(potential.clone());
                }
                run.train.push(Vec::new());
            } else {
                run.train.push(self.spikes(&mut potential, &mut counts, step + 1));
            }
            if asked {
                watch(&potential, &counts);
            }
        }
        run.counts = counts;
        run
    }

    /// Lets neurons spike, channel by channel.
    fn spikes(&self, potential: &mut [f64], counts: &mut [i32], step: u32) -> Vec<LayerSpike> {
        let mut spikes = Vec::new();
        let channels =
            potential.chunks_mut(self.per_channel).zip(counts.chunks_mut(self.per_channel));
        for (channel, ((potential, counts), answer)) in channels.zip(&self.answers).enumerate() {
            let first = channel * self.per_channel;
            let silent = -answer.tolerance..answer.threshold;
            for (place, (v, count)) in potential.iter_mut().zip(counts).enumerate() {
                if silent.contains(v) {
                    continue;
                }
                let payload = answer.payload(*v, f64::from(*count), u64::from(step));
                if payload != 0 {
                    *v -= answer.threshold * f64::from(payload);
                    *count += payload;
                    spikes.push(LayerSpike { neuron: (first + place) as u32, payload });
                }
            }
        }
        spikes
    }
}

/// How the neurons of each channel answer; thresholds are 1.
fn answers(unit: &Unit, scale: &UnitScale, form: NeuronForm) -> Vec<Answer> {
    let (burst, correction, tolerance) = form
        .graded
        .map_or((1, 0, 0.0), |graded| (graded.burst, graded.correction, graded.tolerance));
    let rates = scale.largest_rates(unit);
    let answer = |channel: usize| Answer {
        threshold: 1.0,
        burst: f64::from(burst),
        correction: f64::from(correction),
        tolerance: exact::round(tolerance),
        largest_rate: rates.as_ref().map_or(NO_LIMIT, |rates| rates[channel]),
        onset: 0,
    };
    (0..unit.shape.channels()).map(answer).collect()
}

impl Pool {
    fn new(source: usize, map: &LinearMap, rule: PoolRule) -> Self {
        let mut windows = vec![Vec::new(); map.targets()];
        for neuron in 0..map.sources() {
            map.for_each_target(neuron, |target, _| windows[target].push(neuron as u32));
        }
        Pool { source, source_size: map.sources(), windows, rule }
    }

    fn run(&self, train: Option<&Train>, steps: u32) -> LayerRun {
        let mut sums = vec![0_i32; self.source_size];
        let mut payloads = vec![0_i32; self.source_size];
        let mut largest = vec![0_i32; self.windows.len()];
        let mut counts = vec![0_i32; self.windows.len()];
        let mut own = Train::new();
        for step in 0..steps as usize {
            let arrived = train.and_then(|train| train.get(step)).map_or(&[][..], Vec::as_slice);
            for spike in arrived {
                sums[spike.neuron as usize] += spike.payload;
                payloads[spike.neuron as usize] = spike.payload;
            }
            let mut spikes = Vec::new();
            for (target, window) in self.windows.iter().enumerate() {
                // The first of equals, as in the neuron model.
                let best = window.iter().copied().reduce(|best, next| {
                    if sums[next as usize] > sums[best as usize] { next } else { best }
                });
                let Some(best) = best.map(|best| best as usize) else { continue };
                let change = sums[best] - std::mem::replace(&mut largest[target], sums[best]);
                let payload = match self.rule {
                    PoolRule::Difference => change,
                    PoolRule::Gate => payloads[best],
                };
                if payload != 0 {
                    counts[target] += payload;
                    spikes.push(LayerSpike { neuron: target as u32, payload });
                }
            }
            arrived.iter().for_each(|spike| payloads[spike.neuron as usize] = 0);
            own.push(spikes);
        }
        LayerRun { train: own, counts, scores: Vec::new() }
    }
}
