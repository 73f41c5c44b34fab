//! Synapses and spikes that a network takes from files beside it.

use crate::edges::{read_edges, read_spike_table};
use sim_core::diagnostics::{Problem, Severity};
use sim_core::network::{Connectivity, List, Network, Population, Projection, SpikeList, Stimulus};
use sim_core::neuron::find_model;
use sim_core::units::{Milliseconds, Quantity, Unit, Values, find_unit};
use std::path::Path;

/// Replaces rules and stimuli that name a file by what the file holds. Paths are relative to
/// `directory`. What cannot be read is a problem at its path, and stays as it is.
pub(super) fn load(network: &mut Network, directory: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Network { projections, populations, .. } = network;
    for (name, projection) in projections {
        let Connectivity::File(file) = &projection.connectivity else {
            continue;
        };
        match read_edges(&directory.join(&file.path), file.edges.as_deref()) {
            Ok(edges) => {
                for (key, values, found) in [
                    ("weight", &projection.weight, edges.weights.is_some()),
                    ("delay", &projection.delay, edges.delays.is_some()),
                ] {
                    if !found && is_missing(values) {
                        problems.push(given_nowhere(name, key, &file.path));
                    }
                }
                if let Some(values) = edges.weights {
                    let unit = unit(projection, populations.get(&projection.target));
                    projection.weight = Values::Each { values, unit };
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

/// Whether a projection leaves its weights or delays to the file.
fn is_missing(values: &Values) -> bool {
    values.count() == Some(0)
}

fn given_nowhere(projection: &str, key: &str, file: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        code: "missing-key",
        path: format!("projections/{projection}"),
        message: format!("neither the projection nor `{file}` gives a {key}"),
        help: format!("add a line `{key} = …`, or a {key} of each synapse to the file"),
    }
}

/// The unit of the weights in a file: the one that `weight` is written in, else that of the receptor.
fn unit(projection: &Projection, target: Option<&Population>) -> Unit {
    match &projection.weight {
        missing if is_missing(missing) => {
            let model = target.and_then(|target| find_model(&target.neuron.model));
            let receptors = model.map_or(&[][..], |model| model.spec().receptors);
            let named = receptors.iter().find(|r| Some(r.name) == projection.receptor.as_deref());
            let symbol = named.or(receptors.first()).map_or("1", |r| r.weight.base_unit());
            find_unit(symbol).unwrap_or(Quantity::number(0.0).unit)
        }
        Values::One(quantity) => quantity.unit,
        Values::Each { unit, .. } => *unit,
        Values::Drawn(law) => {
            find_unit(law.dimension().base_unit()).unwrap_or(Quantity::number(0.0).unit)
        }
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
