//! Everything that a caller may state of resets, currents and numbers of spikes.

use super::*;
use model_io::nir::dialect::{CurrentOrder, Decay, Named};

/// Conventions with each reset, each order of currents, and bounds on spikes.
fn stated() -> Vec<(String, Convention)> {
    let base = Convention { decay: Decay::Euler, ..Convention::specification(1e-3) };
    let mut all = Vec::new();
    for (reset_name, reset) in SpikeReset::NAMES {
        for (current_name, current) in CurrentOrder::NAMES {
            let what = format!("{reset_name}, {current_name}");
            all.push((what, Convention { reset: *reset, current: *current, ..base }));
        }
    }
    for most_spikes in [1, 3] {
        let reset = SpikeReset::SubtractMany;
        let what = format!("at most {most_spikes}");
        all.push((what, Convention { reset, most_spikes, ..base }));
    }
    all
}

#[test]
fn every_reset_and_current_computes_the_same_alone_and_in_loops() {
    for (what, convention) in stated() {
        for (name, node) in neurons(&convention) {
            // Large enough for several spikes a step.
            let scale = NirNode::from(Scale { scale: all(&[WIDTH], 3.0) });
            let graph = chain(&[3], vec![affine(WIDTH, 3, 5), scale, node.clone()]);
            let agreed = compare(&format!("{name}, {what}"), &graph, convention, 1);
            assert!(agreed > 15, "{name}, {what}: {agreed}");
            if !spiking(name) {
                continue;
            }
            let mut graph = chain(&[3], vec![affine(WIDTH, 3, 5), node]);
            let back = Linear { weight: drawn(&[WIDTH, WIDTH], 83) };
            graph.nodes.insert_before(0, "back".to_owned(), back.into());
            graph.add_edge("n1", "back");
            graph.add_edge("back", "n1");
            let agreed = compare(&format!("{name} in a loop, {what}"), &graph, convention, 1);
            assert!(agreed > 15, "{name} in a loop, {what}: {agreed}");
        }
    }
}

/// Whether conventions differ in what they compute, so that the test above tells them apart.
#[test]
fn resets_differ_from_each_other() {
    let mut seen: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
    let rows = input(3);
    let plain = stated().into_iter().filter(|(_, c)| c.current == CurrentOrder::AfterInput);
    for (what, convention) in plain {
        let known = neurons(&convention);
        let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let mut output = Vec::new();
        for name in ["LIF", "CubaLIF"] {
            let scale = NirNode::from(Scale { scale: all(&[WIDTH], 3.0) });
            let graph = chain(&[3], vec![affine(WIDTH, 3, 5), scale, node(name)]);
            output.extend(run(&graph, &convention, &rows, &[]).unwrap()["output"].clone());
        }
        if let Some((other, _)) = seen.iter().find(|(_, own)| *own == output) {
            // One spike a step of several is the plain subtraction, but for potentials of θ.
            assert!(what == "at most 1" && other.starts_with("subtract,"), "{what} as {other}");
        }
        seen.push((what, output));
    }
}
