//! How far apart two spike trains are.

/// Victor and Purpura's distance: the least cost to turn one train into the other, where adding or
/// removing a spike costs 1 and moving it by t (ms) costs t · `cost` (1/ms).
///
/// Source: Victor and Purpura 1996, J. Neurophysiol. 76:1310. Time is the product of the lengths,
/// memory the second length.
pub fn victor_purpura(first: &[f64], second: &[f64], cost: f64) -> f64 {
    let mut row: Vec<f64> = (0..=second.len()).map(|count| count as f64).collect();
    for (index, a) in first.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index as f64 + 1.0;
        for (place, b) in second.iter().enumerate() {
            let moved = diagonal + cost * (a - b).abs();
            diagonal = row[place + 1];
            row[place + 1] = moved.min(row[place] + 1.0).min(diagonal + 1.0);
        }
    }
    row[second.len()]
}

/// Van Rossum's distance: the root of (1/τ) ∫ (f − g)², where f and g are the trains filtered by
/// exp(−t/τ). One spike more is worth √½, two spikes far apart 1.
///
/// Source: van Rossum 2001, Neural Comput. 13:751, equation 2.4. The integral is a sum over pairs,
/// Σ ½ exp(−|t_i − t_j|/τ), computed in one pass.
pub fn van_rossum(first: &[f64], second: &[f64], tau: f64) -> f64 {
    let mut signed: Vec<(f64, f64)> = first.iter().map(|&time| (time, 1.0)).collect();
    signed.extend(second.iter().map(|&time| (time, -1.0)));
    signed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut trace, mut last, mut sum) = (0.0, 0.0, 0.0);
    for (time, sign) in signed {
        trace *= (-(time - last) / tau).exp();
        sum += 0.5 + sign * trace;
        trace += sign;
        last = time;
    }
    sum.max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f64; 3] = [10.0, 20.0, 45.0];
    const B: [f64; 4] = [11.0, 30.0, 44.0, 60.0];

    #[test]
    fn victor_purpura_has_its_limits() {
        assert_eq!(victor_purpura(&A, &A, 0.3), 0.0);
        assert_eq!(victor_purpura(&A, &[], 0.3), 3.0);
        assert_eq!(victor_purpura(&A, &B, 0.0), 1.0, "only the numbers count");
        assert_eq!(victor_purpura(&A, &B, 1e9), 7.0, "only coincidences count");
        // 10 to 11 and 45 to 44 by moves, 20 to 30 by a move of 10, one spike added.
        assert!((victor_purpura(&A, &B, 0.1) - (0.1 + 1.0 + 0.1 + 1.0)).abs() < 1e-12);
        assert_eq!(victor_purpura(&A, &B, 0.1), victor_purpura(&B, &A, 0.1));
    }

    #[test]
    fn van_rossum_is_its_integral() {
        let tau = 7.0;
        let filtered = |train: &[f64], t: f64| -> f64 {
            let past = train.iter().filter(|&&spike| spike <= t);
            past.map(|spike| (-(t - spike) / tau).exp()).sum()
        };
        let step = 1e-3;
        let integral: f64 = (0..300_000)
            .map(|k| (f64::from(k) + 0.5) * step)
            .map(|t| (filtered(&A, t) - filtered(&B, t)).powi(2) * step / tau)
            .sum();
        // The midpoint rule errs by a step at each of the jumps.
        assert!((van_rossum(&A, &B, tau).powi(2) - integral).abs() < 2e-3);
        assert!((van_rossum(&[5.0], &[], tau) - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!((van_rossum(&[0.0], &[1e6], tau) - 1.0).abs() < 1e-12);
        assert_eq!(van_rossum(&B, &B, tau), 0.0);
    }
}
