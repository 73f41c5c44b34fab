//! From real numbers to the integers that a chip holds.
pub mod network;
