//! Drawing the partners of a row.

use super::Partner;
use crate::random::{Stream, scaled};

/// Appends `count` of `size` partners, all equally likely, without `excluded`.
///
/// With multapses each is drawn on its own; without, none is drawn twice (then `count` must not
/// exceed what there is). The order is the order of drawing.
pub(super) fn draw(
    stream: &mut Stream,
    count: u64,
    size: u32,
    excluded: Option<u32>,
    multapses: bool,
    partners: &mut Vec<Partner>,
) {
    let excluded = excluded.filter(|&neuron| neuron < size);
    let available = u64::from(size) - u64::from(excluded.is_some());
    if available == 0 {
        return;
    }
    // The excluded neuron is left out of the numbering.
    let neuron = |index: u64| match excluded {
        Some(out) if index >= u64::from(out) => index as u32 + 1,
        _ => index as u32,
    };
    if multapses {
        let bits = stream.batch(count as usize);
        let drawn = bits.into_iter().take(count as usize);
        partners.extend(drawn.map(|bits| Partner::plain(neuron(scaled(bits, available)))));
        return;
    }
    let count = count.min(available);
    // Of the two, the smaller set is drawn: those taken or those left out.
    let take = count <= available / 2;
    let mut drawn = vec![false; available as usize];
    let mut missing = if take { count } else { available - count };
    while missing > 0 {
        let index = stream.next_below(available);
        if !std::mem::replace(&mut drawn[index as usize], true) {
            missing -= 1;
            if take {
                partners.push(Partner::plain(neuron(index)));
            }
        }
    }
    if !take {
        let left = (0..available).filter(|&index| !drawn[index as usize]);
        partners.extend(left.map(|index| Partner::plain(neuron(index))));
    }
}

/// Appends each of `size` partners with the same probability, ascending, without `excluded`: the
/// gaps between them are geometric.
pub(super) fn draw_each(
    stream: &mut Stream,
    probability: f64,
    size: u32,
    excluded: Option<u32>,
    partners: &mut Vec<Partner>,
) {
    let keep = |neuron: &u32| Some(*neuron) != excluded;
    if probability >= 1.0 {
        partners.extend((0..size).filter(keep).map(Partner::plain));
        return;
    }
    if probability <= 0.0 {
        return;
    }
    let scale = 1.0 / (-probability).ln_1p();
    let mut next = 0.0;
    loop {
        // 1 − u lies in (0, 1]: its logarithm is finite.
        next += ((1.0 - stream.next_uniform()).ln() * scale).floor();
        if next >= f64::from(size) {
            return;
        }
        let neuron = next as u32;
        if keep(&neuron) {
            partners.push(Partner::plain(neuron));
        }
        next += 1.0;
    }
}
