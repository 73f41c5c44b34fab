//! How a rate changes over time: a factor for all neurons.

use super::Target;
use crate::units::{Dimension, Quantity, Values};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// A factor on a rate that depends on time; never negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a description holds a handful of them")]
pub enum Modulation {
    /// Jumps at given times.
    Piecewise(Piecewise),
    /// 1 + depth · sin(2π · frequency · t + phase), cut at zero.
    Sine(Sine),
}

/// A factor that jumps to each value at its time; before the first it is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// Times of the jumps, ascending, on the grid.
    pub times: Values,
    /// The factor from each time on, zero or above.
    pub factors: Vec<f64>,
}

/// 1 + depth · sin(2π · frequency · t + phase), cut at zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    /// Relative amplitude; above 1 the factor is zero for a part of each period.
    pub depth: f64,
    /// Frequency.
    pub frequency: Quantity,
    /// Phase at time zero (radians).
    #[serde(default)]
    pub phase: f64,
}

/// A checked modulation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValidModulation {
    /// Always 1.
    None,
    /// (step, factor after it), ascending.
    Piecewise(Vec<(u64, f64)>),
    /// Depth, radians a step, phase.
    Sine { depth: f64, angle: f64, phase: f64 },
}

impl ValidModulation {
    /// The factor during step `step` (that ends at step · dt); a sine has the value of its middle.
    pub(crate) fn factor(&self, step: u64) -> f64 {
        match self {
            ValidModulation::None => 1.0,
            ValidModulation::Piecewise(jumps) => {
                let past = jumps.partition_point(|jump| jump.0 < step);
                past.checked_sub(1).and_then(|last| jumps.get(last)).map_or(1.0, |jump| jump.1)
            }
            ValidModulation::Sine { depth, angle, phase } => {
                (1.0 + depth * (angle * (step as f64 - 0.5) + phase).sin()).max(0.0)
            }
        }
    }

    /// The largest factor.
    pub(crate) fn largest(&self) -> f64 {
        match self {
            ValidModulation::None => 1.0,
            ValidModulation::Piecewise(jumps) => {
                jumps.iter().map(|jump| jump.1).fold(1.0, f64::max)
            }
            ValidModulation::Sine { depth, .. } => 1.0 + depth.abs(),
        }
    }
}

impl Modulation {
    /// The modulation in steps, or what is wrong with it.
    pub(super) fn lower(
        modulation: Option<&Modulation>,
        target: &mut Target<'_, '_>,
    ) -> Option<ValidModulation> {
        match modulation {
            None => Some(ValidModulation::None),
            Some(Modulation::Piecewise(piecewise)) => {
                let key = "modulation/piecewise/times";
                let times = target.ascending(key, &piecewise.times)?;
                if times.len() != piecewise.factors.len() {
                    let (times, factors) = (times.len(), piecewise.factors.len());
                    let message = format!("{times} times but {factors} factors");
                    target.wrong("wrong-count", key, message, "give one factor a time");
                    return None;
                }
                let wrong = |factor: &&f64| !(factor.is_finite() && **factor >= 0.0);
                if let Some(factor) = piecewise.factors.iter().find(wrong) {
                    let key = "modulation/piecewise/factors";
                    let message = format!("a factor is {factor}");
                    target.wrong("out-of-range", key, message, "factors are zero or above");
                    return None;
                }
                let path = target.key(key);
                let mut jumps = Vec::with_capacity(times.len());
                for (time, &factor) in times.into_iter().zip(&piecewise.factors) {
                    jumps.push((target.context.steps(&path, time)?, factor));
                }
                Some(ValidModulation::Piecewise(jumps))
            }
            Some(Modulation::Sine(sine)) => {
                let number = Dimension::Number;
                let depth = target.number("modulation/sine/depth", sine.depth.into(), number)?;
                let phase = target.number("modulation/sine/phase", sine.phase.into(), number)?;
                let key = "modulation/sine/frequency";
                let frequency = target.number(key, sine.frequency, Dimension::Rate)?;
                let angle = TAU * frequency * target.population.neurons.grid.dt();
                Some(ValidModulation::Sine { depth, angle, phase })
            }
        }
    }
}
