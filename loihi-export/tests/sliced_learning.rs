//! Synapses that learn, cut along a mapping: the same spikes and weights as uncut, and what is written of
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use loihi_export::export::lava_script::lava_script;
use loihi_export::export::sliced::{SlicedNetwork, slice_network};
use loihi_export::mapping::{CoreLimits, MapConfig, map};
use loihi_export::quantise::network::{
    Connection, DelaySteps, IntegerValues, LearningRule, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode, Trace,
};
use sim_core::network::Shape;

const INPUTS: u32 = 9;
const NEURONS: u32 = 13;
const STEPS: usize = 70;

fn population(name: &str, size: u32, process: &str, own: &[(&str, i64)]) -> QuantisedPopulation {
    let own = own.iter().map(|(name, value)| (name.to_string(), IntegerValues::One(*value)));
    QuantisedPopulation {
        name: name.into(),
        shape: Shape::List(size),
        process: process.into(),
        parameters: own.collect(),
    }
}

fn rule() -> LearningRule {
    LearningRule {
        dw: Some("2^-3*y0*x1*(w+5) - 3*2^-4*x0*y1".into()),
        x1: Trace { impulse: 16.5, tau: 10.0 },
        y1: Trace { impulse: 12.25, tau: 14.0 },
        t_epoch: 2,
        rng_seed: 11,
        ..LearningRule::default()
    }
}

fn network(rule: LearningRule) -> QuantisedNetwork {
    let weights = |count: u32, offset: i32| -> Vec<i32> {
        (0..count as i32).map(|place| ((place * 37 + offset) % 60) * 2 - 30).collect()
    };
    let projection = |name: &str, source, weights, learning| QuantisedProjection {
        name: name.into(),
        source,
        target: 1,
        connection: Connection::Dense {
            weights,
            sign_mode: SignMode::Mixed,
            weight_bits: 8,
            weight_exponent: 0,
        },
        delay: DelaySteps::One(0),
        message_bits: 0,
        port: 0,
        learning,
    };
    let cells = [("du", 2000), ("dv", 300), ("vth", 120)];
    QuantisedNetwork {
        name: "learning".into(),
        chip: "loihi2".into(),
        populations: vec![
            population("input", INPUTS, "input", &[]),
            population("cells", NEURONS, "lif", &cells),
        ],
        projections: vec![
            projection("forward", 0, weights(INPUTS * NEURONS, 3), Some(rule.clone())),
            projection("loop", 1, weights(NEURONS * NEURONS, 41), Some(rule)),
        ],
    }
}

fn cut(network: &QuantisedNetwork, neurons_per_core: u32) -> SlicedNetwork {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let limits = CoreLimits { neurons_per_core, ..CoreLimits::of_chip(&chip).unwrap() };
    let mapping = map(network, &limits, &MapConfig::default()).unwrap();
    slice_network(network, &mapping).unwrap()
}

fn input() -> SpikeTrain {
    let mut train = SpikeTrain::new();
    for step in 0..STEPS as u32 {
        let sent = (0..INPUTS).filter(|input| (step * 7 + input * 5) % 11 < 3);
        train.push_step(&sent.map(Spike::plain).collect::<Vec<_>>());
    }
    train
}

#[test]
fn cut_synapses_learn_the_weights_of_the_whole_ones() {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let network = network(rule());
    let mut whole = Emulator::new(&network, &chip).unwrap();
    let expected = whole.run(STEPS, &[input()]).unwrap();
    for neurons_per_core in [4, 7, 100] {
        let sliced = cut(&network, neurons_per_core);
        assert_eq!(sliced.projections.len(), sliced.network.projections.len());
        let mut emulator = Emulator::new(&sliced.network, &chip).unwrap();
        let found = emulator.run(STEPS, &[input()]).unwrap();
        for (index, projection) in network.projections.iter().enumerate() {
            let Connection::Dense { weights: before, .. } = &projection.connection else {
                panic!("{}", projection.name)
            };
            let after = whole.learned(index, "weights").unwrap();
            let moved = before.iter().zip(after).filter(|(a, b)| i64::from(**a) != **b).count();
            assert!(moved > before.len() / 4, "{moved} of {}", before.len());
            assert_eq!(sliced.learned_weights(&emulator, &network, index).unwrap(), after);
        }
        for step in 0..STEPS {
            let mut all: Vec<u32> = Vec::new();
            for (piece, train) in sliced.pieces.iter().zip(&found.spikes).skip(1) {
                all.extend(train.at(step).iter().map(|s| piece.neurons[s.neuron as usize]));
            }
            all.sort_unstable();
            let whole: Vec<u32> = expected.spikes[1].at(step).iter().map(|s| s.neuron).collect();
            assert_eq!(all, whole, "step {step}");
        }
        let script = lava_script(&sliced, &network.populations).unwrap().script;
        let count = script.matches("LearningDense(weights=").count();
        assert_eq!(count, sliced.network.projections.len());
        assert!(script.contains("Loihi2FLearningRule(dw=\"2^-3*y0*x1*(w+5)"), "{script}");
        assert!(script.contains("\"loop\": ((13, 13), ["), "{script}");
    }
}

#[test]
fn what_cannot_be_cut_or_written_is_refused_with_the_remedy() {
    // The other population lies in another cut than the targets.
    let mut other = network(LearningRule { post: Some(2), ..rule() });
    other.populations.push(population("other", NEURONS, "lif", &[("vth", 1)]));
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let limits = CoreLimits { neurons_per_core: 7, ..CoreLimits::of_chip(&chip).unwrap() };
    let mut mapping = map(&other, &limits, &MapConfig::default()).unwrap();
    assert!(slice_network(&other, &mapping).is_ok());
    mapping.slices.retain(|slice| slice.population != 2);
    let message = slice_network(&other, &mapping).unwrap_err().to_string();
    assert!(message.contains("'other'") && message.contains("neurons_per_core"), "{message}");
    let mut sparse = network(rule());
    sparse.projections.truncate(1);
    let listed = |weights| Connection::Sparse {
        targets: vec![0, 1],
        sources: vec![0, 0],
        weights,
        sign_mode: SignMode::Mixed,
        weight_bits: 8,
        weight_exponent: 0,
    };
    let plain = LearningRule { dw: Some("2^-3*y0*x1".into()), ..rule() };
    let tags = LearningRule { dt: Some("2^-3*y0*x1".into()), ..plain.clone() };
    for (weights, rule, expected) in [
        (vec![2, 0], plain.clone(), "weight 0"),
        (vec![2, 4], rule(), "reads a weight"),
        (vec![2, 4], tags, "changes tags"),
        (vec![2, 4], plain, ""),
    ] {
        sparse.projections[0].connection = listed(weights);
        sparse.projections[0].learning = Some(rule);
        let written = lava_script(&cut(&sparse, 100), &sparse.populations);
        match written {
            Ok(written) => {
                assert!(expected.is_empty() && written.script.contains("LearningSparse("))
            }
            Err(error) => {
                let text = error.to_string();
                assert!(!expected.is_empty() && text.contains(expected), "{text}");
                assert!(text.contains("dense"), "{text}");
            }
        }
    }
}
