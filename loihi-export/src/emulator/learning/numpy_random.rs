//! numpy's random streams: `default_rng(seed)` is a PCG64 seeded through a `SeedSequence`.
//!
//! Lava rounds traces and weights with these streams, so learning is bit for bit equal only with
//! them. References: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
//! Algorithms for Random Number Generation" (2014), generator XSL-RR 128/64; numpy 1.26,
//! `numpy.random.SeedSequence` (entropy mixing after O'Neill's `seed_seq_fe`).

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
/// Words of the entropy pool.
const POOL: usize = 4;

/// The stream of `numpy.random.default_rng(seed)`.
#[derive(Debug, Clone)]
pub struct NumpyRandom {
    state: u128,
    increment: u128,
    /// The high half of the last output, where only its low half was used.
    spare: Option<u32>,
}

impl NumpyRandom {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let words = seed_words(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let (start, sequence) = (wide(words[0], words[1]), wide(words[2], words[3]));
        let mut stream = Self { state: 0, increment: sequence << 1 | 1, spare: None };
        stream.advance();
        stream.state = stream.state.wrapping_add(start);
        stream.advance();
        stream
    }

    fn advance(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn next_64(&mut self) -> u64 {
        self.advance();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// Low half of an output first, then its high half.
    fn next_32(&mut self) -> u32 {
        if let Some(high) = self.spare.take() {
            return high;
        }
        let both = self.next_64();
        self.spare = Some((both >> 32) as u32);
        both as u32
    }

    /// `.random()`: a number in `[0, 1)` with 53 bits.
    pub fn fraction(&mut self) -> f64 {
        (self.next_64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// `.integers(0, 128)`.
    pub fn seven_bits(&mut self) -> i64 {
        i64::from(self.next_32() >> 25)
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u64) -> [u64; 4] {
    // A seed below 2^32 is one word of entropy; numpy pads the pool with zeros.
    let entropy = [seed as u32, (seed >> 32) as u32];
    let words = if entropy[1] == 0 { 1 } else { 2 };
    let mut constant = 0x43b0_d7e5_u32;
    let mut hash = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        let value = value.wrapping_mul(constant);
        value ^ value >> 16
    };
    let mix = |x: u32, y: u32| {
        let mixed = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
        mixed ^ mixed >> 16
    };
    let mut pool = [0_u32; POOL];
    for (index, slot) in pool.iter_mut().enumerate() {
        *slot = hash(if index < words { entropy[index.min(1)] } else { 0 });
    }
    for source in 0..POOL {
        for target in (0..POOL).filter(|target| *target != source) {
            pool[target] = mix(pool[target], hash(pool[source]));
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut halves = [0_u32; 8];
    for (index, half) in halves.iter_mut().enumerate() {
        let value = pool[index % POOL] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        let value = value.wrapping_mul(constant);
        *half = value ^ value >> 16;
    }
    let word = |index: usize| u64::from(halves[2 * index + 1]) << 32 | u64::from(halves[2 * index]);
    [word(0), word(1), word(2), word(3)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy 1.26.4: `default_rng(seed).random(3)` and `.integers(0, 128, size=4)`.
    #[test]
    fn streams_equal_numpys() {
        let cases = [
            (
                0_u64,
                [0.6369616873214543, 0.2697867137638703, 0.04097352393619469],
                [108, 81, 65, 34],
            ),
            (
                2_u64,
                [0.2616121342493164, 0.2984911434141233, 0.8142257405942803],
                [107, 33, 13, 38],
            ),
            (
                1234_u64,
                [0.9766997666981422, 0.3801957350196178, 0.9232462337639554],
                [125, 125, 126, 48],
            ),
            (
                2147483651_u64,
                [0.6396866765475732, 0.05661558135735134, 0.49543369080837374],
                [58, 81, 47, 7],
            ),
            (
                1099511627793_u64,
                [0.3376496706213876, 0.2641256863221316, 0.5257054212913733],
                [105, 43, 100, 33],
            ),
        ];
        for (seed, fractions, integers) in cases {
            let mut stream = NumpyRandom::new(seed);
            assert_eq!(fractions.map(|_| stream.fraction()), fractions, "seed {seed}");
            let mut stream = NumpyRandom::new(seed);
            assert_eq!(integers.map(|_| stream.seven_bits()), integers, "seed {seed}");
        }
    }
}
