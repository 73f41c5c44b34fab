//! The numbers that learning computes with: the chip's integers, or floating point.

use crate::quantise::network::{GradedTrace, SignMode};

use super::{
    Read, Synapse,
    numpy_random::NumpyRandom,
    rule::{Factor, Product},
};

/// Which end of a synapse a trace belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// x traces.
    Source,
    /// y traces.
    Target,
}

/// A number and whether it was clipped to its range.
pub(crate) type Clipped<V> = (V, bool);

/// Numbers of traces, weights and tags, with their random streams.
pub(crate) trait Arithmetic: Clone {
    /// A trace, weight or tag.
    type Value: Copy + Default + PartialEq + std::fmt::Debug;

    /// Streams at their start.
    fn new(seed: u64) -> Self;

    /// Draws the numbers that traces are rounded with.
    fn advance_traces(&mut self);

    /// Draws the number that weights and tags are rounded with.
    fn advance_synapses(&mut self);

    /// One step of decay; a `tau` of 0 keeps nothing.
    fn decay(&self, side: Side, value: Self::Value, tau: f64) -> Self::Value;

    /// An impulse at the epoch's end, or of a target's second spike.
    fn impulse(&self, side: Side, value: Self::Value, impulse: f64) -> Clipped<Self::Value>;

    /// An impulse of a source's second spike in an epoch.
    fn impulse_now(&self, value: Self::Value, impulse: f64) -> Clipped<Self::Value>;

    /// What a graded spike makes of x1, and whether the spike counts as one.
    fn graded(&self, value: Self::Value, payload: i32, mode: GradedTrace) -> (Self::Value, bool);

    /// A weight (0), second tag (1) or first tag (2) after its rule.
    fn learn(
        &self,
        kind: usize,
        value: Self::Value,
        sign_mode: SignMode,
        products: &[Product],
        synapse: &Synapse<'_, Self::Value>,
    ) -> Clipped<Self::Value>;
}

/// Traces of 7 bits, weights and tags of 9, a 16-bit accumulator.
#[derive(Debug, Clone)]
pub(crate) struct FixedPoint {
    /// Decay of x and y traces.
    decay: [(NumpyRandom, f64); 2],
    /// Impulses of x and y traces.
    impulse: [(NumpyRandom, i64); 2],
    synapse: (NumpyRandom, f64),
}

/// Largest value of a trace of 7 bits.
const TRACE_LARGEST: i64 = 127;
/// An accumulator holds `-ACCUMULATOR - 1 ..= ACCUMULATOR - 1` (Lava's own bounds).
const ACCUMULATOR: i64 = 1 << 15;
/// Bits that a variable of 9 bits is shifted left by in the accumulator.
const ACCUMULATOR_SHIFT: u32 = 7;
/// Bits of a product's mantissa.
const MANTISSA_BITS: u32 = 4;

/// Lava always rounds weights and tags with this seed.
const SYNAPSE_SEED: u64 = 2;

impl FixedPoint {
    fn add(value: i64, impulse: f64, random: i64) -> Clipped<i64> {
        let whole = impulse.floor();
        // numpy rounds halves to even.
        let rest = ((impulse - whole) * 256.0).round_ties_even() as i64;
        let exact = value + whole as i64 + i64::from(random < rest);
        (exact.clamp(0, TRACE_LARGEST), exact > TRACE_LARGEST)
    }

    fn product(product: &Product, synapse: &Synapse<'_, i64>) -> i64 {
        let mut result = i32::from(synapse.holds(product.condition));
        let mut bits = MANTISSA_BITS;
        for Factor { variable, constant, sign } in &product.factors {
            let width = variable.width();
            let read = match synapse.read(*variable, product.condition) {
                Read::Spiked(spiked) => f64::from(u8::from(spiked)),
                Read::Value(value) => value as f64,
            };
            let sum = read + constant;
            let sum = match sign {
                true if sum == 0.0 => 0.0,
                true => sum.signum(),
                false => sum,
            };
            let bound = 2.0_f64.powi(width as i32);
            result = result.wrapping_mul(sum.clamp(-bound, bound - 1.0) as i32);
            bits = bits.saturating_add(width);
        }
        let scaled = result.wrapping_mul(product.mantissa as i32);
        let shifted = scaled >> bits.saturating_sub(15).min(31);
        let shifted = shifted.wrapping_shl((product.exponent + 7).clamp(0, 31) as u32);
        i64::from(shifted).clamp(-ACCUMULATOR - 1, ACCUMULATOR - 1)
    }
}

fn side_index(side: Side) -> usize {
    match side {
        Side::Source => 0,
        Side::Target => 1,
    }
}

impl Arithmetic for FixedPoint {
    type Value = i64;

    fn new(seed: u64) -> Self {
        let decay = |offset| {
            let mut stream = NumpyRandom::new(seed.wrapping_add(offset));
            let first = stream.fraction();
            (stream, first)
        };
        let impulse = |offset| {
            let mut stream = NumpyRandom::new(seed.wrapping_add(offset));
            let first = stream.seven_bits();
            (stream, first)
        };
        let mut synapse = NumpyRandom::new(SYNAPSE_SEED);
        let first = synapse.fraction();
        Self {
            decay: [decay(0), decay(2)],
            impulse: [impulse(1), impulse(3)],
            synapse: (synapse, first),
        }
    }

    fn advance_traces(&mut self) {
        for (stream, last) in &mut self.decay {
            *last = stream.fraction();
        }
        for (stream, last) in &mut self.impulse {
            *last = stream.seven_bits();
        }
    }

    fn advance_synapses(&mut self) {
        self.synapse.1 = self.synapse.0.fraction();
    }

    fn decay(&self, side: Side, value: i64, tau: f64) -> i64 {
        if tau == 0.0 {
            return 0;
        }
        let exact = (-1.0 / tau).exp() * value as f64;
        let whole = exact.floor();
        whole as i64 + i64::from(self.decay[side_index(side)].1 < exact - whole)
    }

    fn impulse(&self, side: Side, value: i64, impulse: f64) -> Clipped<i64> {
        Self::add(value, impulse, self.impulse[side_index(side)].1)
    }

    fn impulse_now(&self, value: i64, impulse: f64) -> Clipped<i64> {
        // Lava's draw is 0 here, so every fraction rounds up.
        Self::add(value, impulse, 0)
    }

    fn graded(&self, value: i64, payload: i32, mode: GradedTrace) -> (i64, bool) {
        let half = (f64::from(payload) / 2.0).round_ties_even() as i64 & 0xff;
        let sum = (value + half) & 0xff;
        match mode {
            GradedTrace::RegularImpulse => (value, true),
            GradedTrace::Overwrite => (half, true),
            GradedTrace::AddWithSaturation => (sum.min(TRACE_LARGEST), true),
            GradedTrace::AddWithoutSaturation if sum > TRACE_LARGEST => (sum - TRACE_LARGEST, true),
            GradedTrace::AddWithoutSaturation => (sum, false),
        }
    }

    fn learn(
        &self,
        kind: usize,
        value: i64,
        sign_mode: SignMode,
        products: &[Product],
        synapse: &Synapse<'_, i64>,
    ) -> Clipped<i64> {
        let mut clipped = false;
        let mut sum = value << ACCUMULATOR_SHIFT;
        for product in products {
            sum += Self::product(product, synapse);
            let kept = sum.clamp(-ACCUMULATOR - 1, ACCUMULATOR - 1);
            clipped |= kept != sum;
            sum = kept;
        }
        let (least, most, sum) = match (kind, sign_mode) {
            (0, SignMode::Mixed) => (-256, 255, sum),
            (0, SignMode::Excitatory) => (0, 255, sum.max(0)),
            (0, SignMode::Inhibitory) => (-255, 0, sum.min(0)),
            (1, _) => (0, 255, sum.max(0)),
            _ => (-257, 255, sum),
        };
        let exact = sum as f64 / f64::from(1_u32 << ACCUMULATOR_SHIFT);
        let whole = exact.floor();
        let exact = whole as i64 + i64::from(self.synapse.1 < exact - whole);
        let kept = exact.clamp(least, most);
        (kept, clipped || kept != exact)
    }
}

/// Floating point, without rounding, ranges and chance.
#[derive(Debug, Clone)]
pub(crate) struct FloatingPoint;

impl Arithmetic for FloatingPoint {
    type Value = f64;

    fn new(_seed: u64) -> Self {
        Self
    }

    fn advance_traces(&mut self) {}

    fn advance_synapses(&mut self) {}

    fn decay(&self, _side: Side, value: f64, tau: f64) -> f64 {
        // Lava leaves traces without a time constant undefined.
        if tau == 0.0 { f64::NAN } else { (-1.0 / tau).exp() * value }
    }

    fn impulse(&self, _side: Side, value: f64, impulse: f64) -> Clipped<f64> {
        (value + impulse, false)
    }

    fn impulse_now(&self, value: f64, impulse: f64) -> Clipped<f64> {
        (value + impulse, false)
    }

    fn graded(&self, value: f64, payload: i32, mode: GradedTrace) -> (f64, bool) {
        let half = f64::from(payload) / 2.0;
        match mode {
            GradedTrace::RegularImpulse => (value, true),
            GradedTrace::Overwrite => (half, true),
            GradedTrace::AddWithSaturation | GradedTrace::AddWithoutSaturation => {
                (value + half, true)
            }
        }
    }

    fn learn(
        &self,
        kind: usize,
        value: f64,
        sign_mode: SignMode,
        products: &[Product],
        synapse: &Synapse<'_, f64>,
    ) -> Clipped<f64> {
        let mut change = 0.0;
        for product in products {
            let mut term = product.mantissa as f64 * 2.0_f64.powi(product.exponent as i32);
            term *= f64::from(u8::from(synapse.holds(product.condition)));
            for Factor { variable, constant, sign } in &product.factors {
                let read = match synapse.read(*variable, product.condition) {
                    Read::Spiked(spiked) => f64::from(u8::from(spiked)),
                    Read::Value(value) => value,
                };
                let sum = read + constant;
                term *= match sign {
                    true if sum == 0.0 => 0.0,
                    true => sum.signum(),
                    false => sum,
                };
            }
            change += term;
        }
        let value = value + change;
        let kept = match (kind, sign_mode) {
            // A plain comparison keeps what is not a number, as numpy does.
            (0, SignMode::Excitatory) | (1, _) if value < 0.0 => 0.0,
            (0, SignMode::Inhibitory) if value > 0.0 => 0.0,
            _ => value,
        };
        (kept, (kept - value).abs() > 0.0)
    }
}
