//! Random spikes of a source population, at most one a step.

use super::modulation::ValidModulation;
use super::train::{Running, Train};
use super::{Modulation, Stimulate, StimulusEntry, Target};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::random::{Purpose, draw, uniform};
use crate::time::{Grid, Time};
use crate::units::{Dimension, Values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "poisson",
    summary: "random spikes of a source population, at most one a step; the rate may change",
    keys: &["population", "rate", "modulation"],
};

/// Random spikes of a `spike_source` population: in each step of the grid every neuron spikes with
/// probability rate · modulation · dt (a Bernoulli process, Poisson in the limit of small steps).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// The source population.
    pub population: String,
    /// Rate: one for all, one a neuron, or a distribution; rate · dt must not exceed 1.
    pub rate: Values,
    /// How the rate changes over time; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulation: Option<Modulation>,
}

impl Poisson {
    /// Spikes at a constant rate.
    pub fn new(population: impl Into<String>, rate: impl Into<Values>) -> Self {
        Poisson { population: population.into(), rate: rate.into(), modulation: None }
    }
}

impl Stimulate for Poisson {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        if !target.is_source() {
            return None;
        }
        let modulation = Modulation::lower(self.modulation.as_ref(), target)?;
        let rate = target.each("rate", &self.rate, Dimension::Rate)?;
        let grid = target.population.neurons.grid;
        let (dt, factor) = (grid.dt(), modulation.largest());
        let probability = rate.map(|rate| rate * dt);
        let outside = |p: &&f64| !(0.0..=1.0).contains(&(**p * factor));
        if let Some(wrong) = probability.numbers().iter().find(outside) {
            let message = format!("rate · dt is {}", wrong * factor);
            let help = format!("rates lie from 0 to 1/dt = {} Hz", 1000.0 / dt);
            target.wrong("out-of-range", "rate", message, &help);
            return None;
        }
        let population = target.index;
        Some(match modulation {
            ValidModulation::None => ValidStimulus::Poisson { population, probability },
            modulation => {
                let size = target.population.size();
                let law = Modulated { probability, modulation, size, grid };
                let train = Arc::new(Arc::new(law));
                ValidStimulus::Train { population, train }
            }
        })
    }
}

#[derive(Debug)]
struct Modulated {
    probability: Column,
    modulation: ValidModulation,
    size: u32,
    grid: Grid,
}

impl Train for Arc<Modulated> {
    fn start(&self, seed: u64) -> Box<dyn Running> {
        Box::new(Steps { law: self.clone(), seed, next: 1 })
    }
}

#[derive(Debug)]
struct Steps {
    law: Arc<Modulated>,
    seed: u64,
    /// The next step.
    next: u64,
}

impl Running for Steps {
    fn next_time(&self) -> Option<Time> {
        Some(self.law.grid.time_of(self.next))
    }

    fn take(&mut self, until: Time, spikes: &mut Vec<(Time, u32)>) {
        while self.law.grid.time_of(self.next) <= until {
            let factor = self.law.modulation.factor(self.next);
            let time = self.law.grid.time_of(self.next);
            for neuron in 0..self.law.size {
                let words = draw(self.seed, Purpose::Poisson, neuron, self.next, 0);
                if uniform(words) < self.law.probability.get(neuron as usize) * factor {
                    spikes.push((time, neuron));
                }
            }
            self.next += 1;
        }
    }
}
