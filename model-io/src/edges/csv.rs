//! Tables of numbers, and of texts where these are asked for: a head line with the names of the columns, then a
//! line a row.

use super::{EdgesError, wrong};
use indexmap::IndexMap;

/// Columns by name.
#[derive(Debug)]
pub(super) struct Table {
    numbers: IndexMap<String, Vec<f64>>,
    texts: IndexMap<String, Vec<String>>,
}

/// A column while it is read.
enum Column {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Table {
    /// A column, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Vec<f64>> {
        self.numbers.shift_remove(name)
    }

    /// A column of texts, if it is there.
    pub(super) fn take_texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.texts.shift_remove(name)
    }

    /// A column that must be there.
    pub(super) fn need(&mut self, name: &str) -> Result<Vec<f64>, EdgesError> {
        let known = self.numbers.keys().take(20).cloned().collect::<Vec<_>>().join(", ");
        self.take(name).ok_or_else(|| {
            wrong("head line", format!("there is no column `{name}`; the columns are: {known}"))
        })
    }
}

/// Reads a table of numbers; commas, semicolons, tabs or spaces separate, lines that begin with `#` are left out.
pub(super) fn read(text: &str) -> Result<Table, EdgesError> {
    read_with_texts(text, &[])
}

/// The same, of a table in which the columns of these names hold texts, in quotation marks where they contain what
/// separates.
pub(super) fn read_with_texts(text: &str, texts: &[&str]) -> Result<Table, EdgesError> {
    let filled = |(_, line): &(usize, &str)| !line.trim().is_empty() && !line.starts_with('#');
    let mut lines = text.lines().enumerate().filter(filled);
    let Some((_, head)) = lines.next() else {
        return Err(wrong("line 1", "the file is empty".to_string()));
    };
    let names = cells(head);
    if names.first().is_none_or(|name| name.parse::<f64>().is_ok()) {
        let reason = "the first line names the columns, for example `source,target,weight,delay`";
        return Err(wrong("line 1", reason.to_string()));
    }
    let column = |name: &String| match texts.contains(&name.as_str()) {
        true => Column::Texts(Vec::new()),
        false => Column::Numbers(Vec::new()),
    };
    let mut columns: Vec<Column> = names.iter().map(column).collect();
    for (index, line) in lines {
        let place = || format!("line {}", index + 1);
        let row = cells(line);
        if row.len() != names.len() {
            let reason = format!("{} entries for {} columns", row.len(), names.len());
            return Err(wrong(&place(), reason));
        }
        for (cell, column) in row.into_iter().zip(&mut columns) {
            match column {
                Column::Texts(texts) => texts.push(cell),
                Column::Numbers(numbers) => numbers.push(cell.parse().map_err(|_| {
                    let shown: String = cell.chars().take(30).collect();
                    wrong(&place(), format!("`{shown}` is not a number"))
                })?),
            }
        }
    }
    let mut table = Table { numbers: IndexMap::new(), texts: IndexMap::new() };
    for (name, column) in names.into_iter().zip(columns) {
        match column {
            Column::Numbers(numbers) => drop(table.numbers.insert(name, numbers)),
            Column::Texts(texts) => drop(table.texts.insert(name, texts)),
        }
    }
    Ok(table)
}

/// The entries of a line, without their quotation marks (a doubled one stands for itself).
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => cells.push(std::mem::take(&mut cell)),
            space if space.is_whitespace() && !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells.retain(|cell| !cell.is_empty());
    cells
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
