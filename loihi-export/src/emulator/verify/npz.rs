//! Arrays of an npz archive as plain numbers.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

/// Largest array that is unpacked in bytes.
const ARRAY_LIMIT: u64 = 1 << 28;

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
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|e| e.to_string())?;
        let name = member.name().map_err(|e| e.to_string())?.trim_end_matches(".npy").to_owned();
        let mut data = Vec::new();
        let mut limited = member.take(ARRAY_LIMIT + 1);
        limited.read_to_end(&mut data).map_err(|e| format!("{name}: {e}"))?;
        if data.len() as u64 > ARRAY_LIMIT {
            return Err(format!("{name}: larger than {ARRAY_LIMIT} bytes"));
        }
        let array = array(&data).map_err(|problem| format!("{name}: {problem}"))?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

fn array(data: &[u8]) -> Result<Array, String> {
    let file = npyz::NpyFile::new(data).map_err(|e| e.to_string())?;
    let shape: Vec<usize> = file
        .shape()
        .iter()
        .map(|&n| usize::try_from(n))
        .collect::<Result<_, _>>()
        .map_err(|_| "an extent does not fit".to_owned())?;
    let count = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    if count.is_none_or(|count| count > data.len()) {
        return Err(format!("shape {shape:?} is larger than the data"));
    }
    let fortran = file.order() == npyz::Order::Fortran;
    let values = numbers(file)?;
    let values = if fortran { c_order(&shape, &values) } else { values };
    Ok(Array { shape, values })
}

fn numbers(file: npyz::NpyFile<&[u8]>) -> Result<Vec<f64>, String> {
    macro_rules! as_numbers {
        ($file:ident, $($kind:ty),+) => {{
            let dtype = $file.dtype().descr();
            let file = $file;
            $(
                let file = match file.try_data::<$kind>() {
                    Ok(data) => {
                        let values: Result<Vec<$kind>, _> = data.collect();
                        let values = values.map_err(|e| e.to_string())?;
                        return Ok(values.into_iter().map(|value| value as f64).collect());
                    }
                    Err(file) => file,
                };
            )+
            drop(file);
            Err(format!("numbers of type {dtype} are not read"))
        }};
    }
    as_numbers!(file, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64)
}

/// Values of a column-major array in row-major order.
fn c_order(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut ordered = Vec::with_capacity(values.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..values.len() {
        let mut place = 0;
        for (&position, &extent) in index.iter().zip(shape).rev() {
            place = place * extent + position;
        }
        ordered.extend(values.get(place));
        for (position, &extent) in index.iter_mut().zip(shape).rev() {
            *position += 1;
            if *position < extent {
                break;
            }
            *position = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_major_arrays_are_turned_round() {
        let columns = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        assert_eq!(c_order(&[2, 3], &columns), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn damaged_archives_are_refused() {
        assert!(read(b"PK\x03\x04 nothing more").is_err());
        assert!(array(b"\x93NUMPY").is_err());
    }
}
