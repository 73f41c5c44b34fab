//! Brunel's balanced random network of neurons with delta synapses.
//!
//! 12,500 neurons, four excitatory to one inhibitory, every pair connected with probability 0.1,
//! delay 1.5 ms, g = 5, external drive twice what brings a neuron to its threshold. The drive is a
//! Poisson input of each neuron's own. Neurons reset to rest, as in NEST's example of this network
//! (in the paper to half the threshold): NEST
//! 3.10 and Brian2 give 32 Hz over the first 300 ms.
//!
//! At another scale the connection probability stays and recurrent weights grow as the number of
//! inputs falls, so that the mean input stays.
//!
//! Reference: N. Brunel 2000, J. Comput. Neurosci. 8:183.

use super::{BenchConfig, BenchReport, Subject, Workload};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::network::{
    Connectivity, FixedProbability, Network, Neuron, Population, Probe, Projection, Stimulus,
};
use crate::sim_core::neuron::lif_delta::LifDelta;
use crate::sim_core::stimulus::PoissonDrive;
use crate::sim_core::units::{Hertz, Milliseconds, Millivolts, Picofarads};

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "brunel",
    summary: "12,500 neurons with delta synapses, 15.6 million random synapses (Brunel 2000)",
    run,
};

/// Neurons at scale 1.
const NEURONS: u32 = 12_500;
/// Probability of a synapse.
const PROBABILITY: f64 = 0.1;
/// Weight of an excitatory synapse at scale 1 (mV).
const WEIGHT: f64 = 0.1;
/// Strength of inhibition relative to excitation.
const INHIBITION: f64 = 5.0;
/// Step and delay (ms).
const DT: f64 = 0.1;
const DELAY: f64 = 1.5;
/// Time simulated unless something else is said (ms).
const DURATION: f64 = 1000.0;
/// Membrane time constant (ms), capacitance (pF) and threshold above rest (mV).
const TAU: f64 = 20.0;
const CAPACITANCE: f64 = 250.0;
pub(super) const THRESHOLD: f64 = 20.0;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let mut network = recurrent(config, &cell().into())?;
    for target in ["excitatory", "inhibitory"] {
        network.add_stimulus(format!("drive of {target}"), Stimulus::PoissonDrive(drive(target)));
    }
    Subject::on_the_clock(WORKLOAD.name, &network, 2).measure(DURATION, config, progress)
}

/// The neurons.
pub(super) fn cell() -> LifDelta {
    LifDelta {
        tau_membrane: Milliseconds(TAU),
        capacitance: Picofarads(CAPACITANCE),
        resting_potential: Millivolts(0.0),
        threshold: Millivolts(THRESHOLD),
        reset: Millivolts(0.0),
        refractory_period: Milliseconds(2.0),
    }
}

/// The network without its input.
pub(super) fn recurrent(config: &BenchConfig, neuron: &Neuron) -> Result<Network, Error> {
    let neurons = config.neurons(NEURONS)?;
    let inhibitory = (neurons / 5).max(1);
    let sizes = [neurons.saturating_sub(inhibitory).max(1), inhibitory];
    let names = ["excitatory", "inhibitory"];
    let mut network = Network::new("brunel", Milliseconds(DT));
    network.seed = config.seed;
    for (name, size) in names.into_iter().zip(sizes) {
        network.add_population(name, Population::new(size, neuron.clone()));
        network.add_probe(format!("spikes of {name}"), Probe::spikes(name));
    }
    let excitation = WEIGHT / config.scale;
    for (source, weight) in names.into_iter().zip([excitation, -INHIBITION * excitation]) {
        for target in names {
            let rule = Connectivity::FixedProbability(FixedProbability {
                probability: PROBABILITY,
                autapses: true,
            });
            let projection = Projection::new(source, target, rule)
                .weight(Millivolts(weight))
                .delay(Milliseconds(DELAY));
            network.add_projection(format!("{source} to {target}"), projection);
        }
    }
    Ok(network)
}

/// Each neuron's own Poisson input.
pub(super) fn drive(target: &str) -> PoissonDrive {
    // η = 2: twice the rate whose mean input reaches the threshold, θ / (J τ) a millisecond.
    let rate = Hertz(1000.0 * 2.0 * THRESHOLD / (WEIGHT * TAU));
    PoissonDrive::new(target, rate, Millivolts(WEIGHT))
}
