//! **Question:** what does the update of a neuron cost, model by model?
//!
//! **Varied:** the model, all that the clock-driven engine has. **Held:** 4,000 neurons with default parameters,
//! without synapses or input, double precision, dt 0.1 ms, 50 ms, one thread; models that integrate numerically do so at
//! their default accuracy. **Metric:** neuron updates (neurons × steps) a second.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

mod brunel;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::network::{Network, Neuron, Population, Reset, SpikeCondition};
use spikeloom::sim_core::neuron::{MODELS, ModelSpec};
use spikeloom::sim_core::units::{Dimension, Milliseconds, Millivolts, Quantity};

const NEURONS: u32 = 4_000;
const STEPS: u64 = 500;

/// A neuron with the rules that its model needs.
fn neuron(spec: &ModelSpec) -> Neuron {
    let mut neuron = Neuron::new(spec.name);
    if spec.spikes {
        neuron.spike = Some(SpikeCondition::AtOrAbove);
        neuron.reset = Some(match spec.variables[0].dimension {
            _ if spec.subtracting_reset => Reset::Subtract,
            Dimension::Potential => Reset::To(Millivolts(-70.0).into()),
            _ => Reset::To(Quantity::from(0.0).into()),
        });
    }
    neuron.refractory_input = spec.refractory_input.first().copied();
    neuron
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clock engine, neuron updates");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(NEURONS) * STEPS));
    for model in MODELS.iter().filter(|model| !model.spec().variables.is_empty()) {
        let spec = model.spec();
        let mut network = Network::new(spec.name, Milliseconds(0.1));
        network.add_population("cells", Population::new(NEURONS, neuron(spec)));
        let mut engine = brunel::engine("clock", &network);
        group.bench_function(spec.name, |bencher| {
            bencher.iter(|| brunel::run(engine.as_mut(), STEPS as f64 * 0.1));
        });
    }
    group.finish();
}

criterion_group!(benches, updates);
criterion_main!(benches);
