//! Archives that are written a part at a time.

use super::{NpzError, little_endian, member_options, npy_header};
use crate::array::{Values, element_count};
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};
use zip::ZipWriter;

/// An archive whose arrays are written piece by piece; equal pieces give equal bytes.
pub struct NpzWriter<W: Write + Seek> {
    zip: ZipWriter<Failing<W>>,
    /// Bytes of the array begun last that do not fill a block.
    pending: Vec<u8>,
    failure: Failure,
}

/// Bytes that are compressed at a time: what comes out depends on how it comes in.
const BLOCK: usize = 1 << 18;

/// Why the first write failed, if one did.
type Failure = Arc<Mutex<Option<String>>>;

/// A writer that after a failure takes everything and keeps nothing: the zip writer tries to end its
/// archive when it is dropped, and would print that it cannot.
struct Failing<W> {
    out: W,
    /// Where the next byte would lie, and how many there would be.
    position: u64,
    length: u64,
    failure: Failure,
}

impl<W> Failing<W> {
    /// What `act` gives; none once something has failed.
    fn unless_failed<T>(
        &mut self,
        act: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() {
            return Ok(None);
        }
        act(&mut self.out).map(Some).inspect_err(|error| *failure = Some(error.to_string()))
    }
}

impl<W: Write> Write for Failing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.unless_failed(|out| out.write(bytes))?.unwrap_or(bytes.len());
        self.position += written as u64;
        self.length = self.length.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed(Write::flush).map(|_| ())
    }
}

impl<W: Seek> Seek for Failing<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(by) => self.length.saturating_add_signed(by),
        };
        self.position = self.unless_failed(|out| out.seek(to))?.unwrap_or(wanted);
        Ok(self.position)
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An archive without arrays.
    pub fn new(out: W) -> Self {
        let failure = Failure::default();
        let out = Failing { out, position: 0, length: 0, failure: failure.clone() };
        NpzWriter { zip: ZipWriter::new(out), pending: Vec::new(), failure }
    }

    /// Begins an array of numbers that has this shape in the end, and the element type of `like`.
    ///
    /// # Errors
    /// [`NpzError`], also for texts.
    pub fn begin(&mut self, name: &str, shape: &[usize], like: &Values) -> Result<(), NpzError> {
        let wrong = |reason: &str| NpzError::Array { name: name.into(), reason: reason.into() };
        let (descriptor, _) = little_endian(like).ok_or_else(|| wrong("it holds texts"))?;
        let header = npy_header(descriptor, shape).ok_or_else(|| wrong("it has too many axes"))?;
        // Eight bytes an element at the most; the archive must know whether 4 GiB are enough.
        let bytes = element_count(shape).and_then(|count| count.checked_mul(8));
        let large = bytes.is_none_or(|bytes| bytes >= 0xf000_0000);
        let options = member_options().large_file(large);
        if !self.pending.is_empty() {
            self.end_array()?;
        }
        let begun = self.zip.start_file(format!("{name}.npy"), options).map_err(unwritten);
        self.checked(begun)?;
        self.put(&header)
    }

    /// Appends elements to the array begun last.
    ///
    /// # Errors
    /// [`NpzError::Write`].
    pub fn append(&mut self, values: &Values) -> Result<(), NpzError> {
        let (_, bytes) = little_endian(values)
            .ok_or_else(|| unwritten("texts cannot be stored as npy; store numbers"))?;
        self.put(&bytes)
    }

    /// Compresses whole blocks.
    fn put(&mut self, bytes: &[u8]) -> Result<(), NpzError> {
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.len() / BLOCK * BLOCK;
        let mut blocks = self.pending[..whole].chunks(BLOCK);
        let written = blocks.try_for_each(|block| self.zip.write_all(block)).map_err(unwritten);
        self.checked(written)?;
        self.pending.drain(..whole);
        Ok(())
    }

    fn end_array(&mut self) -> Result<(), NpzError> {
        let written = self.zip.write_all(&self.pending).map_err(unwritten);
        self.pending.clear();
        self.checked(written)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// [`NpzError::Write`].
    pub fn finish(mut self) -> Result<W, NpzError> {
        if !self.pending.is_empty() {
            self.end_array()?;
        }
        let ended = self.zip.finish().map_err(unwritten);
        let failed = first_failure(&self.failure);
        let mut out = failed.map_or(ended, Err)?.out;
        out.flush().map_err(unwritten)?;
        Ok(out)
    }

    /// The first failure, also where the zip writer has not noticed it.
    fn checked<T>(&self, result: Result<T, NpzError>) -> Result<T, NpzError> {
        first_failure(&self.failure).map_or(result, Err)
    }
}

fn first_failure(failure: &Failure) -> Option<NpzError> {
    failure.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(unwritten)
}

fn unwritten(reason: impl ToString) -> NpzError {
    NpzError::Write { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A disk with room for some bytes.
    struct Small {
        free: usize,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.free.checked_sub(bytes.len());
            self.free = room.ok_or_else(|| io::Error::other("the disk is full"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Small {
        fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    #[test]
    fn the_reason_of_a_failed_write_is_told_wherever_it_comes() {
        for free in [0, 40, 200, 2_000] {
            let mut archive = NpzWriter::new(Small { free });
            let noise = (0_u64..4_096).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let values = Values::U64(noise.collect());
            let result = archive.begin("values", &[4_096], &values);
            let result = result.and_then(|()| archive.append(&values));
            let message =
                result.and_then(|()| archive.finish().map(|_| ())).unwrap_err().to_string();
            assert_eq!(message, "cannot write the npz archive: the disk is full");
        }
    }

    #[test]
    fn bytes_do_not_depend_on_how_an_array_is_cut() {
        let noise = |index: u64| {
            f64::from_bits((index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) | 0x3FF << 52)
        };
        let values: Vec<f64> = (0..200_000).map(noise).collect();
        let archive = |piece: usize| {
            let mut archive = NpzWriter::new(Cursor::new(Vec::new()));
            for name in ["first", "second"] {
                archive.begin(name, &[values.len()], &Values::F64(Vec::new())).unwrap();
                for piece in values.chunks(piece) {
                    archive.append(&Values::F64(piece.to_vec())).unwrap();
                }
            }
            archive.finish().unwrap().into_inner()
        };
        let whole = archive(values.len());
        for piece in [1, 777, 65_536, 150_001] {
            assert!(archive(piece) == whole, "pieces of {piece}");
        }
        let limits = crate::npz::NpzLimits::default();
        let read = crate::npz::read_npz(&whole, limits).unwrap();
        assert_eq!(read["second"].values, Values::F64(values));
    }
}
