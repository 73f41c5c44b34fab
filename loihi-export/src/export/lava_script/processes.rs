//! Our processes as Lava's, with their parameters.

use std::fmt::Write as _;

use indexmap::IndexMap;
use model_io::array::Array;

use crate::emulator::process::{atrlif::FRACTION_UNITY, find};
use crate::quantise::network::{IntegerValues, QuantisedPopulation};

use super::{LavaScriptError, printable};

/// How a process of ours is written in Lava.
pub(super) struct Counterpart {
    /// Name of ours.
    pub(super) process: &'static str,
    /// Lava's class.
    class: &'static str,
    /// Parameters that its constructor takes under the same name and in the same unit.
    given: &'static [&'static str],
    /// What its constructor needs besides; `SIZE` stands for the number of neurons.
    constructor: &'static str,
    /// Parameters that its constructor would scale or compute: set in its variables of that name.
    set: &'static [&'static str],
    /// Parameters that its constructor takes as parts of these numbers.
    parts: &'static [(&'static str, f64)],
}

const fn counterpart(
    process: &'static str,
    class: &'static str,
    given: &'static [&'static str],
) -> Counterpart {
    Counterpart { process, class, given, constructor: "", set: &[], parts: &[] }
}

const LIF: &[&str] =
    &["du", "dv", "vth", "bias_mant", "bias_exp", "reset_interval", "reset_offset"];
const TERNARY: &[&str] = &["du", "dv", "vth_hi", "vth_lo", "bias_mant", "bias_exp"];
const CODER: &[&str] = &["spike_exp", "state_exp", "cum_error"];
const RESONATOR: Counterpart = Counterpart {
    constructor: "period=1, alpha=0",
    set: &["sin_decay", "cos_decay", "vth"],
    ..counterpart("rf", "RF", &["state_exp", "decay_bits"])
};

/// Lava multiplies these by 4096 or 64 itself. What it takes by itself where nothing is said differs
/// from ours, so that all of them are written.
const ADAPTIVE: &[(&str, f64)] = &[
    ("delta_i", 4096.0),
    ("delta_v", 4096.0),
    ("delta_theta", 4096.0),
    ("delta_r", 4096.0),
    ("theta_0", 64.0),
    ("theta_step", 64.0),
];
/// Belongs to `delta_i`.
const FRACTION: &str = "delta_i_fraction";

/// Processes that are written.
pub(super) const PROCESSES: [Counterpart; 14] = [
    counterpart("input", "Source", &[]),
    counterpart("lif", "LIF", LIF),
    counterpart("ternary_lif", "TernaryLIF", TERNARY),
    Counterpart { parts: ADAPTIVE, ..counterpart("atrlif", "ATRLIF", &["bias_mant", "bias_exp"]) },
    RESONATOR,
    Counterpart { process: "rf_iz", class: "RF_IZ", ..RESONATOR },
    Counterpart {
        constructor: "freqs=np.ones(SIZE), decay_tau=np.ones(SIZE)",
        set: &["lst", "lct", "uth"],
        ..counterpart("rf_zero", "RFZero", &[])
    },
    Counterpart { constructor: "vth=0", set: &["vth"], ..counterpart("delta", "Delta", CODER) },
    counterpart("sigma", "Sigma", &[]),
    Counterpart {
        constructor: "vth=0",
        set: &["vth", "bias"],
        ..counterpart("sigma_delta", "SigmaDelta", CODER)
    },
    counterpart("graded_vec", "GradedVec", &["vth"]),
    counterpart("graded_relu_vec", "GradedReluVec", &["vth"]),
    counterpart("prod_neuron", "ProdNeuron", &["vth", "exp"]),
    counterpart("norm_vec_delay", "NormVecDelay", &["vth"]),
];

/// Writes the process of a piece of the population `original`.
pub(super) fn write_population(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    (index, key): (usize, &str),
    population: &QuantisedPopulation,
    original: &str,
) -> Result<(), LavaScriptError> {
    let known = PROCESSES.iter().find(|known| known.process == population.process);
    let (Some(known), Ok(info)) = (known, find(population)) else {
        let (name, process) = (population.name.clone(), population.process.clone());
        return Err(LavaScriptError::Process { population: name, process });
    };
    let is_known = |name: &String| info.parameters.iter().any(|known| known.name == *name);
    if let Some(parameter) = population.parameters.keys().find(|name| !is_known(name)) {
        let (population, parameter) = (population.name.clone(), parameter.clone());
        return Err(LavaScriptError::Parameter { population, parameter });
    }
    let original = printable(original);
    if population.process == "input" {
        let _ = writeln!(script, "    add(\"{key}\", Source(data=inputs[\"{original}\"].T))");
        return Ok(());
    }
    let size = population.shape.size();
    let resets = value_of(population, "reset_interval").is_some_and(|interval| interval > 0);
    let (mut arguments, mut values) = (format!("shape=({size},)"), String::new());
    if !known.constructor.is_empty() {
        let _ = write!(arguments, ", {}", known.constructor.replace("SIZE", &size.to_string()));
    }
    if population.process == "sigma_delta" {
        let mode = if value_of(population, "relu") == Some(0) { "UNIT" } else { "RELU" };
        let _ = write!(arguments, ", act_mode=ActivationMode.{mode}");
    }
    for parameter in info.parameters {
        let name = parameter.name;
        if let Some((_, whole)) = known.parts.iter().find(|(known, _)| *known == name) {
            let own = population.parameters.get(name).cloned();
            let own = own.unwrap_or(IntegerValues::One(parameter.default.unwrap_or(0)));
            let rest = population.parameters.get(FRACTION).filter(|_| name == "delta_i");
            let rest = rest.unwrap_or(&IntegerValues::One(0));
            let parts = fractions(&own, rest, *whole);
            if let [part] = parts[..] {
                let _ = write!(arguments, ", {name}={part:?}");
            } else {
                let array = format!("p{index}_{name}");
                let _ = write!(arguments, ", {name}=ARRAYS[\"{array}\"]");
                arrays.insert(array, Array::vector(parts));
            }
            continue;
        }
        let unsaid = parameter.default.filter(|default| *default != 0).map(IntegerValues::One);
        let Some(given) = population.parameters.get(name).or(unsaid.as_ref()) else { continue };
        let to = match name {
            _ if name.starts_with("reset_") && !resets => continue,
            _ if known.set.contains(&name) => &mut values,
            _ if known.given.contains(&name) => &mut arguments,
            // Said by the activation above, by `drive` below, and with `delta_i`.
            "relu" | DRIVEN | FRACTION => continue,
            _ if *given == IntegerValues::One(0) => continue,
            _ => {
                let (population, parameter) = (population.name.clone(), name.to_owned());
                return Err(LavaScriptError::Parameter { population, parameter });
            }
        };
        match given {
            IntegerValues::One(value) => {
                let _ = write!(to, ", {name}={value}");
            }
            IntegerValues::PerNeuron(values) => {
                let array = format!("p{index}_{name}");
                let _ = write!(to, ", {name}=ARRAYS[\"{array}\"]");
                arrays.insert(array, Array::vector(values.clone()));
            }
        }
    }
    let class = if resets { "LIFReset" } else { known.class };
    let process = match values.as_str() {
        "" => format!("{class}({arguments})"),
        values => format!("with_values({class}({arguments}){values})"),
    };
    let _ = writeln!(script, "    add(\"{key}\", {process})");
    if is_driven(population) {
        let _ = writeln!(script, "    drive(\"{key}\", \"{original}\")");
    }
    Ok(())
}

/// Integers and the rests that belong to them as parts of `whole`: one, or one a neuron.
fn fractions(own: &IntegerValues, rest: &IntegerValues, whole: f64) -> Vec<f64> {
    let at = |values: &IntegerValues, neuron: usize| match values {
        IntegerValues::One(value) => *value,
        IntegerValues::PerNeuron(values) => values.get(neuron).copied().unwrap_or(0),
    };
    let length = |values: &IntegerValues| match values {
        IntegerValues::One(_) => 1,
        IntegerValues::PerNeuron(values) => values.len(),
    };
    let part =
        |neuron| (at(own, neuron) as f64 + at(rest, neuron) as f64 / FRACTION_UNITY as f64) / whole;
    (0..length(own).max(length(rest))).map(part).collect()
}

/// The parameter of populations whose input the caller gives.
const DRIVEN: &str = "driven";

/// Whether the caller gives the input of its neurons.
pub(super) fn is_driven(population: &QuantisedPopulation) -> bool {
    value_of(population, DRIVEN).is_some_and(|driven| driven != 0)
}

/// A parameter with one value for all neurons.
fn value_of(population: &QuantisedPopulation, name: &str) -> Option<i64> {
    match population.parameters.get(name) {
        Some(IntegerValues::One(value)) => Some(*value),
        _ => None,
    }
}
