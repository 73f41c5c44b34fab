//! Tables of numbers as text: a head line with the names of the columns, then a line a row.

use super::{EdgesError, wrong};
use indexmap::IndexMap;

/// Columns by name.
#[derive(Debug)]
pub(super) struct Table(IndexMap<String, Vec<f64>>);

impl Table {
    /// A column, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Vec<f64>> {
        self.0.shift_remove(name)
    }

    /// A column that must be there.
    pub(super) fn need(&mut self, name: &str) -> Result<Vec<f64>, EdgesError> {
        let known = self.0.keys().take(20).cloned().collect::<Vec<_>>().join(", ");
        self.take(name).ok_or_else(|| {
            wrong("head line", format!("there is no column `{name}`; the columns are: {known}"))
        })
    }
}

/// Reads a table; commas, semicolons, tabs or spaces separate, lines that begin with `#` are left out.
pub(super) fn read(text: &str) -> Result<Table, EdgesError> {
    let filled = |(_, line): &(usize, &str)| !line.trim().is_empty() && !line.starts_with('#');
    let mut lines = text.lines().enumerate().filter(filled);
    let Some((_, head)) = lines.next() else {
        return Err(wrong("line 1", "the file is empty".to_string()));
    };
    let split = |c: char| c == ',' || c == ';' || c.is_whitespace();
    let cells = |line: &str| -> Vec<String> {
        let trimmed = line.split(split).map(|cell| cell.trim_matches('"').to_string());
        trimmed.filter(|cell| !cell.is_empty()).collect()
    };
    let names = cells(head);
    if names.first().is_none_or(|name| name.parse::<f64>().is_ok()) {
        let reason = "the first line names the columns, for example `source,target,weight,delay`";
        return Err(wrong("line 1", reason.to_string()));
    }
    let mut columns = vec![Vec::new(); names.len()];
    for (index, line) in lines {
        let place = || format!("line {}", index + 1);
        let row = cells(line);
        if row.len() != names.len() {
            let reason = format!("{} numbers for {} columns", row.len(), names.len());
            return Err(wrong(&place(), reason));
        }
        for (cell, column) in row.iter().zip(&mut columns) {
            let number = cell.parse().map_err(|_| {
                let shown: String = cell.chars().take(30).collect();
                wrong(&place(), format!("`{shown}` is not a number"))
            })?;
            column.push(number);
        }
    }
    Ok(Table(names.into_iter().zip(columns).collect()))
}

/// Whole numbers that neurons may have.
pub(super) fn neurons(numbers: Vec<f64>, name: &str) -> Result<Vec<u32>, EdgesError> {
    let neuron = |(row, number): (usize, f64)| {
        let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        whole.then_some(number as u32).ok_or_else(|| {
            wrong(name, format!("entry {row} is {number}, not a whole number from 0 to 4294967295"))
        })
    };
    numbers.into_iter().enumerate().map(neuron).collect()
}
