//! Numpy arrays (`.npy`) and archives of them (`.npz`).
//!
//! Format: numpy.lib.format, versions 1.0 to 3.0. Headers are parsed here, in a few lines that
//! accept exactly what numpy writes; lengths are checked before memory is asked for.

use std::io::{Cursor, Read, Write};

use indexmap::IndexMap;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::array::{Array, Values, element_count};

mod stream;
mod write;

pub use stream::{NpyStream, NpzFile};
pub use write::NpzWriter;

/// The first bytes of an `.npy` file.
pub const NPY_SIGNATURE: [u8; 6] = *b"\x93NUMPY";
/// The longest header that is read.
const MAXIMUM_HEADER: usize = 1 << 16;

/// Bounds on what an archive may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NpzLimits {
    /// Bytes of one array.
    pub array_bytes: u64,
    /// Bytes of all arrays together.
    pub total_bytes: u64,
    /// Arrays in the archive.
    pub arrays: usize,
}

impl Default for NpzLimits {
    /// 2 GiB an array, 4 GiB together, 65,536 arrays.
    fn default() -> Self {
        Self { array_bytes: 1 << 31, total_bytes: 1 << 32, arrays: 1 << 16 }
    }
}

/// What is wrong with an npy or npz file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NpzError {
    /// The archive itself cannot be read.
    #[error("the npz archive is damaged: {reason}")]
    Archive {
        /// What the zip reader says.
        reason: String,
    },
    /// The archive cannot be written.
    #[error("cannot write the npz archive: {reason}")]
    Write {
        /// What the system or the zip writer says.
        reason: String,
    },
    /// One array cannot be read.
    #[error("array `{name}`: {reason}")]
    Array {
        /// Its name in the archive; empty for a lone npy file.
        name: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// An array that must be there is not.
    #[error("array `{name}` is missing; the archive has: {known}")]
    Missing {
        /// The name asked for.
        name: String,
        /// Names that are there.
        known: String,
    },
    /// The archive unpacks to more than is allowed.
    #[error("`{name}` claims {claimed} {unit}; the limit is {limit}")]
    TooLarge {
        /// The array, or `archive`.
        name: String,
        /// The claim.
        claimed: u64,
        /// What is counted.
        unit: &'static str,
        /// The bound.
        limit: u64,
    },
}

/// Reads one `.npy` file from its bytes.
///
/// # Errors
/// [`NpzError::Array`].
pub fn read_npy(bytes: &[u8]) -> Result<Array, NpzError> {
    parse_npy(bytes).map_err(|reason| NpzError::Array { name: String::new(), reason })
}

/// Reads all arrays of an `.npz` archive from its bytes, in their order, without the `.npy` suffix.
///
/// # Errors
/// [`NpzError`] with the array's name.
pub fn read_npz(bytes: &[u8], limits: NpzLimits) -> Result<IndexMap<String, Array>, NpzError> {
    let archive_error = |e: zip::result::ZipError| NpzError::Archive { reason: e.to_string() };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(archive_error)?;
    check_limit("archive", archive.len() as u64, "arrays", limits.arrays as u64)?;
    let mut arrays = IndexMap::new();
    let mut total = 0u64;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(archive_error)?;
        let name = member.name().map_err(archive_error)?.trim_end_matches(".npy").to_owned();
        check_limit(&name, member.size(), "bytes", limits.array_bytes)?;
        let limit = limits.array_bytes.min(limits.total_bytes - total);
        // The stated size may lie: stop one byte behind the limit.
        let mut content = Vec::new();
        let read = member.take(limit.saturating_add(1)).read_to_end(&mut content);
        read.map_err(|e| NpzError::Array { name: name.clone(), reason: e.to_string() })?;
        check_limit(&name, content.len() as u64, "bytes", limit)?;
        total += content.len() as u64;
        let array =
            parse_npy(&content).map_err(|reason| NpzError::Array { name: name.clone(), reason })?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

/// Takes one array out of an archive's arrays.
///
/// # Errors
/// [`NpzError::Missing`] with the names that are there.
pub fn take(arrays: &mut IndexMap<String, Array>, name: &str) -> Result<Array, NpzError> {
    arrays.shift_remove(name).ok_or_else(|| NpzError::Missing {
        name: name.to_owned(),
        known: arrays.keys().take(20).cloned().collect::<Vec<_>>().join(", "),
    })
}

fn check_limit(name: &str, claimed: u64, unit: &'static str, limit: u64) -> Result<(), NpzError> {
    if claimed <= limit {
        return Ok(());
    }
    Err(NpzError::TooLarge { name: name.to_owned(), claimed, unit, limit })
}

/// The bytes of one `.npy` file (version 1.0, little-endian, C order).
///
/// # Errors
/// [`NpzError::Array`] for texts and where the extents do not fit the elements.
pub fn write_npy(array: &Array) -> Result<Vec<u8>, NpzError> {
    let fail = |reason: &str| NpzError::Array { name: String::new(), reason: reason.into() };
    if element_count(&array.shape) != Some(array.len()) {
        return Err(fail("its extents do not fit its number of elements"));
    }
    let (descriptor, data) = little_endian(&array.values)
        .ok_or_else(|| fail("texts cannot be stored as npy; store numbers"))?;
    let mut bytes =
        npy_header(descriptor, &array.shape).ok_or_else(|| fail("it has too many axes"))?;
    bytes.extend_from_slice(&data);
    Ok(bytes)
}

/// What stands before the elements of an array; `None` where it has too many axes.
fn npy_header(descriptor: &str, shape: &[usize]) -> Option<Vec<u8>> {
    let extents: Vec<_> = shape.iter().map(usize::to_string).collect();
    // A tuple of one needs its comma.
    let comma = if extents.len() == 1 { "," } else { "" };
    let shape = extents.join(", ");
    let mut header =
        format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({shape}{comma}), }}");
    // Data starts at a multiple of 64 bytes; the header ends with a line feed.
    let unpadded = 10 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let length = u16::try_from(header.len()).ok()?;
    let mut bytes = Vec::with_capacity(10 + header.len());
    bytes.extend_from_slice(&NPY_SIGNATURE);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    Some(bytes)
}

/// Compressed, and without the time of writing.
fn member_options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
}

/// The bytes of a compressed `.npz` archive; equal arrays give equal bytes.
///
/// # Errors
/// As [`write_npy`], or [`NpzError::Write`].
pub fn write_npz<'a>(
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
) -> Result<Vec<u8>, NpzError> {
    let failed = |reason: String| NpzError::Write { reason };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = member_options();
    for (name, array) in arrays {
        let bytes = write_npy(array).map_err(|e| match e {
            NpzError::Array { reason, .. } => NpzError::Array { name: name.to_owned(), reason },
            other => other,
        })?;
        writer.start_file(format!("{name}.npy"), options).map_err(|e| failed(e.to_string()))?;
        writer.write_all(&bytes).map_err(|e| failed(e.to_string()))?;
    }
    let cursor = writer.finish().map_err(|e| failed(e.to_string()))?;
    Ok(cursor.into_inner())
}

/// The type descriptor and bytes of elements; `None` for texts.
fn little_endian(values: &Values) -> Option<(&'static str, Vec<u8>)> {
    macro_rules! bytes {
        ($descriptor:literal, $v:expr) => {
            Some(($descriptor, $v.iter().flat_map(|x| x.to_le_bytes()).collect()))
        };
    }
    match values {
        Values::Bool(v) => Some(("|b1", v.iter().map(|&b| u8::from(b)).collect())),
        Values::I8(v) => bytes!("|i1", v),
        Values::U8(v) => Some(("|u1", v.clone())),
        Values::I16(v) => bytes!("<i2", v),
        Values::I32(v) => bytes!("<i4", v),
        Values::I64(v) => bytes!("<i8", v),
        Values::U16(v) => bytes!("<u2", v),
        Values::U32(v) => bytes!("<u4", v),
        Values::U64(v) => bytes!("<u8", v),
        Values::F32(v) => bytes!("<f4", v),
        Values::F64(v) => bytes!("<f8", v),
        Values::Text(_) => None,
    }
}

fn parse_npy(bytes: &[u8]) -> Result<Array, String> {
    let (header, data) = split_header(bytes)?;
    let Header { descriptor, fortran, shape, elements } = Header::parse(header)?;
    let values = decode(&descriptor, data, elements)?;
    Ok(if fortran { c_order(shape, values) } else { Array { shape, values } })
}

/// What the header says.
#[derive(Debug, Clone)]
struct Header {
    /// Type of the elements.
    descriptor: String,
    /// Whether the first axis is the fastest.
    fortran: bool,
    shape: Vec<usize>,
    /// The product of the extents.
    elements: usize,
}

impl Header {
    fn parse(header: &str) -> Result<Self, String> {
        let descriptor = quoted(field(header, "descr")?)?.to_owned();
        let fortran = match field(header, "fortran_order")? {
            value if value.starts_with("True") => true,
            value if value.starts_with("False") => false,
            _ => return Err("fortran_order is neither True nor False".into()),
        };
        let shape = tuple(field(header, "shape")?)?;
        let elements =
            element_count(&shape).ok_or_else(|| format!("extents {shape:?} overflow"))?;
        Ok(Header { descriptor, fortran, shape, elements })
    }
}

/// The header's text and the data behind it.
fn split_header(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let rest = bytes.strip_prefix(&NPY_SIGNATURE).ok_or("it is not in npy format")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [version, _, ..] => return Err(format!("npy version {version} is unknown")),
        _ => return Err("it ends inside the header".into()),
    };
    if length > MAXIMUM_HEADER {
        return Err(format!("its header claims {length} bytes; at most {MAXIMUM_HEADER}"));
    }
    let (header, data) = rest.split_at_checked(length).ok_or("it ends inside the header")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not a text")?;
    Ok((header, data))
}

/// What follows `'name':` in the header's dictionary.
fn field<'a>(header: &'a str, name: &str) -> Result<&'a str, String> {
    let missing = || format!("its header lacks `{name}`");
    let (_, rest) = header.split_once(&format!("'{name}'")).ok_or_else(missing)?;
    rest.trim_start().strip_prefix(':').map(str::trim_start).ok_or_else(missing)
}

fn quoted(value: &str) -> Result<&str, String> {
    let inner = value.strip_prefix('\'').and_then(|v| v.split_once('\''));
    inner.map(|(text, _)| text).ok_or_else(|| "structured types are not supported".into())
}

fn tuple(value: &str) -> Result<Vec<usize>, String> {
    let inner = value.strip_prefix('(').and_then(|v| v.split_once(')'));
    let (inner, _) = inner.ok_or("its shape is no tuple")?;
    let extents = inner.split(',').map(str::trim).filter(|e| !e.is_empty());
    // `L` marks long integers in files of Python 2.
    let parse = |e: &str| e.trim_end_matches('L').parse().map_err(|_| format!("extent `{e:.30}`"));
    let shape: Vec<usize> = extents.map(parse).collect::<Result<_, String>>()?;
    if shape.len() > 32 {
        return Err(format!("it has {} axes; at most 32 are possible", shape.len()));
    }
    Ok(shape)
}

/// Texts of a fixed number of characters, four bytes each, filled up with zeros.
fn texts(
    data: &[u8],
    elements: usize,
    characters: usize,
    big_endian: bool,
) -> Result<Values, String> {
    let width = characters.checked_mul(4).ok_or("its texts are too long")?;
    let data = exactly(data, elements, width)?;
    let character = |piece: &[u8]| {
        let bytes = <[u8; 4]>::try_from(piece).unwrap_or_default();
        let code = if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let text = |piece: &[u8]| {
        let text: String = piece.chunks_exact(4).map(character).collect();
        text.trim_end_matches('\0').to_owned()
    };
    if width == 0 {
        return Ok(Values::Text(vec![String::new(); elements.min(1)]));
    }
    Ok(Values::Text(data.chunks_exact(width).map(text).collect()))
}

fn decode(descriptor: &str, data: &[u8], elements: usize) -> Result<Values, String> {
    let unknown = || {
        let known = "b1, i1, i2, i4, i8, u1, u2, u4, u8, f4, f8";
        format!("elements of type `{descriptor:.30}` are not supported; known: {known}")
    };
    let (order, kind) = descriptor.split_at_checked(1).ok_or_else(unknown)?;
    let big_endian = match order {
        "<" | "|" | "=" => false,
        ">" => true,
        _ => return Err(unknown()),
    };
    if let Some(characters) = kind.strip_prefix('U').and_then(|count| count.parse::<usize>().ok()) {
        return texts(data, elements, characters, big_endian);
    }
    macro_rules! numbers {
        ($type:ty) => {{
            const WIDTH: usize = size_of::<$type>();
            let data = exactly(data, elements, WIDTH)?;
            let numbers = data.chunks_exact(WIDTH).map(|piece| {
                let mut bytes = [0; WIDTH];
                bytes.copy_from_slice(piece);
                if big_endian {
                    <$type>::from_be_bytes(bytes)
                } else {
                    <$type>::from_le_bytes(bytes)
                }
            });
            Ok(numbers.collect::<Vec<$type>>().into())
        }};
    }
    match kind {
        "b1" => {
            let data = exactly(data, elements, 1)?;
            Ok(data.iter().map(|&b| b != 0).collect::<Vec<_>>().into())
        }
        "i1" => numbers!(i8),
        "i2" => numbers!(i16),
        "i4" => numbers!(i32),
        "i8" => numbers!(i64),
        "u1" => numbers!(u8),
        "u2" => numbers!(u16),
        "u4" => numbers!(u32),
        "u8" => numbers!(u64),
        "f4" => numbers!(f32),
        "f8" => numbers!(f64),
        _ => Err(unknown()),
    }
}

/// The data of so many elements, if it is all there.
fn exactly(data: &[u8], elements: usize, width: usize) -> Result<&[u8], String> {
    let bytes = elements.saturating_mul(width);
    data.get(..bytes)
        .ok_or_else(|| format!("it needs {bytes} bytes of data and has {}: truncated?", data.len()))
}

/// Reorders elements that are stored with the first axis fastest.
fn c_order(shape: Vec<usize>, values: Values) -> Array {
    fn reorder<T: Clone>(shape: &[usize], values: &[T]) -> Vec<T> {
        let mut strides = Vec::with_capacity(shape.len());
        let mut stride = 1usize;
        for &extent in shape {
            strides.push(stride);
            stride = stride.saturating_mul(extent);
        }
        let mut index = vec![0usize; shape.len()];
        let mut ordered = Vec::with_capacity(values.len());
        while ordered.len() < values.len() {
            let at: usize = index.iter().zip(&strides).map(|(&i, &s)| i * s).sum();
            ordered.extend(values.get(at).cloned());
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        ordered
    }
    macro_rules! each {
        ($($variant:ident),*) => {
            match &values {
                $(Values::$variant(v) => Values::$variant(reorder(&shape, v)),)*
            }
        };
    }
    let values = each!(Bool, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, Text);
    Array { shape, values }
}
