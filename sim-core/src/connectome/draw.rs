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

    /// Draws a row, in the rule's order.
    pub fn row(&self, row: u32, drawn: &mut Row) {
        drawn.partners.clear();
        self.rows.row(row, &mut drawn.partners);
        self.weights(row, drawn);
        self.delays(row, drawn);
    }

    fn distance(&self, row: u32, partner: &Partner) -> f64 {
        match self.end() {
            End::Source => self.projection.ends.distance(row, partner.neuron),
            End::Target => self.projection.ends.distance(partner.neuron, row),
        }
    }

    fn weights(&self, row: u32, drawn: &mut Row) {
        let Row { partners, weights, .. } = drawn;
        weights.clear();
        match &self.projection.weights {
            ValidWeights::Listed(column) => {
                weights.extend(partners.iter().map(|p| column.get(p.listed as usize)));
            }
            ValidWeights::Drawn(law) => {
                weights.resize(partners.len(), 0.0);
                let stream = Stream::new(self.projection.seed, Purpose::Weight, row, 0);
                law.draw_row(&stream, &|p| self.distance(row, &partners[p]), weights);
            }
        }
        weights.iter_mut().for_each(|weight| *weight = self.model.round(*weight));
    }

    fn delays(&self, row: u32, drawn: &mut Row) {
        let Row { partners, delays, scratch, .. } = drawn;
        delays.clear();
        match &self.projection.delays {
            ValidDelays::Listed(steps) => {
                let first = steps.first().copied().unwrap_or(1);
                let of = |p: &Partner| steps.get(p.listed as usize).copied().unwrap_or(first);
                delays.extend(partners.iter().map(of));
            }
            ValidDelays::Drawn(law) => {
                scratch.clear();
                scratch.resize(partners.len(), 0.0);
                let stream = Stream::new(self.projection.seed, Purpose::Delay, row, 0);
                law.draw_row(&stream, &|p| self.distance(row, &partners[p]), scratch);
                // To the nearest step: the cast cuts off what lies behind the point.
                let steps = |drawn: &f64| (drawn / self.dt + 0.5).clamp(1.0, f64::from(u16::MAX));
                delays.extend(scratch.iter().map(|drawn| steps(drawn) as u32));
            }
        }
    }
}

/// A row as it was drawn: partners, weights and delays in the rule's order.
#[derive(Debug, Default)]
pub struct Row {
    /// Neurons of the other end.
    pub partners: Vec<Partner>,
    /// Weights in the receptor's base unit, as the engines use them.
    pub weights: Vec<f64>,
    /// Delays in steps, 1 to 65,535.
    pub delays: Vec<u32>,
    scratch: Vec<f64>,
}

impl Row {
    /// Its synapses.
    pub fn synapses(&self, end: End, row: u32) -> impl Iterator<Item = DrawnSynapse> + '_ {
        let values = self.weights.iter().zip(&self.delays);
        self.partners.iter().zip(values).map(move |(partner, (&weight, &delay))| {
            let (source, target) = match end {
                End::Source => (row, partner.neuron),
                End::Target => (partner.neuron, row),
            };
            DrawnSynapse { source, target, weight, delay }
        })
    }
}
