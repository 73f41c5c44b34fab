//! The random network on which plastic synapses are measured: alpha currents, and between excitatory
//! neurons STDP whose potentiation is a power of the weight.
//!
//! 11,250 neurons, each with 9,000 excitatory and 2,250 inhibitory inputs, delay 1.5 ms, inhibition
//! five times as strong; an excitatory input alone lifts the potential by at most 0.14 mV. Each
//! neuron has Poisson input of its own at 1.685 times the rate whose mean reaches the threshold.
//! Potentials begin normally distributed around 5.7 mV. Of 126.6 million synapses 81 million learn.
//!
//! This is the network that simulators on supercomputers are measured with, at a tenth of its size: of
//! 112,500 neurons each would have inputs from a tenth. At another scale the numbers of neurons and of
//! inputs shrink together, and weights grow as the number of inputs falls.
//!
//! References: A. Morrison, A. Aertsen & M. Diesmann 2007, Neural Comput. 19:1437 (network and rule);
//! S. Kunkel et al. 2014, Front. Neuroinform. 8:78 (as a benchmark). Constants as in NEST's example of it.

use super::{BenchConfig, BenchReport, Subject, Workload};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::distribution::{Bounds, Normal};
use crate::sim_core::network::{
    Connectivity, FixedInDegree, Network, Neuron, Plasticity, Population, Probe, Projection,
    Stimulus,
};
use crate::sim_core::neuron::lif_alpha::LifAlpha;
use crate::sim_core::stimulus::PoissonDrive;
use crate::sim_core::units::{Hertz, Milliseconds, Millivolts, Picoamperes, Picofarads, Values};

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "stdp",
    summary: "11,250 neurons, 126.6 million synapses, 81 million of them learn (Morrison et al. 2007)",
    run,
};

/// Excitatory and inhibitory neurons at scale 1; each neuron has as many inputs of each kind.
const NEURONS: [u32; 2] = [9_000, 2_250];
/// Step, delay and time simulated unless something else is said (ms).
const DT: f64 = 0.1;
const DELAY: f64 = 1.5;
const DURATION: f64 = 250.0;
/// Membrane: time constant (ms), capacitance (pF), threshold above rest (mV).
const TAU: f64 = 10.0;
const CAPACITANCE: f64 = 250.0;
const THRESHOLD: f64 = 20.0;
/// Time to the peak of a synaptic current (ms).
const TAU_SYNAPSE: f64 = 0.325_827_224_037_228_4;
/// Peak of an excitatory postsynaptic potential at scale 1 (mV); inhibition relative to it.
const PEAK: f64 = 0.14;
const INHIBITION: f64 = -5.0;
/// External input relative to what reaches the threshold.
const DRIVE: f64 = 1.685;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let network = network(config)?;
    Subject::on_the_clock(WORKLOAD.name, &network, 2).measure(DURATION, config, progress)
}

/// Peak of the potential (mV) that an alpha current of 1 pA causes.
fn potential_of_a_picoampere() -> f64 {
    let rate = 1.0 / TAU_SYNAPSE - 1.0 / TAU;
    let potential = |t: f64| {
        let (membrane, synapse) = ((-t / TAU).exp(), (-t / TAU_SYNAPSE).exp());
        let shape = (membrane - synapse) / rate - t * synapse;
        std::f64::consts::E / (TAU_SYNAPSE * CAPACITANCE * rate) * shape
    };
    // It rises to its peak and falls for ever: thirds without the peak are cut off.
    let (mut low, mut high) = (0.0, 10.0 * TAU);
    for _ in 0..200 {
        let third = (high - low) / 3.0;
        if potential(low + third) < potential(high - third) {
            low += third;
        } else {
            high -= third;
        }
    }
    potential(low)
}

fn network(config: &BenchConfig) -> Result<Network, Error> {
    let sizes = [config.neurons(NEURONS[0])?, config.neurons(NEURONS[1])?];
    let excitation = PEAK / potential_of_a_picoampere() / config.scale;
    let neuron: Neuron = LifAlpha {
        tau_membrane: Milliseconds(TAU),
        capacitance: Picofarads(CAPACITANCE),
        resting_potential: Millivolts(0.0),
        threshold: Millivolts(THRESHOLD),
        reset: Millivolts(0.0),
        refractory_period: Milliseconds(0.5),
        tau_excitatory: Milliseconds(TAU_SYNAPSE),
        tau_inhibitory: Milliseconds(TAU_SYNAPSE),
        ..LifAlpha::default()
    }
    .into();
    let (mean, std) = (Millivolts(5.7).into(), Millivolts(7.2).into());
    let potential: Values = Normal { mean, std, bounds: Bounds::NONE }.into();
    let neuron = neuron.initial("membrane_potential", potential);
    let names = ["excitatory", "inhibitory"];
    let mut network = Network::new("stdp", Milliseconds(DT));
    network.seed = config.seed;
    for (name, size) in names.into_iter().zip(sizes) {
        network.add_population(name, Population::new(size, neuron.clone()));
        network.add_probe(format!("spikes of {name}"), Probe::spikes(name));
        // η θ C / (τ J e τ_syn) inputs a millisecond.
        let charge = excitation * std::f64::consts::E * TAU_SYNAPSE;
        let rate = Hertz(1000.0 * DRIVE * THRESHOLD * CAPACITANCE / (TAU * charge));
        // The first receptor is the excitatory one.
        let drive = PoissonDrive::new(name, rate, Picoamperes(excitation));
        network.add_stimulus(format!("drive of {name}"), Stimulus::PoissonDrive(drive));
    }
    for (place, source) in names.into_iter().enumerate() {
        let weight = [excitation, INHIBITION * excitation][place];
        for target in names {
            // Only a population connected to itself has autapses to leave out.
            let (in_degree, autapses) = (sizes[place], source != target);
            let rule = FixedInDegree { in_degree, autapses, multapses: true };
            let mut projection = Projection::new(source, target, Connectivity::FixedInDegree(rule))
                .receptor(source)
                .weight(Picoamperes(weight))
                .delay(Milliseconds(DELAY));
            if source == target && source == names[0] {
                projection = projection.plasticity(plasticity());
            }
            network.add_projection(format!("{source} to {target}"), projection);
        }
    }
    Ok(network)
}

fn plasticity() -> Plasticity {
    Plasticity::new("stdp_power_law")
        .parameter("tau_plus", Milliseconds(15.0))
        .parameter("tau_minus", Milliseconds(30.0))
        .parameter("learning_rate", 0.1)
        .parameter("asymmetry", 0.0513)
        .parameter("exponent", 0.4)
        .parameter("reference_weight", Picoamperes(1.0))
}
