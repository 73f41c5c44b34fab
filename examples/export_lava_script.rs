//! A random network, recurrent and with neurons of three kinds, cut into core slices, as a Lava program
//! with what it must compute.
//!
//! `cargo run --release --example export_lava_script -- FOLDER` writes `network.py` with its arrays,
//! `input.npz`, and in `expected.npz` the spikes that our fixed-point engine computes for the same
//! slices; `scripts/lava.sh` runs the program in Lava and compares. Without a folder nothing is
//! written.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::loihi_export::check::check;
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::emulator::{Emulator, SpikeTrain};
use spikeloom::loihi_export::export::lava_script::lava_script;
use spikeloom::loihi_export::export::sliced::slice_network;
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig, map};
use spikeloom::loihi_export::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};
use spikeloom::model_io::array::Array;
use spikeloom::model_io::npz::write_npz;
use spikeloom::sim_core::network::Shape;
use std::error::Error;
use std::path::Path;

const INPUTS: u32 = 16;
const NEURONS: u32 = 96;
/// Neurons of each of the populations behind.
const BEHIND: u32 = 40;
const STEPS: usize = 80;

/// A small generator, so that the example needs nothing else.
fn number(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Random synapses between populations of so many neurons, a quarter of all pairs.
fn projection(
    name: &str,
    (source, sources): (usize, u32),
    (target, targets, port): (usize, u32, u8),
    seed: &mut u64,
) -> QuantisedProjection {
    let weights: Vec<i32> =
        (0..sources * targets)
            .map(|_| {
                if number(seed).is_multiple_of(4) {
                    (number(seed) % 120) as i32 * 2 - 96
                } else {
                    0
                }
            })
            .collect();
    let delays: Vec<u8> = weights.iter().map(|_| (number(seed) % 6) as u8).collect();
    QuantisedProjection {
        name: name.into(),
        source,
        target,
        connection: Connection::Dense {
            weights,
            sign_mode: SignMode::Mixed,
            weight_bits: 8,
            // Each slice floors its own sum: this is where cutting would show.
            weight_exponent: -1,
        },
        delay: if source == target { DelaySteps::PerSynapse(delays) } else { DelaySteps::One(0) },
        message_bits: 0,
        port,
        learning: None,
    }
}

fn network() -> QuantisedNetwork {
    let mut seed = 2024;
    let population = |name: &str, size, process: &str| QuantisedPopulation {
        name: name.into(),
        shape: Shape::List(size),
        process: process.into(),
        parameters: Default::default(),
    };
    let mut layer = population("layer", NEURONS, "lif");
    for (name, value) in [("du", 1200), ("dv", 260), ("vth", 250), ("bias_exp", 3)] {
        layer.parameters.insert(name.into(), IntegerValues::One(value));
    }
    let bias = (0..NEURONS).map(|n| i64::from(n % 9) * 12 - 30).collect();
    layer.parameters.insert("bias_mant".into(), IntegerValues::PerNeuron(bias));
    let mut adaptive = population("adaptive", BEHIND, "atrlif");
    for (name, value) in [
        ("delta_i", 1638),
        ("delta_i_fraction", 1_801_439_850_948_198),
        ("delta_theta", 820),
        ("delta_r", 1024),
        ("theta_0", 9600),
        ("theta_step", 2000),
        ("bias_mant", 40),
    ] {
        adaptive.parameters.insert(name.into(), IntegerValues::One(value));
    }
    let decays = (0..BEHIND).map(|n| i64::from(n % 5) * 41 + 328).collect();
    adaptive.parameters.insert("delta_v".into(), IntegerValues::PerNeuron(decays));
    let mut scaled = population("scaled", BEHIND, "norm_vec_delay");
    scaled.parameters.insert("vth".into(), IntegerValues::One(900));
    let (whole, part) = (NEURONS, BEHIND);
    QuantisedNetwork {
        name: "slices".into(),
        chip: "loihi2".into(),
        populations: vec![population("input", INPUTS, "input"), layer, adaptive, scaled],
        projections: vec![
            projection("feed", (0, INPUTS), (1, whole, 0), &mut seed),
            projection("loop", (1, whole), (1, whole, 0), &mut seed),
            projection("to adaptive", (1, whole), (2, part, 0), &mut seed),
            projection("vector", (1, whole), (3, part, 0), &mut seed),
            projection("factor", (2, part), (3, part, 1), &mut seed),
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
    let network = network();
    // A core of 30 neurons, so that the layer needs several.
    let limits = CoreLimits { neurons_per_core: 30, ..CoreLimits::of_chip(&chip)? };
    let checked = check(&network, &limits, map(&network, &limits, &MapConfig::default())?)?;
    let sliced = slice_network(&network, checked.mapping())?;
    let written = lava_script(&sliced, &network.populations)?;

    let mut seed = 5;
    let input: Vec<Vec<i32>> = (0..STEPS)
        .map(|_| (0..INPUTS).map(|_| i32::from(number(&mut seed) % 10 < 3)).collect())
        .collect();
    let input = SpikeTrain::from_rows(input.iter().map(Vec::as_slice));
    let mut emulator = Emulator::new(&sliced.network, &chip)?;
    let recording = emulator.run(STEPS, std::slice::from_ref(&input))?;
    let mut expected: Vec<(&str, Array)> = Vec::new();
    for (index, population) in network.populations.iter().enumerate().skip(1) {
        let neurons = population.shape.size();
        let mut whole = vec![0_i32; STEPS * neurons as usize];
        let own = sliced.pieces.iter().zip(&recording.spikes);
        for (piece, train) in own.filter(|(piece, _)| piece.population == index) {
            for (step, place) in (0..STEPS).map(|step| (step, step * neurons as usize)) {
                for spike in train.at(step) {
                    let neuron = piece.neurons[spike.neuron as usize] as usize;
                    whole[place + neuron] = spike.payload;
                }
            }
        }
        let spikes = whole.iter().filter(|spike| **spike != 0).count();
        println!("{}: {spikes} spikes in {STEPS} steps", population.name);
        let shape = vec![STEPS, neurons as usize];
        expected.push((&population.name, Array { shape, values: whole.into() }));
    }
    println!("{} slices", sliced.pieces.len() - 1);
    let Some(folder) = std::env::args().nth(1) else { return Ok(()) };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("network.py"), &written.script)?;
    std::fs::write(folder.join("network.npz"), &written.arrays)?;
    std::fs::write(folder.join("input.npz"), write_npz([("input", &rows(&input, INPUTS))])?)?;
    std::fs::write(
        folder.join("expected.npz"),
        write_npz(expected.iter().map(|(name, array)| (*name, array)))?,
    )?;
    Ok(())
}
