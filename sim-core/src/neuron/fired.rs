//! Which neurons of a chunk spike: from flags to a list.

/// Neurons that are advanced before any of their spikes is listed.
pub(super) const TOGETHER: usize = 32;

/// A flag a neuron: 1 where it spikes, else 0.
pub(super) type Flags = [u8; TOGETHER];

/// A bit a neuron, the first neuron's the lowest.
#[inline(always)]
pub(super) fn mask(flags: &Flags) -> u32 {
    // Multiplied by this, bit 8 i of eight flags comes to bit 56 + i, and no two bits meet below it.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = flags.as_chunks::<8>();
    eights.iter().rev().fold(0, |mask, &eight| {
        let bits = u64::from_le_bytes(eight).wrapping_mul(GATHER) >> 56;
        (mask << 8) | bits as u32
    })
}

/// Calls `visit` with the place of every bit that is set, ascending.
#[inline(always)]
pub(super) fn for_each_bit(mut mask: u32, mut visit: impl FnMut(usize)) {
    while mask != 0 {
        visit(mask.trailing_zeros() as usize);
        mask &= mask - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_the_order_of_the_neurons() {
        for pattern in [0, 1, 1 << 31, 0xffff_ffff, 0x8421_0f35, 0x0001_8000] {
            let flags: Flags = std::array::from_fn(|place| (pattern >> place & 1) as u8);
            assert_eq!(mask(&flags), pattern);
            let mut places = Vec::new();
            for_each_bit(pattern, |place| places.push(place));
            assert!((0..32).filter(|place| pattern >> place & 1 == 1).eq(places));
        }
    }
}
