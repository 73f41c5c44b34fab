//! Steps of Adam, as large as a part of what they move.

use super::network::{Network, Slopes};

/// A step, as a part of the root mean square of a map's weights.
const RELATIVE: f64 = 0.01;
/// Steps over which the size grows, as a part of all.
const RISE: f32 = 0.05;
/// The size at the end, as a part of the largest.
const LAST: f32 = 0.05;
/// What remains of the mean of slopes, and of that of their squares, from step to step.
const KEPT: [f32; 2] = [0.9, 0.99];

/// Means over the steps before.
pub(super) struct Steps {
    /// `[unit][branch]`.
    weights: Vec<Vec<Moments>>,
    /// `[unit]`.
    bias: Vec<Moments>,
    /// Steps taken.
    taken: i32,
}

struct Moments {
    size: f32,
    means: Vec<f32>,
    squares: Vec<f32>,
}

impl Moments {
    fn new(count: usize, size: f64) -> Self {
        Moments { size: size as f32, means: vec![0.0; count], squares: vec![0.0; count] }
    }

    /// By how much each value moves.
    fn moves<'a>(
        &'a mut self,
        slopes: &'a [f32],
        taken: i32,
        part: f32,
    ) -> impl Iterator<Item = f32> + 'a {
        let [mean_kept, square_kept] = KEPT;
        let (mean_part, square_part) = (1.0 - mean_kept.powi(taken), 1.0 - square_kept.powi(taken));
        let size = self.size * part / mean_part;
        let own = self.means.iter_mut().zip(&mut self.squares).zip(slopes);
        own.map(move |((mean, square), &slope)| {
            *mean = mean_kept * *mean + (1.0 - mean_kept) * slope;
            *square = square_kept * *square + (1.0 - square_kept) * slope * slope;
            let root = (*square / square_part).sqrt();
            // Nothing moves what nothing depends on.
            if root > 0.0 { -size * *mean / root } else { 0.0 }
        })
    }
}

impl Steps {
    /// Steps of a network; `reach` is the size of the values that reach each unit.
    pub fn new(network: &Network, reach: &[f64]) -> Self {
        let none = network.no_slopes();
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for (index, layer) in network.layers.iter().enumerate() {
            let mut largest = 0.0_f64;
            let mut own = Vec::new();
            for ((_, map), slopes) in layer.branches.iter().zip(&none.weights[index]) {
                let squares: f64 = map.weights.iter().map(|&w| f64::from(w).powi(2)).sum();
                let root = (squares / map.weights.len().max(1) as f64).sqrt();
                largest = largest.max(root);
                own.push(Moments::new(slopes.len(), RELATIVE * root));
            }
            weights.push(own);
            let size = RELATIVE * largest * reach[index];
            bias.push(Moments::new(none.bias[index].len(), size));
        }
        Steps { weights, bias, taken: 0 }
    }

    /// Takes a step down the sum of slopes; `done` is the part of all steps that was taken.
    pub fn take(&mut self, network: &mut Network, parts: &[Slopes], done: f32) {
        self.taken += 1;
        let part = (1.0 - done).max(LAST) * ((done + 1e-3) / RISE).min(1.0);
        let summed = |of: &dyn Fn(&Slopes) -> Vec<f32>| {
            let mut parts = parts.iter().map(of);
            let mut sum = parts.next().unwrap_or_default();
            parts.for_each(|more| sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more));
            sum
        };
        for (index, layer) in network.layers.iter_mut().enumerate() {
            if !layer.moves() {
                continue;
            }
            for (branch, (_, map)) in layer.branches.iter_mut().enumerate() {
                let slopes = summed(&|slopes| slopes.weights[index][branch].clone());
                let moves = self.weights[index][branch].moves(&slopes, self.taken, part);
                map.weights.iter_mut().zip(moves).for_each(|(weight, more)| *weight += more);
            }
            let slopes = summed(&|slopes| slopes.bias[index].clone());
            let moves: Vec<f32> = self.bias[index].moves(&slopes, self.taken, part).collect();
            for (channel, more) in moves.into_iter().enumerate() {
                layer.add_bias(channel, more);
            }
        }
    }
}
