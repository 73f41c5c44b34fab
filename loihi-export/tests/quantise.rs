//! From float descriptions to the chip's integers: what is kept, what is refused, and that the
//! integers spike as the numbers they came from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::sync::Arc;

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use loihi_export::quantise::layer::Granularity;
use loihi_export::quantise::network::{Connection, DelaySteps, IntegerValues};
use loihi_export::quantise::scale::ScaleRule;
use loihi_export::quantise::{QuantiseConfig, QuantiseError, Quantised, quantise};
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{
    AllToAll, Connectivity, Convolution, Dense, List, Network, Neuron, OneToOne, Population, Probe,
    Projection, Reset, Shape, SpikeCondition, Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::stimulus::SpikeList;
use sim_core::time::Time;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Quantity, Unit, Values};

fn hard(threshold: f64) -> IntegrateAndFire {
    IntegrateAndFire {
        threshold: threshold.into(),
        initial: 0.0.into(),
        spike: SpikeCondition::Above,
        reset: Reset::To(0.0.into()),
    }
}

const WEIGHTS: [f64; 6] = [0.5, -1.0, 0.25, 1.27, 0.75, -0.5];

/// Two sources, three neurons, weights `[target, source]`.
fn chain(neuron: impl Into<Neuron>) -> Network {
    let mut network = Network::new("chain", Milliseconds(1.0));
    network.add_population("source", Population::new(2, Neuron::spike_source()));
    network.add_population("target", Population::new(3, neuron));
    network.add_projection(
        "forward",
        Projection::new("source", "target", Dense)
            .weight(Values::numbers(WEIGHTS.to_vec()))
            .delay(Milliseconds(1.0)),
    );
    network
}

fn chip() -> ChipSpec {
    ChipSpec::built_in("loihi1").unwrap()
}

fn run(network: &Network) -> Result<Quantised, QuantiseError> {
    quantise(&network.validate().unwrap(), &chip(), &QuantiseConfig::default())
}

fn refusal(network: &Network) -> String {
    let error = run(network).unwrap_err();
    assert!(matches!(error, QuantiseError::NotOnChip { .. }), "{error:?}");
    error.to_string()
}

fn milliseconds(values: Vec<f64>) -> Values {
    let unit = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
    Values::Each { values, unit }
}

fn vth(quantised: &Quantised, population: usize) -> i64 {
    match quantised.network.populations[population].parameters["vth"] {
        IntegerValues::One(value) => value,
        IntegerValues::PerNeuron(_) => panic!("one threshold a population"),
    }
}

/// The weights that act, `[target, source]` of populations of these sizes.
fn acting(connection: &Connection, [targets, sources]: [usize; 2]) -> Vec<i64> {
    match connection {
        Connection::Dense { weights, weight_exponent, .. } => {
            weights.iter().map(|&weight| i64::from(weight) >> -weight_exponent).collect()
        }
        Connection::Convolution { weights, .. } => weights.iter().map(|&w| w.into()).collect(),
        Connection::Sparse { targets: to, sources: from, weights, weight_exponent, .. } => {
            let mut laid = vec![0; targets * sources];
            for ((&target, &source), &weight) in to.iter().zip(from).zip(weights) {
                laid[target as usize * sources + source as usize] =
                    i64::from(weight) >> -weight_exponent;
            }
            laid
        }
    }
}

#[test]
fn neurons_that_the_chip_does_not_have_are_refused_with_place_and_remedy() {
    let soft = IntegrateAndFire { reset: Reset::Subtract, ..hard(1.0) };
    let elsewhere = IntegrateAndFire { reset: Reset::To((-0.5).into()), ..hard(1.0) };
    let charged = IntegrateAndFire { initial: 0.5.into(), ..hard(1.0) };
    let thresholds = Values::numbers(vec![1.0, 1.0, 2.0]);
    let unequal = IntegrateAndFire { threshold: thresholds, ..hard(1.0) };
    for (neuron, problem, remedy) in [
        (soft.into(), "reset to zero", "hard_reset"),
        (elsewhere.into(), "reset to zero", "hard_reset"),
        (charged.into(), "start at zero", "hard_reset"),
        (unequal.into(), "one threshold a population", "divide each neuron's weights"),
        (Neuron::new("leaky_integrator_analogue"), "send spikes", "synaptic current"),
    ] {
        let neuron: Neuron = neuron;
        let text = refusal(&chain(neuron));
        for part in ["populations/target", problem, remedy] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn switched_biases_and_delays_that_do_not_fit_are_refused() {
    let mut switched = chain(hard(1.0));
    let late =
        Stimulus::constant_current("target", Values::numbers(vec![0.1; 3]), Milliseconds(2.0));
    switched.add_stimulus("late bias", late);
    let text = refusal(&switched);
    assert!(text.contains("stimuli/late bias") && text.contains("switched"), "{text}");

    let mut different = chain(hard(1.0));
    let forward = &mut different.projections["forward"];
    forward.connectivity =
        Connectivity::List(List { sources: vec![0, 1, 0], targets: vec![0, 1, 2] });
    forward.weight = Values::numbers(vec![1.0, -0.5, 0.5]);
    forward.delay = milliseconds(vec![1.0, 2.0, 1.0]);
    let made = run(&different).unwrap();
    let laid = DelaySteps::PerSynapse(vec![0, 0, 0, 1, 0, 0]);
    assert_eq!(made.network.projections[0].delay, laid);
    let forward = &mut different.projections["forward"];
    forward.connectivity =
        Connectivity::List(List { sources: vec![0, 0, 1], targets: vec![0, 0, 2] });
    // A chip has one synapse a pair: the second one is in a projection of its own.
    let delay = &mut different.projections["forward"].delay;
    *delay = milliseconds(vec![1.0, 3.0, 1.0]);
    let made = run(&different).unwrap().network.projections;
    let names: Vec<_> = made.iter().map(|projection| projection.name.as_str()).collect();
    assert_eq!(names, ["forward", "forward (2)"]);
    assert_eq!(acting(&made[0].connection, [3, 2]), [254, 0, 0, 0, 0, 128]);
    assert_eq!(acting(&made[1].connection, [3, 2]), [-128, 0, 0, 0, 0, 0]);
    assert_eq!((&made[0].delay, &made[1].delay), (&DelaySteps::One(0), &DelaySteps::One(2)));

    let mut slow = chain(hard(1.0));
    slow.projections["forward"].delay = Milliseconds(64.0).into();
    let text = refusal(&slow);
    assert!(text.contains("delay of 64 steps") && text.contains("63"), "{text}");
    slow.projections["forward"].delay = Milliseconds(63.0).into();
    assert_eq!(run(&slow).unwrap().network.projections[0].delay, DelaySteps::One(62));
}

#[test]
fn layers_without_weights_and_unknown_rules_are_refused() {
    let mut silent = chain(hard(1.0));
    silent.projections["forward"].weight = Values::numbers(vec![0.0; 6]);
    let error = run(&silent).unwrap_err();
    assert!(error.to_string().contains("all 6 weights are 0"), "{error}");
    let config =
        QuantiseConfig { scale: ScaleRule::Percentile { share: 1.5 }, ..QuantiseConfig::default() };
    let error = quantise(&chain(hard(1.0)).validate().unwrap(), &chip(), &config).unwrap_err();
    assert!(error.to_string().contains("share is 1.5"), "{error}");
}

#[test]
fn one_scale_serves_weights_bias_and_threshold() {
    let mut network = chain(hard(2.0));
    let bias = Values::numbers(vec![0.1, -0.2, 0.0]);
    network.add_stimulus("bias", Stimulus::constant_current("target", bias, Milliseconds(0.0)));
    let more =
        Stimulus::constant_current("target", Values::numbers(vec![0.1; 3]), Milliseconds(0.0));
    network.add_stimulus("more bias", more);
    let quantised = run(&network).unwrap();
    // The scale is 254 / 1.27 = 200; weights become even.
    assert_eq!(
        acting(&quantised.network.projections[0].connection, [3, 2]),
        [100, -200, 50, 254, 150, -100]
    );
    assert_eq!(vth(&quantised, 1), 400);
    let bias = &quantised.network.populations[1].parameters["bias_mant"];
    assert_eq!(*bias, IntegerValues::PerNeuron(vec![40, -20, 20]));
    let [error] = quantised.errors.as_slice() else { panic!("{:?}", quantised.errors) };
    assert!(error.layer == "target" && (error.scale - 200.0).abs() < 1e-4, "{error:?}");
    assert!(error.weight_error_max < 1e-6 && error.bias_error_max < 1e-6, "{error:?}");
    // v ≥ 2 is v > 399 for whole numbers.
    let at = IntegrateAndFire { spike: SpikeCondition::AtOrAbove, ..hard(2.0) };
    assert_eq!(vth(&run(&chain(at)).unwrap(), 1), 399);
    // Between two whole numbers both conditions are the same.
    let between = |spike| run(&chain(IntegrateAndFire { spike, ..hard(2.0024) })).unwrap();
    for spike in [SpikeCondition::Above, SpikeCondition::AtOrAbove] {
        assert_eq!(vth(&between(spike), 1), 400);
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut network = chain(IntegrateAndFire { reset: Reset::Subtract, ..hard(1.0) });
    network.add_population("second", Population::new(3, hard(1.0)));
    network.add_projection(
        "onward",
        Projection::new("source", "second", Connectivity::Dense(Dense))
            .weight(Values::numbers(WEIGHTS.to_vec()))
            .delay(Milliseconds(80.0)),
    );
    let error = run(&network).unwrap_err();
    let QuantiseError::Several { problems } = &error else { panic!("{error:?}") };
    assert_eq!(problems.len(), 2);
    let text = error.to_string();
    assert!(text.contains("populations/target") && text.contains("delay of 80 steps"), "{text}");
}

#[test]
fn listed_and_all_to_all_synapses_become_matrices_or_lists() {
    let matrix = |connectivity, weight: Values, targets: u32| {
        let mut network = Network::new("matrix", Milliseconds(1.0));
        network.add_population("source", Population::new(3, Neuron::spike_source()));
        network.add_population("target", Population::new(targets, hard(1.0)));
        let projection = Projection::new("source", "target", connectivity)
            .weight(weight)
            .delay(Milliseconds(1.0));
        network.add_projection("forward", projection);
        acting(&run(&network).unwrap().network.projections[0].connection, [targets as usize, 3])
    };
    let each = |values: &[f64]| Values::numbers(values.to_vec());
    assert_eq!(
        matrix(Connectivity::OneToOne(OneToOne), each(&[1.27, -0.5, 0.25]), 3),
        [254, 0, 0, 0, -100, 0, 0, 0, 50]
    );
    assert_eq!(
        matrix(Connectivity::OneToOne(OneToOne), 0.5.into(), 3),
        [254, 0, 0, 0, 254, 0, 0, 0, 254]
    );
    // Two synapses between the same neurons add up.
    let list = Connectivity::List(List { sources: vec![0, 2, 2], targets: vec![1, 0, 0] });
    assert_eq!(matrix(list, each(&[1.27, -0.5, 0.25]), 2), [0, 0, -50, 254, 0, 0]);
    assert_eq!(
        matrix(Connectivity::AllToAll(AllToAll { autapses: true }), 0.3.into(), 2),
        [254; 6]
    );
}

/// Numbers 0 to `below` - 1 from a linear congruential generator (Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }
}

/// A picture through a convolution and a dense layer with a bias, emulator against plain loops.
#[test]
fn the_integers_spike_as_a_plain_loop_over_them() {
    let mut numbers = Numbers(7);
    let mut weights = |count: usize| -> Values {
        Values::numbers((0..count).map(|_| numbers.next(201) as f64 / 100.0 - 1.0).collect())
    };
    let geometry = Convolution {
        source: [2, 5, 5],
        target: [3, 3, 3],
        kernel: [3, 3],
        stride: [2, 2],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    let mut network = Network::new("picture", Milliseconds(1.0));
    let picture = |shape, neuron| Population::shaped(Shape::Picture(shape), neuron);
    network.add_population("input", picture([2, 5, 5], Neuron::spike_source()));
    network.add_population("features", picture([3, 3, 3], hard(1.3).into()));
    network.add_population("classes", Population::new(4, hard(2.1)));
    for (name, from, to, rule, count) in [
        ("kernels", "input", "features", Connectivity::Convolution(geometry), 54),
        ("matrix", "features", "classes", Connectivity::Dense(Dense), 108),
    ] {
        let projection =
            Projection::new(from, to, rule).weight(weights(count)).delay(Milliseconds(1.0));
        network.add_projection(name, projection);
    }
    let bias = Stimulus::constant_current("classes", weights(4), Milliseconds(0.0));
    network.add_stimulus("bias", bias);
    let quantised = run(&network).unwrap();

    let steps = 40;
    let mut input = SpikeTrain::new();
    let mut sent: Vec<Vec<usize>> = Vec::new();
    for _ in 0..steps {
        let spikes: Vec<u32> = (0..50).filter(|_| numbers.next(5) == 0).collect();
        sent.push(spikes.iter().map(|&neuron| neuron as usize).collect());
        input.push_step(&spikes.into_iter().map(Spike::plain).collect::<Vec<_>>());
    }
    let mut emulator = Emulator::new(&quantised.network, &chip()).unwrap();
    let recording = emulator.run(steps, &[input]).unwrap();
    assert_eq!(emulator.overflows().total(), 0);

    let connections: Vec<Vec<i64>> =
        quantised.network.projections.iter().map(|p| acting(&p.connection, [4, 27])).collect();
    let features = plain_loop(&quantised, 1, &sent, 27, |source, target| {
        let [channel, row, column] = [source / 25, source / 5 % 5, source % 5];
        let [out, y, x] = [target / 9, target / 3 % 3, target % 3];
        // Output (y, x) sees rows 2y - 1 to 2y + 1 and columns 2x - 1 to 2x + 1.
        let (tap_row, tap_column) =
            ((row + 1).wrapping_sub(2 * y), (column + 1).wrapping_sub(2 * x));
        let inside = tap_row < 3 && tap_column < 3;
        if inside {
            connections[0][((out * 2 + channel) * 3 + tap_row) * 3 + tap_column]
        } else {
            0
        }
    });
    let classes = plain_loop(&quantised, 2, &features, 4, |source, target| {
        connections[1][target * 27 + source]
    });
    for (population, expected) in [(1, &features), (2, &classes)] {
        let total: usize = expected.iter().map(Vec::len).sum();
        assert!(total > 20, "population {population} spikes only {total} times");
        for (step, expected) in expected.iter().enumerate() {
            let mut got: Vec<usize> =
                recording.spikes[population].at(step).iter().map(|s| s.neuron as usize).collect();
            got.sort_unstable();
            assert_eq!(got, *expected, "population {population}, step {step}");
        }
    }
}

/// v ← v + Σ w s + b with the spikes of the step before, spike above vth, back to 0.
fn plain_loop(
    quantised: &Quantised,
    population: usize,
    sent: &[Vec<usize>],
    neurons: usize,
    weight: impl Fn(usize, usize) -> i64,
) -> Vec<Vec<usize>> {
    let vth = vth(quantised, population);
    let parameters = &quantised.network.populations[population].parameters;
    let IntegerValues::PerNeuron(bias) = &parameters["bias_mant"] else { panic!("one for all") };
    let mut potentials = vec![0; neurons];
    let mut all = Vec::new();
    for step in 0..sent.len() {
        let mut spikes = Vec::new();
        for (target, potential) in potentials.iter_mut().enumerate() {
            if step > 0 {
                *potential += sent[step - 1].iter().map(|&s| weight(s, target)).sum::<i64>();
            }
            *potential += bias[target];
            if *potential > vth {
                *potential = 0;
                spikes.push(target);
            }
        }
        all.push(spikes);
    }
    all
}

#[test]
fn channels_have_scales_and_thresholds_of_their_own() {
    // The second row is a hundred times smaller: with one scale it keeps 1 % of the grid.
    let mut network = chain(hard(1.0));
    network.projections["forward"].weight =
        Values::numbers(vec![1.0, -0.5, 0.01, -0.004, 0.5, 0.25]);
    let quantised = |granularity| {
        let config = QuantiseConfig { granularity, ..QuantiseConfig::default() };
        quantise(&network.validate().unwrap(), &chip(), &config).unwrap()
    };
    let (whole, each) = (quantised(Granularity::Layer), quantised(Granularity::Channel));
    assert_eq!(acting(&whole.network.projections[0].connection, [3, 2])[2..4], [2, -2]);
    assert_eq!(acting(&each.network.projections[0].connection, [3, 2])[2..4], [254, -102]);
    let IntegerValues::PerNeuron(thresholds) = &each.network.populations[1].parameters["vth"]
    else {
        panic!("one threshold each");
    };
    assert_eq!(thresholds, &[254, 25_400, 508]);
    let (whole, each) = (&whole.errors[0], &each.errors[0]);
    assert!(each.weight_error_rms < 0.7 * whole.weight_error_rms, "{each:?} {whole:?}");
    let [low, high] = each.channel_scales.unwrap();
    assert!(low == 254.0 && (high - 25_400.0).abs() < 0.01, "{low} to {high}");
    assert_eq!(whole.channel_scales, None);
}

#[test]
fn fewer_weight_bits_leave_multiples_of_a_power_of_two() {
    for weight_bits in 1..=8_u8 {
        let config = QuantiseConfig { weight_bits, ..QuantiseConfig::default() };
        let made = quantise(&chain(hard(1.0)).validate().unwrap(), &chip(), &config).unwrap();
        let step = if weight_bits == 1 { 128 } else { 1_i64 << (9 - weight_bits) };
        let acting = acting(&made.network.projections[0].connection, [3, 2]);
        assert!(acting.iter().all(|weight| weight % step == 0), "{weight_bits}: {acting:?}");
        assert_eq!(made.errors[0].weight_bits, weight_bits);
    }
    let config = QuantiseConfig { weight_bits: 9, ..QuantiseConfig::default() };
    let error = quantise(&chain(hard(1.0)).validate().unwrap(), &chip(), &config).unwrap_err();
    assert!(error.to_string().contains("weight_bits is 9; allowed is 1 to 8"), "{error}");
}

/// Leaky neurons with delta and with exponential currents: the integers spike as the clock engine.
#[test]
fn leaky_neurons_keep_their_decays_in_4096ths_and_spike_as_the_float_network() {
    let rest = Reset::To(Millivolts(-70.0).into());
    let delta = LifDelta {
        tau_membrane: Milliseconds(20.0),
        refractory_period: Milliseconds(0.0),
        ..LifDelta::default()
    };
    let exponential = LifExponential {
        tau_membrane: Milliseconds(20.0),
        tau_excitatory: Milliseconds(5.0),
        tau_inhibitory: Milliseconds(5.0),
        refractory_period: Milliseconds(0.0),
        ..LifExponential::default()
    };
    let neurons = [
        (
            Neuron::from(delta).rules(SpikeCondition::Above, rest.clone()),
            Dimension::Potential,
            "mV",
            6.0,
        ),
        (
            Neuron::from(exponential).rules(SpikeCondition::Above, rest.clone()),
            Dimension::Current,
            "pA",
            700.0,
        ),
        (
            Neuron::new("lif_stepwise")
                .parameter("potential_kept", (-1.0_f64 / 20.0).exp())
                .parameter("current_kept", 0.8)
                .parameter("input_gain", 0.5)
                .parameter("gain", 0.4)
                .rules(SpikeCondition::Above, Reset::To(Quantity::from(0.0).into())),
            Dimension::Number,
            "",
            1.0,
        ),
    ];
    for (neuron, dimension, symbol, size) in neurons {
        let mut network = chain(neuron);
        let unit = Unit { symbol, dimension, in_base: 1.0 };
        let values = WEIGHTS.map(|weight| weight * size).to_vec();
        network.projections["forward"].weight = Values::Each { values, unit };
        let made = run(&network).unwrap();
        let parameters = &made.network.populations[1].parameters;
        // 4096 (1 - exp(-1 / 20)) = 199.76.
        assert_eq!(parameters["dv"], IntegerValues::One(200));
        assert!(made.errors[0].decay_error.abs() < 2e-3, "{:?}", made.errors);
        let steps = 120;
        let mut input = SpikeTrain::new();
        let mut given = (Vec::new(), Vec::new());
        for step in 0..steps {
            let row: Vec<u32> = (0..2).filter(|n| (step * 5 + n * 3) % 4 < 2).collect();
            input.push_step(&row.iter().map(|&n| Spike::plain(n)).collect::<Vec<_>>());
            for neuron in row {
                given.0.push(neuron);
                given.1.push(f64::from(step + 1));
            }
        }
        let list = SpikeList {
            population: "source".into(),
            neurons: given.0,
            times: milliseconds(given.1),
        };
        network.add_stimulus("given", Stimulus::SpikeList(list));
        network.add_probe("spikes", Probe::spikes("target"));
        let compiled =
            Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap();
        let start = find_engine("clock").unwrap().start;
        let mut engine = start(Arc::new(compiled), EngineConfig::default()).unwrap();
        engine.run(Time::from_milliseconds(f64::from(steps)).unwrap(), &mut |_| true).unwrap();
        let float = &engine.recording().spikes;
        let fixed = Emulator::new(&made.network, &chip()).unwrap();
        let fixed = fixed.clone().run(steps as usize, &[input]).unwrap();
        let fixed: Vec<(usize, u32)> = (0..steps as usize)
            .flat_map(|step| fixed.spikes[1].at(step).iter().map(move |s| (step + 1, s.neuron)))
            .collect();
        let first = engine.recording().populations[1].first;
        let float: Vec<(usize, u32)> = float
            .iter()
            .map(|s| (s.time.milliseconds().round() as usize, s.neuron - first))
            .collect();
        assert!(float.len() > 10, "{symbol}: {} spikes", float.len());
        let common = float.iter().filter(|spike| fixed.contains(spike)).count();
        // Rounding may move a spike by a step; it does not change how many there are.
        assert!(fixed.len().abs_diff(float.len()) <= 1, "{symbol}: {fixed:?} {float:?}");
        assert!(10 * common >= 8 * float.len(), "{symbol}: {common} of {}", float.len());
    }
}
