//! How many projections lie between the input and each layer, and what that makes of delays.

use crate::nir::Primitive;
use crate::nir::dialect::Convention;
use crate::nir::run::Flat;

use super::path::Path;

/// Depths of all nodes.
pub(super) struct Depths {
    depths: Vec<u64>,
    synapse_steps: u64,
    /// Steps that each node's spikes leave late.
    late: Vec<u64>,
    /// Whether late spikes reach loops in the step in which they leave.
    loops_direct: bool,
}

/// The longest way from the input to every layer; layers of one loop lie at one depth.
pub(super) fn depths(flat: &Flat, paths: &[Path], convention: &Convention) -> Depths {
    let mut depths = vec![0_u64; flat.nodes.len()];
    // Each round settles one more layer.
    for _ in 0..=2 * flat.nodes.len() {
        let mut changed = false;
        for path in paths {
            let behind = depths[path.source] + u64::from(!path.looped);
            if depths[path.target] < behind {
                depths[path.target] = behind;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let late = |(_, primitive): &(String, Primitive)| match primitive {
        Primitive::If(_) | Primitive::Lif(_) | Primitive::CubaLif(_) => {
            u64::from(convention.spike_steps)
        }
        _ => 0,
    };
    Depths {
        depths,
        synapse_steps: u64::from(convention.synapse_steps),
        late: flat.nodes.iter().map(late).collect(),
        loops_direct: convention.loops_direct,
    }
}

impl Depths {
    pub(super) fn of(&self, node: usize) -> u64 {
        self.depths.get(node).copied().unwrap_or(0)
    }

    /// Steps of a path besides its Delay nodes; at least one.
    pub(super) fn delay(&self, path: &Path) -> u64 {
        let late = self.late.get(path.source).copied().unwrap_or(0);
        let slow = late + self.synapse_steps * u64::from(path.linear);
        let (from, to) = (self.of(path.source), self.of(path.target));
        let steps = match path.looped {
            // A loop carries the previous step.
            true => u64::from(!(self.loops_direct && late > 0)),
            false => to - from.min(to),
        };
        // Slow synapses and late spikes come on top of the shift by depth.
        (steps + slow).max(1)
    }
}
