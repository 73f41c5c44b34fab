//! Signs that samples are not what the network was trained on, with the likely remedy.
//!
//! Nothing in a file of images says what they were divided by in training. Where that shows, it is
//! said: otherwise every accuracy would be one of a network that sees noise.

use super::TestReport;
use crate::data::Preparation;

/// Bytes that reach no more than this were hardly meant to be divided by 255.
const LARGEST_BYTE: f32 = 64.0;
/// Recorded scores may differ by this part of the largest; frameworks round differently.
const SCORES: f64 = 1e-3;
/// Fewer images say nothing about an accuracy.
const FEWEST_IMAGES: usize = 20;
/// An accuracy this part of the way from chance to 100 % is that of a network that sees noise.
const NEAR_CHANCE: f64 = 0.1;

const REMEDY: &str = "say how stored numbers become the network's input (--input-scale, --input-mean, \
                      --input-std, --input-shape for the order of axes)";

/// A warning on samples as the network gets them, where nothing was said of how to make them.
pub(super) fn of_range(values: &[f32], preparation: &Preparation) -> Option<String> {
    let largest = largest_byte(values, preparation)?;
    (largest <= LARGEST_BYTE).then(|| {
        format!(
            "stored bytes reach only {largest}, and were divided by 255: if training divided by \
             another number, give it, such as --input-scale {}",
            if largest <= 16.0 { 16 } else { 64 }
        )
    })
}

/// The largest stored number of bytes that were divided by 255; none for other values.
fn largest_byte(values: &[f32], preparation: &Preparation) -> Option<f32> {
    let default = preparation.scaling.divisor.is_none()
        && preparation.mean.is_empty()
        && preparation.deviation.is_empty();
    let stored = |value: &f32| value * 255.0;
    let byte = |value: &f32| *value >= 0.0 && (stored(value) - stored(value).round()).abs() < 1e-3;
    let largest = values.iter().map(stored).fold(0.0, f32::max).round();
    (default && (2.0..=255.0).contains(&largest) && values.iter().all(byte)).then_some(largest)
}

/// Warnings on what a test found of the trained network itself.
pub(super) fn of_report(report: &TestReport, classes: usize, largest_score: f64) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(difference) = report.max_logit_difference
        && difference > SCORES * largest_score.max(1.0)
    {
        warnings.push(format!(
            "the trained network's scores differ by up to {difference:.3} from the `logits` in the \
             file: it does not get the input that they were \
             recorded with, or they are another network's; {REMEDY}"
        ));
    }
    let chance = 100.0 / classes.max(1) as f64;
    if let Some(accuracy) = report.ann_accuracy
        && classes > 1
        && report.images >= FEWEST_IMAGES
        && accuracy < chance + NEAR_CHANCE * (100.0 - chance)
    {
        warnings.push(format!(
            "the trained network itself is right on {accuracy:.1} % of the images, near chance \
             ({chance:.1} %): they are hardly what it was trained on, or its classes are numbered \
             in another way; {REMEDY}"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaling;

    #[test]
    fn bytes_that_stay_small_are_noticed_unless_their_scale_was_given() {
        let sixteenths: Vec<f32> = (0..=16).map(|n| n as f32 / 255.0).collect();
        let default = Preparation::default();
        let warning = of_range(&sixteenths, &default).unwrap();
        assert!(warning.contains("only 16") && warning.contains("--input-scale 16"), "{warning}");
        let given = Preparation { scaling: Scaling { divisor: Some(255.0) }, ..default.clone() };
        assert_eq!(of_range(&sixteenths, &given), None);
        let full: Vec<f32> = (0..=255).map(|n| n as f32 / 255.0).collect();
        assert_eq!(of_range(&full, &default), None);
        // Numbers that were no bytes, and a picture without anything in it.
        assert_eq!(of_range(&[0.01, 0.0213], &default), None);
        assert_eq!(of_range(&[0.0, 1.0 / 255.0], &default), None);
    }
}
