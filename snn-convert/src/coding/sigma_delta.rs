//! Sigma-delta: a stream sends only what changed since it was last sent.
//!
//! Each value x has a reconstruction y at the receiver, a multiple of the step δ. When a frame comes
//! and x lies more than half a step from y, one event with the payload n = ⌊(x − y)/δ + 1/2⌋ (of either
//! sign) is sent and y grows by n δ. So y is always within δ/2 of x, and a value that stands still
//! sends nothing. The receiver's first layer adds W·n·δ to its current: it computes only with events.
//! A stream begins with y = 0. Values may have any range.
//!
//! Source: Yousefzadeh et al. 2019, IEEE JETCAS 9:668 (asynchronous spiking neurons with sigma-delta).

use super::{CodeEntry, InputCode};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "sigma_delta",
    summary: "for streams: only changes of at least a step are sent; any range of values",
    code: InputCode::SigmaDelta,
};

/// The step of conversions: 1/64 of a range from 0 to 1.
pub const STEP: f64 = 1.0 / 64.0;

/// A change that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which value.
    pub index: usize,
    /// By how many steps it changed, of either sign, not 0.
    pub steps: i32,
}

/// Both ends of a stream: what the receiver knows is what the sender sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    step: f64,
    /// Reconstruction of each value, in steps.
    known: Vec<i32>,
}

impl Stream {
    /// A stream of frames of `size` values, nothing of which is known.
    pub fn new(size: usize, step: f64) -> Self {
        Stream { step, known: vec![0; size] }
    }

    /// Takes a frame and gives what must be sent.
    pub fn send(&mut self, frame: &[f64]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (index, (known, value)) in self.known.iter_mut().zip(frame).enumerate() {
            let apart = value / self.step - f64::from(*known);
            // Half a step away is still within reach: nothing is sent for it.
            if apart.abs() > 0.5 {
                let steps = (apart + 0.5).floor() as i32;
                *known = known.saturating_add(steps);
                changes.push(Change { index, steps });
            }
        }
        changes
    }

    /// What the receiver knows.
    pub fn known(&self) -> Vec<f64> {
        self.known.iter().map(|&steps| f64::from(steps) * self.step).collect()
    }
}

/// Adds changes to a reconstruction that a receiver keeps.
pub fn receive(changes: &[Change], step: f64, known: &mut [f64]) {
    for change in changes {
        if let Some(value) = known.get_mut(change.index) {
            *value += f64::from(change.steps) * step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_still_frame_sends_nothing_and_a_ramp_one_event_a_step() {
        let mut stream = Stream::new(2, 0.25);
        assert_eq!(stream.send(&[0.0, 1.0]), [Change { index: 1, steps: 4 }]);
        assert_eq!(stream.send(&[0.0, 1.0]), []);
        assert_eq!(stream.send(&[0.1, 0.9]), []);
        let rising = (1..=100).map(|k| stream.send(&[f64::from(k) / 100.0, 1.0]).len());
        assert_eq!(rising.sum::<usize>(), 4);
        assert_eq!(stream.send(&[-1.0, 1.0]), [Change { index: 0, steps: -8 }]);
    }

    proptest! {
        #[test]
        fn the_receiver_is_never_more_than_half_a_step_off(
            frames in proptest::collection::vec(proptest::collection::vec(-4.0..4.0_f64, 3), 1..20),
            step in 0.01..1.0_f64,
        ) {
            let mut stream = Stream::new(3, step);
            let mut known = vec![0.0; 3];
            for frame in frames {
                receive(&stream.send(&frame), step, &mut known);
                for (known, value) in known.iter().zip(&frame) {
                    // 1e-9: steps are added one change after the other.
                    prop_assert!((known - value).abs() <= 0.5 * step + 1e-9);
                }
            }
        }
    }
}
