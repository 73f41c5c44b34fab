//! Sigma-delta and resonator layers: written, read back, and what both networks compute.

use super::*;
use crate::chip::ChipSpec;
use crate::emulator::{Emulator, Spike, SpikeTrain};

const UNIT: i64 = 1 << 12;

fn process(
    name: &str,
    process: &str,
    shape: Shape,
    numbers: &[(&str, i64)],
) -> QuantisedPopulation {
    QuantisedPopulation { process: process.into(), ..population(name, shape, numbers) }
}

fn graded(source: usize, target: usize, connection: Connection) -> QuantisedProjection {
    QuantisedProjection { message_bits: 16, ..projection(source, target, connection) }
}

/// A driven delta population 2×6×5 → convolution → dense, recurrent → sums.
fn sigma_delta() -> QuantisedNetwork {
    let geometry = geometry();
    let kernels: Vec<i32> = pattern(4 * 3 * 2).iter().map(|&w| w as i32).collect();
    let conv = Connection::Convolution { geometry, weights: kernels };
    let coder = |vth: i64| [("vth", vth), ("spike_exp", 6), ("state_exp", 6)];
    let input = [&coder(3 * UNIT)[..], &[("driven", 1)]].concat();
    let mut hidden =
        process("hidden", "sigma_delta", Shape::Picture(geometry.target), &coder(5 * UNIT + 17));
    let bias = (0..48).map(|neuron| [5, -20, 0, 30][neuron / 12] * UNIT).collect();
    hidden.parameters.insert("bias".into(), IntegerValues::PerNeuron(bias));
    let mut projections = vec![
        graded(0, 1, conv),
        graded(1, 2, dense(&pattern(480), 10, 48)),
        graded(2, 2, dense(&pattern(580)[480..], 10, 10)),
        graded(2, 3, dense(&pattern(30), 3, 10)),
    ];
    projections[3].delay = DelaySteps::PerSynapse((0..30).map(|k| k % 7).collect());
    QuantisedNetwork {
        name: "coded".into(),
        chip: "loihi2".into(),
        populations: vec![
            process("input", "delta", Shape::Picture([2, 6, 5]), &input),
            hidden,
            process("middle", "sigma_delta", Shape::List(10), &coder(40 * UNIT)),
            process("sums", "sigma", Shape::List(3), &[]),
        ],
        projections,
    }
}

/// 6 inputs → 9 resonators → 4 resonators with reset.
fn resonators(decays: [i64; 2]) -> QuantisedNetwork {
    let numbers = |vth| [("sin_decay", decays[0]), ("cos_decay", decays[1]), ("vth", vth)];
    let mut projections = Vec::new();
    for (source, target, shape) in [(0, 1, (9, 6)), (1, 2, (4, 9))] {
        for port in 0..2_u8 {
            let weights: Vec<i64> = pattern(60 + shape.0 * shape.1)[60 * usize::from(port)..]
                [..shape.0 * shape.1]
                .into();
            let connection = dense(&weights, shape.0, shape.1);
            let mut part = projection(source, target, connection);
            part.name.push_str(["", " imag"][usize::from(port)]);
            projections.push(QuantisedProjection { port, ..part });
        }
    }
    QuantisedNetwork {
        name: "rotating".into(),
        chip: "loihi2".into(),
        populations: vec![
            population("input", Shape::List(6), &[]),
            process("turning", "rf", Shape::List(9), &numbers(5_001)),
            process("out", "rf_iz", Shape::List(4), &numbers(64 * 150)),
        ],
        projections,
    }
}

/// Writes a network and reads it back.
fn back(network: &QuantisedNetwork) -> NetxNetwork {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.net");
    write_netx(&path, network, false).unwrap();
    let layers = read_netx_layers(&path).unwrap();
    assert!(layers.iter().all(|layer| layer.warnings.is_empty()), "{layers:?}");
    let read = read_netx_network(&path, &NetxOptions::default()).unwrap();
    assert_eq!(read.warnings, Vec::<String>::new());
    read
}

fn spikes(network: &QuantisedNetwork, input: &SpikeTrain) -> Vec<Vec<Vec<Spike>>> {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let recording =
        Emulator::new(network, &chip).unwrap().run(80, std::slice::from_ref(input)).unwrap();
    let trains = recording.spikes.iter();
    trains.map(|train| (0..80).map(|step| train.at(step).to_vec()).collect()).collect()
}

/// Inputs of 80 steps; `payload` of each spike by step and neuron.
fn input(neurons: u32, payload: impl Fn(u32, u32) -> i32) -> SpikeTrain {
    let mut train = SpikeTrain::new();
    for step in 0..80_u32 {
        let all = (0..neurons).map(|neuron| Spike { neuron, payload: payload(step, neuron) });
        let row: Vec<_> = all.filter(|spike| spike.payload != 0).collect();
        train.push_step(&row);
    }
    train
}

#[test]
fn sigma_delta_layers_come_back_and_send_the_same_values() {
    let network = sigma_delta();
    let read = back(&network);
    assert_eq!(read.layers, [0, 1, 2, 3], "the driven input is a layer of its own");
    for (ours, theirs) in network.populations.iter().zip(&read.network.populations) {
        assert_eq!((&ours.process, ours.shape), (&theirs.process, theirs.shape));
        for (name, values) in &theirs.parameters {
            assert_eq!(ours.parameters.get(name), Some(values), "{name} of {}", ours.name);
        }
    }
    let wave = input(60, |step, neuron| ((step * 13 + neuron * 29) % 41) as i32 - 20);
    let ours = spikes(&network, &wave);
    assert_eq!(ours, spikes(&read.network, &wave));
    let values = |layer: usize| ours[layer].iter().flatten().map(|spike| spike.payload);
    assert!((0..4).all(|layer| values(layer).any(|payload| payload < -1)), "values are graded");
}

/// netx goes over period and angle and cuts: whatever the decays, the same ones come out.
#[test]
fn resonators_come_back_with_every_decay_and_spike_alike() {
    for sine in (-4000..=4000).step_by(500) {
        for cosine in (-4000..=4000).step_by(400).filter(|c| c * c + sine * sine < 4095 * 4095) {
            let read = back(&resonators([sine, cosine]));
            let stored = |name: &str| read.network.populations[1].parameters.get(name).cloned();
            assert_eq!(stored("sin_decay"), Some(IntegerValues::One(sine)));
            assert_eq!(stored("cos_decay"), Some(IntegerValues::One(cosine)));
            assert_eq!(stored("vth"), Some(IntegerValues::One(5_001)));
        }
    }
    let network = resonators([1_200, 3_800]);
    let read = back(&network);
    let pulses = input(6, |step, neuron| i32::from((step * 7 + neuron * 5) % 4 == 0));
    let ours = spikes(&network, &pulses);
    assert_eq!(ours, spikes(&read.network, &pulses));
    assert!((1..3).all(|layer| ours[layer].iter().any(|row| !row.is_empty())), "both layers spike");
}

/// Each rule is broken alone; the violation must name it.
#[test]
fn what_netx_has_not_is_refused() {
    type Make = fn() -> QuantisedNetwork;
    type Break = fn(&mut QuantisedNetwork);
    let cases: &[(Make, &str, &str, Break)] = &[
        (sigma_delta, "neuron", "spike_exp is 5", |n| set(n, 1, "spike_exp", 5)),
        (sigma_delta, "neuron", "state_exp is 0", |n| {
            n.populations[2].parameters.shift_remove("state_exp");
        }),
        (sigma_delta, "neuron", "netx compares single changes", |n| set(n, 2, "cum_error", 1)),
        (sigma_delta, "neuron", "netx rectifies", |n| set(n, 2, "relu", 0)),
        (sigma_delta, "neuron", "vth is 0", |n| set(n, 0, "vth", 0)),
        (sigma_delta, "bias", "multiple of 4096", |n| set(n, 2, "bias", 4_095)),
        (sigma_delta, "graded", "carry 0 bits", |n| n.projections[1].message_bits = 0),
        (sigma_delta, "parameter", "`period`", |n| set(n, 3, "period", 0)),
        (sigma_delta, "input", "2 inputs", |n| set(n, 1, "driven", 1)),
        (sigma_delta, "process", "it is the input", |n| n.populations[0].process = "rf".into()),
        (sigma_delta, "process", "`delta`", |n| n.populations[2].process = "delta".into()),
        (some_resonators, "complex", "imaginary", |n| {
            n.projections.remove(1);
        }),
        (some_resonators, "branch", "2 projections enter", |n| n.projections[1].port = 0),
        (some_resonators, "delay", "complex weights", |n| {
            n.projections[1].delay = DelaySteps::One(3);
        }),
        (some_resonators, "recurrent", "resonators recurrent", |n| {
            n.projections.push(projection(1, 1, dense(&pattern(81), 9, 9)));
        }),
        (some_resonators, "neuron", "decay_bits is 11", |n| set(n, 1, "decay_bits", 11)),
        (some_resonators, "weights", "all 54 weights are 0", |n| {
            n.projections[1].connection = Connection::Dense {
                weights: vec![0; 54],
                sign_mode: SignMode::Mixed,
                weight_bits: 8,
                weight_exponent: 0,
            };
        }),
        (some_resonators, "graded", "input_message_bits", |n| n.projections[0].message_bits = 8),
        (some_resonators, "learning", "it learns", |n| {
            n.projections[2].learning = Some(crate::quantise::network::LearningRule::default());
        }),
    ];
    for (made, rule, words, change) in cases {
        let mut network = made();
        change(&mut network);
        let violations = plan(&network).expect_err(words);
        let found = violations.iter().find(|v| v.rule == *rule && v.to_string().contains(words));
        assert!(found.is_some(), "{rule} with `{words}` is not in {violations:#?}");
        assert!(violations.iter().all(|v| !v.remedy.is_empty()));
    }
}

fn some_resonators() -> QuantisedNetwork {
    resonators([1_200, 3_800])
}
