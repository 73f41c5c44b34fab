//! Poisson input into narrow neurons: the same counts as [`Drive::arrive`] gives, drawn for vectors of
//! neurons.

use crate::connectome::narrow::quantise;
use crate::stimulus::{Drive, PoissonTable, SharedCounts};
use kernels::Instructions;
use std::ops::Range;

/// A stimulus as narrow neurons take it.
#[derive(Debug)]
pub(super) struct NarrowDrive<'a> {
    drive: &'a Drive,
    seed: u64,
    /// Table and weight, where all neurons and steps have the same.
    plain: Option<(&'a PoissonTable, f64)>,
}

impl<'a> NarrowDrive<'a> {
    pub(super) fn new(seed: u64, drive: &'a Drive) -> Self {
        NarrowDrive { drive, seed, plain: drive.plain() }
    }

    /// Index of the receptor.
    pub(super) fn receptor(&self) -> usize {
        self.drive.receptor()
    }

    /// Adds what arrives at the end of a step at the neurons `range`, in units of `unit`, to `sums`;
    /// the range begins at a multiple of [`kernels::poisson::GROUP`], and `sums` is padded to one.
    pub(super) fn add(
        &self,
        instructions: Instructions,
        step: u64,
        range: Range<u32>,
        unit: f64,
        sums: &mut [i32],
        undecided: &mut Vec<u32>,
    ) {
        let Some(sent) = self.drive.sent_for(step) else {
            return;
        };
        let Some((table, weight)) = self.plain else {
            let first = range.start;
            self.drive.arrive(self.seed, step, range, |neuron, input| {
                let sum = &mut sums[(neuron - first) as usize];
                *sum = sum.wrapping_add((input / unit).round() as i32);
            });
            return;
        };
        let weight = quantise(weight, unit);
        let counts = SharedCounts { instructions, seed: self.seed, sent, table };
        counts.add(range.start, weight, sums, undecided);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Network, Population, ValidStimulus};
    use crate::neuron::lif_delta::LifDelta;
    use crate::stimulus::{PoissonDrive, Stimulus};
    use crate::units::{Hertz, Milliseconds, Millivolts};

    /// The counts of both forms, for rates of which 0.0002 to 12 are expected in a step.
    #[test]
    fn vectors_of_neurons_receive_what_single_ones_do() {
        for rate in [2.0, 900.0, 16_000.0, 120_000.0] {
            let mut network = Network::new("driven", Milliseconds(0.1));
            network.add_population("cells", Population::new(300, LifDelta::default()));
            let drive = PoissonDrive::new("cells", Hertz(rate), Millivolts(0.5));
            network.add_stimulus("drive", Stimulus::PoissonDrive(drive));
            let valid = network.validate().unwrap();
            let ValidStimulus::Drive { drive, .. } = &valid.stimuli()["drive"] else {
                panic!("a Poisson drive is lowered to a drive");
            };
            let narrow = NarrowDrive::new(5, drive);
            let mut undecided = Vec::new();
            let mut named = 0;
            for step in 1..400 {
                let mut expected = vec![0; 384];
                drive.arrive(5, step, 0..300, |n, w| expected[n as usize] = (w * 2.0) as i32);
                for instructions in Instructions::available() {
                    let mut sums = vec![0; 384];
                    narrow.add(instructions, step, 0..128, 0.5, &mut sums[..128], &mut undecided);
                    named += undecided.len();
                    let rest = &mut sums[128..];
                    narrow.add(instructions, step, 128..300, 0.5, rest, &mut undecided);
                    assert_eq!(sums[..300], expected[..300], "{rate} Hz, step {step}");
                }
            }
            assert!(named > 0, "all counts were decided at {rate} Hz: the test shows too little");
        }
    }
}
