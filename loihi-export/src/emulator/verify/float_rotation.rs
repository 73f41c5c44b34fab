//! Lava's RF, RF_IZ and ATRLIF in floating point.
//!
//! ```text
//! RF:     re' = cos*re - sin*im + a,  im' = sin*re + cos*im + b
//!         spike where re' >= vth, im' >= 0 and im < 0
//! RF_IZ:  the same; spike where im' >= vth, then re = 0 and im = vth - 1e-5
//! ATRLIF: i = (1-di)*i + a;  v = (1-dv)*v + i + bias;  theta decays to theta_0;  r = (1-dr)*r
//!         spike where v - r >= theta;  r += 2*theta;  theta += theta_step
//! ```
//! theta starts at 5 where no other start is given, whatever `theta_0` is. Reference: lava-nc 0.10.0 `PyRFModelFloat`,
//! `PyRF_IZModelFloat`, `PyATRLIFModelFloat`.

use super::{
    Checked,
    fields::Fields,
    floating::{FloatProcess, each, number},
    parameters::{damped_rotation, resonator_threshold},
};

/// Arguments of RF and RF_IZ; the decays hold the effect of period and alpha.
pub(super) const ARGUMENTS: &[&str] = &[
    "shape",
    "period",
    "alpha",
    "vth",
    "state_exp",
    "decay_bits",
    "sin_decay",
    "cos_decay",
    "vth_effective",
];

/// Arguments of ATRLIF.
pub(super) const ADAPTIVE_ARGUMENTS: &[&str] = &[
    "shape",
    "bias_mant",
    "bias_exp",
    "delta_i",
    "delta_v",
    "delta_theta",
    "delta_r",
    "theta_0",
    "theta_step",
    "i",
    "v",
    "theta",
    "r",
    "s",
];

struct Resonators {
    sine: f64,
    cosine: f64,
    threshold: f64,
    resets: bool,
    real: Vec<f64>,
    imaginary: Vec<f64>,
}

fn rotating(arguments: &Fields<'_>, width: usize, resets: bool) -> Checked<Box<dyn FloatProcess>> {
    let [sine, cosine] = damped_rotation(arguments)?;
    let threshold = resonator_threshold(arguments)?;
    Ok(Box::new(Resonators {
        sine: number(arguments, "sin_decay", Some(sine))?,
        cosine: number(arguments, "cos_decay", Some(cosine))?,
        threshold: number(arguments, "vth_effective", Some(threshold))?,
        resets,
        real: vec![0.0; width],
        imaginary: vec![0.0; width],
    }))
}

pub(super) fn resonators(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    rotating(arguments, width, false)
}

pub(super) fn resetting(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    rotating(arguments, width, true)
}

impl FloatProcess for Resonators {
    fn step(&mut self, _time: u64, input: &[Vec<f64>]) -> Vec<f64> {
        let [a, b] = input else { return Vec::new() };
        let states = self.real.iter_mut().zip(self.imaginary.iter_mut());
        let mut emitted = Vec::with_capacity(a.len());
        for ((real, imaginary), (a, b)) in states.zip(a.iter().zip(b)) {
            let (old_real, old_imaginary) = (*real, *imaginary);
            *real = self.cosine * old_real - self.sine * old_imaginary + a;
            *imaginary = self.sine * old_real + self.cosine * old_imaginary + b;
            let fires = match self.resets {
                true => *imaginary >= self.threshold,
                false => *real >= self.threshold && *imaginary >= 0.0 && old_imaginary < 0.0,
            };
            if fires && self.resets {
                // Just below the threshold, so that the neuron does not spike again at once.
                (*real, *imaginary) = (0.0, self.threshold - 1e-5);
            }
            emitted.push(f64::from(u8::from(fires)));
        }
        emitted
    }

    fn variable(&self, name: &str) -> Option<&[f64]> {
        match name {
            "real" => Some(&self.real),
            "imag" => Some(&self.imaginary),
            _ => None,
        }
    }
}

struct Adaptive {
    /// What each variable keeps: i, v, theta, r.
    kept: [f64; 4],
    start: f64,
    step: f64,
    bias: Vec<f64>,
    state: [Vec<f64>; 4],
}

/// Lava's first theta, where none is given.
const FIRST_THETA: f64 = 5.0;

pub(super) fn adaptive(
    _case: &Fields<'_>,
    arguments: &Fields<'_>,
    width: usize,
) -> Checked<Box<dyn FloatProcess>> {
    let mut kept = [0.0; 4];
    let defaults = [("delta_i", 0.4), ("delta_v", 0.4), ("delta_theta", 0.2), ("delta_r", 0.2)];
    for (kept, (name, default)) in kept.iter_mut().zip(defaults) {
        *kept = 1.0 - number(arguments, name, Some(default))?;
    }
    let theta = match arguments.has("theta") {
        true => each(arguments, "theta", width)?,
        false => vec![FIRST_THETA; width],
    };
    Ok(Box::new(Adaptive {
        kept,
        start: number(arguments, "theta_0", Some(5.0))?,
        step: number(arguments, "theta_step", Some(3.75))?,
        bias: each(arguments, "bias_mant", width)?,
        state: [
            each(arguments, "i", width)?,
            each(arguments, "v", width)?,
            theta,
            each(arguments, "r", width)?,
        ],
    }))
}

impl FloatProcess for Adaptive {
    fn step(&mut self, _time: u64, input: &[Vec<f64>]) -> Vec<f64> {
        let input = input.first().map(Vec::as_slice).unwrap_or_default();
        let [keep_i, keep_v, keep_theta, keep_r] = self.kept;
        let [i, v, theta, r] = &mut self.state;
        let states = i.iter_mut().zip(v).zip(theta.iter_mut().zip(r));
        let mut emitted = Vec::with_capacity(input.len());
        for (((i, v), (theta, r)), (a, bias)) in states.zip(input.iter().zip(&self.bias)) {
            *i = keep_i * *i + a;
            *v = keep_v * *v + *i + bias;
            *theta = keep_theta * (*theta - self.start) + self.start;
            *r *= keep_r;
            let fires = *v - *r >= *theta;
            if fires {
                *r += 2.0 * *theta;
                *theta += self.step;
            }
            emitted.push(f64::from(u8::from(fires)));
        }
        emitted
    }

    fn variable(&self, name: &str) -> Option<&[f64]> {
        let index = ["i", "v", "theta", "r"].iter().position(|known| *known == name)?;
        self.state.get(index).map(Vec::as_slice)
    }
}
