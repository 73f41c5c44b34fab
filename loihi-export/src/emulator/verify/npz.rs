//! Arrays of an npz archive as plain numbers.

use std::collections::BTreeMap;

use model_io::npz::{NpzLimits, read_npz};

/// Bounds on recordings: small files of a few arrays.
const LIMITS: NpzLimits = NpzLimits { array_bytes: 1 << 28, total_bytes: 1 << 30, arrays: 1 << 10 };

/// An array in C order.
#[derive(Debug, Clone)]
pub(super) struct Array {
    /// Extents; none for a single number.
    pub(super) shape: Vec<usize>,
    /// Values, row-major.
    pub(super) values: Vec<f64>,
}

/// Reads all arrays by name.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Array>, String> {
    let arrays = read_npz(bytes, LIMITS).map_err(|error| error.to_string())?;
    arrays
        .into_iter()
        .map(|(name, array)| match array.values.to_f64() {
            Some(values) => Ok((name, Array { shape: array.shape, values })),
            None => Err(format!("{name}: {} are not read as numbers", array.values.type_name())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_archives_are_refused() {
        assert!(read(b"PK\x03\x04 nothing more").is_err());
    }
}
