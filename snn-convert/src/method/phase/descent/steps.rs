//! Steps of Adam, as large as a part of what they move.

use super::map::MovableMap;
use super::network::{Network, Slopes};

/// A step, as a part of the root mean square of the weights that lead to the same output: those of folded
/// normalisations differ by orders of magnitude.
const RELATIVE: f64 = 0.01;
/// Least root mean square of an output's weights, as a part of that of all.
const LEAST: f64 = 0.01;
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
    sizes: Vec<f32>,
    means: Vec<f32>,
    squares: Vec<f32>,
}

impl Moments {
    fn new(sizes: Vec<f32>) -> Self {
        let count = sizes.len();
        Moments { sizes, means: vec![0.0; count], squares: vec![0.0; count] }
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
        let own = self.means.iter_mut().zip(&mut self.squares).zip(slopes).zip(&self.sizes);
        own.map(move |(((mean, square), &slope), size)| {
            let size = size * part / mean_part;
            *mean = mean_kept * *mean + (1.0 - mean_kept) * slope;
            *square = square_kept * *square + (1.0 - square_kept) * slope * slope;
            let root = (*square / square_part).sqrt();
            // Nothing moves what nothing depends on.
            if root > 0.0 { -size * *mean / root } else { 0.0 }
        })
    }
}

/// The root mean square of the weights that lead to each output, at least [`LEAST`] of that of all; to
/// `channels` outputs, as many as there are biases.
fn roots(map: &MovableMap, channels: usize) -> Vec<f64> {
    let outputs = map.outputs();
    let most = outputs.iter().map(|output| output + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0_f64, 0.0_f64); most.max(channels)];
    for (&output, &weight) in outputs.iter().zip(&map.weights) {
        sums[output].0 += f64::from(weight).powi(2);
        sums[output].1 += 1.0;
    }
    let root = |(squares, count): (f64, f64)| (squares / count.max(1.0)).sqrt();
    let all = sums.iter().fold((0.0, 0.0), |all, own| (all.0 + own.0, all.1 + own.1));
    let least = LEAST * root(all);
    sums.into_iter().map(|own| root(own).max(least)).collect()
}

impl Steps {
    /// Steps of a network; `reach` is the size of the values that reach each unit.
    pub fn new(network: &Network, reach: &[f64]) -> Self {
        let none = network.no_slopes();
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for (index, layer) in network.layers.iter().enumerate() {
            let mut largest = vec![0.0_f64; none.bias[index].len()];
            let mut own = Vec::new();
            for ((_, map), slopes) in layer.branches.iter().zip(&none.weights[index]) {
                let roots = roots(map, largest.len());
                largest.iter_mut().zip(&roots).for_each(|(most, root)| *most = most.max(*root));
                let outputs = map.outputs();
                let size = |output: usize| (RELATIVE * roots[output]) as f32;
                own.push(Moments::new(outputs.into_iter().take(slopes.len()).map(size).collect()));
            }
            weights.push(own);
            let size = |root: &f64| (RELATIVE * root * reach[index]) as f32;
            bias.push(Moments::new(largest.iter().map(size).collect()));
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
