//! A phase-coded network whose weights can be moved: scores of a sample, and their derivatives.
//!
//! Derivatives pass straight through the rounding of an open neuron, one whose potential is above zero
//! and not cut. The spikes of a neuron are taken to grow with its potential x, in thresholds of sending
//! at all, as s(x) = x − 1/2 between 1/2 and 3/2, and beyond as 1 + ln(x − 1/2) / 2: a spike more for
//! every doubling, every other time.

use super::super::ChannelCode;
use super::map::MovableMap;
use crate::structure::{Origin, Structure, Unit, UnitKind};

/// Spikes that a doubling of a potential adds, by e.
const GROWTH: f32 = 0.5;

/// One unit.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    kind: UnitKind,
    /// Where values come from, and how.
    pub branches: Vec<(Origin, MovableMap)>,
    /// One a neuron, in activations.
    pub bias: Vec<f32>,
    codes: Vec<Rounding>,
    per_channel: usize,
    /// Inputs of each maximum.
    windows: Vec<Vec<u32>>,
}

/// How a channel rounds.
#[derive(Debug, Clone, Copy)]
struct Rounding {
    code: ChannelCode,
    /// The smallest potential, in levels, that anything is sent for.
    sending: f32,
}

impl Rounding {
    fn new(code: ChannelCode) -> Self {
        // 2^p is sent for v once (v − 2^p)² + c < v².
        let of_power = |power: u32| {
            let number = f64::from(1_u32 << power);
            (number + code.cost / number) / 2.0
        };
        let powers = (0..u32::BITS - code.largest.leading_zeros()).map(of_power);
        let sending = powers.fold(f64::INFINITY, f64::min) as f32;
        Rounding { code, sending }
    }

    /// Derivative of the spikes that are taken to be sent, by a potential in levels.
    fn spikes_slope(self, potential: f32) -> f32 {
        let thresholds = potential / self.sending;
        let slope = match thresholds {
            t if t <= 0.5 => 0.0,
            t if t < 1.5 => 1.0,
            t => GROWTH / (t - 0.5),
        };
        slope / self.sending
    }
}

/// What a sample does.
pub(super) struct Shown {
    /// `[unit][neuron]`: potentials before rounding, in activations.
    potentials: Vec<Vec<f32>>,
    /// `[unit][neuron]`: what is sent, in activations; of the last unit the scores.
    pub sent: Vec<Vec<f32>>,
}

/// Derivatives by all weights and by the biases of channels.
#[derive(Debug, Clone)]
pub(super) struct Slopes {
    /// `[unit][branch][weight]`, empty where weights stay.
    pub weights: Vec<Vec<Vec<f32>>>,
    /// `[unit][channel]`.
    pub bias: Vec<Vec<f32>>,
}

/// The network.
#[derive(Debug, Clone)]
pub(super) struct Network {
    /// One a unit.
    pub layers: Vec<Layer>,
}

impl Network {
    /// A network with these units and codes.
    pub fn new(structure: &Structure, codes: &[Vec<ChannelCode>]) -> Self {
        let layers = structure.units.iter().zip(codes).map(|(unit, codes)| Layer::new(unit, codes));
        Network { layers: layers.collect() }
    }

    /// Derivatives that are all zero.
    pub fn no_slopes(&self) -> Slopes {
        let weights = |layer: &Layer| -> Vec<Vec<f32>> {
            let of = |map: &MovableMap| vec![0.0; if map.moves() { map.weights.len() } else { 0 }];
            layer.branches.iter().map(|(_, map)| of(map)).collect()
        };
        Slopes {
            weights: self.layers.iter().map(weights).collect(),
            bias: self.layers.iter().map(|layer| vec![0.0; layer.channels()]).collect(),
        }
    }

    /// Shows a sample.
    pub fn show(&self, sample: &[f32]) -> Shown {
        let mut shown = Shown { potentials: Vec::new(), sent: Vec::new() };
        for layer in &self.layers {
            let potentials = layer.potentials(sample, &shown.sent);
            shown.sent.push(layer.sent(&potentials));
            shown.potentials.push(potentials);
        }
        shown
    }

    /// Adds derivatives of an error with these slopes by the scores, plus `price` for each spike.
    pub fn walk_back(
        &self,
        sample: &[f32],
        shown: &Shown,
        scores: Vec<f32>,
        price: f32,
        sums: &mut Slopes,
    ) {
        // Of what is sent; and how often each neuron's number is sent, by itself and by maxima.
        let zeros = |value: f32| shown.sent.iter().map(|sent| vec![value; sent.len()]).collect();
        let (mut slopes, mut times): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (zeros(0.0), zeros(1.0));
        if let Some(last) = slopes.last_mut() {
            *last = scores;
        }
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let mut own = std::mem::take(&mut slopes[index]);
            if layer.kind == UnitKind::MaxPool {
                let Some((Origin::Unit(source), _)) = layer.branches.first() else { continue };
                for (place, window) in layer.windows.iter().enumerate() {
                    let sent = |input: u32| shown.sent[*source][input as usize];
                    let larger = |most: u32, &input: &u32| match sent(input) > sent(most) {
                        true => input,
                        false => most,
                    };
                    let Some(&first) = window.first() else { continue };
                    let most = window.iter().fold(first, larger) as usize;
                    slopes[*source][most] += own[place];
                    times[*source][most] += times[index][place];
                }
                continue;
            }
            layer.through_rounding(&shown.potentials[index], &times[index], price, &mut own);
            for (sum, own) in sums.bias[index].iter_mut().zip(own.chunks(layer.per_channel)) {
                *sum += own.iter().sum::<f32>();
            }
            for ((origin, map), weights) in layer.branches.iter().zip(&mut sums.weights[index]) {
                match *origin {
                    Origin::Input => map.walk_back(sample, &own, None, weights),
                    Origin::Unit(source) => {
                        let open = self.layers[source].open(&shown.potentials[source]);
                        let sources = Some((&open[..], &mut slopes[source][..]));
                        map.walk_back(&shown.sent[source], &own, sources, weights);
                    }
                }
            }
        }
    }
}

impl Layer {
    fn new(unit: &Unit, codes: &[ChannelCode]) -> Self {
        let mut windows = Vec::new();
        if unit.kind == UnitKind::MaxPool {
            windows = vec![Vec::new(); unit.shape.size()];
            for branch in &unit.branches {
                for source in 0..branch.map.sources() {
                    let visit = |target: usize, _| windows[target].push(source as u32);
                    branch.map.for_each_target(source, visit);
                }
            }
        }
        let branches = unit.branches.iter();
        Layer {
            kind: unit.kind,
            branches: branches.map(|own| (own.origin, MovableMap::new(&own.map))).collect(),
            bias: unit.bias.iter().map(|&bias| bias as f32).collect(),
            codes: codes.iter().map(|&code| Rounding::new(code)).collect(),
            per_channel: unit.shape.per_channel().max(1),
            windows,
        }
    }

    /// Whether it has weights and biases of its own.
    pub fn moves(&self) -> bool {
        self.kind != UnitKind::MaxPool
    }

    fn channels(&self) -> usize {
        self.bias.len().div_ceil(self.per_channel)
    }

    /// Adds to the bias of each channel.
    pub fn add_bias(&mut self, channel: usize, more: f32) {
        let own = channel * self.per_channel..(channel + 1) * self.per_channel;
        if let Some(own) = self.bias.get_mut(own) {
            own.iter_mut().for_each(|bias| *bias += more);
        }
    }

    fn potentials(&self, sample: &[f32], sent: &[Vec<f32>]) -> Vec<f32> {
        let values = |origin: Origin| match origin {
            Origin::Input => sample,
            Origin::Unit(source) => &sent[source],
        };
        if self.kind == UnitKind::MaxPool {
            let source = self.branches.first().map_or(sample, |(origin, _)| values(*origin));
            let largest = |window: &Vec<u32>| {
                window.iter().fold(0.0_f32, |most, &input| most.max(source[input as usize]))
            };
            return self.windows.iter().map(largest).collect();
        }
        let mut potentials = self.bias.clone();
        self.branches.iter().for_each(|(origin, map)| map.apply(values(*origin), &mut potentials));
        potentials
    }

    fn sent(&self, potentials: &[f32]) -> Vec<f32> {
        let UnitKind::Rectifier { .. } = self.kind else { return potentials.to_vec() };
        let send = |(neuron, &potential): (usize, &f32)| {
            if potential <= 0.0 {
                return 0.0;
            }
            let code = self.codes[neuron / self.per_channel].code;
            (f64::from(code.number(f64::from(potential) / code.level)) * code.level) as f32
        };
        potentials.iter().enumerate().map(send).collect()
    }

    /// Neurons whose potentials matter.
    fn open(&self, potentials: &[f32]) -> Vec<bool> {
        let is_open = |(neuron, &potential): (usize, &f32)| match self.kind {
            UnitKind::Rectifier { .. } => {
                let code = self.codes[neuron / self.per_channel].code;
                potential > 0.0
                    && f64::from(potential) < code.level * (f64::from(code.largest) + 0.5)
            }
            _ => true,
        };
        potentials.iter().enumerate().map(is_open).collect()
    }

    /// Makes derivatives by what is sent those by potentials, with those of spikes.
    fn through_rounding(&self, potentials: &[f32], times: &[f32], price: f32, slopes: &mut [f32]) {
        let UnitKind::Rectifier { .. } = self.kind else { return };
        let open = self.open(potentials);
        for (neuron, slope) in slopes.iter_mut().enumerate() {
            let rounding = self.codes[neuron / self.per_channel];
            let level = rounding.code.level as f32;
            let spikes = match potentials[neuron] > 0.0 {
                true => rounding.spikes_slope(potentials[neuron] / level) / level,
                false => 0.0,
            };
            *slope = if open[neuron] { *slope } else { 0.0 } + price * times[neuron] * spikes;
        }
    }
}
