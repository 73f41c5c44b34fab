//! Results do not depend on threads, on how a run is cut, on probes or on the order of a description.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use sim_core::connectome::{CompileConfig, Connectome, compile as compile_connectome};
use sim_core::engine::{ENGINES, EngineError};
use sim_core::network::{
    Connectivity, FixedProbability, Network, Neuron, OneToOne, Poisson, Population, Probe,
    Projection, SpikeList, Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::recording::{Recording, Spike};
use sim_core::time::Time;
use sim_core::units::{Hertz, Milliseconds, Millivolts, Values, find_unit};
use test_support::generate::{FAMILIES, Family, Size, any_network, network};
use test_support::suite::{advance, assert_same_spikes, compile, runner, simulate, start};
use test_support::tolerance::SIGMAS;

/// Steps that networks are run for.
const STEPS: u64 = 80;

fn duration(network: &Network) -> f64 {
    STEPS as f64 * network.dt.in_base()
}

/// Everything a recording holds, potentials bit by bit.
fn bytes(recording: &Recording) -> Vec<u8> {
    serde_json::to_vec(recording).unwrap()
}

#[test]
fn recordings_are_the_same_bytes_for_any_number_of_threads() {
    let mut spikes = 0;
    for family in FAMILIES {
        for seed in 100..112 {
            let network = network(family, seed, Size::SMALL);
            let compiled = compile(&network);
            for engine in family.engines() {
                let one = simulate(&compiled, engine.name, 1, duration(&network));
                for threads in [2, 3, 8] {
                    let many = simulate(&compiled, engine.name, threads, duration(&network));
                    assert_eq!(
                        bytes(&one),
                        bytes(&many),
                        "{}: {} with {threads} threads",
                        network.name,
                        engine.name
                    );
                }
                spikes += one.spikes.len();
            }
        }
    }
    assert!(spikes > 10_000, "{spikes}");
}

#[test]
fn a_run_in_two_parts_is_a_run_in_one_wherever_it_is_cut() {
    for family in FAMILIES {
        runner(6)
            .run(&(any_network(family), 1..STEPS), |(network, cut)| {
                let compiled = compile(&network);
                let dt = network.dt.in_base();
                for engine in family.engines() {
                    let whole = simulate(&compiled, engine.name, 2, duration(&network));
                    let mut parts = start(&compiled, engine.name, 2);
                    for steps in [cut, 0, STEPS - cut] {
                        advance(parts.as_mut(), steps as f64 * dt);
                    }
                    proptest::prop_assert_eq!(bytes(&whole), bytes(parts.recording()));
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_run_in_single_steps_is_a_run_in_one() {
    for family in FAMILIES {
        let network = network(family, 7, Size::SMALL);
        let compiled = compile(&network);
        for engine in family.engines() {
            let whole = simulate(&compiled, engine.name, 1, duration(&network));
            let mut steps = start(&compiled, engine.name, 1);
            for _ in 0..STEPS {
                advance(steps.as_mut(), network.dt.in_base());
            }
            assert_eq!(bytes(&whole), bytes(steps.recording()), "{}", network.name);
        }
    }
}

#[test]
fn a_reset_engine_repeats_itself_and_other_seeds_draw_other_spikes() {
    let mut differing = 0;
    for seed in 0..10 {
        let network = network(Family::Mixed, seed, Size::SMALL);
        let compiled = compile(&network);
        for entry in ENGINES {
            let mut engine = start(&compiled, entry.name, 1);
            let span = duration(&network);
            advance(engine.as_mut(), span);
            let first = engine.recording().clone();
            engine.reset(seed);
            assert!(engine.recording().spikes.is_empty());
            advance(engine.as_mut(), span);
            assert_eq!(bytes(&first), bytes(engine.recording()), "{}", network.name);
            engine.reset(seed + 1);
            advance(engine.as_mut(), span);
            differing += usize::from(first.spikes != engine.recording().spikes);
        }
    }
    // Networks without a Poisson source do not depend on the seed.
    assert!(differing >= 4, "{differing}");
}

#[test]
fn probes_change_nothing() {
    for family in FAMILIES {
        for seed in 0..10 {
            let probed = network(family, seed, Size::SMALL);
            let mut bare = probed.clone();
            bare.probes.retain(|_, probe| probe.variable == "spikes");
            for engine in family.engines() {
                let with = simulate(&compile(&probed), engine.name, 2, duration(&probed));
                let without = simulate(&compile(&bare), engine.name, 2, duration(&probed));
                assert_same_spikes(&probed.name, &with.spikes, &without.spikes);
                let mut silent = bare.clone();
                silent.probes.clear();
                let unseen = simulate(&compile(&silent), engine.name, 2, duration(&probed));
                assert_eq!(unseen.counters, with.counters, "{}", probed.name);
                assert!(unseen.spikes.is_empty());
            }
        }
    }
}

/// A spike list, a Poisson source and a current, each with these values, onto two neurons.
fn stimulated(spikes: &[(f64, u32)], per_step: &[f64], current: &[f64]) -> Network {
    let mut network = Network::new("stimulated", Milliseconds(1.0));
    for name in ["listed", "random"] {
        network.add_population(name, Population::new(2, Neuron::spike_source()));
        network.add_projection(name, Projection::new(name, "cell", OneToOne));
    }
    network.add_population("cell", Population::new(2, IntegrateAndFire::default()));
    let each = |values: &[f64], symbol| Values::Each {
        values: values.to_vec(),
        unit: find_unit(symbol).unwrap(),
    };
    let times: Vec<f64> = spikes.iter().map(|spike| spike.0).collect();
    let list = Stimulus::SpikeList(SpikeList {
        population: "listed".into(),
        neurons: spikes.iter().map(|spike| spike.1).collect(),
        times: each(&times, "ms"),
    });
    network.add_stimulus("list", list);
    let rate = each(per_step, "kHz");
    let poisson =
        Stimulus::Poisson(Poisson { population: "random".into(), rate, modulation: None });
    network.add_stimulus("poisson", poisson);
    let current = Stimulus::constant_current("cell", each(current, "1"), Milliseconds(3.0));
    network.add_stimulus("current", current);
    network.add_probe("spikes", Probe::spikes("cell"));
    network.add_probe("state", Probe::variable("cell", "membrane_potential"));
    network
}

#[test]
fn stimuli_replaced_before_a_reset_act_as_if_described() {
    let before = stimulated(&[(2.0, 0), (9.0, 1)], &[0.5, 0.25], &[0.125, 0.0]);
    let spikes = [(1.0, 1), (4.0, 0), (5.0, 0)];
    let (per_step, current) = ([0.125, 0.75], [0.25, -0.0625]);
    let after = stimulated(&spikes, &per_step, &current);
    for entry in ENGINES {
        let expected = simulate(&compile(&after), entry.name, 1, 50.0);
        let mut engine = start(&compile(&before), entry.name, 1);
        advance(engine.as_mut(), 20.0);
        // Given in any order.
        let timed = spikes.iter().rev();
        let timed = timed.map(|&(time, neuron)| (Time::from_milliseconds(time).unwrap(), neuron));
        engine.set_spikes(0, &timed.collect::<Vec<_>>()).unwrap();
        engine.set_probability(1, &per_step).unwrap();
        engine.set_current(2, &current).unwrap();
        assert!(engine.set_current(0, &current).is_err());
        assert!(engine.set_current(9, &current).is_err());
        assert!(engine.set_current(2, &[1.0]).is_err());
        assert!(engine.set_current(2, &[1.0, f64::NAN]).is_err());
        assert!(engine.set_probability(1, &[0.5, 1.5]).is_err());
        assert!(engine.set_spikes(0, &[(Time::ZERO, 0)]).is_err());
        assert!(engine.set_spikes(0, &[(Time(1), 2)]).is_err());
        engine.reset(after.seed);
        advance(engine.as_mut(), 50.0);
        assert_eq!(bytes(&expected), bytes(engine.recording()), "{}", entry.name);
        assert!(!expected.spikes.is_empty());
    }
}

#[test]
fn a_run_that_the_observer_stops_can_go_on() {
    for seed in 0..10 {
        let network = network(Family::Mixed, seed, Size::SMALL);
        let compiled = compile(&network);
        let end = Time::from_milliseconds(duration(&network)).unwrap();
        for entry in ENGINES {
            let whole = simulate(&compiled, entry.name, 1, duration(&network));
            let mut engine = start(&compiled, entry.name, 1);
            let halfway = Time(end.0 / 2);
            let stopped = engine.run(end, &mut |now| now < halfway);
            if let Err(error) = stopped {
                assert_eq!(error, EngineError::Stopped { at: engine.now() });
                assert!(engine.now() >= halfway && engine.now() < end);
                engine.run(end - engine.now(), &mut |_| true).unwrap();
            }
            assert_eq!(bytes(&whole), bytes(engine.recording()), "{}", network.name);
        }
    }
}

/// Spikes by (time, population's name, local index), sorted: independent of neuron numbers.
fn named_spikes(recording: &Recording) -> Vec<(i64, String, u32)> {
    let named = |spike: &Spike| {
        let population = recording.population_of(spike.neuron).unwrap();
        let local = spike.neuron - population.first;
        (spike.time.0, population.name.clone(), local)
    };
    let mut spikes: Vec<_> = recording.spikes.iter().map(named).collect();
    spikes.sort();
    spikes
}

#[test]
fn the_order_of_populations_and_projections_does_not_matter_to_exact_models() {
    let mut spikes = 0;
    for seed in 0..40 {
        let forward = network(Family::Stepwise, seed, Size::SMALL);
        let mut backward = forward.clone();
        backward.populations.reverse();
        backward.projections.reverse();
        backward.stimuli.reverse();
        backward.probes.reverse();
        for engine in ENGINES {
            let one = simulate(&compile(&forward), engine.name, 1, duration(&forward));
            let other = simulate(&compile(&backward), engine.name, 3, duration(&forward));
            assert_eq!(named_spikes(&one), named_spikes(&other), "{}", forward.name);
            spikes += one.spikes.len();
        }
    }
    assert!(spikes > 10_000, "{spikes}");
}

/// One population connected to itself or to a second one at random.
fn drawn(size: (u32, u32), probability: f64, autapses: bool, seed: u64) -> Connectome {
    let mut network = Network::new("drawn", Milliseconds(0.1));
    network.seed = seed;
    network.add_population("a", Population::new(size.0, LifDelta::default()));
    network.add_population("b", Population::new(size.1, LifDelta::default()));
    let target = if autapses { "b" } else { "a" };
    let rule = Connectivity::FixedProbability(FixedProbability { probability, autapses });
    network.add_projection("ab", Projection::new("a", target, rule).weight(Millivolts(0.1)));
    compile_connectome(&network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap()
}

fn pairs(connectome: &Connectome) -> Vec<(u32, u32)> {
    let neurons = 0..connectome.neuron_count();
    neurons
        .flat_map(|neuron| connectome.synapses_of(neuron))
        .map(|synapse| (synapse.source, synapse.target))
        .collect()
}

#[test]
fn drawn_synapses_do_not_depend_on_threads() {
    let alone = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap();
        pool.install(|| pairs(&drawn((300, 200), 0.1, true, 5)))
    };
    let one = alone(1);
    for threads in [2, 3, 8] {
        assert_eq!(one, alone(threads), "{threads} threads");
    }
    assert_ne!(one, pairs(&drawn((300, 200), 0.1, true, 6)));
}

#[test]
fn drawn_synapses_have_the_right_degrees_and_no_double_pairs() {
    for (sources, targets, probability) in
        [(400_u32, 300_u32, 0.1), (200, 500, 0.5), (50, 80, 0.97)]
    {
        let pairs = pairs(&drawn((sources, targets), probability, true, 11));
        assert!(pairs.is_sorted_by(|a, b| a < b), "ascending, so no pair twice");
        let count = pairs.len() as f64;
        let possible = f64::from(sources) * f64::from(targets);
        let deviation = (possible * probability * (1.0 - probability)).sqrt();
        // The mean out-degree is count / sources, the mean in-degree count / targets.
        assert!((count - possible * probability).abs() < SIGMAS * deviation, "{count}");
        let mut in_degrees = vec![0.0_f64; targets as usize];
        let mut out_degrees = vec![0.0_f64; sources as usize];
        for (source, target) in pairs {
            out_degrees[source as usize] += 1.0;
            in_degrees[(target - sources) as usize] += 1.0;
        }
        for (degrees, others) in [(in_degrees, sources), (out_degrees, targets)] {
            let mean = f64::from(others) * probability;
            let spread = (mean * (1.0 - probability)).sqrt();
            // Hundreds of degrees are looked at, so a sixth sigma is granted.
            let worst = degrees.iter().map(|d| (d - mean).abs()).fold(0.0, f64::max);
            assert!(worst < (SIGMAS + 1.0) * spread, "{worst} around {mean}");
            // The degrees' variance, whose own relative error is sqrt(2 / n).
            let n = degrees.len() as f64;
            let variance = degrees.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
            let relative = variance / (spread * spread) - 1.0;
            assert!(relative.abs() < SIGMAS * (2.0 / n).sqrt(), "{relative}");
        }
    }
}

#[test]
fn the_edges_of_probability_and_autapses_are_exact() {
    let all = pairs(&drawn((20, 30), 1.0, true, 1));
    assert_eq!(all.len(), 600);
    assert!(pairs(&drawn((20, 30), 0.0, true, 1)).is_empty());
    let without = pairs(&drawn((60, 1), 1.0, false, 1));
    assert_eq!(without.len(), 60 * 59);
    let some = pairs(&drawn((60, 1), 0.5, false, 1));
    assert!(some.iter().all(|(source, target)| source != target) && !some.is_empty());
}

#[test]
fn poisson_sources_have_the_right_rate_in_both_engines() {
    let mut network = Network::new("poisson", Milliseconds(0.1));
    network.add_population("source", Population::new(100, Neuron::spike_source()));
    network.add_stimulus(
        "poisson",
        Stimulus::Poisson(Poisson {
            population: "source".into(),
            rate: Hertz(200.0).into(),
            modulation: None,
        }),
    );
    let compiled = compile(&network);
    // 100 sources, 2000 steps, p = 0.02.
    let trials = 200_000.0_f64;
    let deviation = (trials * 0.02 * 0.98).sqrt();
    for engine in ENGINES {
        let recording = simulate(&compiled, engine.name, 1, 200.0);
        let count = recording.counters.spikes[0] as f64;
        assert!((count - 0.02 * trials).abs() < SIGMAS * deviation, "{count}");
        assert!((recording.rates()[0] - count / 20.0).abs() < 1e-9);
    }
}
