//! A network whose population `input` is driven by rows of numbers, on the clock-driven engine.

use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{Network, Stimulus};
use sim_core::recording::Recording;
use sim_core::stimulus::SpikeList;
use sim_core::time::Time;
use sim_core::units::{Values, find_unit};
use std::sync::Arc;

/// What is recorded in a step for each row and in `more` steps: `input` spikes where a row `[neuron]` is not zero.
pub fn simulate(mut network: Network, rows: &[Vec<f64>], more: usize) -> Recording {
    let step = network.dt.in_base();
    let (mut neurons, mut times) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        for (neuron, _) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            neurons.push(neuron as u32);
            times.push((index + 1) as f64 * step);
        }
    }
    let times = Values::Each { values: times, unit: find_unit("ms").unwrap() };
    let list = SpikeList { population: "input".into(), neurons, times };
    network.add_stimulus("given", Stimulus::SpikeList(list));
    let valid = network.validate().unwrap_or_else(|problems| panic!("{problems:?}"));
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
    let entry = find_engine("clock").unwrap();
    let mut engine = (entry.start)(compiled, EngineConfig::default()).unwrap();
    let span = Time::from_milliseconds((rows.len() + more) as f64 * step).unwrap();
    engine.run(span, &mut |_| true).unwrap();
    engine.recording().clone()
}
