//! What checkpoints and recordings in progress share: a signature, a version, and a header in the wire
//! format of bincode 1.3 with its length and checksum.

use super::CheckpointFileError;
use sim_core::checkpoint::Numbers;
use std::io::{self, Read};
use wincode::{SchemaReadOwned, SchemaWrite};

/// Bytes before a header.
const PREFIX: u64 = 24;

/// Headers longer than this are damaged.
const MOST_HEADER: u64 = 1 << 26;

/// A header's bytes, and where it ends.
pub(crate) struct Framed {
    pub(crate) content: Vec<u8>,
    pub(crate) end: u64,
}

/// A header's content in the wire format of bincode 1.3.
///
/// # Errors
/// Where it is too large.
pub(crate) fn encode<T>(header: &T) -> io::Result<Vec<u8>>
where
    T: SchemaWrite<wincode::config::DefaultConfig, Src = T>,
{
    wincode::serialize(header).map_err(io::Error::other)
}

/// The header of such bytes.
///
/// # Errors
/// [`CheckpointFileError::Damaged`].
pub(crate) fn decode<T>(content: &[u8]) -> Result<T, CheckpointFileError>
where
    T: SchemaReadOwned<wincode::config::DefaultConfig, Dst = T>,
{
    wincode::deserialize_exact(content).map_err(|error| damaged(error.to_string()))
}

fn damaged(reason: String) -> CheckpointFileError {
    CheckpointFileError::Damaged { place: "the header".to_string(), reason }
}

/// The beginning of a file: signature, version, and the header with its checksum and length.
pub(crate) fn header_bytes(signature: &[u8; 8], layout: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX as usize + content.len());
    bytes.extend_from_slice(signature);
    bytes.extend_from_slice(&layout.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// Reads what [`header_bytes`] writes from a file of `length` bytes.
///
/// # Errors
/// [`CheckpointFileError`].
pub(crate) fn read_header(
    input: &mut dyn Read,
    length: u64,
    signature: &[u8; 8],
    layout: u32,
) -> Result<Framed, CheckpointFileError> {
    let mut prefix = [0; PREFIX as usize];
    let mut begun = Vec::new();
    Read::take(&mut *input, PREFIX).read_to_end(&mut begun)?;
    let same = begun.len().min(signature.len());
    if begun.is_empty() || begun[..same] != signature[..same] {
        return Err(CheckpointFileError::NoCheckpoint);
    }
    if begun.len() < prefix.len() {
        return Err(CheckpointFileError::Length { found: begun.len() as u64, expected: PREFIX });
    }
    prefix.copy_from_slice(&begun);
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| prefix[at + byte]));
    let (found, crc) = (word(8), word(12));
    if found != layout {
        return Err(CheckpointFileError::Layout { found, known: layout });
    }
    let size = u64::from(word(16)) | u64::from(word(20)) << 32;
    if size > MOST_HEADER {
        return Err(damaged(format!("it claims {size} bytes")));
    }
    let end = PREFIX + size;
    if end > length {
        return Err(CheckpointFileError::Length { found: length, expected: end });
    }
    let mut content = vec![0; size as usize];
    input.read_exact(&mut content)?;
    match crc32fast::hash(&content) == crc {
        true => Ok(Framed { content, end }),
        false => Err(damaged("its checksum differs".to_string())),
    }
}

/// Appends the elements of whole little-endian bytes.
pub(crate) fn extend(numbers: &mut Numbers, bytes: &[u8]) {
    macro_rules! each {
        ($vector:expr, $type:ty) => {{
            const WIDTH: usize = size_of::<$type>();
            let (elements, _) = bytes.as_chunks::<WIDTH>();
            $vector.extend(elements.iter().map(|bytes| <$type>::from_le_bytes(*bytes)));
        }};
    }
    match numbers {
        Numbers::F64(n) => each!(n, f64),
        Numbers::F32(n) => each!(n, f32),
        Numbers::U32(n) => each!(n, u32),
        Numbers::U64(n) => each!(n, u64),
        Numbers::I64(n) => each!(n, i64),
        Numbers::I32(n) => each!(n, i32),
    }
}
