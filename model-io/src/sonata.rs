//! Spike recordings in the SONATA layout (HDF5).
//!
//! `/spikes/<population>/timestamps` (f64, attribute `units` = "ms") and `node_ids` (u64), with the
//! group attribute `sorting`; the root has `magic` and `version`. Beside `sorting` an attribute
//! `population_size` of our own keeps how many neurons there are, the silent ones included.
//! Source: Dai et al., PLoS Computational Biology 16 (2020), doi:10.1371/journal.pcbi.1007696, and
//! the SONATA developer guide. The guide stores `sorting` as an enumeration; it is written as its
//! name here, and read as either.

use std::path::Path;

use indexmap::IndexMap;

use crate::array::{Array, Values};
use crate::atomic::{AtomicWriteError, write_atomically};
use crate::hdf5::{self, Group, GroupWriter, Hdf5Error, MemberKind, Storage};

/// The root attribute that marks SONATA files.
pub const MAGIC: u32 = 0x0A7A;
/// The version of the layout that is written.
pub const VERSION: [u32; 2] = [0, 1];
/// Our attribute of a population's size.
const SIZE: &str = "population_size";
/// Names of `sorting` in the order of the guide's enumeration.
const SORTINGS: [&str; 3] = ["none", "by_id", "by_time"];

/// The spikes of one population, one entry a spike.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PopulationSpikes {
    /// Times of the spikes in ms.
    pub timestamps: Vec<f64>,
    /// Indices of the neurons that spiked.
    pub node_ids: Vec<u64>,
    /// Neurons of the population, where it is known.
    pub size: Option<u64>,
}

/// Spikes by population.
pub type Spikes = IndexMap<String, PopulationSpikes>;

/// What is wrong with a spike file or with what should be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SonataError {
    /// The container is damaged, or a member is missing or of a wrong kind.
    #[error(transparent)]
    Container(#[from] Hdf5Error),
    /// The spikes of a population contradict themselves.
    #[error("/spikes/{population}: {reason}")]
    Population {
        /// The population.
        population: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

impl PopulationSpikes {
    /// Sorts by time, then by neuron.
    pub fn sort_by_time(&mut self) {
        let mut order: Vec<usize> = (0..self.timestamps.len().min(self.node_ids.len())).collect();
        order.sort_by(|&a, &b| {
            let times = self.timestamps[a].total_cmp(&self.timestamps[b]);
            times.then(self.node_ids[a].cmp(&self.node_ids[b]))
        });
        self.timestamps = order.iter().map(|&k| self.timestamps[k]).collect();
        self.node_ids = order.iter().map(|&k| self.node_ids[k]).collect();
    }

    fn check(&self, population: &str) -> Result<(), SonataError> {
        let fail = |reason| SonataError::Population { population: population.to_owned(), reason };
        let (times, nodes) = (self.timestamps.len(), self.node_ids.len());
        if times != nodes {
            return Err(fail(format!("{times} timestamps but {nodes} node_ids")));
        }
        match self.timestamps.iter().position(|t| !t.is_finite()) {
            Some(at) => Err(fail(format!("timestamp {at} is {}", self.timestamps[at]))),
            None => Ok(()),
        }
    }
}

/// Writes spikes sorted by time, whole or not at all; equal spikes give equal bytes.
///
/// # Errors
/// [`SonataError::Population`] for unequal lengths and times that are not finite, or why the file
/// could not be written.
pub fn write_spikes(
    path: &Path,
    spikes: &Spikes,
    overwrite: bool,
) -> Result<(), AtomicWriteError<SonataError>> {
    for (population, spikes) in spikes {
        spikes.check(population).map_err(AtomicWriteError::Content)?;
    }
    write_atomically(path, overwrite, |temporary| {
        let root = hdf5::create(temporary)?;
        root.write_attribute("magic", &Array::scalar(MAGIC))?;
        root.write_attribute("version", &Array::vector(VERSION.to_vec()))?;
        let all = root.create_group("spikes")?;
        for (population, spikes) in spikes {
            let mut spikes = spikes.clone();
            spikes.sort_by_time();
            let group = all.create_group(population)?;
            group.write_attribute("sorting", &Array::scalar("by_time".to_owned()))?;
            write_size(&group, spikes.size)?;
            let timestamps = Array::vector(spikes.timestamps);
            group.write("timestamps", &timestamps, Storage::Compressed)?;
            let units = Array::scalar("ms".to_owned());
            group.write_member_attribute("timestamps", "units", &units)?;
            group.write("node_ids", &Array::vector(spikes.node_ids), Storage::Compressed)?;
        }
        root.flush()?;
        Ok(())
    })
}

/// Keeps how many neurons a population has beside its spikes.
pub(crate) fn write_size(group: &GroupWriter, size: Option<u64>) -> Result<(), Hdf5Error> {
    match size {
        Some(size) => group.write_attribute(SIZE, &Array::scalar(size)),
        None => Ok(()),
    }
}

/// Reads the spikes of all populations, in the order of the file.
///
/// Files without populations (spikes directly in `/spikes`, as early SONATA had them) give one
/// population of the name `spikes`. Times in seconds are converted; without `units` they are ms.
///
/// # Errors
/// [`SonataError`] with the place in the file.
pub fn read_spikes(path: &Path) -> Result<Spikes, SonataError> {
    let all = hdf5::open(path)?.group("spikes")?;
    let mut spikes = Spikes::new();
    if all.kind("timestamps") == Some(MemberKind::Array) {
        spikes.insert("spikes".into(), read_population(&all, "node_ids", "spikes")?);
        return Ok(spikes);
    }
    for name in all.member_names() {
        let group = all.group(name)?;
        spikes.insert(name.to_owned(), read_population(&group, "node_ids", name)?);
    }
    Ok(spikes)
}

/// How a population's spikes are sorted: `none`, `by_id` or `by_time`; `None` where not stated.
///
/// # Errors
/// [`SonataError::Container`].
pub fn read_sorting(path: &Path, population: &str) -> Result<Option<String>, SonataError> {
    let group = hdf5::open(path)?.group("spikes")?.group(population)?;
    let Some(sorting) = group.read_attribute("sorting")? else {
        return Ok(None);
    };
    Ok(match &sorting.values {
        Values::Text(names) => names.first().cloned(),
        numbers => numbers.to_i64().and_then(|n| {
            let first = usize::try_from(*n.first()?).ok()?;
            SORTINGS.get(first).map(|&name| name.to_owned())
        }),
    })
}

fn read_population(
    group: &Group,
    nodes: &str,
    population: &str,
) -> Result<PopulationSpikes, SonataError> {
    let fail = |reason| SonataError::Population { population: population.to_owned(), reason };
    let numbers = |name: &str| group.read(name);
    let times = numbers("timestamps")?;
    let timestamps = times.values.to_f64().ok_or_else(|| fail("timestamps are texts".into()))?;
    let factor = match group.read_member_attribute("timestamps", "units")? {
        None => 1.0,
        Some(units) => match &units.values {
            Values::Text(texts) => match texts.first().map(String::as_str) {
                Some("ms" | "milliseconds" | "millisecond" | "") | None => 1.0,
                Some("s" | "seconds" | "second") => 1000.0,
                Some(other) => {
                    let reason = format!("timestamps are in `{other:.30}`; known: ms, s");
                    return Err(fail(reason));
                }
            },
            _ => return Err(fail("the attribute `units` is no text".into())),
        },
    };
    let nodes = numbers(nodes)?;
    let node_ids = match nodes.values {
        Values::U64(ids) => ids,
        other => {
            let whole = other.to_i64();
            let ids = whole.and_then(|v| v.into_iter().map(|n| u64::try_from(n).ok()).collect());
            ids.ok_or_else(|| fail("node_ids are not whole numbers of at least 0".into()))?
        }
    };
    // Multiplying by one keeps every bit, so times in ms are read exactly.
    let timestamps = timestamps.into_iter().map(|t| t * factor).collect();
    let size = group.read_attribute(SIZE)?;
    let size = size.and_then(|size| size.values.to_i64()?.first().copied());
    let size = size.and_then(|size| u64::try_from(size).ok());
    let spikes = PopulationSpikes { timestamps, node_ids, size };
    spikes.check(population)?;
    Ok(spikes)
}
