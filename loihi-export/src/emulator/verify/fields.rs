//! Access to a recorded case's fields, with errors that name the field.

use serde_json::Value;

use super::{Checked, Stop, VerifyError};

/// A JSON object of a case.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    name: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> Fields<'a> {
    pub(super) fn new(name: &'a str, value: &'a Value) -> Self {
        Self { name, path: String::new(), value }
    }

    fn error(&self, field: &str, problem: impl Into<String>) -> VerifyError {
        let field = format!("{}{field}", self.path);
        VerifyError::Field { name: self.name.to_owned(), field, problem: problem.into() }
    }

    fn get(&self, field: &str) -> Result<&'a Value, VerifyError> {
        self.value.get(field).ok_or_else(|| self.error(field, "is missing"))
    }

    /// Whether the object has the field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.value.get(field).is_some()
    }

    /// Names of the fields.
    pub(super) fn names(&self) -> Vec<&'a str> {
        let fields = self.value.as_object().into_iter().flat_map(serde_json::Map::keys);
        fields.map(String::as_str).collect()
    }

    /// Whether a field holds numbers, all of them written without a point.
    pub(super) fn is_in_integers(&self, field: &str) -> bool {
        fn all(value: &Value) -> bool {
            match value {
                Value::Array(values) => values.iter().all(all),
                other => other.is_i64() || other.is_u64(),
            }
        }
        self.value.get(field).is_some_and(all)
    }

    /// An object in a field.
    pub(super) fn object(&self, field: &str) -> Result<Self, VerifyError> {
        let value = self.get(field)?;
        if !value.is_object() {
            return Err(self.error(field, "must be an object"));
        }
        Ok(Self { name: self.name, path: format!("{}{field}/", self.path), value })
    }

    /// A list of objects in a field.
    pub(super) fn list(&self, field: &str) -> Result<Vec<Self>, VerifyError> {
        let Some(items) = self.get(field)?.as_array() else {
            return Err(self.error(field, "must be a list"));
        };
        let item = |(index, value)| Self {
            name: self.name,
            path: format!("{}{field}/{index}/", self.path),
            value,
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The same place without any field.
    pub(super) fn empty(&self) -> Self {
        Self { value: &Value::Null, ..self.clone() }
    }

    /// Extents of a nested list, by its first members.
    pub(super) fn shape(&self, field: &str) -> Result<Vec<usize>, VerifyError> {
        let (mut value, mut extents) = (self.get(field)?, Vec::new());
        while let Some(items) = value.as_array() {
            extents.push(items.len());
            match items.first() {
                Some(first) => value = first,
                None => break,
            }
        }
        Ok(extents)
    }

    pub(super) fn text(&self, field: &str) -> Result<&'a str, VerifyError> {
        self.get(field)?.as_str().ok_or_else(|| self.error(field, "must be text"))
    }

    /// One integer.
    pub(super) fn integer(&self, field: &str) -> Result<i64, VerifyError> {
        let mut found = self.integers(field)?;
        match (found.pop(), found.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(self.error(field, "must be one integer")),
        }
    }

    /// All integers of a number or nested list, in order.
    pub(super) fn integers(&self, field: &str) -> Result<Vec<i64>, VerifyError> {
        self.whole(field, self.numbers(field)?)
    }

    /// All numbers of a number or nested list, in order.
    pub(super) fn numbers(&self, field: &str) -> Result<Vec<f64>, VerifyError> {
        self.flat(field, self.get(field)?)
    }

    /// All integers of each row of a nested list.
    pub(super) fn integer_rows(&self, field: &str) -> Result<Vec<Vec<i64>>, VerifyError> {
        self.rows(field)?.into_iter().map(|row| self.whole(field, row)).collect()
    }

    /// All numbers of each row of a nested list.
    pub(super) fn rows(&self, field: &str) -> Result<Vec<Vec<f64>>, VerifyError> {
        let Some(rows) = self.get(field)?.as_array() else {
            return Err(self.error(field, "must be a list of rows"));
        };
        rows.iter().map(|row| self.flat(field, row)).collect()
    }

    /// Numbers as integers, where they are whole.
    pub(super) fn whole(&self, field: &str, numbers: Vec<f64>) -> Result<Vec<i64>, VerifyError> {
        let whole = |number: f64| {
            let fits = number.fract() == 0.0 && number.abs() < 2.0_f64.powi(53);
            if fits {
                Ok(number as i64)
            } else {
                Err(self.error(field, format!("{number} is no integer")))
            }
        };
        numbers.into_iter().map(whole).collect()
    }

    fn flat(&self, field: &str, value: &Value) -> Result<Vec<f64>, VerifyError> {
        // serde_json bounds the nesting, so the recursion is bounded too.
        fn visit(value: &Value, numbers: &mut Vec<f64>) -> bool {
            match value {
                Value::Array(items) => items.iter().all(|item| visit(item, numbers)),
                Value::Number(number) => number.as_f64().map(|n| numbers.push(n)).is_some(),
                Value::Null => {
                    numbers.push(f64::NAN);
                    true
                }
                Value::Bool(set) => {
                    numbers.push(f64::from(u8::from(*set)));
                    true
                }
                _ => false,
            }
        }
        let mut numbers = Vec::new();
        if visit(value, &mut numbers) {
            Ok(numbers)
        } else {
            Err(self.error(field, "must hold numbers only"))
        }
    }

    /// Integers that fit 32 bits.
    pub(super) fn small(&self, field: &str, numbers: &[i64]) -> Checked<Vec<i32>> {
        let small = |&number: &i64| {
            i32::try_from(number).map_err(|_| {
                Stop::Failed(self.error(field, format!("{number} does not fit 32 bits")))
            })
        };
        numbers.iter().map(small).collect()
    }

    /// An error about a field, as a reason to stop.
    pub(super) fn stop(&self, field: &str, problem: impl Into<String>) -> Stop {
        Stop::Failed(self.error(field, problem))
    }
}
