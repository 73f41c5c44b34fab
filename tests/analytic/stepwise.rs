//! Stepwise models: rates by floor and ceiling, max pooling, sums.

use sim_core::engine::ENGINES;
use sim_core::network::{
    Connectivity, Dense, List, Network, Neuron, Poisson, Population, Probe, Projection, Reset,
    SpikeCondition, Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::integrator::integrator;
use sim_core::neuron::max_pool::max_pool;
use sim_core::units::{Hertz, Milliseconds, Quantity, Values, find_unit};
use test_support::closed_form::{hard_reset_count, soft_reset_count};
use test_support::generate::Dice;
use test_support::suite::{compile, simulate};

/// Spikes of an integrate-and-fire neuron under constant input after `steps` steps.
fn stepwise_count(engine: &str, cell: IntegrateAndFire, input: f64, steps: u64) -> u64 {
    let mut network = Network::new("rate", Milliseconds(1.0));
    network.add_population("cell", Population::new(1, cell));
    network.add_stimulus(
        "input",
        Stimulus::constant_current("cell", Quantity::number(input), Milliseconds(0.0)),
    );
    let recording = simulate(&compile(&network), engine, 1, steps as f64);
    recording.counters.spikes[0]
}

#[test]
fn an_integrate_and_fire_neuron_counts_as_the_floor_formula_says() {
    let mut dice = Dice::new(3);
    for round in 0..200 {
        // Dyadic numbers: the formula's division is then exact where it matters.
        let threshold = f64::from(dice.whole(1, 64)) / 16.0;
        let input = f64::from(dice.whole(1, 64)) / 64.0 * threshold;
        let initial = f64::from(dice.whole(0, 31)) / 32.0 * threshold;
        let steps = u64::from(dice.whole(1, 200));
        let cell = |reset: Reset, initial: f64| IntegrateAndFire {
            threshold: threshold.into(),
            initial: initial.into(),
            spike: SpikeCondition::AtOrAbove,
            reset,
        };
        for engine in ENGINES {
            let soft = stepwise_count(engine.name, cell(Reset::Subtract, initial), input, steps);
            let expected = soft_reset_count(initial, input, threshold, steps);
            assert_eq!(soft, expected, "round {round}, {}", engine.name);
            let zero = Reset::To(Quantity::number(0.0).into());
            let hard = stepwise_count(engine.name, cell(zero, 0.0), input, steps);
            let expected = hard_reset_count(input, threshold, steps);
            assert_eq!(hard, expected, "round {round}, {}", engine.name);
        }
    }
}

#[test]
fn a_strict_threshold_spikes_one_step_later_where_the_sum_meets_it() {
    for engine in ENGINES {
        let count = |spike, steps| {
            let cell = IntegrateAndFire { spike, ..IntegrateAndFire::default() };
            stepwise_count(engine.name, cell, 0.25, steps)
        };
        assert_eq!(count(SpikeCondition::AtOrAbove, 3), 0);
        assert_eq!(count(SpikeCondition::AtOrAbove, 4), 1);
        assert_eq!(count(SpikeCondition::Above, 4), 0);
        assert_eq!(count(SpikeCondition::Above, 5), 1);
    }
}

#[test]
fn an_input_above_the_threshold_spikes_once_in_every_step() {
    for engine in ENGINES {
        assert_eq!(stepwise_count(engine.name, IntegrateAndFire::default(), 3.0, 50), 50);
    }
}

/// Max pooling commutes with counting: after every step the gate has sent as many spikes as its
/// busiest source had sent a delay before.
#[test]
fn a_max_pool_gate_sends_the_largest_count_of_its_sources() {
    for seed in 0..20 {
        let mut network = Network::new("pool", Milliseconds(1.0));
        network.seed = seed;
        network.add_population("source", Population::new(6, Neuron::spike_source()));
        let rates = vec![40.0, 150.0, 180.0, 200.0, 210.0, 5.0];
        network.add_stimulus(
            "rates",
            Stimulus::Poisson(Poisson {
                population: "source".into(),
                rate: Values::Each { values: rates, unit: find_unit("Hz").unwrap() },
                modulation: None,
            }),
        );
        network.add_population("gate", Population::new(2, max_pool()));
        // Gate 0 pools sources 0 to 2, gate 1 the others.
        let rule =
            Connectivity::List(List { sources: (0..6).collect(), targets: vec![0, 0, 0, 1, 1, 1] });
        network.add_projection(
            "pool",
            Projection::new("source", "gate", rule).delay(Milliseconds(3.0)),
        );
        network.add_probe("source", Probe::spikes("source"));
        network.add_probe("gate", Probe::spikes("gate"));
        for engine in ENGINES {
            let recording = simulate(&compile(&network), engine.name, 1, 300.0);
            let count = |neuron: u32, until: i64| {
                let own = recording.spikes.iter().filter(|s| s.neuron == neuron);
                own.filter(|s| s.time.0 <= until * 1_000_000_000_000).count()
            };
            for step in 0..=300 {
                for gate in 0..2_u32 {
                    let sources = gate * 3..gate * 3 + 3;
                    let largest = sources.map(|source| count(source, step - 3)).max();
                    assert_eq!(count(6 + gate, step), largest.unwrap(), "step {step}");
                }
            }
        }
    }
}

#[test]
fn an_integrator_is_the_sum_of_weights_times_counts() {
    let mut network = Network::new("sum", Milliseconds(1.0));
    network.add_population("source", Population::new(3, Neuron::spike_source()));
    network.add_stimulus(
        "noise",
        Stimulus::Poisson(Poisson {
            population: "source".into(),
            rate: Hertz(300.0).into(),
            modulation: None,
        }),
    );
    network.add_population("sum", Population::new(2, integrator()));
    let weights = [0.5, -0.25, 0.125, 1.0, 2.0, -4.0];
    network.add_projection(
        "weights",
        Projection::new("source", "sum", Dense).weight(Values::numbers(weights.to_vec())),
    );
    network.add_probe("source", Probe::spikes("source"));
    for engine in ENGINES {
        let compiled = compile(&network);
        let mut running = test_support::suite::start(&compiled, engine.name, 1);
        test_support::suite::advance(running.as_mut(), 500.0);
        let last = running.recording().duration;
        let mut counts = [0.0; 3];
        for spike in running.recording().spikes.iter().filter(|s| s.time < last) {
            counts[spike.neuron as usize] += 1.0;
        }
        let expected: Vec<f64> =
            weights.chunks(3).map(|row| row.iter().zip(counts).map(|(w, n)| w * n).sum()).collect();
        assert_eq!(running.variable(1, 0), expected);
    }
}
