//! From a float description to the integer network of a chip of the Loihi family.
//!
//! One scale a population serves its threshold, its bias and all weights that reach it
//! ([`super::float_to_fixed`]). What such a chip does not have is refused with what would help: it
//! resets to zero, holds one threshold a population, compares strictly, and cannot switch a bias on
//! at a time.

use super::coding::{CodingError, code_dense};
use super::float_to_fixed::{
    FloatLayer, FloatToFixedError, LayerError, ScaleRule, WeightGrid, quantise_layer,
};
use super::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection,
};
use crate::chip::ChipSpec;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sim_core::network::{
    AllToAll, Connectivity, List, ValidNetwork, ValidPopulation, ValidProjection, ValidStimulus,
};
use sim_core::neuron::{Column, LoweredReset};

/// How a network is quantised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantiseConfig {
    /// How the scale of each population is chosen.
    pub scale: ScaleRule,
}

impl Default for QuantiseConfig {
    /// The largest weight uses the largest integer.
    fn default() -> Self {
        QuantiseConfig { scale: ScaleRule::Maximum }
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

fn not_on_chip(place: String, problem: impl Into<String>, remedy: &'static str) -> QuantiseError {
    QuantiseError::NotOnChip { place, problem: problem.into(), remedy }
}

const CONVERT: &str = "convert with the method `hard_reset`, which is made for such chips";

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
    let process = process_of(name, population)?;
    let (mut parameters, mut error) = (IndexMap::new(), None);
    if process == "lif" {
        let layer = quantise_population(network, index, config)?;
        for (key, value) in [("du", 4095), ("dv", 0), ("vth", layer.vth), ("bias_exp", 6)] {
            parameters.insert(key.to_string(), IntegerValues::One(value));
        }
        parameters.insert("bias_mant".to_string(), IntegerValues::PerNeuron(layer.bias));
        error = Some(layer.error);
        let mut problems = Vec::new();
        for (name, projection, weights) in layer.projections {
            match connect(network, chip, name, projection, &weights) {
                Ok(connected) => made.projections.push(connected),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(QuantiseError::Several { problems });
        }
    }
    let (shape, process) = (population.shape, process.to_string());
    made.populations.push(QuantisedPopulation { name: name.clone(), shape, process, parameters });
    Ok(error)
}

/// The process that computes a population.
fn process_of(name: &str, population: &ValidPopulation) -> Result<&'static str, QuantiseError> {
    let place = format!("populations/{name}");
    let model = population.model.spec().name;
    match model {
        "spike_source" => Ok("input"),
        "integrate_and_fire" => {
            let neurons = &population.neurons;
            if neurons.reset != LoweredReset::To(0.0) {
                let problem = "the chip's neurons reset to zero, this population does not";
                return Err(not_on_chip(place, problem, CONVERT));
            }
            let starts_at_zero =
                neurons.initial.iter().flatten().all(|c| c.numbers().iter().all(|&v| v == 0.0));
            if !starts_at_zero {
                let problem = "the chip's neurons start at zero, this population does not";
                return Err(not_on_chip(place, problem, CONVERT));
            }
            Ok("lif")
        }
        other => Err(not_on_chip(
            place,
            format!("the chip has no neuron that computes `{other}`"),
            "use integrate_and_fire with reset to 0; the method `hard_reset` converts to it",
        )),
    }
}

/// A population in integers.
struct IntegerLayer<'a> {
    vth: i64,
    bias: Vec<i64>,
    /// Incoming projections with their written weights.
    projections: Vec<(&'a str, &'a ValidProjection, Vec<i32>)>,
    error: LayerError,
}

fn quantise_population<'a>(
    network: &'a ValidNetwork,
    index: usize,
    config: &QuantiseConfig,
) -> Result<IntegerLayer<'a>, QuantiseError> {
    let Some((name, population)) = network.populations().get_index(index) else {
        return Err(not_on_chip(
            format!("populations/{index}"),
            "it does not exist",
            "report this",
        ));
    };
    let incoming: Vec<(&str, &ValidProjection)> = network
        .projections()
        .iter()
        .filter(|(_, projection)| projection.target == index)
        .map(|(name, projection)| (name.as_str(), projection))
        .collect();
    let weights = incoming.iter().map(|(name, projection)| {
        let listed = projection.weights.listed().ok_or_else(|| {
            let place = format!("projections/{name}/weight");
            not_on_chip(place, "its weights are drawn", "list them: a chip holds numbers")
        })?;
        Ok(listed.numbers().iter().map(|&w| w as f32).collect())
    });
    let weights = weights.collect::<Result<Vec<Vec<f32>>, QuantiseError>>()?;
    let shared_kernel =
        incoming.iter().any(|(_, p)| matches!(p.connectivity, Connectivity::Convolution(_)));
    let layer = FloatLayer {
        name,
        weights: &weights.concat(),
        bias: &bias_of(network, index)?,
        threshold: threshold_of(name, population)?,
        spike: population.neurons.spike,
        grid: if shared_kernel { WeightGrid::EightBits } else { WeightGrid::EvenNineBits },
    };
    let fixed = quantise_layer(&layer, config.scale)?;
    let mut rest = fixed.weights.as_slice();
    let mut projections = Vec::new();
    for ((name, projection), own) in incoming.into_iter().zip(&weights) {
        let (written, others) = rest.split_at(own.len());
        rest = others;
        projections.push((name, projection, written.to_vec()));
    }
    Ok(IntegerLayer { vth: fixed.vth, bias: fixed.bias_mant, projections, error: fixed.report })
}

fn threshold_of(name: &str, population: &ValidPopulation) -> Result<f32, QuantiseError> {
    let thresholds = population.neurons.parameters[0].numbers();
    match thresholds.first() {
        Some(&first) if thresholds.iter().all(|&theta| theta == first) => Ok(first as f32),
        _ => Err(not_on_chip(
            format!("populations/{name}/parameters/threshold"),
            "the chip holds one threshold a population, the neurons differ",
            "divide each neuron's weights and bias by its threshold and set all thresholds to 1",
        )),
    }
}

/// The sum of the constant currents into a population, one value a neuron.
fn bias_of(network: &ValidNetwork, index: usize) -> Result<Vec<f32>, QuantiseError> {
    let size = network.populations()[index].neurons.size;
    let mut bias = vec![0.0; size];
    for (name, stimulus) in network.stimuli() {
        if stimulus.population() != index {
            continue;
        }
        let ValidStimulus::ConstantCurrent { amplitude, start_step, stop_step, .. } = stimulus
        else {
            continue;
        };
        if *start_step != 0 || *stop_step != u64::MAX {
            return Err(not_on_chip(
                format!("stimuli/{name}"),
                "the chip's biases act in every step, this current is switched",
                CONVERT,
            ));
        }
        for (neuron, slot) in bias.iter_mut().enumerate() {
            *slot += amplitude.get(neuron) as f32;
        }
    }
    Ok(bias)
}

/// One projection with its integer weights, in the form that the chip's synapses have.
fn connect(
    network: &ValidNetwork,
    chip: &ChipSpec,
    name: &str,
    projection: &ValidProjection,
    written: &[i32],
) -> Result<QuantisedProjection, QuantiseError> {
    let place = || format!("projections/{name}");
    let Some(delay) = projection.delays.one() else {
        return Err(not_on_chip(
            place(),
            "its synapses have different delays",
            "give it one delay",
        ));
    };
    let longest = chip.delay_steps_max.as_ref().map_or(62, |most| most.value);
    if delay - 1 > longest {
        return Err(not_on_chip(
            place(),
            format!("its delay of {delay} steps is longer than the chip's {}", longest + 1),
            "use shorter delays or a coarser time step",
        ));
    }
    let connection = match &projection.connectivity {
        Connectivity::Convolution(geometry) => {
            Connection::Convolution { geometry: *geometry, weights: written.to_vec() }
        }
        rule => {
            let matrix = matrix(network, projection, rule, written).ok_or_else(|| {
                let rule = rule.name();
                let problem = format!("the rule `{rule}` has no matrix form here");
                not_on_chip(place(), problem, "use `dense`, `one_to_one`, `list` or `convolution`")
            })?;
            let targets = network.populations()[projection.target].neurons.size;
            let sources = network.populations()[projection.source].neurons.size;
            let truncation = chip.arithmetic.mixed_sign_truncation.value;
            let coded = code_dense(&matrix, targets, sources, truncation);
            let coded = coded
                .map_err(|error| QuantiseError::Coding { projection: name.to_string(), error })?;
            coded.connection
        }
    };
    Ok(QuantisedProjection {
        name: name.to_string(),
        source: projection.source,
        target: projection.target,
        connection,
        delay: DelaySteps::One((delay - 1) as u8),
        message_bits: 0,
        port: 0,
        learning: None,
    })
}

/// The weights as a matrix `[target, source]`; `None` for rules that draw.
fn matrix(
    network: &ValidNetwork,
    projection: &ValidProjection,
    rule: &Connectivity,
    written: &[i32],
) -> Option<Vec<i64>> {
    let targets = network.populations()[projection.target].neurons.size;
    let sources = network.populations()[projection.source].neurons.size;
    let weight = |index: usize| match projection.weights.listed() {
        Some(Column::Each(_)) => i64::from(written[index]),
        _ => i64::from(written[0]),
    };
    if let Connectivity::Dense(_) = rule {
        return Some(written.iter().map(|&w| i64::from(w)).collect());
    }
    let mut matrix = vec![0; targets.checked_mul(sources)?];
    match rule {
        Connectivity::AllToAll(AllToAll { autapses }) => {
            for target in 0..targets {
                for source in (0..sources).filter(|&source| *autapses || source != target) {
                    matrix[target * sources + source] = weight(0);
                }
            }
        }
        Connectivity::OneToOne(_) => {
            (0..targets).for_each(|n| matrix[n * sources + n] = weight(n));
        }
        Connectivity::List(List { sources: from, targets: to }) => {
            for (index, (&source, &target)) in from.iter().zip(to).enumerate() {
                matrix[target as usize * sources + source as usize] += weight(index);
            }
        }
        _ => return None,
    }
    Some(matrix)
}
