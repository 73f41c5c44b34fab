//! Lava's Sigma, Delta and SigmaDelta in floating point; their exponents have no effect.
//!
//! ```text
//! sigma += a;   x = a (Delta) or f(sigma + bias) with f ReLU or identity;   d = x - act + residue
//! s = d where |d| >= vth, or with cum_error: error += d, s = d and error = 0 where |error| >= vth
//! residue = d - s;   act = x
//! ```
//! Reference: lava-nc 0.10.0 `PySigmaModelFloat`, `PyDeltaModelFloat`, `PySigmaDeltaModelFloat`.

use super::{
    Checked,
    fields::Fields,
    floating::{FloatProcess, each, number},
    parameters::is_rectified,
};

/// Arguments of Delta and SigmaDelta.
pub(super) const ARGUMENTS: &[&str] =
    &["shape", "vth", "bias", "act_mode", "cum_error", "spike_exp", "state_exp"];

/// How far a process goes.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Sigma,
    Delta,
    Both { rectified: bool },
}

struct Coder {
    stage: Stage,
    threshold: f64,
    cumulative: bool,
    bias: Vec<f64>,
    sigma: Vec<f64>,
    act: Vec<f64>,
    residue: Vec<f64>,
    error: Vec<f64>,
}

fn coder(arguments: &Fields<'_>, width: usize, stage: Stage) -> Checked<Box<dyn FloatProcess>> {
    let threshold = number(arguments, "vth", Some(0.0))?;
    let cumulative = number(arguments, "cum_error", Some(0.0))? != 0.0;
    let zero = vec![0.0; width];
    Ok(Box::new(Coder {
        stage,
        threshold,
        cumulative,
        bias: each(arguments, "bias", 0.0, width)?,
        sigma: zero.clone(),
        act: zero.clone(),
        residue: zero.clone(),
        error: zero,
    }))
}

pub(super) fn sigma(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    coder(arguments, width, Stage::Sigma)
}

pub(super) fn delta(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    coder(arguments, width, Stage::Delta)
}

pub(super) fn sigma_delta(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    coder(arguments, width, Stage::Both { rectified: is_rectified(arguments)? })
}

impl Coder {
    fn value(&mut self, neuron: usize, a: f64) -> f64 {
        let Stage::Both { rectified } = self.stage else { return a };
        self.sigma[neuron] += a;
        let value = self.sigma[neuron] + self.bias[neuron];
        if rectified && value < 0.0 { 0.0 } else { value }
    }
}

impl FloatProcess for Coder {
    fn step(&mut self, _time: u64, input: &[Vec<f64>]) -> Vec<f64> {
        let input = input.first().map(Vec::as_slice).unwrap_or_default();
        if self.stage == Stage::Sigma {
            for (sigma, a) in self.sigma.iter_mut().zip(input) {
                *sigma += a;
            }
            return self.sigma.clone();
        }
        let mut emitted = Vec::with_capacity(input.len());
        for (neuron, &a) in input.iter().enumerate() {
            let value = self.value(neuron, a);
            let change = value - self.act[neuron] + self.residue[neuron];
            let mut tested = change;
            if self.cumulative {
                self.error[neuron] += change;
                tested = self.error[neuron];
            }
            let sent = if tested.abs() >= self.threshold { change } else { 0.0 };
            if sent != 0.0 {
                self.error[neuron] = 0.0;
            }
            self.residue[neuron] = change - sent;
            self.act[neuron] = value;
            emitted.push(sent);
        }
        emitted
    }

    fn variable(&self, name: &str) -> Option<&[f64]> {
        Some(match name {
            "sigma" => &self.sigma,
            "act" => &self.act,
            "residue" => &self.residue,
            "error" => &self.error,
            _ => return None,
        })
    }
}
