//! Spikeloom's core: the network description, the compiled connectome, engines and recordings.
pub mod checkpoint;
pub mod connectivity;
pub mod connectome;
pub mod diagnostics;
pub mod distribution;
pub mod engine;
pub mod network;
pub mod neuron;
pub mod random;
pub mod recording;
pub mod stimulus;
pub mod synapse;
pub mod tagged;
pub mod time;
pub mod units;
