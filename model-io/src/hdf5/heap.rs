//! Variable-length texts in the global heap (file format, III.E).
//!
//! A stored element is 16 bytes: its length, and the address and index of an object in a heap
//! collection. Both the element and the object state a length; neither is believed.

use std::collections::HashMap;

use super::source::{Cursor, Source, text};

/// All texts of one array together.
const MAXIMUM_TEXT_BYTES: u64 = 1 << 26;

/// The collections of the global heap that one array needs.
pub(super) struct Heap<'a> {
    source: &'a Source,
    collections: HashMap<u64, Collection>,
    /// Bytes of collections read so far; distinct collections cannot exceed the file.
    loaded: u64,
}

struct Collection {
    bytes: Vec<u8>,
    /// Object index → start and length in `bytes`.
    objects: HashMap<u16, (usize, usize)>,
}

impl<'a> Heap<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, collections: HashMap::new(), loaded: 0 }
    }

    /// The texts of stored elements.
    pub(super) fn texts(&mut self, stored: &[u8]) -> Result<Vec<String>, String> {
        let mut total = 0u64;
        let mut texts = Vec::with_capacity(stored.len() / 16);
        for element in stored.chunks_exact(16) {
            let mut cursor = Cursor::new(element);
            let (length, address, index) = (cursor.u32()?, cursor.u64()?, cursor.u32()?);
            total += u64::from(length);
            if total > MAXIMUM_TEXT_BYTES {
                return Err(format!("its texts are longer than {MAXIMUM_TEXT_BYTES} bytes"));
            }
            texts.push(self.text(length as usize, address, index)?);
        }
        Ok(texts)
    }

    fn text(&mut self, length: usize, address: u64, index: u32) -> Result<String, String> {
        if length == 0 {
            return Ok(String::new());
        }
        if !self.collections.contains_key(&address) {
            let collection = self.load(address)?;
            self.collections.insert(address, collection);
        }
        let missing = || format!("object {index} of the heap at {address} does not exist");
        let collection = self.collections.get(&address).ok_or_else(missing)?;
        let object = u16::try_from(index).ok().and_then(|i| collection.objects.get(&i));
        let &(start, available) = object.ok_or_else(missing)?;
        if length > available {
            return Err(format!("a text of {length} bytes has {available} in the heap"));
        }
        text(collection.bytes.get(start..start + length).unwrap_or_default())
    }

    fn load(&mut self, address: u64) -> Result<Collection, String> {
        let head = self.source.read(address, 16)?;
        if !head.starts_with(b"GCOL\x01") {
            return Err(format!("no heap of texts at {address}"));
        }
        let length = Cursor::new(&head[8..]).u64()?;
        self.loaded = self.loaded.saturating_add(length);
        if self.loaded > self.source.size {
            return Err("heaps of texts are larger than the file".into());
        }
        let bytes = self.source.read(address, length as usize)?;
        let mut objects = HashMap::new();
        let mut position = 16usize;
        // An object: index, references, unused, length, content padded to 8.
        while let Some(head) = bytes.get(position..position + 16) {
            let mut cursor = Cursor::new(head);
            let index = cursor.u16()?;
            cursor.skip(6)?;
            let length = usize::try_from(cursor.u64()?).unwrap_or(usize::MAX);
            let start = position + 16;
            if index == 0 {
                break;
            }
            if length > bytes.len() - start {
                return Err(format!("object {index} leaves the heap at {address}"));
            }
            objects.entry(index).or_insert((start, length));
            position = start + length.next_multiple_of(8);
        }
        Ok(Collection { bytes, objects })
    }
}
