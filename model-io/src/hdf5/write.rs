//! Writing groups, arrays, texts and attributes: the only file that names the HDF5 library.

use std::path::Path;

use ::hdf5::types::{FixedAscii, H5Type, VarLenUnicode};

use super::Hdf5Error;
use crate::array::{Array, Values, element_count};

/// Arrays longer than this are compressed in several pieces.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// How an array is stored when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// As it is.
    Plain,
    /// Shuffled and deflated; scalars, texts and empty arrays stay plain.
    Compressed,
}

/// A group of a file that is being written; the file closes with its last group.
#[derive(Debug, Clone)]
pub struct GroupWriter {
    group: ::hdf5::Group,
    place: String,
}

/// Creates a file (truncating one that exists) and returns its root group.
///
/// Equal content gives equal bytes: no times are stored.
///
/// # Errors
/// [`Hdf5Error::Open`].
pub fn create(path: &Path) -> Result<GroupWriter, Hdf5Error> {
    let opening = |e: ::hdf5::Error| Hdf5Error::Open { path: path.to_owned(), reason: short(&e) };
    // The library prints its whole stack of errors to the terminal unless it is told not to.
    ::hdf5::silence_errors(true);
    let file = ::hdf5::File::create(path).map_err(opening)?;
    Ok(GroupWriter { group: file.as_group().map_err(opening)?, place: String::new() })
}

/// The library's reason in one line: what the system said, where it is the system that refused.
fn short(error: &::hdf5::Error) -> String {
    let text = error.to_string();
    let said = text.split_once("error message = '").and_then(|(_, rest)| rest.split_once('\''));
    if let Some((said, _)) = said {
        return said.to_string();
    }
    text.lines().next().unwrap_or("unknown reason").chars().take(300).collect()
}

/// A name that is one link of this group, not a path through several.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// Runs a generic call with the elements of an array as a slice of their own type.
macro_rules! with_elements {
    ($values:expr, $v:ident => $call:expr, text $t:ident => $text:expr) => {
        match $values {
            Values::Bool($v) => $call,
            Values::I8($v) => $call,
            Values::I16($v) => $call,
            Values::I32($v) => $call,
            Values::I64($v) => $call,
            Values::U8($v) => $call,
            Values::U16($v) => $call,
            Values::U32($v) => $call,
            Values::U64($v) => $call,
            Values::F32($v) => $call,
            Values::F64($v) => $call,
            Values::Text($t) => $text,
        }
    };
}

impl GroupWriter {
    /// Path of a member inside the file.
    fn place_of(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    /// Creates a group in this group.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`], also for names that are empty or hold `/`.
    pub fn create_group(&self, name: &str) -> Result<GroupWriter, Hdf5Error> {
        self.check_name(name)?;
        let place = self.place_of(name);
        let mut builder = self.group.create_group_builder();
        builder = builder.obj_track_times(false);
        let group = builder.create(name).map_err(|e| self.unwritten(name, &e))?;
        Ok(GroupWriter { group, place })
    }

    /// Writes an array, or a scalar where it has no extents.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`], also where the extents do not fit the number of elements.
    pub fn write(&self, name: &str, array: &Array, storage: Storage) -> Result<(), Hdf5Error> {
        self.check_array(name, array)?;
        let shape = &array.shape;
        let result = with_elements!(&array.values,
        v => write_elements(&self.group, name, shape, v, storage),
        text t => heap_texts(t).and_then(|t| {
            write_elements(&self.group, name, shape, &t, Storage::Plain)
        }));
        result.map_err(|e| self.unwritten(name, &e))
    }

    /// Begins an array of numbers that is written piece by piece; it has `shape` in the end, and the
    /// element type of `like`.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`], also for texts.
    pub fn begin_array(
        &self,
        name: &str,
        shape: &[usize],
        like: &Values,
    ) -> Result<ArrayWriter, Hdf5Error> {
        self.check_name(name)?;
        let create = |builder: ::hdf5::DatasetBuilder| -> ::hdf5::Result<::hdf5::Dataset> {
            with_elements!(like,
                v => empty_array(builder, name, shape, v),
                text _t => Err("texts are not written piece by piece".into()))
        };
        let dataset = create(self.group.new_dataset_builder());
        let dataset = dataset.map_err(|e| self.unwritten(name, &e))?;
        let (place, columns) = (self.place_of(name), shape[1..].iter().product());
        Ok(ArrayWriter { dataset, place, columns, rows: 0 })
    }

    /// Writes a variable-length text scalar.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`].
    pub fn write_text(&self, name: &str, text: &str) -> Result<(), Hdf5Error> {
        self.write(name, &Array::scalar(text.to_owned()), Storage::Plain)
    }

    /// Writes an array of one text of at most ten ASCII bytes, as numpy's `S10`.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`], also where the text is longer or not ASCII.
    pub fn write_short_text(&self, name: &str, text: &str) -> Result<(), Hdf5Error> {
        self.check_name(name)?;
        let fixed = FixedAscii::<10>::from_ascii(text).map_err(|e| self.refused(name, e))?;
        write_elements(&self.group, name, &[1], &[fixed], Storage::Plain)
            .map_err(|e| self.unwritten(name, &e))
    }

    /// Writes an attribute of this group.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`]; the library holds at most 64 KiB in an attribute.
    pub fn write_attribute(&self, name: &str, array: &Array) -> Result<(), Hdf5Error> {
        self.check_array(name, array)?;
        write_attribute(&self.group, name, array).map_err(|e| self.unwritten(name, &e))
    }

    /// Writes an attribute of a member that is an array.
    ///
    /// # Errors
    /// As [`GroupWriter::write_attribute`].
    pub fn write_member_attribute(
        &self,
        member: &str,
        name: &str,
        array: &Array,
    ) -> Result<(), Hdf5Error> {
        self.check_array(name, array)?;
        self.check_name(member)?;
        let dataset = self.group.dataset(member).map_err(|e| self.unwritten(member, &e))?;
        write_attribute(&dataset, name, array).map_err(|e| self.unwritten(member, &e))
    }

    /// Writes the file's content to the disk.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`].
    pub fn flush(&self) -> Result<(), Hdf5Error> {
        let flushed = self.group.file().and_then(|f| f.flush());
        flushed.map_err(|e| self.unwritten("", &e))
    }

    fn check_name(&self, name: &str) -> Result<(), Hdf5Error> {
        if is_plain_name(name) {
            return Ok(());
        }
        let reason = format!("`{name}` cannot be a name: not empty, `.` or `..`, no `/`");
        Err(Hdf5Error::Write { place: self.place_of(name), reason })
    }

    fn check_array(&self, name: &str, array: &Array) -> Result<(), Hdf5Error> {
        self.check_name(name)?;
        if element_count(&array.shape) == Some(array.len()) {
            return Ok(());
        }
        Err(self.refused(name, format!("{} elements for {:?}", array.len(), array.shape)))
    }

    fn refused(&self, name: &str, reason: impl ToString) -> Hdf5Error {
        Hdf5Error::Write { place: self.place_of(name), reason: reason.to_string() }
    }

    fn unwritten(&self, name: &str, error: &::hdf5::Error) -> Hdf5Error {
        self.refused(name, short(error))
    }
}

/// An array that is written piece by piece, along its first axis.
#[derive(Debug)]
pub struct ArrayWriter {
    dataset: ::hdf5::Dataset,
    place: String,
    columns: usize,
    /// Rows written so far.
    rows: usize,
}

impl ArrayWriter {
    /// Appends whole rows.
    ///
    /// # Errors
    /// [`Hdf5Error::Write`], also where they are too many or of another type.
    pub fn append(&mut self, values: &Values) -> Result<(), Hdf5Error> {
        let (length, columns) = (values.len(), self.columns.max(1));
        if length == 0 {
            return Ok(());
        }
        let (from, until) = (self.rows, self.rows + length / columns);
        let dataset = &self.dataset;
        let written = with_elements!(values, v => {
            if dataset.ndim() == 1 {
                dataset.write_slice(ndarray::ArrayView1::from(v.as_slice()), from..until)
            } else {
                ndarray::ArrayView2::from_shape((until - from, columns), v)
                    .map_err(|error| ::hdf5::Error::from(error.to_string()))
                    .and_then(|view| dataset.write_slice(view, (from..until, 0..columns)))
            }
        }, text _t => Err("texts are not written piece by piece".into()));
        self.rows = until;
        written.map_err(|e| Hdf5Error::Write { place: self.place.clone(), reason: short(&e) })
    }
}

/// A compressed array of numbers without content.
fn empty_array<T: H5Type>(
    builder: ::hdf5::DatasetBuilder,
    name: &str,
    shape: &[usize],
    _like: &[T],
) -> ::hdf5::Result<::hdf5::Dataset> {
    let builder = builder.obj_track_times(false);
    let is_empty = shape.contains(&0);
    let builder =
        if is_empty { builder } else { builder.chunk(chunk_of(shape)).shuffle().deflate(4) };
    builder.empty::<T>().shape(shape.to_vec()).create(name)
}

fn heap_texts(texts: &[String]) -> ::hdf5::Result<Vec<VarLenUnicode>> {
    texts.iter().map(|t| t.parse().map_err(|_| "a text holds a zero byte".into())).collect()
}

fn write_elements<T: H5Type>(
    group: &::hdf5::Group,
    name: &str,
    shape: &[usize],
    elements: &[T],
    storage: Storage,
) -> ::hdf5::Result<()> {
    let mut builder = group.new_dataset_builder();
    // Times would make equal content differ in its bytes.
    builder = builder.obj_track_times(false);
    if storage == Storage::Compressed && !shape.is_empty() && !elements.is_empty() {
        builder = builder.chunk(chunk_of(shape)).shuffle().deflate(4);
    }
    let dataset = builder.empty::<T>().shape(shape.to_vec()).create(name)?;
    if elements.is_empty() { Ok(()) } else { dataset.as_writer().write_raw(elements) }
}

/// Whole arrays where they are small; otherwise the slowest extents are cut until a piece is.
fn chunk_of(shape: &[usize]) -> Vec<usize> {
    let mut chunk = shape.to_vec();
    for axis in 0..chunk.len() {
        let elements = element_count(&chunk).unwrap_or(usize::MAX);
        if elements <= CHUNK_ELEMENTS {
            break;
        }
        let rest = elements / chunk[axis];
        chunk[axis] = (CHUNK_ELEMENTS / rest).clamp(1, chunk[axis]);
    }
    chunk
}

fn write_attribute(location: &::hdf5::Location, name: &str, array: &Array) -> ::hdf5::Result<()> {
    let shape = &array.shape;
    with_elements!(&array.values,
        v => write_attribute_elements(location, name, shape, v),
        text t => write_attribute_elements(location, name, shape, &heap_texts(t)?))
}

fn write_attribute_elements<T: H5Type>(
    location: &::hdf5::Location,
    name: &str,
    shape: &[usize],
    elements: &[T],
) -> ::hdf5::Result<()> {
    let attribute = location.new_attr::<T>().shape(shape.to_vec()).create(name)?;
    attribute.as_writer().write_raw(elements)
}
