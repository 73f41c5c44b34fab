//! Reading a recording: every name that is read is remembered, so that what nothing reads can be told.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Why a recording cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// No JSON.
    #[error("it is no JSON: {0}")]
    Json(serde_json::Error),
    /// More bytes than any recording has.
    #[error("it has {bytes} bytes; recordings have at most {most}")]
    Large {
        /// Its size.
        bytes: usize,
        /// The most that is read.
        most: usize,
    },
    /// JSON of another kind.
    #[error(
        "it is no recording of NEST: it has none of `V_m`, `spikes`, `spikes_by_dt`, `weights`, \
         `state_after_spike` and `workload`"
    )]
    Unknown,
    /// Something that every recording of its kind has.
    #[error("`{path}` is missing")]
    Missing {
        /// Where.
        path: String,
    },
    /// Something of another form.
    #[error("`{path}` is {found}, not {expected}")]
    Wrong {
        /// Where.
        path: String,
        /// What is there.
        found: String,
        /// What is expected.
        expected: &'static str,
    },
    /// Lists that should be equally long.
    #[error("`{path}` has {found} entries, but `{other}` has {expected}")]
    Length {
        /// Where.
        path: String,
        /// Its entries.
        found: usize,
        /// The list that it belongs to.
        other: String,
        /// Entries of that.
        expected: usize,
    },
    /// A setup that is no valid network here.
    #[error("what it was recorded from is no valid network:\n{0}")]
    Invalid(crate::sim_core::diagnostics::Problems),
    /// The network does not fit.
    #[error(transparent)]
    Compile(#[from] crate::sim_core::connectome::CompileError),
    /// An engine refuses.
    #[error(transparent)]
    Engine(#[from] crate::sim_core::engine::EngineError),
    /// Something that is not computed here; an outcome rather than a mistake.
    #[error("{0}")]
    NotCovered(String),
}

/// An object of a recording.
pub(super) struct Fields<'a> {
    /// Path of the object; empty at the top.
    path: String,
    map: &'a Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
}

/// What a value is, in a few characters.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        // As Python's writers put what JSON has no number for.
        Value::String(text) => match text.as_str() {
            "inf" | "Infinity" => Some(f64::INFINITY),
            "-inf" | "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Fields<'a> {
    /// The whole recording.
    pub(super) fn top(value: &'a Value) -> Result<Self, RecordingError> {
        Fields::object(String::new(), value)
    }

    fn object(path: String, value: &'a Value) -> Result<Self, RecordingError> {
        match value {
            Value::Object(map) => Ok(Fields { path, map, read: RefCell::default() }),
            other => Err(RecordingError::Wrong {
                path: if path.is_empty() { "the file".to_string() } else { path },
                found: shown(other),
                expected: "an object with names",
            }),
        }
    }

    /// Path of an entry.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_string() } else { format!("{}/{name}", self.path) }
    }

    /// Whether there is such an entry; `null` counts as none.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// An entry that changes nothing here.
    pub(super) fn pass(&self, name: &str) {
        self.read.borrow_mut().insert(name.to_string());
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.pass(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn needed(&self, name: &str) -> Result<&'a Value, RecordingError> {
        self.value(name).ok_or_else(|| RecordingError::Missing { path: self.at(name) })
    }

    fn wrong(&self, name: &str, found: &Value, expected: &'static str) -> RecordingError {
        RecordingError::Wrong { path: self.at(name), found: shown(found), expected }
    }

    /// A number where there is one.
    pub(super) fn optional(&self, name: &str) -> Result<Option<f64>, RecordingError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        number_of(value).map(Some).ok_or_else(|| self.wrong(name, value, "a number"))
    }

    /// A number, or what NEST takes where nothing is said.
    pub(super) fn or(&self, name: &str, default: f64) -> Result<f64, RecordingError> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<f64, RecordingError> {
        self.optional(name)?.ok_or_else(|| RecordingError::Missing { path: self.at(name) })
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, RecordingError> {
        let value = self.needed(name)?;
        value.as_str().ok_or_else(|| self.wrong(name, value, "a text"))
    }

    /// A list of finite numbers.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, RecordingError> {
        let value = self.needed(name)?;
        let list = value.as_array().ok_or_else(|| self.wrong(name, value, "a list of numbers"))?;
        let number = |(index, entry): (usize, &Value)| {
            number_of(entry).filter(|number| number.is_finite()).ok_or_else(|| {
                RecordingError::Wrong {
                    path: format!("{}/{index}", self.at(name)),
                    found: shown(entry),
                    expected: "a finite number",
                }
            })
        };
        list.iter().enumerate().map(number).collect()
    }

    /// As many numbers as `count`: one for all, or a list.
    pub(super) fn each(&self, name: &str, count: usize) -> Result<Vec<f64>, RecordingError> {
        if !matches!(self.map.get(name), Some(Value::Array(_))) {
            return Ok(vec![self.number(name)?; count]);
        }
        let numbers = self.numbers(name)?;
        self.same_length(name, numbers.len(), "times", count)?;
        Ok(numbers)
    }

    /// Refuses lists of unequal lengths.
    pub(super) fn same_length(
        &self,
        name: &str,
        found: usize,
        other: &str,
        expected: usize,
    ) -> Result<(), RecordingError> {
        if found == expected {
            return Ok(());
        }
        Err(RecordingError::Length { path: self.at(name), found, other: self.at(other), expected })
    }

    /// An object.
    pub(super) fn inner(&self, name: &str) -> Result<Fields<'a>, RecordingError> {
        Fields::object(self.at(name), self.needed(name)?)
    }

    /// The objects of a list.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, RecordingError> {
        let value = self.needed(name)?;
        let list = value.as_array().ok_or_else(|| self.wrong(name, value, "a list of objects"))?;
        let of = |(index, entry)| Fields::object(format!("{}/{index}", self.at(name)), entry);
        list.iter().enumerate().map(of).collect()
    }

    /// All names, in the order of the alphabet.
    pub(super) fn names(&self) -> Vec<&'a str> {
        self.map.keys().map(String::as_str).collect()
    }

    /// Says what nothing has read: it might have changed the outcome.
    pub(super) fn all_read(&self) -> Result<(), RecordingError> {
        let read = self.read.borrow();
        let unread = self.map.iter().filter(|(name, _)| !read.contains(*name));
        let unread: Vec<String> =
            unread.map(|(name, value)| format!("`{}` = {}", self.at(name), shown(value))).collect();
        match unread.is_empty() {
            true => Ok(()),
            false => Err(RecordingError::NotCovered(format!(
                "{} {} no counterpart here",
                unread.join(", "),
                if unread.len() == 1 { "has" } else { "have" }
            ))),
        }
    }
}
