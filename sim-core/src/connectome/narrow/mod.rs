//! The narrow form of synapses: four bytes each (two where all weights are one), sorted by source,
//! delay and target, for neurons that run in single precision.
//!
//! * A **block** has its own accumulators; a synapse names its target by a 16-bit slot in the block.
//! * A **bundle** joins the projections of one source population that act on receptors of the same
//!   index, so that the synapses of a spike that arrive in one step are one **segment** a block; a row
//!   is its segments in the order of their delays.
//! * Weights are 16-bit integers in units of a scale, one for each target population and receptor;
//!   sums of them are exact in 32 bits (the module `scale`).
//! * Rows lie in chunks of [`CHUNK`] sources, which are drawn, sorted and stored on their own.

mod blocks;
mod build;
mod bundle;
mod plan;
mod rounding;
mod scale;
mod sort;

pub use blocks::{Blocks, MOST_SLOTS};
pub(super) use build::{ROWS_AT_ONCE, build};
pub use bundle::{Bundle, CHUNK, Chunk, Head, Synapses};
pub(super) use plan::{Plan, plan};
pub use rounding::{WeightRounding, rounding};
pub(crate) use scale::quantise;

/// A population in the narrow form.
#[derive(Debug, Clone, PartialEq)]
pub struct NarrowPopulation {
    /// What a unit of the integer weights is worth, one a receptor, in the receptor's base unit.
    pub units: Vec<f64>,
    /// Whether anything but a constant current reaches it; only then it has slots.
    pub driven: bool,
}

/// All synapses in the narrow form.
#[derive(Debug)]
pub struct Narrow {
    pub(super) blocks: Blocks,
    pub(super) populations: Vec<Option<NarrowPopulation>>,
    pub(super) bundles: Vec<Bundle>,
    /// By block: the chunks of all bundles.
    pub(super) chunks: Vec<Vec<Chunk>>,
    pub(super) packed: bool,
}

impl Narrow {
    /// The blocks.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// The populations; none for those that run in double precision.
    pub fn populations(&self) -> &[Option<NarrowPopulation>] {
        &self.populations
    }

    /// The bundles.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// The chunks of a block, those of all bundles.
    pub fn chunks(&self, block: usize) -> &[Chunk] {
        &self.chunks[block]
    }

    /// Whether the sums of two receptors share 32 bits: the first receptor's below, the second's above. A
    /// step then touches a sixth less memory.
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// Bytes of a bundle on the heap.
    pub fn bytes(&self, bundle: &Bundle) -> u64 {
        let chunks: u64 =
            self.chunks.iter().flat_map(|block| &block[bundle.chunks()]).map(Chunk::bytes).sum();
        chunks + 4 * bundle.row_lengths.len() as u64
    }

    /// The largest error of a weight that rounding makes, relative to the largest weight of its
    /// target population and receptor: half a unit.
    pub const LARGEST_RELATIVE_ROUNDING: f64 = 0.5 / (scale::LARGEST_INTEGER / 2.0);
}
