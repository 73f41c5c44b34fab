//! Checkpoints of a run: when, where, and how a run goes on from one.

use super::record::beside;
use super::tally::Tally;
use crate::error::Error;
use crate::model_io::checkpoint::{Facts, read_file, write_file};
use crate::sim_core::checkpoint::{Checkpoint, Numbers};
use crate::sim_core::engine::Engine;
use crate::sim_core::time::{Grid, Time};
use std::path::{Path, PathBuf};

/// Checkpoints of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointConfig {
    /// The file; each checkpoint replaces the one before, whole.
    pub path: PathBuf,
    /// Simulated time between checkpoints; none means only when the run ends or is stopped.
    pub every: Option<Time>,
    /// Whether the run goes on from the file, where there is one.
    pub resume: bool,
    /// Whether a file that exists is replaced.
    pub overwrite: bool,
}

/// Position of the recording, recorded spikes and their digest.
const RECORDED: &str = "recorder";

/// Where a run goes on.
#[derive(Debug)]
pub(super) struct Resumed {
    /// Position of the recording in progress.
    pub(super) position: u64,
    pub(super) tally: Tally,
}

impl CheckpointConfig {
    /// Where the recording in progress lies: beside the checkpoint.
    pub(super) fn recording(&self) -> PathBuf {
        beside(&self.path)
    }

    /// Puts the engine where the checkpoint left off; none where there is no checkpoint.
    ///
    /// # Errors
    /// [`Error`] naming the file: it exists and is not to be gone on from, is damaged, or is of
    /// another run.
    pub(super) fn resume(&self, engine: &mut dyn Engine) -> Result<Option<Resumed>, Error> {
        let exists = self.path.symlink_metadata().is_ok();
        if !self.resume {
            return match exists && !self.overwrite {
                true => Err(Error::Write(format!(
                    "{} exists; pass --resume to go on from it, or --force to overwrite it",
                    self.path.display()
                ))),
                false => Ok(None),
            };
        }
        if !exists {
            return Ok(None);
        }
        let path = &self.path;
        let unreadable = |reason: String| Error::Read { path: path.clone(), reason };
        let (checkpoint, _) = read_file(path).map_err(|error| unreadable(error.to_string()))?;
        let content = |error: crate::sim_core::checkpoint::CheckpointError| {
            Error::Content(error.to_string()).in_file(path)
        };
        engine.restore(&checkpoint).map_err(content)?;
        let recorded = checkpoint.u64s(RECORDED).map_err(content)?;
        let [position, spikes, hash] = *recorded else {
            return Err(unreadable(format!("section `{RECORDED}` has {} numbers", recorded.len())));
        };
        let spikes = usize::try_from(spikes).unwrap_or(usize::MAX);
        Ok(Some(Resumed { position, tally: Tally { spikes, hash } }))
    }

    /// Writes a checkpoint: what is recorded up to `position` must be on the disk.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(super) fn write(
        &self,
        engine: &mut dyn Engine,
        position: u64,
        tally: Tally,
        facts: &Facts,
    ) -> Result<(), Error> {
        let mut checkpoint: Checkpoint = engine.checkpoint();
        let recorded = vec![position, tally.spikes as u64, tally.hash];
        checkpoint.push(RECORDED, Numbers::U64(recorded));
        write_file(&checkpoint, facts, &self.path)
            .map_err(|error| Error::Write(format!("{}: {error}", self.path.display())))
    }

    /// The first time after `now` at which a checkpoint is due.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let every = self.every?;
        Some(Time((now.0 / every.0 + 1).saturating_mul(every.0)))
    }

    /// Checks that checkpoints lie on the grid and can be written.
    ///
    /// # Errors
    /// [`Error::Usage`], [`Error::Write`].
    pub(super) fn check(&self, grid: Grid) -> Result<(), Error> {
        if let Some(every) = self.every.filter(|every| grid.steps_in(*every).is_none()) {
            let step = grid.step();
            let message =
                format!("--checkpoint-every: {every} is not a whole number of steps of {step}");
            return Err(Error::Usage(message));
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        match folder.is_dir() {
            true => Ok(()),
            false => {
                let (path, folder) = (self.path.display(), folder.display());
                Err(Error::Write(format!("cannot write {path}: there is no folder {folder}")))
            }
        }
    }
}
