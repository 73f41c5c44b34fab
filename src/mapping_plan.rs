//! How active a network is on a chip, which energy profile counts, and what a chip holds at all.

use crate::conversion::{ConvertConfig, samples_for};
use crate::error::Error;
use crate::fixed_point::FixedPointRunner;
use crate::lists::named;
use crate::loihi_export::chip::{ChipSpec, Profile};
use crate::loihi_export::energy::Activity;
use crate::loihi_export::mapping::is_off_chip;
use crate::loihi_export::metrics::{COSTS, Costs};
use crate::loihi_export::quantise::network::{Connection, QuantisedNetwork};
use crate::pipeline::read_model;
use serde::Serialize;
use std::path::Path;

/// Spikes of a neuron in a step, where nothing is measured and nothing is said.
pub const ASSUMED_RATE: f64 = 0.05;
/// Samples that rates are taken from.
pub const RATE_SAMPLES: usize = 8;

/// A chip's energy profile: the one of this name, or the first; none where the chip has none.
///
/// # Errors
/// [`Error::Unknown`] with the profiles there are.
pub fn profile<'chip>(
    chip: &'chip ChipSpec,
    name: Option<&str>,
) -> Result<Option<(&'chip str, &'chip Profile)>, Error> {
    let Some(name) = name else {
        return Ok(chip.profiles.iter().next().map(|(name, profile)| (name.as_str(), profile)));
    };
    match chip.profiles.get_key_value(name) {
        Some((name, profile)) => Ok(Some((name, profile))),
        None => {
            let known: Vec<&str> = chip.profiles.keys().map(String::as_str).collect();
            let known = match known.is_empty() {
                true => format!("no energy of an operation has been published for {}", chip.title),
                false => crate::sim_core::diagnostics::known_names(name, &known),
            };
            Err(Error::Unknown { what: "energy profile", name: name.to_string(), known })
        }
    }
}

/// Costs of routers and wires by name; the first of the registry where none is given.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn costs(name: Option<&str>) -> Result<&'static Costs, Error> {
    let name = name.unwrap_or(COSTS[0].name);
    let found = COSTS.iter().find(|costs| costs.name == name);
    named("set of mesh costs", name, found, COSTS.iter().map(|costs| costs.name))
}

/// Rates of a network: as given; else, for a converted network, from runs of calibration samples on
/// the fixed-point engine; else assumed.
///
/// # Errors
/// [`Error`] where samples cannot be read or run, [`Error::Usage`] for a rate that is none.
pub fn activity(
    path: &Path,
    network: &QuantisedNetwork,
    chip: &ChipSpec,
    conversion: Option<&ConvertConfig>,
    steps: u32,
    rate: Option<f64>,
) -> Result<Activity, Error> {
    if let Some(rate) = rate {
        if !(0.0..=1.0).contains(&rate) {
            let message = format!("--rate {rate}: give spikes of a neuron in a step, 0 to 1");
            return Err(Error::Usage(message));
        }
        return Ok(Activity::assumed(network.populations.len(), steps, rate));
    }
    let given = conversion.and_then(|config| Some((config, config.calibrate.as_ref()?)));
    let Some((conversion, calibrate)) = given else {
        return Ok(Activity::assumed(network.populations.len(), steps, ASSUMED_RATE));
    };
    let graph = read_model(path)?;
    let samples = samples_for(&graph, calibrate, None, &conversion.preparation)?;
    let runner = FixedPointRunner::new(network, chip, conversion.steps)?;
    let total = runner.total_steps();
    let shown: Vec<&[f32]> = samples.iter().take(RATE_SAMPLES).collect();
    let mut spikes = vec![0usize; network.populations.len()];
    for sample in &shown {
        let recording = runner.record(sample)?;
        for (sum, train) in spikes.iter_mut().zip(&recording.spikes) {
            *sum += train.count();
        }
    }
    let steps_run = f64::from(total) * shown.len().max(1) as f64;
    let rates = spikes.iter().zip(&network.populations).map(|(&spikes, population)| {
        spikes as f64 / (population.shape.size().max(1) as f64 * steps_run)
    });
    let basis = format!("fixed-point runs of {} calibration samples", shown.len());
    Ok(Activity { steps: total, rates: rates.collect(), basis })
}

/// What a network needs of a whole chip's published totals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// Name of the quantity.
    pub quantity: &'static str,
    /// What the network needs.
    pub needed: u64,
    /// What a chip holds; `None` where nobody has published it.
    pub available: Option<u64>,
    /// Chips by this quantity alone.
    pub chips: Option<u64>,
}

/// Neurons and synapses against a chip's totals, for chips that are not mapped to.
pub fn capacity(network: &QuantisedNetwork, chip: &ChipSpec) -> Vec<Capacity> {
    let on_chip = network.populations.iter().filter(|population| !is_off_chip(population));
    let neurons = on_chip.fold(0u64, |sum, p| sum.saturating_add(p.shape.size()));
    let size =
        |population: usize| network.populations.get(population).map_or(0, |p| p.shape.size());
    let synapses = network.projections.iter().fold(0u64, |sum, projection| {
        sum.saturating_add(match &projection.connection {
            Connection::Dense { .. } => {
                size(projection.source).saturating_mul(size(projection.target))
            }
            Connection::Sparse { weights, .. } => weights.len() as u64,
            Connection::Convolution { geometry, .. } => {
                let taps = u64::from(geometry.kernel[0]).saturating_mul(geometry.kernel[1].into());
                let inputs = u64::from(geometry.source[0] / geometry.groups.max(1));
                size(projection.target).saturating_mul(taps).saturating_mul(inputs)
            }
        })
    });
    let row = |quantity, needed: u64, available: Option<u64>| Capacity {
        quantity,
        needed,
        available,
        chips: available.map(|available| needed.div_ceil(available.max(1))),
    };
    vec![
        row("neurons", neurons, chip.neurons_per_chip_max.as_ref().map(|figure| figure.value)),
        row("synapses", synapses, chip.synapses_per_chip_max.as_ref().map(|figure| figure.value)),
    ]
}
