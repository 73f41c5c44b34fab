//! How the fields of a node are stored: arrays, pairs, counts, shapes, padding.

use super::NirError;
use crate::array::{Array, Values};
use crate::hdf5::{Group, GroupWriter, Storage};

/// A value that is stored as one member of a node's group.
pub(super) trait Field: Sized {
    /// Reads the member; says what is wrong with its shape or type.
    fn read(group: &Group, name: &str) -> Result<Self, FieldError>;

    /// Writes the member.
    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError>;
}

/// Why a field was not read.
pub(super) enum FieldError {
    /// The container's error.
    Nir(NirError),
    /// The member has a wrong shape, type or value.
    Reason(String),
}

impl<E: Into<NirError>> From<E> for FieldError {
    fn from(error: E) -> Self {
        FieldError::Nir(error.into())
    }
}

/// Padding of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding<const AXES: usize> {
    /// Zeros on both sides of each axis.
    Zeros([usize; AXES]),
    /// As many zeros as keep the extents (stride 1).
    Same,
    /// None.
    Valid,
}

fn wrong<T>(name: &str, array: &Array, wanted: &str) -> Result<T, FieldError> {
    let found = match &array.values {
        Values::Text(texts) if texts.len() == 1 => {
            format!("`{}`", texts[0].chars().take(60).collect::<String>())
        }
        values => format!("{} {:?}", values.type_name(), array.shape),
    };
    Err(FieldError::Reason(format!("{name} is {found}; expected {wanted}")))
}

impl Field for Array {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        match array.values {
            Values::Text(_) => wrong(name, &array, "numbers"),
            _ => Ok(array),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        Ok(group.write(name, self, Storage::Compressed)?)
    }
}

/// Shapes: any number of extents.
impl Field for Vec<usize> {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        match counts(&array) {
            Some(extents) if array.shape.len() <= 1 => Ok(extents),
            _ => wrong(name, &array, "a list of whole numbers of at least 0"),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        let extents: Vec<i64> = self.iter().map(|&n| n as i64).collect();
        Ok(group.write(name, &Array::vector(extents), Storage::Compressed)?)
    }
}

impl Field for usize {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        match counts(&array).as_deref() {
            Some([count]) => Ok(*count),
            _ => wrong(name, &array, "one whole number of at least 0"),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        Ok(group.write(name, &Array::scalar(*self as i64), Storage::Plain)?)
    }
}

impl Field for i64 {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        match array.values.to_i64().as_deref() {
            Some([number]) => Ok(*number),
            _ => wrong(name, &array, "one whole number"),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        Ok(group.write(name, &Array::scalar(*self), Storage::Plain)?)
    }
}

/// Pairs `[height, width]`; one number stands for both.
impl Field for [usize; 2] {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        match counts(&array).as_deref() {
            Some([both]) => Ok([*both, *both]),
            Some([first, second]) => Ok([*first, *second]),
            _ => wrong(name, &array, "one or two whole numbers of at least 0"),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        let pair = vec![self[0] as i64, self[1] as i64];
        Ok(group.write(name, &Array::vector(pair), Storage::Plain)?)
    }
}

impl<F: Field> Field for Option<F> {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        if group.kind(name).is_none() { Ok(None) } else { F::read(group, name).map(Some) }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        self.as_ref().map_or(Ok(()), |field| field.write(group, name))
    }
}

impl<const AXES: usize> Field for Padding<AXES> {
    fn read(group: &Group, name: &str) -> Result<Self, FieldError> {
        let array = group.read(name)?;
        if let Values::Text(texts) = &array.values {
            match texts.first().map(String::as_str) {
                Some("same") => return Ok(Padding::Same),
                Some("valid") => return Ok(Padding::Valid),
                _ => {}
            }
        }
        let zeros = counts(&array).and_then(|counts| match counts.as_slice() {
            [all] => Some([*all; AXES]),
            each => each.try_into().ok(),
        });
        match zeros {
            Some(zeros) => Ok(Padding::Zeros(zeros)),
            None => wrong(name, &array, "whole numbers of at least 0, `same` or `valid`"),
        }
    }

    fn write(&self, group: &GroupWriter, name: &str) -> Result<(), NirError> {
        match self {
            Padding::Same => group.write_text(name, "same")?,
            Padding::Valid => group.write_text(name, "valid")?,
            Padding::Zeros(zeros) => {
                let zeros: Vec<i64> = zeros.iter().map(|&n| n as i64).collect();
                // The Python library wants a plain integer for one axis.
                let array = match zeros.as_slice() {
                    [one] => Array::scalar(*one),
                    _ => Array::vector(zeros),
                };
                group.write(name, &array, Storage::Plain)?;
            }
        }
        Ok(())
    }
}

fn counts(array: &Array) -> Option<Vec<usize>> {
    array.values.to_i64()?.into_iter().map(|n| usize::try_from(n).ok()).collect()
}

/// Reads an array that may be absent; then it is zeros of the shape of another one.
pub(super) fn zeros_like(group: &Group, name: &str, like: &Array) -> Result<Array, FieldError> {
    if group.kind(name).is_some() {
        return Array::read(group, name);
    }
    let values = match &like.values {
        Values::F64(v) => vec![0.0f64; v.len()].into(),
        other => Values::from(vec![0.0f32; other.len()]),
    };
    Ok(Array { shape: like.shape.clone(), values })
}
