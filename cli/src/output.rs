//! Standard output and standard error; a reader that went away is no error.

use serde_json::Value;
use spikeloom::error::Error;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes text for people; the end of the line is added where it is missing.
pub fn print(text: &str) {
    if text.is_empty() {
        return;
    }
    let mut out = std::io::stdout().lock();
    // A pipe such as `| head` may be closed: nobody is left to be told.
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Writes the one object of `--json`.
pub fn print_json(value: &Value) {
    print(&format!("{value:#}"));
}

/// Writes to standard error.
pub fn print_error(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Whether standard error shows colours.
pub fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Refuses early what would fail after long work: an output file that exists or has no folder.
pub fn check_target(path: Option<&Path>, force: bool) -> Result<(), Error> {
    let Some(path) = path else {
        return Ok(());
    };
    let name = path.display();
    if !force && path.symlink_metadata().is_ok() {
        return Err(Error::Write(format!(
            "{name} exists; pass --force to overwrite it, or choose another name"
        )));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let folder = folder.display();
            Err(Error::Write(format!("cannot write {name}: there is no folder {folder}")))
        }
        _ => Ok(()),
    }
}
