//! A NIR graph as a network description, under a stated [`Convention`].
//!
//! Every kind of neuron becomes a population (`layer.rs` says of which model), inputs become
//! `spike_source`. What lies between two layers (`Affine`, `Linear`, `Conv1d`, `Conv2d`, `SumPool2d`,
//! `AvgPool2d`, `Flatten`, `Scale`, `Delay`) becomes one projection each; weights that follow each other
//! are multiplied. Neurons that never spike (`I`, `LI`, `CubaLI`) are read-outs where their potential
//! reaches an `Output`; before other layers they become the current of these, or populations whose
//! potential acts on these in every step (`filter.rs`).
//! Weights before an `Output` become a population whose potential is the output.
//!
//! In a description every projection takes at least one step. A layer at depth d therefore does in
//! step d + n what it does in step n of the graph, as in converted networks
//! (`docs/design/depth_as_delay.md`); what the convention left open is in the [`NirReport`].

use std::collections::BTreeSet;

use serde::Serialize;
use sim_core::connectivity::{Dense, List, OneToOne};
use sim_core::network::{Connectivity, Network, Projection, Stimulus};
use sim_core::units::{Dimension, Milliseconds, Unit, Values};

use super::dialect::Convention;
use super::run::RunError;
use super::{NirGraph, Primitive};

mod depth;
mod filter;
mod kernel;
mod layer;
mod listed;
mod path;
mod product;
mod scale;
mod unit_of_time;

use depth::depths;
use filter::{Links, links};
use layer::Layer;
use listed::{Synapse, delays_differ, listed, too_many};
use path::{Path, Weights, paths};

/// How a graph is read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NirReading {
    /// Conventions.
    pub convention: Convention,
    /// Whether biases act from the first step on, as chips need it, or with a layer's first input.
    pub biases_from_start: bool,
}

/// What was decided while a graph was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NirReport {
    /// The conventions.
    pub reading: NirReading,
    /// The same in words.
    pub convention: String,
    /// What was decided node by node.
    pub notes: Vec<String>,
}

/// Why a graph has no description.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotFromNir {
    /// Something that a description cannot say.
    #[error("node `{node}` ({node_type}): {problem}; {remedy}")]
    Node {
        /// Path of the node.
        node: String,
        /// Its type.
        node_type: &'static str,
        /// What cannot be said.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The graph itself.
    #[error(transparent)]
    Graph(#[from] RunError),
}

pub(super) fn refuse(
    (node, primitive): &(String, Primitive),
    problem: impl Into<String>,
    remedy: &'static str,
) -> NotFromNir {
    NotFromNir::Node {
        node: node.clone(),
        node_type: primitive.type_name(),
        problem: problem.into(),
        remedy,
    }
}

const SECOND: f64 = 1000.0;

/// Makes a description of a graph.
///
/// # Errors
/// [`NotFromNir`] for the first node that a description cannot say, with what to do.
pub fn to_network(
    graph: &NirGraph,
    name: &str,
    reading: &NirReading,
) -> Result<(Network, NirReport), NotFromNir> {
    let flat = super::run::flatten(graph, reading.convention.loops_direct)?;
    let Convention { dt, tau_scale, .. } = reading.convention;
    if !(dt > 0.0 && tau_scale > 0.0 && dt.is_finite() && tau_scale.is_finite()) {
        return Err(RunError::Convention { dt, tau_scale }.into());
    }
    let paths = paths(&flat, tau_scale / dt)?;
    let mut made = Made {
        network: Network::new(name, Milliseconds(reading.convention.dt * SECOND)),
        notes: Vec::new(),
        reading: *reading,
        onset: 0,
        behind_kernel: false,
        beside_rows: false,
        behind_analogue: false,
        sends: false,
    };
    made.notes.extend(unit_of_time::doubtful_unit(&flat, &reading.convention));
    made.notes.extend(unit_of_time::rounded_delays(&flat, &reading.convention));
    let (paths, read_out) = filter::outputs(&flat, paths);
    let depths = depths(&flat, &paths, &reading.convention);
    let found = links(&flat, &paths, (&depths, &read_out), &mut made)?;
    let Links { links, filters, within, analogue } = found;
    let mut layers = Vec::new();
    let kernels = links.iter().filter(|link| matches!(link.path.weights, Weights::Kernel { .. }));
    let behind_kernels: BTreeSet<usize> = kernels.map(|link| link.path.target).collect();
    let rows = links.iter().filter(|link| {
        let Weights::Kernel { geometry, .. } = &link.path.weights else { return false };
        (geometry.source[1], geometry.target[1]) == (1, 1)
    });
    let beside_rows: BTreeSet<usize> =
        rows.flat_map(|link| [link.path.source, link.path.target]).collect();
    let behind_analogue: BTreeSet<usize> = links
        .iter()
        .filter(|link| analogue.contains(&link.path.source))
        .map(|link| link.path.target)
        .collect();
    for (index, node) in flat.nodes.iter().enumerate() {
        made.behind_kernel = behind_kernels.contains(&index);
        made.beside_rows = beside_rows.contains(&index);
        made.behind_analogue = behind_analogue.contains(&index);
        made.sends = analogue.contains(&index);
        layers.push(match within.contains(&index) {
            true => None,
            false => made.layer(node, depths.of(index), filters.get(&index))?,
        });
    }
    for (number, link) in links.iter().enumerate() {
        let path = &link.path;
        let (Some(source), Some(Some(target))) =
            (flat.nodes.get(path.source), layers.get(path.target))
        else {
            continue;
        };
        for node in &path.multiplied {
            let note = format!("`{node}`: the weights before it are multiplied into its own");
            if !made.notes.contains(&note) {
                made.notes.push(note);
            }
        }
        let node = &flat.nodes[path.target];
        made.projection(number, path, (node, &source.0, target), link.delay)?;
        made.biases(path, target, link.bias_delay);
    }
    let convention = reading.convention.to_string();
    Ok((made.network, NirReport { reading: *reading, convention, notes: made.notes }))
}

struct Made {
    network: Network,
    notes: Vec<String>,
    reading: NirReading,
    /// Steps in which nothing happens yet in the layer at hand.
    onset: u64,
    /// Whether a convolution leads into the layer at hand, whose kernel all its neurons share.
    behind_kernel: bool,
    /// Whether a convolution along one axis begins or ends at the layer at hand.
    beside_rows: bool,
    /// Whether potentials act on the layer at hand, which are numbers on no grid.
    behind_analogue: bool,
    /// Whether the layer at hand never spikes and its potential is sent.
    sends: bool,
}

/// One value where all are equal.
fn values(values: &[f64], unit: Unit) -> Values {
    let numbers = match values {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => vec![*first],
        _ => values.to_vec(),
    };
    match (numbers.as_slice(), values.len()) {
        (&[one], count) if count != 1 || unit.dimension != Dimension::Number => {
            Values::One(sim_core::units::Quantity { value: one, unit })
        }
        _ => Values::Each { values: numbers, unit },
    }
}

const NUMBER: Unit = Unit { symbol: "1", dimension: Dimension::Number, in_base: 1.0 };
const MILLIVOLT: Unit = Unit { symbol: "mV", dimension: Dimension::Potential, in_base: 1.0 };
const PICOAMPERE: Unit = Unit { symbol: "pA", dimension: Dimension::Current, in_base: 1.0 };

impl Made {
    fn projection(
        &mut self,
        number: usize,
        path: &Path,
        (node, source, target): (&(String, Primitive), &str, &Layer),
        delay: u64,
    ) -> Result<(), NotFromNir> {
        let unit = if target.millivolts { MILLIVOLT } else { NUMBER };
        let uniform = target.gain.iter().all(|gain| Some(gain) == target.gain.first());
        let first = target.gain.first().copied().unwrap_or(1.0);
        let delays: Vec<u64> = path.delays.iter().map(|own| own + delay).collect();
        let differ = delays_differ(&delays);
        let (connectivity, weights) = match &path.weights {
            // Synapses with delays of their own are listed.
            own if differ || matches!(own, Weights::Listed { .. }) => {
                let listed = listed(own, target.gain.len(), &delays);
                let synapses = listed.map_err(|size| too_many(node, size))?;
                self.synapses(number, &synapses, (source, target));
                return Ok(());
            }
            Weights::Direct => (Connectivity::OneToOne(OneToOne), values(&target.gain, unit)),
            Weights::Diagonal(factors) => {
                let factor = |n: usize| factors.get(n).or(factors.first()).copied().unwrap_or(1.0);
                let gains = target.gain.iter().enumerate();
                let scaled: Vec<f64> = gains.map(|(n, gain)| factor(n) * gain).collect();
                let all = (0..scaled.len() as u32).collect::<Vec<_>>();
                let listed = List { sources: all.clone(), targets: all };
                (Connectivity::List(listed), Values::Each { values: scaled, unit })
            }
            Weights::Matrix { columns, weights } => {
                let scaled = weights.iter().enumerate().map(|(place, weight)| {
                    weight * target.gain.get(place / columns.max(&1)).copied().unwrap_or(first)
                });
                (Connectivity::Dense(Dense), Values::Each { values: scaled.collect(), unit })
            }
            Weights::Kernel { geometry, weights } if uniform => {
                let scaled = weights.iter().map(|weight| weight * first).collect();
                let rule = Connectivity::Convolution(*geometry);
                (rule, Values::Each { values: scaled, unit })
            }
            Weights::Kernel { .. } | Weights::Listed { .. } => {
                return Err(NotFromNir::Node {
                    node: target.name.clone(),
                    node_type: "a layer of neurons",
                    problem: "its r differs from neuron to neuron behind a convolution".into(),
                    remedy: "kernels are shared: give the layer one r",
                });
            }
        };
        let steps = delays.first().copied().unwrap_or(delay);
        let projection = Projection::new(source, target.name.clone(), connectivity);
        self.add_projection(number, projection.weight(weights), &[steps]);
        Ok(())
    }

    /// Synapses one by one, with delays of their own where these differ.
    fn synapses(&mut self, number: usize, synapses: &[Synapse], (source, target): (&str, &Layer)) {
        let unit = if target.millivolts { MILLIVOLT } else { NUMBER };
        let weight = |own: &Synapse| {
            own.weight * target.gain.get(own.target as usize).copied().unwrap_or(1.0)
        };
        let weights = synapses.iter().map(weight).collect();
        let listed = Connectivity::List(List {
            sources: synapses.iter().map(|own| own.source).collect(),
            targets: synapses.iter().map(|own| own.target).collect(),
        });
        let projection = Projection::new(source, target.name.clone(), listed)
            .weight(Values::Each { values: weights, unit });
        let steps: Vec<u64> = synapses.iter().map(|own| u64::from(own.delay)).collect();
        self.add_projection(number, projection, &steps);
    }

    /// Adds a projection whose synapses take one number of steps, or one each.
    fn add_projection(&mut self, number: usize, projection: Projection, steps: &[u64]) {
        let step = self.reading.convention.dt * SECOND;
        let time = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
        let projection = match steps {
            steps if delays_differ(steps) => {
                let values = steps.iter().map(|&steps| steps as f64 * step).collect();
                projection.delay(Values::Each { values, unit: time })
            }
            steps => {
                let steps = steps.first().copied().unwrap_or(1);
                projection.delay(Milliseconds(steps as f64 * step))
            }
        };
        let name = format!("{number}: {} to {}", projection.source, projection.target);
        self.network.add_projection(name, projection);
    }

    /// The biases on a path as currents, one for each delay that they pass.
    fn biases(&mut self, path: &Path, target: &Layer, depth: u64) {
        let unit = if target.millivolts { PICOAMPERE } else { NUMBER };
        let slow = u64::from(self.reading.convention.synapse_steps);
        for (number, bias) in path.biases.iter().enumerate() {
            let delay_of = |neuron: usize| {
                bias.delays.get(neuron).or(bias.delays.first()).copied().unwrap_or(0)
            };
            let mut delays = bias.delays.clone();
            delays.sort_unstable();
            delays.dedup();
            for delay in delays {
                let amplitude = bias.values.iter().zip(&target.current).enumerate();
                let amplitude: Vec<f64> = amplitude
                    .map(|(neuron, (bias, gain))| match delay_of(neuron) == delay {
                        true => bias * gain,
                        false => 0.0,
                    })
                    .collect();
                if amplitude.iter().all(|current| *current == 0.0) {
                    continue;
                }
                let late = depth + delay + slow * u64::from(bias.linear);
                let start = match self.reading.biases_from_start {
                    true => 0.0,
                    false => late as f64 * self.reading.convention.dt * SECOND,
                };
                let name = match number {
                    0 => format!("bias of {} by {} after {delay}", target.name, path.name),
                    _ => format!("bias {number} of {} by {} after {delay}", target.name, path.name),
                };
                let amplitude = Values::Each { values: amplitude, unit };
                let current =
                    Stimulus::constant_current(target.name.clone(), amplitude, Milliseconds(start));
                self.network.add_stimulus(name, current);
            }
        }
    }
}
