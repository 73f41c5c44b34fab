//! A NIR graph as a network description, under a stated [`Convention`].
//!
//! Layers of `IF` become `integrate_and_fire`, layers of `LIF` become `lif_delta`, whose exact
//! decay is given the factor of the convention's step; inputs become `spike_source`. What lies
//! between two layers (`Affine`, `Linear`, `Conv2d`, `SumPool2d`, `AvgPool2d`, `Flatten`, `Delay`)
//! becomes one projection each; `r` and the step's scale go into its weights, and weights that follow
//! each other are multiplied.
//!
//! In a description every projection takes at least one step. A layer at depth d therefore does in
//! step d + n what it does in step n of the graph, as in converted networks
//! (`docs/design/depth_as_delay.md`); what the convention left open is in the [`NirReport`].

use serde::Serialize;
use sim_core::connectivity::{Dense, List, OneToOne};
use sim_core::network::{
    Connectivity, Network, Neuron, Population, Projection, Reset, Shape, SpikeCondition, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Picofarads, Unit, Values};

use super::dialect::{Convention, SpikeReset};
use super::run::RunError;
use super::{NirGraph, Primitive};

mod depth;
mod path;
mod product;

use depth::depths;
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

/// The membrane's capacitance; it only turns a bias into a current.
const CAPACITANCE: f64 = 1.0;
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
    let flat = super::run::flatten(graph)?;
    let Convention { dt, tau_scale, .. } = reading.convention;
    if !(dt > 0.0 && tau_scale > 0.0 && dt.is_finite() && tau_scale.is_finite()) {
        return Err(RunError::Convention { dt, tau_scale }.into());
    }
    let paths = paths(&flat, tau_scale / dt)?;
    let depths = depths(&flat, &paths, &reading.convention);
    let mut made = Made {
        network: Network::new(name, Milliseconds(reading.convention.dt * SECOND)),
        notes: Vec::new(),
        reading: *reading,
    };
    let mut layers = Vec::new();
    for node in &flat.nodes {
        layers.push(made.layer(node)?);
    }
    for (number, path) in paths.iter().enumerate() {
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
        let delay = depths.delay(path);
        made.projection(number, path, (&source.0, target), delay)?;
        made.bias(path, target, depths.of(path.target))?;
    }
    let convention = reading.convention.to_string();
    Ok((made.network, NirReport { reading: *reading, convention, notes: made.notes }))
}

/// A layer of neurons that is reached by projections.
struct Layer {
    name: String,
    /// What a weight is multiplied by, one a neuron.
    gain: Vec<f64>,
    /// What a bias is multiplied by to be a current, one a neuron.
    current: Vec<f64>,
    /// Weights and potentials are in mV.
    millivolts: bool,
}

struct Made {
    network: Network,
    notes: Vec<String>,
    reading: NirReading,
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

const NUMBER: Unit = Unit { symbol: "", dimension: Dimension::Number, in_base: 1.0 };
const MILLIVOLT: Unit = Unit { symbol: "mV", dimension: Dimension::Potential, in_base: 1.0 };
const PICOAMPERE: Unit = Unit { symbol: "pA", dimension: Dimension::Current, in_base: 1.0 };

impl Made {
    fn layer(&mut self, node: &(String, Primitive)) -> Result<Option<Layer>, NotFromNir> {
        let (name, primitive) = node;
        let shape = |extents: &[usize]| match super::run::without_batch(extents)[..] {
            [channels, height, width] => {
                Shape::Picture([channels, height, width].map(|n| n as u32))
            }
            ref other => Shape::List(other.iter().fold(1, |n, &m| m.saturating_mul(n)) as u32),
        };
        match primitive {
            Primitive::Input(input) if !name.contains('/') => {
                let population = Population::shaped(shape(&input.shape), Neuron::spike_source());
                self.network.add_population(name.clone(), population);
                Ok(None)
            }
            Primitive::If(found) => {
                let gain = self.numbers(node, "r", &found.r)?;
                let threshold = self.numbers(node, "v_threshold", &found.v_threshold)?;
                let reset = self.reset(node, &found.v_reset, NUMBER)?;
                let neuron = Neuron::new("integrate_and_fire")
                    .parameter("threshold", values(&threshold, NUMBER))
                    .rules(SpikeCondition::Above, reset);
                let population = Population::shaped(shape(&found.r.shape), neuron);
                self.network.add_population(name.clone(), population);
                let layer =
                    Layer { name: name.clone(), current: gain.clone(), gain, millivolts: false };
                Ok(Some(layer))
            }
            Primitive::Lif(found) => self.leaky(node, found, shape(&found.r.shape)).map(Some),
            Primitive::I(_) | Primitive::Li(_) | Primitive::CubaLi(_) | Primitive::CubaLif(_) => {
                let problem = "descriptions have no stepwise neuron of this kind";
                let remedy = "check such graphs with `spikeloom verify nir`; IF and LIF are read";
                Err(refuse(node, problem, remedy))
            }
            Primitive::Threshold(_) | Primitive::Scale(_) | Primitive::Conv1d(_) => {
                let problem = "it is not read into a description";
                let remedy = "put its effect into the weights beside it";
                Err(refuse(node, problem, remedy))
            }
            _ => Ok(None),
        }
    }

    fn numbers(
        &self,
        node: &(String, Primitive),
        name: &str,
        array: &crate::array::Array,
    ) -> Result<Vec<f64>, NotFromNir> {
        let found = array.values.to_f64().filter(|values| values.iter().all(|v| v.is_finite()));
        found.ok_or_else(|| {
            let problem = format!("{name} holds values that are no finite numbers");
            refuse(node, problem, "repair the file")
        })
    }

    fn reset(
        &mut self,
        node: &(String, Primitive),
        v_reset: &crate::array::Array,
        unit: Unit,
    ) -> Result<Reset, NotFromNir> {
        match self.reading.convention.reset {
            SpikeReset::Subtract => Ok(Reset::Subtract),
            SpikeReset::SubtractMany => {
                self.notes.push(format!(
                    "`{}`: a neuron spikes once a step; the dialect lets it spike several times, \
                     here the rest stays above the threshold and spikes in the next step",
                    node.0
                ));
                Ok(Reset::Subtract)
            }
            SpikeReset::ToValue => {
                let values = self.numbers(node, "v_reset", v_reset)?;
                let first = values.first().copied().unwrap_or(0.0);
                Ok(Reset::To(match values.iter().all(|value| *value == first) {
                    true => sim_core::units::Quantity { value: first, unit }.into(),
                    false => sim_core::units::Values::Each { values, unit },
                }))
            }
        }
    }

    fn leaky(
        &mut self,
        node: &(String, Primitive),
        found: &super::Lif,
        shape: Shape,
    ) -> Result<Layer, NotFromNir> {
        let Convention { dt, tau_scale, decay, reset, input, .. } = self.reading.convention;
        if reset != SpikeReset::ToValue {
            let problem = "leaky neurons of descriptions are reset to a value";
            return Err(refuse(node, problem, "choose a dialect that resets to v_reset"));
        }
        let tau = self.numbers(node, "tau", &found.tau)?;
        let r = self.numbers(node, "r", &found.r)?;
        let mut keep = Vec::new();
        if let Some(tau) = tau.iter().find(|tau| **tau <= 0.0) {
            let problem = format!("tau is {tau}; time constants are above 0");
            return Err(refuse(node, problem, "repair the file"));
        }
        for &tau in &tau {
            let factor = decay.factor(dt, tau * tau_scale);
            if !(factor > 0.0 && factor < 1.0) {
                let problem = format!("a step keeps {factor} of its potential (tau {tau})");
                let remedy = "a leaky neuron keeps more than 0 and less than 1: give a smaller dt";
                return Err(refuse(node, problem, remedy));
            }
            keep.push(factor);
        }
        let each = |values: &crate::array::Array, name| self.numbers(node, name, values);
        let (leak, threshold) =
            (each(&found.v_leak, "v_leak")?, each(&found.v_threshold, "v_threshold")?);
        // The description decays exactly: this time constant keeps the convention's factor.
        let milliseconds = dt * SECOND;
        let exact: Vec<f64> = keep.iter().map(|keep| -milliseconds / keep.ln()).collect();
        let time = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
        let reset = self.reset(node, &found.v_reset, MILLIVOLT)?;
        let mut neuron = Neuron::from(LifDelta {
            capacitance: Picofarads(CAPACITANCE),
            refractory_period: Milliseconds(0.0),
            ..LifDelta::default()
        });
        neuron = neuron
            .parameter("tau_membrane", values(&exact, time))
            .parameter("resting_potential", values(&leak, MILLIVOLT))
            .parameter("threshold", values(&threshold, MILLIVOLT))
            .initial("membrane_potential", Millivolts(0.0))
            .rules(SpikeCondition::Above, reset);
        self.network.add_population(node.0.clone(), Population::shaped(shape, neuron));
        self.notes.push(format!(
            "`{}`: LIF of continuous time with the time constant that keeps the step's factor; 1 \
             unit of its potential is 1 mV",
            node.0
        ));
        let gain: Vec<f64> = r
            .iter()
            .zip(keep.iter().zip(&tau))
            .map(|(r, (keep, tau))| input.factor(*r, *keep, dt, tau * tau_scale))
            .collect();
        let current = gain
            .iter()
            .zip(&keep)
            .zip(&exact)
            .map(|((gain, keep), tau)| gain / (1.0 - keep) * CAPACITANCE / tau);
        Ok(Layer { name: node.0.clone(), current: current.collect(), gain, millivolts: true })
    }

    fn projection(
        &mut self,
        number: usize,
        path: &Path,
        (source, target): (&String, &Layer),
        delay: u64,
    ) -> Result<(), NotFromNir> {
        let unit = if target.millivolts { MILLIVOLT } else { NUMBER };
        let uniform = target.gain.iter().all(|gain| Some(gain) == target.gain.first());
        let first = target.gain.first().copied().unwrap_or(1.0);
        let (connectivity, weights) = match &path.weights {
            Weights::Direct => (Connectivity::OneToOne(OneToOne), values(&target.gain, unit)),
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
            Weights::Kernel { .. } => {
                return Err(NotFromNir::Node {
                    node: target.name.clone(),
                    node_type: "IF or LIF",
                    problem: "its r differs from neuron to neuron behind a convolution".into(),
                    remedy: "kernels are shared: give the layer one r",
                });
            }
        };
        let delays: Vec<u64> = path.delays.iter().map(|own| own + delay).collect();
        let step = self.reading.convention.dt * SECOND;
        let projection = Projection::new(source.clone(), target.name.clone(), connectivity);
        let projection = match delays.as_slice() {
            [first, rest @ ..] if rest.iter().any(|other| other != first) => {
                self.by_synapse(projection, weights, &delays)?
            }
            _ => {
                let steps = delays.first().copied().unwrap_or(delay);
                projection.weight(weights).delay(Milliseconds(steps as f64 * step))
            }
        };
        let name = format!("{number}: {source} to {}", target.name);
        self.network.add_projection(name, projection);
        Ok(())
    }

    /// Delays that differ from target to target need listed synapses.
    fn by_synapse(
        &self,
        projection: Projection,
        weights: Values,
        delays: &[u64],
    ) -> Result<Projection, NotFromNir> {
        let refused = |problem: &str| NotFromNir::Node {
            node: projection.target.clone(),
            node_type: "Delay",
            problem: problem.to_owned(),
            remedy: "give the delay one value, or put it between dense layers",
        };
        let Values::Each { values, unit } = weights else {
            return Err(refused("delays of its neurons differ on a path of one weight"));
        };
        if !matches!(projection.connectivity, Connectivity::Dense(_)) {
            return Err(refused("delays of its neurons differ behind a convolution"));
        }
        let columns = (values.len() / delays.len().max(1)).max(1);
        let present: Vec<usize> = (0..values.len()).filter(|place| values[*place] != 0.0).collect();
        let step = self.reading.convention.dt * SECOND;
        let time = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
        let delay =
            |&place: &usize| delays.get(place / columns).copied().unwrap_or(1) as f64 * step;
        let listed = Connectivity::List(List {
            sources: present.iter().map(|place| (place % columns) as u32).collect(),
            targets: present.iter().map(|place| (place / columns) as u32).collect(),
        });
        let own = present.iter().map(|place| values[*place]).collect();
        let delays = Values::Each { values: present.iter().map(delay).collect(), unit: time };
        Ok(Projection { connectivity: listed, ..projection }
            .weight(Values::Each { values: own, unit })
            .delay(delays))
    }

    /// The bias on a path as currents, one for each delay that it passes.
    fn bias(&mut self, path: &Path, target: &Layer, depth: u64) -> Result<(), NotFromNir> {
        let unit = if target.millivolts { PICOAMPERE } else { NUMBER };
        let delay_of =
            |neuron: usize| path.delays.get(neuron).or(path.delays.first()).copied().unwrap_or(0);
        let mut delays = path.delays.clone();
        delays.sort_unstable();
        delays.dedup();
        for delay in delays {
            let amplitude = path.bias.iter().zip(&target.current).enumerate();
            let amplitude: Vec<f64> = amplitude
                .map(|(neuron, (bias, gain))| match delay_of(neuron) == delay {
                    true => bias * gain,
                    false => 0.0,
                })
                .collect();
            if amplitude.iter().all(|current| *current == 0.0) {
                continue;
            }
            let start = match self.reading.biases_from_start {
                true => 0.0,
                false => (depth + delay) as f64 * self.reading.convention.dt * SECOND,
            };
            let name = format!("bias of {} by {} after {delay}", target.name, path.name);
            let amplitude = Values::Each { values: amplitude, unit };
            let current =
                Stimulus::constant_current(target.name.clone(), amplitude, Milliseconds(start));
            self.network.add_stimulus(name, current);
        }
        Ok(())
    }
}
