//! An array whose element type is known only when the file is read.

/// A dense array in C order with the element type that its file stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Extents, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements in C order, as many as the product of `shape`.
    pub values: Values,
}

/// The elements of an [`Array`].
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Truth values.
    Bool(Vec<bool>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Single-precision numbers; half precision is widened to these when it is read.
    F32(Vec<f32>),
    /// Double-precision numbers.
    F64(Vec<f64>),
    /// Texts (HDF5 only).
    Text(Vec<String>),
}

/// Runs the same expression for every numeric element type.
macro_rules! for_numbers {
    ($values:expr, $v:ident => $number:expr, bool $b:ident => $bool:expr, text => $text:expr) => {
        match $values {
            Values::Bool($b) => $bool,
            Values::I8($v) => $number,
            Values::I16($v) => $number,
            Values::I32($v) => $number,
            Values::I64($v) => $number,
            Values::U8($v) => $number,
            Values::U16($v) => $number,
            Values::U32($v) => $number,
            Values::U64($v) => $number,
            Values::F32($v) => $number,
            Values::F64($v) => $number,
            Values::Text(_) => $text,
        }
    };
}

impl Values {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::Text(texts) => texts.len(),
            other => for_numbers!(other, v => v.len(), bool v => v.len(), text => 0),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type by numpy's name (`float32`, `int64`, …; `text` for strings).
    pub fn type_name(&self) -> &'static str {
        match self {
            Values::Bool(_) => "bool",
            Values::I8(_) => "int8",
            Values::I16(_) => "int16",
            Values::I32(_) => "int32",
            Values::I64(_) => "int64",
            Values::U8(_) => "uint8",
            Values::U16(_) => "uint16",
            Values::U32(_) => "uint32",
            Values::U64(_) => "uint64",
            Values::F32(_) => "float32",
            Values::F64(_) => "float64",
            Values::Text(_) => "text",
        }
    }

    /// The first of some texts; `None` for numbers and where there is none.
    pub fn first_text(&self) -> Option<&str> {
        match self {
            Values::Text(texts) => texts.first().map(String::as_str),
            _ => None,
        }
    }

    /// The elements as double-precision numbers (truth values as 0 and 1); `None` for texts.
    ///
    /// Integers above 2^53 are rounded to the nearest representable number.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        if let Values::F64(numbers) = self {
            return Some(numbers.clone());
        }
        // A macro visits all types, so the cast is from f64 in one of them.
        #[allow(clippy::unnecessary_cast)]
        {
            for_numbers!(self,
                v => Some(v.iter().map(|&x| x as f64).collect()),
                bool v => Some(v.iter().map(|&x| f64::from(u8::from(x))).collect()),
                text => None)
        }
    }

    /// The elements as single-precision numbers; `None` for texts.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        match self {
            Values::F32(v) => Some(v.clone()),
            other => other.to_f64().map(|v| v.into_iter().map(|x| x as f32).collect()),
        }
    }

    /// The elements as integers; `None` for texts and where an element has no exact `i64`.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match self {
            Values::F32(v) => v.iter().map(|&x| exact_integer(x.into())).collect(),
            Values::F64(v) => v.iter().map(|&x| exact_integer(x)).collect(),
            Values::U64(v) => v.iter().map(|&x| i64::try_from(x).ok()).collect(),
            Values::I64(v) => Some(v.clone()),
            Values::Text(_) => None,
            small => small.to_f64().map(|v| v.into_iter().map(|x| x as i64).collect()),
        }
    }
}

/// The integer that a number equals, if it is one.
fn exact_integer(x: f64) -> Option<i64> {
    // 2^63 is the first number above the range; the comparison also refuses NaN.
    let limit = 9_223_372_036_854_775_808.0;
    (x >= -limit && x < limit && x.fract() == 0.0).then_some(x as i64)
}

macro_rules! from_vector {
    ($($element:ty => $variant:ident),* $(,)?) => {$(
        impl From<Vec<$element>> for Values {
            fn from(values: Vec<$element>) -> Self {
                Values::$variant(values)
            }
        }
    )*};
}
from_vector!(bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16,
    u32 => U32, u64 => U64, f32 => F32, f64 => F64, String => Text);

impl Array {
    /// An array of the given extents; `None` where their product is not the number of elements.
    pub fn new(shape: Vec<usize>, values: impl Into<Values>) -> Option<Self> {
        let values = values.into();
        (element_count(&shape) == Some(values.len())).then_some(Self { shape, values })
    }

    /// A one-dimensional array.
    pub fn vector(values: impl Into<Values>) -> Self {
        let values = values.into();
        Self { shape: vec![values.len()], values }
    }

    /// A scalar.
    pub fn scalar<T>(value: T) -> Self
    where
        Vec<T>: Into<Values>,
    {
        Self { shape: Vec::new(), values: vec![value].into() }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// The product of the extents; `None` where it does not fit.
pub fn element_count(shape: &[usize]) -> Option<usize> {
    // A zero anywhere makes the array empty, whatever the other extents are.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_only_from_whole_numbers_in_range() {
        assert_eq!(Values::from(vec![1.0f64, -3.0]).to_i64(), Some(vec![1, -3]));
        assert_eq!(Values::from(vec![1.5f32]).to_i64(), None);
        assert_eq!(Values::from(vec![f64::NAN]).to_i64(), None);
        assert_eq!(Values::from(vec![9.3e18f64]).to_i64(), None);
        assert_eq!(Values::from(vec![u64::MAX]).to_i64(), None);
        assert_eq!(Values::from(vec![true, false]).to_i64(), Some(vec![1, 0]));
        assert_eq!(Values::from(vec![i64::MIN, i64::MAX]).to_i64(), Some(vec![i64::MIN, i64::MAX]));
    }

    #[test]
    fn extents_must_multiply_to_the_number_of_elements() {
        assert!(Array::new(vec![2, 3], vec![0u8; 6]).is_some());
        assert!(Array::new(vec![2, 3], vec![0u8; 5]).is_none());
        assert_eq!(element_count(&[usize::MAX, 2]), None);
        assert_eq!(element_count(&[usize::MAX, 2, 0]), Some(0));
        assert_eq!(Array::scalar(3i32).len(), 1);
    }
}
