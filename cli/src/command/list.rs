//! `spikeloom list`.

use super::{Outcome, Run, Session};
use crate::table::{facts, table};
use serde_json::{Map, Value, json};
use spikeloom::error::Error;
use spikeloom::lists::{LISTS, find_list};

/// List what there is: models, chips, formats, methods and everything else with a name
#[derive(Debug, clap::Args)]
pub struct List {
    // Its help is made of the lists themselves.
    #[arg(value_name = "WHAT", help = names())]
    what: Option<String>,

    /// One entry of that list alone, with all that is known of it
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Whether a value is a table of its own.
fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|all| all.iter().any(Value::is_object))
}

/// What can be listed.
fn names() -> String {
    let names: Vec<&str> = LISTS.iter().map(|entry| entry.name).collect();
    format!("{}; all where none is named", names.join(", "))
}

impl Run for List {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        if let (Some(what), Some(name)) = (&self.what, &self.name) {
            let entry = find_list(what)?;
            let (listing, details) = entry.only(name)?;
            let json = listing.to_json();
            let own = json.get(0).and_then(Value::as_object).cloned().unwrap_or_default();
            let told = facts(&own.into_iter().filter(|(_, value)| !is_table(value)).collect());
            let tables = details.iter().map(table);
            let text = std::iter::once(told).chain(tables).collect::<Vec<_>>().join("\n");
            return Ok(Outcome::fine(json!({ entry.name: json }), text));
        }
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
            if self.what.is_some() && entry.in_full {
                tables.extend((entry.details)()?.iter().map(|detail| table(&detail.table)));
            }
        }
        Ok(Outcome::fine(Value::Object(json), tables.join("\n")))
    }
}
