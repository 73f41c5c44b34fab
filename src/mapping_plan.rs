//! How active a network is on a chip, which energy profile counts, and what a chip holds at all.

use crate::conversion::{ConvertConfig, samples_for};
use crate::error::Error;
use crate::fixed_point::FixedPointRunner;
use crate::lists::named;
use crate::loihi_export::chip::{ChipSpec, Profile};
use crate::loihi_export::energy::Activity;
use crate::loihi_export::mapping::is_off_chip;
use crate::loihi_export::metrics::{COSTS, Costs};
use crate::loihi_export::quantise::network::{Connection, QuantisedNetwork, QuantisedProjection};
use crate::models::load_model;
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
/// the fixed-point engine; else assumed, also where that engine refuses the network.
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
    let measured = measured_rates(path, network, chip, conversion, calibrate);
    match measured {
        Ok(activity) => Ok(activity),
        // a mapping needs no run: a rate is assumed, and the reason is told with it
        Err(Error::Emulator(error)) => {
            let mut assumed = Activity::assumed(network.populations.len(), steps, ASSUMED_RATE);
            assumed.basis = format!("{}, since no run can tell: {error}", assumed.basis);
            Ok(assumed)
        }
        Err(error) => Err(error),
    }
}

/// Rates of runs on the fixed-point engine.
fn measured_rates(
    path: &Path,
    network: &QuantisedNetwork,
    chip: &ChipSpec,
    conversion: &ConvertConfig,
    calibrate: &Path,
) -> Result<Activity, Error> {
    let graph = load_model(path, &conversion.load)?;
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

/// What a network needs of a chip's published figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// Name of the quantity.
    pub quantity: &'static str,
    /// What the network needs.
    pub needed: u64,
    /// What a chip has; `None` where nobody has published it.
    pub available: Option<u64>,
    /// Chips by this quantity alone; `None` where more chips do not help, or it is unknown.
    pub chips: Option<u64>,
    /// Whether the chip has enough, where more chips do not help; `None` where it is unknown.
    pub fits: Option<bool>,
}

/// A network's needs against a chip's figures, for chips that are not mapped to.
pub fn capacity(network: &QuantisedNetwork, chip: &ChipSpec) -> Vec<Capacity> {
    let on_chip = network.populations.iter().filter(|population| !is_off_chip(population));
    let neurons = on_chip.fold(0u64, |sum, p| sum.saturating_add(p.shape.size()));
    let synapses = network
        .projections
        .iter()
        .fold(0u64, |sum, projection| sum.saturating_add(synapses_of(network, projection)));
    let total = |quantity, needed: u64, available: Option<u64>| Capacity {
        quantity,
        needed,
        available,
        chips: available.map(|available| needed.div_ceil(available.max(1))),
        fits: None,
    };
    let each = |quantity, needed: u64, available: Option<u64>| Capacity {
        quantity,
        needed,
        available,
        chips: None,
        fits: available.map(|available| needed <= available),
    };
    let most =
        |of: fn(&QuantisedProjection) -> u64| network.projections.iter().map(of).max().unwrap_or(0);
    let mut rows = vec![
        total("neurons", neurons, chip.neurons_per_chip_max.as_ref().map(|figure| figure.value)),
        total("synapses", synapses, chip.synapses_per_chip_max.as_ref().map(|f| f.value)),
        each(
            "inputs of a neuron",
            most_inputs(network),
            chip.in_axons_per_core.as_ref().map(|figure| u64::from(figure.value)),
        ),
        each(
            "weight bits",
            most(weight_bits),
            chip.weight_bits_max.as_ref().map(|f| f.value.into()),
        ),
        each(
            "delay steps",
            most(|p| p.delay.longest()),
            chip.delay_steps_max.as_ref().map(|f| f.value.into()),
        ),
    ];
    let kernel = most(|projection| match &projection.connection {
        Connection::Convolution { geometry, .. } => {
            geometry.kernel.into_iter().max().unwrap_or(0).into()
        }
        _ => 0,
    });
    if kernel > 0 {
        let known = chip.other.get("kernel_max").and_then(|figure| figure.value.as_integer());
        rows.push(each("kernel extent", kernel, known.and_then(|most| u64::try_from(most).ok())));
    }
    rows
}

/// The most sources that reach one neuron, by all projections together.
fn most_inputs(network: &QuantisedNetwork) -> u64 {
    let into = |population: usize| {
        let projections = network.projections.iter().filter(move |p| p.target == population);
        projections.fold(0u64, |sum, projection| {
            let inputs = match &projection.connection {
                Connection::Sparse { targets, .. } => {
                    let runs = targets.chunk_by(|a, b| a == b);
                    runs.map(|run| run.len() as u64).max().unwrap_or(0)
                }
                _ => {
                    let size = network.populations.get(population).map_or(1, |p| p.shape.size());
                    synapses_of(network, projection) / size.max(1)
                }
            };
            sum.saturating_add(inputs)
        })
    };
    (0..network.populations.len()).map(into).max().unwrap_or(0)
}

fn synapses_of(network: &QuantisedNetwork, projection: &QuantisedProjection) -> u64 {
    let size =
        |population: usize| network.populations.get(population).map_or(0, |p| p.shape.size());
    match &projection.connection {
        Connection::Dense { .. } => size(projection.source).saturating_mul(size(projection.target)),
        Connection::Sparse { weights, .. } => weights.len() as u64,
        Connection::Convolution { geometry, .. } => {
            let taps = u64::from(geometry.kernel[0]).saturating_mul(geometry.kernel[1].into());
            let inputs = u64::from(geometry.source[0] / geometry.groups.max(1));
            size(projection.target).saturating_mul(taps).saturating_mul(inputs)
        }
    }
}

/// Bits of a stored weight; of a shared kernel what netx stores.
fn weight_bits(projection: &QuantisedProjection) -> u64 {
    match &projection.connection {
        Connection::Dense { weight_bits, .. } | Connection::Sparse { weight_bits, .. } => {
            (*weight_bits).into()
        }
        Connection::Convolution { .. } => 8,
    }
}
