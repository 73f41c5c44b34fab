//! Weights of an ONNX model in other files, only from beneath the model's folder.

use crate::snn_convert::source::onnx::{ExternalData, Place};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Reads files beneath one folder and nothing else.
pub struct Folder {
    folder: PathBuf,
}

impl Folder {
    /// The folder that a model lies in.
    pub fn of(model: &Path) -> Self {
        let parent = model.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self { folder: parent.unwrap_or(Path::new(".")).to_owned() }
    }

    /// The file, if it is truly beneath the folder once links are followed.
    fn resolve(&self, file: &str) -> Result<PathBuf, String> {
        let path = Path::new(file);
        let harmless =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if file.contains(['\0', '\\']) || !path.components().all(harmless) {
            return Err(format!(
                "its values are said to be in `{file:.200}`; only files beneath the model's folder \
                 are read"
            ));
        }
        let missing = |error: std::io::Error| {
            format!(
                "its values are in `{file:.200}` beside the model, which cannot be read: {error}"
            )
        };
        let folder = self.folder.canonicalize().map_err(missing)?;
        let found = folder.join(path).canonicalize().map_err(missing)?;
        if !found.starts_with(&folder) {
            return Err(format!(
                "its values are said to be in `{file:.200}`, a link that leaves the model's folder; \
                 only files beneath it are read"
            ));
        }
        Ok(found)
    }
}

impl ExternalData for Folder {
    fn read(&self, place: &Place) -> Result<Vec<u8>, String> {
        let name = &place.file;
        let path = self.resolve(name)?;
        let failed = |error: std::io::Error| format!("`{name:.200}` cannot be read: {error}");
        let mut file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(format!("`{name:.200}` is no file"));
        }
        let end = place.offset.checked_add(place.bytes);
        if end.is_none_or(|end| end > metadata.len()) {
            return Err(format!(
                "its values are said to be bytes {} to {} of `{name:.200}`, which has {}",
                place.offset,
                place.offset.saturating_add(place.bytes),
                metadata.len()
            ));
        }
        file.seek(SeekFrom::Start(place.offset)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(place.bytes).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, offset: u64, bytes: u64) -> Place {
        Place { file: file.to_owned(), offset, bytes }
    }

    #[test]
    fn only_what_lies_beneath_the_model_is_read() {
        let outside = tempfile::tempdir().unwrap();
        let home = outside.path().join("home");
        std::fs::create_dir_all(home.join("weights")).unwrap();
        std::fs::write(outside.path().join("secret"), b"secret").unwrap();
        std::fs::write(home.join("weights/w.bin"), b"0123456789").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), home.join("link")).unwrap();
        std::os::unix::fs::symlink("weights/w.bin", home.join("inside")).unwrap();
        let folder = Folder::of(&home.join("model.onnx"));
        assert_eq!(folder.read(&place("weights/w.bin", 2, 3)).unwrap(), b"234");
        assert_eq!(folder.read(&place("./inside", 0, 10)).unwrap(), b"0123456789");
        let absolute = outside.path().join("secret");
        let refused = [
            ("../secret", "beneath the model's folder"),
            ("weights/../../secret", "beneath the model's folder"),
            (absolute.to_str().unwrap(), "beneath the model's folder"),
            ("link", "leaves the model's folder"),
            ("..\\secret", "beneath the model's folder"),
            ("missing.bin", "cannot be read"),
            ("weights", "is no file"),
        ];
        for (file, part) in refused {
            let problem = folder.read(&place(file, 0, 1)).unwrap_err();
            assert!(problem.contains(part), "{file}: {problem}");
        }
        for (offset, bytes) in [(0, 11), (9, 2), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
            let problem = folder.read(&place("weights/w.bin", offset, bytes)).unwrap_err();
            assert!(problem.contains("which has 10"), "{problem}");
        }
    }
}
