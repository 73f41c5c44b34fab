//! **Questions:** (1) how many synaptic events a second does the event-driven engine handle on the
//! network of `delivery.rs`? (2) what does a population cost in which nothing happens?
//!
//! **Varied:** (1) number of neurons; (2) neuron model.
//! **Held:** (1) as in `delivery.rs`, 50 ms; (2) 10,000 neurons without input, clock-driven engine,
//! dt 0.1 ms, 100 ms, one thread.
//! **Metric:** (1) synaptic events a second; (2) neuron updates (neurons × steps) a second; the
//! inverse is the price of a silent neuron in a step.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say
#![allow(clippy::print_stdout)] // the counts belong beside the times

mod brunel;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::network::{Network, Neuron, Population};
use spikeloom::sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::neuron::lif_exponential::LifExponential;
use spikeloom::sim_core::units::Milliseconds;

fn events(criterion: &mut Criterion) {
    const MILLISECONDS: f64 = 50.0;
    let mut group = criterion.benchmark_group("event engine, synaptic events");
    group.sample_size(10);
    for size in [1_000_u32, 4_000] {
        let mut engine = brunel::engine("event", &brunel::network(size));
        brunel::run(engine.as_mut(), MILLISECONDS);
        let events = engine.recording().counters.synaptic_operations;
        println!("{size} neurons: {events} synaptic events");
        group.throughput(Throughput::Elements(events));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), MILLISECONDS));
        });
    }
    group.finish();
}

fn silence(criterion: &mut Criterion) {
    const NEURONS: u32 = 10_000;
    const STEPS: u64 = 1_000;
    let models: [(&str, Neuron); 3] = [
        ("integrate_and_fire", IntegrateAndFire::default().into()),
        ("lif_delta", LifDelta::default().into()),
        ("lif_exponential", LifExponential::default().into()),
    ];
    let mut group = criterion.benchmark_group("clock engine, silent neurons");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(NEURONS) * STEPS));
    for (name, neuron) in models {
        let mut network = Network::new(name, Milliseconds(0.1));
        network.add_population("silent", Population::new(NEURONS, neuron));
        let mut engine = brunel::engine("clock", &network);
        group.bench_function(name, |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), STEPS as f64 * 0.1));
        });
    }
    group.finish();
}

criterion_group!(benches, events, silence);
criterion_main!(benches);
