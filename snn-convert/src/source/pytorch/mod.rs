//! PyTorch `.pt` and `.pth` files: state dicts in the zip container of PyTorch 1.6 and later.
//!
//! The container holds `data.pkl`, a Python pickle, and one member of raw bytes a storage. Pickles
//! are programs; [`pickle`] is a machine that knows tensors and plain containers and nothing else,
//! so a file cannot make anything happen but a state dict.
//!
//! References: torch/serialization.py and torch/_utils.py of PyTorch 2.6 (formats only);
//! Python's pickletools (opcodes of protocols 0 to 5).

mod archive;
pub mod pickle;
mod state_dict;

use super::SourceError;
use super::weights::StateDict;

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
        return Err(SourceError::Kind {
            found: "a PyTorch file in the format from before version 1.6",
            help: "load it and save it again with `torch.save(torch.load(file, \
                   weights_only=True), new_file)`",
        });
    }
    let archive = archive::Archive::open(bytes)?;
    let objects = pickle::run(&archive.pickle)?;
    state_dict::collect(&objects, archive)
}

/// Whether bytes are a pickle that starts with the magic number of the old format.
pub fn is_legacy(bytes: &[u8]) -> bool {
    // PROTO 2, LONG1 of 10 bytes, 0x1950a86a20f9469cfc6c.
    bytes.starts_with(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
}

fn damaged(problem: impl Into<String>) -> SourceError {
    SourceError::Damaged { format: "PyTorch file", problem: problem.into() }
}
