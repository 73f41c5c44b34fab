//! What NEST's neuron models, parameters and recorded variables are called here.

use super::fields::{Fields, RecordingError};
use crate::sim_core::network::{Neuron, RefractoryInput, Reset, SpikeCondition};
use crate::sim_core::units::{Quantity, find_unit};

/// How a model is integrated, which decides what agreement means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Integration {
    /// Exactly, on the grid.
    Exact,
    /// Exactly, with spike times between grid points.
    Precise,
    /// By a solver.
    Solved {
        /// What NEST's solver is usually off by up to the first spike, at most (mV).
        nest_error_mv: f64,
        /// The tolerance of NEST's solver where it is no parameter of the model.
        nest_tolerance: f64,
    },
}

/// A number of NEST's and its name here, with the unit that both have.
type Named = (&'static str, &'static str, &'static str);

/// A parameter for which only some values are computed here: name, whether a value is, and what it is.
type Only = (&'static str, fn(f64) -> bool, &'static str);

/// A NEST neuron model in our words.
#[derive(Debug)]
pub struct Translation {
    /// NEST's name.
    pub nest: &'static str,
    /// Our model.
    pub ours: &'static str,
    /// How it is integrated.
    pub integration: Integration,
    /// The parameter that its potential is reset to, and NEST's default (mV); `None` where it has no
    /// reset.
    pub reset: Option<(&'static str, f64)>,
    /// Parameters.
    pub parameters: &'static [Named],
    /// Initial values of state variables.
    pub initial: &'static [Named],
    /// Initial slopes of alpha functions: NEST's name, ours, its time constant. NEST keeps e/τ times
    /// the height of the peak, we the height.
    pub slopes: &'static [(&'static str, &'static str, &'static str)],
    /// Parameters of which only one choice is computed.
    pub only: &'static [Only],
    /// Whether NEST's `V_min`, a lower bound of the potential, is computed.
    pub bounded: bool,
    /// Variables that may be recorded.
    pub variables: &'static [Named],
    /// Unit of weights.
    pub weight_unit: &'static str,
    /// Whether inputs of either sign act on one receptor; otherwise the sign chooses one of two.
    pub one_receptor: bool,
    /// Whether weights are conductances: their amount counts, their sign chooses the receptor.
    pub conductances: bool,
}

/// What NEST's archive of spikes keeps for synapses, and what names objects: without effect on a
/// neuron.
const INERT: [&str; 21] = [
    "tau_minus",
    "tau_minus_triplet",
    "t_spike",
    "post_trace",
    "beta_Ca",
    "tau_Ca",
    "Ca",
    "rho",
    "model",
    "element_type",
    "frozen",
    "offset",
    "I_syn",
    "available",
    "archiver_length",
    "model_id",
    "global_id",
    "node_uses_wfr",
    "ignore_and_spike_interval",
    "ignore_and_spike_offset",
    "recordables",
];

/// Switches of every NEST neuron that are off unless somebody turned them on.
const OFF: [Only; 2] = [
    ("ignore_and_spike", |flag| flag == 0.0, "spiking at set times instead of its equations"),
    ("is_refractory", |flag| flag == 0.0, "beginning in the refractory time"),
];

const POTENTIAL: Named = ("V_m", "membrane_potential", "mV");

const LEAKY: [Named; 5] = [
    ("tau_m", "tau_membrane", "ms"),
    ("C_m", "capacitance", "pF"),
    ("E_L", "resting_potential", "mV"),
    ("V_th", "threshold", "mV"),
    ("t_ref", "refractory_period", "ms"),
];

const LEAKY_WITH_CURRENTS: [Named; 7] = [
    LEAKY[0],
    LEAKY[1],
    LEAKY[2],
    LEAKY[3],
    LEAKY[4],
    ("tau_syn_ex", "tau_excitatory", "ms"),
    ("tau_syn_in", "tau_inhibitory", "ms"),
];

const CURRENTS: [Named; 2] =
    [("I_syn_ex", "current_excitatory", "pA"), ("I_syn_in", "current_inhibitory", "pA")];

const CONDUCTANCES: [Named; 2] =
    [("g_ex", "conductance_excitatory", "nS"), ("g_in", "conductance_inhibitory", "nS")];

const LEAKY_WITH_CONDUCTANCES: [Named; 9] = [
    LEAKY[1],
    ("g_L", "leak_conductance", "nS"),
    LEAKY[2],
    LEAKY[3],
    LEAKY[4],
    ("E_ex", "reversal_excitatory", "mV"),
    ("E_in", "reversal_inhibitory", "mV"),
    ("tau_syn_ex", "tau_excitatory", "ms"),
    ("tau_syn_in", "tau_inhibitory", "ms"),
];

const ADEX: [Named; 14] = [
    LEAKY_WITH_CONDUCTANCES[0],
    LEAKY_WITH_CONDUCTANCES[1],
    LEAKY_WITH_CONDUCTANCES[2],
    LEAKY_WITH_CONDUCTANCES[3],
    LEAKY_WITH_CONDUCTANCES[4],
    LEAKY_WITH_CONDUCTANCES[5],
    LEAKY_WITH_CONDUCTANCES[6],
    LEAKY_WITH_CONDUCTANCES[7],
    LEAKY_WITH_CONDUCTANCES[8],
    ("Delta_T", "slope_factor", "mV"),
    ("V_peak", "peak", "mV"),
    ("a", "adaptation_conductance", "nS"),
    ("b", "adaptation_jump", "pA"),
    ("tau_w", "tau_adaptation", "ms"),
];

const ADAPTATION: Named = ("w", "adaptation", "pA");

/// Beyond this a bound is none: NEST's default is the largest negative number.
pub(super) const LARGEST_NO_BOUND: f64 = -1e300;

const NO_ESCAPE: Only = ("delta", |width| width == 0.0, "spikes by chance (escape noise)");

const SLOPES_OF_CONDUCTANCES: [(&str, &str, &str); 2] =
    [("dg_ex", "rise_excitatory", "tau_syn_ex"), ("dg_in", "rise_inhibitory", "tau_syn_in")];

const SLOPES_OF_CURRENTS: [(&str, &str, &str); 2] = [
    ("dI_syn_ex", "rise_excitatory", "tau_syn_ex"),
    ("dI_syn_in", "rise_inhibitory", "tau_syn_in"),
];

/// What most models share.
const BASE: Translation = Translation {
    nest: "",
    ours: "",
    integration: Integration::Exact,
    reset: Some(("V_reset", -70.0)),
    parameters: &LEAKY,
    initial: &[POTENTIAL],
    slopes: &[],
    only: &[],
    bounded: false,
    variables: &[POTENTIAL],
    weight_unit: "pA",
    one_receptor: false,
    conductances: false,
};

const DELTA: Translation =
    Translation { ours: "lif_delta", weight_unit: "mV", one_receptor: true, ..BASE };

const EXPONENTIAL: Translation = Translation {
    ours: "lif_exponential",
    parameters: &LEAKY_WITH_CURRENTS,
    initial: &[POTENTIAL, CURRENTS[0], CURRENTS[1]],
    variables: &[POTENTIAL, CURRENTS[0], CURRENTS[1]],
    ..BASE
};

const ALPHA: Translation =
    Translation { ours: "lif_alpha", slopes: &SLOPES_OF_CURRENTS, ..EXPONENTIAL };

const CONDUCTANCE: Translation = Translation {
    ours: "lif_conductance_exponential",
    integration: Integration::Solved { nest_error_mv: 1e-3, nest_tolerance: 1e-3 },
    reset: Some(("V_reset", -60.0)),
    parameters: &LEAKY_WITH_CONDUCTANCES,
    initial: &[POTENTIAL, CONDUCTANCES[0], CONDUCTANCES[1]],
    only: &[],
    variables: &[POTENTIAL, CONDUCTANCES[0], CONDUCTANCES[1]],
    weight_unit: "nS",
    conductances: true,
    ..BASE
};

const ADAPTIVE: Translation = Translation {
    ours: "adex_exponential",
    // The upstroke magnifies what `gsl_error_tol` leaves.
    integration: Integration::Solved { nest_error_mv: 1e-2, nest_tolerance: 1e-6 },
    parameters: &ADEX,
    initial: &[POTENTIAL, CONDUCTANCES[0], CONDUCTANCES[1], ADAPTATION],
    variables: &[POTENTIAL, CONDUCTANCES[0], CONDUCTANCES[1], ADAPTATION],
    // Our own solver is converged; NEST's tolerance moves its error only.
    only: &[("gsl_error_tol", |tolerance| tolerance <= 1e-3, "a solver so coarse")],
    ..CONDUCTANCE
};

/// All neuron models.
pub static TRANSLATIONS: &[Translation] = &[
    Translation { nest: "iaf_psc_delta", bounded: true, ..DELTA },
    Translation { nest: "iaf_psc_delta_ps", integration: Integration::Precise, ..DELTA },
    Translation { nest: "iaf_psc_exp", only: &[NO_ESCAPE], ..EXPONENTIAL },
    Translation { nest: "iaf_psc_exp_ps", integration: Integration::Precise, ..EXPONENTIAL },
    Translation {
        nest: "iaf_psc_exp_ps_lossless",
        integration: Integration::Precise,
        ..EXPONENTIAL
    },
    Translation { nest: "iaf_psc_alpha", bounded: true, ..ALPHA },
    Translation { nest: "iaf_psc_alpha_ps", integration: Integration::Precise, ..ALPHA },
    Translation { nest: "iaf_cond_exp", ..CONDUCTANCE },
    Translation {
        nest: "iaf_cond_alpha",
        ours: "lif_conductance_alpha",
        slopes: &SLOPES_OF_CONDUCTANCES,
        ..CONDUCTANCE
    },
    Translation { nest: "aeif_cond_exp", ..ADAPTIVE },
    Translation {
        nest: "aeif_cond_alpha",
        ours: "adex_alpha",
        slopes: &SLOPES_OF_CONDUCTANCES,
        ..ADAPTIVE
    },
    Translation {
        nest: "izhikevich",
        ours: "izhikevich",
        reset: Some(("c", -65.0)),
        parameters: &[
            ("a", "recovery_rate", "1"),
            ("b", "recovery_sensitivity", "1"),
            ("d", "recovery_jump", "1"),
            ("V_th", "threshold", "mV"),
            ("consistent_integration", "consistent_steps", "1"),
        ],
        initial: &[POTENTIAL, ("U_m", "recovery", "1")],
        bounded: true,
        variables: &[POTENTIAL, ("U_m", "recovery", "1")],
        weight_unit: "mV",
        one_receptor: true,
        ..BASE
    },
    Translation {
        nest: "hh_psc_alpha",
        ours: "hodgkin_huxley",
        integration: Integration::Solved { nest_error_mv: 1e-2, nest_tolerance: 1e-3 },
        reset: None,
        parameters: &[
            ("C_m", "capacitance", "pF"),
            ("g_Na", "sodium_conductance", "nS"),
            ("g_K", "potassium_conductance", "nS"),
            ("g_L", "leak_conductance", "nS"),
            ("E_Na", "reversal_sodium", "mV"),
            ("E_K", "reversal_potassium", "mV"),
            ("E_L", "reversal_leak", "mV"),
            ("t_ref", "refractory_period", "ms"),
            ("tau_syn_ex", "tau_excitatory", "ms"),
            ("tau_syn_in", "tau_inhibitory", "ms"),
        ],
        initial: &GATED,
        only: &[],
        // A spike is where V, beyond 0 mV, falls again.
        variables: &GATED,
        ..BASE
    },
];

const GATED: [Named; 6] = [
    POTENTIAL,
    ("Act_m", "sodium_activation", "1"),
    ("Inact_h", "sodium_inactivation", "1"),
    ("Act_n", "potassium_activation", "1"),
    CURRENTS[0],
    CURRENTS[1],
];

/// The model of this name.
pub fn find_translation(nest: &str) -> Option<&'static Translation> {
    TRANSLATIONS.iter().find(|translation| translation.nest == nest)
}

/// The least span of time of our engines [ms].
const FEMTOSECOND_MS: f64 = 1e-12;

/// NEST holds a potential up to the first grid point at or behind the refractory time, which it keeps
/// in thousandths of a millisecond; here it is rounded to the nearest.
fn held_until_grid(refractory: f64, dt: f64) -> f64 {
    const PER_MILLISECOND: f64 = 1000.0;
    let (span, step) = ((refractory * PER_MILLISECOND).round(), (dt * PER_MILLISECOND).round());
    if step > 0.0 { (span / step).ceil() * dt } else { refractory }
}

/// A number with a unit of our tables.
pub(super) fn quantity(value: f64, symbol: &str) -> Quantity {
    match find_unit(symbol) {
        Some(unit) => Quantity { value, unit },
        None => Quantity::number(value),
    }
}

impl Translation {
    /// The recorded neuron, run in steps of `dt` [ms] unless its spikes are precise; with its initial
    /// state, where `starts` says that the parameters were written down before the run.
    pub(super) fn neuron(
        &self,
        given: &Fields<'_>,
        dt: Option<f64>,
        starts: bool,
    ) -> Result<Neuron, RecordingError> {
        let mut neuron = Neuron::new(self.ours);
        for (nest, ours, unit) in self.parameters {
            if let Some(value) = given.optional(nest)? {
                let value = match dt {
                    Some(dt) if *nest == "t_ref" => self.refractory(held_until_grid(value, dt)),
                    _ => value,
                };
                neuron = neuron.parameter(ours, quantity(value, unit));
            }
        }
        if self.bounded
            && let Some(bound) = given.optional("V_min")?.filter(|bound| *bound > LARGEST_NO_BOUND)
        {
            neuron = neuron.parameter("lowest_potential", quantity(bound, "mV"));
        }
        if let Some((reset, default)) = self.reset {
            let to = quantity(given.or(reset, default)?, "mV");
            neuron = neuron.rules(SpikeCondition::AtOrAbove, Reset::To(to.into()));
        }
        neuron.refractory_input = self.refractory_input(given)?;
        for (nest, ours, unit) in self.initial {
            if let Some(value) = given.optional(nest)?.filter(|_| starts) {
                neuron = neuron.initial(ours, quantity(value, unit));
            }
        }
        for (nest, ours, tau) in self.slopes {
            let unit = if self.conductances { "nS" } else { "pA" };
            if let Some(slope) = given.optional(nest)?.filter(|_| starts) {
                let height = slope * given.or(tau, 2.0)? / std::f64::consts::E;
                neuron = neuron.initial(ours, quantity(height, unit));
            }
        }
        for (name, is_computed, what) in self.only.iter().chain(&OFF) {
            if let Some(value) = given.optional(name)?.filter(|value| !is_computed(*value)) {
                return Err(RecordingError::NotCovered(format!(
                    "`{}` = {value}: {what} is not computed here",
                    given.at(name)
                )));
            }
        }
        INERT.iter().for_each(|name| given.pass(name));
        Ok(neuron)
    }

    /// Input that arrives with the end of the refractory time is lost here, as NEST's `iaf_psc_delta`
    /// loses it; its `iaf_psc_delta_ps` takes it.
    fn refractory(&self, held: f64) -> f64 {
        match self.integration {
            Integration::Precise if self.ours == "lif_delta" => (held - FEMTOSECOND_MS).max(0.0),
            _ => held,
        }
    }

    fn refractory_input(
        &self,
        given: &Fields<'_>,
    ) -> Result<Option<RefractoryInput>, RecordingError> {
        if self.ours == "izhikevich" {
            return Ok(None);
        }
        if self.ours != "lif_delta" {
            return Ok(Some(RefractoryInput::Integrated));
        }
        let kept = given.or("refractory_input", 0.0)? != 0.0;
        Ok(Some(if kept { RefractoryInput::Integrated } else { RefractoryInput::Lost }))
    }

    /// Receptor and amount of a weight.
    pub(super) fn receptor(&self, weight: f64) -> (Option<&'static str>, Quantity) {
        let receptor = if weight < 0.0 { "inhibitory" } else { "excitatory" };
        let amount = if self.conductances { weight.abs() } else { weight };
        ((!self.one_receptor).then_some(receptor), quantity(amount, self.weight_unit))
    }
}
