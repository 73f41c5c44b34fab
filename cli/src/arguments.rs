//! What can be written behind `spikeloom`.

use crate::command::Command;
use crate::{diagnostic, output};
use clap::Parser;
use clap::error::ErrorKind;
use spikeloom::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

/// Simulate spiking networks, convert trained networks to spikes, map them to neuromorphic chips.
#[derive(Debug, Parser)]
#[command(
    name = "spikeloom",
    version = crate::provenance::VERSION,
    after_help = "Exit codes: 0 fine, 1 a finding (over budget, different), 2 wrong usage or \
                  an output that cannot be written, 3 bad input, 130 stopped with Ctrl-C.\nAn existing file is replaced only with --force."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    /// Print exactly one JSON object
    #[arg(long, global = true)]
    pub json: bool,

    /// Threads to use; results do not depend on it
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
}

/// More threads than this are surely a mistake.
const MOST_THREADS: usize = 4096;

/// Parses; help and complaints are printed here.
pub fn parse(arguments: Vec<OsString>) -> Result<Arguments, ExitCode> {
    let json = arguments.iter().any(|argument| argument == "--json");
    Arguments::try_parse_from(arguments).map_err(|error| {
        let rendered = error.render();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                output::print(&rendered.to_string());
                return ExitCode::SUCCESS;
            }
            _ if json => {
                let text = rendered.to_string();
                let message = text.strip_prefix("error: ").unwrap_or(&text).trim();
                let error = Error::Usage(message.to_string());
                output::print_json(&diagnostic::as_json(&error));
            }
            _ if output::colours() => output::print_error(&rendered.ansi().to_string()),
            _ => output::print_error(&rendered.to_string()),
        }
        ExitCode::from(diagnostic::USAGE)
    })
}

/// Checks the number of threads and sets up those that work on samples in parallel.
pub fn threads(asked: Option<usize>) -> Result<Option<usize>, Error> {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let Some(threads) = asked else {
        return Ok(None);
    };
    if !(1..=MOST_THREADS).contains(&threads) {
        return Err(Error::Usage(format!(
            "--threads {threads}: give 1 to {MOST_THREADS}; this machine runs {available} at once"
        )));
    }
    if threads > available {
        output::print_error(&format!(
            "warning: --threads {threads}: this machine runs {available} at once, so more make \
             nothing faster; results are the same"
        ));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Error::Usage(format!("no {threads} threads could be started: {error}")))?;
    Ok(Some(threads))
}
