//! Tensors in a `.safetensors` file: a length, a JSON header, and one block of data.
//!
//! Format: <https://huggingface.co/docs/safetensors>, version 0.3 and later.

use serde_json::Value;

use super::SourceError;
use super::weights::{Element, StateDict, WeightTensor, size};

/// The longest header (the format's own limit).
const MAXIMUM_HEADER: u64 = 100_000_000;

/// Reads all tensors.
///
/// # Errors
/// [`SourceError::Damaged`] where the header does not fit the file, [`SourceError::Tensor`] for a
/// tensor of an unknown kind or outside of the data.
pub fn read(bytes: &[u8]) -> Result<StateDict, SourceError> {
    let damaged = |problem: String| SourceError::Damaged { format: "safetensors file", problem };
    let (length, rest) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| damaged(format!("{} bytes are too few", bytes.len())))?;
    let length = u64::from_le_bytes(*length);
    if length > MAXIMUM_HEADER || length > rest.len() as u64 {
        let there = rest.len();
        return Err(damaged(format!("its header claims {length} bytes; {there} are there")));
    }
    let (header, data) = rest.split_at(length as usize);
    let header: Value = serde_json::from_slice(header)
        .map_err(|error| damaged(format!("its header is no JSON: {error}")))?;
    let Value::Object(entries) = header else {
        return Err(damaged("its header is no object".to_owned()));
    };
    // Overlapping tensors would let a small file claim much memory.
    let claimed = entries.values().filter_map(offsets).map(|(a, b)| b.saturating_sub(a));
    let claimed = claimed.fold(0_usize, usize::saturating_add);
    if claimed > data.len() {
        let there = data.len();
        return Err(damaged(format!("its tensors claim {claimed} bytes; {there} are there")));
    }
    let mut found = StateDict::default();
    for (name, entry) in entries {
        if name != "__metadata__" {
            let tensor = tensor(&entry, data)
                .map_err(|problem| SourceError::Tensor { tensor: name.clone(), problem })?;
            found.tensors.insert(name, tensor);
        }
    }
    Ok(found)
}

fn offsets(entry: &Value) -> Option<(usize, usize)> {
    let number = |n: &Value| n.as_u64().and_then(|n| usize::try_from(n).ok());
    match entry.get("data_offsets")?.as_array()?.as_slice() {
        [start, end] => Some((number(start)?, number(end)?)),
        _ => None,
    }
}

fn tensor(entry: &Value, data: &[u8]) -> Result<WeightTensor, String> {
    let kind = entry.get("dtype").and_then(Value::as_str).ok_or("it has no dtype")?;
    let element = match kind {
        "F64" => Element::F64,
        "F32" => Element::F32,
        "F16" => Element::F16,
        "BF16" => Element::BF16,
        "I64" => Element::I64,
        "I32" => Element::I32,
        "I16" => Element::I16,
        "I8" => Element::I8,
        "U8" => Element::U8,
        "BOOL" => Element::Bool,
        other => {
            let known = "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL";
            return Err(format!("its elements are `{other:.40}`; known: {known}"));
        }
    };
    let stated = entry.get("shape").and_then(Value::as_array).ok_or("it has no shape")?;
    let extent = |extent: &Value| extent.as_u64().and_then(|n| usize::try_from(n).ok());
    let shape: Option<Vec<usize>> = stated.iter().map(extent).collect();
    let shape = shape.filter(|shape| shape.len() <= 16).ok_or("its shape is damaged")?;
    let (start, end) = offsets(entry).ok_or("it has no data_offsets")?;
    let needed = size(&shape).and_then(|size| size.checked_mul(element.width()));
    let part = data.get(start..end).ok_or_else(|| {
        format!("its data lie at {start} to {end}, outside of the {} bytes of data", data.len())
    })?;
    if needed != Some(part.len()) {
        return Err(format!("extents {shape:?} of {kind} do not fit {} bytes", part.len()));
    }
    Ok(WeightTensor { shape, values: element.decode(part) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn tensors_of_all_widths_are_read() {
        let header = r#"{"__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
            "b": {"dtype": "BF16", "shape": [2], "data_offsets": [8, 12]},
            "c": {"dtype": "I64", "shape": [], "data_offsets": [12, 20]}}"#;
        let mut data = Vec::new();
        data.extend(1.5_f32.to_le_bytes());
        data.extend((-2.0_f32).to_le_bytes());
        data.extend([0x80, 0x3f, 0x00, 0xc0]);
        data.extend(7_i64.to_le_bytes());
        let found = read(&file(header, &data)).unwrap();
        let names: Vec<&String> = found.tensors.keys().collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(found.tensors["a"], WeightTensor { shape: vec![1, 2], values: vec![1.5, -2.0] });
        assert_eq!(found.tensors["b"].values, [1.0, -2.0]);
        assert_eq!(found.tensors["c"], WeightTensor { shape: vec![], values: vec![7.0] });
    }

    #[test]
    fn headers_that_lie_are_refused() {
        let entry = |shape: &str, offsets: &str| {
            format!(r#"{{"w": {{"dtype": "F32", "shape": {shape}, "data_offsets": {offsets}}}}}"#)
        };
        let cases = [
            (entry("[2]", "[0, 4]"), "do not fit"),
            (entry("[1]", "[2, 6]"), "outside"),
            (entry("[1]", "[4, 0]"), "outside"),
            (entry("[1152921504606846976, 16]", "[0, 4]"), "do not fit"),
            (entry("[-1]", "[0, 4]"), "shape is damaged"),
            (entry("[1]", "[0, 18446744073709551615]"), "claim"),
            (
                r#"{"w": {"dtype": "F4", "shape": [1], "data_offsets": [0, 4]}}"#.into(),
                "known: F64",
            ),
            ("[1]".into(), "no object"),
            ("{".into(), "no JSON"),
        ];
        for (header, part) in cases {
            let message = read(&file(&header, &[0; 4])).unwrap_err().to_string();
            assert!(message.contains(part), "{header}: {message}");
        }
        // Two tensors on the same bytes.
        let twice = r#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"#;
        assert!(read(&file(twice, &[0; 4])).unwrap_err().to_string().contains("claim 8 bytes"));
        assert!(read(&[1, 2, 3]).is_err());
        let mut long = file("{}", &[]);
        long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(read(&long).unwrap_err().to_string().contains("claims 18446744073709551615"));
    }
}
