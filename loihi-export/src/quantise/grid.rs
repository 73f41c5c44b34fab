//! The integers that a weight may become.

use serde::{Deserialize, Serialize};

/// Which integers a layer's weights may become with all their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightForm {
    /// Even numbers from -256 to 254 (dense and sparse layers).
    EvenNineBits,
    /// All numbers from -128 to 127 (convolutions).
    EightBits,
}

/// The integers of a form that are left with fewer bits: every 2^(8 - bits)-th of them.
///
/// With `b` bits these are -2^(b-1) to 2^(b-1) - 1 steps, as Lava keeps weights of both signs. One
/// bit has none for the sign: it leaves 0 and 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightGrid {
    /// Integers with 8 bits.
    pub form: WeightForm,
    /// Bits of a weight, 1 to 8.
    pub bits: u8,
}

impl WeightGrid {
    /// Distance of neighbouring integers.
    pub fn step(self) -> f64 {
        let whole = match self.form {
            WeightForm::EvenNineBits => 2.0,
            WeightForm::EightBits => 1.0,
        };
        match self.bits {
            1 => 128.0,
            bits => whole * 2.0_f64.powi(8 - i32::from(bits)),
        }
    }

    /// Lowest and highest integer in steps.
    fn bounds(self) -> (f64, f64) {
        let half = 2.0_f64.powi(i32::from(self.bits) - 1);
        if self.bits == 1 { (0.0, 1.0) } else { (-half, half - 1.0) }
    }

    /// Steps to the integer that the largest weight becomes.
    pub fn largest_steps(self) -> f64 {
        self.bounds().1
    }

    /// The integer that the largest weight becomes.
    pub fn largest(self) -> f64 {
        self.largest_steps() * self.step()
    }

    /// The nearest integer of the grid, and whether it had to be clipped.
    pub fn nearest(self, scaled: f64) -> (f64, bool) {
        let (low, high) = self.bounds();
        let steps = (scaled / self.step()).round();
        let kept = steps.clamp(low, high);
        (kept * self.step(), kept != steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_bits_leave_every_second_integer() {
        for (bits, step, largest, lowest) in
            [(8, 2.0, 254.0, -256.0), (4, 32.0, 224.0, -256.0), (1, 128.0, 128.0, 0.0)]
        {
            let grid = WeightGrid { form: WeightForm::EvenNineBits, bits };
            assert_eq!((grid.step(), grid.largest()), (step, largest));
            assert_eq!(grid.nearest(-1e6), (lowest, true));
        }
        let one = WeightGrid { form: WeightForm::EightBits, bits: 1 };
        assert_eq!((one.nearest(100.0), one.nearest(-100.0)), ((128.0, false), (0.0, true)));
    }
}
