//! Named tensors, as files of weights hold them.

use indexmap::IndexMap;

use super::SourceError;
use super::half;

/// A tensor of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Extents, slowest first.
    pub shape: Vec<usize>,
    /// Elements in C order, as many as the product of the extents.
    pub values: Vec<f32>,
}

impl WeightTensor {
    /// A tensor whose extents fit its elements.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        (size(&shape) == Some(values.len())).then_some(Self { shape, values })
    }
}

/// The product of extents; `None` where that of the extents that are not 0 overflows.
pub fn size(shape: &[usize]) -> Option<usize> {
    let product = shape.iter().try_fold(1_usize, |p, &extent| p.checked_mul(extent.max(1)));
    if shape.contains(&0) { product.map(|_| 0) } else { product }
}

/// All tensors of a file, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    /// The tensors by name.
    pub tensors: IndexMap<String, WeightTensor>,
    /// Whether the order is that in which the network's layers were made.
    pub in_order: bool,
}

impl StateDict {
    /// One tensor.
    ///
    /// # Errors
    /// [`SourceError::Tensor`] with the names that are there.
    pub fn get(&self, name: &str) -> Result<&WeightTensor, SourceError> {
        self.tensors.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
            let known = sim_core::diagnostics::known_names(name, &known);
            SourceError::Tensor {
                tensor: name.to_owned(),
                problem: format!("it is not there; {known}"),
            }
        })
    }
}

/// The type of stored elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a 32-bit float.
    BF16,
    /// Signed integers of 8, 16, 32, 64 bits.
    I8,
    /// 16 bits.
    I16,
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// Unsigned 8 bits.
    U8,
    /// Truth values of 8 bits.
    Bool,
}

impl Element {
    /// Bytes of one element.
    pub fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The elements of little-endian bytes, as single precision; a rest that is no whole element
    /// is left out.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.chunks_exact(N).filter_map(|c| c.try_into().ok()).map(from).collect()
        }
        match self {
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F16 => each(bytes, |b| half::from_half(u16::from_le_bytes(b))),
            Self::BF16 => each(bytes, |b| half::from_brain(u16::from_le_bytes(b))),
            Self::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
            Self::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::I16 => each(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Self::I8 => each(bytes, |b| f32::from(i8::from_le_bytes(b))),
            Self::U8 | Self::Bool => each(bytes, |b| f32::from(u8::from_le_bytes(b))),
        }
    }
}
