//! Spikeloom's converter from trained networks to spiking ones
