//! Projections: from the spikes of step t to the synaptic input of step t + 1 + delay.
//!
//! Work is done only for sources that spiked: each kind of connection keeps its weights by
//! source. The sums of one step and one delay are finished together, because Lava shifts the
//! *sum* (and the sum of each delay apart), and a flooring shift does not commute with adding.

use crate::{
    chip::ChipSpec,
    quantise::network::{Connection, DelaySteps, QuantisedProjection},
};

use super::{
    arithmetic::{keep_24_bits, keep_32_bits, shift_signed},
    error::ProjectionProblem,
    overflow::{OverflowCounter, OverflowKind},
    spikes::Spike,
};

pub mod check;
pub mod convolution;
pub mod delay;
pub mod dense;
pub mod sparse;

/// The two populations of a projection.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// Neurons of the source.
    pub sources: u32,
    /// Neurons of the target.
    pub targets: u32,
    /// Name of the source.
    pub source: &'a str,
    /// Name of the target.
    pub target: &'a str,
}

/// Sums of weights while a step is accumulated, `[position]` in the table's own order.
trait Sum: Copy {
    /// This sum with one more weight.
    fn plus(self, weight: i32, payload: i32) -> Self;
}

/// Plain spikes: the weight counts once. A table is only used so where no sum can overflow.
impl Sum for i32 {
    #[inline(always)]
    fn plus(self, weight: i32, _payload: i32) -> Self {
        self.wrapping_add(weight)
    }
}

/// Graded spikes, or more synapses than a 32-bit sum is safe for.
impl Sum for i64 {
    #[inline(always)]
    fn plus(self, weight: i32, payload: i32) -> Self {
        self.wrapping_add(i64::from(weight) * i64::from(payload))
    }
}

/// Sums of products of which only the low 32 bits are kept: Lava's `DelayDense` multiplies 32-bit
/// arrays before it sums them in 64.
#[derive(Debug, Clone, Copy)]
struct LowProducts(i64);

impl Sum for LowProducts {
    #[inline(always)]
    fn plus(self, weight: i32, payload: i32) -> Self {
        Self(self.0.wrapping_add(i64::from(weight.wrapping_mul(payload))))
    }
}

/// Payloads below this times any stored weight (9 bits) fit 32 bits.
const SAFE_PAYLOAD: u32 = 1 << 22;

/// Synapses kept by source.
pub(crate) trait SynapseTable: std::fmt::Debug + Send + Sync {
    /// Adds the weights of plain spikes; returns the synapses visited.
    fn add_plain(&self, spikes: &[Spike], sums: &mut [i32]) -> u64;

    /// Adds the weights times the payloads; returns the synapses visited.
    fn add_graded(&self, spikes: &[Spike], sums: &mut [i64]) -> u64;

    /// As [`Self::add_graded`] with the low 32 bits of every product.
    fn add_low_products(&self, spikes: &[Spike], sums: &mut [i64]) -> u64 {
        self.add_graded(spikes, sums)
    }

    /// A bound on the absolute sum of plain spikes of all sources.
    fn largest_plain_sum(&self) -> u64;

    /// Target neuron of each position; `None` where they are equal.
    fn targets_of_positions(&self) -> Option<&[u32]> {
        None
    }
}

/// How the sum of a step becomes input.
#[derive(Debug, Clone, Copy)]
enum Finish {
    /// Shift by the weight exponent, keep 32 bits.
    Shift {
        exponent: i8,
        /// Whether the sum is kept in 32 bits before it is shifted, too: numpy adds the products of
        /// 32-bit arrays in 32 bits, but Lava's `DelayDense` sums them in 64.
        narrow: bool,
    },
    /// Keep 24 bits (convolutions; Lava ignores their weight exponent). Lava sums them in floating
    /// point: beyond 32 bits the conversion gives -2^31, of whose low 24 bits none is set.
    Keep24,
}

#[derive(Debug)]
struct Branch {
    delay: usize,
    table: Box<dyn SynapseTable>,
}

/// A projection's synapses; immutable and shared by all copies of an emulator.
#[derive(Debug)]
pub struct ProjectionTable {
    /// Name of the projection, for reports.
    pub name: String,
    branches: Vec<Branch>,
    targets: usize,
    slots: usize,
    graded: bool,
    wide: bool,
    finish: Finish,
}

/// Sums under way and input that waits for its step.
#[derive(Debug, Clone)]
pub struct ProjectionState {
    narrow: Vec<i32>,
    wide: Vec<i64>,
    /// Input of the coming steps, `[slot][target]`; step t is in slot `t mod slots`.
    pending: Vec<Vec<i32>>,
    /// Whether anything was added to a slot since it was delivered.
    filled: Vec<bool>,
}

impl ProjectionTable {
    /// Sorts a projection's synapses by source, after checking every number.
    ///
    /// # Errors
    /// A [`ProjectionProblem`] for the first weight, delay or extent that cannot be held.
    pub fn new(
        projection: &QuantisedProjection,
        ends: Ends<'_>,
        chip: &ChipSpec,
    ) -> Result<Self, ProjectionProblem> {
        check::projection(projection, ends, chip)?;
        Ok(Self::unchecked(projection, ends))
    }

    /// As [`Self::new`] for a projection that [`check::projection`] has accepted.
    fn unchecked(projection: &QuantisedProjection, ends: Ends<'_>) -> Self {
        let connection = &projection.connection;
        let finish = match connection {
            Connection::Convolution { .. } => Finish::Keep24,
            Connection::Dense { weight_exponent, .. } => Finish::Shift {
                exponent: *weight_exponent,
                narrow: projection.delay == DelaySteps::One(0),
            },
            Connection::Sparse { weight_exponent, .. } => {
                Finish::Shift { exponent: *weight_exponent, narrow: true }
            }
        };
        let branches: Vec<_> = match &projection.delay {
            DelaySteps::One(delay) => {
                vec![Branch { delay: usize::from(*delay), table: table(connection, ends) }]
            }
            DelaySteps::PerSynapse(delays) => delay::split(connection, delays, ends)
                .into_iter()
                .map(|(delay, table)| Branch { delay: usize::from(delay), table })
                .collect(),
        };
        let graded = projection.message_bits > 0;
        let bound = branches.iter().map(|b| b.table.largest_plain_sum()).max().unwrap_or(0);
        Self {
            name: projection.name.clone(),
            targets: ends.targets as usize,
            slots: branches.iter().map(|branch| branch.delay).max().unwrap_or(0) + 1,
            branches,
            graded,
            wide: graded || bound > i32::MAX as u64,
            finish,
        }
    }

    /// Fresh state with nothing under way.
    pub fn state(&self) -> ProjectionState {
        let (narrow, wide) = if self.wide { (0, self.targets) } else { (self.targets, 0) };
        ProjectionState {
            narrow: vec![0; narrow],
            wide: vec![0; wide],
            pending: vec![vec![0; self.targets]; self.slots],
            filled: vec![false; self.slots],
        }
    }

    /// Adds the input of step `time` to `input` `[targets]` and forgets it.
    ///
    /// Returns the first target whose 32-bit sum overflowed while `input` was added to.
    pub fn deliver(&self, state: &mut ProjectionState, time: u64, input: &mut [i32]) -> Vec<usize> {
        let slot = slot(time, self.slots);
        let mut overflowed = Vec::new();
        if let (Some(pending), Some(filled)) =
            (state.pending.get_mut(slot), state.filled.get_mut(slot))
            && *filled
        {
            for (target, (sum, waiting)) in input.iter_mut().zip(pending.iter_mut()).enumerate() {
                let (added, overflow) = sum.overflowing_add(*waiting);
                (*sum, *waiting) = (added, 0);
                if overflow {
                    overflowed.push(target);
                }
            }
            *filled = false;
        }
        overflowed
    }

    /// Takes the spikes of step `time` to the steps in which they arrive; returns the synapses
    /// visited.
    pub fn accumulate(
        &self,
        state: &mut ProjectionState,
        time: u64,
        spikes: &[Spike],
        overflows: &mut OverflowCounter,
    ) -> u64 {
        if spikes.is_empty() {
            return 0;
        }
        let mut visited = 0;
        for branch in &self.branches {
            let arrival = slot(time.wrapping_add(1 + branch.delay as u64), self.slots);
            let ProjectionState { narrow, wide, pending, filled } = state;
            let (Some(pending), Some(filled)) = (pending.get_mut(arrival), filled.get_mut(arrival))
            else {
                continue;
            };
            *filled = true;
            let positions = branch.table.targets_of_positions();
            visited += if self.graded && self.wraps_products(spikes) {
                let mut exact = wide.clone();
                branch.table.add_graded(spikes, &mut exact);
                let visited = branch.table.add_low_products(spikes, wide);
                let sums = wide.iter().zip(&exact).enumerate();
                for (place, _) in sums.filter(|(_, (low, exact))| low != exact) {
                    let target = positions
                        .map_or(Some(place), |all| all.get(place).map(|&target| target as usize));
                    overflows.record(OverflowKind::SynapticSum, time, target.unwrap_or(place));
                }
                self.flush(wide, positions, pending, time, overflows);
                visited
            } else if self.graded {
                let visited = branch.table.add_graded(spikes, wide);
                self.flush(wide, positions, pending, time, overflows);
                visited
            } else if self.wide {
                // A plain spike is any non-zero one; it counts once whatever it carries.
                let plain: Vec<_> = spikes.iter().map(|s| Spike::plain(s.neuron)).collect();
                let visited = branch.table.add_graded(&plain, wide);
                self.flush(wide, positions, pending, time, overflows);
                visited
            } else {
                let visited = branch.table.add_plain(spikes, narrow);
                self.flush(narrow, positions, pending, time, overflows);
                visited
            };
        }
        visited
    }

    /// Whether Lava keeps 32 bits of products that may be longer.
    fn wraps_products(&self, spikes: &[Spike]) -> bool {
        matches!(self.finish, Finish::Shift { narrow: false, .. })
            && spikes.iter().any(|spike| spike.payload.unsigned_abs() >= SAFE_PAYLOAD)
    }

    /// As [`Self::accumulate`] with weights that the table does not hold: `add` adds them to the
    /// sums of the targets and returns the synapses visited.
    pub(crate) fn accumulate_sums(
        &self,
        state: &mut ProjectionState,
        time: u64,
        overflows: &mut OverflowCounter,
        add: impl FnOnce(&mut [i64]) -> u64,
    ) -> u64 {
        let arrival = slot(time.wrapping_add(1), self.slots);
        let ProjectionState { wide, pending, filled, .. } = state;
        let (Some(pending), Some(filled)) = (pending.get_mut(arrival), filled.get_mut(arrival))
        else {
            return 0;
        };
        *filled = true;
        wide.resize(self.targets, 0);
        let visited = add(wide);
        self.flush(wide, None, pending, time, overflows);
        visited
    }

    /// Finishes the sums of one step and adds them to the input that waits for their step.
    fn flush<S: Copy + Default + Into<i64>>(
        &self,
        sums: &mut [S],
        positions: Option<&[u32]>,
        pending: &mut [i32],
        time: u64,
        overflows: &mut OverflowCounter,
    ) {
        let mut add = |target: usize, sum: i64| {
            let Some(waiting) = pending.get_mut(target) else { return };
            let (finished, exact, kind) = match self.finish {
                Finish::Shift { exponent, narrow } => {
                    let held = if narrow { keep_32_bits(sum).into() } else { sum };
                    let exact = shift_signed(sum, exponent);
                    let finished = keep_32_bits(shift_signed(held, exponent));
                    (finished, exact, OverflowKind::SynapticSum)
                }
                Finish::Keep24 => {
                    let held = i32::try_from(sum).map_or(0, |sum| keep_24_bits(sum.into()));
                    (held, sum, OverflowKind::ConvolutionSum)
                }
            };
            if i64::from(finished) != exact {
                overflows.record(kind, time, target);
            }
            let (added, overflow) = waiting.overflowing_add(finished);
            *waiting = added;
            if overflow {
                overflows.record(OverflowKind::SynapticSum, time, target);
            }
        };
        match positions {
            None => {
                for (target, sum) in sums.iter_mut().enumerate() {
                    add(target, std::mem::take(sum).into());
                }
            }
            Some(targets) => {
                for (&target, sum) in targets.iter().zip(sums.iter_mut()) {
                    add(target as usize, std::mem::take(sum).into());
                }
            }
        }
    }
}

impl ProjectionState {
    /// Forgets everything that is under way.
    pub fn clear(&mut self) {
        self.narrow.fill(0);
        self.wide.fill(0);
        for slot in &mut self.pending {
            slot.fill(0);
        }
        self.filled.fill(false);
    }
}

fn slot(time: u64, slots: usize) -> usize {
    (time % slots.max(1) as u64) as usize
}

fn table(connection: &Connection, ends: Ends<'_>) -> Box<dyn SynapseTable> {
    match connection {
        Connection::Dense { weights, .. } => Box::new(dense::DenseTable::new(weights, ends)),
        Connection::Sparse { targets, sources, weights, .. } => {
            Box::new(sparse::SparseTable::new(targets, sources, weights, ends.sources))
        }
        Connection::Convolution { geometry, weights } => {
            Box::new(convolution::ConvolutionTable::new(*geometry, weights))
        }
    }
}
