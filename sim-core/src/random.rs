//! Counter-based random numbers: every draw is a function of what it is for.
//!
//! Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11,
//! doi 10.1145/2063384.2063405). The key is the seed; the counter is (draw index, object, purpose),
//! so that no draw depends on the order in which threads ask.

use kernels::Instructions;
use kernels::philox::{BATCH, Sequence, random_bits};
use rand::TryRng;

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: four random words from a 128-bit counter and a 64-bit key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..10 {
        let low = u64::from(MULTIPLIER[0]) * u64::from(c[0]);
        let high = u64::from(MULTIPLIER[1]) * u64::from(c[2]);
        c = [
            (high >> 32) as u32 ^ c[1] ^ k[0],
            high as u32,
            (low >> 32) as u32 ^ c[3] ^ k[1],
            low as u32,
        ];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// What a random number is drawn for; part of the counter, so purposes never share draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Purpose {
    /// Which synapses a connectivity rule draws.
    Connectivity = 1,
    /// Spikes of Poisson sources.
    Poisson = 2,
    /// Random networks and inputs of tests and examples.
    Example = 3,
    /// Seeds of named parts ([`named_seed`]).
    Name = 4,
    /// Weights of synapses.
    Weight = 5,
    /// Delays of synapses.
    Delay = 6,
    /// Parameters and initial values of neurons, positions.
    Parameter = 7,
    /// Noise currents.
    Current = 8,
    /// The lower bits of Poisson input.
    PoissonLow = 9,
    /// Where within a step Poisson input arrives.
    PoissonTime = 10,
    /// Exchanges that a placer of cores tries.
    Placement = 16,
}

/// The words drawn for one (seed, purpose, object, index).
pub fn draw(seed: u64, purpose: Purpose, object: u32, index: u64, lane: u16) -> [u32; 4] {
    let tag = (u32::from(lane) << 16) | purpose as u32;
    let counter = [index as u32, (index >> 32) as u32, object, tag];
    philox4x32(counter, [seed as u32, (seed >> 32) as u32])
}

/// A whole number below `bound` from 64 random bits; 0 for the bound 0.
pub fn scaled(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// A uniform number in [0, 1) with 53 bits from two words.
pub fn uniform(words: [u32; 4]) -> f64 {
    unit_interval(u64::from(words[0]) << 32 | u64::from(words[1]))
}

/// A uniform number in [0, 1): the upper 53 of these bits.
pub fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// The seed of a named part of a network (a projection, a stimulus, a parameter): its draws depend on
/// the network's seed and on its name, not on what else there is or in which order it stands.
///
/// The name is hashed by FNV-1a to 64 bits, which count a block of Philox under the network's seed.
pub fn named_seed(seed: u64, name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let words = draw(seed, Purpose::Name, 0, hash, 0);
    u64::from(words[0]) << 32 | u64::from(words[1])
}

/// The lane of draws that are made together.
const BATCH_LANE: u16 = 2;

/// Each position has so many bits of counters to itself.
const POSITION_BITS: u32 = 20;

/// A stream of draws for one (seed, purpose, object, lane); usable through `rand`'s traits.
#[derive(Debug, Clone)]
pub struct Stream {
    seed: u64,
    purpose: Purpose,
    object: u32,
    lane: u16,
    index: u64,
}

impl Stream {
    /// The stream's beginning.
    pub fn new(seed: u64, purpose: Purpose, object: u32, lane: u16) -> Self {
        Stream { seed, purpose, object, lane, index: 0 }
    }

    /// The same stream from its draw `index` on.
    pub fn starting_at(mut self, index: u64) -> Self {
        self.index = index;
        self
    }

    /// The stream of the object at `position` among many that share this one's name, such as the
    /// synapses of a row.
    pub fn of_position(&self, position: usize) -> Stream {
        self.clone().starting_at((position as u64) << POSITION_BITS)
    }

    /// Random bits for the first `count` of many objects that share this stream's name, 64 each, and
    /// some more: drawn together, from a lane of their own, wherever the stream stands.
    ///
    /// [`random_bits`] says which words of which blocks they are.
    pub fn batch(&self, count: usize) -> Vec<u64> {
        let mut bits = vec![0; count.next_multiple_of(BATCH)];
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let tag = u32::from(BATCH_LANE) << 16 | self.purpose as u32;
        let sequence = Sequence { key, object: self.object, tag };
        random_bits(Instructions::widest(), sequence, &mut bits);
        bits
    }

    /// A whole number below `bound`, all equally likely (up to bound/2^64); 0 for the bound 0.
    pub fn next_below(&mut self, bound: u64) -> u64 {
        let words = self.next_words();
        scaled(u64::from(words[0]) << 32 | u64::from(words[1]), bound)
    }

    /// The next four words.
    pub fn next_words(&mut self) -> [u32; 4] {
        let words = draw(self.seed, self.purpose, self.object, self.index, self.lane);
        self.index += 1;
        words
    }

    /// The next uniform number in [0, 1).
    pub fn next_uniform(&mut self) -> f64 {
        uniform(self.next_words())
    }
}

impl TryRng for Stream {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.next_words()[0])
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let words = self.next_words();
        Ok(u64::from(words[0]) << 32 | u64::from(words[1]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(16) {
            let words = self.next_words();
            let block: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn draws_of_different_purposes_objects_and_lanes_differ() {
        let base = draw(7, Purpose::Poisson, 1, 2, 0);
        assert_ne!(base, draw(8, Purpose::Poisson, 1, 2, 0));
        assert_ne!(base, draw(7, Purpose::Connectivity, 1, 2, 0));
        assert_ne!(base, draw(7, Purpose::Poisson, 2, 2, 0));
        assert_ne!(base, draw(7, Purpose::Poisson, 1, 3, 0));
        assert_ne!(base, draw(7, Purpose::Poisson, 1, 2, 1));
    }

    #[test]
    fn named_seeds_differ_by_name_and_seed() {
        let seed = named_seed(7, "projections/a");
        assert_ne!(seed, named_seed(7, "projections/b"));
        assert_ne!(seed, named_seed(8, "projections/a"));
        assert_eq!(seed, named_seed(7, "projections/a"));
    }

    #[test]
    fn numbers_below_a_bound_are_uniform() {
        let mut stream = Stream::new(3, Purpose::Example, 0, 0);
        let mut counts = [0_u32; 5];
        for _ in 0..10_000 {
            counts[stream.next_below(5) as usize] += 1;
        }
        // Standard deviation of a count is 40; five of them.
        assert!(counts.iter().all(|&count| count.abs_diff(2000) < 200), "{counts:?}");
        assert_eq!(stream.next_below(0), 0);
    }

    #[test]
    fn the_stream_serves_rand_and_is_uniform() {
        let mut stream = Stream::new(1, Purpose::Example, 0, 0);
        let first = stream.next_u64();
        assert_eq!(first, Stream::new(1, Purpose::Example, 0, 0).next_u64());
        let mean = (0..20_000).map(|_| stream.next_uniform()).sum::<f64>() / 20_000.0;
        // Standard error of the mean is 1/sqrt(12 · 20,000) = 0.002; five of them.
        assert!((mean - 0.5).abs() < 0.0102, "{mean}");
    }
}
