//! Synapses and spikes that a network takes from files beside it.

use crate::edges::{read_edges, read_spike_table};
use sim_core::diagnostics::{Problem, Severity};
use sim_core::network::{Connectivity, List, Network, SpikeList, Stimulus};
use sim_core::units::{Milliseconds, Quantity, Unit, Values};
use std::path::Path;

/// Replaces rules and stimuli that name a file by what the file holds. Paths are relative to
/// `directory`. What cannot be read is a problem at its path, and stays as it is.
pub(super) fn load(network: &mut Network, directory: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, projection) in &mut network.projections {
        let Connectivity::File(file) = &projection.connectivity else {
            continue;
        };
        match read_edges(&directory.join(&file.path), file.edges.as_deref()) {
            Ok(edges) => {
                if let Some(values) = edges.weights {
                    projection.weight = Values::Each { values, unit: unit(&projection.weight) };
                }
                if let Some(values) = edges.delays {
                    projection.delay = Values::Each { values, unit: milliseconds() };
                }
                projection.connectivity =
                    List { sources: edges.sources, targets: edges.targets }.into();
            }
            Err(error) => {
                let path = format!("projections/{name}/connectivity/path");
                problems.push(unreadable(path, &file.path, &error));
            }
        }
    }
    for (name, stimulus) in &mut network.stimuli {
        let Stimulus::SpikeFile(file) = stimulus else {
            continue;
        };
        let read = read_spike_table(&directory.join(&file.path), file.spikes.as_deref());
        match read.map(|spikes| (narrow(&spikes.node_ids), spikes.timestamps)) {
            Ok((neurons, values)) => {
                let times = Values::Each { values, unit: milliseconds() };
                let population = file.population.clone();
                *stimulus = SpikeList { population, neurons, times }.into();
            }
            Err(error) => {
                let path = format!("stimuli/{name}/path");
                problems.push(unreadable(path, &file.path, &error));
            }
        }
    }
    problems
}

/// The unit of the weights in a file: the one that `weight` is written in.
fn unit(weight: &Values) -> Unit {
    match weight {
        Values::One(quantity) => quantity.unit,
        Values::Each { unit, .. } => *unit,
        Values::Drawn(_) => Quantity::number(0.0).unit,
    }
}

fn milliseconds() -> Unit {
    Quantity::from(Milliseconds(0.0)).unit
}

/// Neurons of at most 32 bits; larger ones stay too large for every population.
fn narrow(neurons: &[u64]) -> Vec<u32> {
    neurons.iter().map(|&neuron| u32::try_from(neuron).unwrap_or(u32::MAX)).collect()
}

fn unreadable(path: String, file: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem {
        severity: Severity::Error,
        code: "file-not-read",
        path,
        message: format!("`{file}`: {error}"),
        help: "give the path relative to the network file; SONATA (HDF5), npz and CSV are read"
            .to_string(),
    }
}
