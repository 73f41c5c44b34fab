//! Damage: real files changed at random places, the same for the same seed.

/// Numbers that sizes, offsets and counts are wrong with.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    1 << 60,
    u64::MAX >> 1,
    u64::MAX,
];

/// A source of random choices (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit; 0 where the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }
}

/// A damaged copy of one of the seeds.
pub fn mutate(seeds: &[Vec<u8>], text: bool, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    // Structure lies at the front of most formats: half of the inputs are damaged only there.
    let reach = match dice.below(2) {
        0 => bytes.len(),
        _ => bytes.len().min(1 + dice.below(2048)),
    };
    for _ in 0..1 + dice.below(6) {
        let at = dice.below(reach.min(bytes.len()));
        match dice.below(9) {
            0 => flip(&mut bytes, at, dice),
            1 => set(&mut bytes, at, dice.next() as u8),
            2 | 3 => overwrite(&mut bytes, at, dice),
            4 => bytes.truncate(at),
            5 => {
                let end = (at + dice.below(16)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            6 => {
                let part = piece(&bytes, dice);
                bytes.splice(at..at, part);
            }
            7 => {
                let part = piece(&seeds[dice.below(seeds.len())], dice);
                let end = (at + part.len()).min(bytes.len());
                bytes.splice(at.min(end)..end, part);
            }
            _ if text => digits(&mut bytes, at, dice),
            _ => flip(&mut bytes, at, dice),
        }
    }
    bytes
}

fn flip(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.below(8);
    }
}

fn set(bytes: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

fn overwrite(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let number = NUMBERS[dice.below(NUMBERS.len())].wrapping_sub(dice.below(2) as u64);
    let width = [1, 2, 4, 8][dice.below(4)];
    for (offset, byte) in number.to_le_bytes().into_iter().take(width).enumerate() {
        set(bytes, at + offset, byte);
    }
}

fn piece(from: &[u8], dice: &mut Dice) -> Vec<u8> {
    let start = dice.below(from.len());
    let end = (start + dice.below(64)).min(from.len());
    from[start..end].to_vec()
}

/// Another number in place of one that is written in digits.
fn digits(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let Some(start) = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|n| n + at) else {
        return;
    };
    let end =
        bytes[start..].iter().position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| start + n);
    let number = NUMBERS[dice.below(NUMBERS.len())].to_string();
    bytes.splice(start..end, number.into_bytes());
}
