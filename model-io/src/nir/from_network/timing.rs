//! The clock of every population: how many steps behind the input's it runs.
//!
//! A population's clock starts when the first spike of an input can reach it: the shortest sum of
//! delays on a way from a population that nothing reaches. Populations of one loop share a clock. A
//! projection of d steps from a clock at a to one at b then takes d - (b - a) steps of a `Delay`,
//! d - 1 inside a loop, where NIR's own edge takes one; neither is negative.

use super::{NotInNir, refuse};
use crate::nir::run::components;
use sim_core::network::{ValidDelays, ValidNetwork, ValidProjection};

/// Clocks of all populations.
pub(super) struct Clocks {
    /// The loop that a population belongs to; populations outside of loops have one each.
    component: Vec<usize>,
    /// Steps behind the input.
    start: Vec<u64>,
}

/// Delays of a projection in steps, as listed.
pub(super) fn listed<'a>(
    name: &str,
    projection: &'a ValidProjection,
) -> Result<&'a [u32], NotInNir> {
    match &projection.delays {
        ValidDelays::Listed(delays) => Ok(delays),
        ValidDelays::Drawn(_) => Err(refuse(
            format!("projections/{name}"),
            "its delays are drawn",
            "NIR holds numbers: list the delays",
        )),
    }
}

impl Clocks {
    /// # Errors
    /// [`NotInNir`] for delays that are drawn.
    pub(super) fn new(network: &ValidNetwork) -> Result<Self, NotInNir> {
        let count = network.populations().len();
        let (mut after, mut edges) = (vec![Vec::new(); count], Vec::new());
        for (name, projection) in network.projections() {
            let shortest = listed(name, projection)?.iter().copied().min().unwrap_or(1);
            after[projection.source].push(projection.target);
            edges.push((projection.source, projection.target, u64::from(shortest)));
        }
        let component = components(&after);
        edges.retain(|(from, to, _)| component[*from] != component[*to]);
        let mut start = vec![None; count];
        for (index, start) in start.iter_mut().enumerate() {
            let reached = edges.iter().any(|(_, to, _)| component[*to] == component[index]);
            if !reached {
                *start = Some(0);
            }
        }
        // Each round settles one more loop; there are no more of them than populations.
        for _ in 0..count {
            for &(from, to, delay) in &edges {
                let Some(before) = start[from] else { continue };
                for (index, start) in start.iter_mut().enumerate() {
                    if component[index] == component[to] && start.is_none_or(|s| s > before + delay)
                    {
                        *start = Some(before + delay);
                    }
                }
            }
        }
        let start = start.into_iter().map(Option::unwrap_or_default).collect();
        Ok(Self { component, start })
    }

    /// Steps that a population's clock is behind the input's.
    pub(super) fn start(&self, population: usize) -> u64 {
        self.start.get(population).copied().unwrap_or_default()
    }

    /// Whether a population's spikes leave the graph: it sends to none but itself, or it is the last
    /// of a loop that sends to nothing else and has no such population.
    pub(super) fn is_output(&self, network: &ValidNetwork, index: usize) -> bool {
        let own = self.component[index];
        let silent = |index: usize| {
            let mut sent = network.projections().values().filter(|p| p.source == index);
            sent.all(|p| p.target == index)
        };
        if silent(index) {
            return true;
        }
        let mut members = (0..self.component.len()).filter(|&other| self.component[other] == own);
        let leaves = |p: &ValidProjection| {
            self.component[p.source] == own && self.component[p.target] != own
        };
        !network.projections().values().any(leaves)
            && !members.clone().any(silent)
            && members.next_back() == Some(index)
    }

    /// Steps of the `Delay` node of a synapse that takes `delay` steps.
    pub(super) fn rest(&self, source: usize, target: usize, delay: u32) -> u64 {
        let delay = u64::from(delay);
        if self.component[source] == self.component[target] {
            return delay.saturating_sub(1);
        }
        (delay + self.start[source]).saturating_sub(self.start[target])
    }
}

impl std::fmt::Display for Clocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let starts: Vec<_> = self.start.iter().map(u64::to_string).collect();
        write!(f, "the populations' clocks start {} steps after the input's", starts.join(", "))
    }
}
