//! **Question:** what does a synaptic event of a convolution cost, against the number of channels that one spike reaches?
//!
//! **Varied:** output channels. **Held:** 8 channels of 32 × 32 pixels, kernel 3 × 3, a tenth of the pixels spike in every step, 20
//! steps, clock-driven engine, one thread. **Metric:** synaptic events a second, the neurons' update included.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::network::{
    Connectivity, Convolution, Network, Neuron, Population, Projection, Shape, Stimulus,
};
use spikeloom::sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use spikeloom::sim_core::stimulus::RegularTrain;
use spikeloom::sim_core::units::{Milliseconds, Values};

const STEPS: f64 = 20.0;

fn network(channels: u32) -> Network {
    let geometry = Convolution {
        source: [8, 32, 32],
        target: [channels, 32, 32],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1; 4],
        dilation: [1, 1],
        groups: 1,
    };
    let mut network = Network::new("picture", Milliseconds(1.0));
    let picture = Population::shaped(Shape::Picture(geometry.source), Neuron::spike_source());
    network.add_population("picture", picture);
    let phases = (0..8 * 32 * 32).map(|n| (f64::from(n * 7 % 10) + 1.0) / 10.0).collect();
    let train = RegularTrain {
        population: "picture".to_string(),
        interval: Milliseconds(10.0).into(),
        phase: Some(Values::numbers(phases)),
        start: Milliseconds(0.0).into(),
        stop: None,
    };
    network.add_stimulus("pixels", Stimulus::RegularTrain(train));
    let cells = Neuron::from(IntegrateAndFire::default());
    network.add_population("features", Population::shaped(Shape::Picture(geometry.target), cells));
    let kernel = (0..geometry.weight_count()).map(|i| 0.01 * (i % 7) as f64 - 0.03).collect();
    let projection = Projection::new("picture", "features", Connectivity::Convolution(geometry));
    network.add_projection("convolution", projection.weight(Values::numbers(kernel)));
    network
}

fn scatter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("convolution, synaptic events");
    group.sample_size(10);
    for channels in [1, 8, 32] {
        let mut engine = brunel::engine("clock", &network(channels));
        brunel::run(engine.as_mut(), STEPS);
        group.throughput(Throughput::Elements(engine.recording().counters.synaptic_operations));
        group.bench_function(BenchmarkId::from_parameter(channels), |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), STEPS));
        });
    }
    group.finish();
}

criterion_group!(benches, scatter);
criterion_main!(benches);
