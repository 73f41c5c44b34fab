//! Random networks against a slow, obvious simulator written from Lava's formulas, and what is
//! refused or counted on the way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use indexmap::IndexMap;
use loihi_export::{
    chip::ChipSpec,
    emulator::{Emulator, EmulatorError, OverflowKind, ProjectionProblem, Spike, SpikeTrain},
    quantise::network::{
        Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
        QuantisedProjection, SignMode,
    },
};
use sim_core::network::{Convolution, Shape};

/// Numbers of a fixed sequence (Knuth's 64-bit linear congruential generator, high bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as i64) % bound
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }
}

fn chip() -> ChipSpec {
    ChipSpec::built_in("loihi2").unwrap()
}

fn population(
    name: &str,
    shape: Shape,
    process: &str,
    parameters: &[(&str, IntegerValues)],
) -> QuantisedPopulation {
    let parameters: IndexMap<_, _> =
        parameters.iter().map(|(name, values)| (name.to_string(), values.clone())).collect();
    QuantisedPopulation { name: name.into(), shape, process: process.into(), parameters }
}

fn dense(weights: Vec<i32>, weight_exponent: i8) -> Connection {
    Connection::Dense { weights, sign_mode: SignMode::Mixed, weight_bits: 8, weight_exponent }
}

fn projection(source: usize, target: usize, connection: Connection) -> QuantisedProjection {
    QuantisedProjection {
        name: format!("{source}-{target}"),
        source,
        target,
        connection,
        delay: DelaySteps::One(0),
        message_bits: 0,
        port: 0,
        learning: None,
    }
}

fn network(
    populations: Vec<QuantisedPopulation>,
    projections: Vec<QuantisedProjection>,
) -> QuantisedNetwork {
    QuantisedNetwork { name: "test".into(), chip: "loihi2".into(), populations, projections }
}

/// An input of 3×6×5, a convolution to 4×3×3, and a recurrent list of 10.
fn random_network(numbers: &mut Numbers, graded: bool) -> QuantisedNetwork {
    let geometry = Convolution {
        source: [2, 6, 5],
        target: [4, 3, 4],
        kernel: [3, 2],
        stride: [2, 1],
        padding: [1, 0, 0, 0],
        dilation: [1, 1],
        groups: 2,
    };
    let one = IntegerValues::One;
    let biases = (0..10).map(|_| numbers.between(-60, 60)).collect();
    let populations = vec![
        population("in", Shape::Picture([2, 6, 5]), "input", &[]),
        population(
            "conv",
            Shape::Picture([4, 3, 4]),
            "lif",
            &[
                ("du", one(numbers.between(-1, 4095))),
                ("dv", one(numbers.between(0, 4096))),
                ("vth", one(numbers.between(20, 400))),
            ],
        ),
        population(
            "list",
            Shape::List(10),
            "lif",
            &[
                ("du", one([4095, 700][numbers.below(2) as usize])),
                ("dv", one([0, 300][numbers.below(2) as usize])),
                ("vth", one(numbers.between(20, 300))),
                ("bias_mant", IntegerValues::PerNeuron(biases)),
                ("bias_exp", one(6)),
                ("reset_interval", one(numbers.below(2) * 11)),
                ("reset_offset", one(3)),
            ],
        ),
    ];
    let mut even = |count: usize| -> Vec<i32> {
        (0..count).map(|_| 2 * numbers.between(-128, 127) as i32).collect()
    };
    let (kernel, forward, recurrent, listed) = (even(4 * 6), even(10 * 48), even(100), even(24));
    let mut delayed = projection(1, 2, dense(forward, -2));
    delayed.delay = DelaySteps::PerSynapse((0..480).map(|_| numbers.below(6) as u8).collect());
    let mut looped = projection(2, 2, dense(recurrent, -1));
    looped.delay = DelaySteps::One(2);
    let mut direct = projection(
        0,
        2,
        Connection::Sparse {
            targets: (0..24).map(|k| k / 3).collect(),
            sources: (0..24).map(|k| k % 3 * 17 + k / 3).collect(),
            weights: listed,
            sign_mode: SignMode::Mixed,
            weight_bits: 8,
            weight_exponent: 1,
        },
    );
    let mut convolved = projection(0, 1, Connection::Convolution { geometry, weights: kernel });
    convolved.delay = DelaySteps::One(numbers.below(4) as u8);
    if graded {
        direct.message_bits = 16;
        convolved.message_bits = 16;
    }
    network(populations, vec![convolved, delayed, looped, direct])
}

/// Every synapse of a projection as `(target, source, weight, delay)`, by the definitions.
fn synapses(p: &QuantisedProjection, sources: usize) -> Vec<(usize, usize, i64, usize)> {
    let delay = |place: usize| match &p.delay {
        DelaySteps::One(delay) => usize::from(*delay),
        DelaySteps::PerSynapse(delays) => usize::from(delays[place]),
    };
    match &p.connection {
        Connection::Dense { weights, .. } => weights
            .iter()
            .enumerate()
            .map(|(k, &w)| (k / sources, k % sources, w.into(), delay(k)))
            .collect(),
        Connection::Sparse { targets, sources, weights, .. } => (0..weights.len())
            .map(|k| (targets[k] as usize, sources[k] as usize, weights[k].into(), delay(k)))
            .collect(),
        Connection::Convolution { geometry, weights } => {
            let mut all = Vec::new();
            for source in 0..sources {
                geometry.for_each_target(source as u32, |s| {
                    all.push((
                        s.target as usize,
                        source,
                        weights[s.weight as usize].into(),
                        delay(0),
                    ));
                });
            }
            all
        }
    }
}

fn shift(value: i64, exponent: i64) -> i64 {
    if exponent >= 0 { value << exponent } else { value >> -exponent }
}

/// Spikes and membranes `[step][population][neuron]` by Lava's formulas, neuron by neuron.
fn reference(net: &QuantisedNetwork, input: &[Vec<i32>]) -> Vec<Vec<(Vec<i64>, Vec<i64>)>> {
    let sizes: Vec<usize> = net.populations.iter().map(|p| p.shape.size() as usize).collect();
    let steps = input.len();
    let mut arriving: Vec<Vec<Vec<i64>>> =
        sizes.iter().map(|&n| vec![vec![0; n]; steps + 70]).collect();
    let (mut u, mut v): (Vec<Vec<i64>>, Vec<Vec<i64>>) =
        sizes.iter().map(|&n| (vec![0; n], vec![0; n])).unzip();
    let truncate = |x: i64| x.signum() * (x.abs() >> 12);
    let bound = 1_i64 << 23;
    let mut recorded = Vec::new();
    for t in 1..=steps {
        let mut row = Vec::new();
        for (index, p) in net.populations.iter().enumerate() {
            if p.process == "input" {
                row.push((input[t - 1].iter().map(|&x| x.into()).collect(), Vec::new()));
                continue;
            }
            let get = |name: &str, neuron: usize| match p.parameters.get(name) {
                Some(IntegerValues::One(value)) => *value,
                Some(IntegerValues::PerNeuron(values)) => values[neuron],
                None => 0,
            };
            let mut spikes = vec![0; sizes[index]];
            for (neuron, spike) in spikes.iter_mut().enumerate() {
                let (u, v) = (&mut u[index][neuron], &mut v[index][neuron]);
                let interval = get("reset_interval", neuron);
                if interval > 0 && t as i64 % interval == get("reset_offset", neuron) % interval {
                    (*u, *v) = (0, 0);
                }
                *u = truncate(*u * (4096 - get("du", neuron) - 1));
                *u += arriving[index][t][neuron] << 6;
                if *u > bound {
                    *u -= 2 * bound;
                } else if *u <= -bound {
                    *u += 2 * bound;
                }
                let bias = shift(get("bias_mant", neuron), get("bias_exp", neuron));
                *v = truncate(*v * (4096 - get("dv", neuron))) + *u + bias;
                *v = (*v).clamp(1 - bound, bound - 1);
                if *v > get("vth", neuron) << 6 {
                    (*spike, *v) = (1, 0);
                }
            }
            row.push((spikes, v[index].clone()));
        }
        for p in &net.projections {
            let mut sums = vec![vec![0; 64]; sizes[p.target]];
            for (target, source, weight, delay) in synapses(p, sizes[p.source]) {
                let spike = row[p.source].0[source];
                let spike = if p.message_bits > 0 { spike } else { i64::from(spike != 0) };
                sums[target][delay] += weight * spike;
            }
            for (target, delays) in sums.into_iter().enumerate() {
                for (delay, sum) in delays.into_iter().enumerate() {
                    arriving[p.target][t + 1 + delay][target] += match &p.connection {
                        Connection::Convolution { .. } => {
                            (sum + bound).rem_euclid(2 * bound) - bound
                        }
                        Connection::Dense { weight_exponent, .. }
                        | Connection::Sparse { weight_exponent, .. } => {
                            shift(sum, (*weight_exponent).into())
                        }
                    };
                }
            }
        }
        recorded.push(row);
    }
    recorded
}

fn random_input(
    numbers: &mut Numbers,
    neurons: usize,
    steps: usize,
    largest: i64,
) -> Vec<Vec<i32>> {
    let mut value = || match numbers.below(4) {
        0 if largest > 1 => numbers.between(-largest, largest) as i32,
        0 => 1,
        _ => 0,
    };
    (0..steps).map(|_| (0..neurons).map(|_| value()).collect()).collect()
}

#[test]
fn random_networks_equal_the_obvious_simulator() {
    let (mut spikes, steps) = ([0; 3], 50);
    for seed in 0..24 {
        let numbers = &mut Numbers(seed);
        let graded = seed % 3 == 0;
        let net = random_network(numbers, graded);
        let input = random_input(numbers, 60, steps, if graded { 20 } else { 1 });
        let mut emulator = Emulator::new(&net, &chip()).unwrap();
        let train = SpikeTrain::from_rows(input.iter().map(Vec::as_slice));
        let recording = emulator.run_traced(steps, &[train], &[1, 2]).unwrap();
        for (step, row) in reference(&net, &input).iter().enumerate() {
            for (index, (theirs, membrane)) in row.iter().enumerate() {
                let mut ours = vec![0; theirs.len()];
                for spike in recording.spikes[index].at(step) {
                    ours[spike.neuron as usize] = i64::from(spike.payload);
                }
                assert_eq!(&ours, theirs, "seed {seed}, step {step}, population {index}");
                spikes[index] += theirs.iter().filter(|&&s| s != 0).count();
                if index > 0 {
                    let v = &recording.traces[index - 1].membrane[step];
                    let v: Vec<i64> = v.iter().map(|&v| v.into()).collect();
                    assert_eq!(&v, membrane, "seed {seed}, step {step}, population {index}");
                }
            }
        }
    }
    assert!(spikes.iter().all(|&count| count > 500), "the networks were active: {spikes:?}");
}

#[test]
fn reset_and_copies_start_from_nothing() {
    let numbers = &mut Numbers(5);
    let net = random_network(numbers, false);
    let input = random_input(numbers, 60, 30, 1);
    let train = [SpikeTrain::from_rows(input.iter().map(Vec::as_slice))];
    let mut emulator = Emulator::new(&net, &chip()).unwrap();
    let mut copy = emulator.clone();
    let first = emulator.run(30, &train).unwrap();
    emulator.reset();
    assert_eq!(emulator.time(), 0);
    assert_eq!(emulator.run(30, &train).unwrap(), first);
    assert_eq!(copy.run(30, &train).unwrap(), first);
    assert_eq!(emulator.synaptic_events(), 2 * copy.synaptic_events());
}

fn single(weight: i32, exponent: i8, parameters: &[(&str, i64)]) -> QuantisedNetwork {
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| (*name, IntegerValues::One(*value))).collect();
    let populations = vec![
        population("in", Shape::List(1), "input", &[]),
        population("out", Shape::List(1), "lif", &parameters),
    ];
    network(populations, vec![projection(0, 1, dense(vec![weight], exponent))])
}

#[test]
fn wraps_and_clips_are_counted_with_their_first_place() {
    // 254 << 10 << 6 = 16646144 is above 2^23 and wraps to -131072 in each step that it arrives.
    let net = single(254, 10, &[("du", 4095), ("vth", 131_071)]);
    let mut emulator = Emulator::new(&net, &chip()).unwrap();
    for _ in 0..4 {
        emulator.step(&[&[Spike::plain(0)]]).unwrap();
    }
    assert_eq!(emulator.current(1), [254 * 1024 * 64 - (1 << 24)]);
    let report = emulator.overflows();
    assert_eq!(report.overflows.len(), 1, "{report:?}");
    let found = &report.overflows[0];
    assert_eq!((found.place.as_str(), found.kind), ("out", OverflowKind::Current));
    assert_eq!((found.count, found.first_step, found.first_neuron), (3, 2, 0));

    // -128 << 10 << 6 = -2^23 itself wraps to +2^23; with -126 the membrane falls to its bound.
    let net = single(-126, 10, &[("du", 4095), ("vth", 131_071)]);
    let mut emulator = Emulator::new(&net, &chip()).unwrap();
    for _ in 0..4 {
        emulator.step(&[&[Spike::plain(0)]]).unwrap();
    }
    assert_eq!(emulator.membrane(1), [1 - (1 << 23)]);
    let report = emulator.overflows();
    assert_eq!((report.overflows[0].kind, report.total()), (OverflowKind::Membrane, 2));
    assert!(report.overflows[0].to_string().contains("first in step 3 at neuron 0"));
    emulator.clear_counters();
    assert!(emulator.overflows().is_empty());
}

#[test]
fn sums_beyond_their_registers_are_counted_at_the_projection() {
    let mut net = single(254, 16, &[("vth", 100)]);
    net.projections[0].message_bits = 24;
    let mut emulator = Emulator::new(&net, &chip()).unwrap();
    emulator.step(&[&[Spike { neuron: 0, payload: 200 }]]).unwrap();
    let report = emulator.overflows();
    assert_eq!(report.overflows[0].place, "0-1");
    assert_eq!(report.overflows[0].kind, OverflowKind::SynapticSum);

    let geometry = Convolution {
        source: [1, 1, 1],
        target: [1, 1, 1],
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
    };
    net.projections[0].connection = Connection::Convolution { geometry, weights: vec![255] };
    let mut emulator = Emulator::new(&net, &chip()).unwrap();
    emulator.step(&[&[Spike { neuron: 0, payload: 40_000 }]]).unwrap();
    let report = emulator.overflows();
    assert_eq!(report.overflows[0].kind, OverflowKind::ConvolutionSum);
    emulator.step(&[&[]]).unwrap();
    // (255 * 40000 - 2^24) << 6 is far below -2^23; one wrap of 2^24 is all it gets.
    assert_eq!(emulator.current(1), [((255 * 40_000 - (1 << 24)) << 6) + (1 << 24)]);
}

#[test]
fn weights_that_cannot_be_stored_are_refused_with_their_place() {
    let build = |net: &QuantisedNetwork| Emulator::new(net, &chip()).unwrap_err().to_string();
    let mut net = single(256, 0, &[("vth", 10)]);
    let message = build(&net);
    assert!(message.contains("weight 256 from source 0 to target 0 of population 'out'"));
    assert!(message.contains("-256 to 255 in steps of 2"), "{message}");
    net.projections[0].connection = dense(vec![3], 0);
    assert!(build(&net).contains("in steps of 2"));
    net.projections[0].connection = Connection::Dense {
        weights: vec![-1],
        sign_mode: SignMode::Excitatory,
        weight_bits: 8,
        weight_exponent: 0,
    };
    assert!(build(&net).contains("allowed are 0 to 255"));
    net.projections[0].connection = dense(vec![2, 2], 0);
    assert!(build(&net).contains("has 2 weights, but needs 1"));
    net.projections[0].connection = dense(vec![2], 100);
    assert!(build(&net).contains("weight exponent 100"));
}

#[test]
fn parameters_are_checked_by_name_length_and_range() {
    let build = |net: &QuantisedNetwork| Emulator::new(net, &chip()).unwrap_err().to_string();
    let mut net = single(2, 0, &[]);
    assert!(build(&net).contains("'vth': is missing"), "{}", build(&net));
    let set = |net: &mut QuantisedNetwork, name: &str, values| {
        net.populations[1].parameters.insert(name.into(), values);
    };
    set(&mut net, "vth", IntegerValues::One(10));
    set(&mut net, "bias_mant", IntegerValues::One(40_000));
    assert!(build(&net).contains("is 40000 at neuron 0; allowed are -32768 to 32767"));
    set(&mut net, "bias_mant", IntegerValues::PerNeuron(vec![1, 2]));
    assert!(build(&net).contains("2 values for 1 neurons"));
    set(&mut net, "bias_mant", IntegerValues::PerNeuron(vec![5000]));
    set(&mut net, "reset_interval", IntegerValues::PerNeuron(vec![1]));
    assert!(build(&net).contains("one value for the whole population"));
    set(&mut net, "reset_interval", IntegerValues::One(0));
    set(&mut net, "du", IntegerValues::One(5000));
    let emulator = Emulator::new(&net, &chip()).unwrap();
    let warned: Vec<_> = emulator.field_warnings().iter().map(|w| w.parameter).collect();
    assert_eq!(warned, ["du", "bias_mant"], "Lava runs them, the chip's fields do not hold them");
    set(&mut net, "tau", IntegerValues::One(1));
    assert!(build(&net).contains("it has: du, dv, vth"));
    net.populations[1].process = "izhikevich".into();
    assert!(build(&net).contains("known processes: input, lif, lif_refractory, ternary_lif"));
}

#[test]
fn projections_and_inputs_that_do_not_fit_are_refused() {
    let base = single(2, 0, &[("vth", 10)]);
    let refuse = |change: &dyn Fn(&mut QuantisedProjection)| {
        let mut net = base.clone();
        change(&mut net.projections[0]);
        match Emulator::new(&net, &chip()).unwrap_err() {
            EmulatorError::Projection { problem, .. } => problem,
            other => panic!("{other}"),
        }
    };
    assert!(matches!(refuse(&|p| p.source = 7), ProjectionProblem::NoPopulation { .. }));
    assert!(matches!(refuse(&|p| p.target = 0), ProjectionProblem::TargetIsInput { .. }));
    let long = refuse(&|p| p.delay = DelaySteps::One(64));
    assert_eq!(long, ProjectionProblem::Delay { got: 64, allowed: 63 });
    let bits = refuse(&|p| p.message_bits = 33);
    assert_eq!(bits, ProjectionProblem::MessageBits { got: 33, allowed: 32 });
    let listed = |targets: Vec<u32>, sources: Vec<u32>| {
        let weights = vec![2; targets.len()];
        Connection::Sparse {
            targets,
            sources,
            weights,
            sign_mode: SignMode::Mixed,
            weight_bits: 8,
            weight_exponent: 0,
        }
    };
    let outside = refuse(&|p| p.connection = listed(vec![0], vec![1]));
    assert!(outside.to_string().contains("outside its populations"));
    let twice = refuse(&|p| p.connection = listed(vec![0, 0], vec![0, 0]));
    assert!(twice.to_string().contains("listed twice"));
    let mut emulator = Emulator::new(&base, &chip()).unwrap();
    assert!(matches!(emulator.step(&[]), Err(EmulatorError::InputCount { .. })));
    let far = emulator.step(&[&[Spike::plain(1)]]).unwrap_err().to_string();
    assert!(far.contains("neuron 1 of 1 neurons"), "{far}");
    let double = emulator.step(&[&[Spike::plain(0), Spike::plain(0)]]).unwrap_err().to_string();
    assert!(double.contains("each once"), "{double}");
    assert_eq!(emulator.time(), 0, "a refused step changes nothing");
    let mut huge = base.clone();
    huge.populations[1].shape = Shape::Picture([u32::MAX; 3]);
    assert!(matches!(Emulator::new(&huge, &chip()), Err(EmulatorError::TooLarge { .. })));
}
