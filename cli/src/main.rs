//! The `spikeloom` command: it parses arguments, calls the facade, and renders what comes back.
//!
//! People get tables on standard output and progress on standard error; with `--json` there is
//! exactly one JSON object on standard output. Exit codes: 0 fine, 1 a finding (over budget,
//! different), 2 wrong usage or an output that cannot be written, 3 bad input, 130 stopped with Ctrl-C.

mod arguments;
mod command;
mod diagnostic;
mod interrupt;
mod output;
mod provenance;
mod table;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let json = arguments.json;
    let result = arguments::threads(arguments.threads).and_then(|threads| {
        let session = command::Session { terminal: terminal::Terminal::new(json), json, threads };
        arguments.command.run(&session)
    });
    match result {
        Ok(outcome) => {
            match json {
                true => output::print_json(&provenance::in_json(outcome.json)),
                false => output::print(&outcome.text),
            }
            ExitCode::from(outcome.code)
        }
        Err(error) => {
            match json {
                true => output::print_json(&diagnostic::as_json(&error)),
                false => output::print_error(&diagnostic::as_text(&error, output::colours())),
            }
            ExitCode::from(diagnostic::exit_code(&error))
        }
    }
}
