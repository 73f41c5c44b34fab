//! Checkpoints: a run that goes on from one, with any number of threads, equals the run that was
//! never stopped, byte by byte; what does not fit is refused with its reason.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use sim_core::checkpoint::{Checkpoint, CheckpointError, Numbers};
use sim_core::connectome::{CompileConfig, Precision};
use sim_core::engine::{Compiled, ENGINES, Engine, EngineConfig, EngineError};
use sim_core::network::{
    FixedProbability, GammaTrain, Network, NetworkHash, Neuron, Plasticity, Poisson, PoissonDrive,
    Population, Probe, Projection, RegularTrain, Reset, SpikeCondition, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::neuron::{MODELS, NeuronModel};
use sim_core::recording::Recording;
use sim_core::synapse::{Pairing, RULES, RuleKind, RuleParameter, SynapseRule};
use sim_core::time::Time;
use sim_core::units::{
    Dimension, Hertz, Milliseconds, Millivolts, Nanosiemens, Picoamperes, Quantity, Values,
};
use std::sync::Arc;
use test_support::generate::{FAMILIES, Size, network};
use test_support::suite::{advance, compile, start};

/// Everything that is to come out the same: what was recorded after the cut, and the whole state.
fn outcome(engine: &mut dyn Engine) -> (Vec<u8>, Checkpoint) {
    let recorded = serde_json::to_vec(&engine.take_recorded()).unwrap();
    (recorded, engine.checkpoint())
}

/// Bits of all numbers: a NaN equals itself.
fn bits(checkpoint: &Checkpoint) -> Vec<(String, Vec<u64>)> {
    let words = |numbers: &Numbers| match numbers {
        Numbers::F64(n) => n.iter().map(|x| x.to_bits()).collect(),
        Numbers::F32(n) => n.iter().map(|x| u64::from(x.to_bits())).collect(),
        Numbers::U32(n) => n.iter().map(|&x| u64::from(x)).collect(),
        Numbers::U64(n) => n.clone(),
        Numbers::I64(n) => n.iter().map(|&x| x as u64).collect(),
        Numbers::I32(n) => n.iter().map(|&x| x as u64).collect(),
    };
    checkpoint.sections.iter().map(|s| (s.name.clone(), words(&s.numbers))).collect()
}

/// Fails with the first section that differs.
fn assert_same(what: &str, found: &(Vec<u8>, Checkpoint), expected: &(Vec<u8>, Checkpoint)) {
    for (a, b) in bits(&found.1).iter().zip(&bits(&expected.1)) {
        assert_eq!(a, b, "{what}");
    }
    assert_eq!(found.1.sections.len(), expected.1.sections.len(), "{what}");
    assert!(found.0 == expected.0, "{what}: recordings differ");
}

/// Runs to `cut` with one number of threads and on to `end` with another, and never stopped; also
/// from an engine that was somewhere else before.
fn check(what: &str, compiled: &Arc<Compiled>, engine: &str, cut: f64, end: f64) -> Checkpoint {
    let mut whole = start(compiled, engine, 1);
    advance(whole.as_mut(), cut);
    whole.take_recorded();
    advance(whole.as_mut(), end - cut);
    let expected = outcome(whole.as_mut());
    let mut first = start(compiled, engine, 1);
    advance(first.as_mut(), cut);
    let checkpoint = first.checkpoint();
    for (threads, others) in [(1, 2), (2, 8), (8, 1)] {
        let what = format!("{what}: {threads} to {others} threads");
        let mut first = start(compiled, engine, threads);
        advance(first.as_mut(), cut);
        let saved = first.checkpoint();
        assert_eq!(bits(&saved), bits(&checkpoint), "{what}");
        let mut next = start(compiled, engine, others);
        // Something that must not be left over.
        next.reset(77);
        let dt = compiled.network().grid().dt();
        advance(next.as_mut(), (cut / 2.0 / dt).floor() * dt);
        next.restore(&saved).unwrap();
        assert_eq!(next.now(), Time::from_milliseconds(cut).unwrap());
        assert_eq!(bits(&next.checkpoint()), bits(&saved), "{what}");
        advance(next.as_mut(), end - cut);
        assert_same(&what, &outcome(next.as_mut()), &expected);
    }
    // An engine that nobody asks for checkpoints computes the same as one that is asked all the time.
    let mut asked = start(compiled, engine, 2);
    let step = compiled.network().grid().dt();
    for _ in 0..(cut / step).round() as u64 {
        advance(asked.as_mut(), step);
        asked.checkpoint();
    }
    asked.take_recorded();
    advance(asked.as_mut(), end - cut);
    assert_same(&format!("{what}: asked in every step"), &outcome(asked.as_mut()), &expected);
    checkpoint
}

#[test]
fn random_networks_go_on_from_anywhere() {
    for family in FAMILIES {
        for seed in 300..306 {
            let network = network(family, seed, Size::SMALL);
            let (compiled, dt) = (compile(&network), network.dt.in_base());
            for engine in family.engines() {
                let cut = (7 + 9 * (seed % 5)) as f64 * dt;
                check(&network.name, &compiled, engine.name, cut, 70.0 * dt);
            }
        }
    }
}

/// An input that makes a neuron of any model spike now and then.
fn weight(dimension: Dimension) -> Values {
    match dimension {
        Dimension::Potential => Millivolts(6.0).into(),
        Dimension::Current => Picoamperes(700.0).into(),
        Dimension::Conductance => Nanosiemens(12.0).into(),
        _ => Quantity::from(0.6).into(),
    }
}

/// Neurons of one model, each receptor driven by noise, and connected with each other.
fn model_network(model: &dyn NeuronModel) -> Network {
    let spec = model.spec();
    let mut network = Network::new(spec.name, Milliseconds(0.25));
    network.seed = 3;
    let mut neuron = Neuron::new(spec.name);
    if spec.spikes {
        neuron.spike = Some(SpikeCondition::AtOrAbove);
        neuron.reset = Some(match spec.variables[0].dimension {
            _ if spec.subtracting_reset => Reset::Subtract,
            Dimension::Potential => Reset::To(Millivolts(-70.0).into()),
            _ => Reset::To(Quantity::from(0.0).into()),
        });
    }
    if !spec.refractory_input.is_empty() {
        neuron.refractory_input = Some(spec.refractory_input[0]);
    }
    network.add_population("cells", Population::new(11, neuron));
    network.add_probe("cells", Probe::spikes("cells"));
    for (index, receptor) in spec.receptors.iter().enumerate() {
        let source = format!("noise {index}");
        network.add_population(source.clone(), Population::new(9, Neuron::spike_source()));
        let rate = Hertz(170.0).into();
        let population = source.clone();
        let poisson = Poisson { population, rate, modulation: None };
        network.add_stimulus(source.clone(), Stimulus::Poisson(poisson));
        let pairs = FixedProbability { probability: 0.5, autapses: true };
        for (number, from) in [source.as_str(), "cells"].into_iter().enumerate() {
            network.add_projection(
                format!("{from} to {}", receptor.name),
                Projection::new(from, "cells", pairs)
                    .receptor(receptor.name)
                    .weight(weight(receptor.weight))
                    .delay(Milliseconds(0.5 + 1.25 * number as f64)),
            );
        }
    }
    if let Some(dimension) = spec.current {
        let amplitude: Quantity = match dimension {
            Dimension::Current => Picoamperes(1000.0).into(),
            Dimension::Potential => Millivolts(0.5).into(),
            _ => Quantity::from(0.15),
        };
        let current = Stimulus::constant_current("cells", amplitude, Milliseconds(2.0));
        network.add_stimulus("current", current);
    }
    for variable in spec.variables {
        network.add_probe(variable.name, Probe::variable("cells", variable.name));
    }
    network
}

#[test]
fn every_model_goes_on_in_the_middle_of_activity() {
    let mut checked = [0, 0];
    for model in MODELS {
        let network = model_network(*model);
        let compiled = compile(&network);
        for (index, engine) in ENGINES.iter().enumerate() {
            match (engine.start)(compiled.clone(), EngineConfig::default()) {
                Ok(_) => checked[index] += 1,
                Err(EngineError::NotEventDriven { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
            let name = model.spec().name;
            // Refractory times, windows and paused states of all kinds come by.
            for cut in [1.0, 6.25, 6.75, 24.5] {
                let checkpoint = check(name, &compiled, engine.name, cut, 40.0);
                let spikes = checkpoint.u64s("counters/spikes").unwrap();
                assert!(cut < 24.0 || !model.spec().spikes || spikes[0] > 0, "{name} is silent");
            }
        }
    }
    assert_eq!(checked[0], MODELS.len());
    assert!(checked[1] >= 12, "{checked:?}");
}

/// Neurons with a learning projection among themselves, rewarded by a second population.
fn rule_network(rule: &dyn SynapseRule, pairing: Option<Pairing>) -> Network {
    let spec = rule.spec();
    let mut network = Network::new(spec.name, Milliseconds(0.25));
    network.seed = 8;
    network.add_population("noise", Population::new(20, Neuron::spike_source()));
    let rate = Hertz(60.0).into();
    let poisson = Poisson { population: "noise".into(), rate, modulation: None };
    network.add_stimulus("noise", Stimulus::Poisson(poisson));
    for (name, size) in [("cells", 13), ("reward", 3)] {
        network.add_population(name, Population::new(size, LifDelta::default()));
        let pairs = FixedProbability { probability: 0.4, autapses: true };
        let noise = Projection::new("noise", name, pairs).weight(Millivolts(7.0));
        network.add_projection(format!("noise {name}"), noise.delay(Milliseconds(0.5)));
        network.add_probe(name, Probe::spikes(name));
    }
    let mut given = Plasticity::new(spec.name);
    let must = |p: &&RuleParameter| p.default.is_none() && rule.as_given(p.name).is_none();
    for parameter in spec.parameters.iter().filter(must) {
        let value = if parameter.name == "interval" {
            Values::from(Milliseconds(15.0))
        } else {
            Millivolts(9.0).into()
        };
        given = given.parameter(parameter.name, value);
    }
    given.pairing = pairing;
    if spec.modulated {
        given = given.modulator("reward");
    }
    let pairs = FixedProbability { probability: 0.5, autapses: true };
    let learning = Projection::new("cells", "cells", pairs).weight(Millivolts(1.5));
    let learning = learning.delay(Milliseconds(1.5));
    let stdp = || {
        let stdp = Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(9.0));
        stdp.dendritic_delay(Milliseconds(0.75))
    };
    network.add_projection(
        "learning",
        match spec.kind {
            RuleKind::ShortTerm => learning.short_term(given).plasticity(stdp()),
            RuleKind::LongTerm => learning.plasticity(given.dendritic_delay(Milliseconds(1.0))),
            RuleKind::Homeostasis => learning.plasticity(stdp()).homeostasis(given),
        },
    );
    network.add_probe("weights", Probe::weights("learning", Milliseconds(2.5)));
    network
}

#[test]
fn every_rule_goes_on_in_the_middle_of_learning() {
    for rule in RULES {
        let pairings = rule.spec().pairings.iter().copied().map(Some);
        let pairings: Vec<Option<Pairing>> =
            if pairings.len() == 0 { vec![None] } else { pairings.collect() };
        for pairing in pairings {
            let network = rule_network(*rule, pairing);
            let compiled = compile(&network);
            for engine in ENGINES {
                let what = format!("{} {pairing:?} {}", network.name, engine.name);
                // Sooner than a synapse's dendritic delay, too.
                check(&what, &compiled, engine.name, 0.5, 20.0);
                let early = check(&what, &compiled, engine.name, 12.25, 90.0);
                let late = check(&what, &compiled, engine.name, 61.0, 90.0);
                let weights = |checkpoint: &Checkpoint| {
                    checkpoint.f64s("projection/learning/0").unwrap().to_vec()
                };
                assert_ne!(weights(&early), weights(&late), "{what}: nothing was learnt");
            }
        }
    }
}

/// Stimuli of every kind that has a position.
fn stimulated() -> Network {
    let mut network = network(FAMILIES[2], 12, Size::SMALL);
    network.dt = Milliseconds(0.25).into();
    network = Network { populations: Default::default(), ..network };
    network.projections.clear();
    network.stimuli.clear();
    network.probes.clear();
    for name in ["gamma", "regular", "poisson"] {
        network.add_population(name, Population::new(5, Neuron::spike_source()));
        network.add_probe(name, Probe::spikes(name));
    }
    let gamma = GammaTrain {
        population: "gamma".into(),
        rate: Hertz(150.0).into(),
        shape: 2.5,
        dead_time: Some(Milliseconds(1.0).into()),
        start: Milliseconds(3.0).into(),
        stop: None,
    };
    network.add_stimulus("gamma", Stimulus::GammaTrain(gamma));
    network.add_stimulus(
        "regular",
        Stimulus::RegularTrain(RegularTrain {
            population: "regular".into(),
            interval: Milliseconds(2.75).into(),
            phase: Some(Quantity::from(0.4).into()),
            start: Milliseconds(1.25).into(),
            stop: None,
        }),
    );
    let poisson =
        Poisson { population: "poisson".into(), rate: Hertz(300.0).into(), modulation: None };
    network.add_stimulus("poisson", Stimulus::Poisson(poisson));
    network
}

#[test]
fn every_stimulus_goes_on_where_it_was() {
    let network = stimulated();
    let compiled = compile(&network);
    for engine in ENGINES {
        for cut in [0.25, 3.0, 8.25, 20.0] {
            let checkpoint = check("stimuli", &compiled, engine.name, cut, 40.0);
            let spikes = checkpoint.u64s("counters/spikes").unwrap();
            assert!(cut < 20.0 || spikes.iter().all(|&count| count >= 5), "{spikes:?}");
        }
    }
}

#[test]
fn the_narrow_form_goes_on_too() {
    let mut network = Network::new("narrow", Milliseconds(0.1));
    network.seed = 4;
    for (name, neuron) in
        [("exponential", LifExponential::default().into()), ("delta", LifDelta::default().into())]
    {
        let neuron: Neuron = neuron;
        network.add_population(name, Population::new(150, neuron));
        network.add_probe(name, Probe::spikes(name));
    }
    // Nothing but a current reaches these: they run on their own.
    network.add_population("paced", Population::new(40, LifExponential::default()));
    let current = Stimulus::constant_current("paced", Picoamperes(450.0), Milliseconds(0.0));
    network.add_stimulus("current", current);
    let drive = PoissonDrive::new("exponential", Hertz(9000.0), Picoamperes(110.0));
    network.add_stimulus("noise", Stimulus::PoissonDrive(drive));
    let drive = PoissonDrive::new("delta", Hertz(15_000.0), Millivolts(0.11));
    network.add_stimulus("more noise", Stimulus::PoissonDrive(drive));
    let pairs = FixedProbability { probability: 0.1, autapses: true };
    for (source, target, delay) in [("delta", "delta", 0.8), ("exponential", "delta", 1.5)] {
        let projection = Projection::new(source, target, pairs).weight(Millivolts(0.2));
        network
            .add_projection(format!("{source} to {target}"), projection.delay(Milliseconds(delay)));
    }
    let config =
        CompileConfig { precision: Precision::Single, blocks: 3, ..CompileConfig::UNLIMITED };
    let narrow = Arc::new(Compiled::new(network.validate().unwrap(), config).unwrap());
    let checkpoint = check("narrow", &narrow, "clock", 23.7, 40.0);
    assert!(checkpoint.u64s("counters/spikes").unwrap().iter().all(|&count| count > 20));
    assert_eq!(checkpoint.identity.narrow, [true; 3]);
    let mut wide = start(&compile(&network), "clock", 1);
    let error = wide.restore(&checkpoint).unwrap_err();
    assert!(error.to_string().contains("double precision and ran in single"), "{error}");
}

#[test]
fn replaced_stimuli_are_part_of_a_checkpoint() {
    let mut network = Network::new("replaced", Milliseconds(1.0));
    network.add_population("cells", Population::new(3, LifDelta::default()));
    let current = Stimulus::constant_current("cells", Picoamperes(300.0), Milliseconds(0.0));
    network.add_stimulus("current", current);
    network.add_probe("spikes", Probe::spikes("cells"));
    let compiled = compile(&network);
    for entry in ENGINES {
        let mut engine = start(&compiled, entry.name, 1);
        engine.set_current(0, &[500.0, 600.0, 700.0]).unwrap();
        engine.reset(1);
        engine.set_current(0, &[800.0, 0.0, 450.0]).unwrap();
        advance(engine.as_mut(), 30.0);
        let saved = engine.checkpoint();
        let mut other = start(&compiled, entry.name, 2);
        other.restore(&saved).unwrap();
        for span in [40.0, 60.0] {
            engine.take_recorded();
            other.take_recorded();
            advance(engine.as_mut(), span);
            advance(other.as_mut(), span);
            assert_same(entry.name, &outcome(other.as_mut()), &outcome(engine.as_mut()));
            // What was given last acts from here on.
            engine.reset(5);
            other.reset(5);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let network = rule_network(RULES[8], None);
    let compiled = compile(&network);
    for entry in ENGINES {
        let mut engine = start(&compiled, entry.name, 1);
        advance(engine.as_mut(), 20.0);
        let good = engine.checkpoint();
        let refused = |change: &dyn Fn(&mut Checkpoint)| {
            let mut engine = start(&compiled, entry.name, 2);
            let mut bad = good.clone();
            change(&mut bad);
            let error = engine.restore(&bad).unwrap_err();
            // The engine is usable, and at its beginning.
            assert_eq!(engine.now(), Time::ZERO);
            engine.restore(&good).unwrap();
            error
        };
        let error = refused(&|c| c.identity.version = "9.9.9".into());
        assert!(matches!(error, CheckpointError::Version { .. }), "{error}");
        let error = refused(&|c| c.identity.engine = "sundial".into());
        assert!(error.to_string().contains("--engine sundial"), "{error}");
        let error = refused(&|c| c.identity.network = NetworkHash(1));
        assert!(error.to_string().contains("another network"), "{error}");
        let error = refused(&|c| c.time = Time(c.time.0 + 1));
        assert!(error.to_string().contains("not on the grid"), "{error}");
        // Every section is needed, at its length, of its type, and with possible content.
        for index in 0..good.sections.len() {
            let name = &good.sections[index].name;
            let error = refused(&|c| drop(c.sections.remove(index)));
            assert!(error.to_string().contains(name.as_str()), "{name}: {error}");
            let error = refused(&|c| match &mut c.sections[index].numbers {
                Numbers::F64(n) => n.push(0.0),
                Numbers::F32(n) => n.push(0.0),
                Numbers::U32(n) => n.push(u32::MAX),
                Numbers::U64(n) => n.push(u64::MAX),
                Numbers::I64(n) => n.push(i64::MAX - 1),
                Numbers::I32(n) => n.push(i32::MAX),
            });
            let family = name.rsplit_once('/').map_or(name.as_str(), |(family, _)| family);
            assert!(error.to_string().contains(family), "{name}: {error}");
            let error = refused(&|c| c.sections[index].numbers = Numbers::F32(vec![1.0]));
            assert!(error.to_string().contains(family), "{name}: {error}");
        }
    }
}

fn spikes(recording: &Recording) -> Vec<(i64, u32)> {
    recording.spikes.iter().map(|spike| (spike.time.0, spike.neuron)).collect()
}

#[test]
fn state_is_reset_and_weights_stay() {
    let network = rule_network(RULES[2], None);
    let learning = network.projections.get_index_of("learning").unwrap();
    let compiled = compile(&network);
    for entry in ENGINES {
        let mut engine = start(&compiled, entry.name, 2);
        let initial = engine.weights(learning).unwrap();
        advance(engine.as_mut(), 80.0);
        let first = spikes(engine.recording());
        engine.reset_state(network.seed);
        let learnt = engine.weights(learning).unwrap();
        assert_ne!(learnt, initial);
        assert_eq!(engine.now(), Time::ZERO);
        assert!(engine.recording().spikes.is_empty());
        advance(engine.as_mut(), 80.0);
        assert_ne!(spikes(engine.recording()), first, "other weights, other spikes");
        // An episode that starts with these weights, described: the same spikes.
        let mut described = network.clone();
        let plastic = described.projections.shift_remove("learning").unwrap();
        let list = sim_core::network::List {
            sources: learnt.iter().map(|synapse| synapse.0).collect(),
            targets: learnt.iter().map(|synapse| synapse.2).collect(),
        };
        let values = learnt.iter().map(|synapse| synapse.3).collect();
        let unit = sim_core::units::find_unit("mV").unwrap();
        let mut with_weights = Projection::new("cells", "cells", list)
            .weight(Values::Each { values, unit })
            .delay(Milliseconds(1.5));
        with_weights.plasticity = plastic.plasticity;
        described.add_projection("learning", with_weights);
        let mut other = start(&compile(&described), entry.name, 1);
        advance(other.as_mut(), 80.0);
        assert_eq!(spikes(engine.recording()), spikes(other.recording()), "{}", entry.name);
        assert_eq!(engine.weights(learning), other.weights(learning));
        engine.reset(network.seed);
        assert_eq!(engine.weights(learning).unwrap(), initial);
        advance(engine.as_mut(), 80.0);
        assert_eq!(spikes(engine.recording()), first);
    }
}
