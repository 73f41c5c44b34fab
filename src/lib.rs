//! Spikeloom's facade.
