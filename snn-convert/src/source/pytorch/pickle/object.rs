//! What a pickle may make, and the names it may call.

use crate::source::weights::Element;

/// A value on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// An object, by its number.
    Object(usize),
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A text (or bytes that are one).
    Text(String),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A list (or a set).
    List(Vec<Value>),
    /// A dictionary, in its order.
    Dict(Vec<(Value, Value)>),
    /// A name that may be called.
    Global(Global),
    /// Raw elements in another member.
    Storage {
        /// Type of its elements.
        element: Element,
        /// Name of its member.
        key: String,
        /// Number of its elements.
        count: u64,
    },
    /// A view into a storage.
    Tensor {
        /// The storage's number.
        storage: usize,
        /// First element.
        offset: u64,
        /// Extents.
        shape: Vec<u64>,
        /// Elements between neighbours along each axis.
        strides: Vec<u64>,
    },
}

/// The names that are known; all others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2` (and the older `_rebuild_tensor`).
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.Size`.
    Size,
    /// A storage class.
    Storage(Element),
}

/// The list of what is allowed, by module and name.
pub(super) static ALLOWED: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::OrderedDict),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch", "Size", Global::Size),
    ("torch", "DoubleStorage", Global::Storage(Element::F64)),
    ("torch", "FloatStorage", Global::Storage(Element::F32)),
    ("torch", "HalfStorage", Global::Storage(Element::F16)),
    ("torch", "BFloat16Storage", Global::Storage(Element::BF16)),
    ("torch", "LongStorage", Global::Storage(Element::I64)),
    ("torch", "IntStorage", Global::Storage(Element::I32)),
    ("torch", "ShortStorage", Global::Storage(Element::I16)),
    ("torch", "CharStorage", Global::Storage(Element::I8)),
    ("torch", "ByteStorage", Global::Storage(Element::U8)),
    ("torch", "BoolStorage", Global::Storage(Element::Bool)),
];

/// What a pickle made.
#[derive(Debug, Clone, PartialEq)]
pub struct Objects {
    /// All objects.
    pub all: Vec<Object>,
    /// The result.
    pub result: Value,
}

impl Objects {
    /// The object that a value stands for.
    pub fn get(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Object(index) => self.all.get(index),
            _ => None,
        }
    }

    /// The text that a value stands for.
    pub fn text(&self, value: Value) -> Option<&str> {
        match self.get(value)? {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }
}
