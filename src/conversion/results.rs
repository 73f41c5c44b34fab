//! Results that are kept: one JSON line an image, so that work that was stopped can go on.
//!
//! The first line says what the results belong to. Lines are appended when a batch of images is done;
//! a last line that was cut off is dropped.

use crate::error::Error;
use crate::network_files::unreadable;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// More than this is not read.
const LIMIT: u64 = 1 << 30;

/// What one image did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageResult {
    /// Index among the test images.
    pub image: usize,
    /// Its class, where it is known.
    pub label: Option<usize>,
    /// Class of the trained network.
    pub ann_class: usize,
    /// Distance of the trained network's best score from the next.
    pub ann_margin: f64,
    /// Class of the spiking network at each number of steps.
    pub classes: Vec<usize>,
    /// Distance of the best score a step from the next, at each number of steps.
    pub margins: Vec<f64>,
    /// Spikes up to each number of steps.
    pub spikes: Vec<u64>,
    /// Synaptic operations up to each number of steps.
    pub synaptic_operations: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    spikeloom: String,
    key: String,
    steps: Vec<u32>,
}

/// A file of results that grows.
#[derive(Debug)]
pub(super) struct ResultsFile {
    path: PathBuf,
    file: File,
}

impl ResultsFile {
    /// Begins a file, or goes on with one; gives the results that it holds already.
    pub(super) fn open(
        path: &Path,
        key: u64,
        steps: &[u32],
        resume: bool,
    ) -> Result<(Self, Vec<ImageResult>), Error> {
        let head = Head {
            spikeloom: env!("CARGO_PKG_VERSION").to_string(),
            key: format!("{key:016x}"),
            steps: steps.to_vec(),
        };
        let exists = path.symlink_metadata().is_ok();
        if exists && !resume {
            return Err(Error::Write(format!(
                "{} exists; pass --resume to go on with it, or choose another name",
                path.display()
            )));
        }
        if exists {
            return Self::go_on(path, &head);
        }
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let file = file.map_err(|error| cannot_write(path, &error))?;
        let mut results = ResultsFile { path: path.into(), file };
        results.write(&(serde_json::to_string(&head)? + "\n"))?;
        Ok((results, Vec::new()))
    }

    fn go_on(path: &Path, head: &Head) -> Result<(Self, Vec<ImageResult>), Error> {
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(|error| unreadable(path, &error))?;
        let mut text = String::new();
        let read = Read::by_ref(&mut file).take(LIMIT).read_to_string(&mut text);
        read.map_err(|error| unreadable(path, &error))?;
        let wrong = |message: String| Error::Usage(message).in_file(path);
        // A line that was cut off while it was written has no end.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].lines();
        let found: Option<Head> = lines.next().and_then(|line| serde_json::from_str(line).ok());
        match found {
            Some(found) if found == *head => {}
            Some(_) => {
                return Err(wrong(
                    "these results belong to another model, other data or other options: leave \
                     --resume out and choose another name"
                        .to_string(),
                ));
            }
            None => return Err(wrong("this is no file of results".to_string())),
        }
        let mut results: Vec<ImageResult> = Vec::new();
        for (number, line) in lines.enumerate() {
            let result: Option<ImageResult> = serde_json::from_str(line).ok();
            let fits = |result: &ImageResult| {
                let count = head.steps.len();
                result.image == number
                    && [result.classes.len(), result.margins.len()] == [count; 2]
                    && [result.spikes.len(), result.synaptic_operations.len()] == [count; 2]
            };
            match result.filter(fits) {
                Some(result) => results.push(result),
                None => {
                    return Err(wrong(format!(
                        "line {} is damaged; remove it and all that follow, then resume",
                        number + 2
                    )));
                }
            }
        }
        file.set_len(whole as u64).map_err(|error| cannot_write(path, &error))?;
        Ok((ResultsFile { path: path.into(), file }, results))
    }

    /// Adds results, in one piece.
    pub(super) fn append(&mut self, results: &[ImageResult]) -> Result<(), Error> {
        let mut text = String::new();
        for result in results {
            text += &serde_json::to_string(result)?;
            text.push('\n');
        }
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|error| cannot_write(&self.path, &error))
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::Write(format!("cannot write {}: {error}", path.display()))
}
