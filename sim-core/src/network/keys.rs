//! The keys of tagged tables in files: which ones a kind of stimulus takes.
//!
//! serde reads a tagged enum through a buffer in which the places of errors are lost. Here all keys
//! of all variants are read directly, each at its place, and sorted by the tag afterwards.

use super::Stimulus;
use crate::units::{Milliseconds, Quantity, Values};
use serde::Deserialize;

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
