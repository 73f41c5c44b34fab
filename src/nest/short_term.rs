//! Short-term plasticity: what each spike leaves of the transmitter, and what reaches the target.

use super::compare::{Comparison, Variable, of_size};
use super::fields::{Fields, RecordingError};
use super::setup::{
    CELL, add_current, add_source, checked_step, on_grid, run_until, start, synapses,
};
use super::translation::find_translation;
use crate::sim_core::network::{Network, Plasticity, Population, Probe};
use crate::sim_core::synapse::{Made, Pairing, RuleContext, ShortTerm, find_rule};
use crate::sim_core::time::Time;
use crate::sim_core::units::Milliseconds;

/// States of transmitter, and the largest value of a trace: recorded with 12 digits.
const RELATIVE: f64 = 1e-9;

/// A rule with the numbers that NEST calls U, tau_rec, tau_fac and tau_psc.
struct Rule {
    name: &'static str,
    parameters: Vec<(&'static str, f64)>,
}

impl Rule {
    fn read(name: &str, params: &Fields<'_>) -> Result<Self, RecordingError> {
        let ours = match name {
            "tsodyks_synapse" | "tsodyks_synapse_hom" => "tsodyks_markram",
            "tsodyks2_synapse" => "tsodyks_markram_two",
            other => {
                return Err(RecordingError::NotCovered(format!(
                    "the rule `{other}` has no counterpart here"
                )));
            }
        };
        let usage = params.or("U", 0.5)?;
        let mut parameters = vec![
            ("use", usage),
            ("tau_recovery", params.or("tau_rec", 800.0)?),
            ("tau_facilitation", params.or("tau_fac", 0.0)?),
        ];
        if ours == "tsodyks_markram" {
            parameters.push(("tau_synapse", params.or("tau_psc", 3.0)?));
        }
        parameters.push(("initial_recovered", params.or("x", 1.0)?));
        if ours == "tsodyks_markram" {
            parameters.push(("initial_active", params.or("y", 0.0)?));
            parameters.push(("initial_use", params.or("u", 0.0)?));
        } else {
            parameters.push(("initial_use", params.or("u", usage)?));
        }
        Ok(Rule { name: ours, parameters })
    }

    fn plasticity(&self) -> Plasticity {
        let begin = Plasticity::new(self.name);
        self.parameters.iter().fold(begin, |plasticity, (name, value)| match *name {
            time if time.starts_with("tau") => plasticity.parameter(time, Milliseconds(*value)),
            fraction => plasticity.parameter(fraction, *value),
        })
    }

    /// The rule alone, on one synapse.
    fn alone(&self) -> Result<Box<dyn ShortTerm>, RecordingError> {
        let parameters: Vec<f64> = self.parameters.iter().map(|(_, value)| *value).collect();
        let context = RuleContext {
            parameters: &parameters,
            pairing: Pairing::AllToAll,
            segments: 1,
            synapses: 1,
            targets: 1,
            longest_dendritic_delay: Time::ZERO,
        };
        match find_rule(self.name).map(|rule| rule.make(context)) {
            Some(Made::ShortTerm(rule)) => Ok(rule),
            _ => Err(RecordingError::NotCovered(format!("`{}` is no short-term rule", self.name))),
        }
    }
}

/// Runs and compares.
pub(super) fn compare(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    let params = case.inner("params")?;
    let rule = Rule::read(case.text("model")?, &params)?;
    let weight = params.number("weight")?;
    for inert in ["receptor_type", "receptor"] {
        params.pass(inert);
    }
    let dt = checked_step(case, "dt_ms")?;
    let delay = case.or("delay_ms", params.or("delay", 1.0)?)?;
    params.pass("delay");
    params.all_read()?;
    let pre = case.numbers("pre_spikes")?;
    on_grid(&pre, dt, "pre_spikes")?;
    on_grid(&[delay], dt, "delay_ms")?;
    let mut comparison = Comparison::default();
    if case.has("state_after_spike") {
        compare_states(case, &rule, &pre, &mut comparison)?;
    }
    if case.has("post") {
        compare_target(case, &rule, (&pre, weight, delay, dt), &mut comparison)?;
    }
    case.pass("n_samples");
    case.all_read()?;
    comparison.finished()
}

/// The state after each spike, of the rule alone.
fn compare_states(
    case: &Fields<'_>,
    rule: &Rule,
    pre: &[f64],
    comparison: &mut Comparison,
) -> Result<(), RecordingError> {
    let states = case.objects("state_after_spike")?;
    case.same_length("state_after_spike", states.len(), "pre_spikes", pre.len())?;
    let mut release = rule.alone()?;
    let mut found: Vec<(&'static str, Vec<f64>, Vec<f64>)> = Vec::new();
    for (time, recorded) in pre.iter().zip(&states) {
        release.release(0, Time::from_milliseconds(*time).unwrap_or(Time::NEVER));
        for (variable, value) in release.state(0) {
            let Some(theirs) = recorded.optional(variable)? else {
                continue;
            };
            match found.iter_mut().find(|known| known.0 == variable) {
                Some(known) => {
                    known.1.push(value);
                    known.2.push(theirs);
                }
                None => found.push((variable, vec![value], vec![theirs])),
            }
        }
        recorded.all_read()?;
    }
    for (name, ours, recorded) in found {
        let variable = Variable { name, unit: "", tolerance: RELATIVE };
        comparison.values(&variable, &ours, &recorded, |index| pre[index]);
    }
    Ok(())
}

/// The target's variables, on both engines.
fn compare_target(
    case: &Fields<'_>,
    rule: &Rule,
    (pre, weight, delay, dt): (&[f64], f64, f64, f64),
    comparison: &mut Comparison,
) -> Result<(), RecordingError> {
    let post = case.inner("post")?;
    let name = post.text("model")?;
    let translation = find_translation(name).ok_or_else(|| {
        RecordingError::NotCovered(format!("the target's model `{name}` has no counterpart here"))
    })?;
    let given = post.inner("params")?;
    // These parameters were written down behind the run: its potential is that of the end.
    let neuron = translation.neuron(&given, Some(dt), false)?;
    let current = given.or("I_e", 0.0)?;
    given.all_read()?;
    post.all_read()?;
    let interval = case.or("sample_every_ms", case.or("t0_ms", dt)?)?;
    super::setup::above_zero(interval, "sample_every_ms")?;
    on_grid(&[interval], dt, "sample_every_ms")?;
    if (case.or("t0_ms", interval)? - interval).abs() > 1e-9 {
        let message = "`t0_ms` is not the time between samples: samples from later on";
        return Err(RecordingError::NotCovered(message.to_string()));
    }
    let mut network = Network::new(name, Milliseconds(dt));
    add_source(&mut network, "pre", pre);
    network.add_population(CELL, Population::new(1, neuron));
    let (receptor, amount) = translation.receptor(weight);
    let projection = synapses("pre", receptor, amount, delay).short_term(rule.plasticity());
    network.add_projection("release", projection);
    if current != 0.0 {
        add_current(&mut network, "I_e", current, 0.0, None);
    }
    let mut recorded = Vec::new();
    for &(nest, ours, unit) in translation.variables.iter().filter(|named| case.has(named.0)) {
        recorded.push((nest, unit, case.numbers(nest)?));
        let mut probe = Probe::variable(CELL, ours);
        probe.interval = Some(Milliseconds(interval).into());
        network.add_probe(ours, probe);
    }
    let samples = recorded.iter().map(|(.., values)| values.len()).max().unwrap_or(0);
    for engine_name in ["clock", "event"] {
        let mut engine = start(&network, engine_name)?;
        run_until(engine.as_mut(), dt, samples as f64 * interval)?;
        for ((nest, unit, expected), trace) in recorded.iter().zip(&engine.recording().traces) {
            let name = format!("{nest} ({engine_name})");
            let tolerance = if *unit == "mV" { RELATIVE } else { of_size(expected, RELATIVE) };
            let variable = Variable { name: &name, unit, tolerance };
            let at = |index: usize| (index + 1) as f64 * interval;
            comparison.values(&variable, &trace.values, expected, at);
        }
    }
    Ok(())
}
