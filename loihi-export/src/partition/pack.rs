//! Giving slices to logical cores.

use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::Usage;

/// How far back a slice may look for a core with room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookBack {
    /// A core of its own for each slice.
    None,
    /// The last opened core only, which keeps neighbours in the network together.
    LastCore,
    /// All cores, first to last.
    AllCores,
}

/// Fills in the core of each slice, given with what it takes; each alone must fit a core.
pub(super) fn pack(
    limits: &CoreLimits,
    (mut slices, usage): (Vec<Slice>, Vec<Usage>),
    look_back: LookBack,
) -> Vec<Slice> {
    let mut cores: Vec<Usage> = Vec::new();
    for (slice, taken) in slices.iter_mut().zip(&usage) {
        let oldest = match look_back {
            LookBack::None => cores.len(),
            LookBack::LastCore => cores.len().saturating_sub(1),
            LookBack::AllCores => 0,
        };
        let room = |core: &usize| cores[*core].plus(taken).exceeds(limits).is_none();
        let core = (oldest..cores.len()).find(room).unwrap_or(cores.len());
        match cores.get_mut(core) {
            Some(used) => *used = used.plus(taken),
            None => cores.push(*taken),
        }
        slice.core = u32::try_from(core).unwrap_or(u32::MAX - 1);
    }
    slices
}
