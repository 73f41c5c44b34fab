//! What a converted network does: accuracy against steps, spikes and synaptic operations.

mod count;
mod decide;
mod present;

pub use present::Presenter;

use serde::Serialize;
use sim_core::connectome::{CompileConfig, CompileError};
use sim_core::diagnostics::Problems;
use sim_core::engine::EngineError;
use sim_core::recording::{Recording, Spike};

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct FidelityConfig {
    /// Numbers of steps at which the class is read, ascending.
    pub steps: Vec<u32>,
    /// Seed of random input codes; sample i draws from seed + i.
    pub seed: u64,
    /// What the connectome may take.
    pub compile: CompileConfig,
}

/// What one sample did.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRun {
    /// Class at each number of steps.
    pub classes: Vec<usize>,
    /// Scores at the largest number of steps.
    pub scores: Vec<f64>,
    /// Scores at each number of steps.
    pub scores_at: Vec<Vec<f64>>,
    /// Steps that the read-out needed of each number of steps.
    pub steps_used: Vec<u32>,
    /// Spikes of all populations but the input up to each number of steps; a burst of n counts n.
    pub spikes: Vec<u64>,
    /// Synaptic operations up to each number of steps, input spikes included.
    pub synaptic_operations: Vec<u64>,
    /// Spikes of each population up to the largest number of steps.
    pub population_spikes: Vec<u64>,
    /// Neurons whose activation was larger than their code can express.
    pub saturated: u64,
    /// A digest of all spikes, to compare engines; where spikes are only counted, of counts and scores.
    pub digest: u64,
}

/// Why a converted network does not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FidelityError {
    /// The description is not valid.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// It does not fit.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A sample of the wrong size.
    #[error("sample {sample} has {got} values; the network takes {needed}")]
    SampleSize {
        /// Index of the sample.
        sample: usize,
        /// Values that the network takes.
        needed: usize,
        /// Values given.
        got: usize,
    },
    /// A value that the input code cannot express.
    #[error(
        "sample {sample} has the value {value} at {position}: the input code needs values from 0 \
         to 1; scale the data, or use the code constant_current"
    )]
    InputRange {
        /// Index of the sample.
        sample: usize,
        /// Position of the value.
        position: usize,
        /// The value.
        value: f32,
    },
    /// No step numbers, or none above zero.
    #[error("give ascending numbers of steps, each at least 1")]
    Steps,
}

/// The position of the largest score, the first of equals.
pub fn largest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

/// The class that scores mean: the largest; a single score is that of class 1 against class 0, and
/// decides by its sign.
pub fn class_of(scores: &[f64]) -> usize {
    match scores {
        &[score] => usize::from(score > 0.0),
        _ => largest(scores),
    }
}

/// FNV-1a over times and neurons of all spikes.
pub fn digest(spikes: &[Spike]) -> u64 {
    digest_on(0xcbf2_9ce4_8422_2325, spikes)
}

/// The digest of spikes of which `hash` is that of all before these.
pub fn digest_on(mut hash: u64, spikes: &[Spike]) -> u64 {
    for spike in spikes {
        for word in [spike.time.0 as u64, u64::from(spike.neuron)] {
            for byte in word.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    hash
}

/// As [`digest`], with the payloads where there are any.
fn digest_with_payloads(recording: &Recording) -> u64 {
    let payloads = recording.payloads.iter().flat_map(|payload| payload.to_le_bytes());
    payloads.fold(digest(&recording.spikes), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Means over samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Numbers of steps.
    pub steps: Vec<u32>,
    /// Accuracy in per cent at each number of steps.
    pub accuracy: Vec<f64>,
    /// 95 % confidence interval of each accuracy in per cent (Wilson 1927).
    pub interval: Vec<[f64; 2]>,
    /// Mean steps that the read-out needed.
    pub steps_used: Vec<f64>,
    /// Mean spikes per sample, input not counted.
    pub spikes: Vec<f64>,
    /// Mean synaptic operations per sample.
    pub synaptic_operations: Vec<f64>,
    /// Mean spikes per neuron and step of each population at the largest number of steps.
    pub rates: Vec<f64>,
}

/// Summarises runs against labels.
pub fn summarise(presenter: &Presenter<'_>, runs: &[SampleRun], labels: &[usize]) -> Summary {
    let count = runs.len().max(1) as f64;
    let numbers = 0..presenter.config.steps.len();
    let hits = |number: usize| {
        let right = |(run, label): (&SampleRun, &usize)| run.classes[number] == *label;
        runs.iter().zip(labels).filter(|&pair| right(pair)).count()
    };
    let mean = |of: &dyn Fn(&SampleRun) -> u64| runs.iter().map(of).sum::<u64>() as f64 / count;
    let populations = presenter.compiled.network().populations();
    let steps = f64::from(presenter.config.steps.last().copied().unwrap_or(1));
    let rate = |index: usize| {
        let neurons = f64::from(populations[index].size());
        mean(&|run| run.population_spikes[index]) / neurons / steps
    };
    Summary {
        steps: presenter.config.steps.clone(),
        accuracy: numbers.clone().map(|n| 100.0 * hits(n) as f64 / count).collect(),
        interval: numbers.clone().map(|n| wilson(hits(n), runs.len())).collect(),
        steps_used: numbers.clone().map(|n| mean(&|run| u64::from(run.steps_used[n]))).collect(),
        spikes: numbers.clone().map(|n| mean(&|run| run.spikes[n])).collect(),
        synaptic_operations: numbers.map(|n| mean(&|run| run.synaptic_operations[n])).collect(),
        rates: (0..populations.len()).map(rate).collect(),
    }
}

/// The 95 % score interval of a proportion, in per cent (Wilson 1927, JASA 22:209).
pub fn wilson(hits: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 100.0];
    }
    let (n, z) = (count as f64, 1.959_963_985);
    let p = hits as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 100.0 / (1.0 + z * z / n);
    [((centre - spread) * scale).max(0.0), ((centre + spread) * scale).min(100.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_published_example() {
        // Newcombe 1998, Statist. Med. 17:857, table I: 81 of 263 → 0.2553 to 0.3662.
        let [low, high] = wilson(81, 263);
        assert!((low - 25.53).abs() < 0.01 && (high - 36.62).abs() < 0.01, "{low} {high}");
        assert_eq!(wilson(0, 0), [0.0, 100.0]);
    }

    #[test]
    fn of_equal_scores_the_first_is_the_largest() {
        assert_eq!(largest(&[1.0, 5.0, 5.0, 2.0]), 1);
        assert_eq!(class_of(&[1.0, 5.0, 5.0, 2.0]), 1);
        assert_eq!([-2.0, 0.0, 2.0].map(|score| class_of(&[score])), [0, 0, 1]);
    }
}
