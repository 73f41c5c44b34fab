//! Ctrl-C: the first asks to stop at the next good moment, the second stops at once.

use spikeloom::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a command that was stopped, as shells give it (128 + SIGINT).
pub const INTERRUPTED: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C only asks.
pub fn watch() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(|error| Error::Usage(format!("Ctrl-C cannot be watched: {error}")))
}

/// Whether Ctrl-C was pressed.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
