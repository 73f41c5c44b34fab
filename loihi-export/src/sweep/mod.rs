//! What-if: the same network with other weight bits, delays, pruning or steps, and the smallest
//! change that would make a network fit.
//!
//! A sweep changes what a chip would have to hold, not what the network computes: what fewer bits
//! or synapses do to its answers has to be measured by converting and running it.

use serde::Serialize;

use crate::budget::budget;
use crate::check::check;
use crate::chip::Profile;
use crate::energy::{Activity, estimate, workload};
use crate::mapping::{CoreLimits, MapConfig, map};
use crate::partition::{PartitionError, partition};
use crate::quantise::network::{Connection, DelaySteps, QuantisedNetwork};

/// What can be varied.
pub static PARAMETERS: &[(&str, &str)] = &[
    ("weight-bits", "bits of a stored weight"),
    ("delays", "largest additional delay (steps)"),
    ("pruning", "share of synapses that is left out, the smallest weights first"),
    ("steps", "steps of an inference"),
    ("chips", "chips that may be used"),
];

/// A parameter with a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Name of the parameter.
    pub parameter: String,
    /// Its value.
    pub value: f64,
}

/// What a change leads to; all modelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The change; `None` for the network as it is.
    pub change: Option<Change>,
    /// Whether it fits.
    pub fits: bool,
    /// Cores.
    pub cores: Option<u64>,
    /// Chips.
    pub chips: Option<u64>,
    /// The resource that binds.
    pub binds: Option<&'static str>,
    /// How full that is on the fullest core.
    pub fill: Option<f64>,
    /// Energy of an inference (J), of the terms that are known.
    pub energy_j: Option<f64>,
    /// Latency of an inference (s).
    pub latency_s: Option<f64>,
    /// Why it does not fit.
    pub error: Option<String>,
}

impl Outcome {
    /// Of a change of which nothing is known.
    fn none(change: Option<&Change>) -> Self {
        Self {
            change: change.cloned(),
            fits: false,
            cores: None,
            chips: None,
            binds: None,
            fill: None,
            energy_j: None,
            latency_s: None,
            error: None,
        }
    }
}

/// Why a sweep cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The text is not `name=values,…`.
    #[error(
        "sweep `{text}`: {problem}; write for example weight-bits=1..8,pruning=0..0.9:0.1,steps=4|8|16"
    )]
    Text {
        /// The part of the text.
        text: String,
        /// What is wrong.
        problem: String,
    },
}

/// Chips above the given ones that are tried.
const MOST_CHIPS: u32 = 4096;
/// Values of a parameter at most.
const MOST_VALUES: usize = 200;

/// Reads `name=a..b`, `name=a..b:step` and `name=a|b|c`, separated by commas.
///
/// # Errors
/// [`SweepError`] for unknown names, with the known ones, and for values that make no sense.
pub fn parse(text: &str) -> Result<Vec<Change>, SweepError> {
    let mut changes = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let problem = |problem: String| SweepError::Text { text: part.to_owned(), problem };
        let (name, values) =
            part.split_once('=').ok_or_else(|| problem("has no `=`".to_owned()))?;
        let name = name.trim().replace('_', "-");
        if !PARAMETERS.iter().any(|(known, _)| *known == name) {
            let known: Vec<_> = PARAMETERS.iter().map(|(known, _)| *known).collect();
            return Err(problem(format!("`{name}` is unknown; known: {}", known.join(", "))));
        }
        for value in values_of(values).map_err(problem)? {
            check_value(&name, value).map_err(problem)?;
            changes.push(Change { parameter: name.clone(), value });
        }
    }
    Ok(changes)
}

fn values_of(text: &str) -> Result<Vec<f64>, String> {
    let number = |text: &str| {
        let value: Option<f64> = text.trim().parse().ok();
        value.filter(|v| v.is_finite()).ok_or_else(|| format!("`{text}` is no number"))
    };
    let Some((first, rest)) = text.split_once("..") else {
        return text.split('|').map(number).collect();
    };
    let (last, step) = rest.split_once(':').unwrap_or((rest, ""));
    let (first, last) = (number(first)?, number(last)?);
    let step = match step {
        "" if first.fract() != 0.0 || last.fract() != 0.0 => 0.1,
        "" => 1.0,
        step => number(step)?,
    };
    if step <= 0.0 || last < first || (last - first) / step > MOST_VALUES as f64 {
        return Err(format!("{first}..{last} in steps of {step} has no or too many values"));
    }
    let count = ((last - first) / step + 1e-9).floor() as usize;
    // multiples of the step, rounded so that 0.1 · 3 is written 0.3
    Ok((0..=count).map(|k| ((first + step * k as f64) * 1e9).round() / 1e9).collect())
}

fn check_value(name: &str, value: f64) -> Result<(), String> {
    let (low, high, whole) = match name {
        "weight-bits" => (1.0, 9.0, true),
        "delays" => (0.0, 255.0, true),
        "pruning" => (0.0, 1.0, false),
        _ => (1.0, f64::from(u16::MAX), true),
    };
    if (low..=high).contains(&value) && (!whole || value.fract() == 0.0) {
        return Ok(());
    }
    let kind = if whole { "whole number" } else { "number" };
    Err(format!("{name} is {value}; give a {kind} from {low} to {high}"))
}

/// What a sweep starts from.
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    /// The network.
    pub network: &'a QuantisedNetwork,
    /// Limits of the chip.
    pub limits: &'a CoreLimits,
    /// How it is mapped.
    pub config: &'a MapConfig,
    /// Name and figures of the energy profile, where the chip has one.
    pub profile: Option<(&'a str, &'a Profile)>,
    /// How active the network is.
    pub activity: &'a Activity,
}

impl Sweep<'_> {
    /// The network as it is, then with each change alone.
    pub fn run(&self, changes: &[Change]) -> Vec<Outcome> {
        let mut outcomes = vec![self.outcome(None)];
        outcomes.extend(changes.iter().map(|change| self.outcome(Some(change))));
        outcomes
    }

    /// What one change leads to.
    pub fn outcome(&self, change: Option<&Change>) -> Outcome {
        let (network, limits, config, activity) = self.changed(change);
        let network = network.as_ref().unwrap_or(self.network);
        let failed = |error: String| Outcome { error: Some(error), ..Outcome::none(change) };
        let mapping = match map(network, &limits, &config) {
            Ok(mapping) => mapping,
            Err(error) => return failed(error.to_string()),
        };
        let checked = match check(network, &limits, mapping) {
            Ok(checked) => checked,
            Err(error) => return failed(error.to_string()),
        };
        let budget = budget(&checked);
        let estimate = self.profile.map(|(name, profile)| {
            estimate(&limits.chip, name, profile, &workload(&checked, &activity))
        });
        Outcome {
            change: change.cloned(),
            fits: true,
            cores: Some(budget.cores_used),
            chips: Some(budget.chips_needed),
            binds: budget.binding().map(|row| row.resource.name()),
            fill: budget.binding().map(|row| row.fill),
            energy_j: estimate.as_ref().map(|estimate| estimate.total_j),
            latency_s: estimate.as_ref().and_then(|estimate| estimate.latency_s),
            error: None,
        }
    }

    /// The network, where it is another one, and what it is mapped to, how and how active.
    fn changed(
        &self,
        change: Option<&Change>,
    ) -> (Option<QuantisedNetwork>, CoreLimits, MapConfig, Activity) {
        let mut config = self.config.clone();
        let mut activity = self.activity.clone();
        let (mut network, mut limits) = (None, self.limits.clone());
        if let Some(change) = change {
            let whole = change.value as u32;
            match change.parameter.as_str() {
                "weight-bits" => {
                    network = Some(with_weight_bits(self.network, whole as u8));
                    limits.synapse_memory.convolution_weight_bits = whole;
                }
                "delays" => {
                    network = Some(with_delays(self.network, whole as u8));
                    limits.synapse_memory.delay_bits = u32::BITS - whole.leading_zeros();
                }
                "pruning" => network = Some(pruned(self.network, change.value)),
                "chips" => config.partition.chips = whole,
                _ => activity.steps = whole,
            }
        }
        (network, limits, config, activity)
    }

    /// For each parameter the smallest change with which the network fits; empty where it fits as
    /// it is, and without a parameter that does not help. Chips are counted from the cut alone.
    pub fn smallest_changes(&self) -> Vec<Outcome> {
        if self.cores(self.network, self.limits, self.config).is_ok() {
            return Vec::new();
        }
        let change =
            |parameter: &str, value: f64| Change { parameter: parameter.to_owned(), value };
        let mut found = Vec::new();
        let bits = (1..most_weight_bits(self.network)).rev();
        let delays = self.network.projections.iter().any(|p| p.delay.longest() > 0);
        let ways: [Vec<Change>; 3] = [
            bits.map(|bits| change("weight-bits", f64::from(bits))).collect(),
            delays.then(|| change("delays", 0.0)).into_iter().collect(),
            (1..20).map(|k| change("pruning", f64::from(k) / 20.0)).collect(),
        ];
        for way in ways {
            if !way.last().is_some_and(|strongest| self.fits(strongest)) {
                continue;
            }
            // Every step of a way takes less than the one before: the first that fits is found by
            // halving. Whether one fits shows in the cut alone.
            let (mut low, mut high) = (0, way.len() - 1);
            while low < high {
                let middle = (low + high) / 2;
                if self.fits(&way[middle]) { high = middle } else { low = middle + 1 }
            }
            found.extend(way.get(low).map(|change| self.outcome(Some(change))));
        }
        found.retain(|outcome| outcome.fits);
        found.extend(self.chips().map(|(cores, chips)| Outcome {
            fits: true,
            cores: Some(cores.into()),
            chips: Some(chips.into()),
            ..Outcome::none(Some(&change("chips", chips.into())))
        }));
        found
    }

    /// Whether the network can be cut into cores after a change.
    fn fits(&self, change: &Change) -> bool {
        let (network, limits, config, _) = self.changed(Some(change));
        self.cores(network.as_ref().unwrap_or(self.network), &limits, &config).is_ok()
    }

    /// The cores that a network is cut into.
    fn cores(
        &self,
        network: &QuantisedNetwork,
        limits: &CoreLimits,
        config: &MapConfig,
    ) -> Result<u32, PartitionError> {
        partition(network, limits, &config.partition).map(|cut| cut.cores)
    }

    /// The cores that the network is cut into where there are enough, and the fewest chips that have
    /// them: how it is cut does not depend on how many there are.
    fn chips(&self) -> Option<(u32, u32)> {
        let mut config = self.config.clone();
        config.partition.chips = config.partition.chips.saturating_add(MOST_CHIPS);
        let cores = self.cores(self.network, self.limits, &config).ok()?;
        Some((cores, cores.div_ceil(self.limits.cores.max(1))))
    }
}

fn most_weight_bits(network: &QuantisedNetwork) -> u8 {
    let bits = |connection: &Connection| match connection {
        Connection::Dense { weight_bits, .. } | Connection::Sparse { weight_bits, .. } => {
            *weight_bits
        }
        Connection::Convolution { .. } => 8,
    };
    network.projections.iter().map(|p| bits(&p.connection)).max().unwrap_or(0)
}

/// The same network with weights of so many bits at most; values are not changed.
pub fn with_weight_bits(network: &QuantisedNetwork, bits: u8) -> QuantisedNetwork {
    let mut network = network.clone();
    for projection in &mut network.projections {
        if let Connection::Dense { weight_bits, .. } | Connection::Sparse { weight_bits, .. } =
            &mut projection.connection
        {
            *weight_bits = (*weight_bits).min(bits);
        }
    }
    network
}

/// The same network with one additional delay everywhere.
pub fn with_delays(network: &QuantisedNetwork, delay: u8) -> QuantisedNetwork {
    let mut network = network.clone();
    for projection in &mut network.projections {
        projection.delay = DelaySteps::One(delay);
    }
    network
}

/// The same network without a share of the synapses of each dense or listed projection, those with
/// the smallest weights, of equal ones as many of every neuron; shared kernels stay as they are.
pub fn pruned(network: &QuantisedNetwork, share: f64) -> QuantisedNetwork {
    let mut network = network.clone();
    let sizes: Vec<u64> = network.populations.iter().map(|p| p.shape.size()).collect();
    for projection in &mut network.projections {
        let width = sizes.get(projection.source).copied().unwrap_or(1).max(1) as usize;
        let (weights, ends, sign_mode, weight_bits, weight_exponent) = match &projection.connection
        {
            Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
                (weights, None, *sign_mode, *weight_bits, *weight_exponent)
            }
            Connection::Sparse {
                weights,
                targets,
                sources,
                sign_mode,
                weight_bits,
                weight_exponent,
            } => (weights, Some((targets, sources)), *sign_mode, *weight_bits, *weight_exponent),
            Connection::Convolution { .. } => continue,
        };
        let away = (share.clamp(0.0, 1.0) * weights.len() as f64).floor() as usize;
        if away == 0 {
            continue;
        }
        let end = |i: usize| match ends {
            Some((targets, sources)) => (targets[i], sources[i]),
            None => ((i / width) as u32, (i % width) as u32),
        };
        let places = places((0..weights.len()).map(|i| end(i).0));
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|&i| (weights[i].unsigned_abs(), places[i]));
        let mut kept = order.split_off(away.min(order.len()));
        kept.sort_unstable();
        let delay = match &projection.delay {
            DelaySteps::One(delay) => DelaySteps::One(*delay),
            DelaySteps::PerSynapse(delays) => DelaySteps::PerSynapse(
                kept.iter().map(|&i| delays.get(i).copied().unwrap_or(0)).collect(),
            ),
        };
        projection.connection = Connection::Sparse {
            targets: kept.iter().map(|&i| end(i).0).collect(),
            sources: kept.iter().map(|&i| end(i).1).collect(),
            weights: kept.iter().map(|&i| weights[i]).collect(),
            sign_mode,
            weight_bits,
            weight_exponent,
        };
        projection.delay = delay;
    }
    network
}

/// Where each synapse stands among those of its neuron, in parts of 2^32: of equal weights, any share
/// takes as many of every neuron. Each neuron's begin at another source.
fn places(targets: impl Iterator<Item = u32> + Clone) -> Vec<u32> {
    let mut counts: Vec<u32> = Vec::new();
    let ranked = targets.clone().map(|target| {
        let target = target as usize;
        counts.resize(counts.len().max(target + 1), 0);
        counts[target] += 1;
        counts[target] - 1
    });
    let mut places: Vec<u32> = ranked.collect();
    for (place, target) in places.iter_mut().zip(targets) {
        let (count, first) =
            (u64::from(counts[target as usize]), u64::from(target).wrapping_mul(SPREAD));
        *place = ((((u64::from(*place) + first % count) % count) << 32) / count) as u32;
    }
    places
}

/// The golden ratio in parts of 2^64: its multiples are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::network::{QuantisedPopulation, QuantisedProjection, SignMode};
    use sim_core::network::Shape;

    #[test]
    fn equal_weights_are_pruned_of_every_neuron_alike() {
        let population = |name: &str, size| QuantisedPopulation {
            name: name.into(),
            shape: Shape::List(size),
            process: "input".into(),
            parameters: indexmap::IndexMap::new(),
        };
        let connection = Connection::Dense {
            weights: vec![64; 5 * 1000],
            sign_mode: SignMode::Excitatory,
            weight_bits: 8,
            weight_exponent: 0,
        };
        let projection = QuantisedProjection {
            name: "all".into(),
            source: 0,
            target: 1,
            connection,
            delay: DelaySteps::One(0),
            message_bits: 0,
            port: 0,
            learning: None,
        };
        let network = QuantisedNetwork {
            name: "equal".into(),
            chip: "loihi2".into(),
            populations: vec![population("in", 1000), population("out", 5)],
            projections: vec![projection],
        };
        for share in [0.1, 0.25, 0.5, 0.9] {
            let rest = pruned(&network, share);
            let Connection::Sparse { targets, .. } = &rest.projections[0].connection else {
                panic!("not listed")
            };
            assert_eq!(targets.len(), (5000.0 * (1.0 - share)).round() as usize);
            for neuron in 0..5 {
                let inputs = targets.iter().filter(|&&target| target == neuron).count() as f64;
                assert_eq!(inputs, (1000.0 * (1.0 - share)).round(), "{share}");
            }
        }
    }

    #[test]
    fn sweeps_are_read_and_nonsense_is_explained() {
        let read = |text: &str| -> Vec<f64> {
            parse(text).unwrap().into_iter().map(|change| change.value).collect()
        };
        assert_eq!(read("weight-bits=1..8"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(read("pruning=0..0.3,steps=4|16"), [0.0, 0.1, 0.2, 0.3, 4.0, 16.0]);
        assert_eq!(read("delays=0..62:31"), [0.0, 31.0, 62.0]);
        for (text, part) in [
            ("weight-bits", "no `=`"),
            ("bits=1", "known: weight-bits"),
            ("weight-bits=0..3", "from 1 to 9"),
            ("weight-bits=1.5", "whole number"),
            ("pruning=2", "from 0 to 1"),
            ("steps=9..3", "no or too many"),
            ("steps=x", "no number"),
            ("steps=1..60000", "too many"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
