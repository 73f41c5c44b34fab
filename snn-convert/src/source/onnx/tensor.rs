//! Tensors of constants, checked.

use super::error::OnnxError;
use super::external::{ExternalData, Place};
use super::message::{TensorProto, element_type};
use crate::source::half;

/// Stands for the batch extent in what `Shape` gives: no number may be computed from it.
///
/// No extent and no limit of a real file: exporters write `i64::MIN + 1` for "to the start".
pub const BATCH: i64 = i64::MIN + 0x5eed_ba7c;

/// The elements of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers: shapes, axes, indices.
    Integers(Vec<i64>),
}

impl Elements {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Integers(values) => values.len(),
        }
    }
}

/// A tensor of constants whose extents and elements agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name in the file.
    pub name: String,
    /// Extents; empty for a single number.
    pub extents: Vec<usize>,
    /// Elements in C order, as many as the extents say.
    pub elements: Elements,
}

impl Tensor {
    /// A list of whole numbers.
    pub fn integers(name: &str, values: Vec<i64>) -> Self {
        let extents = vec![values.len()];
        Self { name: name.to_owned(), extents, elements: Elements::Integers(values) }
    }

    /// A single whole number.
    pub fn integer(name: &str, value: i64) -> Self {
        let elements = Elements::Integers(vec![value]);
        Self { name: name.to_owned(), extents: Vec::new(), elements }
    }

    /// The number of elements; `None` where the product of the extents that are not 0 overflows.
    pub fn size(extents: &[usize]) -> Option<usize> {
        let product = extents.iter().try_fold(1_usize, |p, &extent| p.checked_mul(extent.max(1)));
        if extents.contains(&0) { product.map(|_| 0) } else { product }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`OnnxError::Tensor`] where extents are negative or too large or disagree with the data,
    /// the element type is unknown, or the data lie in another file that cannot be read.
    pub fn read(
        proto: &TensorProto,
        name: &str,
        external: &dyn ExternalData,
    ) -> Result<Self, OnnxError> {
        let fail = |problem| Err(OnnxError::Tensor { tensor: name.to_owned(), problem });
        let mut extents = Vec::with_capacity(proto.dims.len());
        for &extent in &proto.dims {
            match usize::try_from(extent) {
                Ok(extent) => extents.push(extent),
                Err(_) => return fail(format!("extent {extent} in {:?}", proto.dims)),
            }
        }
        // The elements were decoded from bytes that are there, so this product allocates nothing.
        let Some(size) = Self::size(&extents) else {
            return fail(format!("the extents {:?} overflow", proto.dims));
        };
        let outside = proto.data_location == Some(1) || !proto.external_data.is_empty();
        let elements = match outside {
            true => from_outside(proto, size, external),
            false => elements(proto, proto.raw_data.as_deref()),
        };
        let elements = match elements {
            Ok(elements) => elements,
            Err(problem) => return fail(problem),
        };
        let got = elements.len();
        if got != size {
            let dims = &proto.dims;
            return fail(format!(
                "{got} elements are stored, but the extents {dims:?} need {size}"
            ));
        }
        Ok(Self { name: name.to_owned(), extents, elements })
    }
}

/// Reads elements from another file: exactly as many bytes as the extents need.
fn from_outside(
    proto: &TensorProto,
    size: usize,
    external: &dyn ExternalData,
) -> Result<Elements, String> {
    let kind = proto.data_type.unwrap_or(0);
    let Some(width) = width(kind) else { return Err(unknown(kind)) };
    let bytes = (size as u64).checked_mul(width).ok_or("its extents overflow")?;
    let place = Place::read(proto, bytes)?;
    let raw = external.read(&place)?;
    if raw.len() as u64 != bytes {
        let (file, got) = (&place.file, raw.len());
        return Err(format!("`{file}` gave {got} of its {bytes} bytes"));
    }
    elements(proto, Some(&raw))
}

/// Bytes of one stored element.
fn width(kind: i32) -> Option<u64> {
    use element_type::*;
    match kind {
        BOOL | UINT8 | INT8 => Some(1),
        UINT16 | INT16 | FLOAT16 | BFLOAT16 => Some(2),
        FLOAT | INT32 | UINT32 => Some(4),
        DOUBLE | INT64 | UINT64 => Some(8),
        _ => None,
    }
}

fn elements(proto: &TensorProto, raw: Option<&[u8]>) -> Result<Elements, String> {
    use element_type::*;
    let raw = raw.filter(|raw| !raw.is_empty());
    let float = |values: Vec<f32>| Ok(Elements::Floats(values));
    let integer = |values: Vec<i64>| Ok(Elements::Integers(values));
    let narrow = || proto.int32_data.iter().map(|&value| i64::from(value)).collect::<Vec<i64>>();
    // Half precision without raw bytes lies in the low bits of `int32_data`.
    let halves = || proto.int32_data.iter().map(|&bits| bits as u16).collect::<Vec<u16>>();
    match (proto.data_type.unwrap_or(0), raw) {
        (FLOAT, Some(raw)) => float(numbers(raw, f32::from_le_bytes)?),
        (FLOAT, None) => float(proto.float_data.clone()),
        (DOUBLE, raw) => {
            let values = match raw {
                Some(raw) => numbers(raw, f64::from_le_bytes)?,
                None => proto.double_data.clone(),
            };
            float(values.into_iter().map(|value| value as f32).collect())
        }
        (kind @ (FLOAT16 | BFLOAT16), raw) => {
            let bits = match raw {
                Some(raw) => numbers(raw, u16::from_le_bytes)?,
                None => halves(),
            };
            let wide = if kind == FLOAT16 { half::from_half } else { half::from_brain };
            float(bits.into_iter().map(wide).collect())
        }
        (INT64, Some(raw)) => integer(numbers(raw, i64::from_le_bytes)?),
        (INT64, None) => integer(proto.int64_data.clone()),
        (INT32, Some(raw)) => integer(widened(raw, i32::from_le_bytes)?),
        (UINT32, Some(raw)) => integer(widened(raw, u32::from_le_bytes)?),
        (INT16, Some(raw)) => integer(widened(raw, i16::from_le_bytes)?),
        (UINT16, Some(raw)) => integer(widened(raw, u16::from_le_bytes)?),
        (INT8, Some(raw)) => integer(widened(raw, i8::from_le_bytes)?),
        (BOOL | UINT8, Some(raw)) => integer(widened(raw, u8::from_le_bytes)?),
        (INT32 | BOOL | INT16 | UINT16 | INT8 | UINT8, None) => integer(narrow()),
        (other, _) => Err(unknown(other)),
    }
}

fn unknown(kind: i32) -> String {
    format!(
        "its elements are {}; floats of 16, 32 and 64 bits, integers of up to 64 and bool can be \
         read: convert the model to float32 before the export",
        element_type::name(kind)
    )
}

fn widened<T: Into<i64>, const N: usize>(
    raw: &[u8],
    from: impl Fn([u8; N]) -> T,
) -> Result<Vec<i64>, String> {
    Ok(numbers(raw, from)?.into_iter().map(Into::into).collect())
}

fn numbers<T, const N: usize>(raw: &[u8], from: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    if !raw.len().is_multiple_of(N) {
        return Err(format!("{} bytes are no whole number of {N}-byte elements", raw.len()));
    }
    Ok(raw.chunks_exact(N).filter_map(|chunk| chunk.try_into().ok()).map(from).collect())
}
