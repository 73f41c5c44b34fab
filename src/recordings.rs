//! Recordings as files, and two recordings side by side.

use crate::error::Error;
use crate::model_io::sonata::{self, PopulationSpikes, Spikes};
use crate::sim_core::recording::Recording;
use serde::Serialize;
use std::path::Path;

/// The spikes of a recording by population, neurons counted within each.
pub fn to_sonata(recording: &Recording) -> Spikes {
    let mut spikes = Spikes::new();
    for population in &recording.populations {
        let range = population.first..population.first + population.size;
        let own = recording.spikes.iter().filter(|spike| range.contains(&spike.neuron));
        let (timestamps, node_ids) = own
            .map(|spike| (spike.time.milliseconds(), u64::from(spike.neuron - population.first)))
            .unzip();
        let size = Some(u64::from(population.size));
        spikes.insert(population.name.clone(), PopulationSpikes { timestamps, node_ids, size });
    }
    spikes
}

/// Writes the spikes of a recording, whole or not at all.
///
/// # Errors
/// [`Error::Write`].
pub fn write(recording: &Recording, path: &Path, overwrite: bool) -> Result<(), Error> {
    sonata::write_spikes(path, &to_sonata(recording), overwrite)?;
    Ok(())
}

/// One spike of a recording file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSpike {
    /// Time in milliseconds.
    pub time_ms: f64,
    /// Neuron within its population.
    pub neuron: u64,
}

/// How two recordings compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Whether all spikes agree.
    pub equal: bool,
    /// Spikes of the first and of the second.
    pub spikes: [usize; 2],
    /// The population of the first differing spike.
    pub population: Option<String>,
    /// Position of that spike in the population's time order.
    pub position: Option<usize>,
    /// What the first recording has there.
    pub first: Option<FileSpike>,
    /// What the second recording has there.
    pub second: Option<FileSpike>,
}

/// Compares two SONATA recordings; the difference reported is the earliest in time.
///
/// # Errors
/// [`Error`] naming the file that cannot be read.
pub fn compare(first: &Path, second: &Path, tolerance_ms: f64) -> Result<Comparison, Error> {
    let read = |path: &Path| sonata::read_spikes(path).map_err(|e| Error::from(e).in_file(path));
    let (mut a, mut b) = (read(first)?, read(second)?);
    let mut names: Vec<String> = a.keys().chain(b.keys()).cloned().collect();
    names.dedup();
    let total = |spikes: &Spikes| spikes.values().map(|own| own.timestamps.len()).sum();
    let mut comparison = Comparison {
        equal: true,
        spikes: [total(&a), total(&b)],
        population: None,
        position: None,
        first: None,
        second: None,
    };
    let mut earliest = f64::INFINITY;
    for name in names {
        let own = |spikes: &mut Spikes| {
            let mut own = spikes.swap_remove(&name).unwrap_or_default();
            own.sort_by_time();
            own
        };
        let (x, y) = (own(&mut a), own(&mut b));
        let at = |spikes: &PopulationSpikes, position: usize| {
            let time_ms = *spikes.timestamps.get(position)?;
            Some(FileSpike { time_ms, neuron: *spikes.node_ids.get(position)? })
        };
        let length = x.timestamps.len().max(y.timestamps.len());
        let differs = |&position: &usize| match (at(&x, position), at(&y, position)) {
            (Some(p), Some(q)) => {
                p.neuron != q.neuron || (p.time_ms - q.time_ms).abs() > tolerance_ms
            }
            _ => true,
        };
        let Some(position) = (0..length).find(differs) else { continue };
        let (p, q) = (at(&x, position), at(&y, position));
        let time = [&p, &q].into_iter().flatten().map(|spike| spike.time_ms);
        let time = time.fold(f64::INFINITY, f64::min);
        comparison.equal = false;
        if time < earliest {
            earliest = time;
            comparison.population = Some(name);
            comparison.position = Some(position);
            (comparison.first, comparison.second) = (p, q);
        }
    }
    Ok(comparison)
}
