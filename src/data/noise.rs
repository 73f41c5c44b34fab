//! Samples made of noise, for those who have no data.
//!
//! Every value is drawn between 0 and 1; neighbouring values of a picture share most of it, as in real
//! pictures. Noise excites a network otherwise than the data it was trained on: thresholds come out
//! too large or too small, and accuracy at few steps suffers most.

use super::Samples;
use crate::sim_core::random::{Purpose, draw, uniform};

/// What calibrating on noise costs, to be shown wherever it is used.
pub const WARNING: &str = "no samples were given, so thresholds are calibrated on noise: real data \
                           excites the layers otherwise, and accuracy at few steps may fall by tens \
                           of points; give --calibrate, 100 samples are enough";

/// Samples of noise for an input of this shape, the same for the same seed.
pub fn samples(shape: &[usize], count: usize, seed: u64) -> Samples {
    let size: usize = shape.iter().product::<usize>().max(1);
    let (height, width) = match shape {
        [.., height, width] => (*height, *width),
        _ => (1, size),
    };
    let number = |sample: usize, place: usize| {
        uniform(draw(seed, Purpose::Example, place as u32, sample as u64, 0)) as f32
    };
    let mut values = Vec::with_capacity(size.saturating_mul(count));
    for sample in 0..count {
        // Blocks of 4 × 4 values share a level; contrast grows with the sample's number.
        let level = |place: usize| {
            let (row, column) = (place / width.max(1) % height.max(1), place % width.max(1));
            let plane = place / (width * height).max(1);
            number(
                sample,
                size + (plane * height.div_ceil(4) + row / 4) * width.div_ceil(4) + column / 4,
            )
        };
        values.extend((0..size).map(|place| 0.8 * level(place) + 0.2 * number(sample, place)));
    }
    Samples { values, size, shape: shape.to_vec(), labels: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_lies_between_0_and_1_and_depends_on_the_seed_alone() {
        let first = samples(&[2, 6, 6], 5, 3);
        assert_eq!((first.len(), first.size), (5, 72));
        assert!(first.values.iter().all(|value| (0.0..=1.0).contains(value)));
        assert_eq!(first, samples(&[2, 6, 6], 5, 3));
        assert_ne!(first, samples(&[2, 6, 6], 5, 4));
        let spread = |values: &[f32]| {
            values.iter().fold(0.0_f32, |most, v| most.max(*v))
                - values.iter().fold(1.0_f32, |least, v| least.min(*v))
        };
        assert!(spread(&first.values) > 0.5);
    }
}
