//! Weights that follow each other, and factors and delays that differ from value to value.

use super::*;

fn convolution(ins: usize, dilation: usize, seed: u64) -> NirNode {
    let padding = Padding::Zeros([1, 1]);
    let (weight, bias) = (drawn(&[3, ins, 3, 2], seed), drawn(&[3], seed + 1));
    let dilation = [1, dilation];
    Conv2d { input_shape: None, weight, stride: [1, 1], padding, dilation, groups: 1, bias }.into()
}

fn pooling(kernel: usize, stride: usize) -> NirNode {
    AvgPool2d { kernel_size: [kernel; 2], stride: [stride; 2], padding: [0, 0] }.into()
}

/// Whole steps from 0 to 3, one a value.
fn delays(shape: &[usize], convention: &Convention) -> NirNode {
    let unit = convention.dt / convention.tau_scale;
    let size: usize = shape.iter().product();
    let values: Vec<f64> = (0..size).map(|n| (n * 7 % 4) as f64 * unit).collect();
    Delay { delay: Array::new(shape.to_vec(), values).unwrap() }.into()
}

fn scale(shape: &[usize]) -> NirNode {
    Scale { scale: drawn(shape, 41) }.into()
}

/// Layers whose neurons scale their input each in its own way.
fn scaling(convention: &Convention, shape: &[usize]) -> Vec<(&'static str, NirNode)> {
    let (one, r) = (|value: f64| all(shape, value), drawn(shape, 43));
    let taus = r.values.to_f64().unwrap();
    let unit = convention.dt / convention.tau_scale;
    let taus: Vec<f64> = taus.iter().map(|r| (9.0 + 8.0 * r) * unit).collect();
    let tau = Array::new(shape.to_vec(), taus).unwrap();
    let (v_threshold, v_reset, v_leak) = (one(0.7), one(0.0), one(0.0));
    let whole = If { r: r.clone(), v_threshold: v_threshold.clone(), v_reset: v_reset.clone() };
    let leaky = Lif { tau, r: one(9.0), v_leak, v_threshold, v_reset };
    vec![("IF", whole.into()), ("LIF", leaky.into()), ("I", I { r }.into())]
}

/// Nodes of a graph, the shape of its input, and the layers behind it.
type Case = (String, Vec<NirNode>, Vec<usize>, usize);

fn cases(convention: &Convention) -> Vec<Case> {
    let picture = [2, 5, 6];
    let flat = || NirNode::from(Flatten { input_type: None, start_dim: 0, end_dim: -1 });
    let conv = || convolution(2, 1, 51);
    let mut cases = vec![
        ("convolution behind one", vec![conv(), convolution(3, 2, 53), layer(&[3, 5, 7], 1.5)]),
        ("pooling behind a convolution", vec![conv(), pooling(2, 2), layer(&[3, 2, 3], 0.6)]),
        ("overlapping pooling", vec![conv(), pooling(3, 1), layer(&[3, 3, 5], 0.6)]),
        (
            "factors within channels",
            vec![scale(&picture), conv(), scale(&[3, 5, 7]), layer(&[3, 5, 7], 0.5)],
        ),
        (
            "delays before and behind a convolution",
            vec![
                delays(&picture, convention),
                conv(),
                delays(&[3, 5, 7], convention),
                layer(&[3, 5, 7], 1.0),
            ],
        ),
        (
            "a bias that waits before a matrix",
            vec![
                conv(),
                flat(),
                delays(&[105], convention),
                affine(WIDTH, 105, 55),
                layer(&[WIDTH], 9.0),
            ],
        ),
    ]
    .into_iter()
    .map(|(name, nodes)| (name.to_owned(), nodes, picture.to_vec(), 1))
    .collect::<Vec<Case>>();
    for (name, neurons) in scaling(convention, &[3, 5, 7]) {
        let name = format!("{name} behind a convolution");
        cases.push((name, vec![conv(), neurons], picture.to_vec(), 1));
    }
    let pooled =
        vec![pooling(2, 2), convolution(2, 2, 53), scale(&[3, 2, 3]), layer(&[3, 2, 3], 0.6)];
    cases.push(("dilated behind a pooling".to_owned(), pooled, vec![2, 4, 6], 1));
    let axonal = vec![
        affine(3, 3, 56),
        layer(&[3], 0.5),
        delays(&[3], convention),
        affine(WIDTH, 3, 57),
        Delay { delay: all(&[WIDTH], convention.dt / convention.tau_scale) }.into(),
        affine(2, WIDTH, 58),
        layer(&[2], 0.4),
    ];
    cases.push(("axonal delays".to_owned(), axonal, vec![3], 2));
    let filter = Li {
        tau: all(&[3, 5, 7], 6.0 * convention.dt / convention.tau_scale),
        r: all(&[3, 5, 7], 7.0),
        v_leak: all(&[3, 5, 7], 0.03),
    };
    let behind = vec![conv(), filter.into(), convolution(3, 1, 59), layer(&[3, 5, 8], 9.0)];
    // Behind slow synapses the second bias would have to begin late inside the neuron.
    if convention.synapse_steps == 0 {
        cases.push(("a filter between convolutions".to_owned(), behind, picture.to_vec(), 2));
    }
    cases
}

#[test]
fn weights_without_a_layer_between_are_one_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (name, nodes, shape, depth) in cases(&convention) {
            let what = format!("{name}, {}", dialect.name);
            let agreed = compare(&what, &chain(&shape, nodes), convention, depth);
            assert!(agreed > 15, "{what}: {agreed}");
        }
    }
}

#[test]
fn a_list_of_more_synapses_than_can_be_is_refused() {
    let reading =
        NirReading { convention: Convention::specification(1e-3), biases_from_start: false };
    for nodes in [
        vec![convolution(2, 1, 51), convolution(3, 1, 53)],
        vec![scale(&[1]), pooling(3, 1), pooling(3, 2)],
        vec![pooling(2, 2), convolution(2, 2, 53), pooling(2, 1)],
    ] {
        let graph = chain(&[2, 3000, 3000], nodes);
        let text = to_network(&graph, "refused", &reading).unwrap_err().to_string();
        assert!(text.contains("put a layer between them"), "{text}");
    }
}

/// A convolution in a loop sends its bias from the first step on, as an `Affine` node that computes the same:
/// it acts as soon as the dialect's steps through a synapse are over.
#[test]
fn a_convolution_in_a_loop_has_its_bias_in_the_first_step() {
    const SHAPE: [usize; 3] = [2, 3, 3];
    let looped = |shape: &[usize], back: NirNode| {
        let (one, half, zero) = (all(shape, 1.0), all(shape, 0.5), all(shape, 0.0));
        let neurons = If { r: one, v_threshold: half, v_reset: zero };
        let mut graph = chain(shape, vec![neurons.into()]);
        graph.add_node("back", back);
        graph.add_edge("n0", "back");
        graph.add_edge("back", "n0");
        graph
    };
    // One channel spikes by its bias alone, whatever a dialect multiplies it by; the other never does.
    let bias = Array::new(vec![2], vec![1e6, -1e6]).unwrap();
    let each: Vec<f64> = [[1e6; 9], [-1e6; 9]].concat();
    let convolution = Conv2d {
        input_shape: Some([3, 3]),
        weight: all(&[2, 2, 1, 1], 0.0),
        stride: [1, 1],
        padding: Padding::Zeros([0, 0]),
        dilation: [1, 1],
        groups: 1,
        bias,
    };
    let affine =
        Affine { weight: all(&[18, 18], 0.0), bias: Array::new(vec![18], each.clone()).unwrap() };
    let rows = vec![vec![0.0; 18]; 4];
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        let outputs =
            |graph: &NirGraph| run(graph, &convention, &rows, &[]).unwrap()["output"].clone();
        let kernel = outputs(&looped(&SHAPE, convolution.clone().into()));
        assert_eq!(kernel, outputs(&looped(&[18], affine.clone().into())), "{}", dialect.name);
        let first = (convention.spike_steps + convention.synapse_steps) as usize;
        let spiked = |values: &[f64]| values.iter().all(|value| *value > 0.0);
        assert!(spiked(&kernel[first][..9]), "{}: {:?}", dialect.name, kernel[first]);
        assert!(kernel[first][9..].iter().all(|value| *value == 0.0), "{}", dialect.name);
    }
}
