//! The synapses of one projection as its rule gives them, row by row, with weights and delays.
//!
//! A row is a function of the projection's seed and its own number alone ([`crate::connectivity::Rows`]):
//! rows can be drawn in any order, by any thread, and drawn again instead of kept.

use crate::connectivity::{End, Partner, Rows};
use crate::network::{ValidDelays, ValidNetwork, ValidProjection, ValidWeights};
use crate::neuron::NeuronModel;
use crate::random::{Purpose, Stream};

/// A synapse between neurons local to their populations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawnSynapse {
    /// Source neuron.
    pub source: u32,
    /// Target neuron.
    pub target: u32,
    /// Weight in the receptor's base unit, as the engines use it.
    pub weight: f64,
    /// Delay in steps, 1 to 65,535.
    pub delay: u32,
}

/// The rows of one projection.
pub struct Draw<'n> {
    rows: Box<dyn Rows + 'n>,
    projection: &'n ValidProjection,
    model: &'static dyn NeuronModel,
    dt: f64,
}

/// Draws of a synapse's weight have so many counters to themselves.
const COUNTERS_BITS: u32 = 20;

impl<'n> Draw<'n> {
    /// The rows of a projection of a network.
    pub fn new(network: &'n ValidNetwork, projection: &'n ValidProjection) -> Self {
        let rule = projection.connectivity.behaviour();
        Draw {
            rows: rule.rows(&projection.ends, projection.seed),
            projection,
            model: network.populations()[projection.target].model,
            dt: network.grid().dt(),
        }
    }

    /// The end whose neurons number the rows.
    pub fn end(&self) -> End {
        self.rows.end()
    }

    /// Number of rows.
    pub fn row_count(&self) -> u32 {
        match self.end() {
            End::Source => self.projection.ends.sources,
            End::Target => self.projection.ends.targets,
        }
    }

    /// Appends the partners of a row without weights and delays.
    pub fn partners(&self, row: u32, partners: &mut Vec<Partner>) {
        self.rows.row(row, partners);
    }

    /// Appends the synapses of a row, in the rule's order; `scratch` is overwritten.
    pub fn row(&self, row: u32, scratch: &mut Vec<Partner>, synapses: &mut Vec<DrawnSynapse>) {
        scratch.clear();
        self.rows.row(row, scratch);
        synapses.reserve(scratch.len());
        for (position, partner) in scratch.iter().enumerate() {
            let (source, target) = match self.end() {
                End::Source => (row, partner.neuron),
                End::Target => (partner.neuron, row),
            };
            let distance = || self.projection.ends.distance(source, target);
            let draws = |purpose: Purpose| {
                Stream::new(self.projection.seed, purpose, row, 0)
                    .starting_at((position as u64) << COUNTERS_BITS)
            };
            let listed = partner.listed as usize;
            let weight = match &self.projection.weights {
                ValidWeights::Listed(column) => column.get(listed),
                ValidWeights::Drawn(law) => law.draw(&mut draws(Purpose::Weight), distance()),
            };
            let delay = match &self.projection.delays {
                ValidDelays::Listed(steps) => {
                    steps.get(listed).or(steps.first()).copied().unwrap_or(1)
                }
                ValidDelays::Drawn(law) => {
                    let drawn = law.draw(&mut draws(Purpose::Delay), distance());
                    (drawn / self.dt).round().clamp(1.0, f64::from(u16::MAX)) as u32
                }
            };
            let weight = self.model.round(weight);
            synapses.push(DrawnSynapse { source, target, weight, delay });
        }
    }
}
