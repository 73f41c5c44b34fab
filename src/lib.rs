//! Spikeloom's facade.
pub use {loihi_export, model_io, sim_core, snn_convert};
