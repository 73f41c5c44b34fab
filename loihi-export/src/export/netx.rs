//! Lava-DL's netx file (`.net`, HDF5): a chain of dense, recurrent and convolution layers of
//! integrate-and-fire neurons (CUBA), sigma-delta neurons (SDNN) or resonators (RF).
//!
//! netx reads a file without checking it: layers of unknown types are skipped, weights beyond the
//! range silently become 0, delays beyond 62 are clamped, all-zero layers crash it. So a network is
//! first checked by [`plan`], which returns every violation with its remedy, and only a plan can be
//! written. What is written makes netx compute the spikes of our emulator; layer k's spikes
//! leave k steps later than with delay-free layers, as every synapse takes one step.
//!
//! Source: the parser of lava-dl 0.6.0 (`netx/hdf5.py`, `netx/utils.py`) as it behaves.

mod geometry;
mod guard;
mod neurons;
mod read;
mod runnable;
mod synapses;
mod weights;
mod write;

use model_io::array::Array;
use model_io::atomic::AtomicWriteError;
use model_io::hdf5::Hdf5Error;

pub use guard::plan;
pub use read::{NetxConvolution, NetxLayer, NetxNeuron, read_netx_layers};
pub use runnable::{NetxNetwork, NetxOptions, read_netx_network};
pub use write::write_netx;

/// Layer types that netx 0.6.0 builds; all others it skips or refuses.
pub const BUILT_TYPES: [&str; 5] = ["input", "flatten", "dense", "dense_rec", "conv"];
/// The largest additional delay that netx keeps; larger ones it clamps.
pub const LARGEST_DELAY: u8 = 62;
/// Weights of a convolution that a chip stores; Lava multiplies others as they are, too.
const KERNEL_RANGE: std::ops::RangeInclusive<i64> = -256..=255;
/// netx gives every bias this exponent, the unit of the weights.
pub const BIAS_EXPONENT: u32 = 6;
/// netx gives SDNN neurons and resonators this many fractional bits of the state.
const STATE_EXPONENT: i64 = 6;
/// netx gives the spikes of SDNN neurons this many fractional bits, unless told otherwise.
const SPIKE_EXPONENT: u8 = 6;
/// Fractional bits of a resonator's decays.
const DECAY_BITS: i64 = 12;
/// Bits of a graded spike of SDNN neurons.
const GRADED_BITS: u8 = 16;

/// A network that netx runs exactly: the layers of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct NetxPlan {
    /// Name of the network.
    pub network: String,
    /// Name of the chip that its numbers were made for.
    pub chip: String,
    /// Layers in the order of the file.
    pub layers: Vec<PlannedLayer>,
}

/// A layer of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum PlannedLayer {
    /// States the extents of the input, `[channels, height, width]` or `[neurons]`.
    Input {
        /// The extents.
        shape: Vec<u32>,
        /// Neurons that the input itself drives; none where spikes are injected.
        neuron: Option<PlannedNeuron>,
    },
    /// The next dense layer sees the picture in the order channel, row, column.
    Flatten {
        /// Neurons of the picture.
        size: u32,
    },
    /// Every neuron of the layer before reaches every neuron.
    Dense {
        /// Weights `[out, in]` before netx codes them; the real parts where resonators follow.
        weights: Vec<i64>,
        /// Imaginary parts `[out, in]` where resonators follow; empty for other neurons.
        imaginary: Vec<i64>,
        /// Weights of the layer on itself `[out, out]`; empty for none.
        recurrent: Vec<i64>,
        /// Neurons before and in the layer.
        sources: u32,
        /// Neurons in the layer.
        neurons: u32,
        /// Additional delays: none, one for all, or `[out, in]`.
        delays: Vec<u8>,
        /// Bias of each neuron; empty for none.
        bias: Vec<i64>,
        /// The neurons.
        neuron: PlannedNeuron,
    },
    /// Shared kernels.
    Conv {
        /// Kernels `[out, in / groups, height, width]`.
        weights: Vec<i64>,
        /// Their extents and how they move.
        geometry: sim_core::network::Convolution,
        /// Bias of each channel; empty for none.
        bias: Vec<i64>,
        /// The neurons.
        neuron: PlannedNeuron,
    },
}

/// The neurons of a layer as the file states them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlannedNeuron {
    /// Integrate-and-fire: `CUBA`.
    Lif(LifNumbers),
    /// Resonate-and-fire: `RF_PHASE`, or `RF_IZHIKEVICH` with reset.
    Resonator {
        /// Whether they spike where their phase passes zero (and do not reset).
        is_phase: bool,
        /// `sinDecay` and `cosDecay`; between the whole numbers, so that netx's cut gives the
        /// wanted ones whatever its functions' last bits are.
        decays: [f64; 2],
        /// `vThMant`; the state's threshold over 2^6.
        threshold: f64,
    },
    /// Sigma-delta (`SDNN`): Delta in an input layer, SigmaDelta in others.
    SigmaDelta {
        /// `vThMant`; the state's threshold over 2^12.
        threshold: f64,
    },
    /// `SDNN` with `sigma_output`: sends its sum in every step.
    Sigma,
}

/// The numbers of a CUBA neuron as the file states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifNumbers {
    /// `iDecay` = du + 1, 1 to 4096.
    pub current_decay: i64,
    /// `vDecay` = dv, 0 to 4096.
    pub voltage_decay: i64,
    /// `vThMant` = vth, 1 to 131071.
    pub threshold: i64,
}

/// Something of a network that netx cannot run as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetxViolation {
    /// Stable name of the rule.
    pub rule: &'static str,
    /// The population or projection.
    pub place: String,
    /// What is there, and what netx would do or allows.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl std::fmt::Display for NetxViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} [{}]; {}", self.place, self.problem, self.rule, self.remedy)
    }
}

/// Why a netx file was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum NetxError {
    /// The network breaks rules of the format; all of them are listed.
    #[error("netx cannot run this network:\n{}", list(.0))]
    Violations(Vec<NetxViolation>),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] AtomicWriteError<Hdf5Error>),
    /// The file is damaged.
    #[error(transparent)]
    Container(#[from] Hdf5Error),
    /// A layer contradicts itself.
    #[error("{place}: {reason}")]
    Layer {
        /// Path inside the file.
        place: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

fn list(violations: &[NetxViolation]) -> String {
    violations.iter().map(|v| format!("  {v}")).collect::<Vec<_>>().join("\n")
}

/// Integers as the array that netx reads.
fn integers(shape: Vec<usize>, values: &[i64]) -> Array {
    Array { shape, values: values.to_vec().into() }
}

#[cfg(test)]
mod tests;
