//! From the arguments of Lava's processes to the integers of ours.
//!
//! Most names and numbers are the same. Where Lava's constructor scales an argument, the scaled
//! number is the parameter here.

use indexmap::IndexMap;

use crate::{emulator::process::atrlif::FRACTION_UNITY, quantise::network::IntegerValues};

use super::{Checked, Stop, fields::Fields};

/// What becomes of an argument.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// It has no effect on the recorded values, or other arguments hold its effect.
    Ignored,
    /// It has another name here.
    Named(&'static str),
    /// It is multiplied by 2^6 and cut to a whole number.
    ThresholdUnit,
    /// It is multiplied by 2^(spike_exp + state_exp) and cut to a whole number.
    StateUnit,
    /// A decay as a fraction of 1, of which what is kept is cut to whole 4096ths.
    Decay,
    /// A decay as a fraction of 1, exact; the text is the parameter of its rest.
    ExactDecay(&'static str),
    /// `RELU` or `UNIT`.
    Activation,
}

/// A process class of Lava.
#[derive(Debug)]
pub(super) struct LavaProcess {
    /// Lava's name.
    pub(super) lava: &'static str,
    /// Registry name of the process that computes it.
    pub(super) process: &'static str,
    /// Arguments that do not keep name and number.
    rules: &'static [(&'static str, Rule)],
}

const fn process(
    lava: &'static str,
    process: &'static str,
    rules: &'static [(&'static str, Rule)],
) -> LavaProcess {
    LavaProcess { lava, process, rules }
}

const ROTATION: &[(&str, Rule)] = &[
    ("period", Rule::Ignored),
    ("alpha", Rule::Ignored),
    ("vth", Rule::Ignored),
    ("vth_effective", Rule::Named("vth")),
];
const CODER: &[(&str, Rule)] =
    &[("vth", Rule::StateUnit), ("bias", Rule::StateUnit), ("act_mode", Rule::Activation)];
const GRADED: &[(&str, Rule)] = &[("exp", Rule::Ignored)];

/// All process classes that are computed.
pub(super) const PROCESSES: &[LavaProcess] = &[
    process("LIF", "lif", &[]),
    process("LIFReset", "lif", &[]),
    process("LearningLIF", "lif", &[]),
    process("TernaryLIF", "ternary_lif", &[]),
    process(
        "ATRLIF",
        "atrlif",
        &[
            ("delta_i", Rule::ExactDecay("delta_i_fraction")),
            ("delta_v", Rule::Decay),
            ("delta_theta", Rule::Decay),
            ("delta_r", Rule::Decay),
            ("theta_0", Rule::ThresholdUnit),
            ("theta_step", Rule::ThresholdUnit),
        ],
    ),
    process("RF", "rf", ROTATION),
    process("RF_IZ", "rf_iz", ROTATION),
    process(
        "RFZero",
        "rf_zero",
        &[("freqs", Rule::Ignored), ("decay_tau", Rule::Ignored), ("dt", Rule::Ignored)],
    ),
    process("Delta", "delta", CODER),
    process("Sigma", "sigma", &[]),
    process("SigmaDelta", "sigma_delta", CODER),
    process("GradedVec", "graded_vec", GRADED),
    process("GradedReluVec", "graded_relu_vec", GRADED),
    process("ProdNeuron", "prod_neuron", &[]),
];

/// Our parameters for a case's arguments, all but its shape.
pub(super) fn parameters(
    process: &LavaProcess,
    arguments: &Fields<'_>,
) -> Checked<IndexMap<String, IntegerValues>> {
    let mut values = IndexMap::new();
    for name in arguments.names().into_iter().filter(|name| *name != "shape") {
        let rule = process.rules.iter().find(|(argument, _)| *argument == name);
        let mut set = |name: &str, numbers: Vec<f64>| -> Checked<()> {
            let whole = arguments.whole(name, numbers)?;
            values.insert(name.to_owned(), one_or_each(whole));
            Ok(())
        };
        let Some((_, rule)) = rule else {
            set(name, arguments.numbers(name)?)?;
            continue;
        };
        let scaled = |factor: f64| -> Checked<Vec<f64>> {
            Ok(arguments.numbers(name)?.into_iter().map(|n| (n * factor).trunc()).collect())
        };
        match rule {
            Rule::Ignored => {}
            Rule::Named(ours) => set(ours, arguments.numbers(name)?)?,
            Rule::ThresholdUnit => set(name, scaled(64.0)?)?,
            Rule::StateUnit => set(name, scaled(state_unit(arguments)?)?)?,
            Rule::Decay => {
                let kept = |delta: f64| 4096.0 - (4096.0 - delta * 4096.0).trunc();
                set(name, arguments.numbers(name)?.into_iter().map(kept).collect())?;
            }
            Rule::ExactDecay(rest) => {
                let decays: Vec<_> =
                    arguments.numbers(name)?.into_iter().map(|delta| delta * 4096.0).collect();
                set(name, decays.iter().map(|decay| decay.trunc()).collect())?;
                let unity = FRACTION_UNITY as f64;
                set(rest, decays.iter().map(|decay| (decay.fract() * unity).trunc()).collect())?;
            }
            Rule::Activation => set("relu", vec![activation(arguments, name)?])?,
        }
    }
    Ok(values)
}

fn one_or_each(mut values: Vec<i64>) -> IntegerValues {
    match (values.pop(), values.is_empty()) {
        (Some(value), true) => IntegerValues::One(value),
        (last, _) => {
            values.extend(last);
            IntegerValues::PerNeuron(values)
        }
    }
}

/// 2^(spike_exp + state_exp), where absent exponents are 0.
fn state_unit(arguments: &Fields<'_>) -> Checked<f64> {
    let mut exponent = 0;
    for name in ["spike_exp", "state_exp"].into_iter().filter(|name| arguments.has(name)) {
        let found = arguments.integer(name)?;
        if !(0..=15).contains(&found) {
            return Err(Stop::NotCovered(format!("{name} {found}; computed are 0 to 15")));
        }
        exponent += found as i32;
    }
    Ok(2.0_f64.powi(exponent))
}

fn activation(arguments: &Fields<'_>, name: &str) -> Checked<f64> {
    match arguments.text(name)? {
        "RELU" => Ok(1.0),
        "UNIT" => Ok(0.0),
        other => Err(Stop::NotCovered(format!("act_mode '{other}'; computed are RELU, UNIT"))),
    }
}
