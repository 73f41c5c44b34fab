//! The chips that ship with Spikeloom, and those that a user adds.
//!
//! To add a chip: one TOML file in this folder and one line in [`BUILT_IN`].

use super::{ChipError, ChipSpec, overlay, self_check};

/// A shipped description: its registry name and its TOML text.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Registry name; equals `name` in the text.
    pub name: &'static str,
    /// The description.
    pub text: &'static str,
}

/// All shipped descriptions, in the order in which lists show them.
pub static BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "loihi2", text: include_str!("loihi2.toml") },
    BuiltIn { name: "loihi1", text: include_str!("loihi1.toml") },
    BuiltIn { name: "truenorth", text: include_str!("truenorth.toml") },
    BuiltIn { name: "spinnaker1", text: include_str!("spinnaker1.toml") },
    BuiltIn { name: "spinnaker2", text: include_str!("spinnaker2.toml") },
    BuiltIn { name: "akida1", text: include_str!("akida1.toml") },
    BuiltIn { name: "akida2", text: include_str!("akida2.toml") },
    BuiltIn { name: "odin", text: include_str!("odin.toml") },
];

impl ChipSpec {
    /// Reads a description, or what differs from a base ([`super::overlay`]), and checks
    /// that its figures fit together.
    ///
    /// # Errors
    /// [`ChipError::Parse`] with the line for text that is not a description,
    /// [`ChipError::Inconsistent`] with all findings of the self check.
    pub fn from_toml(text: &str) -> Result<Self, ChipError> {
        let parse = |error: toml::de::Error| ChipError::Parse { message: error.to_string() };
        let table: toml::Table = toml::from_str(text).map_err(parse)?;
        if let Some(table) = overlay::laid_over_base(table)? {
            return overlay::read(table);
        }
        // read again from the text: its errors name the line
        let spec: Self = toml::from_str(text).map_err(parse)?;
        let findings = self_check::check(&spec);
        if findings.is_empty() {
            Ok(spec)
        } else {
            Err(ChipError::Inconsistent { chip: spec.name, findings })
        }
    }

    /// The shipped description of that name.
    ///
    /// # Errors
    /// [`ChipError::Unknown`] with the known names.
    pub fn built_in(name: &str) -> Result<Self, ChipError> {
        ChipCatalogue::built_in()?.get(name).cloned()
    }
}

/// Chips to choose from: the shipped ones and those a user adds or overrides.
#[derive(Debug, Clone, Default)]
pub struct ChipCatalogue {
    chips: Vec<ChipSpec>,
}

impl ChipCatalogue {
    /// All shipped chips.
    ///
    /// # Errors
    /// Those of [`ChipSpec::from_toml`]; a test holds that the shipped texts have none.
    pub fn built_in() -> Result<Self, ChipError> {
        let chips =
            BUILT_IN.iter().map(|chip| ChipSpec::from_toml(chip.text)).collect::<Result<_, _>>()?;
        Ok(Self { chips })
    }

    /// Adds a chip, in place of one with the same name; returns the one it replaces.
    pub fn add(&mut self, chip: ChipSpec) -> Option<ChipSpec> {
        match self.chips.iter_mut().find(|known| known.name == chip.name) {
            Some(known) => Some(std::mem::replace(known, chip)),
            None => {
                self.chips.push(chip);
                None
            }
        }
    }

    /// The chip of that name.
    ///
    /// # Errors
    /// [`ChipError::Unknown`] with the known names.
    pub fn get(&self, name: &str) -> Result<&ChipSpec, ChipError> {
        self.chips.iter().find(|chip| chip.name == name).ok_or_else(|| ChipError::Unknown {
            name: name.to_owned(),
            known: self.chips.iter().map(|chip| chip.name.clone()).collect(),
        })
    }

    /// All chips in order.
    pub fn iter(&self) -> impl Iterator<Item = &ChipSpec> {
        self.chips.iter()
    }
}
