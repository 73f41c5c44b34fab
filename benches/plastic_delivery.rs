//! **Question:** is a weight that learns better computed when its source spikes, row by row, or also when its
//! target spikes, through an index from targets to synapses?
//!
//! **Varied:** (1) the bare access: the rows of spiking sources in sequence, or the synapses of spiking targets, one
//! in each of many rows; (2) in the engine, which computes at spikes of the source, how often targets spike for a
//! spike of a source. **Held:** (1) 4,000 × 4,000 synapses (128 MB of weights), 100 spikes; (2) 1,000 sources onto 1,000 targets,
//! pair STDP, sources at 20 Hz, dt 0.1 ms, 200 ms, one thread. **Metric:** (1) weights changed a second; (2) synaptic
//! events a second.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::network::{
    AllToAll, Connectivity, Network, Neuron, OneToOne, Plasticity, Population, Projection, Stimulus,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::stimulus::RegularTrain;
use spikeloom::sim_core::units::{Milliseconds, Millivolts};
use std::hint::black_box;

const SIZE: usize = 4_000;
const SPIKES: usize = 100;

fn access(criterion: &mut Criterion) {
    let mut weights = vec![1.0_f64; SIZE * SIZE];
    // What an index would say: where the synapses of a target are.
    let index: Vec<u32> =
        (0..SIZE * SPIKES).map(|n| ((n % SIZE) * SIZE + (n / SIZE) * 37 % SIZE) as u32).collect();
    let mut group = criterion.benchmark_group("weights changed");
    group.sample_size(10);
    group.throughput(Throughput::Elements((SIZE * SPIKES) as u64));
    group.bench_function("rows of sources", |bencher| {
        bencher.iter(|| {
            for spike in 0..SPIKES {
                let first = spike * 37 % SIZE * SIZE;
                for weight in &mut weights[first..first + SIZE] {
                    *weight += 0.001 * (2.0 - *weight);
                }
            }
            black_box(&mut weights);
        });
    });
    group.bench_function("synapses of targets", |bencher| {
        bencher.iter(|| {
            for &place in &index {
                let weight = &mut weights[place as usize];
                *weight += 0.001 * (2.0 - *weight);
            }
            black_box(&mut weights);
        });
    });
    group.finish();
}

/// Sources whose synapses learn, and targets that are made to spike so many times as often.
fn network(ratio: f64) -> Network {
    let mut network = Network::new("learning", Milliseconds(0.1));
    let teachers = ["sources", "teachers"];
    for (name, rate) in teachers.into_iter().zip([20.0, 20.0 * ratio]) {
        network.add_population(name, Population::new(1_000, Neuron::spike_source()));
        let train = RegularTrain {
            population: name.to_string(),
            interval: Milliseconds(1000.0 / rate).into(),
            phase: None,
            start: Milliseconds(0.0).into(),
            stop: None,
        };
        network.add_stimulus(name, Stimulus::RegularTrain(train));
    }
    network.add_population("targets", Population::new(1_000, LifDelta::default()));
    let all = Connectivity::AllToAll(AllToAll { autapses: true });
    let rule = Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(1e-5));
    let learning = Projection::new("sources", "targets", all).weight(Millivolts(1e-6));
    network.add_projection("learning", learning.delay(Milliseconds(1.0)).plasticity(rule));
    let pairs = Connectivity::OneToOne(OneToOne);
    let teaching = Projection::new("teachers", "targets", pairs).weight(Millivolts(50.0));
    network.add_projection("teaching", teaching.delay(Milliseconds(1.0)));
    network
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plastic synaptic events");
    group.sample_size(10);
    for ratio in [0.1, 1.0, 5.0] {
        let mut engine = brunel::engine("clock", &network(ratio));
        brunel::run(engine.as_mut(), 200.0);
        group.throughput(Throughput::Elements(engine.recording().counters.synaptic_operations));
        group.bench_function(BenchmarkId::new("spikes of targets a spike", ratio), |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), 200.0));
        });
    }
    group.finish();
}

criterion_group!(benches, access, engine);
criterion_main!(benches);
