//! Object headers: the messages that describe a group or an array (file format, IV.A).

use super::source::{Cursor, Source};

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const FILL_VALUE: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL_FILES: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0b;
pub(super) const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// Pieces of one header.
const MAXIMUM_PIECES: usize = 4096;

/// One message of an object header.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: u16,
    /// Whether the content is elsewhere (committed types).
    pub(super) shared: bool,
    pub(super) content: Vec<u8>,
}

/// All messages of an object, continuations included.
#[derive(Debug)]
pub(super) struct Header {
    messages: Vec<Message>,
}

impl Header {
    /// Reads the header at an address.
    pub(super) fn read(source: &Source, address: u64) -> Result<Self, String> {
        let start = source.read(address, 16)?;
        let mut reader =
            HeaderReader { source, messages: Vec::new(), pieces: Vec::new(), total: 0 };
        if start.starts_with(b"OHDR") {
            reader.read_version_2(address)?;
        } else {
            let mut cursor = Cursor::new(&start);
            if cursor.u8()? != 1 {
                return Err(format!("no object header at {address}"));
            }
            cursor.skip(7)?;
            let length = u64::from(cursor.u32()?);
            let at = address.checked_add(16).ok_or("an address overflows")?;
            reader.read_pieces(at, length, version_1_messages)?;
        }
        Ok(Self { messages: reader.messages })
    }

    pub(super) fn all(&self, kind: u16) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |m| m.kind == kind)
    }

    pub(super) fn has(&self, kind: u16) -> bool {
        self.all(kind).next().is_some()
    }

    /// The content of a message that must be there once.
    pub(super) fn one(&self, kind: u16, what: &str) -> Result<&[u8], String> {
        match self.all(kind).next() {
            Some(message) if message.shared => Err(format!("its {what} is shared (committed)")),
            Some(message) => Ok(&message.content),
            None => Err(format!("its {what} is missing")),
        }
    }
}

struct HeaderReader<'a> {
    source: &'a Source,
    messages: Vec<Message>,
    pieces: Vec<(u64, u64)>,
    total: u64,
}

impl HeaderReader<'_> {
    fn read_version_2(&mut self, address: u64) -> Result<(), String> {
        let head = self.source.read(address, 64.min((self.source.size - address) as usize))?;
        let mut cursor = Cursor::new(&head);
        cursor.skip(5)?;
        let flags = cursor.u8()?;
        let optional =
            if flags & 0x20 != 0 { 16 } else { 0 } + if flags & 0x10 != 0 { 4 } else { 0 };
        cursor.skip(optional)?;
        let width = 1usize << (flags & 3);
        let length = cursor.number(width)?;
        let at =
            address.checked_add((6 + optional + width) as u64).ok_or("an address overflows")?;
        let ordered = flags & 4 != 0;
        self.read_pieces(at, length, move |bytes, out| version_2_messages(bytes, ordered, out))
    }

    /// Reads the first piece and all that it is continued in.
    fn read_pieces(
        &mut self,
        address: u64,
        length: u64,
        parse: impl Fn(&[u8], &mut Vec<Message>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.pieces.push((address, length));
        let mut next = 0;
        while let Some(&(address, length)) = self.pieces.get(next) {
            self.total = self.total.saturating_add(length);
            if self.total > self.source.size || self.pieces.len() > MAXIMUM_PIECES {
                return Err("an object header is larger than the file".into());
            }
            let bytes = self.source.read(address, length as usize)?;
            // Continuations of version 2 carry a signature in front and a checksum behind.
            let messages = match bytes.strip_prefix(b"OCHK") {
                Some(rest) if next > 0 => rest.get(..rest.len().saturating_sub(4)),
                _ => Some(bytes.as_slice()),
            };
            let mut found = Vec::new();
            parse(messages.unwrap_or_default(), &mut found)?;
            for message in found {
                if message.kind == CONTINUATION {
                    let mut cursor = Cursor::new(&message.content);
                    self.pieces.push((cursor.u64()?, cursor.u64()?));
                } else {
                    self.messages.push(message);
                }
            }
            next += 1;
        }
        Ok(())
    }
}

fn version_1_messages(bytes: &[u8], out: &mut Vec<Message>) -> Result<(), String> {
    let mut cursor = Cursor::new(bytes);
    while cursor.rest().len() >= 8 {
        let kind = cursor.u16()?;
        let length = usize::from(cursor.u16()?);
        let shared = cursor.u8()? & 2 != 0;
        cursor.skip(3)?;
        out.push(Message { kind, shared, content: cursor.take(length)?.to_vec() });
    }
    Ok(())
}

fn version_2_messages(bytes: &[u8], ordered: bool, out: &mut Vec<Message>) -> Result<(), String> {
    let mut cursor = Cursor::new(bytes);
    let head = if ordered { 6 } else { 4 };
    while cursor.rest().len() >= head {
        let kind = u16::from(cursor.u8()?);
        let length = usize::from(cursor.u16()?);
        let shared = cursor.u8()? & 2 != 0;
        cursor.skip(head - 4)?;
        out.push(Message { kind, shared, content: cursor.take(length)?.to_vec() });
    }
    Ok(())
}
