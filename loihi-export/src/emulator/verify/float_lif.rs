//! Lava's integrate-and-fire processes in floating point.
//!
//! ```text
//! u = u * (1 - du) + a
//! v = v * (1 - dv) + u + bias_mant              (bias_exp has no effect)
//! ```
//! Spike and reset rule: v > vth, then v = 0. LIFReset clears u and v before the update of steps t
//! with `t % reset_interval == reset_offset % reset_interval`. LIFRefractory holds v in the steps
//! up to `refractory_period_end`, which a spike in step t sets to `t + refractory_period`; u goes
//! on. The order of the additions is Lava's, so the numbers are equal to the last bit.
//!
//! Reference: lava-nc 0.10.0 `PyLifModelFloat`, `PyLifResetModelFloat`,
//! `PyLifRefractoryModelFloat`.

use super::{
    Checked,
    fields::Fields,
    floating::{FloatProcess, each, number},
};

/// Arguments of all these processes.
pub(super) const ARGUMENTS: &[&str] = &[
    "shape",
    "u",
    "v",
    "du",
    "dv",
    "vth",
    "vth_hi",
    "vth_lo",
    "bias_mant",
    "bias_exp",
    "reset_interval",
    "reset_offset",
    "refractory_period",
    "learning_rule",
];

/// A population of one of these processes.
pub(super) struct Neurons {
    du: Vec<f64>,
    dv: Vec<f64>,
    threshold: Vec<f64>,
    /// Below it a ternary neuron emits -1.
    lower: Option<Vec<f64>>,
    bias: Vec<f64>,
    /// Interval and offset of regular resets.
    reset: Option<(u64, u64)>,
    refractory: Option<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    end: Vec<f64>,
}

/// The population of a case with inputs of `width` neurons.
pub(super) fn neurons(
    case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    let neurons = arguments.integers("shape")?.iter().fold(1_i64, |n, &m| n.saturating_mul(m));
    if usize::try_from(neurons) != Ok(width) {
        return Err(case.stop("params/shape", format!("{neurons} neurons for {width} inputs")));
    }
    // The defaults are those of Lava's constructors.
    let process = case.text("process").unwrap_or_default();
    let steps = |name: &str| {
        let found = arguments.integer(name)?;
        u64::try_from(found).map_err(|_| arguments.stop(name, "must not be negative"))
    };
    let optional = |name: &str, default| match arguments.has(name) {
        true => steps(name),
        false => Ok(default),
    };
    let reset = match process {
        "LIFReset" => Some((optional("reset_interval", 1)?.max(1), optional("reset_offset", 0)?)),
        _ => None,
    };
    let refractory = match process {
        "LIFRefractory" => Some(number(arguments, "refractory_period", Some(1.0))?),
        _ => None,
    };
    let ternary = process == "TernaryLIF";
    let threshold = if ternary { "vth_hi" } else { "vth" };
    Ok(Box::new(Neurons {
        du: each(arguments, "du", 0.0, width)?,
        dv: each(arguments, "dv", 0.0, width)?,
        threshold: each(arguments, threshold, 10.0, width)?,
        lower: match ternary {
            true => Some(each(arguments, "vth_lo", -10.0, width)?),
            false => None,
        },
        bias: each(arguments, "bias_mant", 0.0, width)?,
        reset,
        refractory,
        u: each(arguments, "u", 0.0, width)?,
        v: each(arguments, "v", 0.0, width)?,
        end: vec![0.0; width],
    }))
}

impl FloatProcess for Neurons {
    fn variable(&self, name: &str) -> Option<&[f64]> {
        match name {
            "u" => Some(&self.u),
            "v" => Some(&self.v),
            "refractory_period_end" => Some(&self.end),
            _ => None,
        }
    }

    fn step(&mut self, time: u64, input: &[Vec<f64>]) -> Vec<f64> {
        let input = input.first().map(Vec::as_slice).unwrap_or_default();
        if self.reset.is_some_and(|(interval, offset)| time % interval == offset % interval) {
            self.u.fill(0.0);
            self.v.fill(0.0);
        }
        let mut emitted = vec![0.0; input.len()];
        let states = self.u.iter_mut().zip(self.v.iter_mut()).zip(self.end.iter_mut());
        let drives = input.iter().zip(&self.bias);
        let neurons = emitted.iter_mut().zip(states.zip(drives)).enumerate();
        for (neuron, (spike, (((u, v), end), (&a, &bias)))) in neurons {
            let (du, dv) = (self.du[neuron], self.dv[neuron]);
            *u = *u * (1.0 - du) + a;
            match self.refractory {
                None => *v = *v * (1.0 - dv) + *u + bias,
                Some(_) if *end < time as f64 => *v = *v * (1.0 - dv) + (*u + bias),
                Some(_) => {}
            }
            if self.lower.as_ref().is_some_and(|lower| *v < lower[neuron]) {
                (*spike, *v) = (-1.0, 0.0);
            } else if *v > self.threshold[neuron] {
                (*spike, *v) = (1.0, 0.0);
                *end = self.refractory.map_or(0.0, |period| time as f64 + period);
            }
        }
        emitted
    }
}
