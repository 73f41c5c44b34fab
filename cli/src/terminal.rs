//! Progress: bars on a terminal, else at most one line a second.

use crate::output;
use indicatif::{ProgressBar, ProgressStyle};
use spikeloom::progress::Progress;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Distance of lines where there is no bar.
const PAUSE: Duration = Duration::from_secs(1);
/// A bar, and what is left to do.
const BAR: &str = "{msg:<20} [{bar:40}] {percent:>3} %  {eta} left";

/// What a person sees of long work.
pub struct Terminal {
    /// Whether standard output is for one JSON object only.
    json: bool,
    bars: bool,
    running: Mutex<Option<Running>>,
}

enum Running {
    Bar(ProgressBar),
    Lines(Lines),
}

/// Work that is told about in lines.
struct Lines {
    what: String,
    total: u64,
    done: u64,
    started: Instant,
    told: Instant,
}

impl Terminal {
    /// Bars where standard error is a terminal.
    pub fn new(json: bool) -> Self {
        let bars = std::io::stderr().is_terminal();
        Terminal { json, bars, running: Mutex::new(None) }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Terminal {
    fn stage(&self, title: &str) {
        if !self.json {
            output::print(&format!("\n== {title}"));
        }
    }

    fn note(&self, text: &str) {
        if !self.json {
            output::print(text);
        }
    }

    fn begin(&self, what: &str, total: u64) {
        let running = if self.bars {
            let style = ProgressStyle::with_template(BAR);
            let bar = ProgressBar::new(total).with_message(what.to_string());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            Running::Bar(bar)
        } else {
            let now = Instant::now();
            Running::Lines(Lines { what: what.into(), total, done: 0, started: now, told: now })
        };
        *self.running() = Some(running);
    }

    fn advance(&self) {
        match &mut *self.running() {
            Some(Running::Bar(bar)) => bar.inc(1),
            Some(Running::Lines(lines)) => {
                if let Some(line) = lines.advance(Instant::now()) {
                    output::print_error(&line);
                }
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(Running::Bar(bar)) = self.running().take() {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    /// Counts one part; gives a line where the last one is long enough ago.
    fn advance(&mut self, now: Instant) -> Option<String> {
        self.done += 1;
        if now.duration_since(self.told) < PAUSE {
            return None;
        }
        self.told = now;
        let share = self.done as f64 / self.total.max(1) as f64;
        let passed = now.duration_since(self.started).as_secs_f64();
        let left = passed * (1.0 - share).max(0.0) / share;
        Some(format!("{}: {:.0} %, about {left:.0} s left", self.what, 100.0 * share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_at_most_once_a_second_with_the_time_left() {
        let start = Instant::now();
        let what = "work".to_string();
        let mut lines = Lines { what, total: 8, done: 0, started: start, told: start };
        assert_eq!(lines.advance(start + Duration::from_millis(900)), None);
        let line = lines.advance(start + Duration::from_secs(2));
        assert_eq!(line.as_deref(), Some("work: 25 %, about 6 s left"));
        assert_eq!(lines.advance(start + Duration::from_millis(2900)), None);
    }
}
