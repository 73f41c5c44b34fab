//! Moments of every distribution, and what is refused.

use super::*;
use crate::diagnostics::Problems;
use crate::random::Purpose;
use crate::units::{Milliseconds, Millivolts, Picoamperes};

/// Numbers drawn for a moment.
const DRAWS: u64 = 40_000;

fn law(distribution: impl Into<Distribution>, dimension: Dimension) -> Arc<dyn Law> {
    let mut problems = Problems::default();
    let law = distribution.into().lower(dimension, &mut Findings::new(&mut problems, "weight"));
    law.unwrap_or_else(|| panic!("{problems}"))
}

fn sample(law: &dyn Law) -> Vec<f64> {
    let number = |index| {
        let mut stream = Stream::new(11, Purpose::Example, 0, 0).starting_at(index << 20);
        law.draw(&mut stream, 0.0)
    };
    (0..DRAWS).map(number).collect()
}

fn moments(sample: &[f64]) -> (f64, f64) {
    let mean = sample.iter().sum::<f64>() / sample.len() as f64;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sample.len() as f64;
    (mean, variance.sqrt())
}

/// Five standard errors of the mean, and five per cent of the deviation.
fn assert_moments(law: &dyn Law, mean: f64, std: f64) {
    let (found, spread) = moments(&sample(law));
    assert!((found - mean).abs() < 5.0 * std / (DRAWS as f64).sqrt(), "{found} for {mean}");
    assert!((spread / std - 1.0).abs() < 0.05, "{spread} for {std}");
}

#[test]
fn draws_have_the_stated_mean_and_deviation() {
    let pa = |value: f64| Quantity::from(Picoamperes(value));
    let none = Bounds::NONE;
    let current = Dimension::Current;
    let normal = Normal { mean: pa(87.8), std: pa(8.78), bounds: none };
    assert_moments(&*law(normal, current), 87.8, 8.78);
    let uniform = Uniform { low: pa(-2.0), high: pa(4.0) };
    assert_moments(&*law(uniform, current), 1.0, 3.0_f64.sqrt());
    assert_moments(&*law(Exponential { mean: pa(-3.0), bounds: none }, current), -3.0, 3.0);
    let gamma = Gamma { shape: 4.0, scale: pa(2.5), bounds: none };
    assert_moments(&*law(gamma, current), 10.0, 5.0);
    let lognormal = Lognormal { median: pa(20.0), sigma: 0.5, bounds: none };
    let mean = 20.0 * 0.125_f64.exp();
    let std = mean * (0.25_f64.exp() - 1.0).sqrt();
    assert_moments(&*law(lognormal, current), mean, std);
}

#[test]
fn bounds_clip_or_draw_again() {
    let mv = |value: f64| Quantity::from(Millivolts(value));
    let bounds = Bounds::clip_low(Millivolts(0.0));
    let clipped =
        sample(&*law(Normal { mean: mv(0.0), std: mv(1.0), bounds }, Dimension::Potential));
    let zeros = clipped.iter().filter(|x| **x == 0.0).count() as f64;
    assert!(clipped.iter().all(|x| *x >= 0.0) && (zeros / DRAWS as f64 - 0.5).abs() < 0.02);
    let bounds = Bounds::redraw_low(Millivolts(0.0));
    let half = law(Normal { mean: mv(0.0), std: mv(1.0), bounds }, Dimension::Potential);
    assert!(sample(&*half).iter().all(|x| *x > 0.0));
    // The half-normal distribution has mean sqrt(2/π).
    let mean = (2.0 / std::f64::consts::PI).sqrt();
    assert_moments(&*half, mean, (1.0 - mean * mean).sqrt());
}

#[test]
fn functions_of_distance_follow_their_formula() {
    let mut stream = Stream::new(0, Purpose::Example, 0, 0);
    let ms = |value: f64| Quantity::from(Milliseconds(value));
    let line = LinearOfDistance {
        at_zero: ms(0.5),
        per_unit: ms(2.0),
        clip_low: None,
        clip_high: Some(ms(3.0)),
    };
    let line = law(line, Dimension::Time);
    assert_eq!([0.0, 1.0, 9.0].map(|d| line.draw(&mut stream, d)), [0.5, 2.5, 3.0]);
    let decay = law(ExponentialOfDistance { at_zero: ms(4.0), length: 2.0 }, Dimension::Time);
    assert_eq!(decay.draw(&mut stream, 2.0), 4.0 * (-1.0_f64).exp());
    let bell = law(GaussianOfDistance { at_zero: ms(4.0), std: 2.0 }, Dimension::Time);
    assert_eq!(bell.draw(&mut stream, 2.0), 4.0 * (-0.5_f64).exp());
}

#[test]
fn wrong_parameters_are_named_with_their_key() {
    let said = |distribution: Distribution| {
        let mut problems = Problems::default();
        let mut findings = Findings::new(&mut problems, "weight");
        assert!(distribution.lower(Dimension::Current, &mut findings).is_none());
        problems.to_string()
    };
    let pa = |value: f64| Quantity::from(Picoamperes(value));
    let bounds = Bounds::NONE;
    let negative = said(Normal { mean: pa(1.0), std: pa(-1.0), bounds }.into());
    assert!(negative.contains("weight/normal/std: `std` is -1"), "{negative}");
    let unit = said(Normal { mean: pa(1.0), std: Millivolts(1.0).into(), bounds }.into());
    assert!(unit.contains("weight/normal/std: this is a potential"), "{unit}");
    let nan = said(Exponential { mean: pa(f64::NAN), bounds }.into());
    assert!(nan.contains("[not-finite] weight/exponential/mean"), "{nan}");
    let far = Bounds::redraw_low(Picoamperes(50.0));
    let seldom = said(Normal { mean: pa(0.0), std: pa(1.0), bounds: far }.into());
    assert!(seldom.contains("one in a thousand"), "{seldom}");
    let turned = Bounds { clip_low: Some(pa(2.0)), clip_high: Some(pa(1.0)), ..Bounds::NONE };
    let turned = said(Exponential { mean: pa(1.0), bounds: turned }.into());
    assert!(turned.contains("below the lower one"), "{turned}");
    assert!(said(Uniform { low: pa(2.0), high: pa(1.0) }.into()).contains("exchange"));
    assert!(said(Lognormal { median: pa(2.0), sigma: 30.0, bounds }.into()).contains("logarithm"));
    assert!(said(Gamma { shape: 0.0, scale: pa(1.0), bounds }.into()).contains("above zero"));
}
