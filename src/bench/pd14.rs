//! The cortical microcircuit: a full-density model of one square millimetre of early sensory cortex.
//!
//! Eight populations in four layers, 77,169 neurons, 298.9 million synapses with weights of their own
//! (normal, 10 % around 87.8 pA; from layer 4 to 2/3 twice as much, inhibition four times) and delays
//! of their own (normal, 1.5 ± 0.75 ms, inhibition 0.8 ± 0.4 ms), Poisson input at 8 Hz a background synapse,
//! dt 0.1 ms. Potentials begin normally distributed around each population's own mean.
//!
//! At another scale the numbers of neurons and of inputs of each shrink (synapses with the square),
//! weights grow by one over the square root, and a constant current makes up for the mean input that
//! is missing.
//!
//! References: T. C. Potjans & M. Diesmann 2014, Cereb. Cortex 24:785 (tables 1 and 5); S. J. van
//! Albada, M. Helias & M. Diesmann 2015, PLoS Comput. Biol. 11:e1004490 (scaling).

use super::{BenchConfig, BenchReport, Protocol, Workload, measure};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::distribution::{Bounds, Normal};
use crate::sim_core::network::{
    Connectivity, FixedTotal, Network, Neuron, Population, Probe, Projection, Stimulus,
};
use crate::sim_core::neuron::lif_exponential::LifExponential;
use crate::sim_core::stimulus::PoissonDrive;
use crate::sim_core::time::Time;
use crate::sim_core::units::{
    Hertz, Milliseconds, Millivolts, Picoamperes, Picofarads, Quantity, Values,
};

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "pd14",
    summary: "cortical microcircuit, 77,169 neurons, 299 million synapses (Potjans & Diesmann 2014)",
    run,
};

/// A population: name, neurons, background inputs, full-scale rate (Hz), mean and standard deviation
/// of the initial potential (mV).
struct Cells(&'static str, u32, f64, f64, f64, f64);

const CELLS: [Cells; 8] = [
    Cells("L23E", 20_683, 1600.0, 0.903, -68.28, 5.36),
    Cells("L23I", 5_834, 1500.0, 2.965, -63.16, 4.57),
    Cells("L4E", 21_915, 2100.0, 4.414, -63.33, 4.74),
    Cells("L4I", 5_479, 1900.0, 5.876, -63.45, 4.94),
    Cells("L5E", 4_850, 2000.0, 7.569, -63.11, 4.94),
    Cells("L5I", 1_065, 1900.0, 8.633, -61.66, 4.55),
    Cells("L6E", 14_395, 2900.0, 1.105, -66.72, 5.46),
    Cells("L6I", 2_948, 2100.0, 7.829, -61.43, 4.48),
];

/// Probability that a pair is connected at least once `[target][source]`.
const PROBABILITY: [[f64; 8]; 8] = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
];

/// Step and time simulated unless something else is said (ms).
const DT: f64 = 0.1;
const DURATION: f64 = 1000.0;
/// What is simulated before anything is counted (ms), as in the recordings of NEST: potentials begin
/// independent of each other, and the network needs some hundred milliseconds to find its rates.
pub(crate) const WARM_UP: f64 = 500.0;
/// Weight of an excitatory synapse at full scale (pA): a postsynaptic potential of 0.15 mV.
const WEIGHT: f64 = 87.808;
/// Relative standard deviation of weights; strength of inhibition.
const WEIGHT_SPREAD: f64 = 0.1;
const INHIBITION: f64 = -4.0;
/// Relative standard deviation of delays.
const DELAY_SPREAD: f64 = 0.5;
/// Rate of a background synapse (Hz) and decay of synaptic currents (ms).
const BACKGROUND_RATE: f64 = 8.0;
const TAU_SYNAPSE: f64 = 0.5;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let network = network(config)?;
    let time = |milliseconds: f64| Time::from_milliseconds(milliseconds).unwrap_or(Time::ZERO);
    let protocol = Protocol {
        warm_up: time(WARM_UP),
        duration: config.simulate.unwrap_or_else(|| time(DURATION)),
        statistics: true,
    };
    measure(WORKLOAD.name, &network, CELLS.len(), protocol, config, progress)
}

/// Neurons of a population; halves are rounded to even numbers, as in the recordings of NEST.
fn scaled(cells: &Cells, scale: f64) -> u32 {
    (f64::from(cells.1) * scale).round_ties_even() as u32
}

/// Synapses between two populations at full scale: with multapses, such that a pair is connected at
/// least once with the given probability.
fn synapses(target: usize, source: usize) -> f64 {
    let pairs = f64::from(CELLS[target].1) * f64::from(CELLS[source].1);
    ((1.0 - PROBABILITY[target][source]).ln() / (1.0 - 1.0 / pairs).ln()).round()
}

/// Mean weight between two populations at full scale (pA).
fn weight(target: usize, source: usize) -> f64 {
    let factor = match (target, source) {
        (0, 2) => 2.0,
        (_, source) if source % 2 == 1 => INHIBITION,
        _ => 1.0,
    };
    factor * WEIGHT
}

fn normal(mean: impl Into<Quantity>, std: impl Into<Quantity>, bounds: Bounds) -> Values {
    Normal { mean: mean.into(), std: std.into(), bounds }.into()
}

fn network(config: &BenchConfig) -> Result<Network, Error> {
    let scale = config.scale;
    let mut network = Network::new("pd14", Milliseconds(DT));
    network.seed = config.seed;
    // All populations must keep a neuron.
    config.neurons(CELLS[5].1)?;
    let size = |cells: &Cells| scaled(cells, scale);
    for (index, cells) in CELLS.iter().enumerate() {
        let neuron: Neuron = LifExponential {
            tau_membrane: Milliseconds(10.0),
            capacitance: Picofarads(250.0),
            resting_potential: Millivolts(-65.0),
            threshold: Millivolts(-50.0),
            reset: Millivolts(-65.0),
            refractory_period: Milliseconds(2.0),
            tau_excitatory: Milliseconds(TAU_SYNAPSE),
            tau_inhibitory: Milliseconds(TAU_SYNAPSE),
        }
        .into();
        let initial = normal(Millivolts(cells.4), Millivolts(cells.5), Bounds::default());
        let neuron = neuron.initial("membrane_potential", initial);
        network.add_population(cells.0, Population::new(size(cells), neuron));
        network.add_probe(format!("spikes of {}", cells.0), Probe::spikes(cells.0));
        let rate = Hertz(BACKGROUND_RATE * cells.2 * scale);
        let background = PoissonDrive::new(cells.0, rate, Picoamperes(WEIGHT / scale.sqrt()));
        network
            .add_stimulus(format!("background of {}", cells.0), Stimulus::PoissonDrive(background));
        if scale != 1.0 {
            let current = Picoamperes(missing_current(index, scale));
            let current = Stimulus::constant_current(cells.0, current, Milliseconds(0.0));
            network.add_stimulus(format!("missing input of {}", cells.0), current);
        }
    }
    for (source, from) in CELLS.iter().enumerate() {
        for (target, to) in CELLS.iter().enumerate() {
            // The inputs of a neuron shrink with the scale.
            let inputs = synapses(target, source) / f64::from(to.1) * scale;
            let count = (inputs * f64::from(scaled(to, scale))).round() as u64;
            if count > 0 {
                let projection = connect(from.0, to.0, count, (target, source), scale);
                network.add_projection(format!("{} to {}", from.0, to.0), projection);
            }
        }
    }
    Ok(network)
}

fn connect(from: &str, to: &str, count: u64, pair: (usize, usize), scale: f64) -> Projection {
    let inhibitory = pair.1 % 2 == 1;
    let mean = weight(pair.0, pair.1) / scale.sqrt();
    let zero = Picoamperes(0.0);
    let (bounds, delay, receptor) = match inhibitory {
        true => (Bounds { redraw_high: Some(zero.into()), ..Bounds::NONE }, 0.8, "inhibitory"),
        false => (Bounds::redraw_low(zero), 1.5, "excitatory"),
    };
    let std = Picoamperes(mean.abs() * WEIGHT_SPREAD);
    let rule = FixedTotal { synapses: count, autapses: true, multapses: true };
    let spread = Milliseconds(delay * DELAY_SPREAD);
    // What rounds to less than a step is drawn again.
    let shortest = Bounds::redraw_low(Milliseconds(0.5 * DT));
    Projection::new(from, to, Connectivity::FixedTotal(rule))
        .receptor(receptor)
        .weight(normal(Picoamperes(mean), std, bounds))
        .delay(normal(Milliseconds(delay), spread, shortest))
}

/// The mean input that a neuron of a scaled network lacks (pA): inputs shrink with the scale, weights
/// grow only with its root.
fn missing_current(target: usize, scale: f64) -> f64 {
    let per_second = |source: usize| {
        let inputs = synapses(target, source) / f64::from(CELLS[target].1);
        weight(target, source) * inputs * CELLS[source].3
    };
    let recurrent: f64 = (0..CELLS.len()).map(per_second).sum();
    let background = WEIGHT * CELLS[target].2 * BACKGROUND_RATE;
    1e-3 * TAU_SYNAPSE * (1.0 - scale.sqrt()) * (recurrent + background)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_full_network_are_the_published_ones() {
        let neurons: u32 = CELLS.iter().map(|cells| cells.1).sum();
        let total: f64 = (0..64).map(|pair| synapses(pair / 8, pair % 8)).sum();
        assert_eq!(neurons, 77_169);
        // Published: 0.3 billion; the recording of NEST (`tests/data`) counts 298,880,968.
        assert_eq!(total, 298_880_968.0);
        // The recording at a tenth of the size: 106 neurons in L5I, 2,988,686 synapses.
        let config = BenchConfig { scale: 0.1, threads: 1, simulate: None, seed: 1, model: None };
        let tenth = network(&config).unwrap();
        assert_eq!(tenth.populations["L5I"].size.size(), 106);
        let count = |projection: &Projection| match &projection.connectivity {
            Connectivity::FixedTotal(rule) => rule.synapses,
            _ => 0,
        };
        let total: u64 = tenth.projections.values().map(count).sum();
        assert_eq!(total, 2_988_686);
    }
}
