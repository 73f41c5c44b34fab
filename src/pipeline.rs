//! The way from a trained network to spikes and to a chip, as plain functions.
//!
//! Each function is one stage: it takes the previous stage's result and a configuration, and gives
//! the next. Front ends (command line, Python) and the demo call these and nothing deeper.

use crate::conversion::Answer;
use crate::data::Samples;
use crate::error::Error;
use crate::loihi_export::budget::{Budget, budget};
use crate::loihi_export::check::{CheckedMapping, check};
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::mapping::{CoreLimits, MapConfig, map};
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::models::{LoadOptions, load_model};
use crate::progress::Progress;
use crate::sim_core::engine::{EngineEntry, find_engine};
use crate::snn_convert::ann::{AnnGraph, Keep, map_batch};
use crate::snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun, Summary, summarise};
use crate::snn_convert::lower::Conversion;
use std::path::Path;

/// Reads a trained network whose file says everything; see [`load_model`].
///
/// # Errors
/// As [`load_model`].
pub fn read_model(path: &Path) -> Result<AnnGraph, Error> {
    load_model(path, &LoadOptions::default())
}

/// The engine of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn engine(name: &str) -> Result<EngineEntry, Error> {
    find_engine(name).ok_or_else(|| {
        let known: Vec<&str> =
            crate::sim_core::engine::ENGINES.iter().map(|entry| entry.name).collect();
        Error::Unknown {
            what: "engine",
            name: name.to_string(),
            known: crate::sim_core::diagnostics::known_names(name, &known),
        }
    })
}

/// Classes that the trained network gives, one a sample.
///
/// # Errors
/// [`Error::Ann`] where a sample does not fit the network.
pub fn ann_classes(graph: &AnnGraph, samples: &Samples) -> Result<Vec<usize>, Error> {
    let answer = Answer::of(graph);
    let kept = Keep::Nodes(std::slice::from_ref(&answer.node));
    Ok(map_batch(graph, &samples.values, kept, |_, activations| {
        let scores = activations.of(answer.node).unwrap_or_default();
        let scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        answer.read(&scores).0
    })?)
}

/// Share of samples whose class is right, in per cent.
pub fn accuracy(classes: &[usize], labels: &[usize]) -> f64 {
    let right = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
    100.0 * right as f64 / classes.len().max(1) as f64
}

/// What a converted network did on samples, on one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Each sample.
    pub runs: Vec<SampleRun>,
    /// Means over samples.
    pub summary: Summary,
}

/// Shows samples to a converted network.
///
/// # Errors
/// [`Error::Fidelity`].
pub fn evaluate(
    conversion: &Conversion,
    samples: &Samples,
    engine: EngineEntry,
    config: &FidelityConfig,
    progress: &dyn Progress,
) -> Result<Evaluation, Error> {
    let presenter = Presenter::new(conversion, config.clone())?;
    let all: Vec<&[f32]> = samples.iter().collect();
    progress.begin(&format!("{} engine", engine.name), all.len() as u64);
    let runs = presenter.show(&all, engine.start, &|| progress.advance());
    progress.end();
    let runs = runs?;
    let summary = summarise(&presenter, &runs, &samples.labels);
    Ok(Evaluation { runs, summary })
}

/// A network on a chip's cores.
#[derive(Debug)]
pub struct Mapped<'network> {
    /// The mapping, independently checked.
    pub checked: CheckedMapping<'network>,
    /// What it uses.
    pub budget: Budget,
}

/// Partitions, places, routes and checks.
///
/// # Errors
/// [`Error`] naming the limit and the population where the network does not fit.
pub fn map_to_chip<'network>(
    network: &'network QuantisedNetwork,
    chip: &ChipSpec,
    config: &MapConfig,
) -> Result<Mapped<'network>, Error> {
    let limits = CoreLimits::of_chip(chip)?;
    let mapping = map(network, &limits, config)?;
    let checked = check(network, &limits, mapping)?;
    let budget = budget(&checked);
    Ok(Mapped { checked, budget })
}
