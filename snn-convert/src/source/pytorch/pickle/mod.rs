//! A pickle machine that makes tensors and plain containers and knows nothing else.
//!
//! Objects lie in one list and refer to each other by number, so neither circles nor deep nesting
//! can do harm. Each opcode is at least one byte and makes at most one object.

mod object;

pub use object::{Global, Object, Objects, Value};

use std::collections::HashMap;

use super::damaged;
use crate::source::SourceError;
use object::ALLOWED;

/// Runs a pickle.
///
/// # Errors
/// [`SourceError::ForbiddenGlobal`] for a name that is not on the list,
/// [`SourceError::Damaged`] for anything else that is no state dict.
pub fn run(bytes: &[u8]) -> Result<Objects, SourceError> {
    run_first(bytes).map(|(objects, _)| objects)
}

/// Runs the first of several pickles in a row; also gives its length in bytes.
///
/// # Errors
/// As [`run`].
pub fn run_first(bytes: &[u8]) -> Result<(Objects, usize), SourceError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        objects: Vec::new(),
    };
    loop {
        let opcode = machine.byte()?;
        if opcode == b'.' {
            let result = machine.pop()?;
            return Ok((Objects { all: machine.objects, result }, machine.at));
        }
        machine.step(opcode)?;
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u64, Value>,
    objects: Vec<Object>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], SourceError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let part = rest.get(..length).ok_or_else(|| damaged("its pickle ends early"))?;
        self.at += length;
        Ok(part)
    }

    fn byte(&mut self) -> Result<u8, SourceError> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    /// A little-endian number of up to eight bytes.
    fn number(&mut self, width: u64) -> Result<u64, SourceError> {
        Ok(self.take(width)?.iter().rev().fold(0, |n, &byte| (n << 8) | u64::from(byte)))
    }

    fn line(&mut self) -> Result<&'a str, SourceError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| damaged("its pickle ends early"))?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| damaged("a name is no text"))
    }

    fn text(&mut self, length: u64) -> Result<(), SourceError> {
        // Bytes that are no text occur in no state dict; they become a text that equals no name.
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.make(Object::Text(text));
        Ok(())
    }

    fn make(&mut self, object: Object) {
        self.stack.push(Value::Object(self.objects.len()));
        self.objects.push(object);
    }

    fn pop(&mut self) -> Result<Value, SourceError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(damaged("its pickle takes more than it made"));
        }
        self.stack.pop().ok_or_else(|| damaged("its pickle takes more than it made"))
    }

    /// What lies above the last mark.
    fn above_mark(&mut self) -> Result<Vec<Value>, SourceError> {
        let mark = self.marks.pop().ok_or_else(|| damaged("its pickle lacks a mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn several(&mut self, count: usize) -> Result<Vec<Value>, SourceError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.pop()?);
        }
        values.reverse();
        Ok(values)
    }

    fn object(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Object(index) => self.objects.get(index),
            _ => None,
        }
    }

    /// The container on top of the stack.
    fn container(&mut self) -> Result<&mut Object, SourceError> {
        match self.stack.last() {
            Some(Value::Object(index)) => {
                self.objects.get_mut(*index).ok_or_else(|| damaged("an object is missing"))
            }
            _ => Err(damaged("its pickle fills something that is no container")),
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), SourceError> {
        match opcode {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.above_mark()?),
            b'N' => self.stack.push(Value::None),
            0x88 | 0x89 => self.stack.push(Value::Bool(opcode == 0x88)),
            b'K' => self.integer(1)?,
            b'M' => self.integer(2)?,
            b'J' => {
                let bits = self.number(4)? as u32;
                self.stack.push(Value::Int(i64::from(bits as i32)));
            }
            0x8a => self.long()?,
            b'G' => {
                let bits = self.number(8)?.swap_bytes();
                self.stack.push(Value::Float(f64::from_bits(bits)));
            }
            b'X' | b'T' | b'B' => self.counted_text(4)?,
            0x8c | b'U' | b'C' => self.counted_text(1)?,
            0x8d | 0x8e => self.counted_text(8)?,
            b'}' => self.make(Object::Dict(Vec::new())),
            b']' | 0x8f => self.make(Object::List(Vec::new())),
            b')' => self.make(Object::Tuple(Vec::new())),
            0x85..=0x87 => {
                let values = self.several(usize::from(opcode - 0x84))?;
                self.make(Object::Tuple(values));
            }
            b't' => {
                let values = self.above_mark()?;
                self.make(Object::Tuple(values));
            }
            b'l' => {
                let values = self.above_mark()?;
                self.make(Object::List(values));
            }
            b'a' => {
                let value = self.pop()?;
                self.append(vec![value])?;
            }
            b'e' | 0x90 => {
                let values = self.above_mark()?;
                self.append(values)?;
            }
            b's' => {
                let values = self.several(2)?;
                self.insert(&values)?;
            }
            b'u' => {
                let values = self.above_mark()?;
                self.insert(&values)?;
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => {
                let top = self.stack.last().copied().ok_or_else(|| damaged("nothing to store"))?;
                self.memo.insert(self.memo.len() as u64, top);
            }
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => self.stack_global()?,
            b'Q' => self.persistent()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            other => {
                return Err(damaged(format!(
                    "its pickle has the opcode {other:#04x}, which no state dict needs"
                )));
            }
        }
        Ok(())
    }

    fn integer(&mut self, width: u64) -> Result<(), SourceError> {
        let value = self.number(width)? as i64;
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// A whole number of stated length, at most eight bytes.
    fn long(&mut self) -> Result<(), SourceError> {
        let length = u64::from(self.byte()?);
        if length > 8 {
            return Err(damaged(format!("a whole number of {length} bytes")));
        }
        let bits = self.number(length)?;
        let unused = 64 - 8 * length as u32;
        let value = if length == 0 { 0 } else { ((bits << unused) as i64) >> unused };
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn counted_text(&mut self, width: u64) -> Result<(), SourceError> {
        let length = self.number(width)?;
        self.text(length)
    }

    fn remember(&mut self, width: u64) -> Result<(), SourceError> {
        let key = self.number(width)?;
        let top = self.stack.last().copied().ok_or_else(|| damaged("nothing to store"))?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, width: u64) -> Result<(), SourceError> {
        let key = self.number(width)?;
        let value = self.memo.get(&key).copied();
        self.stack.push(value.ok_or_else(|| damaged(format!("object {key} was never stored")))?);
        Ok(())
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), SourceError> {
        match self.container()? {
            Object::List(list) => list.extend(values),
            _ => return Err(damaged("its pickle appends to something that is no list")),
        }
        Ok(())
    }

    fn insert(&mut self, values: &[Value]) -> Result<(), SourceError> {
        if !values.len().is_multiple_of(2) {
            return Err(damaged("a dictionary has a key without a value"));
        }
        match self.container()? {
            Object::Dict(entries) => {
                entries.extend(values.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            _ => return Err(damaged("its pickle sets items of something that is no dictionary")),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), SourceError> {
        let known = ALLOWED.iter().find(|entry| entry.0 == module && entry.1 == name);
        match known {
            Some((_, _, global)) => {
                self.make(Object::Global(*global));
                Ok(())
            }
            None => {
                let short = |text: &str| text.chars().take(80).collect::<String>();
                Err(SourceError::ForbiddenGlobal { module: short(module), name: short(name) })
            }
        }
    }

    fn stack_global(&mut self) -> Result<(), SourceError> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (self.object(module), self.object(name)) {
            (Some(Object::Text(module)), Some(Object::Text(name))) => {
                let (module, name) = (module.clone(), name.clone());
                self.global(&module, &name)
            }
            _ => Err(damaged("a global's name is no text")),
        }
    }

    /// `('storage', class, key, device, count)`; files of old versions add what part of another
    /// storage it is, which must be `None`.
    fn persistent(&mut self) -> Result<(), SourceError> {
        let value = self.pop()?;
        let wrong = || damaged("it refers to something that is no storage");
        let Some(Object::Tuple(parts)) = self.object(value) else { return Err(wrong()) };
        let (&[kind, class, key, _, count] | &[kind, class, key, _, count, Value::None]) =
            parts.as_slice()
        else {
            return Err(wrong());
        };
        let storage = match (self.object(kind), self.object(class), self.object(key), count) {
            (
                Some(Object::Text(kind)),
                Some(Object::Global(Global::Storage(element))),
                Some(Object::Text(key)),
                Value::Int(count),
            ) if kind == "storage" => {
                let count = u64::try_from(count).map_err(|_| wrong())?;
                Object::Storage { element: *element, key: key.clone(), count }
            }
            _ => return Err(wrong()),
        };
        self.make(storage);
        Ok(())
    }

    /// Calls one of the known names.
    fn reduce(&mut self) -> Result<(), SourceError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let wrong = || damaged("a known name is called with arguments that do not fit");
        let Some(Object::Global(global)) = self.object(callee) else {
            return Err(damaged("its pickle calls something that is no name"));
        };
        let Some(Object::Tuple(arguments)) = self.object(arguments) else { return Err(wrong()) };
        let made = match (*global, arguments.as_slice()) {
            (Global::OrderedDict, []) => Object::Dict(Vec::new()),
            (Global::OrderedDict, &[pairs]) => Object::Dict(self.pairs(pairs).ok_or_else(wrong)?),
            (Global::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
                self.tensor(storage, offset, shape, strides).ok_or_else(wrong)?
            }
            (Global::RebuildParameter, &[tensor, ..]) => {
                self.stack.push(tensor);
                return Ok(());
            }
            (Global::Size, &[extents]) => {
                self.stack.push(extents);
                return Ok(());
            }
            _ => return Err(wrong()),
        };
        self.make(made);
        Ok(())
    }

    fn pairs(&self, list: Value) -> Option<Vec<(Value, Value)>> {
        let Object::List(items) = self.object(list)? else { return None };
        let pair = |item: &Value| match self.object(*item)? {
            Object::Tuple(pair) | Object::List(pair) => match pair.as_slice() {
                &[key, value] => Some((key, value)),
                _ => None,
            },
            _ => None,
        };
        items.iter().map(pair).collect()
    }

    fn tensor(
        &self,
        storage: Value,
        offset: Value,
        shape: Value,
        strides: Value,
    ) -> Option<Object> {
        let Value::Object(index) = storage else { return None };
        let Object::Storage { .. } = self.objects.get(index)? else { return None };
        let number = |value: Value| match value {
            Value::Int(number) => u64::try_from(number).ok(),
            _ => None,
        };
        let numbers = |value: Value| match self.object(value)? {
            Object::Tuple(values) if values.len() <= 16 => {
                values.iter().map(|&value| number(value)).collect::<Option<Vec<u64>>>()
            }
            _ => None,
        };
        let (shape, strides) = (numbers(shape)?, numbers(strides)?);
        (shape.len() == strides.len()).then_some(())?;
        Some(Object::Tensor { storage: index, offset: number(offset)?, shape, strides })
    }

    /// Attributes of a dictionary (`_metadata` of a state dict) are not needed.
    fn build(&mut self) -> Result<(), SourceError> {
        self.pop()?;
        match self.container()? {
            Object::Dict(_) => Ok(()),
            _ => Err(damaged("its pickle sets attributes of something that is no dictionary")),
        }
    }
}
