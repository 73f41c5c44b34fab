//! **Question:** what does one synaptic event cost in the clock-driven engine, and does the price
//! grow with the network?
//!
//! **Varied:** number of neurons of a Brunel-like network (see `brunel/mod.rs`), and with its square
//! the number of synapses: from one that fits into the processor's caches to one that does not.
//! **Held:** connection probability 0.1, delta currents, dt 0.1 ms, 200 ms, one thread, seed.
//! **Metric:** synaptic events (spikes × synapses of the spiking neuron) a second; its inverse is
//! the price of an event. The price includes its share of the neurons' updates.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say
#![allow(clippy::print_stdout)] // the counts belong beside the times

mod brunel;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const MILLISECONDS: f64 = 200.0;

fn delivery(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clock engine, synaptic events");
    group.sample_size(10);
    for size in [1_000_u32, 4_000, 12_000] {
        let mut engine = brunel::engine("clock", &brunel::network(size));
        brunel::run(engine.as_mut(), MILLISECONDS);
        let counters = &engine.recording().counters;
        let events = counters.synaptic_operations;
        let rate =
            counters.spikes.iter().sum::<u64>() as f64 / f64::from(size) / MILLISECONDS * 1e3;
        println!(
            "{size} neurons: {events} synaptic events, {rate:.1} spikes per neuron and second"
        );
        group.throughput(Throughput::Elements(events));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), MILLISECONDS));
        });
    }
    group.finish();
}

criterion_group!(benches, delivery);
criterion_main!(benches);
