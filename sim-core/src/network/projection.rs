//! Projections: which neurons of one population reach which of another, how strongly, how late.

use super::Convolution;
use super::keys::ConnectivityKeys;
use crate::units::{Milliseconds, Values};
use serde::{Deserialize, Serialize};

/// The rule by which sources are connected to targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", try_from = "ConnectivityKeys")]
pub enum Connectivity {
    /// Source i reaches target i; both populations have the same size.
    OneToOne,
    /// Every source reaches every target.
    AllToAll {
        /// Whether a neuron reaches itself where source and target are one population.
        autapses: bool,
    },
    /// Every source reaches every target through a matrix of weights `[target, source]`, row-major.
    Dense,
    /// Every pair is connected with the same probability, drawn independently.
    FixedProbability {
        /// The probability, 0 to 1.
        probability: f64,
        /// Whether a neuron may reach itself where source and target are one population.
        autapses: bool,
    },
    /// A convolution; the weights are the shared kernel `[out, in / groups, height, width]`.
    Convolution(Convolution),
    /// Listed synapses; pairs may repeat.
    List {
        /// Source neuron of each synapse.
        sources: Vec<u32>,
        /// Target neuron of each synapse.
        targets: Vec<u32>,
    },
}

impl Connectivity {
    /// The rule's name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Connectivity::OneToOne => "one_to_one",
            Connectivity::AllToAll { .. } => "all_to_all",
            Connectivity::Dense => "dense",
            Connectivity::FixedProbability { .. } => "fixed_probability",
            Connectivity::Convolution(_) => "convolution",
            Connectivity::List { .. } => "list",
        }
    }
}

/// Synapses from one population to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// Name of the source population.
    pub source: String,
    /// Name of the target population.
    pub target: String,
    /// Receptor of the target model; the model's first where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receptor: Option<String>,
    /// Which neurons are connected.
    pub connectivity: Connectivity,
    /// Strength in the receptor's unit: one for all, or one each. Each means one a synapse for
    /// `list`, one a pair for `one_to_one`, the matrix for `dense`, the kernel for `convolution`.
    pub weight: Values,
    /// Time from a spike to its effect, whole steps, at least one; `list` may give one a synapse.
    pub delay: Values,
}

impl Projection {
    /// A projection with weight 1 and a delay of 1 ms, to be set with
    /// [`weight`](Self::weight) and [`delay`](Self::delay).
    pub fn new(
        source: impl Into<String>,
        target: impl Into<String>,
        connectivity: Connectivity,
    ) -> Self {
        Projection {
            source: source.into(),
            target: target.into(),
            receptor: None,
            connectivity,
            weight: 1.0.into(),
            delay: Milliseconds(1.0).into(),
        }
    }

    /// Sets the weight.
    #[must_use]
    pub fn weight(mut self, weight: impl Into<Values>) -> Self {
        self.weight = weight.into();
        self
    }

    /// Sets the delay.
    #[must_use]
    pub fn delay(mut self, delay: impl Into<Values>) -> Self {
        self.delay = delay.into();
        self
    }

    /// Names the receptor.
    #[must_use]
    pub fn receptor(mut self, receptor: impl Into<String>) -> Self {
        self.receptor = Some(receptor.into());
        self
    }
}
