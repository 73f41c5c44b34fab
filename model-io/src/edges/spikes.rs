//! Spikes of all populations of a file, or of one.

use super::{Content, EdgesError, choose, content, csv, reals, wrong};
use crate::array::Array;
use crate::npz;
use crate::sonata::{PopulationSpikes, Spikes, read_spikes};
use indexmap::IndexMap;
use std::path::Path;

/// The name of a population where the file has none.
pub const UNNAMED: &str = "spikes";

/// Reads the spikes of all populations; a file of one that names none has [`UNNAMED`].
///
/// # Errors
/// [`EdgesError`] with the place in the file.
pub fn read_spike_tables(path: &Path) -> Result<Spikes, EdgesError> {
    let spikes = match content(path)? {
        Content::Hdf5 => read_spikes(path)?,
        Content::Npz(arrays) => from_arrays(arrays)?,
        Content::Text(text) => from_text(&text)?,
    };
    for (name, own) in &spikes {
        let (times, neurons) = (own.timestamps.len(), own.node_ids.len());
        if times != neurons {
            return Err(wrong(name, format!("{times} times but {neurons} neurons")));
        }
        if let Some(at) = own.timestamps.iter().position(|time| !time.is_finite()) {
            return Err(wrong(name, format!("time {at} is {}", own.timestamps[at])));
        }
    }
    Ok(spikes)
}

/// Reads the spikes of one population; `population` chooses where the file has several.
///
/// # Errors
/// [`EdgesError`] with the place in the file.
pub fn read_spike_table(
    path: &Path,
    population: Option<&str>,
) -> Result<PopulationSpikes, EdgesError> {
    let mut all = read_spike_tables(path)?;
    let names: Vec<String> = all.keys().cloned().collect();
    let name = match names.as_slice() {
        [only] if only == UNNAMED => only,
        names => choose("spikes", names, population)?,
    };
    Ok(all.swap_remove(name).unwrap_or_default())
}

/// `times` and `neurons`, or a pair of them for each population.
fn from_arrays(mut arrays: IndexMap<String, Array>) -> Result<Spikes, EdgesError> {
    let names: Vec<String> = arrays
        .keys()
        .filter_map(|array| array.strip_suffix("/times"))
        .map(str::to_string)
        .collect();
    let mut take = |prefix: &str| {
        let (times, neurons) = (format!("{prefix}times"), format!("{prefix}neurons"));
        Ok::<_, EdgesError>(PopulationSpikes {
            timestamps: reals(npz::take(&mut arrays, &times)?, &times)?,
            node_ids: node_ids(reals(npz::take(&mut arrays, &neurons)?, &neurons)?, &neurons)?,
            size: None,
        })
    };
    if names.is_empty() {
        return Ok([(UNNAMED.to_string(), take("")?)].into_iter().collect());
    }
    names.into_iter().map(|name| Ok((name.clone(), take(&format!("{name}/"))?))).collect()
}

/// Columns `time` and `neuron`, and `population` where there are several.
fn from_text(text: &str) -> Result<Spikes, EdgesError> {
    let mut table = csv::read_with_texts(text, &["population"])?;
    let populations = table.take_texts("population");
    let (times, neurons) = (table.need("time")?, node_ids(table.need("neuron")?, "neuron")?);
    let Some(populations) = populations else {
        let own = PopulationSpikes { timestamps: times, node_ids: neurons, size: None };
        return Ok([(UNNAMED.to_string(), own)].into_iter().collect());
    };
    let mut spikes = Spikes::new();
    for ((population, time), neuron) in populations.into_iter().zip(times).zip(neurons) {
        let own = spikes.entry(population).or_default();
        own.timestamps.push(time);
        own.node_ids.push(neuron);
    }
    Ok(spikes)
}

fn node_ids(numbers: Vec<f64>, name: &str) -> Result<Vec<u64>, EdgesError> {
    Ok(csv::neurons(numbers, name)?.into_iter().map(u64::from).collect())
}
