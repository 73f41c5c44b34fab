//! Spikes of a source population at given times.

use super::{Stimulate, StimulusEntry, Target};
use crate::network::ValidStimulus;
use crate::time::Time;
use crate::units::{Dimension, Values};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "spike_list",
    summary: "spikes of a source population at listed times",
    keys: &["population", "neurons", "times"],
};

/// Spikes of a `spike_source` population at given times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeList {
    /// The source population.
    pub population: String,
    /// The neuron of each spike.
    pub neurons: Vec<u32>,
    /// The time of each spike, above zero.
    pub times: Values,
}

impl Stimulate for SpikeList {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        if !target.is_source() {
            return None;
        }
        let path = target.key("times");
        let column = target.context.column(&path, &self.times, Dimension::Time)?;
        let count = self.neurons.len() as u64;
        if !target.context.count(&path, &column, count, "spikes") {
            return None;
        }
        let size = target.population.size();
        if let Some(neuron) = self.neurons.iter().find(|&&neuron| neuron >= size) {
            let message = format!("there is no neuron {neuron} in {size} neurons");
            let help = "neurons are counted from 0 within their population";
            target.wrong("unknown-neuron", "neurons", message, help);
            return None;
        }
        let grid = target.population.neurons.grid;
        let mut spikes = Vec::with_capacity(self.neurons.len());
        for (at, &neuron) in self.neurons.iter().enumerate() {
            let time = column.get(at);
            match Time::from_milliseconds(time).filter(|&time| time > Time::ZERO) {
                Some(time) => spikes.push((grid.nearest(time), neuron)),
                None => {
                    let message = format!("spike {at} has the time {time} ms");
                    let help = "spike times lie above zero and below 2.5 hours";
                    target.wrong("out-of-range", "times", message, help);
                    return None;
                }
            }
        }
        spikes.sort_unstable();
        let before = spikes.len();
        spikes.dedup();
        if spikes.len() < before {
            let repeated = before - spikes.len();
            let message = format!("{repeated} spikes repeat the neuron and time of another");
            let help = "a neuron spikes at most once at a time: remove the repetitions";
            target.wrong("repeated-spike", "times", message, help);
            return None;
        }
        Some(ValidStimulus::SpikeList { population: target.index, spikes })
    }
}
