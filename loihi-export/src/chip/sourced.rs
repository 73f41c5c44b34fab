//! A number together with where it comes from and how well that is known.

use serde::{Deserialize, Serialize};

/// How a figure is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Read in a primary source: the vendor's or the authors' paper, code, log or datasheet.
    Primary,
    /// A primary source quoted word for word by somebody else.
    Quoted,
    /// Text about the chip by somebody else.
    Secondary,
    /// Seen by running the tool that is named as the source.
    Run,
    /// Concluded from other figures; the source says from which.
    Inference,
    /// Nobody has confirmed it; do not build on it.
    Unconfirmed,
}

impl Evidence {
    /// The name that descriptions and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Quoted => "quoted",
            Self::Secondary => "secondary",
            Self::Run => "run",
            Self::Inference => "inference",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A value, its public source, and how well it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { value = 2048, source = \"…\", evidence = \"primary\" }"
)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Citation that a reader can look up.
    pub source: String,
    /// How the source knows it.
    pub evidence: Evidence,
    /// What a reader must know before using the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One line of a chip's data sheet: a figure with its name, or the statement that it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Field of the description, as the chip's TOML file writes it.
    pub name: String,
    /// Unit of the value; empty for pure names.
    pub unit: &'static str,
    /// The value as text; `None` where nobody has published it.
    pub value: Option<String>,
    /// Citation; `None` where the value is unknown.
    pub source: Option<String>,
    /// How well it is known; `None` where the value is unknown.
    pub evidence: Option<Evidence>,
    /// What a reader must know before using the value.
    pub note: Option<String>,
}

impl Figure {
    /// The line for one field; `show` turns the value into text.
    pub(super) fn new<T>(
        name: impl Into<String>,
        unit: &'static str,
        field: Option<&Sourced<T>>,
        show: impl FnOnce(&T) -> String,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            value: field.map(|figure| show(&figure.value)),
            source: field.map(|figure| figure.source.clone()),
            evidence: field.map(|figure| figure.evidence),
            note: field.and_then(|figure| figure.note.clone()),
        }
    }

    /// The value as text, or `unknown`.
    pub fn shown(&self) -> &str {
        self.value.as_deref().unwrap_or("unknown")
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.shown())?;
        if self.value.is_some() && !self.unit.is_empty() {
            write!(f, " {}", self.unit)?;
        }
        if let (Some(source), Some(evidence)) = (&self.source, self.evidence) {
            write!(f, " ({evidence}: {source})")?;
        }
        Ok(())
    }
}
