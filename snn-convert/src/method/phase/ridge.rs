//! Ridge regression on rows most of whose features are zero.
//!
//! # Equations
//! For rows x [features] and y [targets] with their means taken off, the W [targets, features] for
//! which Σ |W x − y|² + λ |W|² is smallest: W = Yᵀ X (Xᵀ X + λ)⁻¹, or where there are fewer rows than
//! features W = Yᵀ (X Xᵀ + λ)⁻¹ X, which is the same. λ is a part of the mean of Σ x² over features.
//!
//! # References
//! Hoerl and Kennard 1970, Technometrics 12:55.

use rayon::prelude::*;

/// Rows of features and of what they should give.
pub(super) struct Rows {
    /// Features of a row.
    pub features: usize,
    /// Targets of a row.
    pub targets: usize,
    /// `[row, feature]`.
    pub x: Vec<f64>,
    /// `[row, target]`.
    pub y: Vec<f64>,
}

/// Parts that sums over rows are made in, and added up in order: results do not depend on threads.
const PARTS: usize = 4;

/// W `[target, feature]` for λ = `ridge` times the mean of Σ x²; none where nothing can be fitted.
pub(super) fn solve(rows: &Rows, ridge: f64) -> Option<Vec<f64>> {
    let count = rows.x.len() / rows.features.max(1);
    if count < 2 || rows.targets == 0 || rows.y.len() != count * rows.targets {
        return None;
    }
    let means = |values: &[f64], width: usize| -> Vec<f64> {
        let mut sums = vec![0.0; width];
        for row in values.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        sums.into_iter().map(|sum| sum / count as f64).collect()
    };
    let (x_means, y_means) = (means(&rows.x, rows.features), means(&rows.y, rows.targets));
    let total: f64 = rows.x.iter().map(|x| x * x).sum::<f64>()
        - count as f64 * x_means.iter().map(|mean| mean * mean).sum::<f64>();
    let lambda = ridge * total / rows.features as f64;
    if lambda.is_nan() || lambda <= 0.0 || !lambda.is_finite() {
        return None;
    }
    let solution = match count >= rows.features {
        true => by_features(rows, &x_means, &y_means, lambda),
        false => by_rows(rows, &x_means, &y_means, lambda),
    }?;
    solution.iter().all(|weight| weight.is_finite()).then_some(solution)
}

/// The solution of as many equations as there are features.
fn by_features(rows: &Rows, x_means: &[f64], y_means: &[f64], lambda: f64) -> Option<Vec<f64>> {
    let (n, targets) = (rows.features, rows.targets);
    let count = rows.x.len() / n;
    let part = count.div_ceil(PARTS).max(1);
    let parts: Vec<[Vec<f64>; 2]> = rows
        .x
        .par_chunks(part * n)
        .zip(rows.y.par_chunks(part * targets))
        .map(|(x, y)| {
            let (mut square, mut product) = (vec![0.0; n * n], vec![0.0; n * targets]);
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact(targets)) {
                let there: Vec<usize> = (0..n).filter(|&place| x[place] != 0.0).collect();
                for (order, &first) in there.iter().enumerate() {
                    let value = x[first];
                    let row = &mut square[first * n..(first + 1) * n];
                    there[order..].iter().for_each(|&second| row[second] += value * x[second]);
                    let row = &mut product[first * targets..(first + 1) * targets];
                    row.iter_mut().zip(y).for_each(|(sum, y)| *sum += value * y);
                }
            }
            [square, product]
        })
        .collect();
    let mut parts = parts.into_iter();
    let [mut square, mut product] = parts.next()?;
    for [more_square, more_product] in parts {
        square.iter_mut().zip(more_square).for_each(|(sum, more)| *sum += more);
        product.iter_mut().zip(more_product).for_each(|(sum, more)| *sum += more);
    }
    for (first, mean) in x_means.iter().enumerate() {
        let mean = count as f64 * mean;
        let row = &mut square[first * n..(first + 1) * n];
        row.iter_mut().zip(x_means).for_each(|(sum, other)| *sum -= mean * other);
        row[first] += lambda;
        let row = &mut product[first * targets..(first + 1) * targets];
        row.iter_mut().zip(y_means).for_each(|(sum, other)| *sum -= mean * other);
    }
    divide(&mut square, n, &mut product, targets)?;
    Some((0..targets * n).map(|k| product[k % n * targets + k / n]).collect())
}

/// The solution of as many equations as there are rows.
fn by_rows(rows: &Rows, x_means: &[f64], y_means: &[f64], lambda: f64) -> Option<Vec<f64>> {
    let (features, targets) = (rows.features, rows.targets);
    let count = rows.x.len() / features;
    let centred: Vec<f64> =
        rows.x.iter().enumerate().map(|(k, x)| x - x_means[k % features]).collect();
    let row_of = |row: usize| &centred[row * features..(row + 1) * features];
    let mut square: Vec<f64> = (0..count * count)
        .into_par_iter()
        .map(|k| match k % count >= k / count {
            true => row_of(k / count).iter().zip(row_of(k % count)).map(|(a, b)| a * b).sum(),
            false => 0.0,
        })
        .collect();
    (0..count).for_each(|row| square[row * count + row] += lambda);
    let mut weights: Vec<f64> =
        rows.y.iter().enumerate().map(|(k, y)| y - y_means[k % targets]).collect();
    divide(&mut square, count, &mut weights, targets)?;
    let of_target = |target: usize| {
        let mut own = vec![0.0; features];
        for row in 0..count {
            let weight = weights[row * targets + target];
            own.iter_mut().zip(row_of(row)).for_each(|(sum, x)| *sum += weight * x);
        }
        own
    };
    Some((0..targets).into_par_iter().flat_map_iter(of_target).collect())
}

/// Solves `square` s = `right` for s, which replaces `right` `[n, columns]`, by the factors of
/// Cholesky; of the symmetric `square` `[n, n]` the part above the diagonal is read. None where it is
/// not positive definite.
fn divide(square: &mut [f64], n: usize, right: &mut [f64], columns: usize) -> Option<()> {
    for pivot in 0..n {
        let (done, below) = square.split_at_mut((pivot + 1) * n);
        let row = &mut done[pivot * n..];
        let root = row[pivot].sqrt();
        if root.is_nan() || root <= 0.0 {
            return None;
        }
        row[pivot..].iter_mut().for_each(|value| *value /= root);
        let row = &*row;
        below.par_chunks_mut(n).with_min_len(64).enumerate().for_each(|(place, other)| {
            let first = pivot + 1 + place;
            let factor = row[first];
            if factor != 0.0 {
                let pairs = other[first..].iter_mut().zip(&row[first..]);
                pairs.for_each(|(value, pivot)| *value -= factor * pivot);
            }
        });
    }
    // Uᵀ z = right, then U s = z.
    for row in 0..n {
        let (above, own) = right.split_at_mut(row * columns);
        let own = &mut own[..columns];
        for before in 0..row {
            let factor = square[before * n + row];
            let other = &above[before * columns..(before + 1) * columns];
            own.iter_mut().zip(other).for_each(|(value, other)| *value -= factor * other);
        }
        own.iter_mut().for_each(|value| *value /= square[row * n + row]);
    }
    for row in (0..n).rev() {
        let (above, below) = right.split_at_mut((row + 1) * columns);
        let own = &mut above[row * columns..];
        for after in row + 1..n {
            let factor = square[row * n + after];
            let other = &below[(after - row - 1) * columns..(after - row) * columns];
            own.iter_mut().zip(other).for_each(|(value, other)| *value -= factor * other);
        }
        own.iter_mut().for_each(|value| *value /= square[row * n + row]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{Rows, solve};

    fn rows(count: usize, features: usize, targets: usize) -> Rows {
        let wave = |k: usize| ((k * k % 97) as f64 * 0.61).sin();
        let x = (0..count * features).map(|k| if k % 3 == 0 { 0.0 } else { wave(k) }).collect();
        let y = (0..count * targets).map(|k| wave(k + 7) + 2.0).collect();
        Rows { features, targets, x, y }
    }

    /// Where the sum is smallest, its derivative Σ (W x − y) x + λ W vanishes.
    #[test]
    fn nothing_is_left_to_gain() {
        for (count, features, targets) in [(40, 6, 3), (6, 40, 3), (9, 9, 1)] {
            let rows = rows(count, features, targets);
            let weights = solve(&rows, 0.3).unwrap();
            let mean = |values: &[f64], width: usize, place: usize| {
                values.iter().skip(place).step_by(width).sum::<f64>() / count as f64
            };
            let x = |row: usize, place: usize| {
                rows.x[row * features + place] - mean(&rows.x, features, place)
            };
            let squares: f64 =
                (0..count * features).map(|k| x(k / features, k % features).powi(2)).sum();
            let lambda = 0.3 * squares / features as f64;
            for target in 0..targets {
                let off = |row: usize| {
                    let own = &weights[target * features..(target + 1) * features];
                    let sum: f64 = own.iter().enumerate().map(|(k, w)| w * x(row, k)).sum();
                    sum - (rows.y[row * targets + target] - mean(&rows.y, targets, target))
                };
                for place in 0..features {
                    let slope: f64 = (0..count).map(|row| off(row) * x(row, place)).sum();
                    let left = slope + lambda * weights[target * features + place];
                    assert!(left.abs() < 1e-9, "{count} {features}: {left}");
                }
            }
        }
    }

    #[test]
    fn rows_without_any_feature_give_nothing() {
        let empty = Rows { features: 2, targets: 1, x: vec![0.0; 8], y: vec![1.0; 4] };
        assert_eq!(solve(&empty, 0.1), None);
        let short = Rows { features: 2, targets: 1, x: vec![1.0; 2], y: vec![1.0] };
        assert_eq!(solve(&short, 0.1), None);
    }
}
