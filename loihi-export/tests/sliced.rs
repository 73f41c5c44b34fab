//! Networks cut along a mapping, and what is written of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use indexmap::IndexMap;
use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use loihi_export::export::lava_script::lava_script;
use loihi_export::export::netx::{NetxOptions, read_netx_network};
use loihi_export::export::sana_fe::sana_fe;
use loihi_export::export::sliced::{SlicedNetwork, slice_network};
use loihi_export::mapping::{
    Casting, CoreLimits, CorePosition, MapConfig, Mapping, RouterPosition, Slice, map,
};
use loihi_export::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};
use sim_core::network::Shape;
use std::path::Path;

const INPUTS: u32 = 12;
const NEURONS: u32 = 20;
const STEPS: usize = 60;

fn number(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A recurrent network with delays; every sum is shifted by `exponent`.
fn network(exponent: i8) -> QuantisedNetwork {
    let mut seed = 7;
    let mut weights = |count: u32| -> Vec<i32> {
        (0..count).map(|_| (number(&mut seed) % 128) as i32 * 2 - 100).collect()
    };
    let dense = |weights: Vec<i32>| Connection::Dense {
        weights,
        sign_mode: SignMode::Mixed,
        weight_bits: 8,
        weight_exponent: exponent,
    };
    let projection = |name: &str, source, weights: Vec<i32>, delay| QuantisedProjection {
        name: name.into(),
        source,
        target: 1,
        connection: dense(weights),
        delay,
        message_bits: 0,
        port: 0,
        learning: None,
    };
    let delays = (0..NEURONS * NEURONS).map(|place| (place % 5) as u8).collect();
    let population = |name: &str, size, process: &str, parameters: &[(&str, i64)]| {
        let parameters = parameters.iter();
        QuantisedPopulation {
            name: name.into(),
            shape: Shape::List(size),
            process: process.into(),
            parameters: parameters
                .map(|(name, value)| (name.to_string(), IntegerValues::One(*value)))
                .collect::<IndexMap<_, _>>(),
        }
    };
    let mut layer = population("layer", NEURONS, "lif", &[("du", 4095), ("dv", 300), ("vth", 90)]);
    let bias = (0..NEURONS).map(|n| i64::from(n % 7) * 9 - 20).collect();
    layer.parameters.insert("bias_mant".into(), IntegerValues::PerNeuron(bias));
    QuantisedNetwork {
        name: "cut".into(),
        chip: "loihi2".into(),
        populations: vec![population("in", INPUTS, "input", &[]), layer],
        projections: vec![
            projection("feed", 0, weights(INPUTS * NEURONS), DelaySteps::One(0)),
            projection("loop", 1, weights(NEURONS * NEURONS), DelaySteps::PerSynapse(delays)),
        ],
    }
}

/// Every third neuron on a core of its own.
fn mapping() -> Mapping {
    let slices = (0..3).map(|core| {
        let neurons = (0..NEURONS).filter(move |neuron| neuron % 3 == core);
        Slice { core, ..Slice::of_neurons(1, neurons) }
    });
    let position = |x| CorePosition { router: RouterPosition { chip: 0, x, y: 1 }, core: 0 };
    Mapping {
        network: "cut".into(),
        chip: "loihi2".into(),
        slices: slices.collect(),
        cores: (0..3).map(position).collect(),
        routes: Vec::new(),
        links: Vec::new(),
        casting: Casting::Unicast,
    }
}

fn run(network: &QuantisedNetwork) -> Vec<SpikeTrain> {
    let mut seed = 99;
    let rows: Vec<Vec<i32>> = (0..STEPS)
        .map(|_| (0..INPUTS).map(|_| i32::from(number(&mut seed) % 10 < 3)).collect())
        .collect();
    let input = SpikeTrain::from_rows(rows.iter().map(Vec::as_slice));
    let mut emulator = Emulator::new(network, &ChipSpec::built_in("loihi2").unwrap()).unwrap();
    emulator.run(STEPS, &[input]).unwrap().spikes
}

/// The spikes of the pieces as those of the whole population.
fn joined(sliced: &SlicedNetwork, spikes: &[SpikeTrain]) -> SpikeTrain {
    let mut whole = SpikeTrain::new();
    for step in 0..STEPS {
        let mut row: Vec<Spike> = Vec::new();
        for (piece, train) in sliced.pieces.iter().zip(spikes) {
            let own = train.at(step).iter().filter(|_| piece.population == 1);
            row.extend(own.map(|spike| Spike::plain(piece.neurons[spike.neuron as usize])));
        }
        row.sort_by_key(|spike| spike.neuron);
        whole.push_step(&row);
    }
    whole
}

#[test]
fn cutting_is_neutral_without_negative_exponents_and_only_then() {
    for (exponent, neutral) in [(0, true), (2, true), (-3, false)] {
        let network = network(exponent);
        let sliced = slice_network(&network, &mapping()).unwrap();
        assert_eq!(sliced.network.populations.len(), 4);
        let (whole, pieces) = (run(&network), run(&sliced.network));
        let joined = joined(&sliced, &pieces);
        assert!(whole[1].count() > 50, "{} spikes", whole[1].count());
        assert_eq!(joined == whole[1], neutral, "weight exponent {exponent}");
    }
}

#[test]
fn the_script_names_a_process_for_every_piece() {
    let network = network(1);
    let sliced = slice_network(&network, &mapping()).unwrap();
    let written = lava_script(&sliced, &network.populations).unwrap();
    for part in [
        "add(\"input in\", Source(data=inputs[\"in\"].T))",
        "add(\"layer/core1\", LIF(shape=(7,), du=4095, dv=300, vth=90, bias_mant=ARRAYS",
        "connect(\"layer/core0\", \"layer/core2\", DelaySparse(",
        "connect(\"input in\", \"layer/core0\", Sparse(",
        "sign_mode=SignMode.MIXED",
        // What no synapse joins to the rest runs, too.
        "for sink in sinks.values():\n            if sink.runtime is None:",
        "POPULATIONS = {\n    \"layer\": (20, [\"layer/core0\", \"layer/core1\", \"layer/core2\"]),",
    ] {
        assert!(written.script.contains(part), "{part} is not in\n{}", written.script);
    }
    let again = lava_script(&sliced, &network.populations).unwrap();
    assert_eq!(written, again, "equal networks give equal bytes");
    let mut other = network.clone();
    other.populations[1].process = "lif_refractory".into();
    let sliced = slice_network(&other, &mapping()).unwrap();
    let message = lava_script(&sliced, &other.populations).unwrap_err().to_string();
    assert!(
        message.contains("'lif_refractory' is not written") && message.contains("lif"),
        "{message}"
    );
    let layer = &mut other.populations[1];
    layer.process = "atrlif".into();
    // A current that decays by 0.4, of which Lava takes no whole 4096ths, and its own threshold of 5.
    let rest = (1638.4_f64.fract() * (1_u64 << 52) as f64) as i64;
    let given = [("delta_i", 1638), ("delta_i_fraction", rest), ("theta_step", 96)];
    layer.parameters =
        given.iter().map(|(name, value)| (name.to_string(), IntegerValues::One(*value))).collect();
    let sliced = slice_network(&other, &mapping()).unwrap();
    let script = lava_script(&sliced, &other.populations).unwrap().script;
    let part = "ATRLIF(shape=(7,), delta_i=0.4, delta_v=0.0, delta_theta=0.0, delta_r=0.0, \
                theta_0=5.0, theta_step=1.5)";
    assert!(script.contains(part), "{script}");
    let decays = (0..20).map(|neuron| 200 * neuron).collect();
    let layer = &mut other.populations[1];
    layer.parameters.insert("delta_v".into(), IntegerValues::PerNeuron(decays));
    let sliced = slice_network(&other, &mapping()).unwrap();
    let script = lava_script(&sliced, &other.populations).unwrap().script;
    assert!(script.contains("delta_i=0.4, delta_v=ARRAYS["), "{script}");
    other.populations[1].parameters = network.populations[1].parameters.clone();
    other.populations[1].process = "rf".into();
    let sliced = slice_network(&other, &mapping()).unwrap();
    let message = lava_script(&sliced, &other.populations).unwrap_err().to_string();
    assert!(message.contains("parameter 'du' has no counterpart"), "{message}");
}

/// The script of a recorded netx file on one core a layer. `make test-lava` runs these in Lava.
fn script_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx").join(name);
    let network = read_netx_network(&path, &NetxOptions::default()).unwrap().network;
    let limits = CoreLimits::of_chip(&ChipSpec::built_in("loihi2").unwrap()).unwrap();
    let mapping = map(&network, &limits, &MapConfig::default()).unwrap();
    let sliced = slice_network(&network, &mapping).unwrap();
    lava_script(&sliced, &network.populations).unwrap().script
}

#[test]
fn values_that_lavas_constructors_would_scale_are_set_behind_them() {
    for (name, parts) in [
        (
            "ref_sdnn.net",
            [
                "with_values(Delta(shape=(6,), vth=0, spike_exp=6, state_exp=6), vth=",
                "drive(\"layer0/core0\", \"layer0\")",
                "vth=0, act_mode=ActivationMode.RELU, spike_exp=6, state_exp=6), vth=",
                "INPUTS = [\"layer0\"]",
            ],
        ),
        (
            "ref_rf_phase.net",
            [
                "with_values(RF(shape=(7,), period=1, alpha=0, state_exp=6, decay_bits=12), sin_",
                "num_message_bits=0), \"a_real_in\")",
                "num_message_bits=0), \"a_imag_in\")",
                "INPUTS = [\"input\"]",
            ],
        ),
    ] {
        let script = script_of(name);
        for part in parts {
            assert!(script.contains(part), "{part} is not in\n{script}");
        }
    }
    assert!(script_of("ref_rf_iz.net").contains("with_values(RF_IZ(shape"));
}

#[test]
fn kernels_that_only_lavas_convolutions_hold_are_not_cut() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx/hand_conv_wide.net");
    let read = read_netx_network(&path, &NetxOptions::default()).unwrap();
    assert!(read.warnings.iter().any(|w| w.contains("which no chip holds")), "{:?}", read.warnings);
    let limits = CoreLimits::of_chip(&ChipSpec::built_in("loihi2").unwrap()).unwrap();
    let mapping = map(&read.network, &limits, &MapConfig::default()).unwrap();
    let message = slice_network(&read.network, &mapping).unwrap_err().to_string();
    assert!(message.contains("kernel weight") && message.contains("-256 to 255"), "{message}");
}

#[test]
fn sana_fe_gets_units_cores_and_weights_or_a_reason() {
    let mut network = network(1);
    let message = sana_fe(&network, &mapping(), 4).unwrap_err().to_string();
    assert!(message.contains("'loop' has delays"), "{message}");
    network.projections.pop();
    let yaml = sana_fe(&network, &mapping(), 4).unwrap();
    for part in [
        "threshold: 90, leak_decay: 0.9267578125, reset: 0",
        "- p0_in.3: {core: 1.0, soma: \"loihi_inputs[3]\"}",
        "- p1_layer.4: {core: 5.0}",
        "- 3: {bias: 0.109375}",
    ] {
        assert!(yaml.contains(part), "{part} is not in\n{yaml}");
    }
    let Connection::Dense { weights, .. } = &network.projections[0].connection else { panic!() };
    let edge = format!("- p0_in.0 -> p1_layer.0: {{weight: {}}}", weights[0] * 2);
    assert!(yaml.contains(&edge), "{edge}");
    network.populations[1].parameters.insert("du".into(), IntegerValues::One(100));
    let message = sana_fe(&network, &mapping(), 4).unwrap_err().to_string();
    assert!(message.contains("current decay du of 100"), "{message}");
}
