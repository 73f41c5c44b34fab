//! An independent check of a mapping: everything is computed again from the mapping alone.
//!
//! Slow and obvious on purpose: synapses are walked one target neuron at a time by the definition
//! of each projection, axons are counted one by one, and nothing of the stages' counters is used.
//! Only [`check`] makes a [`CheckedMapping`], and budget and exporters take nothing else.

mod counts;
mod routes;

use serde::Serialize;

use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::structure::check_structure;
use crate::mapping::{Mapping, Run, is_off_chip};
use crate::quantise::network::QuantisedNetwork;

/// A mapping that [`check`] found to keep every rule, with what it was checked against.
#[derive(Debug, Clone)]
pub struct CheckedMapping<'network> {
    network: &'network QuantisedNetwork,
    limits: CoreLimits,
    mapping: Mapping,
}

impl<'network> CheckedMapping<'network> {
    /// The network that is mapped.
    pub fn network(&self) -> &'network QuantisedNetwork {
        self.network
    }

    /// The limits that the mapping keeps.
    pub fn limits(&self) -> &CoreLimits {
        &self.limits
    }

    /// The mapping.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

/// A rule that a mapping can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The network's own indices and lengths fit together.
    NetworkStructure,
    /// The mapping was made for this network and chip.
    MadeForThis,
    /// Slices lie within a population that lives on chip, have neurons and a core.
    SliceRange,
    /// Each neuron on chip is in a slice.
    NeuronMissing,
    /// No neuron is in two slices.
    NeuronTwice,
    /// A core takes no more of a resource than it has.
    CoreLimit,
    /// Cores lie on the mesh, no two at the same place, no chip with more than it has.
    Placement,
    /// Cores with axons between them have exactly one route, others none.
    RouteExists,
    /// A route starts at its source, ends at its target and steps between neighbours.
    RoutePath,
    /// A route carries as many axons as there are.
    RouteAxons,
    /// Link loads are the sums over the routes.
    LinkLoad,
}

impl Rule {
    /// The stable code of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::NetworkStructure => "network_structure",
            Self::MadeForThis => "made_for_this",
            Self::SliceRange => "slice_range",
            Self::NeuronMissing => "neuron_missing",
            Self::NeuronTwice => "neuron_twice",
            Self::CoreLimit => "core_limit",
            Self::Placement => "placement",
            Self::RouteExists => "route_exists",
            Self::RoutePath => "route_path",
            Self::RouteAxons => "route_axons",
            Self::LinkLoad => "link_load",
        }
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Where: `cores/3`, `slices/7`, `populations/conv1`, `routes/2-5`.
    pub place: String,
    /// What is wrong, with the numbers.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]: {}", self.place, self.rule.code(), self.message)
    }
}

/// A mapping that breaks rules, with all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mapping breaks {} rule(s):{}", violations.len(), list(violations))]
pub struct CheckError {
    /// All broken rules, by rule in the order of [`Rule`].
    pub violations: Vec<Violation>,
}

/// Violations that the message of a [`CheckError`] spells out.
const LISTED: usize = 10;

fn list(violations: &[Violation]) -> String {
    let mut text: String = violations.iter().take(LISTED).map(|v| format!("\n  {v}")).collect();
    if violations.len() > LISTED {
        text.push_str(&format!("\n  and {} more", violations.len() - LISTED));
    }
    text
}

/// Checks a mapping against the network and the chip's limits.
///
/// # Errors
/// [`CheckError`] with every violation found.
pub fn check<'network>(
    network: &'network QuantisedNetwork,
    limits: &CoreLimits,
    mapping: Mapping,
) -> Result<CheckedMapping<'network>, CheckError> {
    let violations = violations(network, limits, &mapping);
    if violations.is_empty() {
        Ok(CheckedMapping { network, limits: limits.clone(), mapping })
    } else {
        Err(CheckError { violations })
    }
}

/// Every rule that a mapping breaks.
pub fn violations(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    mapping: &Mapping,
) -> Vec<Violation> {
    if let Err(error) = check_structure(network) {
        return vec![violation(Rule::NetworkStructure, "network", error.to_string())];
    }
    let mut found = Vec::new();
    for (what, made_for, given) in
        [("network", &mapping.network, &network.name), ("chip", &mapping.chip, &limits.chip)]
    {
        if made_for != given {
            let message = format!("made for `{made_for}` but checked against `{given}`");
            found.push(violation(Rule::MadeForThis, what, message));
        }
    }
    slice_ranges(network, mapping, &mut found);
    let owners = coverage(network, mapping, &mut found);
    let counts = counts::count(network, limits, mapping, &owners);
    core_limits(limits, &counts, &mut found);
    routes::placement(limits, mapping, &mut found);
    routes::routes(limits, mapping, &counts, &mut found);
    found.sort_by_key(|violation| violation.rule);
    found
}

fn violation(rule: Rule, place: impl Into<String>, message: String) -> Violation {
    Violation { rule, place: place.into(), message }
}

fn slice_ranges(network: &QuantisedNetwork, mapping: &Mapping, found: &mut Vec<Violation>) {
    for (index, slice) in mapping.slices.iter().enumerate() {
        let mut report =
            |message| found.push(violation(Rule::SliceRange, format!("slices/{index}"), message));
        let Some(population) = network.populations.get(slice.population) else {
            report(format!("population {} does not exist", slice.population));
            continue;
        };
        if is_off_chip(population) {
            report(format!("`{}` is an input and takes no core", population.name));
        }
        if slice.runs.is_empty() || slice.runs.iter().any(|run| run.length == 0) {
            report("has no neurons".to_owned());
        }
        let end = |run: &Run| u64::from(run.first) + u64::from(run.length);
        let (last, size) = (slice.runs.iter().map(end).max().unwrap_or(0), population.shape.size());
        if last > size {
            report(format!("ends at neuron {last}, `{}` has {size}", population.name));
        }
        if slice.runs.windows(2).any(|pair| end(&pair[0]) > pair[1].first.into()) {
            report("has runs of neurons that do not ascend".to_owned());
        }
        if slice.core as usize >= mapping.cores.len() {
            report(format!("is on core {}, {} are placed", slice.core, mapping.cores.len()));
        }
    }
}

/// For each population and neuron: the slices that hold it.
pub(super) type Owners = Vec<Vec<Vec<u32>>>;

/// Finds the owners of every neuron; on chip each must have exactly one.
fn coverage(network: &QuantisedNetwork, mapping: &Mapping, found: &mut Vec<Violation>) -> Owners {
    let mut owners: Owners = network
        .populations
        .iter()
        .map(|population| vec![Vec::new(); population.shape.size() as usize])
        .collect();
    for (index, slice) in (0u32..).zip(&mapping.slices) {
        let Some(neurons) = owners.get_mut(slice.population) else { continue };
        for run in &slice.runs {
            // only what exists is walked, whatever length a run states
            let range = run.range().start as usize..run.range().end as usize;
            let range = range.start.min(neurons.len())..range.end.min(neurons.len());
            neurons[range].iter_mut().for_each(|holders| holders.push(index));
        }
    }
    for (population, neurons) in network.populations.iter().zip(&owners) {
        if is_off_chip(population) {
            continue;
        }
        for (rule, broken) in [
            (Rule::NeuronMissing, neurons.iter().position(Vec::is_empty)),
            (Rule::NeuronTwice, neurons.iter().position(|holders| holders.len() > 1)),
        ] {
            let Some(first) = broken else { continue };
            let (count, holders) = match rule {
                Rule::NeuronMissing => {
                    (neurons.iter().filter(|h| h.is_empty()).count(), "no slice")
                }
                _ => (neurons.iter().filter(|h| h.len() > 1).count(), "more than one slice"),
            };
            let message = format!("{count} neuron(s), the first {first}, are in {holders}");
            found.push(violation(rule, format!("populations/{}", population.name), message));
        }
    }
    owners
}

fn core_limits(limits: &CoreLimits, counts: &counts::Counts, found: &mut Vec<Violation>) {
    let known = |resource| limits.limit(resource).map(|limit| (resource, limit));
    for (index, core) in counts.cores.iter().enumerate() {
        for (resource, limit) in Resource::ALL.into_iter().filter_map(known) {
            let used = core.get(&resource).copied().unwrap_or(0);
            if used > limit {
                let message = format!("{used} {resource}, a core has {limit}");
                found.push(violation(Rule::CoreLimit, format!("cores/{index}"), message));
            }
        }
    }
}
