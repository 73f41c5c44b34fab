//! Linear maps between two layers of neurons, and their composition.
//!
//! What lies between two spiking populations (convolution, pooling by mean, flatten, dense, …) is
//! one linear map. A pooling and the convolution or dense layer behind it become one map, so that no
//! neurons are spent on pooling, and chips that know only convolution and dense layers can hold it.

use sim_core::network::Convolution as Geometry;

/// A linear map without bias; neuron indices in C order on both sides.
#[derive(Debug, Clone, PartialEq)]
pub enum LinearMap {
    /// The same values.
    Identity {
        /// Values on either side.
        size: usize,
    },
    /// A convolution with weights `[out, in / groups, height, width]`.
    Convolution {
        /// Extents, stride, padding, dilation, groups.
        geometry: Geometry,
        /// Weights.
        weights: Vec<f64>,
    },
    /// A matrix `[target, source]`.
    Dense {
        /// Values that come out.
        targets: usize,
        /// Values that go in.
        sources: usize,
        /// Weights.
        weights: Vec<f64>,
    },
    /// Listed weights, by source.
    Sparse {
        /// Values that come out.
        targets: usize,
        /// For each source its (target, weight), targets ascending.
        rows: Vec<Vec<(u32, f64)>>,
    },
}

impl LinearMap {
    /// Values that go in.
    pub fn sources(&self) -> usize {
        match self {
            LinearMap::Identity { size } => *size,
            LinearMap::Convolution { geometry, .. } => {
                geometry.source.iter().map(|&n| n as usize).product()
            }
            LinearMap::Dense { sources, .. } => *sources,
            LinearMap::Sparse { rows, .. } => rows.len(),
        }
    }

    /// Values that come out.
    pub fn targets(&self) -> usize {
        match self {
            LinearMap::Identity { size } => *size,
            LinearMap::Convolution { geometry, .. } => {
                geometry.target.iter().map(|&n| n as usize).product()
            }
            LinearMap::Dense { targets, .. } | LinearMap::Sparse { targets, .. } => *targets,
        }
    }

    /// Calls `visit(target, weight)` for every target that a source reaches.
    pub fn for_each_target(&self, source: usize, mut visit: impl FnMut(usize, f64)) {
        match self {
            LinearMap::Identity { .. } => visit(source, 1.0),
            LinearMap::Convolution { geometry, weights } => {
                geometry.for_each_target(source as u32, |synapse| {
                    visit(synapse.target as usize, weights[synapse.weight as usize]);
                });
            }
            LinearMap::Dense { targets, sources, weights } => {
                for target in 0..*targets {
                    visit(target, weights[target * sources + source]);
                }
            }
            LinearMap::Sparse { rows, .. } => {
                rows[source].iter().for_each(|&(target, weight)| visit(target as usize, weight));
            }
        }
    }

    /// Adds the image of `values` to `output`.
    pub fn apply(&self, values: &[f64], output: &mut [f64]) {
        for (source, &value) in values.iter().enumerate() {
            if value != 0.0 {
                self.for_each_target(source, |target, weight| output[target] += weight * value);
            }
        }
    }

    /// The largest absolute weight; 0 without weights.
    pub fn largest_weight(&self) -> f64 {
        let largest = |weights: &[f64]| weights.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
        match self {
            LinearMap::Identity { .. } => 1.0,
            LinearMap::Convolution { weights, .. } | LinearMap::Dense { weights, .. } => {
                largest(weights)
            }
            LinearMap::Sparse { rows, .. } => {
                rows.iter().flatten().fold(0.0, |most, (_, weight)| most.max(weight.abs()))
            }
        }
    }

    /// The map with every weight rounded to the nearest multiple of `step`; the identity stays.
    #[must_use]
    pub fn rounded(mut self, step: f64) -> LinearMap {
        let round = |weight: &mut f64| *weight = (*weight / step).round() * step;
        match &mut self {
            LinearMap::Identity { .. } => {}
            LinearMap::Convolution { weights, .. } | LinearMap::Dense { weights, .. } => {
                weights.iter_mut().for_each(round);
            }
            LinearMap::Sparse { rows, .. } => {
                rows.iter_mut().flatten().for_each(|(_, weight)| round(weight));
            }
        }
        self
    }

    /// The map that does `self` first and `next` on its result.
    pub fn then(self, next: LinearMap) -> LinearMap {
        match (self, next) {
            (LinearMap::Identity { .. }, next) => next,
            (first, LinearMap::Identity { .. }) => first,
            (first, LinearMap::Dense { targets, sources: middle, weights }) => {
                dense_after(&first, targets, middle, &weights)
            }
            (first, next) => match merged_convolution(&first, &next)
                .or_else(|| channels_mixed_first(&first, &next))
            {
                Some(merged) => merged,
                None => sparse_after(&first, &next),
            },
        }
    }

    /// The map with target t multiplied by `gain(t)` and source s by `scale(s)`, where both depend
    /// on the channel only (`channel_of_target`, `channel_of_source`).
    pub fn scaled(&self, source: &ChannelScale, target: &ChannelScale) -> LinearMap {
        match self {
            LinearMap::Identity { size } => {
                let row = |n: usize| vec![(n as u32, source.at(n) * target.at(n))];
                LinearMap::Sparse { targets: *size, rows: (0..*size).map(row).collect() }
            }
            LinearMap::Convolution { geometry, weights } => {
                let [_, per_group, height, width] = geometry.weight_shape().map(|n| n as usize);
                let out_group = geometry.target[0] as usize / geometry.groups as usize;
                let area = |extents: [u32; 3]| (extents[1] * extents[2]) as usize;
                let (source_area, target_area) = (area(geometry.source), area(geometry.target));
                let taps = height * width;
                let scale = |(index, weight): (usize, &f64)| {
                    let (out, within) = (index / taps / per_group, index / taps % per_group);
                    let channel = out / out_group * per_group + within;
                    weight * source.at(channel * source_area) * target.at(out * target_area)
                };
                let weights = weights.iter().enumerate().map(scale).collect();
                LinearMap::Convolution { geometry: *geometry, weights }
            }
            LinearMap::Dense { targets, sources, weights } => {
                let scale = |(index, weight): (usize, &f64)| {
                    weight * source.at(index % sources) * target.at(index / sources)
                };
                let weights = weights.iter().enumerate().map(scale).collect();
                LinearMap::Dense { targets: *targets, sources: *sources, weights }
            }
            LinearMap::Sparse { targets, rows } => {
                let row = |(s, row): (usize, &Vec<(u32, f64)>)| {
                    let scale =
                        |&(t, w): &(u32, f64)| (t, w * source.at(s) * target.at(t as usize));
                    row.iter().map(scale).collect()
                };
                LinearMap::Sparse {
                    targets: *targets,
                    rows: rows.iter().enumerate().map(row).collect(),
                }
            }
        }
    }
}

/// One factor a channel of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelScale {
    /// One factor a channel, or one for all.
    pub factors: Vec<f64>,
    /// Neurons that share a channel, one after the other.
    pub per_channel: usize,
}

impl ChannelScale {
    /// The factor 1 for all.
    pub fn one() -> Self {
        ChannelScale { factors: vec![1.0], per_channel: usize::MAX }
    }

    /// The factor of a neuron.
    pub fn at(&self, neuron: usize) -> f64 {
        let channel = neuron / self.per_channel.max(1);
        self.factors.get(channel).or(self.factors.last()).copied().unwrap_or(1.0)
    }

    /// One over each factor.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let factors = self.factors.iter().map(|factor| 1.0 / factor).collect();
        ChannelScale { factors, per_channel: self.per_channel }
    }
}

/// A dense layer behind any map is a dense layer.
fn dense_after(first: &LinearMap, targets: usize, middle: usize, weights: &[f64]) -> LinearMap {
    let sources = first.sources();
    let mut product = vec![0.0; targets * sources];
    for source in 0..sources {
        first.for_each_target(source, |via, weight| {
            for target in 0..targets {
                product[target * sources + source] += weights[target * middle + via] * weight;
            }
        });
    }
    LinearMap::Dense { targets, sources, weights: product }
}

/// A convolution behind a channel-wise one (a pooling) as one convolution, where windows nest.
fn merged_convolution(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let (
        LinearMap::Convolution { geometry: pool, weights: pool_weights },
        LinearMap::Convolution { geometry: outer, weights },
    ) = (first, next)
    else {
        return None;
    };
    let channel_wise = pool.groups == pool.source[0] && pool.groups == pool.target[0];
    let plain = pool.padding == [0; 4] && pool.dilation == [1, 1] && outer.dilation == [1, 1];
    if !channel_wise || !plain || pool.target != outer.source {
        return None;
    }
    let mut merged = Geometry { source: pool.source, ..*outer };
    for axis in 0..2 {
        let (stride, kernel) = (pool.stride[axis], pool.kernel[axis]);
        // Pooled cells in the padding must read nothing: the pool has to use up its whole source.
        let used = stride * (pool.target[axis + 1] - 1) + kernel;
        if used != pool.source[axis + 1] && outer.padding[axis + 2] > 0 {
            return None;
        }
        // A window that overlaps the padding's first real cell would lose what reaches over.
        if kernel > stride && outer.padding[axis] + outer.padding[axis + 2] > 0 {
            return None;
        }
        merged.kernel[axis] = (outer.kernel[axis] - 1) * stride + kernel;
        merged.stride[axis] = outer.stride[axis] * stride;
        merged.padding[axis] = outer.padding[axis] * stride;
        merged.padding[axis + 2] = outer.padding[axis + 2] * stride;
    }
    merged.check().ok()?;
    let weights = nested_kernel(pool, pool_weights, outer, weights, &merged);
    Some(LinearMap::Convolution { geometry: merged, weights })
}

/// A convolution behind one that only mixes the channels of each cell (1 × 1) as one convolution.
///
/// Linear bottlenecks project and expand in this way without an activation between.
fn channels_mixed_first(first: &LinearMap, next: &LinearMap) -> Option<LinearMap> {
    let (
        LinearMap::Convolution { geometry: mix, weights: mix_weights },
        LinearMap::Convolution { geometry: outer, weights },
    ) = (first, next)
    else {
        return None;
    };
    let cell_wise = mix.kernel == [1, 1] && mix.stride == [1, 1] && mix.padding == [0; 4];
    if !cell_wise || mix.groups != 1 || outer.groups != 1 || mix.target != outer.source {
        return None;
    }
    let [out, middle, height, width] = outer.weight_shape().map(|n| n as usize);
    let (sources, taps) = (mix.source[0] as usize, height * width);
    let mut merged = vec![0.0; out * sources * taps];
    for (index, weight) in weights.iter().enumerate() {
        let (tap, via, target) = (index % taps, index / taps % middle, index / taps / middle);
        for source in 0..sources {
            merged[(target * sources + source) * taps + tap] +=
                weight * mix_weights[via * sources + source];
        }
    }
    let geometry = Geometry { source: mix.source, ..*outer };
    geometry.check().ok()?;
    Some(LinearMap::Convolution { geometry, weights: merged })
}

fn nested_kernel(
    pool: &Geometry,
    pool_weights: &[f64],
    outer: &Geometry,
    weights: &[f64],
    merged: &Geometry,
) -> Vec<f64> {
    let [out, per_group, height, width] = outer.weight_shape().map(|n| n as usize);
    let [merged_height, merged_width] = merged.kernel.map(|n| n as usize);
    let [pool_height, pool_width] = pool.kernel.map(|n| n as usize);
    let [down, right] = pool.stride.map(|n| n as usize);
    let out_group = out / outer.groups as usize;
    let mut kernel = vec![0.0; out * per_group * merged_height * merged_width];
    for (index, weight) in weights.iter().enumerate() {
        let (row, column) = (index / width % height, index % width);
        let plane = index / width / height;
        let channel = plane / per_group / out_group * per_group + plane % per_group;
        for tap in 0..pool_height * pool_width {
            let (tap_row, tap_column) = (tap / pool_width, tap % pool_width);
            let at_row = row * down + tap_row;
            let at_column = column * right + tap_column;
            kernel[(plane * merged_height + at_row) * merged_width + at_column] +=
                weight * pool_weights[channel * pool_height * pool_width + tap];
        }
    }
    kernel
}

/// Any two maps as a list.
fn sparse_after(first: &LinearMap, next: &LinearMap) -> LinearMap {
    let mut rows = Vec::with_capacity(first.sources());
    let mut sums = vec![0.0; next.targets()];
    let mut reached: Vec<u32> = Vec::new();
    let mut seen = vec![false; next.targets()];
    for source in 0..first.sources() {
        first.for_each_target(source, |via, weight| {
            next.for_each_target(via, |target, next_weight| {
                sums[target] += weight * next_weight;
                if !std::mem::replace(&mut seen[target], true) {
                    reached.push(target as u32);
                }
            });
        });
        reached.sort_unstable();
        let mut row = Vec::with_capacity(reached.len());
        for target in reached.drain(..) {
            let index = target as usize;
            seen[index] = false;
            row.push((target, std::mem::take(&mut sums[index])));
        }
        rows.push(row);
    }
    LinearMap::Sparse { targets: next.targets(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convolution(
        source: [u32; 3],
        out: u32,
        kernel: u32,
        stride: u32,
        padding: u32,
        groups: u32,
    ) -> LinearMap {
        let extent = |n: u32| (n + 2 * padding - kernel) / stride + 1;
        let geometry = Geometry {
            source,
            target: [out, extent(source[1]), extent(source[2])],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 4],
            dilation: [1; 2],
            groups,
        };
        geometry.check().unwrap();
        let weights =
            (0..geometry.weight_count()).map(|k| ((k * 37 % 101) as f64 - 50.0) / 50.0).collect();
        LinearMap::Convolution { geometry, weights }
    }

    fn dense(targets: usize, sources: usize) -> LinearMap {
        let weights = (0..targets * sources).map(|k| (k as f64 * 0.37).sin()).collect();
        LinearMap::Dense { targets, sources, weights }
    }

    fn image(map: &LinearMap, values: &[f64]) -> Vec<f64> {
        let mut output = vec![0.0; map.targets()];
        map.apply(values, &mut output);
        output
    }

    #[test]
    fn a_composition_does_what_its_parts_do() {
        let pool = |source| convolution(source, source[0], 2, 2, 0, source[0]);
        let cases = [
            (pool([3, 8, 8]), convolution([3, 4, 4], 5, 3, 1, 1, 1), "Convolution"),
            (pool([4, 6, 6]), convolution([4, 3, 3], 4, 2, 1, 0, 2), "Convolution"),
            // An odd picture: the pool drops its last row, so padding must not reach it.
            (pool([2, 7, 7]), convolution([2, 3, 3], 2, 3, 1, 1, 1), "Sparse"),
            // Overlapping windows with padding behind them do not nest.
            (
                convolution([2, 7, 7], 2, 3, 2, 0, 2),
                convolution([2, 3, 3], 2, 3, 1, 1, 1),
                "Sparse",
            ),
            (
                convolution([2, 5, 5], 3, 3, 1, 1, 1),
                convolution([3, 5, 5], 2, 3, 1, 0, 1),
                "Sparse",
            ),
            // Cells do not see each other in a 1 × 1 convolution: padding is as good behind it.
            (
                convolution([6, 5, 5], 2, 1, 1, 0, 1),
                convolution([2, 5, 5], 4, 3, 2, 1, 1),
                "Convolution",
            ),
            (
                convolution([6, 5, 5], 2, 1, 1, 0, 2),
                convolution([2, 5, 5], 4, 3, 2, 1, 1),
                "Sparse",
            ),
            (pool([3, 4, 4]), dense(7, 12), "Dense"),
            (dense(6, 5), dense(4, 6), "Dense"),
            (dense(12, 5), convolution([3, 2, 2], 2, 2, 1, 0, 1), "Sparse"),
        ];
        for (first, next, kind) in cases {
            let values: Vec<f64> = (0..first.sources()).map(|k| (k as f64 * 1.3).cos()).collect();
            let expected = image(&next, &image(&first, &values));
            let merged = first.then(next);
            assert!(format!("{merged:?}").starts_with(kind), "{kind}");
            for (a, b) in image(&merged, &values).iter().zip(&expected) {
                assert!((a - b).abs() < 1e-12, "{kind}: {a} {b}");
            }
        }
    }

    #[test]
    fn rounding_leaves_no_weight_further_than_half_a_step() {
        let sparse =
            convolution([2, 4, 4], 2, 3, 1, 1, 1).then(convolution([2, 4, 4], 4, 3, 1, 1, 1));
        for map in [convolution([2, 4, 4], 4, 3, 1, 1, 2), dense(6, 5), sparse] {
            let step = map.largest_weight() / 127.0;
            let rounded = map.clone().rounded(step);
            assert!((rounded.largest_weight() - map.largest_weight()).abs() < 1e-12);
            for source in 0..map.sources() {
                let mut before = vec![0.0; map.targets()];
                map.for_each_target(source, |target, weight| before[target] = weight);
                rounded.for_each_target(source, |target, weight| {
                    assert!((weight - before[target]).abs() <= step * 0.500_001);
                    assert!((weight / step - (weight / step).round()).abs() < 1e-9);
                });
            }
        }
        assert_eq!(LinearMap::Identity { size: 3 }.largest_weight(), 1.0);
    }

    #[test]
    fn scaling_multiplies_sources_and_targets_by_their_channel() {
        let source = ChannelScale { factors: vec![2.0, 3.0], per_channel: 16 };
        let target = ChannelScale { factors: vec![0.5, 5.0, 7.0, 11.0], per_channel: 16 };
        for map in [
            convolution([2, 4, 4], 4, 3, 1, 1, 1),
            convolution([2, 4, 4], 4, 3, 1, 1, 2),
            dense(64, 32),
            convolution([2, 4, 4], 2, 3, 1, 1, 1).then(convolution([2, 4, 4], 4, 3, 1, 1, 1)),
        ] {
            let values: Vec<f64> = (0..32).map(|k| (k as f64 * 0.7).sin()).collect();
            let scaled_in: Vec<f64> =
                values.iter().enumerate().map(|(n, v)| v * source.at(n)).collect();
            let expected = image(&map, &scaled_in);
            let found = image(&map.scaled(&source, &target), &values);
            for (n, (a, b)) in found.iter().zip(&expected).enumerate() {
                assert!((a - b * target.at(n)).abs() < 1e-12);
            }
        }
    }
}
