//! The two benchmark networks of Brette et al. (2007): 4,000 neurons, every pair connected with
//! probability 0.02, synapses as currents (`cuba`) or as conductances (`coba`), no input but what the
//! neurons begin with.
//!
//! `cuba` rests above its threshold, so it never falls silent. `coba` integrates with Runge–Kutta 4 in
//! one step a dt; the conductances at the beginning keep it going.
//!
//! Reference: R. Brette et al. 2007, J. Comput. Neurosci. 23:349 (benchmarks 1 and 2).

use super::{BenchConfig, BenchReport, Protocol, Workload, measure};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::distribution::{Bounds, Normal, Uniform};
use crate::sim_core::network::{
    Connectivity, FixedProbability, Network, Neuron, Population, Probe, Projection,
};
use crate::sim_core::neuron::lif_conductance_exponential::LifConductanceExponential;
use crate::sim_core::neuron::lif_exponential::LifExponential;
use crate::sim_core::time::Time;
use crate::sim_core::units::{
    Milliseconds, Millivolts, Nanosiemens, Picoamperes, Picofarads, Values,
};

/// Synapses as currents.
pub(super) static CUBA: Workload = Workload {
    name: "cuba",
    summary: "4,000 neurons with exponential currents, 320,000 synapses (Brette et al. 2007)",
    run: |config, progress| run(CUBA.name, config, progress, &cuba()),
};

/// Synapses as conductances.
pub(super) static COBA: Workload = Workload {
    name: "coba",
    summary: "4,000 neurons with exponential conductances, 320,000 synapses (Brette et al. 2007)",
    run: |config, progress| run(COBA.name, config, progress, &coba()),
};

/// Neurons at scale 1.
const NEURONS: u32 = 4_000;
/// Probability of a synapse at scale 1; the number of inputs stays at other scales.
const PROBABILITY: f64 = 0.02;
/// Step, delay and time simulated unless something else is said (ms).
const DT: f64 = 0.1;
const DURATION: f64 = 5000.0;

/// What differs between the two.
struct Cells {
    neuron: Neuron,
    weights: [Values; 2],
}

fn cuba() -> Cells {
    // With 1 pF and 20 ms a weight of w mV in the original's units is w/20 pA.
    let neuron: Neuron = LifExponential {
        tau_membrane: Milliseconds(20.0),
        capacitance: Picofarads(1.0),
        resting_potential: Millivolts(-49.0),
        threshold: Millivolts(-50.0),
        reset: Millivolts(-60.0),
        refractory_period: Milliseconds(5.0),
        tau_excitatory: Milliseconds(5.0),
        tau_inhibitory: Milliseconds(10.0),
    }
    .into();
    let low = Millivolts(-60.0).into();
    let initial = Uniform { low, high: Millivolts(-50.0).into() };
    Cells {
        neuron: neuron.initial("membrane_potential", Values::from(initial)),
        weights: [Picoamperes(1.62 / 20.0).into(), Picoamperes(-9.0 / 20.0).into()],
    }
}

fn coba() -> Cells {
    let neuron: Neuron = LifConductanceExponential {
        capacitance: Picofarads(200.0),
        leak_conductance: Nanosiemens(10.0),
        resting_potential: Millivolts(-60.0),
        threshold: Millivolts(-50.0),
        reset: Millivolts(-60.0),
        refractory_period: Milliseconds(5.0),
        reversal_excitatory: Millivolts(0.0),
        reversal_inhibitory: Millivolts(-80.0),
        tau_excitatory: Milliseconds(5.0),
        tau_inhibitory: Milliseconds(10.0),
        fixed_steps: 1.0,
        ..LifConductanceExponential::default()
    }
    .into();
    // As the network is usually begun: conductances far above those of its steady state.
    let normal = |mean: f64, std: f64| -> Values {
        let (mean, std) = (Nanosiemens(mean).into(), Nanosiemens(std).into());
        Normal { mean, std, bounds: Bounds::NONE }.into()
    };
    let (mean, std) = (Millivolts(-65.0).into(), Millivolts(5.0).into());
    let potential: Values = Normal { mean, std, bounds: Bounds::NONE }.into();
    Cells {
        neuron: neuron
            .initial("membrane_potential", potential)
            .initial("conductance_excitatory", normal(40.0, 15.0))
            .initial("conductance_inhibitory", normal(200.0, 120.0)),
        weights: [Nanosiemens(6.0).into(), Nanosiemens(67.0).into()],
    }
}

fn run(
    name: &'static str,
    config: &BenchConfig,
    progress: &dyn Progress,
    cells: &Cells,
) -> Result<BenchReport, Error> {
    let network = network(name, config, cells)?;
    let duration = config.simulate.or_else(|| Time::from_milliseconds(DURATION));
    let protocol = Protocol::of(duration.unwrap_or(Time::ZERO));
    measure(name, &network, 2, protocol, config, progress)
}

fn network(name: &str, config: &BenchConfig, cells: &Cells) -> Result<Network, Error> {
    let neurons = config.neurons(NEURONS)?;
    let inhibitory = (neurons / 5).max(1);
    let sizes = [neurons.saturating_sub(inhibitory).max(1), inhibitory];
    let names = ["excitatory", "inhibitory"];
    let mut network = Network::new(name, Milliseconds(DT));
    network.seed = config.seed;
    for (name, size) in names.into_iter().zip(sizes) {
        network.add_population(name, Population::new(size, cells.neuron.clone()));
        network.add_probe(format!("spikes of {name}"), Probe::spikes(name));
    }
    let probability = (PROBABILITY / config.scale).min(1.0);
    for (source, weight) in names.into_iter().zip(&cells.weights) {
        for target in names {
            let rule =
                Connectivity::FixedProbability(FixedProbability { probability, autapses: true });
            let projection = Projection::new(source, target, rule)
                .receptor(source)
                .weight(weight.clone())
                .delay(Milliseconds(DT));
            network.add_projection(format!("{source} to {target}"), projection);
        }
    }
    Ok(network)
}
