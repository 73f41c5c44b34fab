//! Adding rows of a dense matrix: what spikes bring to a part of their targets.

use kernels::{Instructions, Loop};

/// Targets whose sums stay in registers while all rows are walked.
const TILE: usize = 32;

/// A matrix `[row, target]`, of which some columns are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// All weights.
    pub weights: &'a [f64],
    /// Targets of a row.
    pub width: usize,
    /// First target that is wanted.
    pub first: usize,
}

impl Rows<'_> {
    /// Adds rows, times `factor(place in the list)`, to `sums`, which has a slot for each target that
    /// is wanted. Each target sums in the order of the list.
    pub fn add(
        self,
        instructions: Instructions,
        list: &[u32],
        factor: impl Fn(usize) -> f64,
        sums: &mut [f64],
    ) {
        instructions.run(Addition { rows: self, list, factor, sums });
    }
}

struct Addition<'a, F> {
    rows: Rows<'a>,
    list: &'a [u32],
    factor: F,
    sums: &'a mut [f64],
}

impl<F: Fn(usize) -> f64> Loop for Addition<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Rows { weights, width, first } = self.rows;
        let (tiles, rest) = self.sums.as_chunks_mut::<TILE>();
        let tail = first + tiles.len() * TILE;
        for (number, tile) in tiles.iter_mut().enumerate() {
            let mut own = *tile;
            for (place, &row) in self.list.iter().enumerate() {
                let start = row as usize * width + first + number * TILE;
                let factor = (self.factor)(place);
                if let Some(weights) = weights[start..].first_chunk::<TILE>() {
                    own.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * factor);
                }
            }
            *tile = own;
        }
        if rest.is_empty() {
            return;
        }
        for (place, &row) in self.list.iter().enumerate() {
            let factor = (self.factor)(place);
            let weights = &weights[row as usize * width + tail..][..rest.len()];
            rest.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_in_the_order_of_the_list_on_every_instruction_set() {
        let width = 75;
        let weights: Vec<f64> = (0..9 * width).map(|n| (n as f64 * 0.37).sin()).collect();
        let list = [3, 0, 8, 5];
        let factor = |place: usize| [1.0, -2.0, 0.3, 7.0][place];
        for range in [0..75, 0..32, 3..70, 60..75, 4..4] {
            let mut expected: Vec<f64> = range.clone().map(|n| n as f64 * 0.1).collect();
            let start = expected.clone();
            for (place, row) in list.iter().enumerate() {
                for (slot, target) in range.clone().enumerate() {
                    expected[slot] += weights[*row as usize * width + target] * factor(place);
                }
            }
            for instructions in Instructions::available() {
                let mut sums = start.clone();
                let rows = Rows { weights: &weights, width, first: range.start };
                rows.add(instructions, &list, factor, &mut sums);
                assert_eq!(sums, expected, "{} {range:?}", instructions.name());
            }
        }
    }
}
