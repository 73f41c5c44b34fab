//! The keys of tagged tables in files: which ones a connection rule or a kind of stimulus takes.
//!
//! serde reads a tagged enum through a buffer in which the places of errors are lost. Here all keys
//! of all variants are read directly, each at its place, and sorted by the tag afterwards.

use super::convolution::{one, ones};
use super::{Connectivity, Convolution, Stimulus};
use crate::units::{Milliseconds, Quantity, Values};
use serde::Deserialize;

/// The rules by name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    OneToOne,
    AllToAll,
    Dense,
    FixedProbability,
    Convolution,
    List,
}

/// All keys that some rule takes; see [`Connectivity`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectivityKeys {
    rule: Rule,
    autapses: Option<bool>,
    probability: Option<f64>,
    source: Option<[u32; 3]>,
    target: Option<[u32; 3]>,
    kernel: Option<[u32; 2]>,
    stride: Option<[u32; 2]>,
    padding: Option<[u32; 4]>,
    dilation: Option<[u32; 2]>,
    groups: Option<u32>,
    sources: Option<Vec<u32>>,
    targets: Option<Vec<u32>>,
}

/// The kinds of stimuli by name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    SpikeList,
    Poisson,
    ConstantCurrent,
}

/// All keys that some kind of stimulus takes; see [`Stimulus`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StimulusKeys {
    kind: Kind,
    population: String,
    neurons: Option<Vec<u32>>,
    times: Option<Values>,
    rate: Option<Values>,
    amplitude: Option<Values>,
    start: Option<Quantity>,
    stop: Option<Quantity>,
}

/// Why the keys do not fit the tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    /// A key that the variant needs is not there.
    #[error("missing field `{0}`")]
    Missing(&'static str),
    /// A key of another variant.
    #[error("`{variant}` does not take the key `{key}`; remove it, or choose another {tag}")]
    NotTaken {
        /// `rule` or `kind`.
        tag: &'static str,
        /// The tag's value.
        variant: &'static str,
        /// The key.
        key: &'static str,
    },
}

fn need<T>(value: Option<T>, key: &'static str) -> Result<T, KeyError> {
    value.ok_or(KeyError::Missing(key))
}

impl TryFrom<ConnectivityKeys> for Connectivity {
    type Error = KeyError;

    fn try_from(mut keys: ConnectivityKeys) -> Result<Self, KeyError> {
        let mut autapses = || keys.autapses.take().unwrap_or(true);
        let connectivity = match keys.rule {
            Rule::OneToOne => Connectivity::OneToOne,
            Rule::Dense => Connectivity::Dense,
            Rule::AllToAll => Connectivity::AllToAll { autapses: autapses() },
            Rule::FixedProbability => Connectivity::FixedProbability {
                autapses: autapses(),
                probability: need(keys.probability.take(), "probability")?,
            },
            Rule::Convolution => Connectivity::Convolution(Convolution {
                source: need(keys.source.take(), "source")?,
                target: need(keys.target.take(), "target")?,
                kernel: need(keys.kernel.take(), "kernel")?,
                stride: keys.stride.take().unwrap_or_else(ones),
                padding: keys.padding.take().unwrap_or_default(),
                dilation: keys.dilation.take().unwrap_or_else(ones),
                groups: keys.groups.take().unwrap_or_else(one),
            }),
            Rule::List => Connectivity::List {
                sources: need(keys.sources.take(), "sources")?,
                targets: need(keys.targets.take(), "targets")?,
            },
        };
        let left = [
            ("autapses", keys.autapses.is_some()),
            ("probability", keys.probability.is_some()),
            ("source", keys.source.is_some()),
            ("target", keys.target.is_some()),
            ("kernel", keys.kernel.is_some()),
            ("stride", keys.stride.is_some()),
            ("padding", keys.padding.is_some()),
            ("dilation", keys.dilation.is_some()),
            ("groups", keys.groups.is_some()),
            ("sources", keys.sources.is_some()),
            ("targets", keys.targets.is_some()),
        ];
        none_left("rule", connectivity.name(), &left)?;
        Ok(connectivity)
    }
}

impl TryFrom<StimulusKeys> for Stimulus {
    type Error = KeyError;

    fn try_from(mut keys: StimulusKeys) -> Result<Self, KeyError> {
        let population = std::mem::take(&mut keys.population);
        let (name, stimulus) = match keys.kind {
            Kind::SpikeList => (
                "spike_list",
                Stimulus::SpikeList {
                    population,
                    neurons: need(keys.neurons.take(), "neurons")?,
                    times: need(keys.times.take(), "times")?,
                },
            ),
            Kind::Poisson => {
                ("poisson", Stimulus::Poisson { population, rate: need(keys.rate.take(), "rate")? })
            }
            Kind::ConstantCurrent => (
                "constant_current",
                Stimulus::ConstantCurrent {
                    population,
                    amplitude: need(keys.amplitude.take(), "amplitude")?,
                    start: keys.start.take().unwrap_or_else(|| Milliseconds(0.0).into()),
                    stop: keys.stop.take(),
                },
            ),
        };
        let left = [
            ("neurons", keys.neurons.is_some()),
            ("times", keys.times.is_some()),
            ("rate", keys.rate.is_some()),
            ("amplitude", keys.amplitude.is_some()),
            ("start", keys.start.is_some()),
            ("stop", keys.stop.is_some()),
        ];
        none_left("kind", name, &left)?;
        Ok(stimulus)
    }
}

fn none_left(
    tag: &'static str,
    variant: &'static str,
    left: &[(&'static str, bool)],
) -> Result<(), KeyError> {
    match left.iter().find(|(_, given)| *given) {
        Some(&(key, _)) => Err(KeyError::NotTaken { tag, variant, key }),
        None => Ok(()),
    }
}
