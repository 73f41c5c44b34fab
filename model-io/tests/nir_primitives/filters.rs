//! Layers that never spike before other layers, and weights before an output.

use super::*;

/// An `LI` of one time constant, or an `I`.
fn filters(convention: &Convention) -> Vec<(&'static str, NirNode)> {
    let one = |value: f64| all(&[WIDTH], value);
    let unit = convention.dt / convention.tau_scale;
    let li = |tau: Array, v_leak: f64| Li { tau, r: one(7.0), v_leak: one(v_leak) };
    vec![
        ("LI", li(one(6.0 * unit), 0.0).into()),
        ("LI with a leak", li(one(6.0 * unit), 0.03).into()),
        ("I", I { r: drawn(&[WIDTH], 71) }.into()),
    ]
}

/// Layers without a current of their own.
fn behind(convention: &Convention) -> Vec<(&'static str, NirNode)> {
    neurons(convention).into_iter().filter(|(name, _)| !name.starts_with("Cuba")).collect()
}

#[test]
fn filters_before_every_layer_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (filter, before) in filters(&convention) {
            for (name, layer) in behind(&convention) {
                let what = format!("{filter} before {name}, {}", dialect.name);
                let own = vec![affine(WIDTH, 3, 5), before.clone(), layer.clone()];
                let agreed = compare(&what, &chain(&[3], own), convention, 2);
                assert!(agreed > 5, "{what}: {agreed}");
                if filter == "I" {
                    continue;
                }
                let scale = Scale { scale: drawn(&[WIDTH], 72) }.into();
                let linear = Linear { weight: drawn(&[WIDTH, WIDTH], 73) }.into();
                let between = [affine(WIDTH, 3, 5), before.clone(), scale, linear, layer];
                let what = format!("{what}, with weights between");
                let agreed = compare(&what, &chain(&[3], between.to_vec()), convention, 2);
                assert!(agreed > 5, "{what}: {agreed}");
            }
        }
    }
}

#[test]
fn filters_between_spiking_layers_and_in_loops_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let known = neurons(&convention);
        let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        for (filter, before) in filters(&convention) {
            let what = format!("{filter} in a loop, {}", dialect.name);
            let own = vec![
                affine(WIDTH, 3, 5),
                node("LIF"),
                Linear { weight: drawn(&[WIDTH, WIDTH], 74) }.into(),
                before,
                node("LIF"),
            ];
            let mut graph = chain(&[3], own);
            let agreed = compare(&what, &graph, convention, 3);
            assert!(agreed > 5, "{what}, without the loop: {agreed}");
            let back = Linear { weight: drawn(&[WIDTH, WIDTH], 75) };
            graph.nodes.insert_before(0, "back".to_owned(), back.into());
            graph.add_edge("n4", "back");
            graph.add_edge("back", "n3");
            // A loop is one layer: what it holds lies at one depth.
            let agreed = compare(&what, &graph, convention, 2);
            assert!(agreed > 5, "{what}: {agreed}");
        }
    }
}

#[test]
fn weights_before_an_output_are_a_population_that_shows_it() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let known = neurons(&convention);
        let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let last = || affine(2, WIDTH, 76);
        let plain = Linear { weight: drawn(&[2, WIDTH], 77) };
        let unit = convention.dt / convention.tau_scale;
        let delays = [0.0, 3.0, 1.0].map(|steps| steps * unit).to_vec();
        let delay = || NirNode::from(Delay { delay: Array::new(vec![3], delays.clone()).unwrap() });
        let li = filters(&convention)[0].1.clone();
        for (name, nodes, depth) in [
            ("LIF", vec![affine(WIDTH, 3, 5), node("LIF"), last()], 2),
            ("LI", vec![affine(WIDTH, 3, 5), li, plain.into()], 2),
            ("no neuron", vec![affine(WIDTH, 3, 5), last()], 1),
            ("delays alone", vec![delay()], 1),
            ("delays and a layer", vec![delay(), layer(&[3], 0.4), affine(2, 3, 78)], 2),
        ] {
            let what = format!("{name} before weights and an output, {}", dialect.name);
            let graph = chain(&[3], nodes);
            let agreed = compare(&what, &graph, convention, depth);
            assert!(agreed > 15, "{what}: {agreed}");
            let reading = NirReading { convention, biases_from_start: false };
            let (network, _) = to_network(&graph, "made", &reading).unwrap();
            let written = from_network(&network.validate().unwrap());
            // Slow synapses and late spikes hold biases back for longer than NIR can say.
            if let Ok(written) = written {
                let kinds: Vec<_> =
                    written.nodes.values().map(|node| node.primitive.type_name()).collect();
                assert_eq!(kinds.iter().filter(|kind| **kind == "Output").count(), 1, "{kinds:?}");
                let li = kinds.iter().filter(|kind| **kind == "LI").count();
                assert_eq!(li, usize::from(name == "LI"), "{kinds:?}");
            } else {
                let late = convention.synapse_steps + convention.spike_steps;
                assert!(late > 0, "{what}: {written:?}");
            }
        }
    }
}

#[test]
fn weights_before_an_output_that_have_no_meaning_are_refused_with_the_reason() {
    let convention = Convention::specification(1e-3);
    let reading = NirReading { convention, biases_from_start: false };
    let refused =
        |graph: &NirGraph| to_network(graph, "refused", &reading).unwrap_err().to_string();
    let scale = || NirNode::from(Scale { scale: all(&[1], 2.0) });
    let text = refused(&chain(&[1 << 27], vec![scale()]));
    assert!(text.contains("`output` (Output)") && text.contains("134217728 values"), "{text}");
    let mut graph = chain(&[3], vec![affine(WIDTH, 3, 5)]);
    graph.nodes.insert_before(0, "other".to_owned(), scale());
    graph.add_edge("input", "other");
    graph.add_edge("other", "output");
    let text = refused(&graph);
    assert!(text.contains("different numbers meet"), "{text}");
}
