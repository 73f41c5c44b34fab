//! Output files that are written whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

/// Why an output file was not written.
#[derive(Debug, thiserror::Error)]
pub enum AtomicWriteError<E> {
    /// The target exists and overwriting was not asked for.
    #[error("{} exists; pass --force to overwrite it, or choose another name", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    System {
        /// What was being done, such as `cannot create a file in`.
        action: &'static str,
        /// The file or folder it was done to.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content could not be produced.
    #[error(transparent)]
    Content(E),
}

/// Writes a file so that the target is either complete or untouched.
///
/// `write` gets the path of a new, empty file in the target's folder. When it succeeds, the file
/// is flushed to the disk and renamed to `path`; when it fails, the file is removed.
/// Without `overwrite` a target that exists is refused, also when it appears while `write` runs.
///
/// # Errors
/// [`AtomicWriteError::Exists`], [`AtomicWriteError::System`] with the place, or the error of
/// `write` as [`AtomicWriteError::Content`].
pub fn write_atomically<T, E>(
    path: &Path,
    overwrite: bool,
    write: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, AtomicWriteError<E>> {
    let exists = || AtomicWriteError::Exists { path: path.to_owned() };
    let system = |action, place: &Path| {
        let path = place.to_owned();
        move |source| AtomicWriteError::System { action, path, source }
    };
    // A dangling symbolic link has no metadata of a target, but it is there.
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    if path.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
        return Err(system("cannot write", path)(source));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(&prefix(path))
        .suffix(SUFFIX)
        .tempfile_in(folder)
        .map_err(system("cannot create a file in", folder))?
        .into_temp_path();
    let value = write(&temporary).map_err(AtomicWriteError::Content)?;
    finish(&temporary, path).map_err(system("cannot complete", path))?;
    let renamed = if overwrite {
        temporary.persist(path).map_err(|e| e.error)
    } else {
        temporary.persist_noclobber(path).map_err(|e| e.error)
    };
    renamed.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => exists(),
        _ => system("cannot rename the finished file to", path)(source),
    })?;
    // The name is on the disk when its folder is; where folders cannot be flushed, nothing is lost
    // but the order in which a power cut finds things.
    #[cfg(unix)]
    let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(value)
}

/// The end of the names of files that are not finished.
const SUFFIX: &str = ".part";

/// The longest name of a target (bytes) that the names of its unfinished files hold.
const LONGEST_NAME: usize = 200;

/// How the names of a target's unfinished files begin.
fn prefix(target: &Path) -> String {
    let name = target.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = if name.len() > LONGEST_NAME { "" } else { name };
    format!(".spikeloom-{name}-")
}

/// Removes unfinished files of a target that a killed process left behind. To be called where nobody else
/// can be writing the target. What cannot be removed does no harm.
pub fn remove_leftovers(target: &Path) {
    let begin = prefix(target);
    let is_left = |name: &str| {
        let drawn = name.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(SUFFIX));
        // What stands between is what was drawn for one of them, and no part of another target's name.
        drawn.is_some_and(|drawn| !drawn.is_empty() && drawn.chars().all(char::is_alphanumeric))
    };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_left) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Gives the finished file the rights of an ordinary one and flushes it to the disk.
fn finish(temporary: &Path, target: &Path) -> io::Result<()> {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(temporary)?;
    // Temporary files are private to their owner; an overwritten file keeps its rights.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = match target.metadata() {
            Ok(existing) => existing.permissions(),
            Err(_) => std::fs::Permissions::from_mode(0o644),
        };
        file.set_permissions(rights)?;
    }
    #[cfg(not(unix))]
    let _ = target;
    file.sync_all()
}

/// Writes bytes that are already in memory, whole or not at all.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_bytes_atomically(
    path: &Path,
    overwrite: bool,
    bytes: &[u8],
) -> Result<(), AtomicWriteError<io::Error>> {
    write_atomically(path, overwrite, |temporary| std::fs::write(temporary, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_finished_file_has_its_content_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        write_bytes_atomically(&path, false, b"one").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["out.bin"]);
    }

    #[test]
    fn an_existing_file_is_refused_with_the_remedy_and_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        std::fs::write(&path, b"old").unwrap();
        let message = write_bytes_atomically(&path, false, b"new").unwrap_err().to_string();
        assert!(message.contains("out.bin") && message.contains("--force"), "{message}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        write_bytes_atomically(&path, true, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["out.bin"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        let result = write_atomically(&path, false, |temporary| {
            std::fs::write(temporary, b"half")?;
            // A killed process cannot remove its file.
            std::fs::rename(temporary, temporary.with_file_name(".spikeloom-out.bin-a1B2c3.part"))
        });
        assert!(result.is_err(), "the unfinished file is gone");
        for other in
            [".spikeloom-out.bin-x-a1B2c3.part", ".spikeloom-out.bin-.part", "out.bin.part"]
        {
            std::fs::write(folder.path().join(other), b"of others").unwrap();
        }
        assert_eq!(names(folder.path()).len(), 4);
        remove_leftovers(&path);
        let kept = [".spikeloom-out.bin-.part", ".spikeloom-out.bin-x-a1B2c3.part", "out.bin.part"];
        assert_eq!(names(folder.path()), kept);
        // The names of unfinished files are those that are looked for.
        write_atomically(&path, false, |temporary| {
            let name = temporary.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with(".spikeloom-out.bin-") && name.ends_with(".part"), "{name}");
            std::fs::write(temporary, b"whole")
        })
        .unwrap();
    }

    #[test]
    fn a_failure_in_the_middle_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        std::fs::write(&path, b"old").unwrap();
        let result: Result<(), _> = write_atomically(&path, true, |temporary| {
            std::fs::write(temporary, b"half")?;
            Err(io::Error::other("disk on fire"))
        });
        assert_eq!(result.unwrap_err().to_string(), "disk on fire");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out.bin"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        let result = write_atomically(&path, false, |temporary| {
            std::fs::write(temporary, b"mine")?;
            std::fs::write(&path, b"theirs")
        });
        assert!(matches!(result, Err(AtomicWriteError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["out.bin"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_as_target_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere").join("out.bin");
        let message = write_bytes_atomically(&missing, false, b"").unwrap_err().to_string();
        assert!(message.contains("nowhere"), "{message}");
        let message = write_bytes_atomically(folder.path(), true, b"").unwrap_err().to_string();
        assert!(message.contains("it is a folder"), "{message}");
    }
}
