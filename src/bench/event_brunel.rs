//! Brunel's network with exact spike times, on the event-driven engine.
//!
//! Neurons, connectivity, weights and rates are those of the workload `brunel`, but Poisson input arrives at the very
//! times of a process in continuous time, so that spikes and what they cause fall between the points of the grid.
//! Potentials begin evenly spread between reset and threshold.
//!
//! At another scale the connection probability stays and weights grow as the number of inputs falls.
//!
//! References: N. Brunel 2000, J. Comput. Neurosci. 8:183; A. Morrison et al. 2007, Neural Comput.
//! 19:47 (exact spike times, there within steps).

use super::brunel::{THRESHOLD, drive, recurrent};
use super::{BenchConfig, BenchReport, Subject, Workload};
use crate::error::Error;
use crate::progress::Progress;
use crate::sim_core::distribution::Uniform;
use crate::sim_core::network::{Network, Neuron, Stimulus};
use crate::sim_core::stimulus::PoissonDrive;
use crate::sim_core::units::{Millivolts, Values};

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "event-brunel",
    summary: "Brunel's network with exact spike times on the event-driven engine",
    run,
};

/// Time simulated unless something else is said (ms).
const DURATION: f64 = 200.0;

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let network = network(config)?;
    Subject::on_events(WORKLOAD.name, &network, 2).measure(DURATION, config, progress)
}

fn network(config: &BenchConfig) -> Result<Network, Error> {
    let low = Millivolts(0.0).into();
    let spread: Values = Uniform { low, high: Millivolts(THRESHOLD).into() }.into();
    let cell: Neuron = super::brunel::cell().into();
    let mut network = recurrent(config, &cell.initial("membrane_potential", spread))?;
    for target in ["excitatory", "inhibitory"] {
        let input = PoissonDrive { exact_times: true, ..drive(target) };
        network.add_stimulus(format!("drive of {target}"), Stimulus::PoissonDrive(input));
    }
    Ok(network)
}
