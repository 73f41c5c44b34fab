//! Both engines against each other and against the slow reference, over many random networks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use sim_core::engine::Compiled;
use sim_core::network::{Network, ValidNetwork};
use sim_core::neuron::ModelTime;
use sim_core::recording::{Recording, Spike};
use sim_core::time::Time;
use sim_core::units::Milliseconds;
use std::sync::Arc;
use test_support::generate::{Family, Size, any_network, network};
use test_support::reference::{continuous, grid};
use test_support::suite::{assert_same_spikes, compile, runner, simulate};
use test_support::tolerance::{SPIKE_TIME_MS, TRAJECTORY_MV};

/// Steps that networks on the grid are run for; stimuli act in the first sixty.
const STEPS: u64 = 80;

/// Potentials of models that a solver integrates, at its usual tolerance, below the upstroke (mV).
const SOLVED_MV: f64 = 1e-5;

/// Duration of exponential networks [ms].
const EXPONENTIAL_MS: f64 = 30.0;

fn steps_in_milliseconds(network: &ValidNetwork) -> f64 {
    network.grid().time_of(STEPS).milliseconds()
}

/// Largest difference of each trace of two recordings; NaN-free by validation.
fn trace_differences(first: &Recording, second: &Recording) -> Vec<f64> {
    assert_eq!(first.traces.len(), second.traces.len());
    let pairs = first.traces.iter().zip(&second.traces);
    pairs
        .map(|(a, b)| {
            assert_eq!(a.times, b.times, "{}", a.probe);
            assert_eq!(a.values.len(), b.values.len(), "{}", a.probe);
            let differences = a.values.iter().zip(&b.values).map(|(x, y)| (x - y).abs());
            differences.fold(0.0, f64::max)
        })
        .collect()
}

/// Traces of a recording against the reference's states.
fn reference_differences(
    compiled: &Compiled,
    recording: &Recording,
    run: &grid::GridRun,
) -> Vec<f64> {
    let populations = compiled.network().populations();
    let of_trace = |trace: &sim_core::recording::Trace| {
        let range = populations[trace.population].range();
        let rows = trace.values.chunks_exact(range.len());
        let mut largest: f64 = 0.0;
        for (row, state) in rows.zip(&run.state) {
            for (value, neuron) in row.iter().zip(range.clone()) {
                largest = largest.max((value - state[neuron as usize]).abs());
            }
        }
        largest
    };
    recording.traces.iter().map(of_trace).collect()
}

/// Compares one network on the grid; gives the number of spikes of neurons that are no sources.
fn compare_on_grid(network: &Network) -> u64 {
    let compiled = compile(network);
    let duration = steps_in_milliseconds(compiled.network());
    let clock = simulate(&compiled, "clock", 1, duration);
    let event = simulate(&compiled, "event", 1, duration);
    let reference = grid::simulate(&compiled, STEPS);
    let name = &network.name;
    assert_same_spikes(&format!("{name}: clock, event"), &clock.spikes, &event.spikes);
    assert_same_spikes(&format!("{name}: clock, reference"), &clock.spikes, &reference.spikes);
    assert_eq!(clock.counters, event.counters, "{name}");
    let between_engines = trace_differences(&clock, &event);
    let to_reference = reference_differences(&compiled, &clock, &reference);
    let mut own = 0;
    for (index, trace) in clock.traces.iter().enumerate() {
        let model = compiled.network().populations()[trace.population].model.spec();
        // Stepwise numbers are exact; continuous potentials are rounded differently.
        let allowed = match model.time {
            ModelTime::Stepwise => 0.0,
            ModelTime::Continuous => TRAJECTORY_MV,
        };
        assert!(between_engines[index] <= allowed, "{name}: {}", trace.probe);
        assert!(to_reference[index] <= allowed, "{name}: {}", trace.probe);
        own += clock.counters.spikes[trace.population];
    }
    own
}

fn compare_family(family: Family, networks: u64) {
    let mut spikes = 0;
    let mut silent = 0;
    for seed in 0..networks {
        let own = compare_on_grid(&network(family, seed, Size::SMALL));
        spikes += own;
        silent += u64::from(own == 0);
    }
    // Agreement in silence would say nothing.
    assert!(spikes > 50 * networks, "{spikes} spikes");
    assert!(silent * 5 < networks, "{silent} of {networks} are silent");
}

#[test]
fn stepwise_networks_are_equal_in_both_engines_and_the_reference() {
    compare_family(Family::Stepwise, 400);
}

#[test]
fn delta_networks_with_input_on_the_grid_are_equal_in_both_engines_and_the_reference() {
    compare_family(Family::Delta, 200);
}

#[test]
fn networks_of_stepwise_and_leaky_neurons_are_equal_in_both_engines_and_the_reference() {
    compare_family(Family::Mixed, 200);
}

/// Models whose spikes leave at the ends of steps; the others' times are bound to no grid.
#[test]
fn coded_networks_on_the_grid_are_equal_in_both_engines() {
    let (mut compared, mut spikes) = (0, 0);
    for seed in 0..200 {
        let network = network(Family::Coded, seed, Size::SMALL);
        let free = |model: &str| ["first_spike", "first_arrival"].contains(&model);
        if network.populations.values().any(|population| free(&population.neuron.model)) {
            continue;
        }
        let compiled = compile(&network);
        let duration = steps_in_milliseconds(compiled.network());
        let clock = simulate(&compiled, "clock", 1, duration);
        let event = simulate(&compiled, "event", 1, duration);
        assert_same_spikes(&network.name, &clock.spikes, &event.spikes);
        assert_eq!(clock.payloads, event.payloads, "{}", network.name);
        assert_eq!(trace_differences(&clock, &event).iter().fold(0.0, |a, b| f64::max(a, *b)), 0.0);
        compared += 1;
        spikes += clock.spikes.len();
    }
    assert!(compared > 30 && spikes > 20 * compared, "{compared} networks, {spikes} spikes");
}

#[test]
fn networks_of_any_size_are_equal_in_both_engines() {
    for family in [Family::Stepwise, Family::Mixed] {
        runner(40)
            .run(&any_network(family), |network| {
                let compiled = compile(&network);
                let duration = steps_in_milliseconds(compiled.network());
                let clock = simulate(&compiled, "clock", 1, duration);
                let event = simulate(&compiled, "event", 1, duration);
                proptest::prop_assert_eq!(clock.spikes, event.spikes);
                Ok(())
            })
            .unwrap();
    }
}

/// What of the potentials is compared.
#[derive(Clone, Copy)]
struct Compared {
    /// Those below (mV).
    below: f64,
    /// How far they may lie apart (mV).
    allowed: f64,
    /// Only those before a neuron's first spike.
    before_spikes: bool,
}

/// All potentials, to rounding.
const ALL: Compared =
    Compared { below: f64::INFINITY, allowed: TRAJECTORY_MV, before_spikes: false };

/// Networks of a family on the clock engine against the stepwise reference: spikes in the same steps, and
/// potentials.
fn compare_clocked(family: Family, networks: u64, compare: Compared) {
    let (mut compared, mut own, mut potentials) = (0, 0, 0);
    for seed in 0..networks {
        let network = network(family, seed, Size::SMALL);
        let compiled = compile(&network);
        let clock = simulate(&compiled, "clock", 1, steps_in_milliseconds(compiled.network()));
        let reference = grid::simulate(&compiled, STEPS);
        assert_same_spikes(&network.name, &clock.spikes, &reference.spikes);
        let populations = compiled.network().populations();
        for trace in &clock.traces {
            let range = populations[trace.population].range();
            let end = |neuron: u32| match compare.before_spikes {
                true => clock.spikes.iter().find(|s| s.neuron == neuron).map(|s| s.time),
                false => None,
            };
            let ends: Vec<Option<Time>> = range.clone().map(end).collect();
            let rows = trace.values.chunks_exact(range.len()).zip(&reference.state);
            for ((step, (row, state)), &now) in rows.enumerate().zip(&trace.times) {
                let expected = range.clone().map(|neuron| state[neuron as usize]);
                let pairs = row.iter().zip(expected).zip(&ends);
                let pairs = pairs.filter(|(_, end)| end.is_none_or(|end| now < end));
                for ((value, expected), _) in pairs.filter(|pair| pair.0.1 < compare.below) {
                    potentials += 1;
                    assert!(
                        (value - expected).abs() <= compare.allowed,
                        "{}: {} is {value} in step {step}, not {expected}",
                        network.name,
                        trace.probe
                    );
                }
            }
            own += clock.counters.spikes[trace.population];
        }
        compared += clock.spikes.len();
    }
    assert!(compared > 10 * networks as usize && own > 3 * networks, "{compared} {own}");
    assert!(potentials > 100 * networks, "only {potentials} potentials were compared");
}

#[test]
fn exponential_networks_on_the_clock_engine_equal_the_stepwise_reference() {
    compare_clocked(Family::Exponential, 30, ALL);
}

#[test]
fn networks_of_further_leaky_neurons_on_the_clock_engine_equal_the_stepwise_reference() {
    compare_clocked(Family::Alpha, 40, ALL);
    compare_clocked(Family::Clocked, 80, ALL);
}

#[test]
fn networks_of_izhikevich_neurons_equal_the_stepwise_reference() {
    // An upstroke magnifies rounding without end, and leaves it in the recovery variable.
    let compare = Compared { below: -40.0, before_spikes: true, ..ALL };
    compare_clocked(Family::Quadratic, 200, compare);
}

#[test]
fn networks_of_differential_equations_equal_the_slow_reference() {
    let compare = Compared { below: -45.0, allowed: SOLVED_MV, before_spikes: false };
    compare_clocked(Family::Solved, 60, compare);
}

/// Spike times of one neuron in milliseconds.
fn times_of(spikes: &[Spike], neuron: u32) -> Vec<f64> {
    let own = spikes.iter().filter(|spike| spike.neuron == neuron);
    own.map(|spike| spike.time.milliseconds()).collect()
}

/// Networks that are active for long enough that crossings, not sources, make the spikes.
fn active_network(family: Family, seed: u64) -> Network {
    let size = Size { steps: 250, ..Size::SMALL };
    network(family, seed, size)
}

/// The spikes of networks in the event engine against the continuous reference.
fn compare_exact_times(family: Family, networks: u64, least: usize) {
    let mut crossings = 0;
    for seed in 0..networks {
        let network = active_network(family, seed);
        let compiled = compile(&network);
        let event = simulate(&compiled, "event", 1, EXPONENTIAL_MS);
        let reference = continuous::simulate(&compiled, EXPONENTIAL_MS);
        for neuron in 0..compiled.network().neuron_count() {
            let found = times_of(&event.spikes, neuron);
            let own = reference.iter().filter(|&&(_, n)| n == neuron);
            let expected: Vec<f64> = own.map(|&(time, _)| time).collect();
            assert_eq!(
                found.len(),
                expected.len(),
                "{}: {neuron} {found:?} {expected:?}",
                network.name
            );
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= SPIKE_TIME_MS,
                    "{}: neuron {neuron} at {found}, not {expected}",
                    network.name
                );
            }
        }
        let off_grid = event.spikes.iter();
        crossings += off_grid
            .filter(|spike| compiled.network().grid().steps_in(spike.time).is_none())
            .count();
    }
    assert!(crossings > least, "{crossings}");
}

#[test]
fn the_event_engine_finds_the_exact_times_of_exponential_networks() {
    compare_exact_times(Family::Exponential, 120, 1000);
}

#[test]
fn the_event_engine_finds_the_exact_times_of_alpha_networks() {
    compare_exact_times(Family::Alpha, 80, 500);
}

/// Cost of turning one spike train into another: a shift costs its length, a spike too many or too
/// few 1 ms (Victor & Purpura 1996, J. Neurophysiol. 76:1310, with q = 1/ms).
fn spike_train_distance(first: &[f64], second: &[f64]) -> f64 {
    let mut row: Vec<f64> = (0..=second.len()).map(|n| n as f64).collect();
    for (i, a) in first.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) as f64;
        for (j, b) in second.iter().enumerate() {
            let shifted = diagonal + (a - b).abs();
            diagonal = row[j + 1];
            row[j + 1] = shifted.min(diagonal + 1.0).min(row[j] + 1.0);
        }
    }
    row[second.len()]
}

/// Steps at which the clock engine is compared with the exact spikes [ms].
const CONVERGENCE_STEPS_MS: [f64; 5] = [0.025, 0.0125, 0.00625, 0.003125, 0.0015625];

/// Summed distance of the clock engine's spikes from the event engine's at each step, and the number
/// of exact spikes.
fn distances_by_step(networks: &[Network], duration: f64) -> ([f64; 5], usize) {
    let mut totals = [0.0; 5];
    let mut spikes = 0;
    for network in networks {
        let mut network = network.clone();
        // Traces are not compared here.
        network.probes.retain(|_, probe| probe.variable == "spikes");
        let exact = simulate(&compile(&network), "event", 1, duration);
        for (dt, total) in CONVERGENCE_STEPS_MS.into_iter().zip(&mut totals) {
            network.dt = Milliseconds(dt).into();
            let compiled = compile(&network);
            let clock = simulate(&compiled, "clock", 1, duration);
            for neuron in 0..compiled.network().neuron_count() {
                let own = times_of(&clock.spikes, neuron);
                *total += spike_train_distance(&own, &times_of(&exact.spikes, neuron));
            }
        }
        spikes += exact.spikes.len();
    }
    (totals, spikes)
}

#[test]
fn clock_spikes_of_exponential_neurons_converge_with_order_one() {
    // Without loops an error is passed on, but does not feed itself.
    let size = Size { populations: 1, projections: 0, steps: 250, ..Size::SMALL };
    let feed_forward = (0..60)
        .map(|seed| network(Family::Exponential, seed, size))
        .filter(|network| network.projections.values().all(|p| p.source != p.target));
    let networks: Vec<Network> = feed_forward.collect();
    let (totals, spikes) = distances_by_step(&networks, 15.0);
    assert!(spikes > 1000, "{spikes}");
    for pair in totals.windows(2) {
        let ratio = pair[1] / pair[0];
        assert!((0.4..0.6).contains(&ratio), "{ratio} in {totals:?}");
    }
    // Over four halvings order one means a sixteenth.
    let overall = totals[4] / totals[0];
    assert!((0.045..0.085).contains(&overall), "{overall} in {totals:?}");
}

#[test]
fn clock_spikes_of_recurrent_exponential_networks_come_nearer_with_every_halving() {
    let networks: Vec<Network> =
        (0..25).map(|seed| active_network(Family::Exponential, seed)).collect();
    let (totals, spikes) = distances_by_step(&networks, 10.0);
    assert!(spikes > 1000, "{spikes}");
    for pair in totals.windows(2) {
        assert!(pair[1] < 0.8 * pair[0], "{totals:?}");
    }
}

#[test]
fn the_reference_expands_as_many_synapses_as_the_compiled_network_has() {
    for seed in 0..60 {
        let network = network(Family::Mixed, seed, Size::SMALL);
        let compiled: Arc<Compiled> = compile(&network);
        let expanded = test_support::reference::synapse::expand(&compiled);
        assert_eq!(
            expanded.len() as u64,
            compiled.connectome().synapse_count(),
            "{}",
            network.name
        );
    }
}
