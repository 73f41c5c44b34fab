//! The neurons of a layer as the file states them, if netx makes of them what ours do.

use std::ops::RangeInclusive;

use super::super::neurons::resonator;
use super::super::{DECAY_BITS, GRADED_BITS, SPIKE_EXPONENT, STATE_EXPONENT};
use super::{Guard, LifNumbers, PlannedNeuron};
use crate::quantise::network::{IntegerValues, QuantisedPopulation};

/// Bits of the unit of a sigma-delta neuron's threshold and bias.
const SIGMA_DELTA_BITS: i64 = SPIKE_EXPONENT as i64 + STATE_EXPONENT;

/// A process that netx has, and which of its parameters have a place in the file.
struct Known {
    process: &'static str,
    parameters: &'static [&'static str],
}

/// Parameters of both resonators.
const RESONATOR: &[&str] = &["sin_decay", "cos_decay", "vth", "state_exp", "decay_bits"];

const KNOWN: &[Known] = &[
    Known { process: "lif", parameters: &["du", "dv", "vth", "bias_mant", "bias_exp"] },
    Known { process: "rf", parameters: RESONATOR },
    Known { process: "rf_iz", parameters: RESONATOR },
    Known { process: "delta", parameters: &["vth", "spike_exp", "state_exp", "cum_error"] },
    Known {
        process: "sigma_delta",
        parameters: &["vth", "bias", "relu", "spike_exp", "state_exp", "cum_error"],
    },
    Known { process: "sigma", parameters: &[] },
];

/// Bits that netx gives the spikes of a process.
pub(super) fn message_bits(process: &str) -> u8 {
    match process {
        "delta" | "sigma_delta" | "sigma" => GRADED_BITS,
        _ => 0,
    }
}

/// Whether neurons take real and imaginary input.
pub(super) fn is_complex(process: &str) -> bool {
    matches!(process, "rf" | "rf_iz")
}

/// Whether the caller drives a population, as netx's input layers with neurons are.
pub(super) fn is_driven(population: &QuantisedPopulation) -> bool {
    population.parameters.get("driven") == Some(&IntegerValues::One(1))
}

impl Guard {
    /// The neurons of a layer; `is_input` for those that the input itself drives.
    pub(super) fn neuron(
        &mut self,
        population: &QuantisedPopulation,
        is_input: bool,
    ) -> PlannedNeuron {
        let place = &population.name;
        let fits = match population.process.as_str() {
            "delta" => is_input,
            "lif" => true,
            _ => !is_input,
        };
        let known = KNOWN.iter().find(|known| known.process == population.process && fits);
        match known {
            None => {
                let problem = match is_input {
                    true => format!("its process is `{}` and it is the input", population.process),
                    false => format!("its process is `{}`", population.process),
                };
                let remedy = "netx has lif, rf, rf_iz, sigma_delta and sigma layers behind an \
                              input, a lif or a delta layer; export NIR for other neurons";
                self.report("process", place, problem, remedy);
            }
            Some(known) => self.parameters(population, known, is_input),
        }
        match population.process.as_str() {
            "rf" | "rf_iz" => self.resonator(population),
            "delta" | "sigma_delta" => self.sigma_delta(population),
            "sigma" => PlannedNeuron::Sigma,
            _ => PlannedNeuron::Lif(self.lif(population)),
        }
    }

    /// Reports parameters that the file does not hold.
    fn parameters(&mut self, population: &QuantisedPopulation, known: &Known, is_input: bool) {
        for (name, values) in &population.parameters {
            // Regular resets are an argument of netx, not a field of its file.
            let unset = name.starts_with("reset_") && *values == IntegerValues::One(0);
            let driven = name == "driven" && (*values == IntegerValues::One(0) || is_input);
            if !known.parameters.contains(&name.as_str()) && !unset && !driven {
                let problem = format!("its parameter `{name}` has no place in the file");
                let remedy = match name.as_str() {
                    "reset_interval" | "reset_offset" => {
                        "take it out, and give netx the argument reset_interval when it runs the \
                         file"
                    }
                    _ => "take it out, or export a Lava script",
                };
                self.report("parameter", &population.name, problem, remedy);
            }
        }
    }

    fn lif(&mut self, population: &QuantisedPopulation) -> LifNumbers {
        let current_decay = self.within(population, "du", 0, 0..=4095).saturating_add(1);
        let voltage_decay = self.within(population, "dv", 0, 0..=4096);
        let threshold = self.within(population, "vth", 0, 1..=131_071);
        LifNumbers { current_decay, voltage_decay, threshold }
    }

    /// A number that netx holds once for the layer, in the range that it keeps.
    fn within(
        &mut self,
        population: &QuantisedPopulation,
        name: &str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> i64 {
        let value = self.one(population, name, default);
        if !range.contains(&value) && population.process == "lif" {
            let problem = format!("{name} is {value}; netx needs {range:?}");
            let remedy = "change the neuron or its quantisation";
            self.report("neuron", &population.name, problem, remedy);
        }
        value
    }

    /// A number that netx fixes for all files.
    fn fixed(&mut self, population: &QuantisedPopulation, name: &str, default: i64, netx: i64) {
        let value = self.one(population, name, default);
        if value != netx {
            let problem = format!("{name} is {value}; netx takes {netx} for every file");
            let remedy = "build the population with that number, and scale its threshold by it";
            self.report("neuron", &population.name, problem, remedy);
        }
    }

    fn resonator(&mut self, population: &QuantisedPopulation) -> PlannedNeuron {
        self.fixed(population, "state_exp", 6, STATE_EXPONENT);
        self.fixed(population, "decay_bits", 12, DECAY_BITS);
        let wanted = ["sin_decay", "cos_decay"].map(|name| self.one(population, name, 0));
        // netx goes over period and angle and cuts: only from between two whole numbers is what
        // comes out sure.
        let decays = wanted.map(|decay| decay as f64 + if decay < 0 { -0.5 } else { 0.5 });
        let back = resonator(decays[0], decays[1]).map(|decay| decay as i64);
        if back != wanted {
            let problem = format!(
                "netx would make of its decays (sine {}, cosine {}) sine {} and cosine {}",
                wanted[0], wanted[1], back[0], back[1]
            );
            let remedy = "use decays of at most 4095 in 4096ths";
            self.report("neuron", &population.name, problem, remedy);
        }
        let threshold = self.one(population, "vth", 0) as f64 / f64::from(1 << STATE_EXPONENT);
        PlannedNeuron::Resonator { is_phase: population.process == "rf", decays, threshold }
    }

    fn sigma_delta(&mut self, population: &QuantisedPopulation) -> PlannedNeuron {
        self.fixed(population, "spike_exp", 0, SPIKE_EXPONENT.into());
        self.fixed(population, "state_exp", 0, STATE_EXPONENT);
        for (name, default, netx, meaning) in [
            ("cum_error", 0, 0, "netx compares single changes with the threshold"),
            ("relu", 1, 1, "netx rectifies"),
        ] {
            if self.one(population, name, default) != netx {
                let problem = format!("{name} is {}; {meaning}", 1 - netx);
                let remedy = "export a Lava script for such neurons";
                self.report("neuron", &population.name, problem, remedy);
            }
        }
        let threshold = self.one(population, "vth", 0);
        if !(1..=i64::from(i32::MAX)).contains(&threshold) {
            let problem = format!("vth is {threshold}; netx needs 1 to {}", i32::MAX);
            let remedy = "with less every neuron sends in every step; raise the threshold";
            self.report("neuron", &population.name, problem, remedy);
        }
        PlannedNeuron::SigmaDelta { threshold: threshold as f64 / f64::from(1 << SIGMA_DELTA_BITS) }
    }

    /// The bias of each neuron in the file's unit; empty where all are 0.
    pub(super) fn bias(&mut self, population: &QuantisedPopulation) -> Vec<i64> {
        let neurons = self.size(population, &population.shape) as usize;
        let (name, exponents, bits) = match population.process.as_str() {
            "sigma_delta" => ("bias", vec![0; neurons], SIGMA_DELTA_BITS as u32),
            _ => {
                let exponents = self.each(population, "bias_exp", neurons);
                ("bias_mant", exponents, super::BIAS_EXPONENT)
            }
        };
        let mantissas = self.each(population, name, neurons);
        if mantissas.iter().all(|&m| m == 0) {
            return Vec::new();
        }
        let range = match population.process.as_str() {
            // The state has 32 bits.
            "sigma_delta" => (i64::from(i32::MIN) >> bits)..=(i64::from(i32::MAX) >> bits),
            _ => super::BIAS_RANGE,
        };
        let mut bias = Vec::with_capacity(neurons);
        for (neuron, &mantissa) in mantissas.iter().enumerate() {
            let exponent = exponents.get(neuron).copied().unwrap_or(0);
            // Exponents beyond these ranges never give a bias that fits.
            let scaled = match exponent {
                0..=30 => mantissa.checked_mul(1 << exponent),
                -30..=-1 => Some(mantissa >> -exponent),
                _ => None,
            };
            let unit = 1i64 << bits;
            match scaled.filter(|s| s % unit == 0).map(|s| s / unit) {
                Some(value) if range.contains(&value) => bias.push(value),
                _ => {
                    let stated = match name {
                        "bias" => String::new(),
                        _ => format!(" with exponent {exponent}"),
                    };
                    let problem = format!(
                        "the bias of neuron {neuron} is {mantissa}{stated}; netx needs a multiple \
                         of {unit} within {range:?} times {unit}"
                    );
                    let remedy = match name {
                        "bias" => "round the biases to that unit",
                        _ => "quantise biases with bias_exp 6",
                    };
                    self.report("bias", &population.name, problem, remedy);
                    return Vec::new();
                }
            }
        }
        bias
    }
}
