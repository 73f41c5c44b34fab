//! IDX files, plain or compressed with gzip: the format of MNIST.
//!
//! Two zero bytes, a byte for the element type, a byte for the number of axes, the extents as
//! big-endian 32-bit numbers, then the elements, big-endian, in C order.
//! Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

use super::DataError;
use crate::model_io::array::{Array, Values};
use flate2::read::GzDecoder;
use std::io::Read;

/// Bytes that the elements may take.
pub const LIMIT: u64 = 1 << 31;
/// More axes than this are no data set.
const MOST_AXES: u8 = 8;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether the bytes may be an IDX file (or a compressed file, which may hold one).
pub fn looks_like_idx(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
        || matches!(bytes, [0, 0, kind, axes, ..] if width(*kind).is_some() && (1..=MOST_AXES).contains(axes))
}

/// Reads an IDX file from its bytes.
///
/// # Errors
/// [`DataError::Idx`] with what is wrong, [`DataError::TooLarge`] for more than 2 GiB.
pub fn read(bytes: &[u8]) -> Result<Array, DataError> {
    match bytes.starts_with(&GZIP) {
        true => read_from(GzDecoder::new(bytes)),
        false => read_from(bytes),
    }
}

/// Bytes of an element.
fn width(kind: u8) -> Option<u64> {
    match kind {
        0x08 | 0x09 => Some(1),
        0x0b => Some(2),
        0x0c | 0x0d => Some(4),
        0x0e => Some(8),
        _ => None,
    }
}

fn wrong(reason: impl Into<String>) -> DataError {
    DataError::Idx { reason: reason.into() }
}

fn read_from(mut reader: impl Read) -> Result<Array, DataError> {
    let Head { kind, shape, size, .. } = Head::read(&mut reader)?;
    if size > LIMIT {
        return Err(DataError::TooLarge { claimed: size, limit: LIMIT });
    }
    // Read what is there, never more than was promised: memory follows the data, not the claim.
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(size + 1).read_to_end(&mut bytes);
    read.map_err(|error| wrong(format!("its elements: {error}")))?;
    if bytes.len() as u64 != size {
        let more = if bytes.len() as u64 > size { "more" } else { "fewer" };
        let message = format!("the shape {shape:?} needs {size} bytes, there are {more}");
        return Err(wrong(message));
    }
    Ok(Array { shape, values: elements(kind, bytes) })
}

/// What a file says of itself.
struct Head {
    kind: u8,
    /// Bytes of an element.
    width: u64,
    shape: Vec<usize>,
    /// Bytes of all elements.
    size: u64,
}

impl Head {
    fn read(reader: &mut impl Read) -> Result<Self, DataError> {
        let mut head = [0; 4];
        reader.read_exact(&mut head).map_err(|error| wrong(format!("its head: {error}")))?;
        let [zero, nought, kind, axes] = head;
        let Some(width) = width(kind).filter(|_| zero == 0 && nought == 0) else {
            return Err(wrong(format!("it begins with {head:02x?}")));
        };
        if !(1..=MOST_AXES).contains(&axes) {
            return Err(wrong(format!("it claims {axes} axes; 1 to {MOST_AXES} are possible")));
        }
        let mut shape = Vec::new();
        let mut size = width;
        for _ in 0..axes {
            let mut extent = [0; 4];
            reader.read_exact(&mut extent).map_err(|error| wrong(format!("its head: {error}")))?;
            let extent = u32::from_be_bytes(extent);
            size = size.saturating_mul(extent.into());
            shape.push(extent as usize);
        }
        Ok(Head { kind, width, shape, size })
    }
}

/// The elements of an IDX file from the first to the last.
pub(super) struct IdxStream {
    head: Head,
    reader: Box<dyn Read + Send>,
}

impl IdxStream {
    /// Reads the head; `first` are the first bytes, which say whether the file is compressed.
    pub(super) fn new(reader: Box<dyn Read + Send>, first: &[u8]) -> Result<Self, DataError> {
        let mut reader: Box<dyn Read + Send> = match first.starts_with(&GZIP) {
            true => Box::new(GzDecoder::new(reader)),
            false => reader,
        };
        Ok(IdxStream { head: Head::read(&mut reader)?, reader })
    }

    /// Extents, slowest first.
    pub(super) fn shape(&self) -> &[usize] {
        &self.head.shape
    }

    /// The next elements.
    pub(super) fn take(&mut self, count: usize) -> Result<Values, DataError> {
        let size = self.head.width.saturating_mul(count as u64);
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(size).read_to_end(&mut bytes);
        read.map_err(|error| wrong(format!("its elements: {error}")))?;
        match bytes.len() as u64 == size {
            true => Ok(elements(self.head.kind, bytes)),
            false => Err(self.ended()),
        }
    }

    /// Passes over the next elements.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), DataError> {
        let size = self.head.width.saturating_mul(count as u64);
        let passed = std::io::copy(&mut self.reader.by_ref().take(size), &mut std::io::sink());
        match passed.map_err(|error| wrong(format!("its elements: {error}")))? == size {
            true => Ok(()),
            false => Err(self.ended()),
        }
    }

    fn ended(&self) -> DataError {
        let Head { shape, size, .. } = &self.head;
        wrong(format!("the shape {shape:?} needs {size} bytes, there are fewer"))
    }
}

fn elements(kind: u8, bytes: Vec<u8>) -> Values {
    fn each<const N: usize, T>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| number(chunk)).collect()
    }
    match kind {
        0x09 => Values::I8(each(&bytes, i8::from_be_bytes)),
        0x0b => Values::I16(each(&bytes, i16::from_be_bytes)),
        0x0c => Values::I32(each(&bytes, i32::from_be_bytes)),
        0x0d => Values::F32(each(&bytes, f32::from_be_bytes)),
        0x0e => Values::F64(each(&bytes, f64::from_be_bytes)),
        _ => Values::U8(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(kind: u8, extents: &[u32], elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, extents.len() as u8];
        extents.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
        bytes.extend(elements);
        bytes
    }

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_compressed_files_of_every_type_are_read() {
        let bytes = file(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6]);
        let array = Array { shape: vec![2, 3], values: vec![1_u8, 2, 3, 4, 5, 6].into() };
        assert_eq!(read(&bytes).unwrap(), array);
        assert_eq!(read(&compressed(&bytes)).unwrap(), array);
        let values =
            |kind, elements: &[u8], count| read(&file(kind, &[count], elements)).unwrap().values;
        assert_eq!(values(0x09, &[255], 1), Values::I8(vec![-1]));
        assert_eq!(values(0x0b, &[1, 0], 1), Values::I16(vec![256]));
        assert_eq!(values(0x0c, &[0, 0, 1, 0], 1), Values::I32(vec![256]));
        assert_eq!(values(0x0d, &1.5_f32.to_be_bytes(), 1), Values::F32(vec![1.5]));
        assert_eq!(values(0x0e, &2.5_f64.to_be_bytes(), 1), Values::F64(vec![2.5]));
    }

    #[test]
    fn hostile_files_are_refused_before_memory_is_asked_for() {
        let huge = file(0x08, &[u32::MAX, u32::MAX, u32::MAX], &[0; 10]);
        assert!(matches!(read(&huge), Err(DataError::TooLarge { .. })));
        assert!(matches!(read(&compressed(&huge)), Err(DataError::TooLarge { .. })));
        // Just below the limit, but cut off.
        let cut = file(0x08, &[u32::MAX / 2], &[0; 10]);
        let message = read(&cut).unwrap_err().to_string();
        assert!(message.contains("there are fewer"), "{message}");
        let long = read(&file(0x08, &[2], &[0; 3])).unwrap_err().to_string();
        assert!(long.contains("there are more"), "{long}");
        for bytes in [&b""[..], b"\0\0", b"\0\0\x08\x09", b"\0\0\x07\x01\0\0\0\0", b"\x1f\x8bxx"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        // A bomb that unpacks to far more than its head says.
        let bomb = compressed(&file(0x08, &[4], &vec![0; 50_000_000]));
        assert!(read(&bomb).is_err());
    }

    #[test]
    fn other_formats_are_not_taken_for_idx() {
        assert!(looks_like_idx(&file(0x0d, &[1], &[0; 4])));
        assert!(!looks_like_idx(b"PK\x03\x04") && !looks_like_idx(b"\x93NUMPY"));
        assert!(!looks_like_idx(&[0, 0, 8, 0]));
    }
}
