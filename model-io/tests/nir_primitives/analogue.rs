//! Layers that never spike and are no one current of the layer behind them: their potentials are sent.

use super::*;

/// The models of a description's populations.
fn models(graph: &NirGraph, convention: Convention) -> Vec<String> {
    let reading = NirReading { convention, biases_from_start: false };
    let (network, _) = to_network(graph, "made", &reading).unwrap();
    network.populations.values().map(|population| population.neuron.model.clone()).collect()
}

const SENT: &str = "leaky_integrator_analogue";

fn linear(seed: u64) -> NirNode {
    Linear { weight: drawn(&[WIDTH, WIDTH], seed) }.into()
}

/// The affine layer, these nodes, and edges besides those of the chain.
fn graph(nodes: &[NirNode], more: &[(&str, &str)], beside: Vec<(&str, NirNode)>) -> NirGraph {
    let mut graph = chain(&[3], [&[affine(WIDTH, 3, 5)], nodes].concat());
    for (name, node) in beside {
        graph.nodes.insert_before(0, name.to_owned(), node);
    }
    more.iter().for_each(|(from, to)| graph.add_edge(*from, *to));
    graph
}

#[test]
fn currents_of_second_order_before_every_layer_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let known = neurons(&convention);
        let first = known.iter().find(|(name, _)| *name == "CubaLI").unwrap().1.clone();
        for (name, layer) in &known {
            for between in [vec![], vec![linear(9)]] {
                let nodes = [vec![first.clone()], between, vec![layer.clone()]].concat();
                let what = format!("CubaLI before {name}, {} nodes, {}", nodes.len(), dialect.name);
                let graph = graph(&nodes, &[], Vec::new());
                assert_eq!(models(&graph, convention)[1], SENT, "{what}");
                let agreed = compare(&what, &graph, convention, 2);
                assert!(agreed > 5, "{what}: {agreed}");
            }
        }
    }
}

#[test]
fn chains_of_filters_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let known = neurons(&convention);
        let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        for (what, nodes) in [
            ("LI, weights, LI", vec![node("LI"), linear(31), node("LI"), node("LIF")]),
            ("LI, LI, weights", vec![node("LI"), node("LI"), linear(32), node("LIF")]),
            ("I, LI", vec![node("I"), linear(33), node("LI"), linear(34), node("CubaLIF")]),
            ("LI, CubaLI", vec![node("LI"), linear(35), node("CubaLI"), linear(36), node("LIF")]),
            ("CubaLI, I", vec![node("CubaLI"), linear(37), node("I"), linear(38), node("LI")]),
            ("LI, CubaLIF", vec![node("LI"), linear(39), node("CubaLIF")]),
        ] {
            let what = format!("{what}, {}", dialect.name);
            let layers = nodes.iter().filter(|node| node.primitive.type_name() != "Linear").count();
            let graph = graph(&nodes, &[], Vec::new());
            assert!(models(&graph, convention).contains(&SENT.to_owned()), "{what}");
            let agreed = compare(&what, &graph, convention, layers);
            assert!(agreed > 5, "{what}: {agreed}");
        }
    }
}

/// A way round the filter, several filters of one layer, several time constants before weights, and loops.
#[test]
fn filters_beside_other_ways_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let known = neurons(&convention);
        let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let two = |first: &str, last: NirNode| vec![node(first), last];
        let scale = || NirNode::from(Scale { scale: all(&[1], 0.5) });
        let own = |name: &'static str, node: NirNode| vec![(name, node)];
        let round = [("n0", "beside"), ("beside", "n2")];
        for (what, graph, depth) in [
            ("a way round it", graph(&two("LI", node("LIF")), &round, own("beside", scale())), 2),
            ("another filter", graph(&two("LI", node("LIF")), &round, own("beside", node("I"))), 2),
            (
                "two of second order",
                graph(&two("CubaLI", node("CubaLIF")), &round, own("beside", node("LI"))),
                2,
            ),
            (
                "uneven before weights",
                graph(&[node("LI"), linear(51), node("LIF")], &[], vec![]),
                2,
            ),
            (
                "a loop of its own",
                graph(
                    &two("LI", node("LIF")),
                    &[("n1", "back"), ("back", "n1")],
                    own("back", NirNode::from(Scale { scale: all(&[1], -0.05) })),
                ),
                2,
            ),
            (
                "a loop with what spikes",
                graph(
                    &two("CubaLI", node("LIF")),
                    &[("n2", "back"), ("back", "n1")],
                    own("back", linear(53)),
                ),
                1,
            ),
            (
                "a filter and the output",
                graph(&two("CubaLI", linear(54)), &[("n1", "output")], vec![]),
                2,
            ),
        ] {
            let what = format!("{what}, {}", dialect.name);
            assert!(models(&graph, convention).contains(&SENT.to_owned()), "{what}");
            let agreed = compare(&what, &graph, convention, depth);
            assert!(agreed > 5, "{what}: {agreed}");
        }
    }
}

#[test]
fn what_is_sent_passes_convolutions_and_delays() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let unit = convention.dt / convention.tau_scale;
        let taus: Vec<f64> = (0..9_u32).map(|n| (4.0 + f64::from(n)) * unit).collect();
        let filter = || {
            NirNode::from(Li {
                tau: Array::new(vec![1, 9], taus.clone()).unwrap(),
                r: all(&[1, 9], 6.0),
                v_leak: all(&[1, 9], 0.0),
            })
        };
        let conv = || {
            NirNode::from(Conv1d {
                input_shape: None,
                weight: drawn(&[2, 1, 3], 61),
                stride: 1,
                padding: Padding::Valid,
                dilation: 1,
                groups: 1,
                bias: drawn(&[2], 62),
            })
        };
        let delays: Vec<f64> = (0..9_u32).map(|n| f64::from(n % 3) * unit).collect();
        let delay = Delay { delay: Array::new(vec![1, 9], delays).unwrap() };
        for (what, nodes) in [
            ("a convolution", vec![filter(), conv(), layer(&[2, 7], 1.0)]),
            ("delays", vec![filter(), delay.into(), layer(&[9], 1.0)]),
        ] {
            let graph = chain(&[1, 9], nodes);
            let what = format!("{what} behind an LI, {}", dialect.name);
            let agreed = compare(&what, &graph, convention, 2);
            assert!(agreed > 5, "{what}: {agreed}");
        }
    }
}

#[test]
fn what_is_sent_is_written_as_nir_and_read_again() {
    let convention = Convention::specification(1e-3);
    let known = neurons(&convention);
    let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let rows = input(3);
    for (name, filter) in [("LI", node("LI")), ("CubaLI", node("CubaLI")), ("I", node("I"))] {
        let graph = graph(&[filter, linear(31), node("CubaLI"), node("CubaLIF")], &[], Vec::new());
        let reading = NirReading { convention, biases_from_start: false };
        let (network, report) = to_network(&graph, "made", &reading).unwrap();
        assert!(report.notes.iter().any(|note| note.contains("acts on the layers behind")));
        let written = from_network(&network.validate().unwrap()).unwrap();
        let kinds: Vec<_> = written.nodes.values().map(|n| n.primitive.type_name()).collect();
        assert!(kinds.contains(&name) && kinds.contains(&"CubaLI"), "{kinds:?}");
        let ours = &run(&written, &convention, &rows, &[]).unwrap()["output"];
        let theirs = &run(&graph, &convention, &rows, &[]).unwrap()["output"];
        assert_eq!(ours, theirs, "{name}");
        assert!(theirs.iter().flatten().sum::<f64>() > 5.0, "{name}");
    }
}
