//! Arrays that are read a part at a time: memory is that of a part.

use super::{Header, NPY_SIGNATURE, NpzError, decode, split_header};
use crate::array::{Array, Values};
use flate2::read::DeflateDecoder;
use indexmap::IndexMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// The elements of an npy file from the first to the last.
pub struct NpyStream {
    name: String,
    header: Header,
    /// Bytes of an element.
    width: usize,
    reader: Box<dyn Read + Send>,
}

impl NpyStream {
    /// Reads the header; `name` is for messages.
    ///
    /// # Errors
    /// [`NpzError::Array`], also where elements are no numbers.
    pub fn new(name: &str, mut reader: Box<dyn Read + Send>) -> Result<Self, NpzError> {
        let wrong = |reason: String| NpzError::Array { name: name.to_owned(), reason };
        let header = read_header(&mut reader).map_err(wrong)?;
        let width = width(&header.descriptor).map_err(wrong)?;
        Ok(NpyStream { name: name.to_owned(), header, width, reader })
    }

    /// Opens an npy file.
    ///
    /// # Errors
    /// As [`NpyStream::new`]; [`NpzError::Archive`] where the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        Self::new("", Box::new(BufReader::new(opened(path)?)))
    }

    /// Extents, slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Whether elements come in C order; only then are parts along the first axis neighbours.
    pub fn is_in_c_order(&self) -> bool {
        !self.header.fortran || self.header.shape.len() < 2
    }

    /// The next elements, in the order of the file.
    ///
    /// # Errors
    /// [`NpzError::Array`] where fewer are left.
    pub fn take(&mut self, elements: usize) -> Result<Values, NpzError> {
        let bytes = self.bytes(elements)?;
        let mut data = Vec::new();
        let read = self.reader.by_ref().take(bytes).read_to_end(&mut data);
        read.map_err(|error| self.wrong(error.to_string()))?;
        decode(&self.header.descriptor, &data, elements).map_err(|reason| self.wrong(reason))
    }

    /// Passes over the next elements.
    ///
    /// # Errors
    /// [`NpzError::Array`] where fewer are left.
    pub fn skip(&mut self, elements: usize) -> Result<(), NpzError> {
        let bytes = self.bytes(elements)?;
        let passed = std::io::copy(&mut self.reader.by_ref().take(bytes), &mut std::io::sink());
        match passed.map_err(|error| self.wrong(error.to_string()))? {
            passed if passed == bytes => Ok(()),
            passed => Err(self.wrong(format!("it ends after {passed} of {bytes} bytes"))),
        }
    }

    fn bytes(&self, elements: usize) -> Result<u64, NpzError> {
        let bytes = elements.checked_mul(self.width).and_then(|bytes| u64::try_from(bytes).ok());
        bytes.ok_or_else(|| self.wrong(format!("{elements} elements are too many")))
    }

    fn wrong(&self, reason: String) -> NpzError {
        NpzError::Array { name: self.name.clone(), reason }
    }
}

/// Reads a header and nothing behind it.
fn read_header(reader: &mut impl Read) -> Result<Header, String> {
    let mut bytes = vec![0; NPY_SIGNATURE.len() + 4];
    let ended = |_| "it ends inside the header".to_owned();
    reader.read_exact(&mut bytes).map_err(ended)?;
    let length = match bytes[6] {
        1 => u64::from(u16::from_le_bytes([bytes[8], bytes[9]])),
        _ => {
            let mut more = [0; 2];
            reader.read_exact(&mut more).map_err(ended)?;
            bytes.extend(more);
            u64::from(u32::from_le_bytes([bytes[8], bytes[9], more[0], more[1]]))
        }
    };
    // A claim that is too long is refused below, by what the header says of itself.
    let most = super::MAXIMUM_HEADER as u64 + 1;
    reader.take(length.min(most)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Header::parse(split_header(&bytes)?.0)
}

/// Bytes of an element of this type.
fn width(descriptor: &str) -> Result<usize, String> {
    // Known types are those that can be decoded, here without an element.
    decode(descriptor, &[], 0)?;
    let digits = descriptor.trim_start_matches(|c: char| !c.is_ascii_digit());
    let bytes: usize = digits.parse().unwrap_or(0);
    match bytes {
        1..=8 if !descriptor.contains('U') => Ok(bytes),
        _ => Err(format!("elements of type `{descriptor:.30}` are no numbers")),
    }
}

fn opened(path: &Path) -> Result<File, NpzError> {
    File::open(path).map_err(|error| NpzError::Archive { reason: error.to_string() })
}

/// Where a member's bytes lie in an archive.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: u64,
    compressed: u64,
    size: u64,
    deflated: bool,
}

/// An npz archive whose arrays are opened one by one.
#[derive(Debug)]
pub struct NpzFile {
    path: PathBuf,
    members: IndexMap<String, Member>,
}

impl NpzFile {
    /// Reads the archive's directory.
    ///
    /// # Errors
    /// [`NpzError::Archive`], also for members in a compression other than numpy's.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        let failed = |error: zip::result::ZipError| NpzError::Archive { reason: error.to_string() };
        let mut archive = ZipArchive::new(BufReader::new(opened(path)?)).map_err(failed)?;
        let mut members = IndexMap::new();
        super::check_limit("archive", archive.len() as u64, "arrays", 1 << 16)?;
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).map_err(failed)?;
            let name = member.name().map_err(failed)?.trim_end_matches(".npy").to_owned();
            let deflated = match member.compression() {
                CompressionMethod::Stored => false,
                CompressionMethod::Deflated => true,
                other => {
                    let reason = format!("array `{name}` is compressed by {other}, not by deflate");
                    return Err(NpzError::Archive { reason });
                }
            };
            let start = member.data_start().ok_or_else(|| NpzError::Archive {
                reason: format!("array `{name}` lies outside the archive"),
            })?;
            let (compressed, size) = (member.compressed_size(), member.size());
            members.insert(name, Member { start, compressed, size, deflated });
        }
        Ok(NpzFile { path: path.into(), members })
    }

    /// Whether there is an array of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Opens an array.
    ///
    /// # Errors
    /// [`NpzError`], with the names that are there where this one is not.
    pub fn stream(&self, name: &str) -> Result<NpyStream, NpzError> {
        let member = self.members.get(name).ok_or_else(|| NpzError::Missing {
            name: name.to_owned(),
            known: self.members.keys().take(20).cloned().collect::<Vec<_>>().join(", "),
        })?;
        let mut file = opened(&self.path)?;
        file.seek(SeekFrom::Start(member.start))
            .map_err(|error| NpzError::Archive { reason: error.to_string() })?;
        let raw = BufReader::new(file).take(member.compressed);
        // The stated size may lie: no more than it is unpacked.
        let reader: Box<dyn Read + Send> = match member.deflated {
            true => Box::new(DeflateDecoder::new(raw).take(member.size)),
            false => Box::new(raw.take(member.size)),
        };
        NpyStream::new(name, reader)
    }

    /// Reads a whole array of at most so many bytes.
    ///
    /// # Errors
    /// As [`NpzFile::stream`]; [`NpzError::TooLarge`].
    pub fn array(&self, name: &str, limit: u64) -> Result<Array, NpzError> {
        let mut stream = self.stream(name)?;
        let bytes = stream.bytes(stream.header.elements)?;
        super::check_limit(name, bytes, "bytes", limit)?;
        let values = stream.take(stream.header.elements)?;
        let Header { fortran, shape, .. } = stream.header;
        Ok(if fortran { super::c_order(shape, values) } else { Array { shape, values } })
    }
}
