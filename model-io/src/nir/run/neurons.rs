//! Neurons of a graph under a convention.

use crate::array::Array;
use crate::nir::Primitive;
use crate::nir::dialect::{Convention, CurrentOrder, SpikeReset, Start};

use super::Signal;
use super::state::numbers;

/// A layer of neurons: `v = keep v + (1 - keep) (v_leak + r i)`.
#[derive(Debug)]
pub(super) struct Neurons {
    shape: Vec<usize>,
    order: CurrentOrder,
    reset: SpikeReset,
    /// Factor of one step of the current; empty without one.
    keep_current: Vec<f64>,
    /// What the input of the current is multiplied by.
    current_gain: Vec<f64>,
    /// Factor of one step of the potential; empty without leak.
    keep: Vec<f64>,
    /// What the membrane's input is multiplied by.
    gain: Vec<f64>,
    /// What is added in every step by the leak.
    leak: Vec<f64>,
    /// Thresholds; empty for neurons that do not spike.
    threshold: Vec<f64>,
    reset_value: Vec<f64>,
    /// Spikes in a step at the most, where several are sent.
    most: f64,
    current: Vec<f64>,
    potential: Vec<f64>,
    /// Neurons whose reset waits for the next step, or whose potential is held.
    pending: Vec<bool>,
}

/// The parameters of a layer as the file has them.
struct Parameters<'a> {
    r: &'a Array,
    tau: Option<&'a Array>,
    v_leak: Option<&'a Array>,
    synapse: Option<(&'a Array, &'a Array)>,
    spike: Option<(&'a Array, &'a Array)>,
}

fn parameters(primitive: &Primitive) -> Option<Parameters<'_>> {
    let none = |r| Parameters { r, tau: None, v_leak: None, synapse: None, spike: None };
    Some(match primitive {
        Primitive::I(node) => none(&node.r),
        Primitive::If(node) => {
            Parameters { spike: Some((&node.v_threshold, &node.v_reset)), ..none(&node.r) }
        }
        Primitive::Li(node) => {
            Parameters { tau: Some(&node.tau), v_leak: Some(&node.v_leak), ..none(&node.r) }
        }
        Primitive::Lif(node) => Parameters {
            tau: Some(&node.tau),
            v_leak: Some(&node.v_leak),
            spike: Some((&node.v_threshold, &node.v_reset)),
            ..none(&node.r)
        },
        Primitive::CubaLi(node) => Parameters {
            tau: Some(&node.tau_mem),
            v_leak: Some(&node.v_leak),
            synapse: Some((&node.tau_syn, &node.w_in)),
            ..none(&node.r)
        },
        Primitive::CubaLif(node) => Parameters {
            tau: Some(&node.tau_mem),
            v_leak: Some(&node.v_leak),
            synapse: Some((&node.tau_syn, &node.w_in)),
            spike: Some((&node.v_threshold, &node.v_reset)),
            ..none(&node.r)
        },
        _ => return None,
    })
}

impl Neurons {
    pub(super) fn new(primitive: &Primitive, convention: &Convention) -> Result<Self, String> {
        let Some(given) = parameters(primitive) else {
            return Err("is no neuron".to_owned());
        };
        let optional = |name: &str, array: Option<&Array>| match array {
            Some(array) => numbers(name, array),
            None => Ok(Vec::new()),
        };
        let factors = |name: &str, array: Option<&Array>| -> Result<Vec<f64>, String> {
            let taus = optional(name, array)?;
            if let Some(wrong) = taus.iter().find(|tau| !(**tau > 0.0 && tau.is_finite())) {
                return Err(format!("{name} is {wrong}; time constants must be above 0"));
            }
            let factor =
                |tau: f64| convention.decay.factor(convention.dt, tau * convention.tau_scale);
            Ok(taus.into_iter().map(factor).collect())
        };
        let r = numbers("r", given.r)?;
        let keep = factors("tau", given.tau)?;
        let taus = optional("tau", given.tau)?;
        let v_leak = optional("v_leak", given.v_leak)?;
        let scaled = |(r, (keep, tau)): (&f64, (&f64, &f64))| {
            convention.input.factor(*r, *keep, convention.dt, tau * convention.tau_scale)
        };
        let gain = match keep.is_empty() {
            true => r.clone(),
            false => r.iter().zip(keep.iter().zip(&taus)).map(scaled).collect(),
        };
        let leak = v_leak.iter().zip(&keep).map(|(leak, keep)| leak * (1.0 - keep)).collect();
        let keep_current = factors("tau_syn", given.synapse.map(|(tau, _)| tau))?;
        let w_in = optional("w_in", given.synapse.map(|(_, w_in)| w_in))?;
        let current_gain =
            w_in.iter().zip(&keep_current).map(|(w_in, keep)| match convention.current {
                CurrentOrder::AfterInput => w_in * (1.0 - keep),
                CurrentOrder::JumpFirst => *w_in,
                CurrentOrder::InputDecays => w_in * keep,
            });
        let size = r.len();
        Ok(Self {
            shape: super::without_batch(&given.r.shape),
            order: convention.current,
            reset: convention.reset.of(!keep_current.is_empty()),
            current_gain: current_gain.collect(),
            keep_current,
            keep,
            gain,
            leak,
            threshold: optional("v_threshold", given.spike.map(|(threshold, _)| threshold))?,
            reset_value: optional("v_reset", given.spike.map(|(_, reset)| reset))?,
            most: f64::from(convention.most_spikes),
            current: vec![0.0; size],
            potential: match convention.start {
                Start::Leak if v_leak.len() == size => v_leak,
                _ => vec![0.0; size],
            },
            pending: vec![false; size],
        })
    }

    /// Potentials after the last step.
    pub(super) fn potential(&self) -> &[f64] {
        &self.potential
    }

    /// Whether the layer spikes.
    pub(super) fn spikes(&self) -> bool {
        !self.threshold.is_empty()
    }

    pub(super) fn step(&mut self, input: &Signal) -> Result<Signal, String> {
        let size = self.potential.len();
        if !input.values.is_empty() && input.values.len() != size {
            let got = input.values.len();
            return Err(format!("has {size} neurons, but {got} values reach it"));
        }
        let at =
            |list: &[f64], neuron: usize, absent: f64| list.get(neuron).copied().unwrap_or(absent);
        let mut emitted = Vec::with_capacity(size);
        for neuron in 0..size {
            let mut drive = at(&input.values, neuron, 0.0);
            if let Some(&keep) = self.keep_current.get(neuron) {
                let jump = at(&self.current_gain, neuron, 1.0) * drive;
                let current = &mut self.current[neuron];
                match self.order {
                    CurrentOrder::AfterInput | CurrentOrder::InputDecays => {
                        *current = keep * *current + jump;
                        drive = *current;
                    }
                    CurrentOrder::JumpFirst => {
                        drive = *current + jump;
                        *current = keep * drive;
                    }
                }
            }
            let potential = at(&self.keep, neuron, 1.0) * self.potential[neuron]
                + at(&self.leak, neuron, 0.0)
                + at(&self.gain, neuron, 1.0) * drive;
            let (value, potential) = self.emit(neuron, potential);
            self.potential[neuron] = potential;
            emitted.push(value);
        }
        Ok(Signal { shape: self.shape.clone(), values: emitted })
    }

    /// What leaves a neuron, and its potential afterwards.
    fn emit(&mut self, neuron: usize, potential: f64) -> (f64, f64) {
        let Some(&threshold) = self.threshold.get(neuron) else { return (potential, potential) };
        let to = self.reset_value.get(neuron).copied().unwrap_or(0.0);
        let waited = self.pending.get_mut(neuron).is_some_and(std::mem::take);
        let (potential, needed) = match self.reset {
            SpikeReset::SubtractMany if threshold > 0.0 => {
                let count = (potential / threshold).floor().clamp(0.0, self.most);
                let left = potential - count * threshold;
                let leaky = !self.keep.is_empty();
                return (count, if leaky { left } else { left.max(-threshold) });
            }
            SpikeReset::SubtractNext if waited => (potential - threshold, threshold),
            SpikeReset::ToValueNext if waited => (to, threshold),
            SpikeReset::SubtractHeld if waited => (potential, 2.0 * threshold),
            _ => (potential, threshold),
        };
        let spiked = potential > needed;
        let left = match self.reset {
            SpikeReset::ToValue if spiked => to,
            SpikeReset::Subtract | SpikeReset::SubtractMany | SpikeReset::SubtractHeld
                if spiked =>
            {
                potential - threshold
            }
            _ => potential,
        };
        if let Some(pending) = self.pending.get_mut(neuron) {
            *pending = match self.reset {
                SpikeReset::SubtractNext | SpikeReset::ToValueNext => spiked,
                SpikeReset::SubtractHeld => left > threshold,
                _ => false,
            };
        }
        (f64::from(u8::from(spiked)), left)
    }
}
