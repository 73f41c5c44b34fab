//! What spikes of one layer bring to the next, laid out for speed.
//!
//! Targets of a convolution are summed channels last: the weights that one spike brings to all
//! channels of a cell lie side by side, so the inner loop is a run of multiply-adds.

use crate::linear::LinearMap;
use sim_core::connectome::{Rows, Scatter};
use sim_core::engine::Instructions;
use sim_core::neuron::exact;

/// A spike of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpike {
    /// Index within the layer.
    pub neuron: u32,
    /// Its payload: 1, or for signed spikes and bursts another number.
    pub payload: i32,
}

/// A linear map with weights on the grid of stepwise models (see [`exact`]).
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A convolution; sums lie channels last within each group.
    Convolution {
        /// The runs that spikes add.
        scatter: Box<Scatter>,
        /// Weights as they are laid out.
        weights: Vec<f64>,
    },
    /// A matrix `[source, target]`.
    Dense {
        /// Number of targets.
        targets: usize,
        /// Weights.
        weights: Vec<f64>,
    },
    /// Listed weights.
    Sparse {
        /// Number of targets.
        targets: usize,
        /// First entry of each source, and the end.
        rows: Vec<usize>,
        /// Target and weight of each entry.
        entries: Vec<(u32, f64)>,
    },
}

impl Delivery {
    /// Lays out a map.
    pub fn new(map: &LinearMap) -> Self {
        match map {
            LinearMap::Convolution { geometry, weights } => {
                let scatter = Box::new(Scatter::new(*geometry));
                let rounded: Vec<f64> = weights.iter().map(|&w| exact::round(w)).collect();
                let weights = scatter.lay_out(&rounded);
                Delivery::Convolution { scatter, weights }
            }
            LinearMap::Dense { targets, sources, weights } => {
                let mut turned = vec![0.0; weights.len()];
                for (index, &weight) in weights.iter().enumerate() {
                    turned[index % sources * targets + index / sources] = exact::round(weight);
                }
                Delivery::Dense { targets: *targets, weights: turned }
            }
            other => {
                let mut rows = vec![0];
                let mut entries = Vec::new();
                for source in 0..other.sources() {
                    other.for_each_target(source, |target, weight| {
                        entries.push((target as u32, exact::round(weight)));
                    });
                    rows.push(entries.len());
                }
                Delivery::Sparse { targets: other.targets(), rows, entries }
            }
        }
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        match self {
            Delivery::Convolution { scatter, .. } => scatter.targets(),
            Delivery::Dense { targets, .. } | Delivery::Sparse { targets, .. } => *targets,
        }
    }

    /// Adds to `sums`, in the layout of [`Delivery::collect`], what spikes bring.
    pub fn deliver(&self, spikes: &[LayerSpike], sums: &mut [f64]) {
        let neurons: Vec<u32> = spikes.iter().map(|spike| spike.neuron).collect();
        match self {
            Delivery::Convolution { scatter, weights } => {
                let payloads: Vec<i32> = spikes.iter().map(|spike| spike.payload).collect();
                scatter.add(Instructions::widest(), &neurons, &payloads, weights, sums);
            }
            Delivery::Dense { targets, weights } => {
                let rows = Rows { weights, width: *targets, first: 0 };
                let factor = |place: usize| f64::from(spikes[place].payload);
                rows.add(Instructions::widest(), &neurons, factor, sums);
            }
            Delivery::Sparse { rows, entries, .. } => {
                for spike in spikes {
                    let source = spike.neuron as usize;
                    let payload = f64::from(spike.payload);
                    for &(target, weight) in &entries[rows[source]..rows[source + 1]] {
                        sums[target as usize] += weight * payload;
                    }
                }
            }
        }
    }

    /// Adds `sums` to `input`, which is in the order of the neurons, and empties them.
    pub fn collect(&self, sums: &mut [f64], input: &mut [f64]) {
        if let Delivery::Convolution { scatter, .. } = self {
            let mut turned = vec![0.0; sums.len()];
            scatter.gather(sums, &(0..sums.len() as u32), &mut turned);
            input.iter_mut().zip(turned).for_each(|(slot, sum)| *slot += sum);
            sums.fill(0.0);
            return;
        }
        for (slot, sum) in input.iter_mut().zip(sums) {
            *slot += std::mem::take(sum);
        }
    }
}
