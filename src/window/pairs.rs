//! The window of a long-term rule: one pair of neurons for each difference of spike times.

use super::{Window, WindowConfig, WindowLine};
use crate::error::Error;
use crate::sim_core::connectome::CompileConfig;
use crate::sim_core::engine::{Compiled, EngineConfig};
use crate::sim_core::network::{
    Network, Neuron, OneToOne, Plasticity, Population, Projection, RefractoryInput, Reset,
    SpikeCondition, SpikeList, Stimulus,
};
use crate::sim_core::synapse::{RuleSpec, Unit};
use crate::sim_core::time::Time;
use crate::sim_core::units::{Milliseconds, Millivolts, Quantity, Values, find_unit};
use std::sync::Arc;

/// The grid of delays and of spike times [ms], and its points in a millisecond.
const DT_MS: f64 = 0.1;
const STEPS_A_MS: f64 = 10.0;

/// A weight of 1 is this many mV: it moves no potential.
const SCALE_MV: f64 = 1e-9;

/// The first pair [ms].
const BEGIN_MS: f64 = 1500.0;

/// Behind the last pair, a lone presynaptic spike brings the weight up to date [ms].
const CLOSING_MS: f64 = 5000.0;

/// Behind the last pair, the reward comes [ms].
const REWARD_MS: f64 = 100.0;

/// Rates that are shown where none is asked for [Hz]: single pairs, and pairs that meet others.
const USUAL_RATES: [f64; 2] = [1.0, 20.0];

/// Differences between spikes that are shown on each side.
const SIDES: u32 = 80;

/// What a rule is shown with in place of its default: eligibility that stays within the weight's
/// bounds, and pair terms that the published fit left out.
pub(super) fn own_default(spec: &RuleSpec, parameter: &str) -> Option<f64> {
    match (spec.name, parameter) {
        ("reward_modulated_stdp", "potentiation") => Some(0.01),
        ("reward_modulated_stdp", "depression") => Some(0.015),
        _ => None,
    }
}

/// Runs all pairs at each rate.
pub(super) fn show(
    spec: &RuleSpec,
    parameters: &[f64],
    config: &WindowConfig,
    window: &mut Window,
) -> Result<(), Error> {
    let rates = if config.rates_hz.is_empty() { &USUAL_RATES[..] } else { &config.rates_hz };
    for rate in rates {
        let points = line(spec, parameters, config, *rate)?;
        let name = format!("{} pairs at {rate} Hz", config.repeats);
        window.lines.push(WindowLine { name, points });
    }
    let dendritic = config.dendritic_ms.unwrap_or(config.delay_ms);
    window.protocol = format!(
        "{} pairs on a weight of {} of the largest, {}, delay {} ms, {dendritic} ms of it dendritic{}",
        config.repeats,
        config.weight,
        config.pairing.name(),
        config.delay_ms,
        if spec.modulated { ", one reward 100 ms behind the last pair" } else { "" }
    );
    window.x = ("post- minus presynaptic spike".into(), "ms");
    window.y = ("change by a pair".into(), "% of the initial weight");
    Ok(())
}

/// Differences of spike times, on the grid; the last neuron is a presynaptic one alone.
fn differences(config: &WindowConfig) -> Vec<f64> {
    let step = (config.span_ms / f64::from(SIDES) * STEPS_A_MS).ceil() / STEPS_A_MS;
    let sides = (config.span_ms / step).floor() as i32;
    (-sides..=sides).map(|index| f64::from(index) * step).collect()
}

fn line(
    spec: &RuleSpec,
    parameters: &[f64],
    config: &WindowConfig,
    rate: f64,
) -> Result<Vec<(f64, f64)>, Error> {
    let differences = differences(config);
    // Divided, not multiplied: so the number is the one nearest to the grid point.
    let on_grid = |time: f64| (time * STEPS_A_MS).round() / STEPS_A_MS;
    let starts: Vec<f64> = (0..config.repeats)
        .map(|index| on_grid(BEGIN_MS + 1000.0 * f64::from(index) / rate))
        .collect();
    let last = starts.last().copied().unwrap_or(BEGIN_MS);
    let closing = last + CLOSING_MS;
    let count = differences.len() as u32 + 1;
    let mut network = Network::new("window", Milliseconds(DT_MS));
    let (mut pre, mut post) = (Vec::new(), Vec::new());
    for pair in 0..count {
        pre.extend(starts.iter().chain([&closing]).map(|time| (*time, pair)));
        if let Some(difference) = differences.get(pair as usize) {
            post.extend(starts.iter().map(|time| (on_grid(time + difference - DT_MS), pair)));
        }
    }
    source(&mut network, "pre", count, &pre);
    source(&mut network, "forcing", count, &post);
    source(&mut network, "reward", 1, &[(last + REWARD_MS, 0)]);
    let mut neuron = Neuron::new("lif_delta")
        .parameter("refractory_period", Milliseconds(0.0))
        .rules(SpikeCondition::AtOrAbove, Reset::To(Millivolts(-70.0).into()));
    neuron.refractory_input = Some(RefractoryInput::Lost);
    network.add_population("post", Population::new(count, neuron));
    let inhibitory = spec.name == "vogels_sprekeler";
    let begin = if inhibitory { -config.weight } else { config.weight };
    let plastic = Projection::new("pre", "post", OneToOne)
        .weight(Millivolts(begin * SCALE_MV))
        .delay(Milliseconds(config.delay_ms))
        .plasticity(plasticity(spec, parameters, config));
    network.add_projection("plastic", plastic);
    let force = Projection::new("forcing", "post", OneToOne)
        .weight(Millivolts(1000.0))
        .delay(Milliseconds(DT_MS));
    network.add_projection("forcing", force);
    let compiled = Arc::new(Compiled::new(network.validate()?, CompileConfig::UNLIMITED)?);
    let entry = crate::pipeline::engine("event")?;
    let mut engine = (entry.start)(compiled, EngineConfig::default())?;
    // Counted in steps: beyond 4.5 s a float of milliseconds has no room for a femtosecond.
    let steps = ((closing + config.delay_ms + DT_MS) * STEPS_A_MS).round() as i64;
    let step = Time::from_milliseconds(DT_MS).unwrap_or(Time::ZERO);
    engine.run(Time(step.0.saturating_mul(steps)), &mut |_| true)?;
    let mut weights = vec![f64::NAN; count as usize];
    for (_, _, target, weight) in engine.weights(0).unwrap_or_default() {
        weights[target as usize] = (weight / SCALE_MV).abs();
    }
    // What the closing spike alone does belongs to no pair.
    let lone = weights.last().copied().unwrap_or(config.weight) - config.weight;
    let lone = lone / f64::from(config.repeats + 1);
    let change = |weight: f64| {
        100.0 * (weight - config.weight - lone) / config.weight / f64::from(config.repeats)
    };
    Ok(differences.into_iter().zip(weights).map(|(dt, weight)| (dt, change(weight))).collect())
}

fn plasticity(spec: &RuleSpec, parameters: &[f64], config: &WindowConfig) -> Plasticity {
    let mut rule = Plasticity::new(spec.name);
    for (parameter, &value) in spec.parameters.iter().zip(parameters) {
        let quantity = match parameter.unit {
            Unit::Weight => Millivolts(value * SCALE_MV).into(),
            Unit::Of(dimension) => match find_unit(dimension.base_unit()) {
                Some(unit) => Quantity { value, unit },
                None => Quantity::number(value),
            },
        };
        // Eligibility is an amount of weight, though it has no unit.
        let scaled = spec.modulated && ["potentiation", "depression"].contains(&parameter.name);
        let quantity = if scaled { Quantity::number(value * SCALE_MV) } else { quantity };
        rule = rule.parameter(parameter.name, quantity);
    }
    if let Some(dendritic) = config.dendritic_ms {
        rule = rule.dendritic_delay(Milliseconds(dendritic));
    }
    if spec.modulated {
        rule = rule.modulator("reward");
    }
    match spec.pairings.contains(&config.pairing) && spec.pairings.len() > 1 {
        true => rule.pairing(config.pairing),
        false => rule,
    }
}

fn source(network: &mut Network, name: &str, size: u32, spikes: &[(f64, u32)]) {
    network.add_population(name, Population::new(size, Neuron::spike_source()));
    let Some(unit) = find_unit("ms") else {
        return;
    };
    let times = Values::Each { values: spikes.iter().map(|spike| spike.0).collect(), unit };
    let neurons = spikes.iter().map(|spike| spike.1).collect();
    let list = SpikeList { population: name.into(), neurons, times };
    network.add_stimulus(name, Stimulus::SpikeList(list));
}
