//! Images on which the spiking network says something else than the trained one.

use super::results::ImageResult;
use serde::Serialize;

/// More than these are counted, but not listed.
const MOST_LISTED: usize = 500;

/// An image on which the classes differ, at the largest number of steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// Index among the test images.
    pub image: usize,
    /// Its class, where it is known.
    pub label: Option<usize>,
    /// Class of the trained network.
    pub ann_class: usize,
    /// Distance of its best score from the next.
    pub ann_margin: f64,
    /// Class of the spiking network.
    pub class: usize,
    /// Distance of its best score a step from the next.
    pub margin: f64,
}

/// All disagreements (at most 500), and their number.
pub(super) fn disagreements(results: &[ImageResult]) -> (Vec<Disagreement>, usize) {
    let differing = results.iter().filter_map(|result| {
        let (&class, &margin) = result.classes.last().zip(result.margins.last())?;
        (class != result.ann_class).then_some(Disagreement {
            image: result.image,
            label: result.label,
            ann_class: result.ann_class,
            ann_margin: result.ann_margin,
            class,
            margin,
        })
    });
    let mut all: Vec<Disagreement> = differing.collect();
    let count = all.len();
    all.truncate(MOST_LISTED);
    (all, count)
}
