//! How many packets run between cores, and how far they go: what placers try to make small.
//!
//! An axon weighs as much as its population spikes; populations that never do weigh least, not
//! nothing, so that their cores still lie near each other.

use std::collections::BTreeMap;

use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::for_each_bundle;
use crate::mapping::{CorePosition, RouterPosition};
use crate::partition::Partition;
use crate::quantise::network::QuantisedNetwork;

/// Weighed axons between pairs of cores, both directions together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// For each core: the others with the axons to and from them, ascending.
    pub with: Vec<Vec<(u32, u64)>>,
}

impl Traffic {
    /// Weighs the axons of a partition by the spikes of each population; all alike where none are
    /// given.
    pub fn of(
        network: &QuantisedNetwork,
        partition: &Partition,
        limits: &CoreLimits,
        spikes: &[u32],
    ) -> Self {
        let weight = |projection: usize| {
            let source = network.projections[projection].source;
            u64::from(spikes.get(source).copied().unwrap_or(1).max(1))
        };
        let mut between: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for_each_bundle(network, &partition.slices, limits, |bundle| {
            let Some(source) = bundle.source else { return };
            let ends = (partition.slices[source].core, partition.slices[bundle.target].core);
            if ends.0 != ends.1 && bundle.axons > 0 {
                let weighed = bundle.axons.saturating_mul(weight(bundle.projection));
                for ends in [ends, (ends.1, ends.0)] {
                    let sum = between.entry(ends).or_default();
                    *sum = sum.saturating_add(weighed);
                }
            }
        });
        let mut with = vec![Vec::new(); partition.cores as usize];
        for ((from, to), axons) in between {
            if let Some(list) = with.get_mut(from as usize) {
                list.push((to, axons));
            }
        }
        Self { with }
    }
}

/// Hops between two routers; chips lie side by side.
pub fn distance(a: RouterPosition, b: RouterPosition, columns: u32) -> u64 {
    let x = |router: RouterPosition| {
        u64::from(router.chip).saturating_mul(columns.into()).saturating_add(router.x.into())
    };
    x(a).abs_diff(x(b)).saturating_add(a.y.abs_diff(b.y).into())
}

/// Cores in places, with the cost of changing them.
#[derive(Debug, Clone)]
pub(super) struct Board<'a> {
    traffic: &'a Traffic,
    columns: u32,
    /// The place of each core.
    pub(super) cores: Vec<CorePosition>,
    /// The core of each place, in the order of `places`.
    holders: BTreeMap<CorePosition, u32>,
}

impl<'a> Board<'a> {
    pub(super) fn new(traffic: &'a Traffic, columns: u32, cores: Vec<CorePosition>) -> Self {
        let holders = (0u32..).zip(&cores).map(|(core, place)| (*place, core)).collect();
        Self { traffic, columns, cores, holders }
    }

    /// The core in a place.
    pub(super) fn holder(&self, place: CorePosition) -> Option<u32> {
        self.holders.get(&place).copied()
    }

    /// Hops that moving a core to another place saves; a core that is there comes back instead.
    pub(super) fn saving(&self, core: u32, place: CorePosition) -> i128 {
        let other = self.holder(place);
        let from = self.cores[core as usize].router;
        let mut saving = self.pull(core, from, place.router, other);
        if let Some(other) = other {
            saving += self.pull(other, place.router, from, Some(core));
        }
        saving
    }

    /// What one core's packets save by going from one router to another.
    fn pull(
        &self,
        core: u32,
        from: RouterPosition,
        to: RouterPosition,
        without: Option<u32>,
    ) -> i128 {
        let partners = self.traffic.with.get(core as usize).map(Vec::as_slice).unwrap_or_default();
        let each = partners.iter().filter(|(other, _)| Some(*other) != without);
        each.map(|&(other, axons)| {
            let there = self.cores[other as usize].router;
            let before = i128::from(distance(from, there, self.columns));
            let after = i128::from(distance(to, there, self.columns));
            i128::from(axons) * (before - after)
        })
        .sum()
    }

    /// Moves a core; one that is in the way changes places with it.
    pub(super) fn exchange(&mut self, core: u32, place: CorePosition) {
        let from = self.cores[core as usize];
        match self.holders.insert(place, core) {
            Some(other) => {
                self.cores[other as usize] = from;
                self.holders.insert(from, other);
            }
            None => {
                self.holders.remove(&from);
            }
        }
        self.cores[core as usize] = place;
    }

    /// Axons times hops over all pairs.
    pub(super) fn cost(&self) -> u128 {
        let mut cost = 0;
        for (core, partners) in self.traffic.with.iter().enumerate() {
            for &(other, axons) in partners {
                let (a, b) = (self.cores[core].router, self.cores[other as usize].router);
                cost += u128::from(axons) * u128::from(distance(a, b, self.columns));
            }
        }
        cost / 2
    }
}
