//! Spikes of a source population from a file.
//!
//! The core opens no files: what reads a network file replaces this stimulus by a
//! [`SpikeList`](super::SpikeList) with the file's spikes.

use super::{Stimulate, StimulusEntry, Target};
use crate::network::ValidStimulus;
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "spike_file",
    summary: "spikes of a source population from a file: SONATA (HDF5), npz or CSV",
    keys: &["population", "path", "spikes"],
};

/// Spikes of a `spike_source` population from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeFile {
    /// The source population.
    pub population: String,
    /// The file, relative to the network file.
    pub path: String,
    /// Which population of a SONATA file; not needed where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spikes: Option<String>,
}

impl Stimulate for SpikeFile {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let message = format!("the spikes of `{}` have not been read", self.path);
        let help = "read the network from a file beside it, or list the spikes";
        target.wrong("file-not-read", "path", message, help);
        None
    }
}
