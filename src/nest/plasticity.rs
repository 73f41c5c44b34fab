//! Long-term plasticity: the weight at each presynaptic spike, on both engines.
//!
//! The recorded pair of spike trains is made by two sources: one is the presynaptic side, the other
//! forces the postsynaptic neuron to spike at the recorded times. The plastic synapse is scaled down so
//! far that it moves the neuron's potential by nothing that matters.

use super::compare::{Comparison, Variable, of_size};
use super::fields::{Fields, RecordingError};
use super::setup::{CELL, add_source, checked_step, on_grid, run_until, start, synapses};
use super::translation::quantity;
use crate::sim_core::network::{
    Network, Neuron, Plasticity, Population, Probe, RefractoryInput, Reset, SpikeCondition,
};
use crate::sim_core::synapse::Pairing;
use crate::sim_core::units::{Hertz, Milliseconds, Millivolts, Values};

/// Weights relative to the largest: recorded with 12 digits.
const WEIGHT_RELATIVE: f64 = 1e-9;

/// A recorded weight of 1 is this many mV here.
const SCALE_MV: f64 = 1e-9;

/// What makes the postsynaptic neuron spike [mV].
const FORCE_MV: f64 = 1000.0;

/// Rules that pair the postsynaptic spikes before the first presynaptic one with a presynaptic spike at
/// 0 ms: NEST begins with 0 as the time of the last one and these rules do not ask whether it was.
const NEVER_WAS: [&str; 2] = ["stdp_nn_symm_synapse", "stdp_nn_restr_synapse"];

/// What a rule is in our words.
struct Rule {
    plasticity: Plasticity,
    /// Whether weights and their bound are negative there, and their amounts here.
    mirrored: bool,
    /// The population whose spikes modulate the rule.
    modulator: Option<Vec<f64>>,
}

/// Runs and compares.
pub(super) fn compare(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    let name = case.text("model")?;
    let dt = checked_step(case, "dt_ms")?;
    let params = case.inner("params")?;
    let delay = case.or("delay_ms", params.or("delay", 1.0)?)?;
    if params.optional("delay")?.is_some_and(|own| (own - delay).abs() > 1e-9) {
        let message = "`delay_ms` and `params/delay` differ: one of them is not the run's";
        return Err(RecordingError::NotCovered(message.to_string()));
    }
    let (pre, post) = (case.numbers("pre_spikes")?, case.numbers("post_spikes")?);
    for (times, path) in [(&pre, "pre_spikes"), (&post, "post_spikes"), (&vec![delay], "delay_ms")]
    {
        on_grid(times, dt, path)?;
    }
    let recorded = case.numbers("weights")?;
    let times = if case.has("weight_times") { case.numbers("weight_times")? } else { pre.clone() };
    case.same_length("weights", recorded.len(), "weight_times", times.len())?;
    let rule = rule(name, case, &params, dt)?;
    let weight = params.number("weight_initial")?;
    for state in ["weight", "Kplus", "Kplus_triplet", "receptor", "receptor_type", "c", "n"] {
        params.pass(state);
    }
    params.all_read()?;
    case.all_read()?;
    let sign = if rule.mirrored { -1.0 } else { 1.0 };
    let mut comparison = Comparison::default();
    let mut sources = (later(&pre, dt), later(&post, dt));
    if NEVER_WAS.contains(&name) {
        sources.0.insert(0, dt);
        let first_pre = pre.iter().copied().fold(f64::INFINITY, f64::min);
        if post.iter().any(|time| time + delay <= first_pre) {
            comparison.note("with NEST's presynaptic spike at 0 ms, which never was".to_string());
        }
    }
    let network = pair(dt, delay, (&sources.0, &sources.1), sign * weight, rule)?;
    let tolerance =
        of_size(&[], WEIGHT_RELATIVE) * recorded.iter().fold(1e-3, |m, w| w.abs().max(m));
    for engine_name in ["clock", "event"] {
        let mut engine = start(&network, engine_name)?;
        let mut found = Vec::with_capacity(times.len());
        for time in &times {
            // Each weight is read right after its spike was delivered.
            run_until(engine.as_mut(), dt, time + delay + dt)?;
            let weights = engine.weights(0).unwrap_or_default();
            found.push(weights.first().map_or(f64::NAN, |synapse| sign * synapse.3 / SCALE_MV));
        }
        let variable = format!("weight ({engine_name})");
        let variable = Variable { name: &variable, unit: "", tolerance };
        comparison.values(&variable, &found, &recorded, |index| times[index]);
        let forced = engine.recording().spikes.iter().map(|spike| spike.time.milliseconds());
        let forced: Vec<f64> = forced.collect();
        let asked: Vec<f64> = sources.1.iter().copied().take(forced.len()).collect();
        comparison.spikes(&forced, &asked, 1e-6 * dt, dt);
    }
    comparison.finished()
}

/// Times moved by a step, so that what NEST does at 0 ms or in its first step has room; the decimals
/// stay.
fn later(times: &[f64], dt: f64) -> Vec<f64> {
    times.iter().map(|time| ((time + dt) * 1e9).round() / 1e9).collect()
}

/// A source, a second one that forces the neuron's spikes, and the plastic synapse.
fn pair(
    dt: f64,
    delay: f64,
    (pre, post): (&[f64], &[f64]),
    weight: f64,
    rule: Rule,
) -> Result<Network, RecordingError> {
    let mut network = Network::new("pair", Milliseconds(dt));
    add_source(&mut network, "pre", pre);
    add_source(&mut network, "forcing", &later(post, -dt));
    let mut neuron = Neuron::new("lif_delta")
        .parameter("refractory_period", Milliseconds(0.0))
        .rules(SpikeCondition::AtOrAbove, Reset::To(Millivolts(-70.0).into()));
    neuron.refractory_input = Some(RefractoryInput::Lost);
    network.add_population(CELL, Population::new(1, neuron));
    let mut plasticity = rule.plasticity;
    if let Some(times) = rule.modulator {
        add_source(&mut network, "modulator", &later(&times, dt));
        plasticity = plasticity.modulator("modulator");
    }
    let weight = quantity(weight * SCALE_MV, "mV");
    network.add_projection("plastic", synapses("pre", None, weight, delay).plasticity(plasticity));
    network.add_projection("forcing", synapses("forcing", None, Millivolts(FORCE_MV).into(), dt));
    network.add_probe("spikes", Probe::spikes(CELL));
    Ok(network)
}

/// The rule with its parameters.
fn rule(
    name: &str,
    case: &Fields<'_>,
    params: &Fields<'_>,
    dt: f64,
) -> Result<Rule, RecordingError> {
    let given = Given { case, params };
    let tau_minus = case.or("tau_minus", 20.0)?;
    case.pass("tau_minus_triplet");
    let mut modulator = None;
    let mut largest = 1.0;
    let plasticity = match name {
        "stdp_synapse" | "stdp_synapse_hom" => {
            largest = params.or("Wmax", 100.0)?;
            given.pair_rule(tau_minus, largest)?
        }
        "stdp_nn_symm_synapse" => {
            largest = params.or("Wmax", 100.0)?;
            given.pair_rule(tau_minus, largest)?.pairing(Pairing::Nearest)
        }
        "stdp_nn_restr_synapse" => {
            largest = params.or("Wmax", 100.0)?;
            given.pair_rule(tau_minus, largest)?.pairing(Pairing::NearestRestricted)
        }
        "stdp_nn_pre_centered_synapse" => {
            largest = params.or("Wmax", 100.0)?;
            given.pair_rule(tau_minus, largest)?.pairing(Pairing::NearestPresynaptic)
        }
        "stdp_pl_synapse_hom" => Plasticity::new("stdp_power_law")
            .parameter("tau_plus", given.ms("tau_plus", 20.0)?)
            .parameter("tau_minus", Milliseconds(tau_minus))
            .parameter("learning_rate", params.or("lambda", 0.1)?)
            .parameter("asymmetry", params.or("alpha", 1.0)?)
            .parameter("exponent", params.or("mu", 0.4)?)
            .parameter("reference_weight", given.weight(1.0)),
        "stdp_triplet_synapse" => {
            largest = params.or("Wmax", 100.0)?;
            given.triplet(tau_minus, largest)?
        }
        "vogels_sprekeler_synapse" => {
            largest = params.or("Wmax", -100.0)?;
            given.balance(tau_minus, largest)?
        }
        "stdp_dopamine_synapse" => {
            largest = params.or("Wmax", 200.0)?;
            modulator = Some(case.numbers("dopa_spikes")?);
            given.reward(tau_minus, largest, dt)?
        }
        other => {
            return Err(RecordingError::NotCovered(format!(
                "the rule `{other}` has no counterpart here"
            )));
        }
    };
    // Of our rules only the inhibitory one takes negative weights; the others see amounts.
    let mirrored = largest < 0.0 && name != "vogels_sprekeler_synapse";
    Ok(Rule { plasticity, mirrored, modulator })
}

/// The numbers of a rule.
struct Given<'f, 'a> {
    case: &'f Fields<'a>,
    params: &'f Fields<'a>,
}

impl Given<'_, '_> {
    fn ms(&self, name: &str, default: f64) -> Result<Milliseconds, RecordingError> {
        self.params.or(name, default).map(Milliseconds)
    }

    fn weight(&self, recorded: f64) -> Values {
        quantity(recorded.abs() * SCALE_MV, "mV").into()
    }

    fn pair_rule(&self, tau_minus: f64, largest: f64) -> Result<Plasticity, RecordingError> {
        let (plus, minus) = (self.params.or("mu_plus", 1.0)?, self.params.or("mu_minus", 1.0)?);
        let rule = match (plus, minus) {
            (0.0, 0.0) => Plasticity::new("stdp_additive"),
            (1.0, 1.0) => Plasticity::new("stdp_multiplicative"),
            _ => Plasticity::new("stdp_guetig")
                .parameter("exponent_plus", plus)
                .parameter("exponent_minus", minus),
        };
        Ok(rule
            .parameter("tau_plus", self.ms("tau_plus", 20.0)?)
            .parameter("tau_minus", Milliseconds(tau_minus))
            .parameter("learning_rate", self.params.or("lambda", 0.01)?)
            .parameter("asymmetry", self.params.or("alpha", 1.0)?)
            .parameter("largest_weight", self.weight(largest)))
    }

    fn triplet(&self, tau_minus: f64, largest: f64) -> Result<Plasticity, RecordingError> {
        let change = |name: &str, default: f64| {
            let recorded = self.params.or(name, default)?;
            Ok::<Values, RecordingError>(quantity(recorded * SCALE_MV, "mV").into())
        };
        let slow = self.case.optional("tau_minus_triplet")?.unwrap_or(110.0);
        Ok(Plasticity::new("stdp_triplet")
            .parameter("tau_plus", self.ms("tau_plus", 16.8)?)
            .parameter("tau_plus_triplet", self.ms("tau_plus_triplet", 101.0)?)
            .parameter("tau_minus", Milliseconds(tau_minus))
            .parameter("tau_minus_triplet", Milliseconds(slow))
            .parameter("pair_potentiation", change("Aplus", 5e-10)?)
            .parameter("triplet_potentiation", change("Aplus_triplet", 6.2e-3)?)
            .parameter("pair_depression", change("Aminus", 7e-3)?)
            .parameter("triplet_depression", change("Aminus_triplet", 2.3e-4)?)
            .parameter("largest_weight", self.weight(largest)))
    }

    fn balance(&self, tau_minus: f64, largest: f64) -> Result<Plasticity, RecordingError> {
        let tau = self.params.or("tau", 20.0)?;
        // NEST's α is 2 ρ₀ τ.
        let target = 1000.0 * self.params.or("alpha", 0.12)? / (2.0 * tau);
        Ok(Plasticity::new("vogels_sprekeler")
            .parameter("tau", Milliseconds(tau))
            .parameter("change", self.weight(self.params.or("eta", 0.001)?))
            .parameter("target_rate", Hertz(target))
            .parameter("tau_post", Milliseconds(tau_minus))
            .parameter("largest_weight", self.weight(largest)))
    }

    /// Amplitudes are in weights per concentration: scaled as weights are. NEST's volume transmitter
    /// updates its synapses, and holds them to their bounds, each time that the shortest delay of the
    /// network has passed: a step, where a generator is connected without one.
    fn reward(&self, tau_minus: f64, largest: f64, dt: f64) -> Result<Plasticity, RecordingError> {
        let lowest = self.params.or("Wmin", 0.0)?;
        self.params.pass("vt");
        self.params.pass("volume_transmitter");
        self.case.pass("dopa_delay_ms");
        Ok(Plasticity::new("reward_modulated_stdp")
            .parameter("tau_plus", self.ms("tau_plus", 20.0)?)
            .parameter("tau_minus", Milliseconds(tau_minus))
            .parameter("potentiation", SCALE_MV * self.params.or("A_plus", 1.0)?)
            .parameter("depression", SCALE_MV * self.params.or("A_minus", 1.5)?)
            .parameter("tau_eligibility", self.ms("tau_c", 1000.0)?)
            .parameter("tau_reward", self.ms("tau_n", 200.0)?)
            .parameter("baseline", self.params.or("b", 0.0)?)
            .parameter("largest_weight", self.weight(largest))
            .parameter("smallest_weight", quantity(lowest * SCALE_MV, "mV"))
            .parameter("bound_interval", Milliseconds(dt)))
    }
}
