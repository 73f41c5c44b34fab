//! **Compiled**: who reaches whom, immutable, compressed and sorted for delivery.
//!
//! Every projection becomes a [`Fanout`]: rows by source, within a row sorted by (delay, target).
//! A dense projection stores its matrix without indices, a convolution only its shared kernel, a
//! single weight or delay is stored once. Memory is predicted from the description before anything
//! is built ([`footprint`]).
//!
//! [`graph`] shows a connectome to petgraph's algorithms.

mod compile;
mod draw;
mod fanout;
pub mod footprint;
pub mod graph;
mod message;
pub mod narrow;
mod rows;
mod scatter;

pub use compile::{CompileConfig, CompileError, Precision, compile};
pub use draw::{Draw, DrawnSynapse, Row};
pub use fanout::{Delays, Fanout, Layout, NarrowView, Weights};
pub use footprint::{Footprint, predict, predict_event, predict_for};
pub use message::{Arriving, Message};
pub use narrow::{WeightRounding, rounding};
pub use rows::Rows;
pub use scatter::{Scatter, Scratch};

use narrow::Narrow;
use std::ops::Range;
use std::sync::Arc;

/// All synapses of a network.
#[derive(Debug, Clone)]
pub struct Connectome {
    populations: Vec<Range<u32>>,
    fanouts: Vec<Fanout>,
    narrow: Option<Arc<Narrow>>,
}

/// One synapse, seen from its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synapse {
    /// Global index of the source neuron.
    pub source: u32,
    /// Global index of the target neuron.
    pub target: u32,
    /// Weight in the receptor's base unit, as the engines use it.
    pub weight: f64,
    /// Delay in steps.
    pub delay: u32,
    /// Index of the projection.
    pub projection: u32,
}

impl Connectome {
    /// Number of neurons, sources included.
    pub fn neuron_count(&self) -> u32 {
        self.populations.last().map_or(0, |range| range.end)
    }

    /// Global index ranges of the populations.
    pub fn populations(&self) -> &[Range<u32>] {
        &self.populations
    }

    /// One fan-out a projection, in the description's order.
    pub fn fanouts(&self) -> &[Fanout] {
        &self.fanouts
    }

    /// The synapses that have the narrow form; fan-outs show them too.
    pub fn narrow(&self) -> Option<&Arc<Narrow>> {
        self.narrow.as_ref()
    }

    /// Number of synapses that leave each neuron.
    pub fn out_degrees(&self) -> Vec<u64> {
        let mut degrees = vec![0; self.neuron_count() as usize];
        let wide = |fanout: &&Fanout| !matches!(fanout.layout(), Layout::Narrow(_));
        for fanout in self.fanouts.iter().filter(wide) {
            let first = fanout.sources().start as usize;
            for source in 0..fanout.sources().len() {
                degrees[first + source] += fanout.row_length(source as u32);
            }
        }
        for bundle in self.narrow.iter().flat_map(|narrow| narrow.bundles()) {
            let sources = self.populations[bundle.source].clone();
            for (local, source) in sources.enumerate() {
                degrees[source as usize] += bundle.row_length(local as u32);
            }
        }
        degrees
    }

    /// Number of synapses.
    pub fn synapse_count(&self) -> u64 {
        self.fanouts.iter().map(Fanout::synapse_count).sum()
    }

    /// The longest delay in steps; 1 where there are no synapses.
    pub fn longest_delay(&self) -> u32 {
        self.fanouts.iter().map(|fanout| fanout.delays().longest()).max().unwrap_or(1)
    }

    /// The synapses of one neuron, by (projection, delay, target).
    pub fn synapses_of(&self, source: u32) -> Synapses<'_> {
        Synapses { connectome: self, source, next_projection: 0, row: Vec::new().into_iter() }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        self.fanouts.iter().map(Fanout::bytes).sum()
    }
}

/// The synapses of one neuron; see [`Connectome::synapses_of`].
#[derive(Debug, Clone)]
pub struct Synapses<'a> {
    connectome: &'a Connectome,
    source: u32,
    next_projection: usize,
    /// What is left of the current projection's row.
    row: std::vec::IntoIter<Synapse>,
}

impl Iterator for Synapses<'_> {
    type Item = Synapse;

    fn next(&mut self) -> Option<Synapse> {
        loop {
            if let Some(synapse) = self.row.next() {
                return Some(synapse);
            }
            let fanout = self.connectome.fanouts.get(self.next_projection)?;
            let projection = self.next_projection as u32;
            self.next_projection += 1;
            if !fanout.sources().contains(&self.source) {
                continue;
            }
            let (source, first) = (self.source, fanout.targets().start);
            let mut row = Vec::new();
            fanout.for_each_synapse(source - fanout.sources().start, |target, weight, delay| {
                let target = first + target;
                row.push(Synapse { source, target, weight, delay, projection });
            });
            self.row = row.into_iter();
        }
    }
}
