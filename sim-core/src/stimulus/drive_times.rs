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
use kernels::philox::{BATCH, Sequence, random_bits};
use kernels::{Instructions, Loop};

/// Neurons whose first places are drawn together.
pub(crate) const GROUP: u32 = 16;

/// Spikes whose places one block has.
pub(crate) const WORDS: u32 = 4;

/// Times of the spikes of a group's neurons `[spike, neuron]`, where they are at most [`WORDS`] each; ascending.
pub(crate) type FirstTimes = [[Time; GROUP as usize]; WORDS as usize];

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
        let time = |place: u32| time_of(place, end, dt);
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

    /// The same for the neurons from 16 · `group` on, of those that have at most [`WORDS`] spikes; behind the last spike
    /// of a neuron stands `end`.
    pub(crate) fn first_times(
        &mut self,
        group: u32,
        counts: &[u32; GROUP as usize],
        end: Time,
        dt: Time,
    ) -> FirstTimes {
        self.draw_group(group);
        self.instructions.run(InOrder { words: &self.words, counts, end, dt })
    }

    /// The block of lane 0.
    fn first_words(&mut self, neuron: u32) -> [u32; 4] {
        let place = (neuron % GROUP) as usize;
        self.draw_group(neuron / GROUP);
        let (first, second) = (self.words[place], self.words[place + GROUP as usize]);
        [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
    }

    /// Draws the blocks of lane 0 of a group, unless it was drawn last.
    fn draw_group(&mut self, group: u32) {
        if self.group != group {
            let tag = Purpose::PoissonTime as u32;
            let sequence = Sequence { key: self.key, object: group, tag };
            random_bits(self.instructions, sequence, &mut self.words);
            self.group = group;
        }
    }
}

/// When a spike with this place arrives.
#[inline(always)]
fn time_of(place: u32, end: Time, dt: Time) -> Time {
    // The higher 64 bits of 96, by products of 32 bits as vectors have them.
    let (back, dt) = (u64::from(!place), dt.0 as u64);
    let back = back * (dt >> 32) + ((back * (dt & 0xFFFF_FFFF)) >> 32);
    Time(end.0 - back as i64)
}

/// Puts the places of a group's spikes into order and makes times of them.
struct InOrder<'a> {
    words: &'a [u64; BATCH],
    counts: &'a [u32; GROUP as usize],
    end: Time,
    dt: Time,
}

impl Loop for InOrder<'_> {
    type Output = FirstTimes;

    #[inline(always)]
    fn run(self) -> FirstTimes {
        const LANES: usize = GROUP as usize;
        let mut places = [
            spike_words(self.words, self.counts, 0),
            spike_words(self.words, self.counts, 1),
            spike_words(self.words, self.counts, 2),
            spike_words(self.words, self.counts, 3),
        ];
        // A sorting network of four.
        for (low, high) in [(0, 1), (2, 3), (0, 2), (1, 3), (1, 2)] {
            let (before, after) = (places[low], places[high]);
            for j in 0..LANES {
                places[low][j] = before[j].min(after[j]);
                places[high][j] = before[j].max(after[j]);
            }
        }
        let mut times = [[Time::ZERO; LANES]; WORDS as usize];
        for (times, places) in times.iter_mut().zip(&places) {
            for (time, &place) in times.iter_mut().zip(places) {
                *time = time_of(place, self.end, self.dt);
            }
        }
        times
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

/// The word of each neuron's spike of this number, and the largest word where it has fewer.
#[inline(always)]
fn spike_words(
    words: &[u64; BATCH],
    counts: &[u32; GROUP as usize],
    spike: usize,
) -> [u32; GROUP as usize] {
    let mut own = [0; GROUP as usize];
    for (j, own) in own.iter_mut().enumerate() {
        let word = (words[spike / 2 * GROUP as usize + j] >> (32 * (spike % 2))) as u32;
        *own = if counts[j] > spike as u32 { word } else { u32::MAX };
    }
    own
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

    #[test]
    fn a_group_has_the_times_of_its_neurons() {
        let counts = std::array::from_fn(|neuron| neuron as u32 % (WORDS + 1));
        for group in [0, 9] {
            let first = Places::new(5, 7).first_times(group, &counts, END, DT);
            for (neuron, &count) in counts.iter().enumerate() {
                let own: Vec<Time> = first.iter().map(|times| times[neuron]).collect();
                let alone = times(group * GROUP + neuron as u32, count);
                assert_eq!(own[..count as usize], alone, "{group}, {neuron}");
                assert!(own[count as usize..].iter().all(|&time| time == END));
            }
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
