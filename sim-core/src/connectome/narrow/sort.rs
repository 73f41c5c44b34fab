//! Sorting the synapses of a row as they are drawn.

/// A synapse in the making, ordered by (block, delay, slot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Key(u64);

/// Rows up to this length are compared; longer ones are dealt into piles.
const SHORT: usize = 96;

/// Bits of a pile's number.
const DIGIT: u32 = 8;

/// Lowest bit of the number that orders keys: the weight lies below.
const LOWEST: u32 = 16;

impl Key {
    pub(super) fn new(block: u32, delay: u32, slot: u16, weight: i16) -> Key {
        let place = u64::from(block) << 48 | u64::from(delay as u16) << 32;
        Key(place | u64::from(slot) << 16 | u64::from(weight as u16))
    }

    pub(super) fn block(self) -> usize {
        (self.0 >> 48) as usize
    }

    pub(super) fn delay(self) -> u32 {
        (self.0 >> 32) as u32 & 0xffff
    }

    /// Slot and weight as the narrow form stores them.
    pub(super) fn synapse(self) -> u32 {
        self.0 as u32
    }

    fn digit(self, shift: u32) -> usize {
        (self.0 >> shift) as usize & ((1 << DIGIT) - 1)
    }

    fn order(self) -> u64 {
        self.0 >> LOWEST
    }
}

/// Sorts a row; equal keys keep their order. `scratch` is overwritten.
///
/// Long rows are sorted digit by digit from the lowest; digits that all keys share cost nothing.
pub(super) fn sort(keys: &mut Vec<Key>, scratch: &mut Vec<Key>) {
    if keys.is_sorted_by_key(|key| key.order()) {
        return;
    }
    if keys.len() <= SHORT {
        keys.sort_by_key(|key| key.order());
        return;
    }
    let first = keys.first().copied().unwrap_or_default();
    let differing = keys.iter().fold(0, |bits, key| bits | (key.0 ^ first.0));
    scratch.clear();
    scratch.resize(keys.len(), Key::default());
    for shift in (LOWEST..u64::BITS).step_by(DIGIT as usize) {
        if Key(differing).digit(shift) == 0 {
            continue;
        }
        let mut next = [0_u32; 1 << DIGIT];
        for key in keys.iter() {
            next[key.digit(shift)] += 1;
        }
        let mut sum = 0;
        for place in &mut next {
            sum += std::mem::replace(place, sum);
        }
        for &key in keys.iter() {
            let place = &mut next[key.digit(shift)];
            scratch[*place as usize] = key;
            *place += 1;
        }
        std::mem::swap(keys, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn short_and_long_rows_are_sorted_and_equal_keys_keep_their_order() {
        let mut stream = Stream::new(1, Purpose::Example, 0, 0);
        for (length, blocks, delays, slots) in
            [(50, 2, 40, 9000), (5000, 3, 60_000, 60_000), (3000, 1, 1, 40), (0, 1, 1, 1)]
        {
            let mut draw = |bound: u32| stream.next_below(u64::from(bound)) as u32;
            let mut keys: Vec<Key> = (0..length)
                .map(|i| Key::new(draw(blocks), 1 + draw(delays), draw(slots) as u16, i as i16))
                .collect();
            let mut expected = keys.clone();
            expected.sort_by_key(|key| (key.block(), key.delay(), key.synapse() >> 16));
            sort(&mut keys, &mut vec![Key::default(); 3]);
            assert_eq!(keys, expected);
        }
    }
}
