//! Checkpoint files.
//!
//! # Layout
//! All numbers are little-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | the signature [`SIGNATURE`] |
//! | 4 | version of the layout, [`LAYOUT`] |
//! | 4 | CRC-32 of the header |
//! | 8 | length of the header |
//! | so many | the header, in the wire format of bincode 1.3: what the checkpoint fits, its seed and time, facts for people, and a table of sections (name, type, number of elements, CRC-32) |
//! | the rest | the sections, raw, in the order of the table |
//!
//! The file must be exactly as long as its table says; every checksum is compared. So a truncated or
//! damaged checkpoint is refused with its reason before anything is made of it, and no memory is
//! asked for that the file's own length does not cover.

mod wire;

pub(crate) use wire::{Framed, decode, encode, header_bytes, read_header};

use crate::atomic::{AtomicWriteError, write_atomically};
use sim_core::checkpoint::{Checkpoint, Identity, Numbers, Section};
use sim_core::network::NetworkHash;
use sim_core::time::Time;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// The first bytes of a checkpoint. The first is no text, and a change of line ends breaks it.
pub const SIGNATURE: [u8; 8] = *b"\x93LoomCP\n";

/// The version of the layout that is written and read.
pub const LAYOUT: u32 = 1;

/// Facts for people: pairs of (what, value), such as the name of the network.
pub type Facts = Vec<(String, String)>;

/// Why a checkpoint file was not read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFileError {
    /// The system refused.
    #[error("{0}")]
    System(#[from] io::Error),
    /// It is something else.
    #[error("it does not begin as a checkpoint does")]
    NoCheckpoint,
    /// It has another layout.
    #[error("its layout has version {found}, this program reads version {known}")]
    Layout {
        /// The version in the file.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// It ends too early, or too late.
    #[error("it has {found} bytes and should have {expected}: it was not written to its end")]
    Length {
        /// Bytes of the file.
        found: u64,
        /// Bytes that its header asks for.
        expected: u64,
    },
    /// A checksum differs, or the header says what cannot be.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// The header or a section.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// A section in the header's table: name, type, elements, CRC-32.
type Entry = (String, String, u64, u32);

/// The header as it lies in the file: (engine, network, version, narrow populations), (seed, time),
/// facts, table.
type Header = ((String, u128, String, Vec<bool>), (u64, i64), Facts, Vec<Entry>);

/// Runs a call with the elements of a section.
macro_rules! with_elements {
    ($numbers:expr, $n:ident => $call:expr) => {
        match $numbers {
            Numbers::F64($n) => $call,
            Numbers::F32($n) => $call,
            Numbers::U32($n) => $call,
            Numbers::U64($n) => $call,
            Numbers::I64($n) => $call,
            Numbers::I32($n) => $call,
        }
    };
}

/// Hands the bytes of a section to `take`, piece by piece.
fn each_piece(numbers: &Numbers, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    const ELEMENTS: usize = 1 << 13;
    let mut bytes = Vec::with_capacity(8 * ELEMENTS);
    with_elements!(numbers, elements => for piece in elements.chunks(ELEMENTS) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|element| element.to_le_bytes()));
        take(&bytes)?;
    });
    Ok(())
}

fn width(numbers: &Numbers) -> u64 {
    match numbers {
        Numbers::F64(_) | Numbers::U64(_) | Numbers::I64(_) => 8,
        Numbers::F32(_) | Numbers::U32(_) | Numbers::I32(_) => 4,
    }
}

/// Writes a checkpoint.
///
/// # Errors
/// That of the writer.
pub fn write(checkpoint: &Checkpoint, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let entry = |section: &Section| -> io::Result<Entry> {
        let mut crc = crc32fast::Hasher::new();
        each_piece(&section.numbers, |bytes| {
            crc.update(bytes);
            Ok(())
        })?;
        let (kind, count) = (section.numbers.type_name(), section.numbers.len() as u64);
        Ok((section.name.clone(), kind.to_string(), count, crc.finalize()))
    };
    let table = checkpoint.sections.iter().map(entry).collect::<io::Result<Vec<Entry>>>()?;
    let Identity { engine, network, version, narrow } = checkpoint.identity.clone();
    let header: Header = (
        (engine, network.0, version, narrow),
        (checkpoint.seed, checkpoint.time.0),
        facts.clone(),
        table,
    );
    out.write_all(&header_bytes(&SIGNATURE, LAYOUT, &encode(&header)?))?;
    for section in &checkpoint.sections {
        each_piece(&section.numbers, |bytes| out.write_all(bytes))?;
    }
    Ok(())
}

/// Writes a checkpoint file so that `path` holds, at every moment, either this checkpoint or what it
/// held before, whole.
///
/// # Errors
/// [`AtomicWriteError`].
pub fn write_file(
    checkpoint: &Checkpoint,
    facts: &Facts,
    path: &Path,
) -> Result<(), AtomicWriteError<io::Error>> {
    write_atomically(path, true, |temporary| {
        let mut out = BufWriter::new(File::create(temporary)?);
        write(checkpoint, facts, &mut out)?;
        out.flush()
    })
}

/// Reads a checkpoint file.
///
/// # Errors
/// [`CheckpointFileError`].
pub fn read_file(path: &Path) -> Result<(Checkpoint, Facts), CheckpointFileError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    read(&mut BufReader::new(file), length)
}

/// Reads a checkpoint of `length` bytes.
///
/// # Errors
/// [`CheckpointFileError`].
pub fn read(input: &mut dyn Read, length: u64) -> Result<(Checkpoint, Facts), CheckpointFileError> {
    let Framed { content, end } = read_header(input, length, &SIGNATURE, LAYOUT)?;
    let header: Header = wire::decode(&content)?;
    let ((engine, network, version, narrow), (seed, time), facts, table) = header;
    let mut expected = Some(end);
    for (name, kind, count, _) in &table {
        let bytes = empty(name, kind).map(|numbers| width(&numbers))?.checked_mul(*count);
        expected = expected.zip(bytes).and_then(|(sum, bytes)| sum.checked_add(bytes));
    }
    let expected = expected.unwrap_or(u64::MAX);
    if length != expected {
        return Err(CheckpointFileError::Length { found: length, expected });
    }
    let identity = Identity { engine, network: NetworkHash(network), version, narrow };
    let sections = Vec::with_capacity(table.len());
    let mut checkpoint = Checkpoint { identity, seed, time: Time(time), sections };
    for (name, kind, count, crc) in table {
        let mut numbers = empty(&name, &kind)?;
        let mut found = crc32fast::Hasher::new();
        read_section(input, &mut numbers, count, &mut found)?;
        if found.finalize() != crc {
            let reason = "its checksum differs".to_string();
            return Err(CheckpointFileError::Damaged {
                place: format!("section `{name}`"),
                reason,
            });
        }
        checkpoint.sections.push(Section { name, numbers });
    }
    Ok((checkpoint, facts))
}

/// A section of this type without elements.
fn empty(name: &str, kind: &str) -> Result<Numbers, CheckpointFileError> {
    Ok(match kind {
        "f8" => Numbers::F64(Vec::new()),
        "f4" => Numbers::F32(Vec::new()),
        "u4" => Numbers::U32(Vec::new()),
        "u8" => Numbers::U64(Vec::new()),
        "i8" => Numbers::I64(Vec::new()),
        "i4" => Numbers::I32(Vec::new()),
        other => {
            let place = format!("section `{name:.60}`");
            let reason = format!("its type is `{other:.20}`; known: f4, f8, i4, i8, u4, u8");
            return Err(CheckpointFileError::Damaged { place, reason });
        }
    })
}

/// Reads so many elements, piece by piece, so that memory grows with what is really there.
fn read_section(
    input: &mut dyn Read,
    numbers: &mut Numbers,
    count: u64,
    crc: &mut crc32fast::Hasher,
) -> io::Result<()> {
    const BYTES: u64 = 1 << 16;
    let mut left = width(numbers) * count;
    let mut bytes = Vec::new();
    while left > 0 {
        bytes.resize(left.min(BYTES) as usize, 0);
        input.read_exact(&mut bytes)?;
        crc.update(&bytes);
        wire::extend(numbers, &bytes);
        left -= bytes.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
