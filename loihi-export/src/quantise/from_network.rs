//! From a float description to the integer network of a chip of the Loihi family.
//!
//! One scale a population, or one each of its channels, serves its threshold, its bias and all
//! weights that reach it ([`super::float_to_fixed`]). What such a chip does not have is refused with
//! what would help: it resets to zero, compares strictly, and cannot switch a bias on at a time.

use super::coding::{CodingError, code_for_chip};
use super::float_to_fixed::{BIAS_MAX, FloatToFixedError, LayerError};
use super::layer::{Granularity, Written, quantise_population};
use super::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection,
};
use super::neurons::chip_neurons;
use super::scale::ScaleRule;
use super::synapses::Form;
use crate::chip::ChipSpec;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sim_core::network::{ValidNetwork, ValidStimulus};

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
    /// Errors in the units of the description.
    pub errors: Vec<LayerError>,
    /// What the integers leave out or cannot hold, with what to do, one line each.
    pub notes: Vec<String>,
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
        (None, _) => {
            let mut notes = left_out(network);
            notes.extend(errors.iter().filter_map(clipped_biases));
            notes.extend(errors.iter().filter_map(|error| read_out(network, error)));
            Ok(Quantised { network: made, errors, notes })
        }
        (Some(one), true) => Err(one),
        (Some(last), false) => {
            problems.push(last);
            Err(QuantiseError::Several { problems })
        }
    }
}

/// Stimuli that an integer network has no place for.
fn left_out(network: &ValidNetwork) -> Vec<String> {
    let stimuli = network.stimuli().iter().filter(|(_, stimulus)| {
        matches!(stimulus, ValidStimulus::Drive { .. } | ValidStimulus::VaryingCurrent { .. })
    });
    let line = |(name, stimulus): (&String, &ValidStimulus)| {
        let population = network.populations().get_index(stimulus.population());
        let population = population.map_or("?", |(name, _)| name.as_str());
        format!(
            "stimuli/{name} drives `{population}` and is no part of the integer network; a chip \
             gets it as spikes: add a spike_source with synapses in its place"
        )
    };
    stimuli.map(line).collect()
}

/// Populations whose potential is what they compute.
fn read_out(network: &ValidNetwork, error: &LayerError) -> Option<String> {
    let spec = network.populations().get(&error.layer)?.model.spec();
    matches!(spec.name, "integrator" | "leaky_integrator_stepwise").then(|| {
        format!(
            "populations/{}: a read-out, written as neurons with the largest threshold; read their \
             potential, of which {:.1} integers are 1 here (at {} it would be clipped)",
            error.layer,
            64.0 * error.scale,
            1 << 23
        )
    })
}

/// Biases that the chip's field does not hold.
fn clipped_biases(error: &LayerError) -> Option<String> {
    (error.biases_clipped > 0).then(|| {
        format!(
            "populations/{}: {} biases are clipped to {BIAS_MAX} integers ({:.4} here), the largest \
             by {:.4}; the largest weight sets the scale ({:.4} integers a unit): give it a synapse \
             of at least 1/16 of its largest constant current, or bring part of the current as \
             spikes of an input that is always active",
            error.layer,
            error.biases_clipped,
            BIAS_MAX / error.scale,
            error.bias_error_max,
            error.scale
        )
    })
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
            match connect(chip, written, neurons.more_delay) {
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
    let process = match &neurons {
        None => "input",
        Some(neurons) if neurons.held_steps > 0 => {
            let steps = IntegerValues::One(neurons.held_steps + 1);
            parameters.insert("refractory".to_string(), steps);
            "lif_refractory"
        }
        Some(_) => "lif",
    };
    let (shape, process) = (population.shape, process.to_string());
    made.populations.push(QuantisedPopulation { name: name.clone(), shape, process, parameters });
    Ok(error)
}

/// A table of synapses with its integer weights, in the form that the chip has, and how many of them
/// the code changes.
fn connect(
    chip: &ChipSpec,
    written: Written<'_>,
    more_delay: u32,
) -> Result<(QuantisedProjection, usize), QuantiseError> {
    let Written { name, projection, form, weights, delays } = written;
    let mut delay = delay_steps(chip, &name, &delays, more_delay)?;
    let truncation = chip.arithmetic.mixed_sign_truncation.value;
    let code = |weights: &[i32], is_full| {
        let weights: Vec<i64> = weights.iter().map(|&weight| weight.into()).collect();
        let coded = code_for_chip(&weights, is_full, truncation);
        coded.map_err(|error| QuantiseError::Coding { projection: name.clone(), error })
    };
    let (connection, changed) = match form {
        Form::Kernel(_) if matches!(delay, DelaySteps::PerSynapse(_)) => {
            let problem = "synapses of its shared kernel have different delays";
            let place = format!("projections/{name}");
            return Err(not_on_chip(place, problem, "give it one delay"));
        }
        Form::Kernel(geometry) => (Connection::Convolution { geometry, weights }, 0),
        Form::Matrix => {
            let coded = code(&weights, true)?;
            (coded.connection, coded.changed)
        }
        Form::List { targets, sources } => {
            // A synapse whose weight became 0 does nothing.
            let acts: Vec<bool> = weights.iter().map(|&weight| weight != 0).collect();
            if let DelaySteps::PerSynapse(delays) = &mut delay {
                *delays = acting(delays, &acts);
            }
            let coded = code(&acting(&weights, &acts), false)?;
            (
                listed(coded.connection, acting(&targets, &acts), acting(&sources, &acts)),
                coded.changed,
            )
        }
    };
    let made = QuantisedProjection {
        name,
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

/// The values whose synapse acts.
fn acting<T: Copy>(values: &[T], acts: &[bool]) -> Vec<T> {
    values.iter().zip(acts).filter(|(_, acts)| **acts).map(|(value, _)| *value).collect()
}

/// Coded weights with the neurons that they join.
fn listed(coded: Connection, targets: Vec<u32>, sources: Vec<u32>) -> Connection {
    match coded {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
            Connection::Sparse {
                targets,
                sources,
                weights,
                sign_mode,
                weight_bits,
                weight_exponent,
            }
        }
        other => other,
    }
}

/// Delays beyond the step that a chip's synapses take anyway.
fn delay_steps(
    chip: &ChipSpec,
    name: &str,
    delays: &[u32],
    more_delay: u32,
) -> Result<DelaySteps, QuantiseError> {
    // Where a chip's is not published, the integer form alone limits it.
    let form = u32::from(u8::MAX);
    let (longest, whose) = match &chip.delay_steps_max {
        Some(most) if most.value <= form => (most.value, "the chip's"),
        _ => (form, "an integer network's"),
    };
    let delays: Vec<u32> =
        delays.iter().map(|delay| (delay + more_delay).saturating_sub(1)).collect();
    if let Some(delay) = delays.iter().find(|delay| **delay > longest) {
        return Err(not_on_chip(
            format!("projections/{name}"),
            format!("its delay of {} steps is longer than {whose} {}", delay + 1, longest + 1),
            "use shorter delays or a coarser time step",
        ));
    }
    let first = delays.first().copied().unwrap_or_default() as u8;
    Ok(match delays.iter().all(|delay| Some(delay) == delays.first()) {
        true => DelaySteps::One(first),
        false => DelaySteps::PerSynapse(delays.into_iter().map(|delay| delay as u8).collect()),
    })
}
