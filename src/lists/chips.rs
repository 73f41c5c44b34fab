//! Chips and their data sheets.

use super::Detail;
use crate::error::Error;
use crate::listing::Listing;
use crate::loihi_export::chip::{ChipCatalogue, ChipSpec};
use serde_json::{Value, json};

pub(super) fn chips() -> Result<Listing, Error> {
    let columns = ["name", "title", "revision", "figures"];
    let rows: Result<Vec<_>, Error> = ChipCatalogue::built_in()?
        .iter()
        .map(|chip| {
            let figures = figures(chip)?.to_json();
            Ok([json!(chip.name), json!(chip.title), json!(chip.revision), figures])
        })
        .collect();
    Ok(Listing::new("Chips", &columns).with_rows(rows?))
}

/// A chip's data sheet; unknown figures have the value null and the text `unknown`.
///
/// # Errors
/// [`Error::Json`], for values that JSON cannot hold; descriptions have none.
pub fn figures(chip: &ChipSpec) -> Result<Listing, Error> {
    let raw = serde_json::to_value(chip)?;
    let columns = ["figure", "value", "text", "unit", "evidence", "source", "note"];
    let rows = chip.figures().into_iter().map(|figure| {
        let pointer = format!("/{}/value", figure.name.replace('.', "/"));
        let value = raw.pointer(&pointer).cloned().unwrap_or(Value::Null);
        [
            json!(figure.name),
            value,
            json!(figure.shown()),
            json!(figure.unit),
            json!(figure.evidence.map(|evidence| evidence.name())),
            json!(figure.source),
            json!(figure.note),
        ]
    });
    let title = format!("{} ({}, description of {})", chip.title, chip.name, chip.revision);
    Ok(Listing::new(title, &columns).with_rows(rows))
}

/// The data sheets for people: the value as text, once.
pub(super) fn data_sheets() -> Result<Vec<Detail>, Error> {
    let chips = ChipCatalogue::built_in()?;
    chips
        .iter()
        .map(|chip| {
            let mut sheet = figures(chip)?;
            sheet.columns = vec!["figure", "value", "unit", "evidence", "source"];
            for row in &mut sheet.rows {
                row.remove(1);
                row.truncate(5);
            }
            Ok(Detail { entry: chip.name.clone(), table: sheet })
        })
        .collect()
}
