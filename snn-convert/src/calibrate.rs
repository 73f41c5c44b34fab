//! What the trained network's units do on calibration samples.

use crate::ann::{AnnError, AnnGraph, Keep, NodeId, map_batch};
use crate::structure::Structure;

/// At most this many values of a channel are kept; more are thinned evenly.
const MOST_PER_CHANNEL: usize = 200_000;

/// The activations of one unit on the calibration samples.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSample {
    /// Activations of each channel, ascending.
    pub channels: Vec<Vec<f32>>,
}

impl UnitSample {
    /// The largest activation of the unit.
    pub fn maximum(&self) -> f32 {
        self.channels.iter().filter_map(|channel| channel.last()).copied().fold(0.0, f32::max)
    }

    /// Whether a channel never exceeds a trace of the unit's largest activation.
    ///
    /// Dividing by such a channel's own threshold would amplify noise without bound.
    pub fn is_dead(&self, channel: usize) -> bool {
        let largest = self.channels[channel].last().copied().unwrap_or(0.0);
        largest <= 1e-6 * self.maximum() || largest <= 0.0
    }
}

/// The activations of all units; units without activations of interest have no channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One a unit of the structure.
    pub units: Vec<UnitSample>,
    /// Number of samples.
    pub samples: usize,
}

/// Why there is no calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Nothing to calibrate on.
    #[error("there are no calibration samples; give some hundred images of the training set")]
    NoSamples,
    /// A sample that the network does not take.
    #[error(transparent)]
    Ann(#[from] AnnError),
}

/// Evaluates the network on samples that lie one after the other in `samples`.
///
/// # Errors
/// [`CalibrationError`] without samples, or where they do not fit the network.
pub fn calibrate(
    graph: &AnnGraph,
    structure: &Structure,
    samples: &[f32],
) -> Result<Calibration, CalibrationError> {
    if samples.is_empty() {
        return Err(CalibrationError::NoSamples);
    }
    let nodes: Vec<NodeId> = structure.units.iter().map(|unit| unit.node).collect();
    let kept = map_batch(graph, samples, Keep::Nodes(&nodes), |_, activations| {
        let of = |node: &NodeId| activations.of(*node).map(<[f32]>::to_vec).unwrap_or_default();
        nodes.iter().map(of).collect::<Vec<_>>()
    })?;
    let units = structure.units.iter().enumerate().map(|(index, unit)| {
        let per_channel = unit.shape.per_channel();
        let channels = (0..unit.shape.channels()).map(|channel| {
            let range = channel * per_channel..(channel + 1) * per_channel;
            let total = kept.len() * per_channel;
            let stride = total.div_ceil(MOST_PER_CHANNEL).max(1);
            let all = kept.iter().flat_map(|sample| &sample[index][range.clone()]);
            let mut values: Vec<f32> = all.step_by(stride).copied().collect();
            values.sort_unstable_by(f32::total_cmp);
            values
        });
        UnitSample { channels: channels.collect() }
    });
    Ok(Calibration { units: units.collect(), samples: kept.len() })
}

/// The value below which `percent` per cent of an ascending list lie, interpolated linearly
/// between neighbours as numpy does.
pub fn percentile(ascending: &[f32], percent: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let position = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    f64::from(low) + (f64::from(high) - f64::from(low)) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_as_numpy_does() {
        let values = [1.0, 2.0, 4.0, 8.0];
        // numpy.percentile([1, 2, 4, 8], [0, 50, 90, 100]) = [1, 3, 6.8, 8]
        for (percent, expected) in [(0.0, 1.0), (50.0, 3.0), (90.0, 6.8), (100.0, 8.0)] {
            assert!((percentile(&values, percent) - expected).abs() < 1e-9);
        }
        assert_eq!(percentile(&[], 50.0), 0.0);
    }
}
