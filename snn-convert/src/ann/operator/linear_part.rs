//! The linear parts of operators, as maps between neurons.

use sim_core::network::Convolution as Geometry;

use super::{LinearMap, SampleShape};

/// Numbers in double precision.
pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Means over windows; `divisors` is one for all windows or one each.
pub(super) fn means(geometry: Geometry, divisors: &[f32]) -> LinearMap {
    let count = geometry.weight_count() as usize;
    let first = divisors.first().copied().unwrap_or(1.0);
    if divisors.iter().all(|&divisor| divisor == first) {
        let weights = vec![1.0 / f64::from(first); count];
        return LinearMap::Convolution { geometry, weights };
    }
    let sums = LinearMap::Convolution { geometry, weights: vec![1.0; count] };
    let cells = divisors.len();
    let row = |source: usize| {
        let mut row = Vec::new();
        sums.for_each_target(source, |target, weight| {
            row.push((target as u32, weight / f64::from(divisors[target % cells])));
        });
        row
    };
    LinearMap::Sparse { targets: sums.targets(), rows: (0..sums.sources()).map(row).collect() }
}

/// One factor a channel, or one a value.
pub(super) fn gains(input: &SampleShape, gains: &[f64]) -> LinearMap {
    let shared = if gains.len() == input.channels() { input.per_channel() } else { 1 };
    let row = |n: usize| vec![(n as u32, gains.get(n / shared).copied().unwrap_or(1.0))];
    LinearMap::Sparse { targets: input.size(), rows: (0..input.size()).map(row).collect() }
}

/// Each source value at one place of the result, or nowhere.
pub(super) fn places(
    sources: usize,
    targets: usize,
    place: impl Fn(usize) -> Option<usize>,
) -> LinearMap {
    let row = |source| place(source).map(|target| (target as u32, 1.0)).into_iter().collect();
    LinearMap::Sparse { targets, rows: (0..sources).map(row).collect() }
}
