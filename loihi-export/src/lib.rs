//! Spikeloom for Loihi-class chips: quantiser, fixed-point emulator, mapper, budget and exports.
pub mod quantise;
