//! Synapse rules: how a synapse's strength changes with the spikes on its two sides.
//!
//! Three kinds, which a projection may combine: **short-term** plasticity scales what one spike
//! releases, **long-term** plasticity changes the weight with each pair of spikes, **homeostasis**
//! changes all weights of a neuron together, now and then. A rule is one file with a
//! [`SynapseRule`] and one line in [`RULES`].
//!
//! # Times
//! A projection's delay d has a dendritic part d_d (the whole delay, where nothing is said) and an
//! axonal part d − d_d. At the synapse a presynaptic spike of time t happens at t + d − d_d, a
//! postsynaptic one at t + d_d (Morrison, Diesmann and Gerstner 2008, Biol. Cybern. 98:459, section
//! 3.2.1). Pairs are taken in synapse time: a postsynaptic spike that coincides with a presynaptic one
//! counts as earlier for the potentiation and as later for the depression, as in NEST.
//!
//! Long-term rules are brought up to date when a presynaptic spike is delivered, from a short
//! history of postsynaptic spikes ([`Learning`]).

mod centred;
mod history;
mod learning;
pub mod reward_modulated_stdp;
mod row;
mod rule;
pub mod stdp_additive;
pub mod stdp_guetig;
pub mod stdp_multiplicative;
pub mod stdp_power_law;
pub mod stdp_triplet;
pub mod synaptic_scaling;
pub mod tsodyks_markram;
pub mod tsodyks_markram_two;
pub mod vogels_sprekeler;
pub mod weight_normalisation;

pub use learning::{Kernel, Learning, Trace};
pub use rule::{
    Homeostasis, LongTerm, Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, Segment,
    ShortTerm, SynapseRule, Unit,
};

/// All rules, in the order in which lists show them.
pub static RULES: &[&dyn SynapseRule] = &[
    &tsodyks_markram::Rule,
    &tsodyks_markram_two::Rule,
    &stdp_additive::Rule,
    &stdp_multiplicative::Rule,
    &stdp_guetig::Rule,
    &stdp_power_law::Rule,
    &stdp_triplet::Rule,
    &vogels_sprekeler::Rule,
    &reward_modulated_stdp::Rule,
    &synaptic_scaling::Rule,
    &weight_normalisation::Rule,
];

/// The rule of this name.
pub fn find_rule(name: &str) -> Option<&'static dyn SynapseRule> {
    RULES.iter().copied().find(|rule| rule.spec().name == name)
}

/// The names of all rules.
pub fn rule_names() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.spec().name).collect()
}
