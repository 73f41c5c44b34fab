//! Spikeloom's core: the network description, the compiled connectome, engines and recordings.
pub mod network;
