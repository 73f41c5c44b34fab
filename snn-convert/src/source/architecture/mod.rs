//! How the tensors of a state dict belong together: a small file in TOML, or a guess.
//!
//! The file lists the layers in order, each with the names of its tensors; the format is in
//! `docs/architecture_files.md`. Where there is no such file, [`guess`] finds a sequence of layers
//! that fits the tensors' names and shapes; a guess must be confirmed by whoever knows the network.

mod build;
mod guess;
mod parse;
mod print;

pub use build::build;
pub use guess::{Guess, guess};
pub use parse::parse;

/// A network's layers and the shape of its input.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Extents of one sample, such as `[1, 28, 28]`; may be left to whoever loads the model.
    pub input: Option<Vec<usize>>,
    /// The layers in order.
    pub layers: Vec<Layer>,
    /// Tensors that no layer uses; a `*` at the end stands for anything.
    pub ignore: Vec<String>,
}

/// Stride, padding, … of a convolution or pooling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Extents of a pooling's window; those of a convolution are its weight's.
    pub kernel: [usize; 2],
    /// Step of the window.
    pub stride: [usize; 2],
    /// Cells around the input.
    pub padding: Padding,
    /// Distance of neighbouring cells of the window.
    pub dilation: [usize; 2],
}

/// Cells around the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// `[top, left, bottom, right]`.
    Cells([usize; 4]),
    /// As many as keep the extents at a stride of 1, the odd one at the end.
    Same,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A convolution over a picture or a sequence.
    Convolution {
        /// Its tensors are `<tensors>.weight` and perhaps `<tensors>.bias`.
        tensors: String,
        /// Stride, padding, dilation.
        geometry: Geometry,
        /// Independent groups of channels.
        groups: usize,
    },
    /// A dense layer with `<tensors>.weight` and perhaps `<tensors>.bias`.
    Linear {
        /// Prefix of its tensors.
        tensors: String,
    },
    /// Batch normalisation with `weight`, `bias`, `running_mean`, `running_var`.
    BatchNorm {
        /// Prefix of its tensors.
        tensors: String,
        /// Keeps the root away from zero.
        epsilon: f32,
    },
    /// max(x, 0).
    Relu,
    /// A clip, such as ReLU6.
    Clip {
        /// Lower and upper limit.
        limits: [f32; 2],
    },
    /// A ReLU with a slope for negative values.
    LeakyRelu {
        /// The slope.
        slope: f32,
    },
    /// A ReLU with trained slopes `<tensors>.weight`.
    ParametricRelu {
        /// Prefix of its tensor.
        tensors: String,
    },
    /// Maximum over a window.
    MaxPool {
        /// The window.
        geometry: Geometry,
        /// Whether a last window may reach beyond the end.
        ceil_mode: bool,
    },
    /// Mean over a window.
    AveragePool {
        /// The window.
        geometry: Geometry,
        /// Whether a last window may reach beyond the end.
        ceil_mode: bool,
        /// Whether padding counts as zeros.
        count_include_pad: bool,
    },
    /// Mean over all pixels, as a list of channels.
    GlobalAveragePool,
    /// All values as a list.
    Flatten,
    /// Other extents.
    Reshape {
        /// The new extents.
        shape: Vec<usize>,
    },
    /// Zeros around a picture or sequence.
    Pad {
        /// `[top, left, bottom, right]`.
        cells: [usize; 4],
    },
    /// Nothing in a finished network.
    Dropout,
    /// Probabilities.
    Softmax,
    /// Logarithms of probabilities.
    LogSoftmax,
    /// Each score as a probability.
    Sigmoid,
    /// The sum of what two branches make of the same input.
    Residual {
        /// The first branch.
        body: Vec<Layer>,
        /// The second; empty for the input itself.
        shortcut: Vec<Layer>,
    },
    /// What several branches make of the same input, side by side as channels.
    Concat {
        /// The branches.
        branches: Vec<Vec<Layer>>,
    },
}

/// The names of the kinds of layers in files: one line a kind.
pub static KINDS: &[&str] = &[
    "conv",
    "linear",
    "batch_norm",
    "relu",
    "relu6",
    "clip",
    "leaky_relu",
    "prelu",
    "max_pool",
    "avg_pool",
    "global_avg_pool",
    "flatten",
    "reshape",
    "pad",
    "dropout",
    "identity",
    "softmax",
    "log_softmax",
    "sigmoid",
    "residual",
    "concat",
];
