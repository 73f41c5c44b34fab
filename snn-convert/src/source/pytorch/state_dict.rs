//! From a pickle's objects to tensors.

use std::collections::HashMap;

use super::Storages;
use super::damaged;
use super::pickle::{Object, Objects, Value};
use crate::source::SourceError;
use crate::source::weights::{Element, StateDict, WeightTensor};

/// Names under which checkpoints hold their state dict.
const INSIDE: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];

/// How often one stored element may occur in tensors (shared weights).
const MAXIMUM_SHARING: u64 = 8;

/// The tensors of the dictionary that a pickle made.
pub(super) fn collect(
    objects: &Objects,
    storages: impl Storages,
) -> Result<StateDict, SourceError> {
    let entries = dictionary(objects, objects.result)?;
    let mut reader = Reader {
        objects,
        allowed: storages.pickle_length().saturating_add(1 << 20),
        source: storages,
        storages: HashMap::new(),
        made: 0,
    };
    let mut found = StateDict { in_order: true, ..StateDict::default() };
    for (key, value) in entries {
        let Some(name) = objects.text(*key) else { continue };
        let Some(Object::Tensor { storage, offset, shape, strides }) = objects.get(*value) else {
            continue;
        };
        let tensor =
            reader.tensor(*storage, *offset, shape, strides).map_err(|error| match error {
                SourceError::Damaged { problem, .. } => {
                    SourceError::Tensor { tensor: name.to_owned(), problem }
                }
                other => other,
            })?;
        found.tensors.insert(name.to_owned(), tensor);
    }
    if found.tensors.is_empty() {
        return Err(SourceError::Kind {
            found: "a PyTorch file without a state dict",
            help: "save the weights with `torch.save(model.state_dict(), file)`",
        });
    }
    Ok(found)
}

/// The dictionary of tensors: the result itself, or one of its entries.
fn dictionary(objects: &Objects, value: Value) -> Result<&[(Value, Value)], SourceError> {
    let none = || damaged("what it holds is no dictionary of tensors");
    let Some(Object::Dict(entries)) = objects.get(value) else { return Err(none()) };
    let is_tensor =
        |(_, value): &(Value, Value)| matches!(objects.get(*value), Some(Object::Tensor { .. }));
    if entries.iter().any(is_tensor) {
        return Ok(entries);
    }
    let inside = entries.iter().find_map(|(key, value)| {
        let named = objects.text(*key).is_some_and(|key| INSIDE.contains(&key));
        match objects.get(*value) {
            Some(Object::Dict(entries)) if named => Some(entries.as_slice()),
            _ => None,
        }
    });
    Ok(inside.unwrap_or(entries))
}

struct Reader<'a, S> {
    objects: &'a Objects,
    source: S,
    /// Elements of each storage that was read, by the storage's member.
    storages: HashMap<String, Vec<f32>>,
    /// Elements of all tensors so far, and how many there may be.
    made: u64,
    allowed: u64,
}

impl<S: Storages> Reader<'_, S> {
    fn tensor(
        &mut self,
        storage: usize,
        offset: u64,
        shape: &[u64],
        strides: &[u64],
    ) -> Result<WeightTensor, SourceError> {
        let Some(Object::Storage { element, key, count }) = self.objects.all.get(storage) else {
            return Err(damaged("its storage is missing"));
        };
        if !self.storages.contains_key(key) {
            let values = self.storage(*element, key, *count)?;
            self.allowed = self.allowed.saturating_add(MAXIMUM_SHARING * values.len() as u64);
            self.storages.insert(key.clone(), values);
        }
        let values = self.storages.get(key).map(Vec::as_slice).unwrap_or_default();
        let elements = shape.iter().try_fold(1_u64, |n, &extent| n.checked_mul(extent.max(1)));
        let elements = elements.map(|n| if shape.contains(&0) { 0 } else { n });
        let outside = || damaged(format!("extents {shape:?} do not fit its storage"));
        let elements = elements.filter(|&n| n <= values.len() as u64).ok_or_else(outside)?;
        // The last element lies furthest.
        let last = shape.iter().zip(strides).try_fold(offset, |at, (&extent, &stride)| {
            extent.saturating_sub(1).checked_mul(stride).and_then(|n| at.checked_add(n))
        });
        if elements > 0 && last.is_none_or(|last| last >= values.len() as u64) {
            return Err(outside());
        }
        self.made += elements;
        if self.made > self.allowed {
            return Err(damaged("its tensors together are much larger than the file"));
        }
        let mut gathered = Vec::with_capacity(elements as usize);
        let mut index = vec![0_u64; shape.len()];
        let mut at = offset;
        for _ in 0..elements {
            gathered.push(values.get(at as usize).copied().unwrap_or(0.0));
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                at = at.wrapping_add(strides[axis]);
                if index[axis] < shape[axis] {
                    break;
                }
                at = at.wrapping_sub(strides[axis].wrapping_mul(shape[axis]));
                index[axis] = 0;
            }
        }
        let shape = shape.iter().map(|&extent| extent as usize).collect();
        Ok(WeightTensor { shape, values: gathered })
    }

    fn storage(
        &mut self,
        element: Element,
        key: &str,
        count: u64,
    ) -> Result<Vec<f32>, SourceError> {
        let bytes = count.checked_mul(element.width() as u64);
        let bytes = bytes.ok_or_else(|| damaged("its storage's size overflows"))?;
        let mut content = self.source.storage(key, bytes)?;
        if self.source.is_big_endian() {
            content.chunks_exact_mut(element.width()).for_each(<[u8]>::reverse);
        }
        Ok(element.decode(&content))
    }
}
