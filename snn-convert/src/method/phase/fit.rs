//! A phase-coded network whose weights and biases make up for rounding, layer by layer.

use super::super::materials::Materials;
use super::network::PhaseLayer;
use super::refit::{Sent, refit};
use super::{Codes, scales_of};
use crate::ann::{Keep, NodeId, map_batch};
use crate::lower::UnitScale;
use crate::method::{MethodError, Prepared};
use crate::structure::{Branch, Origin, Structure, Unit, UnitKind};
use rayon::prelude::*;

/// A network with fitted weights and biases.
pub(super) struct Fitted {
    /// Units with fitted weights.
    pub structure: Structure,
    /// Scales with corrected biases.
    pub scales: Vec<UnitScale>,
    /// The network that they make.
    pub layers: Vec<PhaseLayer>,
}

impl Fitted {
    /// Units with corrected biases as their own.
    pub fn with_biases(&self) -> Structure {
        let mut structure = self.structure.clone();
        for (unit, scale) in structure.units.iter_mut().zip(&self.scales) {
            if let Some(bias) = &scale.bias {
                unit.bias.clone_from(bias);
            }
        }
        structure
    }
}

/// What does not change from one set of codes to the next.
pub(super) struct Fitting<'a> {
    prepared: &'a Prepared<'a>,
    phases: u32,
    /// Samples that weights are fitted on: those of the materials, then blends that no candidate is
    /// judged on.
    samples: Vec<Vec<f64>>,
    /// `[unit][sample]`: the trained network's activations.
    activations: Vec<Vec<&'a [f32]>>,
    /// Samples whose mean potentials biases are corrected on.
    corrected: Vec<usize>,
    /// `[corrected sample][unit][channel]`: the trained network's mean potentials.
    potentials: Vec<Vec<Vec<f64>>>,
}

/// Blends with the trained network's activations.
pub(super) type Blends = Vec<(Vec<f32>, Vec<Vec<f32>>)>;

/// Blends to fit on.
pub(super) fn blends(materials: &Materials<'_>) -> Result<Blends, MethodError> {
    let blends = materials.other_blends();
    let prepared = materials.prepared;
    let nodes: Vec<NodeId> = prepared.structure.units.iter().map(|unit| unit.node).collect();
    let kept = map_batch(prepared.graph, &blends.concat(), Keep::Nodes(&nodes), |_, values| {
        let of = |node: &NodeId| values.of(*node).map(<[f32]>::to_vec).unwrap_or_default();
        nodes.iter().map(of).collect::<Vec<_>>()
    });
    Ok(blends.into_iter().zip(kept.map_err(|error| failed(prepared, &error))?).collect())
}

fn failed(prepared: &Prepared<'_>, error: &crate::ann::AnnError) -> MethodError {
    MethodError::Unit {
        method: "phase",
        unit: prepared.name.to_string(),
        reason: format!("it does not evaluate on the samples: {error}"),
    }
}

impl<'a> Fitting<'a> {
    /// Prepares for fitting on the materials' samples and on `blends`.
    pub fn new(
        materials: &'a Materials<'a>,
        blends: &'a Blends,
        phases: u32,
    ) -> Result<Self, MethodError> {
        let wide = |sample: &[f32]| sample.iter().map(|&value| f64::from(value)).collect();
        let own = materials.samples.iter().map(|sample| wide(sample));
        let samples = own.chain(blends.iter().map(|(sample, _)| wide(sample))).collect();
        let all = || materials.activations.iter().chain(blends.iter().map(|(_, units)| units));
        let units = 0..materials.prepared.structure.units.len();
        Ok(Fitting {
            prepared: materials.prepared,
            phases,
            samples,
            activations: units.map(|unit| all().map(|units| &units[unit][..]).collect()).collect(),
            corrected: materials.corrected(),
            potentials: mean_potentials(materials)?,
        })
    }

    /// Fits a network with these codes: biases, and where wanted weights.
    pub fn fit(&self, codes: &Codes, weights: bool) -> Fitted {
        let units = &self.prepared.structure.units;
        let mut scales = scales_of(self.prepared, codes);
        let mut fitted: Vec<Unit> = Vec::with_capacity(units.len());
        let mut layers: Vec<PhaseLayer> = Vec::with_capacity(units.len());
        // `[sample][unit]`, emptied once no later unit reads them.
        let mut numbers: Vec<Vec<Vec<f64>>> = Vec::new();
        // Biases need only the samples that they are corrected on.
        let (samples, corrected): (Vec<&[f64]>, Vec<usize>) = match weights {
            true => (self.samples.iter().map(Vec::as_slice).collect(), self.corrected.clone()),
            false => {
                let own = self.corrected.iter().map(|&sample| &self.samples[sample][..]);
                (own.collect(), (0..self.corrected.len()).collect())
            }
        };
        numbers.resize(samples.len(), Vec::new());
        for (index, unit) in units.iter().enumerate() {
            let unit = match weights {
                true => self.refitted(unit, &numbers, &scales),
                false => unit.clone(),
            };
            let mut layer =
                PhaseLayer::new(&unit, (&codes[index], self.phases), &scales[index], &scales);
            let shown = samples.par_iter().zip(&numbers);
            let mut potentials: Vec<Vec<f64>> =
                shown.map(|(sample, numbers)| layer.potentials(sample, numbers)).collect();
            if unit.kind != UnitKind::MaxPool {
                let potentials_of = |&sample: &usize| &potentials[sample][..];
                let own: Vec<&[f64]> = corrected.iter().map(potentials_of).collect();
                let missing = self.missing(index, &scales[index], &own);
                let threshold = &scales[index].threshold;
                let biases = unit.bias.iter().zip(&missing).enumerate();
                let moved = biases.map(|(n, (bias, more))| bias + more * threshold.at(n)).collect();
                scales[index].bias = Some(moved);
                layer.add_bias(&missing);
                for potentials in &mut potentials {
                    potentials.iter_mut().zip(&missing).for_each(|(v, more)| *v += more);
                }
            }
            potentials.par_iter_mut().for_each(|own| {
                layer.round(own);
            });
            for (numbers, own) in numbers.iter_mut().zip(potentials) {
                numbers.push(own);
                forget(numbers, units, index);
            }
            fitted.push(unit);
            layers.push(layer);
        }
        let structure = Structure { input: self.prepared.structure.input.clone(), units: fitted };
        Fitted { structure, scales, layers }
    }

    /// A network of units whose weights and biases are as they should be.
    pub fn of_structure(&self, structure: Structure, codes: &Codes) -> Fitted {
        let scales = scales_of(self.prepared, codes);
        let each = structure.units.iter().zip(codes).zip(&scales);
        let layers = each
            .map(|((unit, codes), scale)| {
                PhaseLayer::new(unit, (codes, self.phases), scale, &scales)
            })
            .collect();
        Fitted { structure, scales, layers }
    }

    /// A unit with weights fitted to what its sources send.
    fn refitted(&self, unit: &Unit, numbers: &[Vec<Vec<f64>>], scales: &[UnitScale]) -> Unit {
        let mut unit = unit.clone();
        if unit.kind == UnitKind::MaxPool {
            return unit;
        }
        for Branch { origin, map, .. } in &mut unit.branches {
            let Origin::Unit(source) = *origin else { continue };
            let level = &scales[source].output;
            let sent = |numbers: &Vec<Vec<f64>>| -> Vec<f64> {
                let own = numbers[source].iter().enumerate();
                own.map(|(neuron, number)| number * level.at(neuron)).collect()
            };
            let sent: Vec<Vec<f64>> = numbers.par_iter().map(sent).collect();
            *map = refit(map, &Sent { sent: &sent, meant: &self.activations[source] });
        }
        unit
    }

    /// By how many levels potentials, those of the corrected samples, fall short on average, the same
    /// for a channel.
    fn missing(&self, index: usize, scale: &UnitScale, potentials: &[&[f64]]) -> Vec<f64> {
        let unit = &self.prepared.structure.units[index];
        let per_channel = unit.shape.per_channel().max(1);
        let mut sums = vec![0.0; unit.shape.channels()];
        for (own, wanted) in potentials.iter().zip(&self.potentials) {
            let channels = sums.iter_mut().zip(own.chunks(per_channel));
            for (channel, (sum, own)) in channels.enumerate() {
                let level = scale.threshold.at(channel * per_channel);
                *sum += wanted[index][channel] / level - own.iter().sum::<f64>() / own.len() as f64;
            }
        }
        let means = sums.into_iter().map(|sum| sum / self.corrected.len().max(1) as f64);
        means.flat_map(|mean| std::iter::repeat_n(mean, per_channel)).collect()
    }
}

/// Empties the numbers that no later unit reads.
fn forget(numbers: &mut [Vec<f64>], units: &[Unit], done: usize) {
    for (source, numbers) in numbers.iter_mut().enumerate() {
        let reads = |unit: &Unit| unit.branches.iter().any(|b| b.origin == Origin::Unit(source));
        if !units.iter().skip(done + 1).any(reads) {
            *numbers = Vec::new();
        }
    }
}

/// See [`Fitting::potentials`].
fn mean_potentials(materials: &Materials<'_>) -> Result<Vec<Vec<Vec<f64>>>, MethodError> {
    let prepared = materials.prepared;
    let units = &prepared.structure.units;
    let corrected = materials.corrected();
    let chosen: Vec<&[f32]> = corrected.iter().map(|&index| materials.samples[index]).collect();
    let nodes: Vec<NodeId> = units.iter().map(|unit| unit.operand).collect();
    let kept = map_batch(prepared.graph, &chosen.concat(), Keep::Nodes(&nodes), |_, values| {
        let means = |unit: &Unit| -> Vec<f64> {
            let values = values.of(unit.operand).unwrap_or_default();
            let mean =
                |own: &[f32]| own.iter().map(|&v| f64::from(v)).sum::<f64>() / own.len() as f64;
            values.chunks(unit.shape.per_channel().max(1)).map(mean).collect()
        };
        units.iter().map(means).collect::<Vec<_>>()
    });
    kept.map_err(|error| failed(prepared, &error))
}
