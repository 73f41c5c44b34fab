//! Lists and facts as text.

use serde_json::{Map, Value};
use spikeloom::listing::Listing;
use spikeloom::report::{Block, Cell, Column, Table};

/// Tables are at most this wide.
const WIDTH: usize = 120;

/// A list as a table; columns that hold lists or objects are for machines and left out.
pub fn table(listing: &Listing) -> String {
    let shown: Vec<usize> = (0..listing.columns.len())
        .filter(|&column| !cells(listing, column).any(|cell| cell.is_array() || cell.is_object()))
        .collect();
    let rows = listing.rows.iter().map(|row| {
        shown.iter().map(|&column| row.get(column).map_or(Cell::Missing, cell)).collect()
    });
    let table = Table {
        title: listing.title.clone(),
        description: String::new(),
        columns: shown.iter().map(|&index| column(listing, index)).collect(),
        rows: rows.collect(),
    };
    Block::from(table).to_text(WIDTH).trim_matches('\n').to_string() + "\n"
}

fn cells(listing: &Listing, column: usize) -> impl Iterator<Item = &Value> {
    listing.rows.iter().filter_map(move |row| row.get(column))
}

/// Numbers stand right; whole ones have no places.
fn column(listing: &Listing, index: usize) -> Column {
    let title = listing.columns[index].replace('_', " ");
    let numbers = cells(listing, index).filter(|cell| !cell.is_null());
    let (mut any, mut numeric, mut whole) = (false, true, true);
    for cell in numbers {
        any = true;
        numeric &= cell.is_number();
        whole &= cell.is_u64() || cell.is_i64();
    }
    match any && numeric {
        true => Column::numbers(&title, "", whole.then_some(0)),
        false => Column::words(&title),
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Missing,
        Value::Number(number) => number.as_f64().map_or(Cell::Missing, Cell::Number),
        other => Cell::Text(plain(other)),
    }
}

/// Facts, one a line; those that are not known are left out.
pub fn facts(facts: &Map<String, Value>) -> String {
    let known = || facts.iter().filter(|(_, value)| !value.is_null() && !is_empty(value));
    let width = known().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
    let line = |(name, value): (&String, &Value)| {
        format!("{:<width$}{}\n", name.replace('_', " "), plain(value))
    };
    harmless(&known().map(line).collect::<String>())
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_str().is_some_and(str::is_empty)
}

/// A value without quotes and brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_string(),
        Value::Bool(true) => "yes".to_string(),
        Value::Bool(false) => "no".to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(all) => {
            let pairs = all.iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Text without control characters, so that names in files cannot steer the terminal.
pub fn harmless(text: &str) -> String {
    text.chars().filter(|&letter| letter == '\n' || !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_words_and_what_is_missing_get_their_form() {
        let listing = Listing::new("Things", &["name", "count", "share", "parts"]).with_rows([
            [json!("one"), json!(12_500), json!(0.5), json!([1, 2])],
            [json!("two"), Value::Null, json!(0.25), json!([])],
        ]);
        let text = table(&listing);
        assert!(text.contains("12") && text.contains("500") && !text.contains("parts"), "{text}");
        let facts =
            facts(json!({ "a_b": true, "none": null, "c": "x\u{1b}[2J" }).as_object().unwrap());
        assert_eq!(facts, "a b  yes\nc    x[2J\n");
    }
}
