//! Neurons whose layers take turns, against closed forms and against each other's engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use proptest::prelude::*;
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, ENGINES, Engine, EngineConfig, find_engine};
use sim_core::network::{
    AllToAll, Connectivity, Dense, Network, Neuron, OneToOne, Population, Probe, Projection,
    SpikeList, Stimulus,
};
use sim_core::neuron::first_arrival::first_arrival;
use sim_core::neuron::first_spike::first_spike;
use sim_core::neuron::first_spike_slots::first_spike_slots;
use sim_core::neuron::max_pool::max_pool;
use sim_core::neuron::phase::phase;
use sim_core::time::{FEMTOSECONDS_PER_MILLISECOND, Time};
use sim_core::units::{Milliseconds, UNITS, Values};
use std::sync::Arc;

/// Sources with (neuron, time in ms) spikes that reach `count` cells through `[cell, source]`.
fn network(cells: Neuron, count: u32, weights: &[f64], spikes: &[(u32, f64)]) -> Network {
    let sources = weights.len() as u32 / count;
    let mut network = Network::new("cells", Milliseconds(1.0));
    network.add_population("source", Population::new(sources, Neuron::spike_source()));
    network.add_population("cell", Population::new(count, cells));
    let unit = UNITS.iter().copied().find(|unit| unit.symbol == "ms").unwrap();
    let values = spikes.iter().map(|spike| spike.1).collect();
    let list = Stimulus::SpikeList(SpikeList {
        population: "source".into(),
        neurons: spikes.iter().map(|spike| spike.0).collect(),
        times: Values::Each { values, unit },
    });
    network.add_stimulus("spikes", list);
    let wires = Projection::new("source", "cell", Connectivity::Dense(Dense));
    network.add_projection("wires", wires.weight(Values::numbers(weights.to_vec())));
    network.add_probe("spikes", Probe::spikes("cell"));
    network
}

fn current(network: &mut Network, name: &str, amplitude: f64, start: f64) {
    let stimulus = Stimulus::constant_current("cell", amplitude, Milliseconds(start));
    network.add_stimulus(name, stimulus);
}

fn run(network: &Network, engine: &str, steps: u64) -> Box<dyn Engine> {
    let valid = network.validate().unwrap_or_else(|problems| panic!("{problems}"));
    let grid = valid.grid();
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
    let start = find_engine(engine).unwrap().start;
    let mut engine = start(compiled, EngineConfig::default()).unwrap();
    engine.run(grid.time_of(steps), &mut |_| true).unwrap();
    engine
}

/// (time in ms, payload) of the recorded spikes.
fn spikes(engine: &dyn Engine) -> Vec<(f64, i32)> {
    let recording = engine.recording();
    let payload = |index: usize| recording.payloads.get(index).copied().unwrap_or(1);
    let times = recording.spikes.iter().map(|spike| spike.time.milliseconds());
    times.enumerate().map(|(index, time)| (time, payload(index))).collect()
}

#[test]
fn a_first_spike_comes_as_long_before_the_end_as_the_input_is_large() {
    // Spikes reach the cell at 11.25, 31 and 61 ms; its window is 100 to 200 ms, its bias 0.1.
    let cell = first_spike(Milliseconds(100.0), Milliseconds(100.0));
    let cell = cell.initial("membrane_potential", 0.1);
    let mut one = network(cell, 1, &[0.5, -0.25, 0.75], &[(0, 10.25), (1, 30.0), (2, 60.0)]);
    current(&mut one, "ramp", 1.0, 100.0);
    let potential = 0.1 + (0.5 * 88.75 - 0.25 * 69.0 + 0.75 * 39.0) / 100.0;
    let engine = run(&one, "event", 100);
    assert!((engine.variable(1, 0)[0] - potential).abs() < 1e-14);
    let found = spikes(run(&one, "event", 250).as_ref());
    assert_eq!(found.len(), 1);
    // A femtosecond of rounding, and the rounding of times in milliseconds.
    let error = (found[0].0 - (200.0 - 100.0 * potential)).abs();
    assert!(error < 1.0 / FEMTOSECONDS_PER_MILLISECOND + 1e-13, "{error:e}");
}

#[test]
fn the_clock_finds_a_first_spike_at_the_end_of_its_step() {
    let cell = first_spike(Milliseconds(100.0), Milliseconds(100.0));
    let mut one = network(cell, 1, &[0.5, 0.75], &[(0, 10.0), (1, 60.0)]);
    current(&mut one, "ramp", 1.0, 100.0);
    let [exact, stepped] =
        ["event", "clock"].map(|name| spikes(run(&one, name, 250).as_ref())[0].0);
    assert!(stepped == exact.ceil(), "{exact} {stepped}");
}

#[test]
fn nothing_spikes_below_zero_and_too_much_spikes_at_once() {
    for (bias, expected) in [(-0.5, None), (0.0, None), (1.0, Some(100.0)), (3.5, Some(100.0))] {
        let cell = first_spike(Milliseconds(100.0), Milliseconds(100.0));
        let mut one = network(cell.initial("membrane_potential", bias), 1, &[0.0], &[]);
        current(&mut one, "ramp", 1.0, 100.0);
        let engine = run(&one, "event", 250);
        let found = spikes(engine.as_ref());
        assert_eq!(found.first().map(|spike| spike.0.round()), expected, "{bias}");
        assert_eq!(engine.variable(1, 1), [f64::max(bias - 1.0, 0.0)], "{bias}");
    }
}

#[test]
fn slots_round_to_whole_levels_and_stand_for_them_in_the_next_window() {
    // Eight slots; the bias is the value less the half level that the early ramp adds.
    for (value, level) in [(0.0, 0), (0.05, 0), (0.07, 1), (0.5, 4), (0.99, 8), (1.0, 8), (2.0, 8)]
    {
        let cell = first_spike_slots(Milliseconds(8.0), Milliseconds(8.0));
        let bias = value - 0.5 / 8.0;
        let mut chain = network(cell.initial("membrane_potential", bias), 1, &[0.0], &[]);
        current(&mut chain, "ramp", 1.0, 7.0);
        let next = first_spike_slots(Milliseconds(16.0), Milliseconds(8.0));
        chain.add_population("next", Population::new(1, next));
        let wire = Projection::new("cell", "next", Connectivity::OneToOne(OneToOne));
        chain.add_projection("on", wire.weight(0.5));
        for engine in ENGINES {
            let engine = run(&chain, engine.name, 16);
            let time = 16.0 - f64::from(level);
            let expected: Vec<(f64, i32)> = (level > 0).then_some((time, 1)).into_iter().collect();
            assert_eq!(spikes(engine.as_ref()), expected, "{value}");
            assert_eq!(engine.variable(2, 0), [0.5 * f64::from(level) / 8.0], "{value}");
            let cut = if value > 1.5 { 1.0 } else { 0.0 };
            assert_eq!(engine.variable(1, 1), [cut], "{value}");
        }
    }
}

#[test]
fn the_first_arrival_is_passed_on_once() {
    // Gate 0 reads both sources, gate 1 only the second.
    let list = [(0, 7.0), (0, 9.0), (1, 5.0), (1, 9.0)];
    let gates = network(first_arrival(), 2, &[1.0, 1.0, 0.0, 1.0], &list);
    for engine in ENGINES {
        assert_eq!(spikes(run(&gates, engine.name, 20).as_ref()), [(6.0, 1), (6.0, 1)]);
    }
    let between = network(first_arrival(), 1, &[1.0], &[(0, 4.125)]);
    assert_eq!(spikes(run(&between, "event", 20).as_ref()), [(5.125, 1)]);
}

#[test]
fn phases_send_the_bits_of_the_rounded_potential() {
    let bits = |value: f64, gain: f64| {
        let cell = phase(Milliseconds(3.0), 4).initial("membrane_potential", value);
        let one = network(cell.parameter("negative_gain", gain), 1, &[0.0], &[]);
        let sent: Vec<Vec<(f64, i32)>> =
            ENGINES.iter().map(|engine| spikes(run(&one, engine.name, 10).as_ref())).collect();
        assert_eq!(sent[0], sent[1], "{value}");
        sent[0].clone()
    };
    assert_eq!(bits(9.0, 0.0), [(3.0, 8), (6.0, 1)]);
    assert_eq!(bits(5.5, 0.0), [(4.0, 4), (5.0, 2)]);
    assert_eq!(bits(99.0, 0.0), [(3.0, 8), (4.0, 4), (5.0, 2), (6.0, 1)]);
    assert_eq!(bits(0.49, 0.0), []);
    assert_eq!(bits(-3.0, 0.0), []);
    assert_eq!(bits(-10.0, 0.5), [(4.0, -4), (6.0, -1)]);
}

#[test]
fn the_first_phase_may_hold_a_burst() {
    let sent = |value: f64, gain: f64| {
        let cell = phase(Milliseconds(3.0), 3).initial("membrane_potential", value);
        let cell = cell.parameter("first_burst", 3.0).parameter("negative_gain", gain);
        let one = network(cell, 1, &[0.0], &[]);
        let of_engine = |name: &str| {
            let run = run(&one, name, 10);
            (spikes(run.as_ref()), run.variable(1, 1))
        };
        ["clock", "event"].map(of_engine)
    };
    // Three phases with up to three spikes in the first: 15 is three times 4, and 2 and 1.
    for (value, expected, cut) in [
        (13.0, vec![(3.0, 12), (5.0, 1)], 0.0),
        (8.0, vec![(3.0, 8)], 0.0),
        (6.0, vec![(3.0, 4), (4.0, 2)], 0.0),
        (17.0, vec![(3.0, 12), (4.0, 2), (5.0, 1)], 2.0),
    ] {
        for engine in sent(value, 0.0) {
            assert_eq!(engine, (expected.clone(), vec![cut]), "{value}");
        }
    }
    for engine in sent(-18.0, 0.5) {
        assert_eq!(engine.0, [(3.0, -8), (5.0, -1)]);
    }
}

#[test]
fn the_maximum_of_phases_has_the_largest_leading_bits() {
    let pairs: [(f64, f64); 7] =
        [(5.0, 6.0), (8.0, 7.0), (0.0, 3.0), (15.0, 15.0), (9.0, 10.0), (25.0, 17.0), (31.0, 32.0)];
    for (a, b) in pairs {
        let burst = if a.max(b) > 15.0 { 4.0 } else { 1.0 };
        let cells = phase(Milliseconds(1.0), 4).parameter("first_burst", burst);
        let cells = cells.initial("membrane_potential", Values::numbers(vec![a, b]));
        let mut pool = network(cells, 2, &[0.0, 0.0], &[]);
        pool.add_population("pool", Population::new(1, max_pool()));
        let window =
            Projection::new("cell", "pool", Connectivity::AllToAll(AllToAll { autapses: true }));
        pool.add_projection("window", window.weight(1.0));
        pool.probes.clear();
        pool.add_probe("pooled", Probe::spikes("pool"));
        for engine in ENGINES {
            let sent = spikes(run(&pool, engine.name, 10).as_ref());
            let sum: i32 = sent.iter().map(|spike| spike.1).sum();
            assert_eq!(f64::from(sum), a.max(b), "{a} {b}");
            let late = sent.iter().filter(|spike| spike.0 > sent[0].0).collect::<Vec<_>>();
            assert!(late.iter().all(|spike| spike.1.count_ones() == 1), "{sent:?}");
            assert!(burst > 1.0 || sent[0].1.count_ones() == 1, "{sent:?}");
        }
    }
}

#[test]
fn windows_off_the_grid_are_refused() {
    let slots = first_spike_slots(Milliseconds(8.5), Milliseconds(8.0));
    let phases = phase(Milliseconds(1.0), 4).parameter("phases", 4.5);
    let burst = phase(Milliseconds(1.0), 4).parameter("first_burst", 16.0);
    for (cell, path) in [(slots, "opening"), (phases, "phases"), (burst, "first_burst")] {
        let mut one = Network::new("one", Milliseconds(1.0));
        one.add_population("cell", Population::new(1, cell));
        let text = one.validate().unwrap_err().to_string();
        assert!(text.contains(path), "{text}");
    }
}

proptest! {
    /// Input before, in and after the window, currents that come and go: both engines agree.
    #[test]
    fn engines_agree_on_stepwise_windows(
        weights in proptest::collection::vec(-8.0..8.0_f64, 6),
        spike_steps in proptest::collection::btree_set((0..3_u32, 1..24_u32), 0..12),
        bias in -1.0..1.0_f64,
        currents in proptest::collection::vec((-2.0..3.0_f64, 0..20_u32), 0..3),
        opening in 1..16_u32,
        window in 1..12_u32,
        binary in any::<bool>(),
        burst in 1..16_u32,
    ) {
        let opens = Milliseconds(f64::from(opening));
        let cell = match binary {
            true => phase(opens, window)
                .parameter("negative_gain", 0.5)
                .parameter("first_burst", f64::from(burst)),
            false => first_spike_slots(opens, Milliseconds(f64::from(window))),
        };
        let cell = cell.initial("membrane_potential", bias);
        let list: Vec<(u32, f64)> =
            spike_steps.into_iter().map(|(neuron, step)| (neuron, f64::from(step))).collect();
        let mut cells = network(cell, 2, &weights, &list);
        for (index, (amplitude, start)) in currents.iter().enumerate() {
            current(&mut cells, &format!("current {index}"), *amplitude, f64::from(*start));
        }
        let (clock, event) = (run(&cells, "clock", 30), run(&cells, "event", 30));
        prop_assert_eq!(&clock.recording().spikes, &event.recording().spikes);
        prop_assert_eq!(&clock.recording().payloads, &event.recording().payloads);
        for variable in 0..2 {
            prop_assert_eq!(clock.variable(1, variable), event.variable(1, variable));
        }
    }

    /// Runs cut anywhere give the same spikes.
    #[test]
    fn exact_first_spikes_do_not_depend_on_how_a_run_is_cut(
        cut in 1..40_u64,
        weight in 0.1..3.0_f64,
        times in proptest::collection::btree_set(1..9000_u32, 1..9),
    ) {
        let list: Vec<(u32, f64)> =
            times.iter().map(|&time| (0, f64::from(time) / 1000.0)).collect();
        let cell = first_spike(Milliseconds(10.0), Milliseconds(20.0));
        let mut cells = network(cell, 1, &[weight], &list);
        current(&mut cells, "ramp", 1.0, 10.0);
        let whole = run(&cells, "event", 40);
        let mut parts = run(&cells, "event", cut);
        let rest = Time::from_milliseconds((40 - cut) as f64).unwrap();
        parts.run(rest, &mut |_| true).unwrap();
        prop_assert_eq!(&whole.recording().spikes, &parts.recording().spikes);
    }
}
