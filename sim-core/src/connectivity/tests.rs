//! Every rule: what it promises of its rows, and the statistics of what it draws.

use super::*;
use crate::diagnostics::Problems;
use crate::distribution::GaussianOfDistance;
use crate::network::{
    GridPositions, Network, Neuron, Population, Positions, Projection, RandomPositions,
};
use crate::units::{Milliseconds, Quantity, Values};

fn ends(sources: u32, targets: u32, recurrent: bool) -> Ends {
    Ends { sources, targets, recurrent, positions: None }
}

/// All (source, target) of a rule, row by row.
fn pairs(rule: &dyn Rule, ends: &Ends, seed: u64) -> Vec<(u32, u32)> {
    let rows = rule.rows(ends, seed);
    let count = if rows.end() == End::Source { ends.sources } else { ends.targets };
    let mut all = Vec::new();
    for row in 0..count {
        let mut partners = Vec::new();
        rows.row(row, &mut partners);
        let mut again = Vec::new();
        rows.row(row, &mut again);
        assert_eq!(partners, again, "a row is a function of its number");
        all.extend(partners.iter().map(|partner| match rows.end() {
            End::Source => (row, partner.neuron),
            End::Target => (partner.neuron, row),
        }));
    }
    all
}

fn degrees(pairs: &[(u32, u32)], size: u32, end: End) -> Vec<u32> {
    let mut degrees = vec![0; size as usize];
    for &(source, target) in pairs {
        degrees[if end == End::Source { source } else { target } as usize] += 1;
    }
    degrees
}

fn has_multapses(pairs: &[(u32, u32)]) -> bool {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

fn problems(rule: &dyn Rule, ends: &Ends) -> String {
    let mut problems = Problems::default();
    rule.check(ends, &mut Findings::new(&mut problems, "rule"));
    problems.to_string()
}

/// Draws are uniform: χ² per degree of freedom stays near 1 (its deviation is sqrt(2/n)).
fn assert_uniform(counts: &[u32]) {
    let mean = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let squares: f64 = counts.iter().map(|&n| (f64::from(n) - mean).powi(2) / mean).sum();
    let per_degree = squares / (counts.len() as f64 - 1.0);
    assert!((per_degree - 1.0).abs() < 5.0 * (2.0 / counts.len() as f64).sqrt(), "{per_degree}");
}

#[test]
fn fixed_degrees_are_met_and_partners_are_uniform() {
    let ends = ends(200, 200, true);
    for (autapses, multapses) in [(true, true), (false, true), (true, false), (false, false)] {
        for degree in [0, 30, 150] {
            let into = FixedInDegree { in_degree: degree, autapses, multapses };
            let out = FixedOutDegree { out_degree: degree, autapses, multapses };
            let rules: [(&dyn Rule, End, End); 2] =
                [(&into, End::Target, End::Source), (&out, End::Source, End::Target)];
            for (rule, fixed, free) in rules {
                let pairs = pairs(rule, &ends, 5);
                assert!(degrees(&pairs, 200, fixed).iter().all(|&count| count == degree));
                assert_eq!(pairs.len() as u64, rule.expected_synapses(&ends));
                assert_eq!(pairs.iter().any(|(a, b)| a == b), autapses && degree > 0);
                assert_eq!(has_multapses(&pairs), multapses && degree > 0);
                if multapses && degree > 0 {
                    assert_uniform(&degrees(&pairs, 200, free));
                }
            }
        }
    }
}

#[test]
fn a_fixed_total_is_met_with_binomial_degrees() {
    let ends = ends(300, 300, true);
    for (autapses, multapses) in [(true, true), (false, true), (true, false), (false, false)] {
        for synapses in [0, 1, 20_000, 80_000] {
            let rule = FixedTotal { synapses, autapses, multapses };
            let pairs = pairs(&rule, &ends, 9);
            assert_eq!(pairs.len() as u64, synapses);
            assert!(autapses || pairs.iter().all(|(a, b)| a != b));
            assert!(multapses || !has_multapses(&pairs));
            if synapses == 20_000 && multapses {
                assert_uniform(&degrees(&pairs, 300, End::Source));
                assert_uniform(&degrees(&pairs, 300, End::Target));
            }
        }
    }
    let all = FixedTotal { synapses: 300 * 299, autapses: false, multapses: false };
    assert_eq!(pairs(&all, &ends, 1).len(), 300 * 299);
}

#[test]
fn pairwise_draws_have_their_probability() {
    let ends = ends(300, 400, false);
    let rule = FixedProbability { probability: 0.1, autapses: true };
    let pairs = pairs(&rule, &ends, 3);
    // Standard deviation of the count is sqrt(120,000 · 0.1 · 0.9) = 104; five of them.
    assert!((pairs.len() as f64 - 12_000.0).abs() < 520.0, "{}", pairs.len());
    assert!(!has_multapses(&pairs));
}

#[test]
fn a_small_world_without_rewiring_is_a_ring_and_with_it_keeps_its_degrees() {
    let ends = ends(50, 50, true);
    let ring = pairs(&SmallWorld { neighbours: 4, rewiring: 0.0 }, &ends, 0);
    let near = |&(a, b): &(u32, u32)| (1..=2).contains(&((a + 50 - b) % 50).min((b + 50 - a) % 50));
    assert!(ring.iter().all(near) && ring.len() == 200);
    for rewiring in [0.2, 1.0] {
        let drawn = pairs(&SmallWorld { neighbours: 4, rewiring }, &ends, 0);
        assert!(degrees(&drawn, 50, End::Source).iter().all(|&n| n == 4));
        assert!(!has_multapses(&drawn) && drawn.iter().all(|(a, b)| a != b));
        let far = drawn.iter().filter(|pair| !near(pair)).count() as f64;
        // 4 of 49 possible targets are near; 200 draws, five standard deviations.
        let expected = 200.0 * rewiring * 45.0 / 49.0;
        assert!((far - expected).abs() < 5.0 * (200.0 * 0.25_f64).sqrt(), "{far} {expected}");
    }
}

fn spatial(positions: Positions, size: u32, rule: Spatial) -> (Vec<(u32, u32)>, Ends) {
    let mut network = Network::new("space", Milliseconds(0.1));
    let plain = Population::new(size, Neuron::spike_source()).at(positions.clone());
    network.add_population("from", plain);
    let unit = crate::neuron::integrator::integrator();
    network.add_population("to", Population::new(size, unit).at(positions));
    network.add_projection("p", Projection::new("from", "to", rule));
    let valid = network.validate().unwrap();
    let projection = &valid.projections()["p"];
    let rule = projection.connectivity.behaviour();
    (pairs(rule, &projection.ends, projection.seed), projection.ends.clone())
}

fn grid(shape: &[u32], periodic: bool) -> Positions {
    let extent = shape.iter().map(|&n| f64::from(n)).collect();
    Positions::Grid(GridPositions { shape: shape.to_vec(), extent, center: None, periodic })
}

#[test]
fn masks_choose_neighbours_in_every_dimension() {
    let ball = |radius| Spatial {
        probability: 1.0.into(),
        mask: Some(Mask::Ball(BallMask { radius, hole: 0.5, anchor: None })),
        autapses: true,
    };
    // On a ring, a torus and a 3-D torus each place has 2, 4 and 6 nearest neighbours.
    for (shape, neighbours) in [(vec![30], 2), (vec![6, 5], 4), (vec![4, 3, 5], 6)] {
        let size = shape.iter().product();
        let (pairs, _) = spatial(grid(&shape, true), size, ball(1.1));
        assert!(degrees(&pairs, size, End::Source).iter().all(|&n| n == neighbours), "{shape:?}");
        let (open, _) = spatial(grid(&shape, false), size, ball(1.1));
        assert!(open.len() < pairs.len());
    }
    let ahead = Spatial {
        probability: 1.0.into(),
        mask: Some(Mask::Box(BoxMask { low: vec![0.5, -0.5], high: vec![1.5, 0.5] })),
        autapses: true,
    };
    let (pairs, _) = spatial(grid(&[6, 5], true), 30, ahead);
    assert!(pairs.iter().all(|&(from, to)| (from + 5) % 30 == to) && pairs.len() == 30);
    let ellipse = EllipsoidMask { radii: vec![2.1, 0.4], anchor: None };
    let flat =
        Spatial { probability: 1.0.into(), mask: Some(Mask::Ellipsoid(ellipse)), autapses: true };
    let (pairs, _) = spatial(grid(&[6, 5], true), 30, flat);
    assert_eq!(pairs.len(), 30 * 5);
}

/// Places of a grid are rounded: a border through some of them takes all or none.
#[test]
fn borders_of_masks_belong_to_them_wherever_a_neuron_lies() {
    let (shape, extent) = (vec![100], vec![10.0]);
    let grid = Positions::Grid(GridPositions { shape, extent, center: None, periodic: true });
    let ellipse = |radius| EllipsoidMask { radii: vec![radius], anchor: None };
    for (mask, each) in [
        (Mask::Box(BoxMask { low: vec![-1.0], high: vec![1.0] }), 21),
        (Mask::Box(BoxMask { low: vec![0.3], high: vec![0.7] }), 5),
        (Mask::Ball(BallMask { radius: 0.7, hole: 0.3, anchor: None }), 10),
        (Mask::Ellipsoid(ellipse(0.6)), 13),
    ] {
        let rule = Spatial { probability: 1.0.into(), mask: Some(mask.clone()), autapses: true };
        let (pairs, _) = spatial(grid.clone(), 100, rule);
        for end in [End::Source, End::Target] {
            assert!(degrees(&pairs, 100, end).iter().all(|&n| n == each), "{mask:?}");
        }
    }
}

#[test]
fn a_kernel_gives_its_probability_at_each_distance() {
    let at_zero = Quantity::number(0.8);
    let kernel = GaussianOfDistance { at_zero, std: 0.2 };
    let rule = Spatial { probability: kernel.into(), mask: None, autapses: true };
    let random = RandomPositions { extent: vec![1.0, 1.0], center: None, periodic: true };
    let expected_rule = rule.clone();
    let (pairs, ends) = spatial(Positions::Random(random), 400, rule);
    let (mut expected, mut variance) = (0.0, 0.0);
    for source in 0..400 {
        for target in 0..400 {
            let distance = ends.distance(source, target);
            assert!(distance <= 0.5_f64.hypot(0.5));
            let p = 0.8 * (-distance * distance / 0.08).exp();
            expected += p;
            variance += p * (1.0 - p);
        }
    }
    let found = pairs.len() as f64;
    assert!((found - expected).abs() < 5.0 * f64::sqrt(variance), "{found} {expected}");
    let predicted = expected_rule.expected_synapses(&ends) as f64;
    // So few pairs are all looked at.
    assert!((predicted - expected).abs() <= 0.5, "{predicted} {expected}");
}

#[test]
fn synapses_in_small_masks_are_foretold_from_some_pairs() {
    let ball = BallMask { radius: 0.15, hole: 0.0, anchor: None };
    let random = RandomPositions { extent: vec![1.0; 3], center: None, periodic: false };
    let grid =
        GridPositions { shape: vec![64, 64], extent: vec![1.0; 2], center: None, periodic: true };
    for (positions, neurons) in [(Positions::Random(random), 3000), (Positions::Grid(grid), 4096)] {
        let mask = Some(Mask::Ball(ball.clone()));
        let rule = Spatial { probability: 0.3.into(), mask, autapses: true };
        let (pairs, ends) = spatial(positions, neurons, rule.clone());
        let (predicted, found) = (rule.expected_synapses(&ends) as f64, pairs.len() as f64);
        assert!((predicted / found - 1.0).abs() < 0.05, "{predicted} {found}");
    }
}

#[test]
fn arrays_in_both_forms_give_the_same_synapses() {
    let ends = ends(3, 4, false);
    let list = List { sources: vec![2, 0, 2, 2], targets: vec![3, 1, 0, 3] };
    let csr = Csr { row_starts: vec![0, 1, 1, 4], targets: vec![1, 3, 0, 3] };
    assert_eq!(problems(&list, &ends), problems(&csr, &ends));
    assert_eq!(pairs(&list, &ends, 0), pairs(&csr, &ends, 0));
    let wrong = Csr { row_starts: vec![0, 3, 1, 4], targets: vec![1, 3, 0, 4] };
    let said = problems(&wrong, &ends);
    assert!(said.contains("do not ascend") && said.contains("target 4"), "{said}");
    let short = Csr { row_starts: vec![0, 4], targets: vec![1, 3, 0, 3] };
    assert!(problems(&short, &ends).contains("give 4: one a source"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let recurrent = ends(10, 10, true);
    let many = FixedInDegree { in_degree: 10, autapses: false, multapses: false };
    assert!(problems(&many, &recurrent).contains("10 synapses from 9 different neurons"));
    let total = FixedTotal { synapses: 101, autapses: true, multapses: false };
    assert!(problems(&total, &recurrent).contains("101 synapses between 100 pairs"));
    let odd = SmallWorld { neighbours: 3, rewiring: 0.1 };
    assert!(problems(&odd, &recurrent).contains("even number"));
    let nowhere = Spatial { probability: 0.5.into(), mask: None, autapses: true };
    assert!(problems(&nowhere, &recurrent).contains("need positions"));
    let units =
        Spatial { probability: Values::from(Milliseconds(1.0)), mask: None, autapses: true };
    assert!(problems(&units, &recurrent).contains("neither a number nor a function"));
    let file = EdgeFile { path: "edges.h5".into(), edges: None };
    assert!(problems(&file, &recurrent).contains("have not been read"));
    let single = ends(1, 1, true);
    let alone = FixedOutDegree { out_degree: 1, autapses: false, multapses: true };
    assert!(problems(&alone, &single).contains("from 0 different neurons"));
}

#[test]
fn every_rule_has_a_name_of_its_own_and_states_its_keys() {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
    assert!(RULES.iter().all(|rule| !rule.summary.is_empty()));
}
