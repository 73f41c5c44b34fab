//! HDF5 containers.
//!
//! Files are written by the HDF5 library and read by our own reader: the library (1.10.8) crashes
//! on about one of 300 randomly damaged files, and no check in front of it that is simpler than a
//! reader prevents that. The reader knows what libraries write by default (up to the format of
//! HDF5 1.8, the default of HDF5 2.0: superblocks 0 to 3, symbol tables, link messages, fractal
//! heaps of links, compact, contiguous and chunked arrays with deflate, shuffle and checksums);
//! newer structures are refused with what to do.
//!
//! Nothing is believed: every address is checked against the file, every size before memory is
//! asked for, and data in other files is never followed.
//! Source: HDF5 File Format Specification, version 3.0, The HDF Group.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::array::{Array, Values};

mod data;
mod dense_links;
mod element;
mod header;
mod heap;
mod links;
mod source;
mod write;

use data::DataError;
use header::{ATTRIBUTE, ATTRIBUTE_INFO, Header};
use links::Link;
use source::{Cursor, NEWER_FORMAT, Source, UNDEFINED};

pub use write::{ArrayWriter, GroupWriter, Storage, create};

/// No array may take more memory than this.
pub const MAXIMUM_ARRAY_BYTES: u64 = 1 << 32;
/// Members of one group.
const MAXIMUM_MEMBERS: u64 = 1 << 20;
/// The first bytes of every HDF5 file (after an optional user block).
pub const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// What is wrong with an HDF5 file, or with using it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Hdf5Error {
    /// The file cannot be opened at all.
    #[error("cannot open {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is something else.
    #[error("{} is not an HDF5 file: the signature is missing", path.display())]
    NotHdf5 {
        /// The file.
        path: PathBuf,
    },
    /// A member that must be there is not.
    #[error("{place} is missing; its group has: {known}")]
    Missing {
        /// Path inside the file.
        place: String,
        /// Names that are there.
        known: String,
    },
    /// A member is of another kind or type than asked for.
    #[error("{place} is {found}; expected {wanted}")]
    WrongType {
        /// Path inside the file.
        place: String,
        /// What it is.
        found: String,
        /// What was expected.
        wanted: String,
    },
    /// An array claims a size that the file cannot hold or that is over the limit.
    #[error("{place} claims {claimed} bytes; at most {limit} are possible in this file")]
    TooLarge {
        /// Path inside the file.
        place: String,
        /// The claim in bytes.
        claimed: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// The content cannot be read.
    #[error("cannot read {place}: {reason}")]
    Damaged {
        /// Path inside the file.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The content cannot be written.
    #[error("cannot write {place}: {reason}")]
    Write {
        /// Path inside the file.
        place: String,
        /// Why not.
        reason: String,
    },
}

/// What a member of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A group of further members.
    Group,
    /// An array or a scalar.
    Array,
    /// Anything else (a named type, a symbolic link, a damaged object).
    Other,
}

/// A group of an open HDF5 file; the file closes with its last group.
#[derive(Debug, Clone)]
pub struct Group {
    source: Arc<Source>,
    header: Arc<Header>,
    members: Arc<BTreeMap<String, Link>>,
    place: String,
    /// Arrays that stand for members of the file.
    laid: BTreeMap<String, Array>,
}

/// Opens a file for reading and returns its root group.
///
/// # Errors
/// [`Hdf5Error::Open`], [`Hdf5Error::NotHdf5`] or [`Hdf5Error::Damaged`].
pub fn open(path: &Path) -> Result<Group, Hdf5Error> {
    let source = Arc::new(Source::open(path)?);
    let root = source.root;
    Group::at(source, root, String::new())
}

/// Opens a file that is in memory already.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(bytes: Vec<u8>) -> Result<Group, Hdf5Error> {
    let source = Arc::new(Source::of_bytes(bytes)?);
    let root = source.root;
    Group::at(source, root, String::new())
}

impl Group {
    fn at(source: Arc<Source>, address: u64, place: String) -> Result<Self, Hdf5Error> {
        let read = || {
            let header = Header::read(&source, address)?;
            let members = links::read(&source, &header)?;
            Ok((Arc::new(header), Arc::new(members)))
        };
        let result: Result<_, String> = read();
        match result {
            Ok((header, members)) => {
                Ok(Self { source, header, members, place, laid: BTreeMap::new() })
            }
            Err(reason) => {
                let place = if place.is_empty() { "/".into() } else { place };
                Err(Hdf5Error::Damaged { place, reason })
            }
        }
    }

    /// Path of this group inside the file; `/` for the root.
    pub fn place(&self) -> &str {
        if self.place.is_empty() { "/" } else { &self.place }
    }

    /// Path of a member inside the file.
    pub fn place_of(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    /// Names of the members, sorted.
    pub fn member_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Lets an array stand for a member, in this value only: [`Group::read`] gives it.
    pub(crate) fn overlay(&mut self, name: &str, array: Array) {
        self.laid.insert(name.to_owned(), array);
    }

    /// What the member of that name is; `None` where there is none.
    pub fn kind(&self, name: &str) -> Option<MemberKind> {
        if self.laid.contains_key(name) {
            return Some(MemberKind::Array);
        }
        match self.members.get(name)? {
            Link::Elsewhere => Some(MemberKind::Other),
            Link::Object(address) => Some(match Header::read(&self.source, *address) {
                Ok(header) if data::is_array(&header) => MemberKind::Array,
                Ok(header) if links::is_group(&header) => MemberKind::Group,
                _ => MemberKind::Other,
            }),
        }
    }

    /// Opens a member that is a group.
    ///
    /// # Errors
    /// [`Hdf5Error::Missing`], [`Hdf5Error::WrongType`] or [`Hdf5Error::Damaged`].
    pub fn group(&self, name: &str) -> Result<Group, Hdf5Error> {
        let (address, header) = self.member(name)?;
        if data::is_array(&header) || !links::is_group(&header) {
            return Err(self.wrong_kind(name, &header, "a group"));
        }
        Group::at(Arc::clone(&self.source), address, self.place_of(name))
    }

    /// Extents of a member that is an array, without reading it.
    ///
    /// # Errors
    /// As [`Group::read`].
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, Hdf5Error> {
        data::shape(&self.array_header(name)?)
            .map_err(|reason| Hdf5Error::Damaged { place: self.place_of(name), reason })
    }

    /// Reads an array or a scalar with the element type that is stored.
    ///
    /// Half precision becomes single precision, enumerations become integers, h5py's truth values
    /// become `bool`, fixed-length and variable-length texts become `String`.
    ///
    /// # Errors
    /// [`Hdf5Error::Missing`], [`Hdf5Error::WrongType`], [`Hdf5Error::TooLarge`] or
    /// [`Hdf5Error::Damaged`], each with the path inside the file.
    pub fn read(&self, name: &str) -> Result<Array, Hdf5Error> {
        if let Some(array) = self.laid.get(name) {
            return Ok(array.clone());
        }
        let header = self.array_header(name)?;
        data::read(&self.source, &header).map_err(|e| at_place(e, self.place_of(name)))
    }

    /// Reads a text scalar, or the first element of an array of texts.
    ///
    /// # Errors
    /// As [`Group::read`]; [`Hdf5Error::WrongType`] where it is not a text.
    pub fn read_text(&self, name: &str) -> Result<String, Hdf5Error> {
        let array = self.read(name)?;
        let found = format!("{} {:?}", array.values.type_name(), array.shape);
        let first = match array.values {
            Values::Text(texts) => texts.into_iter().next(),
            _ => None,
        };
        first.ok_or_else(|| Hdf5Error::WrongType {
            place: self.place_of(name),
            found,
            wanted: "a text".into(),
        })
    }

    /// Reads an attribute of this group; `None` where there is none.
    ///
    /// # Errors
    /// As [`Group::read`].
    pub fn read_attribute(&self, name: &str) -> Result<Option<Array>, Hdf5Error> {
        read_attribute(&self.source, &self.header, name)
            .map_err(|e| at_place(e, format!("{}@{name}", self.place())))
    }

    /// Reads an attribute of a member that is an array; `None` where there is none.
    ///
    /// # Errors
    /// As [`Group::read`].
    pub fn read_member_attribute(
        &self,
        member: &str,
        name: &str,
    ) -> Result<Option<Array>, Hdf5Error> {
        read_attribute(&self.source, &self.array_header(member)?, name)
            .map_err(|e| at_place(e, format!("{}@{name}", self.place_of(member))))
    }

    fn array_header(&self, name: &str) -> Result<Header, Hdf5Error> {
        let (_, header) = self.member(name)?;
        if data::is_array(&header) {
            return Ok(header);
        }
        Err(self.wrong_kind(name, &header, "an array"))
    }

    fn wrong_kind(&self, name: &str, header: &Header, wanted: &str) -> Hdf5Error {
        let found = match (data::is_array(header), links::is_group(header)) {
            (true, _) => "an array",
            (false, true) => "a group",
            _ => "neither a group nor an array",
        };
        let place = self.place_of(name);
        Hdf5Error::WrongType { place, found: found.into(), wanted: wanted.into() }
    }

    /// The address and header of a member.
    fn member(&self, name: &str) -> Result<(u64, Header), Hdf5Error> {
        let place = self.place_of(name);
        match self.members.get(name) {
            Some(Link::Object(address)) => match Header::read(&self.source, *address) {
                Ok(header) => Ok((*address, header)),
                Err(reason) => Err(Hdf5Error::Damaged { place, reason }),
            },
            Some(Link::Elsewhere) => Err(Hdf5Error::Damaged {
                place,
                reason: "it is a symbolic or external link, which is not followed; store the \
                         object itself"
                    .into(),
            }),
            None => {
                let known: Vec<_> = self.member_names().take(20).collect();
                let known = if known.is_empty() { "nothing".into() } else { known.join(", ") };
                Err(Hdf5Error::Missing { place, known })
            }
        }
    }
}

fn at_place(error: DataError, place: String) -> Hdf5Error {
    match error {
        DataError::TooLarge { claimed, limit } => Hdf5Error::TooLarge { place, claimed, limit },
        DataError::Reason(reason) => Hdf5Error::Damaged { place, reason },
    }
}

/// Finds and reads an attribute message (file format, IV.A.2.m).
fn read_attribute(
    source: &Source,
    header: &Header,
    wanted: &str,
) -> Result<Option<Array>, DataError> {
    if let Some(message) = header.all(ATTRIBUTE_INFO).next() {
        let mut cursor = Cursor::new(&message.content);
        cursor.skip(1)?;
        let flags = cursor.u8()?;
        cursor.skip(if flags & 1 != 0 { 2 } else { 0 })?;
        if cursor.u64()? != UNDEFINED {
            return Err(format!("its attributes are in a fractal heap, {NEWER_FORMAT}").into());
        }
    }
    for message in header.all(ATTRIBUTE) {
        let mut cursor = Cursor::new(&message.content);
        let (version, flags) = (cursor.u8()?, cursor.u8()?);
        let sizes = [cursor.u16()?, cursor.u16()?, cursor.u16()?].map(usize::from);
        cursor.skip(if version == 3 { 1 } else { 0 })?;
        let mut part = |length| {
            let bytes = cursor.take(length)?;
            if version == 1 {
                cursor.align();
            }
            Ok::<_, String>(bytes)
        };
        let (name, datatype, dataspace) = (part(sizes[0])?, part(sizes[1])?, part(sizes[2])?);
        if source::text(name).ok().as_deref() != Some(wanted) {
            continue;
        }
        if !(1..=3).contains(&version) || (version > 1 && flags != 0) || message.shared {
            return Err("the attribute is stored in a way that is not supported".into());
        }
        let element = element::Element::read(datatype)?;
        let extents = element::extents(dataspace)?;
        let shape: Vec<usize> =
            extents.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
        let bytes = data::checked_bytes(&shape, element.width(), source.size)?;
        let data = cursor.rest().get(..bytes).ok_or("the attribute ends early")?;
        return Ok(Some(Array { shape, values: element.decode(source, data)? }));
    }
    Ok(None)
}
