//! The zip container around a pickle and its storages.

use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use super::{Storages, damaged};
use crate::source::SourceError;

/// The longest pickle; those of real models have some hundred bytes a tensor.
const MAXIMUM_PICKLE: u64 = 1 << 26;
/// Members of a container.
const MAXIMUM_MEMBERS: usize = 1 << 17;

/// An open container.
pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// What stands before `data.pkl`, the name of the saved file and a slash.
    folder: String,
    /// The pickle.
    pub pickle: Vec<u8>,
    /// Bytes that may still be read: PyTorch compresses nothing, so all members together are not
    /// larger than the file.
    left: u64,
    /// Whether numbers are stored with the most significant byte first.
    big_endian: bool,
}

impl<'a> Archive<'a> {
    /// Finds and reads the pickle.
    ///
    /// # Errors
    /// [`SourceError`] where the container is damaged, or is not one that `torch.save` makes.
    pub fn open(bytes: &'a [u8]) -> Result<Self, SourceError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(e.to_string()))?;
        if zip.len() > MAXIMUM_MEMBERS {
            return Err(damaged(format!("it has {} members", zip.len())));
        }
        let names: Vec<String> =
            zip.file_names().filter_map(Result::ok).map(|name| name.into_owned()).collect();
        if names.iter().any(|name| name.ends_with("/constants.pkl")) {
            return Err(SourceError::Kind {
                found: "a TorchScript archive, which holds code",
                help: "export the model to ONNX, or save its `state_dict()`",
            });
        }
        let folder = names.iter().find_map(|name| name.strip_suffix("data.pkl"));
        let Some(folder) = folder.map(str::to_owned) else {
            return Err(damaged("its container holds no data.pkl"));
        };
        let mut archive =
            Self { zip, folder, pickle: Vec::new(), left: bytes.len() as u64, big_endian: false };
        let order = archive.member("byteorder", 16)?.unwrap_or_default();
        archive.big_endian = order.starts_with(b"big");
        match archive.member("data.pkl", MAXIMUM_PICKLE)? {
            Some(pickle) => archive.pickle = pickle,
            None => return Err(damaged("its container holds no data.pkl")),
        }
        Ok(archive)
    }

    fn member(&mut self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let path = format!("{}{name}", self.folder);
        let member = match self.zip.by_name(&path) {
            Ok(member) => member,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(format!("member `{name:.60}`: {error}"))),
        };
        if member.compression() != CompressionMethod::Stored {
            return Err(damaged(format!(
                "member `{name:.60}` is compressed, which `torch.save` never does; save the file again"
            )));
        }
        if member.size() > limit || member.size() > self.left {
            return Err(damaged(format!(
                "member `{name:.60}` claims {} bytes; at most {} are possible",
                member.size(),
                limit.min(self.left)
            )));
        }
        let mut content = Vec::new();
        member
            .take(limit.min(self.left))
            .read_to_end(&mut content)
            .map_err(|error| damaged(format!("member `{name:.60}`: {error}")))?;
        self.left -= (content.len() as u64).min(self.left);
        Ok(Some(content))
    }
}

impl Storages for Archive<'_> {
    fn storage(&mut self, key: &str, bytes: u64) -> Result<Vec<u8>, SourceError> {
        let content = self.member(&format!("data/{key}"), bytes)?;
        match content {
            Some(content) if content.len() as u64 >= bytes => Ok(content),
            Some(content) => Err(damaged(format!(
                "storage `{key:.40}` has {} of its {bytes} bytes",
                content.len()
            ))),
            None => Err(damaged(format!("storage `{key:.40}` is missing"))),
        }
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn pickle_length(&self) -> u64 {
        self.pickle.len() as u64
    }
}
