//! What lies in the SONATA layout: spikes, edges, samples of state variables; and our weights beside them.

use super::{Content, extents};
use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::edges::{EdgePopulation, EdgesError, edge_populations, read_edges};
use crate::model_io::hdf5::{self as container, Group, Hdf5Error, MemberKind};
use crate::model_io::sonata;
use serde_json::json;
use std::path::Path;

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Read { path: path.into(), reason: error.to_string() }
}

/// Populations of a spike recording.
pub(super) fn spikes(path: &Path) -> Result<Content, Error> {
    let spikes = sonata::read_spikes(path).map_err(|error| Error::from(error).in_file(path))?;
    let total: usize = spikes.values().map(|own| own.timestamps.len()).sum();
    let mut range: Option<(f64, f64)> = None;
    let mut listing = Listing::new(
        "Populations",
        &["population", "neurons", "spikes", "active", "first_ms", "last_ms"],
    );
    for (name, own) in &spikes {
        let times = own.timestamps.iter().copied().filter(|time| time.is_finite());
        let own_range = times.fold(None, |range: Option<(f64, f64)>, time| {
            let (first, last) = range.unwrap_or((time, time));
            Some((first.min(time), last.max(time)))
        });
        if let Some((first, last)) = own_range {
            let (low, high) = range.unwrap_or((first, last));
            range = Some((low.min(first), high.max(last)));
        }
        let mut active = own.node_ids.clone();
        active.sort_unstable();
        active.dedup();
        listing.rows.push(vec![
            json!(name),
            json!(own.size),
            json!(own.timestamps.len()),
            json!(active.len()),
            json!(own_range.map(|range| range.0)),
            json!(own_range.map(|range| range.1)),
        ]);
    }
    Ok(Content::default()
        .fact("spikes", total)
        .fact("first_ms", json!(range.map(|range| range.0)))
        .fact("last_ms", json!(range.map(|range| range.1)))
        .list("populations", listing))
}

/// Populations of a SONATA file of edges.
pub(super) fn edges(path: &Path) -> Result<Content, Error> {
    let in_file = |error: EdgesError| unreadable(path, &error);
    let mut listing = Listing::new(
        "Populations",
        &["population", "source", "target", "synapses", "weight_unit", "weights", "delays_ms"],
    );
    let mut total = 0;
    for population in edge_populations(path).map_err(in_file)? {
        let EdgePopulation { name, source, target, weight_unit } = population;
        let edges = read_edges(path, Some(&name)).map_err(in_file)?;
        total += edges.sources.len();
        listing.rows.push(vec![
            json!(name),
            json!(source),
            json!(target),
            json!(edges.sources.len()),
            json!(weight_unit),
            json!(edges.weights.as_deref().and_then(range)),
            json!(edges.delays.as_deref().and_then(range)),
        ]);
    }
    Ok(Content::default().fact("synapses", total).list("populations", listing))
}

/// The smallest and the largest number as text; `None` where there are none.
fn range(values: &[f64]) -> Option<String> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some(if low == high { low.to_string() } else { format!("{low} to {high}") })
}

/// Samples of state variables, or of weights: what they are of, how many and from when to when.
pub(super) fn samples(path: &Path) -> Result<Content, Error> {
    let in_file = |error: Hdf5Error| unreadable(path, &error);
    let root = container::open(path).map_err(in_file)?;
    let mut listing = Listing::new("Samples", &["of", "name", "shape", "unit", "time_ms"]);
    for (what, root_group, time_group) in
        [("population", "report", Some("mapping")), ("projection", "weights", None)]
    {
        if root.kind(root_group) != Some(MemberKind::Group) {
            continue;
        }
        let all = root.group(root_group).map_err(in_file)?;
        for name in all.member_names() {
            let group = all.group(name).map_err(in_file)?;
            let times = match time_group {
                Some(inner) => course(&group.group(inner).map_err(in_file)?, true),
                None => course(&group, false),
            };
            let unit = group.read_member_attribute("data", "units").map_err(in_file)?;
            listing.rows.push(vec![
                json!(what),
                json!(name),
                json!(extents(&group.shape("data").map_err(in_file)?)),
                json!(unit.as_ref().and_then(|unit| unit.values.first_text())),
                json!(times.map_err(in_file)?),
            ]);
        }
    }
    Ok(Content::default().fact("sets", listing.rows.len()).list("samples", listing))
}

/// From when to when: `time` holds begin, end and interval, or every time.
fn course(group: &Group, bounds: bool) -> Result<Option<String>, Hdf5Error> {
    let times = group.read("time")?.values.to_f64().unwrap_or_default();
    Ok(match (times.as_slice(), bounds) {
        ([begin, end, interval], true) => Some(format!("{begin} to {end}, every {interval}")),
        ([first, .., last], false) => Some(format!("{first} to {last}")),
        ([only], false) => Some(only.to_string()),
        _ => None,
    })
}
