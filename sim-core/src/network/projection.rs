//! Projections: which neurons of one population reach which of another, how strongly, how late.

use super::Plasticity;
use crate::connectivity::Connectivity;
use crate::units::{Milliseconds, Values};
use serde::{Deserialize, Serialize};

/// Synapses from one population to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ProjectionKeys")]
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
    /// Strength in the receptor's unit: one for all, one each, or a distribution. Each means one a
    /// synapse for `list` and `csr`, one a pair for `one_to_one`, the matrix for `dense`, the kernel
    /// for `convolution`. Those of a `file` take its place, and need not be given then (an empty list).
    pub weight: Values,
    /// Time from a spike to its effect, whole steps, at least one; where weights may be one each,
    /// so may delays. Delays from a distribution are rounded to whole steps.
    pub delay: Values,
    /// How much of its weight a synapse releases, spike by spike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_term: Option<Plasticity>,
    /// How weights change with pairs of spikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plasticity: Option<Plasticity>,
    /// How all weights of a neuron change together, now and then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homeostasis: Option<Plasticity>,
}

/// The keys of a projection in a file: weights and delays may stand in a file of synapses instead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectionKeys {
    source: String,
    target: String,
    #[serde(default)]
    receptor: Option<String>,
    connectivity: Connectivity,
    #[serde(default)]
    weight: Option<Values>,
    #[serde(default)]
    delay: Option<Values>,
    #[serde(default)]
    short_term: Option<Plasticity>,
    #[serde(default)]
    plasticity: Option<Plasticity>,
    #[serde(default)]
    homeostasis: Option<Plasticity>,
}

impl TryFrom<ProjectionKeys> for Projection {
    type Error = String;

    fn try_from(keys: ProjectionKeys) -> Result<Self, String> {
        let from_file = matches!(keys.connectivity, Connectivity::File(_));
        let given = |values: Option<Values>, key: &str| match values {
            None if from_file => Ok(Values::numbers(Vec::new())),
            None => Err(format!("missing field `{key}`")),
            Some(values) => Ok(values),
        };
        Ok(Projection {
            weight: given(keys.weight, "weight")?,
            delay: given(keys.delay, "delay")?,
            source: keys.source,
            target: keys.target,
            receptor: keys.receptor,
            connectivity: keys.connectivity,
            short_term: keys.short_term,
            plasticity: keys.plasticity,
            homeostasis: keys.homeostasis,
        })
    }
}

impl Projection {
    /// A projection with weight 1 and a delay of 1 ms, to be set with
    /// [`weight`](Self::weight) and [`delay`](Self::delay).
    pub fn new(
        source: impl Into<String>,
        target: impl Into<String>,
        connectivity: impl Into<Connectivity>,
    ) -> Self {
        Projection {
            source: source.into(),
            target: target.into(),
            receptor: None,
            connectivity: connectivity.into(),
            weight: 1.0.into(),
            delay: Milliseconds(1.0).into(),
            short_term: None,
            plasticity: None,
            homeostasis: None,
        }
    }

    /// Sets the short-term rule.
    #[must_use]
    pub fn short_term(mut self, rule: Plasticity) -> Self {
        self.short_term = Some(rule);
        self
    }

    /// Sets the long-term rule.
    #[must_use]
    pub fn plasticity(mut self, rule: Plasticity) -> Self {
        self.plasticity = Some(rule);
        self
    }

    /// Sets the homeostatic rule.
    #[must_use]
    pub fn homeostasis(mut self, rule: Plasticity) -> Self {
        self.homeostasis = Some(rule);
        self
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
