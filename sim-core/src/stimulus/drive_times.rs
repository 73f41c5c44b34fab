//! Where within a step the spikes of Poisson input arrive.
//!
//! **The law.** Of a Poisson process the number of spikes in a step says all that there is to say about their
//! places: they lie independently and evenly. So the numbers are those of [`Drive`](super::Drive), whatever
//! the engine, and a place is one of 2^32 of equal distance, 23 fs apart in a step of 0.1 ms. Nothing is kept
//! from step to step: input of any step can be asked for.
//!
//! The first two words of the Philox block of ([`Purpose::PoissonTime`], object 0, index k) are the key of step k,
//! in which spikes are sent. Under it, word w of the block of the counter (n mod 16, 0, ⌊n/16⌋, lane l) is the place of
//! the spike 4 l + w of neuron n; the spikes are then put into order.

use crate::random::{Purpose, draw, philox4x32};
use crate::time::Time;
use kernels::Instructions;
use kernels::philox::{BATCH, Sequence, random_bits};

/// Neurons whose first places are drawn together.
const GROUP: u32 = 16;

/// Spikes whose places one block has.
const WORDS: u32 = 4;

/// The places of the spikes that are sent in one step.
#[derive(Debug)]
pub(crate) struct Places {
    instructions: Instructions,
    key: [u32; 2],
    /// The group whose blocks are in `words`.
    group: u32,
    words: [u64; BATCH],
}

impl Places {
    /// Those of a stimulus's own seed and the step in which the spikes are sent.
    pub(crate) fn new(seed: u64, sent: u64) -> Self {
        let [low, high, ..] = draw(seed, Purpose::PoissonTime, 0, sent, 0);
        let instructions = Instructions::widest();
        Places { instructions, key: [low, high], group: u32::MAX, words: [0; BATCH] }
    }

    /// Appends the times, ascending, at which the `count` spikes of a neuron arrive in the step of length `dt` that
    /// ends at `end`. Quick for neurons in ascending order.
    pub(crate) fn append(
        &mut self,
        neuron: u32,
        count: u32,
        end: Time,
        dt: Time,
        times: &mut Vec<Time>,
    ) {
        let time = |place: u32| {
            let back = (u128::from(!place) * dt.0 as u128) >> 32;
            Time(end.0 - back as i64)
        };
        let words = self.first_words(neuron);
        let first = times.len();
        times.extend(words.into_iter().take(count as usize).map(time));
        for lane in 1..count.div_ceil(WORDS) {
            let tag = lane << 16 | Purpose::PoissonTime as u32;
            let words = philox4x32([neuron % GROUP, 0, neuron / GROUP, tag], self.key);
            let left = (count - lane * WORDS).min(WORDS);
            times.extend(words.into_iter().take(left as usize).map(time));
        }
        sort_few(&mut times[first..]);
    }

    /// The block of lane 0.
    fn first_words(&mut self, neuron: u32) -> [u32; 4] {
        let (group, place) = (neuron / GROUP, (neuron % GROUP) as usize);
        if self.group != group {
            let tag = Purpose::PoissonTime as u32;
            let sequence = Sequence { key: self.key, object: group, tag };
            random_bits(self.instructions, sequence, &mut self.words);
            self.group = group;
        }
        let (first, second) = (self.words[place], self.words[place + GROUP as usize]);
        [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
    }
}

/// Most runs have one, two or three numbers, for which a general sort is slow.
fn sort_few(times: &mut [Time]) {
    if times.len() > 8 {
        times.sort_unstable();
        return;
    }
    for next in 1..times.len() {
        let mut place = next;
        while place > 0 && times[place - 1] > times[place] {
            times.swap(place - 1, place);
            place -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: Time = Time(100_000_000_000);
    const END: Time = Time(700_000_000_000);

    fn times(neuron: u32, count: u32) -> Vec<Time> {
        let mut times = Vec::new();
        Places::new(5, 7).append(neuron, count, END, DT, &mut times);
        times
    }

    #[test]
    fn places_are_the_documented_words_in_order() {
        let key = draw(5, Purpose::PoissonTime, 0, 7, 0);
        for (neuron, count) in [(0, 1), (3, 4), (40, 11), (1_000_003, 2)] {
            let word = |spike: u32| {
                let tag = (spike / 4) << 16 | Purpose::PoissonTime as u32;
                let counter = [neuron % 16, 0, neuron / 16, tag];
                philox4x32(counter, [key[0], key[1]])[(spike % 4) as usize]
            };
            let mut expected: Vec<Time> = (0..count)
                .map(|spike| {
                    let back = (u64::MAX >> 32) - u64::from(word(spike));
                    Time(END.0 - ((u128::from(back) * 100_000_000_000) >> 32) as i64)
                })
                .collect();
            expected.sort_unstable();
            assert_eq!(times(neuron, count), expected, "{neuron}, {count}");
            assert!(expected.iter().all(|&time| time <= END && time > END - DT));
        }
    }

    /// Even within five standard errors: the mean and the mean square of places from 0 to 1.
    #[test]
    fn places_lie_evenly() {
        let number = 20_000.0_f64;
        let (mut sum, mut squares) = (0.0, 0.0);
        for neuron in 0..4000 {
            for time in times(neuron, 5) {
                let place = 1.0 - (END - time).milliseconds() / DT.milliseconds();
                sum += place / number;
                squares += place * place / number;
            }
        }
        assert!((sum - 0.5).abs() < 5.0 / (12.0 * number).sqrt(), "{sum}");
        assert!((squares - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / number).sqrt(), "{squares}");
    }
}
