//! Networks that learn, cut into core slices, as Lava programs with the spikes and weights that they must
//! end with.
//!
//! `cargo run --release --example export_lava_learning -- FOLDER` writes for each rule `RULE.py` with its
//! arrays, the integers as `RULE.json` (which `spikeloom export` and `map` read), `RULE_input.npz`, and in
//! `RULE_expected.npz` what our fixed-point engine computes for the same slices; `scripts/lava.sh` runs the
//! programs in Lava and compares. Without a folder nothing is written.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::loihi_export::check::check;
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::emulator::{Emulator, SpikeTrain};
use spikeloom::loihi_export::export::lava_script::lava_script;
use spikeloom::loihi_export::export::sliced::slice_network;
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig, map};
use spikeloom::loihi_export::quantise::network::{
    Connection, DelaySteps, GradedTrace, IntegerValues, LearningRule, QuantisedNetwork,
    QuantisedPopulation, QuantisedProjection, SignMode, Trace,
};
use spikeloom::model_io::array::Array;
use spikeloom::model_io::npz::write_npz;
use spikeloom::sim_core::network::Shape;
use std::error::Error;
use std::path::Path;

const INPUTS: u32 = 12;
const NEURONS: u32 = 20;
const STEPS: usize = 90;

/// A small generator, so that the example needs nothing else.
fn number(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn trace(impulse: f64, tau: f64) -> Trace {
    Trace { impulse, tau }
}

/// Rules by name: pairs of spikes, pairs in epochs, a reward that gates a tag, payloads in a trace.
fn rules() -> Vec<(&'static str, LearningRule)> {
    let text = |text: &str| Some(text.to_owned());
    let (x1, y1) = (trace(16.0, 10.0), trace(16.0, 12.0));
    // Lava's STDPLoihi with a learning rate of 1, A+ of 1/4 and A- of -1/4.
    let pairs = LearningRule {
        dw: text("-1*2^-2*x0*y1 + 1*2^-2*y0*x1"),
        x1,
        y1,
        rng_seed: 7,
        ..LearningRule::default()
    };
    let reward = LearningRule {
        dw: text("u0*t*y2*2^-6"),
        dt: text("-1*2^-2*x0*y1 + 1*2^-1*y0*x1 - u0*t*2^-4"),
        x1,
        y1: trace(0.0, 0.0),
        rng_seed: 5,
        // The reward is a graded population; the trace of the targets' own spikes does not arrive.
        third_factor: Some([None, Some(2), None]),
        ..LearningRule::default()
    };
    vec![
        ("stdp", pairs.clone()),
        (
            "epochs",
            LearningRule {
                dw: text("2^-3*y0*x1*(w+5) - 3*2^-4*x0*y1 - u1*2^-5*sgn(w-3)*y2"),
                dd: text("x0*y1*2^-2 - y0*x2*2^-3"),
                t_epoch: 3,
                x2: trace(9.5, 31.0),
                y2: trace(21.25, 5.0),
                ..pairs.clone()
            },
        ),
        ("reward", reward),
        ("payloads", LearningRule { graded: GradedTrace::AddWithSaturation, ..pairs }),
    ]
}

fn network(name: &str, rule: LearningRule) -> QuantisedNetwork {
    let mut seed = 99;
    let population = |name: &str, size, process: &str, parameters: &[(&str, i64)]| {
        let own =
            parameters.iter().map(|(name, value)| (name.to_string(), IntegerValues::One(*value)));
        QuantisedPopulation {
            name: name.into(),
            shape: Shape::List(size),
            process: process.into(),
            parameters: own.collect(),
        }
    };
    let lif = [("du", 2000), ("dv", 400), ("vth", 150)];
    let mut weights = |count: u32, most: u64, zero: bool| -> Vec<i32> {
        let one = |_| match number(&mut seed) % 3 {
            0 if zero => 0,
            _ => (number(&mut seed) % most) as i32 * 2 - 20,
        };
        (0..count).map(one).collect()
    };
    let dense = |weights: Vec<i32>| Connection::Dense {
        weights,
        sign_mode: SignMode::Mixed,
        weight_bits: 8,
        weight_exponent: 0,
    };
    let fixed = |name: &str, (source, target): (usize, usize), connection, message_bits| {
        QuantisedProjection {
            name: name.into(),
            source,
            target,
            connection,
            delay: DelaySteps::One(0),
            message_bits,
            port: 0,
            learning: None,
        }
    };
    let learns = |projection: QuantisedProjection, rule: &LearningRule| QuantisedProjection {
        learning: Some(rule.clone()),
        ..projection
    };
    let bits = if name == "payloads" { 8 } else { 0 };
    let forward =
        fixed("plastic: forward", (0, 1), dense(weights(INPUTS * NEURONS, 70, true)), bits);
    let listed: Vec<u32> = (0..NEURONS).collect();
    let sparse = Connection::Sparse {
        targets: listed.clone(),
        sources: listed.iter().map(|&neuron| (neuron * 7 + 3) % NEURONS).collect(),
        weights: listed.iter().map(|&neuron| 2 * neuron as i32 + 2).collect(),
        sign_mode: SignMode::Mixed,
        weight_bits: 8,
        weight_exponent: 0,
    };
    let looped = fixed("listed", (1, 1), sparse, 0);
    let reward: Vec<i32> = (0..INPUTS * NEURONS).map(|place| (place % 3) as i32 * 8).collect();
    let rewarded = fixed("reward", (0, 2), dense(reward), 0);
    QuantisedNetwork {
        name: name.into(),
        chip: "loihi2".into(),
        populations: vec![
            population("input", INPUTS, "input", &[]),
            population("cells", NEURONS, "lif", &lif),
            population("reward", NEURONS, "graded_vec", &[("vth", 1)]),
        ],
        projections: vec![
            learns(forward, &rule),
            // Lava's sparse synapses learn no tags, and their rules read no weights.
            if rule.dw.as_ref().is_some_and(|dw| dw.contains(['w', 't'])) {
                looped
            } else {
                learns(looped, &rule)
            },
            rewarded,
        ],
    }
}

fn rows(train: &SpikeTrain, neurons: u32) -> Array {
    let mut values = vec![0_i32; STEPS * neurons as usize];
    for step in 0..STEPS {
        for spike in train.at(step) {
            values[step * neurons as usize + spike.neuron as usize] = spike.payload;
        }
    }
    Array { shape: vec![STEPS, neurons as usize], values: values.into() }
}

fn main() -> Result<(), Box<dyn Error>> {
    let chip = ChipSpec::built_in("loihi2")?;
    // A core of 7 neurons, so that every population needs several.
    let limits = CoreLimits { neurons_per_core: 7, ..CoreLimits::of_chip(&chip)? };
    for (name, rule) in rules() {
        let network = network(name, rule);
        let checked = check(&network, &limits, map(&network, &limits, &MapConfig::default())?)?;
        let sliced = slice_network(&network, checked.mapping())?;
        let written = lava_script(&sliced, &network.populations)?;
        let mut seed = 5;
        let most = if name == "payloads" { 90 } else { 1 };
        let mut given = |_| match number(&mut seed) % 10 {
            0..3 => 1 + (number(&mut seed) % most) as i32,
            _ => 0,
        };
        let input: Vec<Vec<i32>> =
            (0..STEPS).map(|_| (0..INPUTS).map(&mut given).collect()).collect();
        let input = SpikeTrain::from_rows(input.iter().map(Vec::as_slice));
        let mut emulator = Emulator::new(&sliced.network, &chip)?;
        let recording = emulator.run(STEPS, std::slice::from_ref(&input))?;
        let mut expected: Vec<(String, Array)> = Vec::new();
        for (index, population) in network.populations.iter().enumerate().skip(1) {
            let neurons = population.shape.size() as usize;
            let mut whole = vec![0_i32; STEPS * neurons];
            let own = sliced.pieces.iter().zip(&recording.spikes);
            for (piece, train) in own.filter(|(piece, _)| piece.population == index) {
                for step in 0..STEPS {
                    for spike in train.at(step) {
                        let neuron = piece.neurons[spike.neuron as usize] as usize;
                        whole[step * neurons + neuron] = spike.payload;
                    }
                }
            }
            expected.push((
                population.name.clone(),
                Array { shape: vec![STEPS, neurons], values: whole.into() },
            ));
        }
        for (index, projection) in network.projections.iter().enumerate() {
            let Some(weights) = sliced.learned_weights(&emulator, &network, index) else {
                continue;
            };
            let size = |population: usize| network.populations[population].shape.size() as usize;
            let shape = vec![size(projection.target), size(projection.source)];
            let values: Vec<i32> = weights.iter().map(|&weight| weight as i32).collect();
            let moved = match &projection.connection {
                Connection::Dense { weights: before, .. } => {
                    before.iter().zip(&values).filter(|(before, after)| before != after).count()
                }
                _ => values.iter().filter(|weight| **weight != 0).count(),
            };
            println!("{name}, {}: {moved} weights learned", projection.name);
            let name = format!("weights of {}", projection.name);
            expected.push((name, Array { shape, values: values.into() }));
        }
        println!("{name}: {} slices", sliced.pieces.len() - 1);
        let Some(folder) = std::env::args().nth(1) else { continue };
        let folder = Path::new(&folder);
        std::fs::create_dir_all(folder)?;
        let file = |ending: &str| folder.join(format!("{name}{ending}"));
        std::fs::write(file(".py"), &written.script)?;
        std::fs::write(file(".npz"), &written.arrays)?;
        std::fs::write(file(".json"), serde_json::to_string(&network)?)?;
        std::fs::write(file("_input.npz"), write_npz([("input", &rows(&input, INPUTS))])?)?;
        let arrays = expected.iter().map(|(name, array)| (name.as_str(), array));
        std::fs::write(file("_expected.npz"), write_npz(arrays)?)?;
    }
    Ok(())
}
