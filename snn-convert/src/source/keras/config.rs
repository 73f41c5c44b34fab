//! What a layer's configuration says.

use serde_json::Value;

use crate::source::SourceError;
use crate::source::weights::WeightTensor;

/// A layer's configuration and tensors.
pub struct LayerConfig<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its class.
    pub class: &'a str,
    /// Its parameters.
    pub config: &'a Value,
    /// Its tensors with their paths, in the order of the file.
    pub weights: Vec<&'a (String, WeightTensor)>,
}

/// Why a layer could not be read.
pub enum Refusal {
    /// It cannot be converted; the text says what would be needed.
    Unsupported(String),
    /// Another error.
    Other(SourceError),
}

impl From<crate::ann::AnnError> for Refusal {
    fn from(error: crate::ann::AnnError) -> Self {
        Self::Other(error.into())
    }
}

/// A refusal that says what would be needed.
pub fn unsupported<T>(needed: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(needed.into()))
}

impl<'a> LayerConfig<'a> {
    /// A refusal that says what is wrong with the layer.
    pub fn invalid<T>(&self, problem: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::Other(SourceError::Layer {
            layer: self.name.to_owned(),
            kind: self.class.to_owned(),
            problem: problem.into(),
        }))
    }

    /// A parameter that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.config.get(name).filter(|value| !value.is_null())
    }

    /// A text parameter.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A truth value.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A number; Keras may wrap it in an object with a `value`.
    pub fn float(&self, name: &str) -> Option<f32> {
        let value = self.get(name)?;
        let value = value.get("config").and_then(|c| c.get("value")).unwrap_or(value);
        value.as_f64().map(|number| number as f32)
    }

    /// A whole number.
    pub fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.get(name).map(Value::as_u64) {
            None => Ok(default),
            Some(Some(number)) if number <= 1 << 24 => Ok(number as usize),
            Some(_) => self.invalid(format!("`{name}` must be a whole number of at most 2^24")),
        }
    }

    /// Whole numbers: a list, or one number.
    pub fn numbers(&self, name: &str) -> Result<Option<Vec<usize>>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = |value: &Value| value.as_u64().filter(|&n| n <= 1 << 24).map(|n| n as usize);
        let list = match value.as_array() {
            Some(values) if values.len() <= 16 => values.iter().map(number).collect(),
            Some(_) => None,
            None => number(value).map(|one| vec![one]),
        };
        match list {
            Some(list) => Ok(Some(list)),
            None => self.invalid(format!("`{name}` must be whole numbers of at most 2^24")),
        }
    }

    /// One number a spatial axis, as rows and columns; a sequence is a picture of one row.
    pub fn window(&self, name: &str, axes: usize, default: usize) -> Result<[usize; 2], Refusal> {
        let values = self.numbers(name)?.unwrap_or_else(|| vec![default]);
        match (axes, values.as_slice()) {
            (1, &[columns]) => Ok([1, columns]),
            (2, &[both]) => Ok([both, both]),
            (2, &[rows, columns]) => Ok([rows, columns]),
            _ => self.invalid(format!("`{name}` is {values:?} for {axes} spatial axes")),
        }
    }

    /// A tensor by the last part of its path, without Keras' `:0`.
    pub fn weight(&self, part: &str) -> Option<&'a WeightTensor> {
        let last = |path: &str| {
            let last = path.rsplit('/').next().unwrap_or(path);
            last.split(':').next().unwrap_or(last) == part
        };
        self.weights.iter().find(|(path, _)| last(path)).map(|(_, tensor)| tensor)
    }

    /// A tensor that must be there.
    pub fn needed(&self, part: &str) -> Result<&'a WeightTensor, Refusal> {
        match self.weight(part) {
            Some(tensor) => Ok(tensor),
            None => {
                let known: Vec<&str> =
                    self.weights.iter().take(8).map(|(path, _)| path.as_str()).collect();
                let known = known.join(", ");
                self.invalid(format!("its tensor `{part}` is missing; it has: {known}"))
            }
        }
    }

    /// The bias, unless the layer has none.
    pub fn bias(&self) -> Result<Option<Vec<f32>>, Refusal> {
        match self.flag("use_bias", true) {
            true => Ok(Some(self.needed("bias")?.values.clone())),
            false => Ok(None),
        }
    }

    /// Refuses channels-first layers: the file would mix two orders.
    pub fn channels_last(&self) -> Result<(), Refusal> {
        match self.text("data_format") {
            Some("channels_first") => {
                unsupported("data_format = channels_last, the order in which Keras stores models")
            }
            _ => Ok(()),
        }
    }
}
