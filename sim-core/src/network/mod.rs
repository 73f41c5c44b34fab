//! The description of a network.
pub mod convolution;
pub mod shape;

pub use convolution::{Convolution, ConvolutionSynapse};
pub use shape::Shape;
