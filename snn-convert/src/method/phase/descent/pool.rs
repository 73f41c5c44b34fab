//! Samples that weights are moved on, with the trained network's scores.

use super::super::super::materials::Materials;
use crate::ann::{Keep, map_batch};
use crate::fidelity::class_of;
use crate::method::materials::{through, wide};

/// The fewest samples that weights are moved on.
const FEWEST: usize = 96;
/// Blends for a sample.
const BLENDS: usize = 2;
/// Most values that are kept (256 MB).
const MOST_VALUES: usize = 64 << 20;
/// The golden ratio's part: its multiples lie evenly.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The samples.
pub(in super::super) struct Pool {
    samples: Vec<Vec<f32>>,
    scores: Vec<Vec<f32>>,
}

impl Pool {
    /// At most `most` samples; none where there are too few.
    pub fn new(materials: &Materials<'_>, most: usize) -> Option<Self> {
        let prepared = materials.prepared;
        let size = prepared.structure.input.size().max(1);
        let most = most.min(MOST_VALUES / size);
        if materials.samples.len() < FEWEST || most < materials.samples.len() {
            return None;
        }
        let mut samples: Vec<Vec<f32>> = materials.samples.iter().map(|own| own.to_vec()).collect();
        samples.extend(blended(materials));
        let picture = prepared.structure.input.picture();
        if let Some([_, height, width]) = picture.filter(|extents| extents[1].min(extents[2]) > 4) {
            let moved = samples.iter().enumerate();
            let moved: Vec<Vec<f32>> = moved
                .map(|(n, own)| shifted(own, [height, width], DIRECTIONS[n % DIRECTIONS.len()]))
                .collect();
            samples.extend(moved);
        }
        let stride = samples.len().div_ceil(most).max(1);
        let samples: Vec<Vec<f32>> = samples.into_iter().step_by(stride).collect();
        let scores = map_batch(prepared.graph, &samples.concat(), Keep::Outputs, |_, values| {
            through(prepared, values.output())
        });
        let scores: Vec<Vec<f32>> = scores.ok()?.into_iter().collect::<Result<_, _>>().ok()?;
        Some(Pool { samples, scores })
    }

    /// A sample and the trained network's scores for it.
    pub fn sample(&self, index: usize) -> (&[f32], &[f32]) {
        (&self.samples[index], &self.scores[index])
    }

    /// The samples of a step: each once in every round, in another order each time.
    pub fn batch(&self, step: usize, size: usize) -> Vec<usize> {
        let count = self.samples.len();
        let of = |place: usize| {
            let (round, place) = (place / count, place % count);
            let part = (GOLDEN * (round + 1) as f64).fract();
            let stride = coprime((part * count as f64) as usize, count);
            (place * stride + round) % count
        };
        (step * size..(step + 1) * size).map(of).collect()
    }
}

/// The next number from `from` on that has no divisor in common with `count`.
fn coprime(from: usize, count: usize) -> usize {
    fn common(a: usize, b: usize) -> usize {
        if b == 0 { a } else { common(b, a % b) }
    }
    (from.max(1)..).find(|&number| common(number, count) == 1).unwrap_or(1)
}

/// Each sample blended with some of other classes, half to nearly all of it its own.
fn blended(materials: &Materials<'_>) -> Vec<Vec<f32>> {
    let samples = &materials.samples;
    let classes: Vec<usize> =
        materials.scores.iter().map(|scores| class_of(&wide(scores))).collect();
    let count = samples.len();
    let mut blends = Vec::new();
    for number in 0..BLENDS * count {
        let (first, round) = (number % count, number / count);
        let start = first + 1 + (2 * round + 1) * count / (2 * BLENDS);
        let mut others = (0..count).map(|step| (start + step) % count);
        let Some(second) = others.find(|&other| classes[other] != classes[first]) else { continue };
        let share = 0.5 + 0.5 * (GOLDEN * (number + 1) as f64).fract() as f32;
        let pairs = samples[first].iter().zip(samples[second]);
        blends.push(pairs.map(|(a, b)| share * a + (1.0 - share) * b).collect());
    }
    blends
}

/// Ways to move a picture, down and right.
const DIRECTIONS: [[isize; 2]; 8] =
    [[0, 1], [1, 0], [0, -1], [-1, 0], [1, 1], [-1, -1], [1, -1], [-1, 1]];

/// A picture moved by a pixel; what comes in at the border repeats it.
fn shifted(sample: &[f32], [height, width]: [usize; 2], [down, right]: [isize; 2]) -> Vec<f32> {
    let from =
        |place: usize, by: isize, extent: usize| place.saturating_add_signed(-by).min(extent - 1);
    let mut moved = Vec::with_capacity(sample.len());
    for channel in sample.chunks_exact(height * width) {
        for row in 0..height {
            let row = from(row, down, height) * width;
            moved.extend((0..width).map(|column| channel[row + from(column, right, width)]));
        }
    }
    moved
}
