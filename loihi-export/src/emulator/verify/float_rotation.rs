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
    floating::{FloatProcess, each, spread},
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
    sine: Vec<f64>,
    cosine: Vec<f64>,
    threshold: Vec<f64>,
    resets: bool,
    real: Vec<f64>,
    imaginary: Vec<f64>,
}

fn rotating(arguments: &Fields<'_>, width: usize, resets: bool) -> Checked<Box<dyn FloatProcess>> {
    let [sine, cosine] = damped_rotation(arguments)?;
    let threshold = resonator_threshold(arguments)?;
    let stated = |name: &str, found: Vec<f64>| {
        let found = if arguments.has(name) { arguments.numbers(name)? } else { found };
        spread(arguments, name, found, width)
    };
    Ok(Box::new(Resonators {
        sine: stated("sin_decay", sine)?,
        cosine: stated("cos_decay", cosine)?,
        threshold: stated("vth_effective", threshold)?,
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
        for (neuron, ((real, imaginary), (a, b))) in states.zip(a.iter().zip(b)).enumerate() {
            let (old_real, old_imaginary) = (*real, *imaginary);
            let (sine, cosine) = (self.sine[neuron], self.cosine[neuron]);
            let threshold = self.threshold[neuron];
            *real = cosine * old_real - sine * old_imaginary + a;
            *imaginary = sine * old_real + cosine * old_imaginary + b;
            let fires = match self.resets {
                true => *imaginary >= threshold,
                false => *real >= threshold && *imaginary >= 0.0 && old_imaginary < 0.0,
            };
            if fires && self.resets {
                // Just below the threshold, so that the neuron does not spike again at once.
                (*real, *imaginary) = (0.0, threshold - 1e-5);
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
    kept: [Vec<f64>; 4],
    start: Vec<f64>,
    step: Vec<f64>,
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
    let mut kept = [const { Vec::new() }; 4];
    let defaults = [("delta_i", 0.4), ("delta_v", 0.4), ("delta_theta", 0.2), ("delta_r", 0.2)];
    for (kept, (name, default)) in kept.iter_mut().zip(defaults) {
        let lost = each(arguments, name, default, width)?;
        *kept = lost.into_iter().map(|lost| 1.0 - lost).collect();
    }
    Ok(Box::new(Adaptive {
        kept,
        start: each(arguments, "theta_0", 5.0, width)?,
        step: each(arguments, "theta_step", 3.75, width)?,
        bias: each(arguments, "bias_mant", 0.0, width)?,
        state: [
            each(arguments, "i", 0.0, width)?,
            each(arguments, "v", 0.0, width)?,
            each(arguments, "theta", FIRST_THETA, width)?,
            each(arguments, "r", 0.0, width)?,
        ],
    }))
}

impl FloatProcess for Adaptive {
    fn step(&mut self, _time: u64, input: &[Vec<f64>]) -> Vec<f64> {
        let input = input.first().map(Vec::as_slice).unwrap_or_default();
        let [keep_i, keep_v, keep_theta, keep_r] = &self.kept;
        let [i, v, theta, r] = &mut self.state;
        let states = i.iter_mut().zip(v).zip(theta.iter_mut().zip(r));
        let mut emitted = Vec::with_capacity(input.len());
        let neurons = states.zip(input.iter().zip(&self.bias)).enumerate();
        for (neuron, (((i, v), (theta, r)), (a, bias))) in neurons {
            let start = self.start[neuron];
            *i = keep_i[neuron] * *i + a;
            *v = keep_v[neuron] * *v + *i + bias;
            *theta = keep_theta[neuron] * (*theta - start) + start;
            *r *= keep_r[neuron];
            let fires = *v - *r >= *theta;
            if fires {
                *r += 2.0 * *theta;
                *theta += self.step[neuron];
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
