//! A phase-coded network in plain arithmetic: what it answers, and how many spikes that takes.
//!
//! Numbers are those that the neurons send, but for the rounding of weights to the engines' grid.

use super::ChannelCode;
use crate::linear::{ChannelScale, LinearMap, PreparedMap};
use crate::lower::UnitScale;
use crate::structure::{Origin, Unit, UnitKind};
use sim_core::neuron::phase::spikes_of;

/// One unit.
#[derive(Debug, Clone)]
pub(super) struct PhaseLayer {
    kind: UnitKind,
    branches: Vec<(Origin, PreparedMap)>,
    /// In levels.
    bias: Vec<f64>,
    codes: Vec<ChannelCode>,
    /// Phases of a number.
    phases: u32,
    per_channel: usize,
    /// Inputs of each maximum.
    windows: Vec<Vec<u32>>,
}

impl PhaseLayer {
    /// A unit with its scale; `scales` are those of the units before it.
    pub(super) fn new(
        unit: &Unit,
        (codes, phases): (&[ChannelCode], u32),
        scale: &UnitScale,
        scales: &[UnitScale],
    ) -> Self {
        let mut layer = PhaseLayer {
            kind: unit.kind,
            branches: Vec::new(),
            bias: scale.biases(&unit.bias),
            codes: codes.to_vec(),
            phases,
            per_channel: unit.shape.per_channel().max(1),
            windows: Vec::new(),
        };
        for branch in &unit.branches {
            let source = match branch.origin {
                Origin::Input => &ChannelScale::one(),
                Origin::Unit(source) => &scales[source].output,
            };
            let map = match unit.kind {
                UnitKind::MaxPool => {
                    layer.windows = windows(&branch.map);
                    LinearMap::Identity { size: branch.map.sources() }
                }
                _ => scale.weights(&branch.map, source),
            };
            layer.branches.push((branch.origin, PreparedMap::new(&map)));
        }
        layer
    }

    /// Adds to the bias of each neuron, in levels.
    pub(super) fn add_bias(&mut self, more: &[f64]) {
        self.bias.iter_mut().zip(more).for_each(|(bias, more)| *bias += more);
    }

    /// Potentials when the window is over, in levels; `numbers` are those of the units before.
    pub(super) fn potentials(&self, sample: &[f64], numbers: &[Vec<f64>]) -> Vec<f64> {
        if self.kind == UnitKind::MaxPool {
            let source = match self.branches.first() {
                Some((Origin::Unit(source), _)) => &numbers[*source][..],
                _ => sample,
            };
            let largest = |window: &Vec<u32>| {
                window.iter().fold(0.0, |most: f64, &input| most.max(source[input as usize]))
            };
            return self.windows.iter().map(largest).collect();
        }
        let mut potentials = self.bias.clone();
        for (origin, map) in &self.branches {
            let values = match origin {
                Origin::Input => sample,
                Origin::Unit(source) => &numbers[*source],
            };
            map.apply(values, &mut potentials);
        }
        potentials
    }

    /// Makes potentials the numbers that are sent; gives their spikes.
    pub(super) fn round(&self, potentials: &mut [f64]) -> u64 {
        let mut spikes = 0;
        for (neuron, value) in potentials.iter_mut().enumerate() {
            let number = match self.kind {
                UnitKind::Readout => return 0,
                UnitKind::MaxPool => *value as u32,
                UnitKind::Rectifier { .. } if *value <= 0.0 => 0,
                UnitKind::Rectifier { .. } => self.codes[neuron / self.per_channel].number(*value),
            };
            spikes += u64::from(spikes_of(number, self.phases));
            *value = f64::from(number);
        }
        spikes
    }
}

/// Inputs of each target.
fn windows(map: &LinearMap) -> Vec<Vec<u32>> {
    let mut windows = vec![Vec::new(); map.targets()];
    for source in 0..map.sources() {
        map.for_each_target(source, |target, _| windows[target].push(source as u32));
    }
    windows
}

/// Scores and spikes of a network for a sample.
pub(super) fn show(layers: &[PhaseLayer], sample: &[f32]) -> (Vec<f64>, u64) {
    let sample: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
    let mut numbers: Vec<Vec<f64>> = Vec::with_capacity(layers.len());
    let mut spikes = 0;
    for layer in layers {
        let mut own = layer.potentials(&sample, &numbers);
        spikes += layer.round(&mut own);
        numbers.push(own);
    }
    (numbers.pop().unwrap_or_default(), spikes)
}
