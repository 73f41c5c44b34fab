//! From a float description to the integer network of a chip of the Loihi family.
//!
//! One scale a population, or one each of its channels, serves its threshold, its bias and all
//! weights that reach it ([`super::float_to_fixed`]). What such a chip does not have is refused with
//! what would help: it resets to zero, compares strictly, and cannot switch a bias on at a time.

use super::coding::{CodingError, code_dense};
use super::float_to_fixed::{FloatToFixedError, LayerError};
use super::layer::{Granularity, Written, quantise_population};
use super::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection,
};
use super::neurons::chip_neurons;
use super::scale::ScaleRule;
use crate::chip::ChipSpec;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sim_core::network::{AllToAll, Connectivity, List, ValidDelays, ValidNetwork, ValidProjection};
use sim_core::neuron::Column;

/// How a network is quantised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantiseConfig {
    /// How a scale is chosen.
    pub scale: ScaleRule,
    /// What has a scale of its own.
    pub granularity: Granularity,
    /// Bits of a weight, 1 to 8.
    pub weight_bits: u8,
}

impl Default for QuantiseConfig {
    /// The largest weight of a population uses the largest integer of 8 bits.
    fn default() -> Self {
        QuantiseConfig {
            scale: ScaleRule::Maximum,
            granularity: Granularity::Layer,
            weight_bits: 8,
        }
    }
}

/// An integer network and what rounding changed, one entry a computed population.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantised {
    /// The network.
    pub network: QuantisedNetwork,
    /// Errors in units of thresholds.
    pub errors: Vec<LayerError>,
}

/// Why a network has no integer form on the chip.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuantiseError {
    /// Something that the chip does not have.
    #[error("{place}: {problem}; {remedy}")]
    NotOnChip {
        /// Path into the network.
        place: String,
        /// What is missing on the chip.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Several of these at once, in the order of the network.
    #[error("{} problems:\n  {}", problems.len(), lines(problems))]
    Several {
        /// Each of them.
        problems: Vec<QuantiseError>,
    },
    /// A layer that does not quantise.
    #[error(transparent)]
    Layer(#[from] FloatToFixedError),
    /// A matrix that Lava would not run as written.
    #[error("projections/{projection}: {error}")]
    Coding {
        /// The projection.
        projection: String,
        /// What is wrong.
        error: CodingError,
    },
}

fn lines(problems: &[QuantiseError]) -> String {
    problems.iter().map(QuantiseError::to_string).collect::<Vec<_>>().join("\n  ")
}

pub(super) fn not_on_chip(
    place: String,
    problem: impl Into<String>,
    remedy: &'static str,
) -> QuantiseError {
    QuantiseError::NotOnChip { place, problem: problem.into(), remedy }
}

/// Quantises a network.
///
/// # Errors
/// [`QuantiseError`] for everything that the chip does not have or that does not fit:
/// [`QuantiseError::Several`] where it is more than one thing.
pub fn quantise(
    network: &ValidNetwork,
    chip: &ChipSpec,
    config: &QuantiseConfig,
) -> Result<Quantised, QuantiseError> {
    let mut made = QuantisedNetwork {
        name: network.name().to_string(),
        chip: chip.name.clone(),
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let (mut errors, mut problems) = (Vec::new(), Vec::new());
    for index in 0..network.populations().len() {
        match add_population(network, chip, index, config, &mut made) {
            Ok(error) => errors.extend(error),
            Err(QuantiseError::Several { problems: found }) => problems.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    match (problems.pop(), problems.is_empty()) {
        (None, _) => Ok(Quantised { network: made, errors }),
        (Some(one), true) => Err(one),
        (Some(last), false) => {
            problems.push(last);
            Err(QuantiseError::Several { problems })
        }
    }
}

/// Adds a population with the projections that reach it; what rounding changed, if it computes.
fn add_population(
    network: &ValidNetwork,
    chip: &ChipSpec,
    index: usize,
    config: &QuantiseConfig,
    made: &mut QuantisedNetwork,
) -> Result<Option<LayerError>, QuantiseError> {
    let Some((name, population)) = network.populations().get_index(index) else {
        return Ok(None);
    };
    let neurons = chip_neurons(network, name, population)?;
    let (mut parameters, mut error) = (IndexMap::new(), None);
    if let Some(neurons) = &neurons {
        let layer = quantise_population(network, (index, name, population), neurons, config)?;
        let [du, dv] = layer.decays;
        for (key, value) in [("du", du), ("dv", dv), ("bias_exp", 6)] {
            parameters.insert(key.to_string(), IntegerValues::One(value));
        }
        parameters.insert("vth".to_string(), layer.vth);
        parameters.insert("bias_mant".to_string(), IntegerValues::PerNeuron(layer.bias));
        let mut clipped = 0;
        let mut problems = Vec::new();
        for written in layer.projections {
            match connect(network, chip, &written, neurons.more_delay) {
                Ok((connected, changed)) => {
                    made.projections.push(connected);
                    clipped += changed;
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(QuantiseError::Several { problems });
        }
        let weights_clipped = layer.error.weights_clipped + clipped;
        error = Some(LayerError { weights_clipped, ..layer.error });
    }
    let process = if neurons.is_some() { "lif" } else { "input" };
    let (shape, process) = (population.shape, process.to_string());
    made.populations.push(QuantisedPopulation { name: name.clone(), shape, process, parameters });
    Ok(error)
}

/// One projection with its integer weights, in the form that the chip's synapses have, and how many
/// of them netx's code changes.
fn connect(
    network: &ValidNetwork,
    chip: &ChipSpec,
    written: &Written<'_>,
    more_delay: u32,
) -> Result<(QuantisedProjection, usize), QuantiseError> {
    let Written { name, projection, weights } = written;
    let place = || format!("projections/{name}");
    let ValidDelays::Listed(delays) = &projection.delays else {
        let remedy = "list them: a chip holds numbers";
        return Err(not_on_chip(place(), "its delays are drawn", remedy));
    };
    // The chip's synapses take a step besides their delay.
    let delays: Vec<u32> = delays.iter().map(|delay| delay + more_delay - 1).collect();
    let longest = chip.delay_steps_max.as_ref().map_or(62, |most| most.value);
    if let Some(delay) = delays.iter().find(|delay| **delay > longest) {
        return Err(not_on_chip(
            place(),
            format!("its delay of {} steps is longer than the chip's {}", delay + 1, longest + 1),
            "use shorter delays or a coarser time step",
        ));
    }
    let first = DelaySteps::One(delays.first().copied().unwrap_or_default() as u8);
    let one_delay = delays.iter().all(|delay| Some(delay) == delays.first());
    let mut changed = 0;
    let (connection, delay) = match &projection.connectivity {
        Connectivity::Convolution(_) if !one_delay => {
            let problem = "synapses of its shared kernel have different delays";
            return Err(not_on_chip(place(), problem, "give it one delay"));
        }
        Connectivity::Convolution(geometry) => {
            (Connection::Convolution { geometry: *geometry, weights: weights.clone() }, first)
        }
        rule => {
            let matrix = matrix(network, projection, rule, weights).ok_or_else(|| {
                let rule = rule.name();
                let problem = format!("the rule `{rule}` has no matrix form here");
                not_on_chip(place(), problem, "use `dense`, `one_to_one`, `list` or `convolution`")
            })?;
            let delay = match one_delay {
                true => first,
                false => DelaySteps::PerSynapse(matrix.delays(&delays).ok_or_else(|| {
                    let problem = "two of its synapses join the same neurons with two delays";
                    not_on_chip(place(), problem, "split it into two projections")
                })?),
            };
            let targets = network.populations()[projection.target].neurons.size;
            let sources = network.populations()[projection.source].neurons.size;
            let truncation = chip.arithmetic.mixed_sign_truncation.value;
            let coded = code_dense(&matrix.weights, targets, sources, truncation);
            let coded = coded
                .map_err(|error| QuantiseError::Coding { projection: name.to_string(), error })?;
            changed = coded.changed;
            (coded.connection, delay)
        }
    };
    let made = QuantisedProjection {
        name: name.to_string(),
        source: projection.source,
        target: projection.target,
        connection,
        delay,
        message_bits: 0,
        port: 0,
        learning: None,
    };
    Ok((made, changed))
}

/// A rule's synapses as a matrix `[target, source]`.
struct Matrix {
    weights: Vec<i64>,
    /// Place in the matrix of each synapse in the rule's order.
    places: Vec<usize>,
}

impl Matrix {
    /// The delays of the rule's synapses as a matrix; `None` where two disagree.
    fn delays(&self, delays: &[u32]) -> Option<Vec<u8>> {
        let mut laid: Vec<Option<u8>> = vec![None; self.weights.len()];
        for (index, &place) in self.places.iter().enumerate() {
            let delay = u8::try_from(*delays.get(index).or(delays.last())?).ok()?;
            if laid.get(place).copied().flatten().is_some_and(|other| other != delay) {
                return None;
            }
            *laid.get_mut(place)? = Some(delay);
        }
        Some(laid.into_iter().map(Option::unwrap_or_default).collect())
    }
}

/// The weights as a matrix; `None` for rules that draw.
fn matrix(
    network: &ValidNetwork,
    projection: &ValidProjection,
    rule: &Connectivity,
    written: &[i32],
) -> Option<Matrix> {
    let targets = network.populations()[projection.target].neurons.size;
    let sources = network.populations()[projection.source].neurons.size;
    let places: Vec<usize> = match rule {
        Connectivity::Dense(_) => (0..targets.checked_mul(sources)?).collect(),
        Connectivity::AllToAll(AllToAll { autapses }) => {
            // The rule goes source by source.
            let skips = projection.source == projection.target && !autapses;
            let row = |source| (0..targets).filter(move |&t| !(skips && t == source));
            targets.checked_mul(sources)?;
            let pairs = (0..sources).flat_map(|source| row(source).map(move |t| (t, source)));
            pairs.map(|(target, source)| target * sources + source).collect()
        }
        Connectivity::OneToOne(_) => (0..targets).map(|neuron| neuron * sources + neuron).collect(),
        Connectivity::List(List { sources: from, targets: to }) => {
            let pairs = to.iter().zip(from);
            pairs.map(|(&target, &source)| target as usize * sources + source as usize).collect()
        }
        _ => return None,
    };
    let each = matches!(projection.weights.listed(), Some(Column::Each(_)));
    let mut weights = vec![0_i64; targets.checked_mul(sources)?];
    for (index, &place) in places.iter().enumerate() {
        // One weight for all is written once a target.
        let weight = if each { index } else { place / sources.max(1) };
        *weights.get_mut(place)? += i64::from(*written.get(weight)?);
    }
    Some(Matrix { weights, places })
}
