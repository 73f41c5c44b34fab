//! The sum of two maps between the same layers, as one.

use super::LinearMap;

impl LinearMap {
    /// The map whose result is the sum of both, where their forms allow one as compact: two of the
    /// same geometry, or two that list their weights.
    ///
    /// # Errors
    /// Gives both back where they do not.
    pub fn plus(self, other: LinearMap) -> Result<LinearMap, Box<[LinearMap; 2]>> {
        match (self, other) {
            (
                LinearMap::Convolution { geometry, weights },
                LinearMap::Convolution { geometry: same, weights: more },
            ) if geometry == same => {
                Ok(LinearMap::Convolution { geometry, weights: added(weights, &more) })
            }
            (
                LinearMap::Dense { targets, sources, weights },
                LinearMap::Dense { weights: more, .. },
            ) => Ok(LinearMap::Dense { targets, sources, weights: added(weights, &more) }),
            (one, other) => match (one.is_listed(), other.is_listed()) {
                (true, true) => {
                    let targets = one.targets();
                    let (one, other) = (one.into_rows(), other.into_rows());
                    let rows = one.into_iter().zip(other).map(|(one, other)| merged(one, other));
                    Ok(LinearMap::Sparse { targets, rows: rows.collect() })
                }
                _ => Err(Box::new([one, other])),
            },
        }
    }

    fn is_listed(&self) -> bool {
        matches!(self, LinearMap::Identity { .. } | LinearMap::Sparse { .. })
    }

    fn into_rows(self) -> Vec<Vec<(u32, f64)>> {
        match self {
            LinearMap::Sparse { rows, .. } => rows,
            other => {
                let row = |source| {
                    let mut row = Vec::new();
                    other.for_each_target(source, |target, w| row.push((target as u32, w)));
                    row
                };
                (0..other.sources()).map(row).collect()
            }
        }
    }
}

fn added(mut weights: Vec<f64>, more: &[f64]) -> Vec<f64> {
    weights.iter_mut().zip(more).for_each(|(weight, more)| *weight += more);
    weights
}

/// Two rows with targets ascending as one.
fn merged(one: Vec<(u32, f64)>, other: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    let mut row: Vec<(u32, f64)> = Vec::with_capacity(one.len().max(other.len()));
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    loop {
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if b.0 < a.0 => other.next(),
            (None, Some(_)) => other.next(),
            _ => one.next(),
        };
        match (next, row.last_mut()) {
            (None, _) => return row,
            (Some((target, weight)), Some(last)) if last.0 == target => last.1 += weight,
            (Some(entry), _) => row.push(entry),
        }
    }
}
