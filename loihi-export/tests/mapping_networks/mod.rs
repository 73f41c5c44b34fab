//! Networks and limits for the mapping tests.
#![allow(dead_code, reason = "each test file uses a part")]

use indexmap::IndexMap;
use loihi_export::chip::ChipSpec;
use loihi_export::mapping::{CoreLimits, SynapseMemoryModel};
use loihi_export::quantise::network::{
    Connection, DelaySteps, QuantisedNetwork, QuantisedPopulation, QuantisedProjection, SignMode,
};
use sim_core::network::convolution::output_extent;
use sim_core::network::{Convolution, Shape};

/// Limits of a shipped chip.
pub fn limits(chip: &str) -> CoreLimits {
    CoreLimits::of_chip(&ChipSpec::built_in(chip).unwrap()).unwrap()
}

/// Loihi 2 made small, so that small networks need many cores; lists take a header word and whole
/// words of 128 bits.
pub fn tiny() -> CoreLimits {
    let synapse_memory = SynapseMemoryModel {
        synapses_per_block: None,
        header_bits: 128,
        round_to_bits: 128,
        ..limits("loihi2").synapse_memory
    };
    CoreLimits {
        synapse_memory,
        chip: "tiny".to_owned(),
        cores: 64,
        neurons_per_core: 24,
        neuron_groups: Some(3),
        input_axons: Some(400),
        output_axons: Some(400),
        axon_map_entries: Some(22),
        synapse_memory_bits: Some(60_000),
        mesh_columns: 8,
        mesh_rows: 4,
        cores_per_router: 2,
    }
}

pub fn population(name: &str, process: &str, shape: Shape) -> QuantisedPopulation {
    let (name, process) = (name.to_owned(), process.to_owned());
    QuantisedPopulation { name, shape, process, parameters: IndexMap::new() }
}

pub fn network(populations: Vec<QuantisedPopulation>) -> QuantisedNetwork {
    QuantisedNetwork {
        name: "test".to_owned(),
        chip: "any".to_owned(),
        populations,
        projections: Vec::new(),
    }
}

/// Adds a projection named `source->target#index`.
pub fn connect(
    network: &mut QuantisedNetwork,
    source: usize,
    target: usize,
    connection: Connection,
    delay: u8,
) {
    let name = format!("{source}->{target}#{}", network.projections.len());
    let delay = DelaySteps::One(delay);
    network.projections.push(QuantisedProjection {
        name,
        source,
        target,
        connection,
        delay,
        message_bits: 0,
        port: 0,
        learning: None,
    });
}

fn size(network: &QuantisedNetwork, population: usize) -> usize {
    network.populations[population].shape.size() as usize
}

pub fn dense(network: &mut QuantisedNetwork, source: usize, target: usize) {
    let weights = vec![1; size(network, source) * size(network, target)];
    let (sign_mode, weight_bits, weight_exponent) = (SignMode::Mixed, 8, 0);
    let connection = Connection::Dense { weights, sign_mode, weight_bits, weight_exponent };
    connect(network, source, target, connection, 0);
}

/// Every (target, source) pair is a synapse with the probability `percent`.
pub fn sparse(
    network: &mut QuantisedNetwork,
    source: usize,
    target: usize,
    percent: u64,
    delay: u8,
    random: &mut Random,
) {
    let (mut targets, mut sources) = (Vec::new(), Vec::new());
    for to in 0..size(network, target) as u32 {
        for from in 0..size(network, source) as u32 {
            if random.below(100) < percent {
                targets.push(to);
                sources.push(from);
            }
        }
    }
    let weights = vec![2; targets.len()];
    let connection = Connection::Sparse {
        targets,
        sources,
        weights,
        sign_mode: SignMode::Excitatory,
        weight_bits: 4,
        weight_exponent: 0,
    };
    connect(network, source, target, connection, delay);
}

/// The geometry with the target extents that the other numbers give.
pub fn geometry(
    source: [u32; 3],
    channels: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    padding: [u32; 4],
    dilation: [u32; 2],
    groups: u32,
) -> Convolution {
    let extent = |axis: usize| {
        let pad = u64::from(padding[axis] + padding[axis + 2]);
        output_extent(source[axis + 1], kernel[axis], stride[axis], pad, dilation[axis]) as u32
    };
    let target = [channels, extent(0), extent(1)];
    Convolution { source, target, kernel, stride, padding, dilation, groups }
}

/// Adds a population that the convolution gives and the projection into it; returns its index.
pub fn convolve(network: &mut QuantisedNetwork, source: usize, geometry: Convolution) -> usize {
    let target = network.populations.len();
    let name = format!("picture{target}");
    network.populations.push(population(&name, "lif", Shape::Picture(geometry.target)));
    let weights = vec![2; geometry.weight_count() as usize];
    connect(network, source, target, Connection::Convolution { geometry, weights }, 0);
    target
}

/// A small generator with a fixed sequence (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A random network of at most a few hundred neurons: an input picture, a convolution chain,
/// dense and sparse populations with recurrence.
pub fn random_network(seed: u64) -> QuantisedNetwork {
    let mut random = Random(seed);
    let channels = random.pick(&[1, 2, 4]);
    let extent = [3 + random.below(4) as u32, 3 + random.below(4) as u32];
    let picture = Shape::Picture([channels, extent[0], extent[1]]);
    let mut net = network(vec![population("input", "input", picture)]);
    let mut last = 0;
    for _ in 0..random.below(3) {
        let source = net.populations[last].shape.picture();
        let groups = if source[0].is_multiple_of(2) { random.pick(&[1, 2]) } else { 1 };
        let kernel = [1 + random.below(3) as u32, 1 + random.below(3) as u32];
        let stride = [1 + random.below(2) as u32, 1 + random.below(2) as u32];
        let padding = [random.below(2) as u32, 1, random.below(2) as u32, 1];
        let dilation = [random.pick(&[1, 1, 2]), 1];
        let channels = groups * (1 + random.below(3) as u32);
        let shape = geometry(source, channels, kernel, stride, padding, dilation, groups);
        if shape.check().is_ok() && shape.target[1] > 0 && shape.target[2] > 0 {
            last = convolve(&mut net, last, shape);
        }
    }
    for name in ["first", "second"] {
        let neurons = 1 + random.below(50) as u32;
        let next = net.populations.len();
        net.populations.push(population(name, "lif", Shape::List(neurons)));
        if random.below(2) == 0 {
            dense(&mut net, last, next);
        } else {
            let percent = 5 + random.below(60);
            sparse(&mut net, last, next, percent, random.below(3) as u8, &mut random.fork());
        }
        last = next;
    }
    if random.below(2) == 0 {
        sparse(&mut net, last, last, 20, 1, &mut random.fork());
    }
    if random.below(2) == 0 {
        sparse(&mut net, last, last - 1, 30, 0, &mut random.fork());
    }
    net
}

impl Random {
    fn fork(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }
}
