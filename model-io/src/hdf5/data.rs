//! The elements of an array: compact, contiguous, or in chunks with filters (file format, III.A.1,
//! IV.A.2.i, IV.A.2.l).

use std::collections::HashSet;
use std::io::Read;

use super::MAXIMUM_ARRAY_BYTES;
use super::element::{Element, extents};
use super::header::{DATASPACE, DATATYPE, EXTERNAL_FILES, FILL_VALUE, FILTERS, Header, LAYOUT};
use super::links::tree_node;
use super::source::{Cursor, NEWER_FORMAT, Source, UNDEFINED};
use crate::array::{Array, element_count};

/// Deflate shrinks at most by about 1032; more than this times the file cannot be real content.
const LARGEST_COMPRESSION: u64 = 1100;

/// Bytes of an array that may be missing though fewer were written.
const MOST_UNWRITTEN: usize = 1 << 20;

/// Why an array was not read.
pub(super) enum DataError {
    /// It claims more than the file can hold: the claim and the bound in bytes.
    TooLarge { claimed: u64, limit: u64 },
    /// Anything else.
    Reason(String),
}

impl<S: Into<String>> From<S> for DataError {
    fn from(reason: S) -> Self {
        DataError::Reason(reason.into())
    }
}

/// Whether an object is an array.
pub(super) fn is_array(header: &Header) -> bool {
    header.has(LAYOUT)
}

/// The extents of an array.
pub(super) fn shape(header: &Header) -> Result<Vec<usize>, String> {
    let extents = extents(header.one(DATASPACE, "dataspace")?)?;
    let shape: Option<Vec<usize>> = extents.iter().map(|&n| usize::try_from(n).ok()).collect();
    shape.ok_or_else(|| format!("extents {extents:?} are too large"))
}

/// Reads all elements of an array.
pub(super) fn read(source: &Source, header: &Header) -> Result<Array, DataError> {
    if header.has(EXTERNAL_FILES) {
        return Err("its data is in another file; copy it into this one".into());
    }
    let shape = shape(header)?;
    let element = Element::read(header.one(DATATYPE, "datatype")?)?;
    let bytes = read_bytes(source, header, &shape, element.width())?;
    Ok(Array { shape, values: element.decode(source, &bytes)? })
}

/// Bytes of so many elements, at most `limit`.
pub(super) fn checked_bytes(shape: &[usize], width: usize, limit: u64) -> Result<usize, DataError> {
    let bytes = element_count(shape).and_then(|n| n.checked_mul(width)).unwrap_or(usize::MAX);
    let limit = limit.min(MAXIMUM_ARRAY_BYTES);
    if bytes as u64 > limit {
        return Err(DataError::TooLarge { claimed: bytes as u64, limit });
    }
    Ok(bytes)
}

fn read_bytes(
    source: &Source,
    header: &Header,
    shape: &[usize],
    width: usize,
) -> Result<Vec<u8>, DataError> {
    let mut cursor = Cursor::new(header.one(LAYOUT, "layout")?);
    let (version, class) = (cursor.u8()?, cursor.u8()?);
    if !(version == 3 || version == 4 && class < 2) {
        return Err(format!("its layout is {class} of version {version}, {NEWER_FORMAT}").into());
    }
    match class {
        0 => {
            let bytes = checked_bytes(shape, width, source.size)?;
            let length = usize::from(cursor.u16()?);
            let data = cursor.take(length)?.get(..bytes).ok_or("its data ends early")?;
            Ok(data.to_vec())
        }
        1 => {
            let bytes = checked_bytes(shape, width, source.size)?;
            let (address, length) = (cursor.u64()?, cursor.u64()?);
            if address == UNDEFINED || bytes == 0 {
                return unwritten(header, bytes);
            }
            if length < bytes as u64 {
                return Err(format!("it has {length} of its {bytes} bytes").into());
            }
            Ok(source.read(address, bytes)?)
        }
        2 => {
            let possible = source.size.saturating_mul(LARGEST_COMPRESSION);
            let bytes = checked_bytes(shape, width, possible)?;
            let axes = usize::from(cursor.u8()?);
            let tree = cursor.u64()?;
            let mut chunk = Vec::new();
            for _ in 0..axes {
                chunk.push(cursor.u32()? as usize);
            }
            if chunk.pop() != Some(width) || chunk.len() != shape.len() || chunk.contains(&0) {
                return Err(format!("chunks of {chunk:?} do not fit extents {shape:?}").into());
            }
            let mut chunks = Vec::new();
            if tree != UNDEFINED && bytes != 0 {
                let index = ChunkIndex { source, axes: shape.len() };
                index.tree(tree, None, &mut HashSet::new(), &mut chunks)?;
            }
            let chunk_bytes = checked_bytes(&chunk, width, possible)?;
            mostly_written(bytes, chunks.len().saturating_mul(chunk_bytes))?;
            let output = unwritten(header, bytes)?;
            if chunks.is_empty() {
                return Ok(output);
            }
            let filters = read_filters(header)?;
            let mut reader =
                ChunkReader { source, shape, width, chunk, chunk_bytes, filters, output, work: 0 };
            for (key, address) in chunks {
                reader.chunk(&key, address)?;
            }
            Ok(reader.output)
        }
        other => Err(format!("its layout {other} refers to other files").into()),
    }
}

/// Refuses arrays that are far larger than the chunks that were written of them: only a damaged
/// extent claims so much, and the zeros between would take memory that the file does not pay for.
fn mostly_written(bytes: usize, written: usize) -> Result<(), String> {
    let missing = bytes.saturating_sub(written);
    if missing <= written.max(MOST_UNWRITTEN) {
        return Ok(());
    }
    Err(format!(
        "{missing} of its {bytes} bytes were never written; correct its extents, or write all of it"
    ))
}

/// What elements are before they are written: zeros, unless the file states something else.
fn unwritten(header: &Header, bytes: usize) -> Result<Vec<u8>, DataError> {
    let zero = match header.all(FILL_VALUE).next().map(|m| m.content.as_slice()) {
        // Versions 1 and 2: four bytes, then a length and the value.
        Some([1 | 2, _, _, defined, rest @ ..]) => *defined == 0 || is_zero(rest.get(4..)),
        // Version 3: flags say whether a length and a value follow.
        Some([3, flags, rest @ ..]) => flags & 0x20 == 0 || is_zero(rest.get(4..)),
        _ => true,
    };
    if !zero {
        return Err("its fill value is not zero, which is not supported".into());
    }
    Ok(vec![0; bytes])
}

fn is_zero(value: Option<&[u8]>) -> bool {
    value.unwrap_or_default().iter().all(|&byte| byte == 0)
}

/// A step of a chunk's way to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Deflate,
    Shuffle { width: usize },
    Checksum,
}

fn read_filters(header: &Header) -> Result<Vec<Filter>, String> {
    let Some(message) = header.all(FILTERS).next() else {
        return Ok(Vec::new());
    };
    let mut cursor = Cursor::new(&message.content);
    let (version, count) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..count {
        let identifier = cursor.u16()?;
        let named = version == 1 || identifier >= 256;
        let name = if named { usize::from(cursor.u16()?) } else { 0 };
        cursor.skip(2)?;
        let values = usize::from(cursor.u16()?);
        cursor.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
        let first = if values > 0 { cursor.u32()? as usize } else { 0 };
        cursor.skip(values.saturating_sub(1) * 4)?;
        cursor.skip(if version == 1 && values % 2 == 1 { 4 } else { 0 })?;
        filters.push(match identifier {
            1 => Filter::Deflate,
            2 => Filter::Shuffle { width: first },
            3 => Filter::Checksum,
            other => {
                return Err(format!(
                    "its filter {other} is not supported; write it with gzip, shuffle or none"
                ));
            }
        });
    }
    Ok(filters)
}

struct ChunkReader<'a> {
    source: &'a Source,
    shape: &'a [usize],
    width: usize,
    chunk: Vec<usize>,
    chunk_bytes: usize,
    filters: Vec<Filter>,
    output: Vec<u8>,
    /// Bytes of chunks decoded so far.
    work: u64,
}

/// The index of an array's chunks.
struct ChunkIndex<'a> {
    source: &'a Source,
    axes: usize,
}

impl ChunkIndex<'_> {
    /// Appends the key and address of every chunk beneath a node.
    fn tree(
        &self,
        address: u64,
        level: Option<u8>,
        seen: &mut HashSet<u64>,
        chunks: &mut Vec<(Vec<u8>, u64)>,
    ) -> Result<(), DataError> {
        if !seen.insert(address) {
            return Err("the index of its chunks leads back to itself".into());
        }
        let key_width = 8 + 8 * (self.axes + 1);
        let fan_out = self.source.fan_out.chunks;
        let (found, children) = tree_node(self.source, address, 1, key_width, fan_out)?;
        if level.is_some_and(|level| level != found) {
            return Err("the index of its chunks has a wrong level".into());
        }
        match found.checked_sub(1) {
            Some(below) => children
                .into_iter()
                .try_for_each(|(_, child)| self.tree(child, Some(below), seen, chunks)),
            None => {
                chunks.extend(children);
                Ok(())
            }
        }
    }
}

impl ChunkReader<'_> {
    fn chunk(&mut self, key: &[u8], address: u64) -> Result<(), DataError> {
        let limit = self.source.size.saturating_mul(LARGEST_COMPRESSION);
        self.work = self.work.saturating_add(self.chunk_bytes as u64);
        if self.work > limit.saturating_mul(2) {
            return Err(DataError::TooLarge { claimed: self.work, limit });
        }
        let mut cursor = Cursor::new(key);
        let (stored, skipped) = (cursor.u32()? as usize, cursor.u32()?);
        let mut origin = Vec::with_capacity(self.shape.len());
        for (&extent, &piece) in self.shape.iter().zip(&self.chunk) {
            let start = usize::try_from(cursor.u64()?).unwrap_or(usize::MAX);
            if start >= extent || start % piece != 0 {
                return Err(format!("a chunk starts at {start} of {extent} elements").into());
            }
            origin.push(start);
        }
        let mut bytes = self.source.read(address, stored)?;
        for (position, filter) in self.filters.iter().enumerate().rev() {
            if skipped & (1 << (position as u32 & 31)) == 0 {
                bytes = undo(*filter, bytes, self.chunk_bytes)?;
            }
        }
        if bytes.len() != self.chunk_bytes {
            let (found, wanted) = (bytes.len(), self.chunk_bytes);
            return Err(format!("a chunk has {found} bytes instead of {wanted}").into());
        }
        self.place(&origin, &bytes);
        Ok(())
    }

    /// Copies a chunk row by row, without what hangs over the array's edge.
    fn place(&mut self, origin: &[usize], bytes: &[u8]) {
        let last = self.shape.len() - 1;
        let clip = |axis: usize| self.chunk[axis].min(self.shape[axis] - origin[axis]);
        let row = clip(last) * self.width;
        let mut index = vec![0usize; last];
        loop {
            let (mut from, mut to) = (0, 0);
            for axis in 0..last {
                from = from * self.chunk[axis] + index[axis];
                to = to * self.shape[axis] + origin[axis] + index[axis];
            }
            let from = from * self.chunk[last] * self.width;
            let to = (to * self.shape[last] + origin[last]) * self.width;
            if let (Some(source), Some(target)) =
                (bytes.get(from..from + row), self.output.get_mut(to..to + row))
            {
                target.copy_from_slice(source);
            }
            let Some(axis) = (0..last).rev().find(|&axis| index[axis] + 1 < clip(axis)) else {
                break;
            };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }
}

/// Undoes one filter; the result is never much larger than a chunk.
fn undo(filter: Filter, bytes: Vec<u8>, chunk_bytes: usize) -> Result<Vec<u8>, String> {
    match filter {
        Filter::Deflate => {
            // A checksum below may add four bytes; one more byte shows that it is too long.
            let mut inflated = Vec::new();
            flate2::read::ZlibDecoder::new(bytes.as_slice())
                .take(chunk_bytes as u64 + 5)
                .read_to_end(&mut inflated)
                .map_err(|e| format!("a compressed chunk is damaged: {e}"))?;
            Ok(inflated)
        }
        Filter::Shuffle { width } => {
            if width < 2 || bytes.len() < width {
                return Ok(bytes);
            }
            let elements = bytes.len() / width;
            let mut plain = bytes.clone();
            for element in 0..elements {
                for byte in 0..width {
                    plain[element * width + byte] = bytes[byte * elements + element];
                }
            }
            Ok(plain)
        }
        Filter::Checksum => {
            let length = bytes.len().checked_sub(4).ok_or("a chunk lacks its checksum")?;
            let stated = u32::from_le_bytes([
                bytes[length],
                bytes[length + 1],
                bytes[length + 2],
                bytes[length + 3],
            ]);
            if stated != fletcher32(&bytes[..length]) {
                return Err("a chunk's checksum is wrong".into());
            }
            Ok(bytes[..length].to_vec())
        }
    }
}

/// Fletcher's checksum over big-endian 16-bit words, as HDF5 computes it.
fn fletcher32(bytes: &[u8]) -> u32 {
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (mut low, mut high) = (0u32, 0u32);
    for pair in bytes.chunks(2) {
        let word = u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| u32::from(b));
        low = fold(low + word);
        high = fold(high + low);
    }
    high << 16 | low
}
