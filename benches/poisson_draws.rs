//! **Question:** what does a neuron's Poisson input cost a step, and how does the price grow with the rate?
//!
//! **Varied:** mean number of spikes a step; the engine, and with it whether spikes have times within the step.
//! **Held:** 10,000 neurons `lif_delta` that the input does not bring to their threshold, dt 0.1 ms, 20 ms, one thread.
//! **Metric:** neurons × steps a second, the neurons' update included (`neuron_update.rs` has that alone).

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::network::{Network, Population, Stimulus};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::stimulus::PoissonDrive;
use spikeloom::sim_core::units::{Hertz, Milliseconds, Millivolts};

const NEURONS: u32 = 10_000;
const STEPS: u64 = 200;

fn draws(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Poisson input of a neuron and step");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(NEURONS) * STEPS));
    for mean in [0.01, 0.5, 2.0, 20.0] {
        for (engine, exact_times) in [("clock", false), ("event", false), ("event", true)] {
            let mut network = Network::new("driven", Milliseconds(0.1));
            network.add_population("cells", Population::new(NEURONS, LifDelta::default()));
            let input = PoissonDrive::new("cells", Hertz(1e4 * mean), Millivolts(1e-6));
            let input = PoissonDrive { exact_times, ..input };
            network.add_stimulus("input", Stimulus::PoissonDrive(input));
            let mut running = brunel::engine(engine, &network);
            let name = format!("{engine}{}", if exact_times { ", exact times" } else { "" });
            group.bench_function(BenchmarkId::new(name, mean), |bencher| {
                bencher.iter(|| brunel::run(running.as_mut(), STEPS as f64 * 0.1));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, draws);
criterion_main!(benches);
