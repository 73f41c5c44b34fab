//! The same networks for proptest, which shrinks their sizes when a property fails.

use super::{FAMILIES, Family, Size, network};
use proptest::prelude::*;
use proptest::sample::select;
use sim_core::network::Network;

/// Any random network of a family.
pub fn any_network(family: Family) -> impl Strategy<Value = Network> {
    (any::<u64>(), 1_u32..=4, 1_u32..=10, 0_u32..=4).prop_map(
        move |(seed, populations, neurons, projections)| {
            let size = Size { populations, neurons, projections, ..Size::SMALL };
            network(family, seed, size)
        },
    )
}

/// Any family.
pub fn any_family() -> impl Strategy<Value = Family> {
    select(FAMILIES.to_vec())
}
