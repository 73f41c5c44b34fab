//! `spikeloom list`.

use super::{Outcome, Run, Session};
use crate::table::table;
use serde_json::{Map, Value};
use spikeloom::error::Error;
use spikeloom::lists::{LISTS, find_list};

/// List what there is: models, chips, formats, methods and everything else with a name
#[derive(Debug, clap::Args)]
pub struct List {
    /// models, chips, formats, exports, methods, thresholds, codes, readouts, engines, partitioners,
    /// placers, routers, processes, operators or workloads; all where none is named
    #[arg(value_name = "WHAT")]
    what: Option<String>,
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
