//! **Question:** what does it cost the event-driven engine to keep a spike on its way, and does the price grow with
//! the number that wait?
//!
//! **Varied:** delays, and with them how many spikes are on their way: 1 ms for all (about 1,000 wait), or 1 to 250 ms
//! (about 125,000). **Held:** 10,000 sources at 100 Hz, each onto one neuron that it does not bring to its threshold, 100 ms,
//! one thread. **Metric:** spikes sent and delivered a second, the neurons' part included.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::distribution::Uniform;
use spikeloom::sim_core::network::{
    Connectivity, Network, Neuron, OneToOne, Population, Projection, Stimulus,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::stimulus::RegularTrain;
use spikeloom::sim_core::units::{Milliseconds, Millivolts, Values};

const SIZE: u32 = 10_000;

fn network(longest: f64) -> Network {
    let mut network = Network::new("on the way", Milliseconds(0.1));
    network.add_population("sources", Population::new(SIZE, Neuron::spike_source()));
    let phases = (0..SIZE).map(|n| f64::from(n) * 0.618_033_988_749_895 % 1.0).collect();
    let train = RegularTrain {
        population: "sources".to_string(),
        interval: Milliseconds(10.0).into(),
        phase: Some(Values::numbers(phases)),
        start: Milliseconds(0.0).into(),
        stop: None,
    };
    network.add_stimulus("trains", Stimulus::RegularTrain(train));
    network.add_population("cells", Population::new(SIZE, LifDelta::default()));
    let pairs = Connectivity::OneToOne(OneToOne);
    let (low, high) = (Milliseconds(1.0), Milliseconds(longest));
    let delay: Values = match longest > 1.0 {
        true => Uniform { low: low.into(), high: high.into() }.into(),
        false => low.into(),
    };
    let projection = Projection::new("sources", "cells", pairs).weight(Millivolts(1e-6));
    network.add_projection("pairs", projection.delay(delay));
    network
}

fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event engine, spikes on their way");
    group.sample_size(10);
    for (name, longest) in [("one delay", 1.0), ("delays of 1 to 250 ms", 250.0)] {
        let mut engine = brunel::engine("event", &network(longest));
        brunel::run(engine.as_mut(), 100.0);
        group.throughput(Throughput::Elements(engine.recording().counters.spikes[0]));
        group.bench_function(name, |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), 100.0));
        });
    }
    group.finish();
}

criterion_group!(benches, queue);
criterion_main!(benches);
