//! From real numbers to the integers that a chip holds.

pub mod coding;
pub mod float_to_fixed;
pub mod from_network;
pub mod grid;
pub mod layer;
pub mod network;
mod neurons;
pub mod scale;
mod synapses;

pub use from_network::{QuantiseConfig, QuantiseError, Quantised, quantise};
