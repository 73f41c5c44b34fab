//! PyTorch `.pt` and `.pth` files: state dicts in the zip container of PyTorch 1.6 and later, or in
//! the row of pickles of earlier versions (`legacy.rs`).
//!
//! The container holds `data.pkl`, a Python pickle, and one member of raw bytes a storage. Pickles
//! are programs; [`pickle`] is a machine that knows tensors and plain containers and nothing else,
//! so a file cannot make anything happen but a state dict.
//!
//! References: torch/serialization.py and torch/_utils.py of PyTorch 2.6 (formats only);
//! Python's pickletools (opcodes of protocols 0 to 5).

mod archive;
mod legacy;
pub mod pickle;
mod state_dict;

use super::SourceError;
use super::weights::StateDict;
pub use legacy::is_legacy;

/// Reads a state dict from the bytes of a file.
///
/// A checkpoint that holds a state dict under `state_dict`, `model_state_dict` or `model` is read
/// too.
///
/// # Errors
/// [`SourceError`]; anything but tensors and plain containers is
/// [`SourceError::ForbiddenGlobal`].
pub fn read(bytes: &[u8]) -> Result<StateDict, SourceError> {
    if is_legacy(bytes) {
        let (objects, storages) = legacy::open(bytes)?;
        return state_dict::collect(&objects, storages);
    }
    let archive = archive::Archive::open(bytes)?;
    let objects = pickle::run(&archive.pickle)?;
    state_dict::collect(&objects, archive)
}

/// Where the elements of storages come from.
trait Storages {
    /// The bytes of a storage.
    ///
    /// # Errors
    /// [`SourceError`] where it is missing or has fewer than the stated number of bytes.
    fn storage(&mut self, key: &str, bytes: u64) -> Result<Vec<u8>, SourceError>;

    /// Whether numbers are stored with the most significant byte first.
    fn is_big_endian(&self) -> bool;

    /// Bytes of the pickle that refers to them, at most.
    fn pickle_length(&self) -> u64;
}

fn damaged(problem: impl Into<String>) -> SourceError {
    SourceError::Damaged { format: "PyTorch file", problem: problem.into() }
}
