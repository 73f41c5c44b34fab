//! Keys of kept results: equal only where model, data and choices are equal.

use super::ConvertConfig;
use crate::data::Samples;
use crate::error::Error;
use crate::network_files::unreadable;
use std::path::Path;

/// FNV-1a.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn new() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn add(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The length keeps neighbouring texts apart.
        self.0 = (self.0 ^ bytes.len() as u64).wrapping_mul(0x0100_0000_01b3);
        self
    }

    pub(super) fn add_samples(mut self, samples: &Samples) -> Self {
        for value in &samples.values {
            self.0 = (self.0 ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
        for &label in &samples.labels {
            self.0 = (self.0 ^ label as u64).wrapping_mul(0x0100_0000_01b3);
        }
        self.add(&(samples.len() as u64).to_le_bytes())
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

/// The key of a conversion: the model's bytes, what it was calibrated on, and all choices.
pub(super) fn of_conversion(
    path: &Path,
    config: &ConvertConfig,
    samples: &Samples,
) -> Result<u64, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    // Where the samples lie does not matter, only what they are.
    let choices = ConvertConfig { calibrate: None, ..config.clone() };
    let digest = Digest::new()
        .add(env!("CARGO_PKG_VERSION").as_bytes())
        .add(&bytes)
        .add(format!("{choices:?}").as_bytes())
        .add_samples(samples);
    Ok(digest.value())
}
