//! Population: each value drives several neurons, each most where the value lies near its centre.
//!
//! The centres c_k of n neurons lie evenly at a distance d, the outermost one distance beyond the lowest
//! and the highest value; neuron k spikes at the rate exp(−(x − c_k)² / 2σ²) with σ = d. The rates become
//! evenly spaced spikes. A value is read back as b + Σ_k a_k r_k: with overlapping bells there are
//! weights a_k and b that hit every value closely (least squares on a fine grid). They are linear, so
//! a converted network's first layer simply reads through them, and values may have any range.
//!
//! Source: Bohte, Kok and La Poutré 2002, Neurocomputing 48:17 (Gaussian receptive fields).

use super::{CodeEntry, InputCode};
use crate::linear::LinearMap;
use crate::lower::{Conversion, INPUT, list};
use sim_core::network::{Connectivity, Neuron, Population, Projection, Shape, Stimulus};
use sim_core::units::{Milliseconds, Values};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "population",
    summary: "each value drives several neurons with bell-shaped tuning; any range of values",
    code: InputCode::Population,
};

/// Neurons a value.
pub const NEURONS: usize = 6;

/// Points at which the read-out is fitted.
const FITTED: usize = 257;

/// The tuning of the neurons of one value, and how it is read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// The value that each neuron likes best.
    pub centres: Vec<f64>,
    /// Width σ of the bells.
    pub width: f64,
    /// Weight of each neuron's rate in the read-out.
    pub weights: Vec<f64>,
    /// Constant part of the read-out.
    pub offset: f64,
}

impl Tuning {
    /// Neurons for values from `low` to `high`, at least four.
    pub fn new(low: f64, high: f64, neurons: usize) -> Self {
        let neurons = neurons.max(4);
        let high = if high > low { high } else { low + 1.0 };
        let distance = (high - low) / (neurons - 3) as f64;
        let centres = (0..neurons).map(|k| low + distance * (k as f64 - 1.0)).collect();
        let mut tuning =
            Tuning { centres, width: distance, weights: vec![0.0; neurons], offset: 0.0 };
        tuning.fit(low, high);
        tuning
    }

    /// The rate of each neuron, 0 to 1 spikes a step.
    pub fn rates(&self, value: f64) -> Vec<f64> {
        let rate = |centre: &f64| (-0.5 * ((value - centre) / self.width).powi(2)).exp();
        self.centres.iter().map(rate).collect()
    }

    /// The value that rates stand for.
    pub fn decode(&self, rates: &[f64]) -> f64 {
        self.offset + self.weights.iter().zip(rates).map(|(a, r)| a * r).sum::<f64>()
    }

    /// Weights and offset of the least squared error over the range, by the normal equations.
    fn fit(&mut self, low: f64, high: f64) {
        let count = self.centres.len() + 1;
        let mut matrix = vec![vec![0.0; count + 1]; count];
        for point in 0..FITTED {
            let value = low + (high - low) * point as f64 / (FITTED - 1) as f64;
            let mut terms = self.rates(value);
            terms.push(1.0);
            for (row, &left) in matrix.iter_mut().zip(&terms) {
                row.iter_mut().zip(&terms).for_each(|(cell, right)| *cell += left * right);
                row[count] += left * value;
            }
        }
        let mut solution = solve(matrix);
        self.offset = solution.pop().unwrap_or(0.0);
        self.weights = solution;
    }
}

/// Gaussian elimination with the largest pivot; each row ends with its right-hand side.
fn solve(mut matrix: Vec<Vec<f64>>) -> Vec<f64> {
    let count = matrix.len();
    for column in 0..count {
        let size = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..count).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(column);
        matrix.swap(column, pivot);
        let lead = matrix[column].clone();
        if lead[column] == 0.0 {
            continue;
        }
        for (index, row) in matrix.iter_mut().enumerate() {
            if index != column {
                let factor = row[column] / lead[column];
                row.iter_mut().zip(&lead).for_each(|(cell, lead)| *cell -= factor * lead);
            }
        }
    }
    (0..count).map(|row| matrix[row][count] / matrix[row][row]).collect()
}

/// Gives a conversion whose samples enter as deterministic rates an input of populations
/// `[value, neuron]`: the first layers read through them.
#[must_use]
pub fn drive(mut conversion: Conversion, tuning: Tuning) -> Conversion {
    let size = conversion.sample_size;
    let neurons = tuning.centres.len();
    let shape = Shape::List((size * neurons) as u32);
    conversion.network.add_population(INPUT, Population::shaped(shape, Neuron::spike_source()));
    let rows = (0..size)
        .flat_map(|value| tuning.weights.iter().map(move |&weight| vec![(value as u32, weight)]));
    let read = LinearMap::Sparse { targets: size, rows: rows.collect() };
    let own = conversion.network.projections.iter().filter(|(_, own)| own.source == INPUT);
    let names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
    for name in names {
        let network = &mut conversion.network;
        let Some(old) = network.projections.get(&name).cloned() else { continue };
        let Some(target) = network.populations.get(&old.target) else { continue };
        let targets = target.size.size() as usize;
        let Some(map) = map_of(&old, size, targets) else { continue };
        // The constant part of the read-out acts as each step's spikes do.
        let mut constant = vec![0.0; targets];
        map.apply(&vec![tuning.offset; size], &mut constant);
        let current = Stimulus::constant_current(
            old.target.clone(),
            Values::numbers(constant),
            Milliseconds(1.0),
        );
        network.add_stimulus(format!("read-out of {name}"), current);
        let (connectivity, weights) = list(&rows_of(&read.clone().then(map)));
        let new = Projection { connectivity, weight: Values::numbers(weights), ..old };
        network.add_projection(name, new);
    }
    conversion.input.code = InputCode::Population;
    conversion.input.tuning = Some(tuning);
    conversion
}

/// A projection as a map; `None` for rules that draw at random.
fn map_of(projection: &Projection, sources: usize, targets: usize) -> Option<LinearMap> {
    let Values::Each { values, .. } = &projection.weight else { return None };
    let weights = values.clone();
    Some(match &projection.connectivity {
        Connectivity::Convolution(geometry) => {
            LinearMap::Convolution { geometry: *geometry, weights }
        }
        Connectivity::Dense(_) => LinearMap::Dense { targets, sources, weights },
        Connectivity::OneToOne(_) => {
            let rows = weights.iter().enumerate().map(|(n, &weight)| vec![(n as u32, weight)]);
            LinearMap::Sparse { targets, rows: rows.collect() }
        }
        Connectivity::List(list) => {
            let mut rows = vec![Vec::new(); sources];
            let pairs = list.sources.iter().zip(&list.targets);
            for ((&source, &target), &weight) in pairs.zip(&weights) {
                rows[source as usize].push((target, weight));
            }
            LinearMap::Sparse { targets, rows }
        }
        _ => return None,
    })
}

fn rows_of(map: &LinearMap) -> Vec<Vec<(u32, f64)>> {
    let row = |source| {
        let mut row = Vec::new();
        map.for_each_target(source, |target, weight| row.push((target as u32, weight)));
        row
    };
    (0..map.sources()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::deterministic_rate;
    use proptest::prelude::*;

    #[test]
    fn rates_are_bells_around_evenly_spaced_centres() {
        let tuning = Tuning::new(-1.0, 1.0, 5);
        assert_eq!(tuning.centres, [-2.0, -1.0, 0.0, 1.0, 2.0]);
        let rates = tuning.rates(1.0);
        for (k, rate) in rates.iter().enumerate() {
            // exp(−k²/2), k neighbours away from the centre at 1.
            let away = k as f64 - 3.0;
            assert!((rate - (-away * away / 2.0).exp()).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_close_to_what_was_encoded(
            low in -3.0..0.0_f64, range in 0.5..4.0_f64, place in 0.0..=1.0_f64, neurons in 4..10_usize,
        ) {
            let tuning = Tuning::new(low, low + range, neurons);
            let value = low + range * place;
            // How straight a line bells give, in parts of the range: an independent fit of four to
            // nine neurons has its largest error, 0.0022, with five.
            let line = 0.0025 * range;
            let error = (tuning.decode(&tuning.rates(value)) - value).abs();
            prop_assert!(error < line, "{error}");
            // As spikes: each count is the nearest, so half a spike a neuron is left.
            let steps = 256;
            let counts = tuning.rates(value).into_iter().map(|rate| {
                let sent = (1..=steps).filter(|&step| deterministic_rate::spikes(rate, step)).count();
                sent as f64 / f64::from(steps)
            });
            let decoded = tuning.decode(&counts.collect::<Vec<_>>());
            let left = tuning.weights.iter().map(|a| a.abs()).sum::<f64>() * 0.5 / f64::from(steps);
            prop_assert!((decoded - value).abs() < line + left);
        }
    }
}
