//! Compositions against applying one map after the other.

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
        (convolution([2, 7, 7], 2, 3, 2, 0, 2), convolution([2, 3, 3], 2, 3, 1, 1, 1), "Sparse"),
        (convolution([2, 5, 5], 3, 3, 1, 1, 1), convolution([3, 5, 5], 2, 3, 1, 0, 1), "Sparse"),
        // Cells do not see each other in a 1 × 1 convolution: padding is as good behind it.
        (
            convolution([6, 5, 5], 2, 1, 1, 0, 1),
            convolution([2, 5, 5], 4, 3, 2, 1, 1),
            "Convolution",
        ),
        // Groups behind it see all of its sources.
        (
            convolution([6, 5, 5], 4, 1, 1, 0, 1),
            convolution([4, 5, 5], 4, 3, 2, 1, 4),
            "Convolution",
        ),
        (
            convolution([3, 5, 5], 4, 1, 1, 0, 1),
            convolution([4, 5, 5], 6, 3, 1, 1, 2),
            "Convolution",
        ),
        (convolution([6, 5, 5], 2, 1, 1, 0, 2), convolution([2, 5, 5], 4, 3, 2, 1, 1), "Sparse"),
        // Separable convolutions: depthwise or in groups, then pointwise.
        (
            convolution([4, 6, 6], 4, 3, 2, 1, 4),
            convolution([4, 3, 3], 7, 1, 1, 0, 1),
            "Convolution",
        ),
        (
            convolution([4, 6, 6], 6, 3, 1, 1, 2),
            convolution([6, 6, 6], 3, 1, 1, 0, 1),
            "Convolution",
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
    let sparse = convolution([2, 4, 4], 2, 3, 1, 1, 1).then(convolution([2, 4, 4], 4, 3, 1, 1, 1));
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
#[test]
fn factors_and_channel_slices_stay_convolutions() {
    let diagonal = |count: usize, per: usize| LinearMap::Sparse {
        targets: count,
        rows: (0..count).map(|n| vec![(n as u32, 1.0 + (n / per) as f64)]).collect(),
    };
    let placed = |count: usize, offset: usize, targets: usize| LinearMap::Sparse {
        targets,
        rows: (0..count).map(|n| vec![((n + offset) as u32, 1.0)]).collect(),
    };
    let cases = [
        (diagonal(50, 25), convolution([2, 5, 5], 3, 3, 1, 1, 1), "Convolution"),
        (convolution([2, 5, 5], 3, 3, 1, 1, 1), diagonal(75, 25), "Convolution"),
        (diagonal(50, 5), convolution([2, 5, 5], 3, 3, 1, 1, 1), "Sparse"),
        (placed(50, 25, 100), convolution([4, 5, 5], 3, 3, 1, 1, 1), "Convolution"),
        (placed(50, 25, 100), convolution([4, 5, 5], 4, 3, 1, 1, 2), "Sparse"),
        (placed(50, 24, 100), convolution([4, 5, 5], 3, 3, 1, 1, 1), "Sparse"),
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
fn a_sum_does_what_its_parts_do_and_other_forms_come_back() {
    let diagonal = LinearMap::Sparse {
        targets: 32,
        rows: (0..32).map(|n| vec![(n / 2, 1.5), (n, 0.25 * f64::from(n))]).collect(),
    };
    let same = LinearMap::Identity { size: 32 };
    let kernel = || convolution([2, 4, 4], 2, 3, 1, 1, 1);
    let twice = kernel().scaled(&ChannelScale::one(), &ChannelScale::one());
    let pairs = [
        (same.clone(), same.clone(), Some("Sparse")),
        (same.clone(), diagonal.clone(), Some("Sparse")),
        (diagonal.clone(), diagonal.clone(), Some("Sparse")),
        (kernel(), twice, Some("Convolution")),
        (dense(32, 32), dense(32, 32), Some("Dense")),
        (kernel(), same.clone(), None),
        (kernel(), convolution([2, 4, 4], 2, 1, 1, 0, 1), None),
        (diagonal, dense(32, 32), None),
    ];
    let values: Vec<f64> = (0..32).map(|k| (k as f64 * 0.7).sin()).collect();
    for (one, other, kind) in pairs {
        match (one.clone().plus(other.clone()), kind) {
            (Ok(sum), Some(kind)) => {
                assert!(format!("{sum:?}").starts_with(kind), "{kind}");
                let parts = image(&one, &values).into_iter().zip(image(&other, &values));
                for (found, (a, b)) in image(&sum, &values).into_iter().zip(parts) {
                    assert!((found - a - b).abs() < 1e-12);
                }
            }
            (Err(back), None) => assert_eq!(*back, [one, other]),
            (found, kind) => panic!("{kind:?}: {found:?}"),
        }
    }
}
