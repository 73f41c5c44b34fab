//! Rules of connectivity: which neurons of one population reach which of another.
//!
//! A rule is one file with a type (its keys in files), its [`RuleEntry`], a [`Rule`] and a line in
//! [`RULES`]. Every rule has one form, [`Rows`]: a list of partners for each neuron of one end, a
//! function of (seed, name of the projection, neuron). So rows can be drawn by any number of threads
//! in any order, drawn again instead of kept, and do not change when other projections come or go.
//!
//! What all rules have in common: **autapses** (a neuron reaching itself, where source and target are
//! one population) and **multapses** (several synapses between one pair) are allowed unless switched
//! off.

mod all_to_all;
mod convolution;
mod csr;
mod dense;
mod file;
mod fixed_in_degree;
mod fixed_out_degree;
mod fixed_probability;
mod fixed_total;
mod list;
mod mask;
mod one_to_one;
mod partners;
mod small_world;
mod spatial;

pub use all_to_all::AllToAll;
pub use csr::Csr;
pub use dense::Dense;
pub use file::EdgeFile;
pub use fixed_in_degree::FixedInDegree;
pub use fixed_out_degree::FixedOutDegree;
pub use fixed_probability::FixedProbability;
pub use fixed_total::FixedTotal;
pub use list::List;
pub use mask::{BallMask, BoxMask, EllipsoidMask, Mask};
pub use one_to_one::OneToOne;
pub use small_world::SmallWorld;
pub use spatial::Spatial;

use crate::diagnostics::Findings;
use crate::network::positions::{ValidPositions, length};
use crate::tagged::tagged_registry;
use std::sync::Arc;

/// A rule in the registry.
#[derive(Debug, Clone, Copy)]
pub struct RuleEntry {
    /// Name in files.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its keys in files, besides `rule`.
    pub keys: &'static [&'static str],
}

tagged_registry! {
    /// The rule by which sources are connected to targets.
    pub enum Connectivity: Rule, tagged "rule", like "a table such as { rule = \"one_to_one\" }";
    /// All rules, in the order in which lists show them.
    pub static RULES: [RuleEntry];
    /// Source i reaches target i; both populations have the same size.
    OneToOne = one_to_one::OneToOne,
    /// Every source reaches every target.
    AllToAll = all_to_all::AllToAll,
    /// Every source reaches every target through a matrix of weights `[target, source]`, row-major.
    Dense = dense::Dense,
    /// Every pair is connected with the same probability, drawn independently.
    FixedProbability = fixed_probability::FixedProbability,
    /// Every target has the same number of synapses, from sources drawn uniformly.
    FixedInDegree = fixed_in_degree::FixedInDegree,
    /// Every source has the same number of synapses, to targets drawn uniformly.
    FixedOutDegree = fixed_out_degree::FixedOutDegree,
    /// A number of synapses in all, between pairs drawn uniformly.
    FixedTotal = fixed_total::FixedTotal,
    /// Every pair is connected with a probability that depends on where the two lie.
    Spatial = spatial::Spatial,
    /// A ring of neighbours with some synapses rewired at random.
    SmallWorld = small_world::SmallWorld,
    /// A convolution; the weights are the shared kernel `[out, in / groups, height, width]`.
    Convolution = convolution::Convolution,
    /// Listed synapses (coordinates); pairs may repeat.
    List = list::List,
    /// Listed synapses in compressed rows.
    Csr = csr::Csr,
    /// Synapses that stand in a file of their own.
    File = file::EdgeFile,
}

/// The two ends of a projection.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Neurons of the source population.
    pub sources: u32,
    /// Neurons of the target population.
    pub targets: u32,
    /// Whether both are one population.
    pub recurrent: bool,
    /// Where the neurons of both lie, where that is known.
    pub positions: Option<(Arc<ValidPositions>, Arc<ValidPositions>)>,
}

impl Ends {
    /// The number of pairs, with or without those of a neuron and itself.
    pub fn pairs(&self, autapses: bool) -> u64 {
        let pairs = u64::from(self.sources) * u64::from(self.targets);
        match autapses || !self.recurrent {
            true => pairs,
            false => pairs - u64::from(self.sources),
        }
    }

    /// The way from a source to a target; none where no positions are known.
    pub fn displacement(&self, source: u32, target: u32) -> [f64; 3] {
        let way = |(from, to): &(Arc<ValidPositions>, Arc<ValidPositions>)| {
            from.displacement(source, to, target)
        };
        self.positions.as_ref().map(way).unwrap_or_default()
    }

    /// The distance between a source and a target; 0 where no positions are known.
    pub fn distance(&self, source: u32, target: u32) -> f64 {
        length(self.displacement(source, target))
    }
}

/// How many weights a projection may list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// None: one for all, or a distribution.
    No,
    /// One for all, a distribution, or so many, of this.
    May(u64, &'static str),
    /// A distribution or so many, of this; one for all is surely a mistake.
    Must(u64, &'static str),
}

/// What a rule does.
pub trait Rule: std::fmt::Debug {
    /// What is wrong with the rule between these ends.
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>);

    /// How many weights may be listed.
    fn listed_weights(&self, _ends: &Ends) -> Listed {
        Listed::No
    }

    /// How many delays may be listed.
    fn listed_delays(&self, _ends: &Ends) -> Listed {
        Listed::No
    }

    /// The number of synapses; the expected one where they are drawn.
    fn expected_synapses(&self, ends: &Ends) -> u64;

    /// The synapses, row by row; `seed` is the projection's own ([`crate::random::named_seed`]).
    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r>;
}

/// An end of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The source population.
    Source,
    /// The target population.
    Target,
}

/// The other end of a synapse of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner {
    /// The neuron, local to its population.
    pub neuron: u32,
    /// Which of the listed weights and delays are its own.
    pub listed: u64,
}

/// The synapses of a projection as rows: one row for each neuron of one end.
///
/// A row is a function of its number alone: it may be asked for in any order, by any thread, and
/// again. The position of a synapse in its row counts the draws of its weight and delay.
pub trait Rows: Sync {
    /// The end whose neurons number the rows.
    fn end(&self) -> End {
        End::Source
    }

    /// Appends the partners of neuron `row`.
    fn row(&self, row: u32, partners: &mut Vec<Partner>);
}

/// Rows by source whose partners have no listed weights.
struct BySource<F>(F);

impl<F: Fn(u32, &mut Vec<Partner>) + Sync> Rows for BySource<F> {
    fn row(&self, row: u32, partners: &mut Vec<Partner>) {
        (self.0)(row, partners);
    }
}

/// Rows by target.
struct ByTarget<F>(F);

impl<F: Fn(u32, &mut Vec<Partner>) + Sync> Rows for ByTarget<F> {
    fn end(&self) -> End {
        End::Target
    }

    fn row(&self, row: u32, partners: &mut Vec<Partner>) {
        (self.0)(row, partners);
    }
}

impl Partner {
    /// A partner without a listed weight.
    fn plain(neuron: u32) -> Partner {
        Partner { neuron, listed: 0 }
    }
}

/// The default of the switches `autapses` and `multapses`.
fn allowed() -> bool {
    true
}

/// Autapses can be switched off only where there may be some.
fn check_autapses(autapses: bool, ends: &Ends, findings: &mut Findings<'_>) {
    if !autapses && !ends.recurrent {
        findings.wrong(
            "no-autapses",
            "",
            "autapses are switched off between two different populations",
            "remove the switch: only a population connected to itself has autapses",
        );
    }
}

/// Reports a probability outside 0 to 1.
fn check_probability(key: &str, probability: f64, findings: &mut Findings<'_>) {
    if !(0.0..=1.0).contains(&probability) {
        let message = format!("{key} {probability}");
        findings.wrong("out-of-range", key, message, "give a number from 0 to 1");
    }
}

/// Reports neurons of a list that a population does not have.
fn check_neurons(side: &str, key: &str, list: &[u32], size: u32, findings: &mut Findings<'_>) {
    if let Some(at) = list.iter().position(|&neuron| neuron >= size) {
        findings.wrong(
            "unknown-neuron",
            key,
            format!("synapse {at} has {side} {}, the population has {size}", list[at]),
            "neurons are counted from 0 within their population",
        );
    }
}

#[cfg(test)]
mod tests;
