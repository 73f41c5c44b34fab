//! Draws of the kinds that random networks need.

use sim_core::random::{Purpose, Stream};

/// A seeded source of random choices.
#[derive(Debug, Clone)]
pub struct Dice(Stream);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Dice(Stream::new(seed, Purpose::Example, 0, 0))
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        let span = f64::from(high.saturating_sub(low)) + 1.0;
        low + (self.0.next_uniform() * span) as u32
    }

    /// A number from `low` to `high` with four decimals.
    pub fn number(&mut self, low: f64, high: f64) -> f64 {
        let drawn = low + (high - low) * self.0.next_uniform();
        (drawn * 1e4).round() / 1e4
    }

    /// A multiple of a quarter from `low` to `high`.
    pub fn quarters(&mut self, low: f64, high: f64) -> f64 {
        (self.number(low, high) * 4.0).round() / 4.0
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.next_uniform() < probability
    }

    /// One of several.
    ///
    /// # Panics
    /// Where there is none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let last = u32::try_from(from.len()).unwrap().checked_sub(1).unwrap();
        from[self.whole(0, last) as usize]
    }
}
