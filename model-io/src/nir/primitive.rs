//! What a primitive's file states, and the macros that turn it into a type.

use super::NirError;
use crate::array::Array;
use crate::hdf5::{Group, GroupWriter};

/// A node type: its name in files, its fields, and what must hold between them.
pub(super) trait PrimitiveType: Sized {
    /// The value of the node's `type` member.
    const TYPE: &'static str;

    /// The names of the node's fields.
    const FIELDS: &'static [&'static str];

    /// Reads and checks the node's fields.
    fn read(group: &Group) -> Result<Self, NirError>;

    /// Writes the node's fields.
    fn write(&self, group: &GroupWriter) -> Result<(), NirError>;

    /// Checks shapes and values; the reason names the field and what is allowed.
    fn check(&self) -> Result<(), String>;
}

/// Declares a primitive: its documentation, type name, fields, and the rule of [`PrimitiveType::check`].
///
/// A field `name: Array = zeros_like(other)` may be absent and is zeros of the other's shape then.
macro_rules! primitive {
    (
        $(#[$doc:meta])*
        $name:ident = $type:literal {
            $($(#[$field_doc:meta])* $field:ident: $field_type:ty $(= zeros_like($like:ident))?,)*
        }
        check |$this:ident| $check:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $field_type,)*
        }

        impl crate::nir::primitive::PrimitiveType for $name {
            const TYPE: &'static str = $type;
            const FIELDS: &'static [&'static str] = &[$(stringify!($field),)*];

            fn read(group: &crate::hdf5::Group) -> Result<Self, crate::nir::NirError> {
                let in_node = |e| crate::nir::primitive::in_node(group, $type, e);
                $(let $field = crate::nir::primitive::read_field!(
                    group, $field, $field_type $(, $like)?
                ).map_err(in_node)?;)*
                let node = Self { $($field,)* };
                node.check().map_err(crate::nir::field::FieldError::Reason).map_err(in_node)?;
                Ok(node)
            }

            fn write(&self, group: &crate::hdf5::GroupWriter) -> Result<(), crate::nir::NirError> {
                $(crate::nir::field::Field::write(&self.$field, group, stringify!($field))?;)*
                Ok(())
            }

            fn check(&self) -> Result<(), String> {
                let $this = self;
                $check
            }
        }
    };
}

macro_rules! read_field {
    ($group:expr, $field:ident, $type:ty) => {
        <$type as crate::nir::field::Field>::read($group, stringify!($field))
    };
    ($group:expr, $field:ident, $type:ty, $like:ident) => {
        crate::nir::field::zeros_like($group, stringify!($field), &$like)
    };
}

pub(super) use {primitive, read_field};

/// Adds the node's place to what is wrong with a field.
pub(super) fn in_node(
    group: &Group,
    node_type: &'static str,
    error: super::field::FieldError,
) -> NirError {
    match error {
        super::field::FieldError::Nir(error) => error,
        super::field::FieldError::Reason(reason) => {
            NirError::Field { place: group.place().to_owned(), node_type, reason }
        }
    }
}

/// All parameters of a neuron layer must have the layer's shape.
pub(super) fn same_shape(fields: &[(&str, &Array)]) -> Result<(), String> {
    let Some(((first_name, first), rest)) = fields.split_first() else {
        return Ok(());
    };
    for (name, array) in rest {
        if array.shape != first.shape {
            return Err(format!(
                "{name} has shape {:?} but {first_name} {:?}; all parameters need the layer's shape",
                array.shape, first.shape
            ));
        }
    }
    Ok(())
}

/// Weights need `axes` axes (or more, for leading ones), none of them empty.
pub(super) fn at_least_axes(name: &str, array: &Array, axes: usize) -> Result<(), String> {
    if array.shape.len() >= axes {
        return Ok(());
    }
    Err(format!("{name} has shape {:?}; expected at least {axes} axes", array.shape))
}

/// What must hold for a convolution with kernel `[out, in / groups, …]`.
pub(super) fn check_convolution(
    axes: usize,
    weight: &Array,
    bias: &Array,
    stride: &[usize],
    dilation: &[usize],
    groups: usize,
) -> Result<(), String> {
    if weight.shape.len() != axes + 2 {
        return Err(format!("weight has shape {:?}; expected {} axes", weight.shape, axes + 2));
    }
    let out = weight.shape[0];
    if groups == 0 || !out.is_multiple_of(groups) {
        return Err(format!("groups is {groups}; it must divide the {out} output channels"));
    }
    if bias.shape != [out] {
        return Err(format!("bias has shape {:?}; expected [{out}] as weight has", bias.shape));
    }
    for (name, numbers) in [("stride", stride), ("dilation", dilation)] {
        if numbers.contains(&0) {
            return Err(format!("{name} is {numbers:?}; it must be at least 1"));
        }
    }
    Ok(())
}

/// What must hold for a pooling window.
pub(super) fn check_window(kernel_size: [usize; 2], stride: [usize; 2]) -> Result<(), String> {
    for (name, numbers) in [("kernel_size", kernel_size), ("stride", stride)] {
        if numbers.contains(&0) {
            return Err(format!("{name} is {numbers:?}; it must be at least 1"));
        }
    }
    Ok(())
}
