//! The members of a group: symbol tables and link messages (file format, III.A.1, III.C, IV.A.2.g).

use std::collections::BTreeMap;

use super::MAXIMUM_MEMBERS;
use super::dense_links;
use super::header::{Header, LINK, LINK_INFO, SYMBOL_TABLE};
use super::source::{Cursor, Source, UNDEFINED, text};

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// An object header of this file.
    Object(u64),
    /// A path or another file; never followed.
    Elsewhere,
}

/// Whether an object is a group.
pub(super) fn is_group(header: &Header) -> bool {
    header.has(SYMBOL_TABLE) || header.has(LINK_INFO)
}

/// The members of a group by name.
pub(super) fn read(source: &Source, header: &Header) -> Result<BTreeMap<String, Link>, String> {
    let mut links = BTreeMap::new();
    if header.has(SYMBOL_TABLE) {
        let mut cursor = Cursor::new(header.one(SYMBOL_TABLE, "symbol table")?);
        let (tree, heap) = (cursor.u64()?, cursor.u64()?);
        let names = heap_data(source, heap)?;
        let mut walk = Walk { source, names: &names, links: &mut links, nodes: 0 };
        walk.tree(tree, None)?;
    }
    if header.has(LINK_INFO) {
        let mut cursor = Cursor::new(header.one(LINK_INFO, "link information")?);
        cursor.skip(1)?;
        let flags = cursor.u8()?;
        cursor.skip(if flags & 1 != 0 { 8 } else { 0 })?;
        let (heap, tree) = (cursor.u64()?, cursor.u64()?);
        if heap != UNDEFINED {
            for message in dense_links::read(source, heap, tree)? {
                let (name, link) = link_message(&message)?;
                links.insert(name, link);
            }
        }
    }
    for message in header.all(LINK) {
        let (name, link) = link_message(&message.content)?;
        links.insert(name, link);
    }
    Ok(links)
}

/// The names' bytes of a symbol table.
fn heap_data(source: &Source, address: u64) -> Result<Vec<u8>, String> {
    let head = source.read(address, 32)?;
    if !head.starts_with(b"HEAP\0") {
        return Err(format!("no heap of names at {address}"));
    }
    let mut cursor = Cursor::new(&head);
    cursor.skip(8)?;
    let length = cursor.u64()?.min(source.size.saturating_add(1));
    cursor.skip(8)?;
    source.read(cursor.u64()?, length as usize)
}

struct Walk<'a> {
    source: &'a Source,
    names: &'a [u8],
    links: &'a mut BTreeMap<String, Link>,
    nodes: u64,
}

impl Walk<'_> {
    /// A node of the tree; `level` is what its parent says.
    fn tree(&mut self, address: u64, level: Option<u8>) -> Result<(), String> {
        self.count_node()?;
        let (found, children) = tree_node(self.source, address, 0, 8, self.source.fan_out.groups)?;
        if level.is_some_and(|level| level != found) {
            return Err("the index of a group has a wrong level".into());
        }
        for (_, child) in children {
            match found.checked_sub(1) {
                Some(below) => self.tree(child, Some(below))?,
                None => self.symbols(child)?,
            }
        }
        Ok(())
    }

    /// A leaf with names and addresses.
    fn symbols(&mut self, address: u64) -> Result<(), String> {
        self.count_node()?;
        let head = self.source.read(address, 8)?;
        if !head.starts_with(b"SNOD\x01") {
            return Err(format!("no list of members at {address}"));
        }
        let count = usize::from(u16::from_le_bytes([head[6], head[7]]));
        if count > self.source.fan_out.symbols {
            return Err(format!("a list of {count} members is longer than the file allows"));
        }
        let start = address.checked_add(8).ok_or("an address overflows")?;
        let bytes = self.source.read(start, count * 40)?;
        for entry in bytes.chunks_exact(40) {
            let mut cursor = Cursor::new(entry);
            let name = usize::try_from(cursor.u64()?).unwrap_or(usize::MAX);
            let object = cursor.u64()?;
            // Kind 2 is a symbolic link.
            let link = if cursor.u32()? == 2 { Link::Elsewhere } else { Link::Object(object) };
            let name = self.names.get(name..).ok_or("a member's name is outside the heap")?;
            self.links.insert(text(name)?, link);
        }
        if self.links.len() as u64 > MAXIMUM_MEMBERS {
            return Err(format!("more than {MAXIMUM_MEMBERS} members"));
        }
        Ok(())
    }

    /// Nodes are not shared, so there cannot be more than fit in the file.
    fn count_node(&mut self) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > self.source.size / 8 {
            return Err("the index of a group leads back to itself".into());
        }
        Ok(())
    }
}

/// A node's level and its (key, child) pairs.
pub(super) type TreeNode = (u8, Vec<(Vec<u8>, u64)>);

/// A version 1 tree node.
pub(super) fn tree_node(
    source: &Source,
    address: u64,
    kind: u8,
    key_width: usize,
    fan_out: usize,
) -> Result<TreeNode, String> {
    let head = source.read(address, 24)?;
    if !head.starts_with(b"TREE") || head[4] != kind {
        return Err(format!("no index node at {address}"));
    }
    let (level, count) = (head[5], usize::from(u16::from_le_bytes([head[6], head[7]])));
    // Trees of this height do not fit in any file; it also bounds the recursion.
    if count > fan_out || level > 32 {
        return Err(format!("an index node has {count} children at level {level}"));
    }
    let start = address.checked_add(24).ok_or("an address overflows")?;
    let bytes = source.read(start, count * (key_width + 8))?;
    let mut cursor = Cursor::new(&bytes);
    let mut children = Vec::with_capacity(count);
    for _ in 0..count {
        children.push((cursor.take(key_width)?.to_vec(), cursor.u64()?));
    }
    Ok((level, children))
}

fn link_message(content: &[u8]) -> Result<(String, Link), String> {
    let mut cursor = Cursor::new(content);
    if cursor.u8()? != 1 {
        return Err("a link has an unknown version".into());
    }
    let flags = cursor.u8()?;
    let kind = if flags & 8 != 0 { cursor.u8()? } else { 0 };
    cursor.skip(if flags & 4 != 0 { 8 } else { 0 })?;
    cursor.skip(if flags & 16 != 0 { 1 } else { 0 })?;
    let length = cursor.number(1 << (flags & 3))?;
    let name = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    let link = if kind == 0 { Link::Object(cursor.u64()?) } else { Link::Elsewhere };
    Ok((text(name)?, link))
}
