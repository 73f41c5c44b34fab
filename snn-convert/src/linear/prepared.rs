//! Linear maps laid out for many samples.

use super::LinearMap;
use sim_core::connectome::{Rows, Scatter};
use sim_core::engine::Instructions;

/// A map whose weights lie in the order in which sources use them.
#[derive(Debug, Clone)]
pub enum PreparedMap {
    /// Weights `[source, target]`.
    Dense {
        /// Values that come out.
        targets: usize,
        /// Weights.
        weights: Vec<f64>,
    },
    /// A convolution as runs.
    Convolution {
        /// Its tables.
        scatter: Box<Scatter>,
        /// Weights as they are laid out.
        weights: Vec<f64>,
    },
    /// As it is.
    Other(LinearMap),
}

impl PreparedMap {
    /// Lays a map out.
    pub fn new(map: &LinearMap) -> Self {
        match map {
            LinearMap::Dense { targets, sources, weights } => {
                let column = |source: usize| weights.iter().skip(source).step_by((*sources).max(1));
                let weights = (0..*sources).flat_map(column).copied().collect();
                PreparedMap::Dense { targets: *targets, weights }
            }
            LinearMap::Convolution { geometry, weights } => {
                let scatter = Box::new(Scatter::new(*geometry));
                let weights = scatter.lay_out(weights);
                PreparedMap::Convolution { scatter, weights }
            }
            other => PreparedMap::Other(other.clone()),
        }
    }

    /// Adds the image of `values` to `output`: the same bits as [`LinearMap::apply`].
    pub fn apply(&self, values: &[f64], output: &mut [f64]) {
        match self {
            PreparedMap::Dense { targets, weights } => {
                let there = |source: &u32| values[*source as usize] != 0.0;
                let sources: Vec<u32> = (0..values.len() as u32).filter(there).collect();
                let factor = |place: usize| values[sources[place] as usize];
                let rows = Rows { weights, width: *targets, first: 0 };
                rows.add(Instructions::widest(), &sources, factor, output);
            }
            PreparedMap::Convolution { scatter, weights } => {
                scatter.apply(values, weights, output, &mut Vec::new());
            }
            PreparedMap::Other(map) => map.apply(values, output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::network::Convolution;

    #[test]
    fn prepared_maps_give_the_same_bits() {
        let geometry = Convolution {
            source: [2, 5, 6],
            target: [4, 5, 3],
            kernel: [3, 3],
            stride: [1, 2],
            padding: [1, 1, 1, 1],
            dilation: [1, 1],
            groups: 1,
        };
        geometry.check().unwrap();
        let numbers =
            |count: usize| (0..count).map(|n| (n as f64 * 0.71).sin()).collect::<Vec<_>>();
        let weights = numbers(4 * 2 * 9);
        let maps = [
            LinearMap::Convolution { geometry, weights },
            LinearMap::Dense { targets: 7, sources: 60, weights: numbers(420) },
            LinearMap::Identity { size: 60 },
        ];
        let mut values = numbers(60);
        values.iter_mut().step_by(3).for_each(|value| *value = 0.0);
        for map in maps {
            let mut expected: Vec<f64> = (0..map.targets()).map(|n| (n as f64).cos()).collect();
            let mut prepared = expected.clone();
            map.apply(&values, &mut expected);
            PreparedMap::new(&map).apply(&values, &mut prepared);
            assert_eq!(prepared, expected);
        }
    }
}
