//! Weights that lie in another file beside the model.

use super::message::TensorProto;

/// Where the elements of a tensor lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the model's folder; not checked yet.
    pub file: String,
    /// The first byte.
    pub offset: u64,
    /// How many bytes; what the tensor's extents need.
    pub bytes: u64,
}

impl Place {
    /// Reads the entries of a tensor of so many bytes.
    ///
    /// # Errors
    /// A text that says what is wrong with them.
    pub fn read(proto: &TensorProto, bytes: u64) -> Result<Self, String> {
        let entry = |key: &str| {
            let found = proto.external_data.iter().find(|e| e.key.as_deref() == Some(key));
            found.and_then(|entry| entry.value.as_deref())
        };
        let number = |key: &'static str| match entry(key) {
            Some(text) => match text.trim().parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("`{key}` of its external data is `{text:.40}`, no number")),
            },
            None => Ok(None),
        };
        let file = entry("location").filter(|file| !file.is_empty());
        let file = file.ok_or("its external data has no `location`")?.to_owned();
        let offset = number("offset")?.unwrap_or(0);
        let length = number("length")?.unwrap_or(bytes);
        if length != bytes {
            return Err(format!(
                "its external data has {length} bytes, but its extents need {bytes}"
            ));
        }
        Ok(Self { file, offset, bytes })
    }
}

/// Gives the bytes of other files; whoever knows the model's path implements it.
pub trait ExternalData {
    /// The bytes at a place, exactly as many as asked for.
    ///
    /// # Errors
    /// A text that says why they cannot be read: the file is not beneath the model's folder, is
    /// missing or too short.
    fn read(&self, place: &Place) -> Result<Vec<u8>, String>;
}

/// Refuses: the model was given without its folder.
pub struct NoExternalData;

impl ExternalData for NoExternalData {
    fn read(&self, place: &Place) -> Result<Vec<u8>, String> {
        let file = &place.file;
        Err(format!(
            "its values are stored in `{file:.200}` beside the model, which is not read here; \
             export the model as one file (`external_data=False` in `torch.onnx.export`)"
        ))
    }
}
