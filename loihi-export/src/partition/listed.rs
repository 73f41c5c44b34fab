//! The longest slice that fits, for populations whose neurons receive listed synapses.
//!
//! Bisection counts the same synapses again with every length that it tries. Here neurons come to a
//! slice one after the other, which looks at each synapse once; what is counted is the same.

use super::core_fill::CoreFill;
use super::inbound::{Atoms, Inbound};
use crate::mapping::limits::CoreLimits;
use crate::quantise::network::{Connection, QuantisedNetwork};

/// Neurons that are described at once, in cores' worth.
const CORES_IN_VIEW: u32 = 4;

/// A population's neurons in order, a part of them in view.
pub(super) struct Listed<'a> {
    network: &'a QuantisedNetwork,
    limits: &'a CoreLimits,
    population: usize,
    atoms: Atoms,
    size: u32,
    /// Neurons in view, from the first that `inbound` describes to here.
    end: u32,
    inbound: Option<Inbound>,
}

impl<'a> Listed<'a> {
    /// `None` for populations that no listed synapses reach, and for those that a convolution
    /// reaches, too, whose kernels are counted exactly only by ranges.
    pub(super) fn new(
        network: &'a QuantisedNetwork,
        limits: &'a CoreLimits,
        population: usize,
    ) -> Option<Self> {
        let arriving = || network.projections.iter().filter(|p| p.target == population);
        if !arriving().any(|p| matches!(p.connection, Connection::Sparse { .. }))
            || arriving().any(|p| matches!(p.connection, Connection::Convolution { .. }))
        {
            return None;
        }
        let atoms = Atoms::of(network, limits, population);
        let size = atoms.count();
        Some(Self { network, limits, population, atoms, size, end: 0, inbound: None })
    }

    /// The largest `end` for which the slice `first..end` fits a core; none where a neuron alone
    /// does not.
    pub(super) fn longest_fit(&mut self, first: u32) -> Option<u32> {
        let most = self.limits.neurons_per_core.saturating_add(1);
        let last = first.saturating_add(most).min(self.size);
        let inbound = match self.inbound.take() {
            Some(inbound) if inbound.first_atom <= first && last <= self.end => inbound,
            _ => {
                let view = most.saturating_mul(CORES_IN_VIEW);
                self.end = first.saturating_add(view).min(self.size);
                let range = first..self.end;
                Inbound::new(self.network, self.limits, self.population, self.atoms, range)
            }
        };
        let inbound = self.inbound.insert(inbound);
        let mut core = CoreFill::default();
        let fits = |neuron: &u32| {
            let atom = (neuron - inbound.first_atom) as usize;
            core.try_add(inbound, self.limits, atom)
        };
        let taken = (first..last).take_while(fits).count() as u32;
        (taken > 0).then_some(first + taken)
    }
}
