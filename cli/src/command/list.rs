//! `spikeloom list`.

use super::{Outcome, Run, Session};
use crate::table::table;
use serde_json::{Map, Value};
use spikeloom::error::Error;
use spikeloom::lists::{LISTS, find_list};

/// List what there is: models, chips, formats, methods and everything else with a name
#[derive(Debug, clap::Args)]
pub struct List {
    // Its help is made of the lists themselves.
    #[arg(value_name = "WHAT", help = names())]
    what: Option<String>,
}

/// What can be listed.
fn names() -> String {
    let names: Vec<&str> = LISTS.iter().map(|entry| entry.name).collect();
    format!("{}; all where none is named", names.join(", "))
}

impl Run for List {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        let chosen = match &self.what {
            Some(name) => vec![find_list(name)?],
            None => LISTS.iter().collect(),
        };
        let mut json = Map::new();
        let mut tables = Vec::new();
        for entry in &chosen {
            let listing = (entry.list)()?;
            json.insert(entry.name.to_string(), listing.to_json());
            tables.push(table(&listing));
            // Long tables only where they were asked for.
            if self.what.is_some() {
                tables.extend((entry.details)()?.iter().map(table));
            }
        }
        Ok(Outcome::fine(Value::Object(json), tables.join("\n")))
    }
}
