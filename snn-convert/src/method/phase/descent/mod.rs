//! Moves weights and biases so that scores come nearer and spikes fewer, from end to end.
//!
//! # Idea
//! With the codes of all channels given, what is made smaller is the mean over samples of
//! Σ (s − t)² + λ · spikes: s are the scores and t the trained network's, both with their means taken off, and
//! λ is the same price of a spike that the codes are chosen for. So a price buys as much with weights
//! as with levels. Derivatives pass straight through the rounding ([`network`]). Samples are those that no
//! candidate is judged on, blends of them, and all of these moved by a pixel, where the input is a picture:
//! a few hundred samples alone would be learnt by heart (`docs/design/layers_in_turn.md`).
//!
//! # References
//! Bengio, Léonard and Courville 2013, arXiv 1308.3432 (straight through); Kingma and Ba 2015, ICLR
//! (steps); Hinton, Vinyals and Dean 2015, arXiv 1503.02531 (a network's scores as what to learn).

mod map;
mod network;
mod pool;
mod steps;

use super::super::materials::{Materials, through};
use super::Codes;
use crate::method::Prepared;
use crate::structure::{Origin, Structure};
use network::{Network, Slopes};
use rayon::prelude::*;

pub(super) use pool::Pool;
use steps::Steps;

/// Samples a step.
const BATCH: usize = 32;
/// Parts of a batch that derivatives are summed in, and added up in order: results do not depend on
/// threads.
const PARTS: usize = 4;
/// Steps for the first price; half as many for each further one, from where the one before ended.
const MOST_STEPS: usize = 200;
/// Fewer are not worth it.
const FEWEST_STEPS: usize = 100;
/// Synapses that may be visited for a price: some ten seconds.
const WORK: usize = 40_000_000_000;
/// Visits of a weight that taking a step is worth.
const STEP_WORK: usize = 16;

/// Moves the weights of a network.
pub(super) struct Descent<'a> {
    prepared: &'a Prepared<'a>,
    pool: Pool,
    /// `[unit]`: the size of the values that reach a unit.
    reach: Vec<f64>,
    steps: usize,
}

impl<'a> Descent<'a> {
    /// Prepares for networks of this structure; none where there are too few samples, or it would take too
    /// long.
    pub fn new(materials: &Materials<'a>) -> Option<Self> {
        let prepared = materials.prepared;
        let network =
            Network::new(prepared.structure, &vec![Vec::new(); prepared.structure.units.len()]);
        let maps = || network.layers.iter().flat_map(|layer| &layer.branches);
        let synapses: usize = maps().map(|(_, map)| map.synapses()).sum();
        let weights: usize = maps().map(|(_, map)| map.weights.len()).sum();
        let a_step =
            synapses.saturating_mul(BATCH).saturating_add(weights.saturating_mul(STEP_WORK));
        let steps = (WORK / a_step.max(1)).min(MOST_STEPS);
        let costly = prepared.head.is_some_and(|head| head.has_costly_slopes());
        if steps < FEWEST_STEPS || costly {
            return None;
        }
        let pool = Pool::new(materials, steps * BATCH)?;
        Some(Descent { prepared, pool, reach: reach(materials), steps })
    }

    /// The structure with weights and biases moved from those given, for a price of a spike.
    ///
    /// `before` is the number of prices for which they were moved before.
    pub fn descend(
        &self,
        structure: &Structure,
        codes: &Codes,
        price: f64,
        before: usize,
    ) -> Structure {
        let mut network = Network::new(structure, codes);
        let mut steps = Steps::new(&network, &self.reach);
        let count = if before == 0 { self.steps } else { self.steps / 2 };
        for step in 0..count {
            let batch = self.pool.batch(self.steps * before + step, BATCH);
            let part = |own: &[usize]| self.slopes(&network, own, price as f32);
            let parts: Vec<Slopes> = batch.par_chunks(BATCH / PARTS).map(part).collect();
            steps.take(&mut network, &parts, step as f32 / count as f32);
        }
        let mut moved = structure.clone();
        for (unit, layer) in moved.units.iter_mut().zip(&network.layers) {
            if !layer.moves() {
                continue;
            }
            for (branch, (_, map)) in unit.branches.iter_mut().zip(&layer.branches) {
                branch.map = map.moved(&branch.map);
            }
            unit.bias = layer.bias.iter().map(|&bias| f64::from(bias)).collect();
        }
        moved
    }

    /// Derivatives of the mean over a batch, this part of it.
    fn slopes(&self, network: &Network, samples: &[usize], price: f32) -> Slopes {
        let mut sums = network.no_slopes();
        for &sample in samples {
            let (values, wanted) = self.pool.sample(sample);
            let shown = network.show(values);
            let read = shown.sent.last().map_or(&[][..], Vec::as_slice);
            let scores = through(self.prepared, read).unwrap_or_default();
            let off = errors(&scores, wanted);
            let slopes = match self.prepared.head {
                Some(head) => {
                    let wide: Vec<f64> = off.iter().map(|&value| f64::from(value)).collect();
                    head.slopes(read, &wide).into_iter().map(|slope| slope as f32).collect()
                }
                None => off,
            };
            network.walk_back(values, &shown, slopes, price, &mut sums);
        }
        sums
    }
}

/// Derivatives of Σ (s − t)² by the scores, with the means over s and t taken off; of a single score,
/// that of class 1 against class 0, with half of it.
fn errors(scores: &[f32], wanted: &[f32]) -> Vec<f32> {
    if scores.len() != wanted.len() {
        return vec![0.0; scores.len()];
    }
    let mean = scores.iter().zip(wanted).map(|(s, t)| s - t).sum::<f32>();
    let mean = mean / scores.len().max(2) as f32;
    scores.iter().zip(wanted).map(|(s, t)| 2.0 * (s - t - mean)).collect()
}

/// The root of the mean square of values above zero that reach each unit.
fn reach(materials: &Materials<'_>) -> Vec<f64> {
    let root = |values: &mut dyn Iterator<Item = f32>| {
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for value in values.filter(|&value| value != 0.0) {
            sum += f64::from(value).powi(2);
            count += 1.0;
        }
        (sum / count.max(1.0)).sqrt()
    };
    let chosen = 0..materials.samples.len().min(BATCH);
    let of_origin = |origin: Origin| match origin {
        Origin::Input => root(&mut chosen.clone().flat_map(|n| materials.samples[n]).copied()),
        Origin::Unit(source) => {
            root(&mut chosen.clone().flat_map(|n| &materials.activations[n][source]).copied())
        }
    };
    let units = materials.prepared.structure.units.iter();
    let largest = |most: f64, branch: &crate::structure::Branch| most.max(of_origin(branch.origin));
    units.map(|unit| unit.branches.iter().fold(0.0, largest)).collect()
}

#[cfg(test)]
mod tests;
