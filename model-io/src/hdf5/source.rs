//! The bytes of a file, with every read checked, and its superblock.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Hdf5Error, SIGNATURE};

/// "No address".
pub(super) const UNDEFINED: u64 = u64::MAX;
/// What to do about structures of newer library versions.
pub(super) const NEWER_FORMAT: &str =
    "which only newer HDF5 libraries write; rewrite the file with h5py's default `libver`";

/// Where a file's bytes are.
#[derive(Debug)]
enum Content {
    File(Mutex<File>),
    Bytes(Vec<u8>),
}

/// An open file; addresses are relative to its superblock.
#[derive(Debug)]
pub(super) struct Source {
    content: Content,
    /// The file's length in bytes.
    pub(super) size: u64,
    base: u64,
    /// Address of the root group's object header.
    pub(super) root: u64,
    /// Largest number of children of a node: symbols, groups, chunks.
    pub(super) fan_out: FanOut,
}

/// How wide the file's index nodes may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct FanOut {
    pub(super) symbols: usize,
    pub(super) groups: usize,
    pub(super) chunks: usize,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let opening =
            |e: std::io::Error| Hdf5Error::Open { path: path.to_owned(), reason: e.to_string() };
        let file = File::open(path).map_err(opening)?;
        let size = file.metadata().map_err(opening)?.len();
        Self::start(Content::File(Mutex::new(file)), size, path)
    }

    /// A file that is in memory already.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Result<Self, Hdf5Error> {
        let size = bytes.len() as u64;
        Self::start(Content::Bytes(bytes), size, Path::new("(in memory)"))
    }

    fn start(content: Content, size: u64, path: &Path) -> Result<Self, Hdf5Error> {
        let fan_out = FanOut { symbols: 8, groups: 32, chunks: 64 };
        let mut source = Self { content, size, base: 0, root: 0, fan_out };
        let Some(at) = source.find_signature() else {
            return Err(Hdf5Error::NotHdf5 { path: path.to_owned() });
        };
        source.read_superblock(at).map_err(|reason| {
            let reason = format!("its superblock is damaged: {reason}");
            Hdf5Error::Open { path: path.to_owned(), reason }
        })?;
        Ok(source)
    }

    /// The signature stands at 0, 512, 1024, 2048, …
    fn find_signature(&self) -> Option<u64> {
        let mut at = 0u64;
        while at < self.size {
            if self.read(at, 8).ok()? == SIGNATURE {
                return Some(at);
            }
            at = if at == 0 { 512 } else { at.checked_mul(2)? };
        }
        None
    }

    fn read_superblock(&mut self, at: u64) -> Result<(), String> {
        let length = (self.size - at).min(100) as usize;
        let bytes = self.read(at, length)?;
        let mut cursor = Cursor::new(&bytes);
        cursor.skip(8)?;
        let version = cursor.u8()?;
        let widths = match version {
            0 | 1 => {
                cursor.skip(4)?;
                let widths = [cursor.u8()?, cursor.u8()?];
                cursor.skip(1)?;
                self.fan_out.symbols = 2 * usize::from(cursor.u16()?);
                self.fan_out.groups = 2 * usize::from(cursor.u16()?);
                cursor.skip(4)?;
                if version == 1 {
                    self.fan_out.chunks = 2 * usize::from(cursor.u16()?);
                    cursor.skip(2)?;
                }
                widths
            }
            2 | 3 => {
                let widths = [cursor.u8()?, cursor.u8()?];
                cursor.skip(1)?;
                widths
            }
            other => return Err(format!("version {other} is unknown")),
        };
        if widths != [8, 8] {
            return Err("addresses and lengths are not 8 bytes wide".into());
        }
        self.base = cursor.u64()?;
        cursor.skip(8)?;
        let end = cursor.u64()?;
        if self.base > at || end > self.size {
            return Err(format!("it claims {end} bytes; the file has {}: truncated?", self.size));
        }
        // Versions 0 and 1 go on with the driver's address and the root's symbol table entry.
        cursor.skip(if version < 2 { 16 } else { 0 })?;
        self.root = cursor.u64()?;
        Ok(())
    }

    /// Reads bytes at an address, if they are inside the file.
    pub(super) fn read(&self, address: u64, length: usize) -> Result<Vec<u8>, String> {
        let start = address.checked_add(self.base);
        let end = start.and_then(|s| s.checked_add(length as u64));
        let (Some(start), Some(_)) = (start, end.filter(|&end| end <= self.size)) else {
            return Err(format!("{length} bytes at {address} are beyond the end of the file"));
        };
        let file = match &self.content {
            Content::File(file) => file,
            Content::Bytes(bytes) => {
                let part = bytes.get(start as usize..).and_then(|rest| rest.get(..length));
                return Ok(part.unwrap_or_default().to_vec());
            }
        };
        let mut bytes = vec![0; length];
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|e| e.to_string())?;
        Ok(bytes)
    }
}

/// Little-endian fields one after the other.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let field = rest.get(..length).ok_or("a structure ends early")?;
        self.at += length;
        Ok(field)
    }

    pub(super) fn skip(&mut self, length: usize) -> Result<(), String> {
        self.take(length).map(|_| ())
    }

    /// Moves to the next multiple of eight, or to the end.
    pub(super) fn align(&mut self) {
        self.at = self.at.next_multiple_of(8).min(self.bytes.len());
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// A number of one to eight bytes.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, String> {
        Ok(self.take(width)?.iter().rev().fold(0, |n, &byte| (n << 8) | u64::from(byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8, String> {
        Ok(self.number(1)? as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16, String> {
        Ok(self.number(2)? as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        Ok(self.number(4)? as u32)
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        self.number(8)
    }
}

/// A text of bytes that may be padded with zeros.
pub(super) fn text(bytes: &[u8]) -> Result<String, String> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8(bytes[..end].to_vec()).map_err(|_| "a text is not UTF-8".into())
}
