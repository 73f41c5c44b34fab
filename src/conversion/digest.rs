//! Keys of kept results: equal only where model, data and choices are equal.

use super::ConvertConfig;
use crate::data::{Samples, folder};
use crate::error::Error;
use crate::network_files::unreadable;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that are read together, a multiple of eight.
const PIECE: u64 = 1 << 16;

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

    /// Adds what a file, or every picture of a folder, holds; memory is that of a piece.
    pub(super) fn add_contents(mut self, path: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| unreadable(path, &error);
        if path.is_dir() {
            for file in folder::files(path)? {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self = self.add(name.as_bytes()).add_contents(&file)?;
            }
            return Ok(self);
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut piece = Vec::with_capacity(PIECE as usize);
        loop {
            piece.clear();
            file.by_ref().take(PIECE).read_to_end(&mut piece).map_err(failed)?;
            let (words, rest) = piece.as_chunks::<8>();
            for &word in words {
                let word = u64::from_le_bytes(word);
                self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
            }
            self = self.add(rest);
            if (piece.len() as u64) < PIECE {
                return Ok(self);
            }
        }
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
