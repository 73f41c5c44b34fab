//! Files from before PyTorch 1.6, and of `_use_new_zipfile_serialization=False`: pickles in a row,
//! then the storages.
//!
//! The pickles are a magic number, the protocol's number, facts on the machine that wrote the file,
//! the object, and the keys of the storages. Each storage follows as a number of elements in eight
//! bytes and the elements.
//!
//! Reference: `_legacy_save` in torch/serialization.py of PyTorch 2.6 (format only).

use std::collections::HashMap;

use super::pickle::{self, Object, Objects, Value};
use super::{Storages, damaged};
use crate::source::SourceError;

/// PROTO 2, LONG1 of 10 bytes, 0x1950a86a20f9469cfc6c, STOP: a pickle of the magic number.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// Whether bytes start with the magic number of the old format.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The storages of a file.
pub struct Legacy<'a> {
    bytes: &'a [u8],
    /// Where the elements of each storage begin.
    places: HashMap<String, usize>,
    big_endian: bool,
}

/// The objects of a file, and its storages.
///
/// # Errors
/// [`SourceError`] as of [`pickle::run`], and where a storage reaches beyond the file.
pub fn open(bytes: &[u8]) -> Result<(Objects, Legacy<'_>), SourceError> {
    let mut at = MAGIC.len().min(bytes.len());
    let mut part = || -> Result<Objects, SourceError> {
        let (objects, taken) = pickle::run_first(&bytes[at..])?;
        at += taken;
        Ok(objects)
    };
    let (_protocol, system, objects, keys) = (part()?, part()?, part()?, part()?);
    let mut legacy = Legacy { bytes, places: HashMap::new(), big_endian: is_big_endian(&system) };
    let widths: HashMap<&str, usize> = objects
        .all
        .iter()
        .filter_map(|object| match object {
            Object::Storage { element, key, .. } => Some((key.as_str(), element.width())),
            _ => None,
        })
        .collect();
    let Some(Object::List(keys_in_order)) = keys.get(keys.result) else {
        return Err(damaged("its storages have no keys"));
    };
    for &key in keys_in_order {
        let key = keys.text(key).ok_or_else(|| damaged("a storage's key is no text"))?;
        let width = widths.get(key).ok_or_else(|| damaged("a storage belongs to no tensor"))?;
        let ends = || damaged(format!("storage `{key:.40}` reaches beyond the file"));
        let header = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).ok_or_else(ends)?;
        let count = match legacy.big_endian {
            true => u64::from_be_bytes(*header),
            false => u64::from_le_bytes(*header),
        };
        let start = at + header.len();
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(*width));
        let end = length.and_then(|length| start.checked_add(length));
        at = end.filter(|&end| end <= bytes.len()).ok_or_else(ends)?;
        legacy.places.insert(key.to_string(), start);
    }
    Ok((objects, legacy))
}

fn is_big_endian(system: &Objects) -> bool {
    let Some(Object::Dict(entries)) = system.get(system.result) else { return false };
    entries.iter().any(|&(key, value)| {
        system.text(key) == Some("little_endian") && value == Value::Bool(false)
    })
}

impl Storages for Legacy<'_> {
    fn storage(&mut self, key: &str, bytes: u64) -> Result<Vec<u8>, SourceError> {
        let missing = || damaged(format!("storage `{key:.40}` is missing"));
        let &start = self.places.get(key).ok_or_else(missing)?;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        let end = start.checked_add(length);
        let content = end.and_then(|end| self.bytes.get(start..end));
        content.map(<[u8]>::to_vec).ok_or_else(missing)
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn pickle_length(&self) -> u64 {
        self.bytes.len() as u64
    }
}
