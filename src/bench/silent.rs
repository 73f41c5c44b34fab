//! A network in which nothing happens: what a neuron costs a step by being there.

use super::{BenchConfig, BenchReport, Protocol, Workload, measure};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::network::{Network, Population};
use crate::sim_core::neuron::lif_delta::LifDelta;
use crate::sim_core::time::Time;
use crate::sim_core::units::Milliseconds;

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "silent",
    summary: "1,000,000 neurons without synapses or input: the cost of a neuron and step",
    run,
};

/// Neurons at scale 1.
const NEURONS: u32 = 1_000_000;
/// Step and time simulated unless something else is said (ms).
const DT: f64 = 0.1;
const DURATION: f64 = 100.0;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let mut network = Network::new("silent", Milliseconds(DT));
    network.seed = config.seed;
    let neurons = config.neurons(NEURONS)?;
    network.add_population("silent", Population::new(neurons, LifDelta::default()));
    let duration = config.simulate.or_else(|| Time::from_milliseconds(DURATION));
    let protocol = Protocol::of(duration.unwrap_or(Time::ZERO));
    measure(WORKLOAD.name, &network, 1, protocol, config, progress)
}
