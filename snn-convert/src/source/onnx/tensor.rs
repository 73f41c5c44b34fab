//! Tensors of constants, checked.

use super::error::OnnxError;
use super::message::{TensorProto, element_type};

/// The elements of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers: shapes, axes, indices.
    Integers(Vec<i64>),
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

    /// Reads a message.
    ///
    /// # Errors
    /// [`OnnxError::Tensor`] where extents are negative or too large or disagree with the data,
    /// the element type is unknown, or the data lie in another file.
    pub fn read(proto: &TensorProto, name: &str) -> Result<Self, OnnxError> {
        let fail = |problem| Err(OnnxError::Tensor { tensor: name.to_owned(), problem });
        if proto.data_location == Some(1) || !proto.external_data.is_empty() {
            return fail(external(proto));
        }
        let mut extents = Vec::with_capacity(proto.dims.len());
        for &extent in &proto.dims {
            match usize::try_from(extent) {
                Ok(extent) => extents.push(extent),
                Err(_) => return fail(format!("extent {extent} in {:?}", proto.dims)),
            }
        }
        // The elements were decoded from bytes that are there, so this product allocates nothing.
        let size = extents.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent));
        let Some(size) = size else {
            return fail(format!("the extents {:?} overflow", proto.dims));
        };
        let elements = match elements(proto) {
            Ok(elements) => elements,
            Err(problem) => return fail(problem),
        };
        let got = match &elements {
            Elements::Floats(values) => values.len(),
            Elements::Integers(values) => values.len(),
        };
        if got != size {
            let dims = &proto.dims;
            return fail(format!(
                "{got} elements are stored, but the extents {dims:?} need {size}"
            ));
        }
        Ok(Self { name: name.to_owned(), extents, elements })
    }
}

fn external(proto: &TensorProto) -> String {
    let is_location = |entry: &&_| {
        let entry: &super::message::StringStringEntryProto = entry;
        entry.key.as_deref() == Some("location")
    };
    let location = proto.external_data.iter().find(is_location);
    let file = location.and_then(|entry| entry.value.as_deref()).unwrap_or("another file");
    format!(
        "its values are stored in `{file}` beside the model, which is not read; export the model \
         as one file (`external_data=False` in `torch.onnx.export`)"
    )
}

fn elements(proto: &TensorProto) -> Result<Elements, String> {
    let raw = proto.raw_data.as_deref().filter(|raw| !raw.is_empty());
    let float = |values: Vec<f32>| Ok(Elements::Floats(values));
    let integer = |values: Vec<i64>| Ok(Elements::Integers(values));
    match (proto.data_type.unwrap_or(0), raw) {
        (element_type::FLOAT, Some(raw)) => float(numbers(raw, f32::from_le_bytes)?),
        (element_type::FLOAT, None) => float(proto.float_data.clone()),
        (element_type::DOUBLE, raw) => {
            let values = match raw {
                Some(raw) => numbers(raw, f64::from_le_bytes)?,
                None => proto.double_data.clone(),
            };
            float(values.into_iter().map(|value| value as f32).collect())
        }
        (element_type::INT64, Some(raw)) => integer(numbers(raw, i64::from_le_bytes)?),
        (element_type::INT64, None) => integer(proto.int64_data.clone()),
        (element_type::INT32, Some(raw)) => {
            integer(numbers(raw, i32::from_le_bytes)?.into_iter().map(i64::from).collect())
        }
        (element_type::BOOL, Some(raw)) => integer(raw.iter().map(|&b| i64::from(b)).collect()),
        (element_type::INT32 | element_type::BOOL, None) => {
            integer(proto.int32_data.iter().map(|&value| i64::from(value)).collect())
        }
        (other, _) => Err(format!(
            "its elements are {}; float32, float64, int32, int64 and bool can be read: convert the \
             model to float32 before the export",
            element_type::name(other)
        )),
    }
}

fn numbers<T, const N: usize>(raw: &[u8], from: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    if !raw.len().is_multiple_of(N) {
        return Err(format!("{} bytes are no whole number of {N}-byte elements", raw.len()));
    }
    Ok(raw.chunks_exact(N).filter_map(|chunk| chunk.try_into().ok()).map(from).collect())
}
