//! **Question:** what does it cost to build a synapse, and what do drawn weights and delays add?
//!
//! **Varied:** the rule of connectivity; one weight and delay for all, or drawn ones; double precision or the narrow form.
//! **Held:** 4,000 neurons, some 1.6 million synapses, seed. **Metric:** synapses built a second, from the valid network to
//! its connectome.

#![allow(missing_docs)] // criterion's macros make public items without docs
#![allow(clippy::expect_used)] // a bench that cannot run has nothing to say

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use spikeloom::sim_core::connectome::{CompileConfig, Precision, compile};
use spikeloom::sim_core::distribution::{Bounds, Normal};
use spikeloom::sim_core::network::{
    Connectivity, FixedInDegree, FixedOutDegree, FixedProbability, FixedTotal, Network, Population,
    Projection,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::units::{Milliseconds, Millivolts, Values};

const NEURONS: u32 = 4_000;
const INPUTS: u32 = 400;

fn building(criterion: &mut Criterion) {
    let (autapses, multapses) = (true, true);
    let synapses = u64::from(NEURONS * INPUTS);
    let probability = f64::from(INPUTS) / f64::from(NEURONS);
    let rules: [(&str, Connectivity); 4] = [
        (
            "fixed probability",
            Connectivity::FixedProbability(FixedProbability { probability, autapses }),
        ),
        (
            "fixed in-degree",
            Connectivity::FixedInDegree(FixedInDegree { in_degree: INPUTS, autapses, multapses }),
        ),
        (
            "fixed out-degree",
            Connectivity::FixedOutDegree(FixedOutDegree {
                out_degree: INPUTS,
                autapses,
                multapses,
            }),
        ),
        ("fixed total", Connectivity::FixedTotal(FixedTotal { synapses, autapses, multapses })),
    ];
    let mut group = criterion.benchmark_group("building");
    group.sample_size(10);
    group.throughput(Throughput::Elements(synapses));
    for (name, rule) in rules {
        for drawn in [false, true] {
            let mut projection = Projection::new("cells", "cells", rule.clone())
                .weight(Millivolts(0.1))
                .delay(Milliseconds(1.5));
            if drawn {
                let weight = Normal {
                    mean: Millivolts(0.1).into(),
                    std: Millivolts(0.01).into(),
                    bounds: Bounds::redraw_low(Millivolts(0.0)),
                };
                let delay = Normal {
                    mean: Milliseconds(1.5).into(),
                    std: Milliseconds(0.75).into(),
                    bounds: Bounds::redraw_low(Milliseconds(0.05)),
                };
                projection = projection.weight(Values::from(weight)).delay(Values::from(delay));
            }
            let mut network = Network::new("built", Milliseconds(0.1));
            network.add_population("cells", Population::new(NEURONS, LifDelta::default()));
            network.add_projection("recurrent", projection);
            for precision in [Precision::Double, Precision::Single] {
                let config = CompileConfig { precision, ..CompileConfig::UNLIMITED };
                let values = if drawn { "drawn" } else { "one weight" };
                group.bench_function(format!("{name}, {values}, {precision:?}"), |bencher| {
                    bencher.iter_batched(
                        || network.validate().expect("the network is valid"),
                        |valid| compile(&valid, config).expect("it fits"),
                        BatchSize::LargeInput,
                    );
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, building);
criterion_main!(benches);
