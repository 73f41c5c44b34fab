//! **Question:** what does a checkpoint cost: to take it from an engine, and to write it?
//!
//! **Varied:** the part: taking, writing, checksums included, reading back. **Held:** the network of
//! `brunel/mod.rs` with 12,000 neurons after 20 ms, in memory, one thread. **Metric:** bytes of the file a second.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::model_io::checkpoint::{Facts, read, write};

fn checkpoints(criterion: &mut Criterion) {
    let mut engine = brunel::engine("clock", &brunel::network(12_000));
    brunel::run(engine.as_mut(), 20.0);
    let checkpoint = engine.checkpoint();
    let facts = Facts::new();
    let mut bytes = Vec::new();
    write(&checkpoint, &facts, &mut bytes).expect("memory takes it");
    let mut group = criterion.benchmark_group("checkpoint");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("take", |bencher| bencher.iter(|| engine.checkpoint()));
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            let mut file = Vec::with_capacity(bytes.len());
            write(&checkpoint, &facts, &mut file).expect("memory takes it");
            file
        });
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| read(&mut bytes.as_slice(), bytes.len() as u64).expect("it was written"));
    });
    group.finish();
}

criterion_group!(benches, checkpoints);
criterion_main!(benches);
