//! From the arguments of Lava's processes to the integers of ours.
//!
//! Most names and numbers are the same. Where Lava's constructor scales an argument, the scaled
//! number is the parameter here; where it has a default of its own, that one holds.
//! Reference: the constructors of lava-nc 0.10.0 `lava.proc.{lif,rf,rf_iz,resfire,atrlif,sdn}`.

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
    /// Lava stores it in 16 bits and wraps what does not fit.
    Wrapped,
    /// A threshold mantissa, of which no larger one has another effect.
    Threshold,
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
    /// Arguments whose default in Lava is not ours.
    defaults: &'static [(&'static str, f64)],
    /// Variables whose first values are arguments.
    pub(super) initial: &'static [&'static str],
}

const LIF: &[(&str, Rule)] = &[
    ("bias_mant", Rule::Wrapped),
    ("bias_exp", Rule::Wrapped),
    ("vth", Rule::Threshold),
    ("learning_rule", Rule::Ignored),
];
const LIF_DEFAULTS: &[(&str, f64)] = &[("vth", 10.0)];
const ROTATION: &[(&str, Rule)] = &[
    ("period", Rule::Ignored),
    ("alpha", Rule::Ignored),
    ("vth", Rule::Ignored),
    ("vth_effective", Rule::Named("vth")),
];
const ROTATION_DEFAULTS: &[(&str, f64)] = &[("state_exp", 0.0), ("decay_bits", 0.0)];
const CODER: &[(&str, Rule)] =
    &[("vth", Rule::StateUnit), ("bias", Rule::StateUnit), ("act_mode", Rule::Activation)];
const GRADED: &[(&str, Rule)] = &[("exp", Rule::Ignored)];
const MEMBRANE: &[&str] = &["u", "v"];

const PLAIN: LavaProcess =
    LavaProcess { lava: "", process: "", rules: &[], defaults: &[], initial: &[] };
const LIF_LIKE: LavaProcess =
    LavaProcess { process: "lif", rules: LIF, defaults: LIF_DEFAULTS, initial: MEMBRANE, ..PLAIN };

/// All process classes that are computed.
pub(super) const PROCESSES: &[LavaProcess] = &[
    LavaProcess { lava: "LIF", ..LIF_LIKE },
    LavaProcess {
        lava: "LIFReset",
        defaults: &[("vth", 10.0), ("reset_interval", 1.0)],
        ..LIF_LIKE
    },
    LavaProcess { lava: "LearningLIF", ..LIF_LIKE },
    LavaProcess {
        lava: "TernaryLIF",
        process: "ternary_lif",
        rules: &[
            ("bias_mant", Rule::Wrapped),
            ("bias_exp", Rule::Wrapped),
            ("vth_hi", Rule::Threshold),
            ("vth_lo", Rule::Threshold),
        ],
        defaults: &[("vth_hi", 10.0), ("vth_lo", -10.0)],
        initial: MEMBRANE,
    },
    LavaProcess {
        lava: "ATRLIF",
        process: "atrlif",
        rules: &[
            ("bias_mant", Rule::Wrapped),
            ("bias_exp", Rule::Wrapped),
            ("delta_i", Rule::ExactDecay("delta_i_fraction")),
            ("delta_v", Rule::Decay),
            ("delta_theta", Rule::Decay),
            ("delta_r", Rule::Decay),
            ("theta_0", Rule::ThresholdUnit),
            ("theta_step", Rule::ThresholdUnit),
            // The first step sets theta to theta_0, and s is overwritten in every step.
            ("theta", Rule::Ignored),
            ("s", Rule::Ignored),
        ],
        defaults: &[
            ("delta_i", 0.4),
            ("delta_v", 0.4),
            ("delta_theta", 0.2),
            ("delta_r", 0.2),
            ("theta_0", 5.0),
            ("theta_step", 3.75),
        ],
        initial: &["i", "v", "r"],
    },
    LavaProcess {
        lava: "RF",
        process: "rf",
        rules: ROTATION,
        defaults: ROTATION_DEFAULTS,
        ..PLAIN
    },
    LavaProcess {
        lava: "RF_IZ",
        process: "rf_iz",
        rules: ROTATION,
        defaults: ROTATION_DEFAULTS,
        ..PLAIN
    },
    LavaProcess {
        lava: "RFZero",
        process: "rf_zero",
        rules: &[("freqs", Rule::Ignored), ("decay_tau", Rule::Ignored), ("dt", Rule::Ignored)],
        ..PLAIN
    },
    LavaProcess { lava: "Delta", process: "delta", rules: CODER, ..PLAIN },
    LavaProcess { lava: "Sigma", process: "sigma", ..PLAIN },
    LavaProcess { lava: "SigmaDelta", process: "sigma_delta", rules: CODER, ..PLAIN },
    LavaProcess { lava: "GradedVec", process: "graded_vec", rules: GRADED, ..PLAIN },
    LavaProcess { lava: "GradedReluVec", process: "graded_relu_vec", rules: GRADED, ..PLAIN },
    LavaProcess { lava: "ProdNeuron", process: "prod_neuron", ..PLAIN },
    LavaProcess { lava: "NormVecDelay", process: "norm_vec_delay", rules: GRADED, ..PLAIN },
];

/// Arguments of every process that have no effect on what it computes, and its size.
const EVERYWHERE: [&str; 3] = ["shape", "name", "log_config"];
/// No membrane reaches a threshold of this mantissa.
const THRESHOLD_BOUND: f64 = (1 << 24) as f64;

/// Our parameters for a case's arguments, all but its shape and first values.
pub(super) fn parameters(
    process: &LavaProcess,
    arguments: &Fields<'_>,
) -> Checked<IndexMap<String, IntegerValues>> {
    let mut given: IndexMap<&str, Vec<f64>> = IndexMap::new();
    for &(name, default) in process.defaults {
        given.insert(name, vec![default]);
    }
    let mut values = IndexMap::new();
    for name in arguments.names() {
        match process.rules.iter().find(|(argument, _)| *argument == name) {
            Some((_, Rule::Ignored)) => {}
            Some((_, Rule::Activation)) => {
                let relu = IntegerValues::One(i64::from(is_rectified(arguments)?));
                values.insert("relu".to_owned(), relu);
            }
            _ if EVERYWHERE.contains(&name) || process.initial.contains(&name) => {}
            _ => {
                given.insert(name, arguments.numbers(name)?);
            }
        }
    }
    match process.process {
        "rf" | "rf_iz" => rotation(arguments, &mut given)?,
        "rf_zero" => frequencies(arguments, &mut given)?,
        _ => {}
    }
    let unit = state_unit(arguments)?;
    for (name, numbers) in given {
        let rule = process.rules.iter().find(|(argument, _)| *argument == name);
        let mut set = |name: &str, numbers: Vec<f64>| -> Checked<()> {
            let whole = arguments.whole(name, numbers)?;
            values.insert(name.to_owned(), one_or_each(whole));
            Ok(())
        };
        let each = |scaled: &dyn Fn(f64) -> f64| numbers.iter().map(|&n| scaled(n)).collect();
        match rule.map(|(_, rule)| *rule) {
            None => set(name, numbers)?,
            Some(Rule::Ignored | Rule::Activation) => {}
            Some(Rule::Named(ours)) => set(ours, numbers)?,
            Some(Rule::Wrapped) => set(name, each(&|n| f64::from(n as i64 as i16)))?,
            Some(Rule::Threshold) => {
                set(name, each(&|n| n.clamp(-THRESHOLD_BOUND, THRESHOLD_BOUND)))?;
            }
            Some(Rule::ThresholdUnit) => set(name, each(&|n| (n * 64.0).trunc()))?,
            Some(Rule::StateUnit) => set(name, each(&|n| (n * unit).trunc()))?,
            Some(Rule::Decay) => {
                set(name, each(&|delta| 4096.0 - (4096.0 - delta * 4096.0).trunc()))?;
            }
            Some(Rule::ExactDecay(rest)) => {
                let unity = FRACTION_UNITY as f64;
                set(name, each(&|delta| (delta * 4096.0).trunc()))?;
                set(rest, each(&|delta| ((delta * 4096.0).fract() * unity).trunc()))?;
            }
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

/// What Lava's constructors of RF and RF_IZ make of period and alpha, which may be one a neuron:
/// sines and cosines of a step.
pub(super) fn damped_rotation(arguments: &Fields<'_>) -> Checked<[Vec<f64>; 2]> {
    let [periods, alphas] = [("period", 10.0), ("alpha", 0.07)].map(|(name, default)| {
        if arguments.has(name) { arguments.numbers(name) } else { Ok(vec![default]) }
    });
    let (periods, alphas) = (periods?, alphas?);
    let bits = optional(arguments, "decay_bits")?;
    let unit = 2.0_f64.powi(bits as i32);
    let count = periods.len().max(alphas.len());
    let mut parts = [Vec::with_capacity(count), Vec::with_capacity(count)];
    for neuron in 0..count {
        let found = (at(&periods, neuron), at(&alphas, neuron));
        let (Some(period), Some(alpha)) = found else {
            return Err(arguments.stop("period", "and alpha must be one number, or one a neuron"));
        };
        let angle = std::f64::consts::PI * 2.0 / period;
        for (list, part) in parts.iter_mut().zip([angle.sin(), angle.cos()]) {
            let exact = (1.0 - alpha) * part;
            list.push(if bits > 0 { (exact * unit).trunc() } else { exact });
        }
    }
    Ok(parts)
}

/// The thresholds of resonators in units of their state: one, or one a neuron.
pub(super) fn resonator_threshold(arguments: &Fields<'_>) -> Checked<Vec<f64>> {
    let stated = if arguments.has("vth") { arguments.numbers("vth")? } else { vec![1.0] };
    let exponent = optional(arguments, "state_exp")?;
    let unit = 2.0_f64.powi(exponent as i32);
    let scaled = |threshold: f64| if exponent > 0 { (threshold * unit).trunc() } else { threshold };
    Ok(stated.into_iter().map(scaled).collect())
}

/// The number of a neuron in a list; a single one holds for all.
fn at(values: &[f64], neuron: usize) -> Option<f64> {
    match values {
        [one] => Some(*one),
        _ => values.get(neuron).copied(),
    }
}

fn optional(arguments: &Fields<'_>, name: &str) -> Checked<i64> {
    let found = if arguments.has(name) { arguments.integer(name)? } else { 0 };
    if (0..=30).contains(&found) {
        return Ok(found);
    }
    Err(Stop::NotCovered(format!("{name} {found}; computed are 0 to 30")))
}

/// Completes a resonator's decays and threshold where a recording states period and alpha only.
fn rotation(arguments: &Fields<'_>, given: &mut IndexMap<&str, Vec<f64>>) -> Checked<()> {
    let decays = damped_rotation(arguments)?;
    for (name, decays) in ["sin_decay", "cos_decay"].into_iter().zip(decays) {
        if !arguments.has(name) {
            given.insert(name, decays);
        }
    }
    if !arguments.has("vth_effective") {
        let whole = resonator_threshold(arguments)?.into_iter().map(f64::trunc).collect();
        given.insert("vth_effective", whole);
    }
    Ok(())
}

/// Completes the sines and cosines of RFZero where a recording states frequencies only.
fn frequencies(arguments: &Fields<'_>, given: &mut IndexMap<&str, Vec<f64>>) -> Checked<()> {
    if arguments.has("lst") && arguments.has("lct") {
        return Ok(());
    }
    let (frequencies, decays) = (arguments.numbers("freqs")?, arguments.numbers("decay_tau")?);
    let steps = if arguments.has("dt") { arguments.numbers("dt")? } else { vec![0.001] };
    let [dt] = steps[..] else { return Err(arguments.stop("dt", "must be one number")) };
    let count = frequencies.len().max(decays.len());
    let mut angles = [Vec::new(), Vec::new()];
    for neuron in 0..count {
        let (Some(frequency), Some(tau)) = (at(&frequencies, neuron), at(&decays, neuron)) else {
            return Err(
                arguments.stop("freqs", "and decay_tau must be one number, or one a neuron")
            );
        };
        let kept = (dt * (-1.0 / tau)).exp();
        let angle = dt * frequency * std::f64::consts::PI * 2.0;
        for (list, part) in angles.iter_mut().zip([angle.sin(), angle.cos()]) {
            list.push((kept * part * 32_768.0).trunc());
        }
    }
    for (name, angles) in ["lst", "lct"].into_iter().zip(angles) {
        if !arguments.has(name) {
            given.insert(name, angles);
        }
    }
    Ok(())
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

/// Whether `act_mode` is Lava's RELU, by name or by its number; it is where none is stated.
pub(super) fn is_rectified(arguments: &Fields<'_>) -> Checked<bool> {
    const NAME: &str = "act_mode";
    if !arguments.has(NAME) {
        return Ok(true);
    }
    let stated = match arguments.text(NAME) {
        Ok(name) => name.rsplit('.').next().unwrap_or_default().to_owned(),
        Err(_) => arguments.integer(NAME)?.to_string(),
    };
    match stated.as_str() {
        "RELU" | "1" => Ok(true),
        "UNIT" | "0" => Ok(false),
        other => Err(Stop::NotCovered(format!("act_mode '{other}'; computed are RELU, UNIT"))),
    }
}
