//! No mapping changes a spike: random networks run whole, and cut as every partitioner cuts them.
//!
//! Stored weights are multiples of what a negative exponent shifts away, as the quantiser and netx
//! write them: then the parts of a sum are rounded nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, SpikeTrain};
use loihi_export::export::sliced::slice_network;
use loihi_export::mapping::{MapConfig, map};
use loihi_export::partition::{PARTITIONERS, PartitionConfig};
use loihi_export::quantise::network::{Connection, IntegerValues, QuantisedNetwork, SignMode};
use mapping_networks::{Random, random_network, tiny};

const STEPS: usize = 20;

/// Weights of both signs, exponents on both sides of 0, neurons that spike now and then.
fn lively(seed: u64) -> QuantisedNetwork {
    let mut net = random_network(seed);
    let mut random = Random(seed ^ 0x5eed);
    for population in net.populations.iter_mut().filter(|p| p.process == "lif") {
        let size = population.shape.size();
        for (name, value) in [("du", 2048), ("dv", 512), ("vth", 150)] {
            population.parameters.insert(name.to_owned(), IntegerValues::One(value));
        }
        let biases = (0..size).map(|_| random.below(2000) as i64).collect();
        population.parameters.insert("bias_mant".to_owned(), IntegerValues::PerNeuron(biases));
    }
    for projection in &mut net.projections {
        let exponent = [-2i8, -1, 0, 1][random.below(4) as usize];
        let unit = 1i32 << (-i32::from(exponent)).max(0);
        let mut draw = |low: i32| low + random.below(100) as i32 - 40;
        match &mut projection.connection {
            Connection::Dense { weights, sign_mode, weight_bits, weight_exponent }
            | Connection::Sparse { weights, sign_mode, weight_bits, weight_exponent, .. } => {
                (*sign_mode, *weight_bits) = (SignMode::Mixed, 8);
                *weight_exponent = exponent;
                weights.iter_mut().for_each(|w| *w = draw(0) / (2 * unit) * 2 * unit);
            }
            Connection::Convolution { weights, .. } => {
                weights.iter_mut().for_each(|w| *w = draw(5));
            }
        }
    }
    net
}

/// (population, neuron) of every spike on chip, step by step.
fn spikes(net: &QuantisedNetwork, input: &SpikeTrain) -> Vec<Vec<(usize, u32)>> {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let mut emulator = Emulator::new(net, &chip).unwrap();
    let recording = emulator.run(STEPS, std::slice::from_ref(input)).unwrap();
    let at = |step: usize| {
        let trains = recording.spikes.iter().enumerate().skip(1);
        let each = trains.flat_map(|(p, train)| train.at(step).iter().map(move |s| (p, s.neuron)));
        let mut all: Vec<_> = each.collect();
        all.sort_unstable();
        all
    };
    (0..STEPS).map(at).collect()
}

#[test]
fn spikes_of_a_network_do_not_depend_on_how_it_is_cut() {
    let (mut total, mut most_slices) = (0, 0);
    for seed in 0..24 {
        let net = lively(seed);
        let size = net.populations[0].shape.size();
        let mut random = Random(seed);
        let rows: Vec<Vec<i32>> = (0..STEPS)
            .map(|_| (0..size).map(|_| i32::from(random.below(3) == 0)).collect())
            .collect();
        let input = SpikeTrain::from_rows(rows.iter().map(Vec::as_slice));
        let whole = spikes(&net, &input);
        total += whole.iter().map(Vec::len).sum::<usize>();
        for partitioner in PARTITIONERS {
            let algorithm = partitioner.name.to_owned();
            let partition = PartitionConfig { algorithm, chips: 64, ..PartitionConfig::default() };
            let config = MapConfig { partition, ..MapConfig::default() };
            let mapping = map(&net, &tiny(), &config).unwrap();
            most_slices = most_slices.max(mapping.slices.len());
            let sliced = slice_network(&net, &mapping).unwrap();
            let mut back = std::collections::BTreeMap::new();
            for (piece, origin) in sliced.pieces.iter().enumerate() {
                for (index, &neuron) in (0u32..).zip(&origin.neurons) {
                    back.insert((piece, index), (origin.population, neuron));
                }
            }
            let own: Vec<Vec<_>> = spikes(&sliced.network, &input)
                .into_iter()
                .map(|step| {
                    let mut step: Vec<_> = step.iter().map(|place| back[place]).collect();
                    step.sort_unstable();
                    step
                })
                .collect();
            assert_eq!(own, whole, "seed {seed}, {}", partitioner.name);
        }
    }
    assert!(total > 2_000, "only {total} spikes: the networks must be lively");
    assert!(most_slices > 8, "at most {most_slices} slices: the networks must be cut");
}
