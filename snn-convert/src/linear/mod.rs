//! Linear maps between two layers of neurons, and their composition.
//!
//! What lies between two spiking populations (convolution, pooling by mean, flatten, dense, …) is
//! one linear map. A pooling and the convolution or dense layer behind it become one map, so that no
//! neurons are spent on pooling, and chips that know only convolution and dense layers can hold it.

mod compose;
mod prepared;
mod sum;
#[cfg(test)]
mod tests;

pub use prepared::PreparedMap;

pub use sim_core::network::Convolution as Geometry;

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
                compose::dense_after(&first, targets, middle, &weights)
            }
            (first, next) => compose::compose(&first, &next),
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
