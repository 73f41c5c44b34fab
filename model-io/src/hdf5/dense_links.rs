//! Members of groups with more than eight links in the format of HDF5 1.8: a version 2 tree of
//! references into a fractal heap (file format, III.A.2, III.G).

use super::source::{Cursor, Source, UNDEFINED};

/// A tree of this height does not fit in any file.
const MAXIMUM_DEPTH: usize = 8;
/// Bytes of a node that are no records: signature, version, type, checksum.
const NODE_OVERHEAD: usize = 10;

/// The link messages of a group.
pub(super) fn read(source: &Source, heap: u64, tree: u64) -> Result<Vec<Vec<u8>>, String> {
    if tree == UNDEFINED {
        return Err("a group's members have no index".into());
    }
    let heap = FractalHeap::open(source, heap)?;
    let tree = Tree::open(source, tree)?;
    let mut references = Vec::new();
    tree.node(tree.root, tree.root_records, tree.depth, &mut references)?;
    references.iter().map(|reference| heap.object(reference)).collect()
}

/// The index by name: records of a hash and a heap reference.
struct Tree<'a> {
    source: &'a Source,
    node_size: usize,
    record_size: usize,
    depth: usize,
    root: u64,
    root_records: usize,
    /// Bytes of a child's number of records, and of all records below a child of each level.
    count_width: usize,
    total_widths: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn open(source: &'a Source, address: u64) -> Result<Self, String> {
        let head = source.read(address, 38)?;
        let mut cursor = Cursor::new(&head);
        // Type 5: links by the hash of their name.
        if cursor.take(6)? != b"BTHD\0\x05" {
            return Err(format!("no index of members at {address}"));
        }
        let node_size = cursor.u32()? as usize;
        let record_size = usize::from(cursor.u16()?);
        let depth = usize::from(cursor.u16()?);
        cursor.skip(2)?;
        let (root, root_records) = (cursor.u64()?, usize::from(cursor.u16()?));
        let fits = record_size > 4 && node_size > NODE_OVERHEAD + record_size;
        if !fits || depth > MAXIMUM_DEPTH || node_size as u64 > source.size {
            return Err("the index of members has impossible sizes".into());
        }
        let leaf = (node_size - NODE_OVERHEAD) / record_size;
        let count_width = encoded_width(leaf as u64);
        let mut total_widths = vec![0];
        let mut total = leaf as u64;
        for level in 1..=depth {
            let pointer = 8 + count_width + total_widths[level - 1];
            let room = node_size.saturating_sub(NODE_OVERHEAD + pointer);
            let records = (room / (record_size + pointer)) as u64;
            total = (records + 1).saturating_mul(total).saturating_add(records);
            total_widths.push(encoded_width(total));
        }
        let tree = Self {
            source,
            node_size,
            record_size,
            depth,
            root,
            root_records,
            count_width,
            total_widths,
        };
        Ok(tree)
    }

    /// Collects the heap references of a node and all below it.
    fn node(
        &self,
        address: u64,
        records: usize,
        level: usize,
        out: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        if records == 0 && level == 0 {
            return Ok(());
        }
        let bytes = self.source.read(address, self.node_size)?;
        let mut cursor = Cursor::new(&bytes);
        let signature: &[u8] = if level == 0 { b"BTLF\0\x05" } else { b"BTIN\0\x05" };
        if cursor.take(6)? != signature {
            return Err(format!("no node of members at {address}"));
        }
        for _ in 0..records {
            // The hash of the name comes first.
            let record = cursor.take(self.record_size)?;
            out.push(record[4..].to_vec());
        }
        // Every member has its record, so there are not more than fit in the file.
        if out.len() as u64 > self.source.size / self.record_size as u64 {
            return Err("the index of members leads back to itself".into());
        }
        if let Some(below) = level.checked_sub(1) {
            for _ in 0..=records {
                let (child, count) = (cursor.u64()?, cursor.number(self.count_width)? as usize);
                cursor.skip(self.total_widths.get(below).copied().unwrap_or(0))?;
                self.node(child, count, below, out)?;
            }
        }
        Ok(())
    }
}

/// Bytes that the library uses for numbers up to `limit`.
fn encoded_width(limit: u64) -> usize {
    (limit.max(1).ilog2() / 8 + 1) as usize
}

/// A heap of blocks whose sizes double from row to row.
struct FractalHeap<'a> {
    source: &'a Source,
    offset_width: usize,
    length_width: usize,
    row_width: u64,
    first_block: u64,
    largest_direct: u64,
    root: u64,
    /// Rows of the root; 0 where it is a single block.
    rows: u16,
}

impl<'a> FractalHeap<'a> {
    fn open(source: &'a Source, address: u64) -> Result<Self, String> {
        let head = source.read(address, 142)?;
        let mut cursor = Cursor::new(&head);
        if cursor.take(5)? != b"FRHP\0" {
            return Err(format!("no heap of members at {address}"));
        }
        let (reference, filters) = (usize::from(cursor.u16()?), cursor.u16()?);
        if filters != 0 {
            return Err("a compressed heap of members is not supported".into());
        }
        // Flags, the largest object, and twelve counts and addresses that are not needed.
        cursor.skip(1 + 4 + 12 * 8)?;
        let row_width = u64::from(cursor.u16()?);
        let (first_block, largest_direct) = (cursor.u64()?, cursor.u64()?);
        let bits = usize::from(cursor.u16()?);
        cursor.skip(2)?;
        let (root, rows) = (cursor.u64()?, cursor.u16()?);
        let offset_width = bits.div_ceil(8);
        let length_width = reference.saturating_sub(1 + offset_width);
        let fits = (1..=8).contains(&offset_width) && (1..=8).contains(&length_width);
        if !fits || row_width == 0 || first_block == 0 || largest_direct < first_block {
            return Err("the heap of members has impossible sizes".into());
        }
        let heap = Self {
            source,
            offset_width,
            length_width,
            row_width,
            first_block,
            largest_direct,
            root,
            rows,
        };
        Ok(heap)
    }

    /// The object of a reference: its offset in the heap's space and its length.
    fn object(&self, reference: &[u8]) -> Result<Vec<u8>, String> {
        let mut cursor = Cursor::new(reference);
        if cursor.u8()? & 0xf0 != 0 {
            return Err("a member's name is stored in a way that is not supported".into());
        }
        let offset = cursor.number(self.offset_width)?;
        let length = cursor.number(self.length_width)?;
        let (address, inside, room) = self.locate(offset)?;
        if length > room.saturating_sub(inside) {
            return Err("a member leaves its block of the heap".into());
        }
        let at = address.checked_add(inside).ok_or("an address overflows")?;
        self.source.read(at, length as usize)
    }

    /// The direct block of an offset: its address, the offset inside it, and its size.
    fn locate(&self, offset: u64) -> Result<(u64, u64, u64), String> {
        if self.rows == 0 {
            return Ok((self.root, offset, self.first_block));
        }
        let (mut block, mut inside) = (self.root, offset);
        // Blocks inside blocks get smaller, so a few turns reach a direct one.
        for _ in 0..64 {
            let (entry, start, size) = self.entry(inside)?;
            let header = 5 + 8 + self.offset_width as u64;
            let at = entry.checked_mul(8).and_then(|e| e.checked_add(block)?.checked_add(header));
            if self.source.read(block, 5)? != b"FHIB\0" {
                return Err(format!("no list of heap blocks at {block}"));
            }
            let bytes = self.source.read(at.ok_or("an address overflows")?, 8)?;
            let child = Cursor::new(&bytes).u64()?;
            inside -= start;
            if size <= self.largest_direct {
                return Ok((child, inside, size));
            }
            block = child;
        }
        Err("the heap of members is nested too deeply".into())
    }

    /// Which entry of a list of blocks holds an offset: its number, start and size.
    fn entry(&self, offset: u64) -> Result<(u64, u64, u64), String> {
        let (mut size, mut start) = (self.first_block, 0u64);
        for row in 0u64..64 {
            // The first two rows have blocks of the same size, then they double.
            if row > 1 {
                size = size.checked_mul(2).ok_or("the heap of members is too large")?;
            }
            let span =
                size.checked_mul(self.row_width).ok_or("the heap of members is too large")?;
            if offset - start < span {
                let column = (offset - start) / size;
                return Ok((row * self.row_width + column, start + column * size, size));
            }
            start = start.checked_add(span).ok_or("the heap of members is too large")?;
        }
        Err("a member is outside the heap".into())
    }
}
