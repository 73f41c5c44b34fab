//! Generators, reference simulators and closed forms for Spikeloom's tests
