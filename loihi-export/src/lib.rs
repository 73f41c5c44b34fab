//! Spikeloom for Loihi-class chips: quantiser, fixed-point emulator, mapper, budget and exports.
pub mod budget;
pub mod check;
pub mod chip;
pub mod emulator;
pub mod energy;
pub mod export;
pub mod mapping;
pub mod metrics;
pub mod partition;
pub mod place;
pub mod quantise;
pub mod recorded;
pub mod route;
pub mod sweep;
