//! All commands, one a file.
//!
//! To add one: its file with a struct of arguments and its [`Run`], its `mod` line, and its line
//! in the list below.

mod analyse;
mod bench;
mod compare;
mod conventions;
mod convert;
mod demo;
mod export;
mod import;
mod inspect;
mod list;
mod map;
mod model;
mod quantise;
mod simulate;
mod synapses;
mod verify;
mod window;

use crate::terminal::Terminal;
use serde_json::Value;
use spikeloom::error::Error;

/// What every command is given.
pub struct Session {
    /// Progress and notes.
    pub terminal: Terminal,
    /// Whether one JSON object is asked for.
    pub json: bool,
    /// Threads asked for.
    pub threads: Option<usize>,
}

/// What a command leaves to be shown.
pub struct Outcome {
    /// For machines: one object.
    pub json: Value,
    /// For people.
    pub text: String,
    /// Exit code.
    pub code: u8,
}

impl Outcome {
    /// All is well.
    fn fine(json: Value, text: impl Into<String>) -> Self {
        Outcome { json, text: text.into(), code: 0 }
    }

    /// A finding ends with exit code 1.
    fn with_finding(mut self, finding: bool) -> Self {
        self.code = u8::from(finding);
        self
    }
}

/// Arguments that can be run.
trait Run {
    fn run(&self, session: &Session) -> Result<Outcome, Error>;
}

macro_rules! commands {
    ($($module:ident::$name:ident,)*) => {
        /// A command with its arguments.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $(#[allow(missing_docs)] $name($module::$name),)*
        }

        impl Command {
            /// Runs the command.
            pub fn run(&self, session: &Session) -> Result<Outcome, Error> {
                match self {
                    $(Command::$name(arguments) => arguments.run(session),)*
                }
            }
        }
    };
}

commands! {
    demo::Demo,
    simulate::Simulate,
    convert::Convert,
    quantise::Quantise,
    map::Map,
    export::Export,
    import::Import,
    inspect::Inspect,
    compare::Compare,
    analyse::Analyse,
    verify::Verify,
    bench::Bench,
    list::List,
    window::Window,
    synapses::Synapses,
}
