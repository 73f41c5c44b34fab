//! Recordings as files, and two recordings side by side.

use crate::analysis::{Trains, van_rossum, victor_purpura};
use crate::error::Error;
use crate::model_io::edges::{UNNAMED, read_spike_tables};
use crate::model_io::sniff::{self, Format};
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

/// Reads the spikes of a file: SONATA, npz or CSV, as a simulation records them.
///
/// # Errors
/// [`Error`] naming the file.
pub fn read(path: &Path) -> Result<Spikes, Error> {
    let found = sniff::detect(path)
        .map_err(|error| Error::Read { path: path.into(), reason: error.to_string() })?;
    // Texts of no known kind may be tables.
    let readable = [Format::SonataSpikes, Format::OtherHdf5, Format::Npz, Format::Unknown];
    if !readable.contains(&found) {
        return Err(Error::WrongFormat {
            path: path.into(),
            found: found.description().to_string(),
            needed: "a recording of spikes is needed here: SONATA, npz or CSV",
        });
    }
    read_spike_tables(path).map_err(|error| Error::from(error).in_file(path))
}

/// Reads two recordings. Where both have one population, and a file does not say what it is called, it is the other's.
fn read_both(first: &Path, second: &Path) -> Result<(Spikes, Spikes), Error> {
    let (mut a, mut b) = (read(first)?, read(second)?);
    let name_as = |unnamed: &mut Spikes, named: &Spikes| {
        if let (Some(own), [name]) =
            (unnamed.get(UNNAMED), named.keys().collect::<Vec<_>>().as_slice())
            && unnamed.len() == 1
        {
            *unnamed = Spikes::from_iter([((*name).clone(), own.clone())]);
        }
    };
    name_as(&mut a, &b);
    name_as(&mut b, &a);
    Ok((a, b))
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

/// Compares two recordings; the difference reported is the earliest in time.
///
/// # Errors
/// [`Error`] naming the file that cannot be read.
pub fn compare(first: &Path, second: &Path, tolerance_ms: f64) -> Result<Comparison, Error> {
    let (mut a, mut b) = read_both(first, second)?;
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

/// How far the trains of a population's neurons lie apart in two recordings, in the mean over its neurons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distances {
    /// The population.
    pub population: String,
    /// Its neurons.
    pub neurons: usize,
    /// Van Rossum's distance.
    pub van_rossum: f64,
    /// Victor and Purpura's distance; `None` where trains are too long for it.
    pub victor_purpura: Option<f64>,
}

/// The most pairs of spikes of a neuron that Victor and Purpura's distance is computed for.
const MOST_PAIRS: usize = 100_000_000;

/// The distances of two recordings, population by population: of van Rossum with the time constant
/// `tau` (ms), of Victor and Purpura with the cost of moving a spike by 1 ms.
///
/// # Errors
/// [`Error`] naming the file that cannot be read.
pub fn distances(
    first: &Path,
    second: &Path,
    tau: f64,
    cost: f64,
) -> Result<Vec<Distances>, Error> {
    let trains = |spikes: &Spikes| Trains::from_file(spikes, f64::NEG_INFINITY, f64::INFINITY);
    let (a, b) = read_both(first, second)?;
    let (a, b) = (trains(&a), trains(&b));
    let only_in_b = b.iter().filter(|own| a.iter().all(|other| other.population != own.population));
    let names = a.iter().chain(only_in_b).map(|own| &own.population);
    let of = |name: &String| {
        let find = |all: &[Trains]| {
            let found = all.iter().find(|own| own.population == *name);
            found.map(|own| own.neurons.clone()).unwrap_or_default()
        };
        let (x, y) = (find(&a), find(&b));
        let neurons = x.len().max(y.len());
        let trains = |index: usize| {
            let train = |all: &[Vec<f64>]| all.get(index).cloned().unwrap_or_default();
            (train(&x), train(&y))
        };
        let mean = |sum: f64| sum / neurons.max(1) as f64;
        let (mut rossum, mut purpura) = (0.0, Some(0.0));
        for (one, other) in (0..neurons).map(trains) {
            rossum += van_rossum(&one, &other, tau);
            let fits = one.len().saturating_mul(other.len()) <= MOST_PAIRS;
            purpura = purpura.filter(|_| fits).map(|sum| sum + victor_purpura(&one, &other, cost));
        }
        let (van_rossum, victor_purpura) = (mean(rossum), purpura.map(mean));
        Distances { population: name.clone(), neurons, van_rossum, victor_purpura }
    };
    Ok(names.map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_means_over_all_neurons_of_either_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, spikes: &[(f64, u64)]| {
            let own = PopulationSpikes {
                timestamps: spikes.iter().map(|spike| spike.0).collect(),
                node_ids: spikes.iter().map(|spike| spike.1).collect(),
                size: Some(4),
            };
            let path = folder.path().join(name);
            let all = Spikes::from_iter([("cells".to_string(), own)]);
            sonata::write_spikes(&path, &all, false).unwrap();
            path
        };
        let one = file("one.h5", &[(10.0, 0), (20.0, 1)]);
        let other = file("other.h5", &[(12.0, 0), (20.0, 1), (30.0, 3)]);
        let same = &distances(&one, &one, 10.0, 0.1).unwrap()[0];
        assert_eq!((same.van_rossum, same.victor_purpura), (0.0, Some(0.0)));
        let found = &distances(&one, &other, 10.0, 0.1).unwrap()[0];
        assert_eq!((found.population.as_str(), found.neurons), ("cells", 4));
        // One spike is moved by 2 ms, one is added.
        assert!((found.victor_purpura.unwrap() - (0.2 + 1.0) / 4.0).abs() < 1e-12, "{found:?}");
        let moved = (1.0 - (-0.2_f64).exp()).sqrt();
        assert!((found.van_rossum - (moved + 0.5_f64.sqrt()) / 4.0).abs() < 1e-12, "{found:?}");
    }
}
