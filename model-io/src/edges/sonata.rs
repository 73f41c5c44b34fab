//! Edges in the SONATA layout.
//!
//! Source: Dai et al., PLoS Computational Biology 16 (2020), doi:10.1371/journal.pcbi.1007696, and
//! the SONATA developer guide. Attributes of an edge lie in the group that `edge_group_id` names, at
//! the row that `edge_group_index` gives; without these two, in the group `0` in the order of edges.

use super::{Edges, EdgesError, choose, csv, reals, wrong};
use crate::hdf5::{self, Group, MemberKind};
use std::path::Path;

pub(super) fn read(path: &Path, population: Option<&str>) -> Result<Edges, EdgesError> {
    let all = hdf5::open(path)?.group("edges")?;
    let names: Vec<String> = all.member_names().map(str::to_owned).collect();
    let group = all.group(choose("edges", &names, population)?)?;
    let numbers = |name: &str| reals(group.read(name)?, &group.place_of(name));
    let sources = csv::neurons(numbers("source_node_id")?, "source_node_id")?;
    let targets = csv::neurons(numbers("target_node_id")?, "target_node_id")?;
    let places = places(&group, sources.len())?;
    let weights = attribute(&group, "syn_weight", &places)?;
    let delays = attribute(&group, "delay", &places)?;
    Ok(Edges { sources, targets, weights, delays })
}

/// What a SONATA file says of one population of edges beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgePopulation {
    /// Its name.
    pub name: String,
    /// Population of the sources, where stated.
    pub source: Option<String>,
    /// Population of the targets, where stated.
    pub target: Option<String>,
    /// Unit of the weights in the group `0`, where stated.
    pub weight_unit: Option<String>,
}

/// The populations of edges of a SONATA file.
///
/// # Errors
/// [`EdgesError`] with the place in the file.
pub fn edge_populations(path: &Path) -> Result<Vec<EdgePopulation>, EdgesError> {
    let all = hdf5::open(path)?.group("edges")?;
    let names: Vec<String> = all.member_names().map(str::to_owned).collect();
    names.into_iter().map(|name| stated_of(&all.group(&name)?, name)).collect()
}

fn stated_of(group: &Group, name: String) -> Result<EdgePopulation, EdgesError> {
    let has = |group: &Group, member: &str| group.kind(member) == Some(MemberKind::Array);
    let text = |group: &Group, member: &str, attribute: &str| match has(group, member) {
        false => Ok::<_, EdgesError>(None),
        true => {
            let stated = group.read_member_attribute(member, attribute)?;
            Ok(stated.and_then(|stated| stated.values.first_text().map(str::to_owned)))
        }
    };
    let weight_unit = match group.kind("0") {
        Some(MemberKind::Group) => text(&group.group("0")?, "syn_weight", "units")?,
        _ => None,
    };
    Ok(EdgePopulation {
        source: text(group, "source_node_id", "node_population")?,
        target: text(group, "target_node_id", "node_population")?,
        weight_unit,
        name,
    })
}

/// (group, row) of each edge's attributes.
fn places(group: &Group, count: usize) -> Result<Vec<(u32, u32)>, EdgesError> {
    let stated = |name: &str| group.kind(name) == Some(MemberKind::Array);
    if !stated("edge_group_id") || !stated("edge_group_index") {
        return Ok((0..count as u32).map(|row| (0, row)).collect());
    }
    let numbers =
        |name: &str| reals(group.read(name)?, name).and_then(|numbers| csv::neurons(numbers, name));
    let (groups, rows) = (numbers("edge_group_id")?, numbers("edge_group_index")?);
    if groups.len() != count || rows.len() != count {
        let reason = format!("{} and {} entries for {count} edges", groups.len(), rows.len());
        return Err(wrong("edge_group_id, edge_group_index", reason));
    }
    Ok(groups.into_iter().zip(rows).collect())
}

/// An attribute of all edges; `None` where no group has it.
fn attribute(
    group: &Group,
    name: &str,
    places: &[(u32, u32)],
) -> Result<Option<Vec<f64>>, EdgesError> {
    let mut ids: Vec<u32> = places.iter().map(|place| place.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut columns = Vec::with_capacity(ids.len());
    for id in &ids {
        let id = id.to_string();
        let column = match group.kind(&id) {
            Some(MemberKind::Group) => {
                let members = group.group(&id)?;
                match members.kind(name) {
                    Some(MemberKind::Array) => {
                        Some(reals(members.read(name)?, &members.place_of(name))?)
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        columns.push(column);
    }
    if columns.iter().all(Option::is_none) {
        return Ok(None);
    }
    let value = |&(id, row): &(u32, u32)| {
        let at = ids.binary_search(&id).ok();
        let column = at.and_then(|at| columns[at].as_ref());
        column.and_then(|column| column.get(row as usize)).copied().ok_or_else(|| {
            wrong(&group.place_of(name), format!("group {id} has no row {row} of `{name}`"))
        })
    };
    places.iter().map(value).collect::<Result<_, _>>().map(Some)
}
