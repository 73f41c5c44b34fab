//! Chips described by what differs from another one.
//!
//! A description may name a shipped chip as its base and state only what is new:
//!
//! ```toml
//! base = "loihi2"
//! name = "loihi2_wide"
//! [neurons_per_core_budget]
//! value = 8192
//! source = "our own programs"
//! evidence = "run"
//! [in_axons_per_core]
//! unknown = true
//! ```
//!
//! A figure is replaced with its source, never in part; `unknown = true` takes it away. Single
//! figures can be set by name as well ([`ChipSpec::with_figure`]).

use toml::{Table, Value};

use super::{ChipError, ChipSpec, self_check};

/// Source of figures that are set by name.
pub const SET_BY_USER: &str = "set by the user";

/// The table of a description that is laid over its base; `None` where it names none.
///
/// # Errors
/// [`ChipError::Unknown`] for a base that is not shipped, [`ChipError::Parse`] for one that is no
/// text.
pub(super) fn laid_over_base(mut text: Table) -> Result<Option<Table>, ChipError> {
    let Some(base) = text.remove("base") else { return Ok(None) };
    let Value::String(base) = base else {
        return Err(parse("`base` is the name of a chip, such as \"loihi2\""));
    };
    let mut table = as_table(&ChipSpec::built_in(&base)?)?;
    lay_over(&mut table, text);
    Ok(Some(table))
}

/// Reads a description from a table and checks that its figures fit together.
///
/// # Errors
/// [`ChipError::Parse`] or [`ChipError::Inconsistent`].
pub(super) fn read(table: Table) -> Result<ChipSpec, ChipError> {
    let spec: ChipSpec = table.try_into().map_err(|error: toml::de::Error| parse(error))?;
    let findings = self_check::check(&spec);
    if findings.is_empty() {
        Ok(spec)
    } else {
        Err(ChipError::Inconsistent { chip: spec.name, findings })
    }
}

fn parse(error: impl ToString) -> ChipError {
    ChipError::Parse { message: error.to_string() }
}

fn as_table(spec: &ChipSpec) -> Result<Table, ChipError> {
    Table::try_from(spec).map_err(parse)
}

/// Whether a table is a figure: a value with its source, or the statement that it is unknown.
fn is_figure(table: &Table) -> bool {
    ["value", "source", "unknown"].iter().any(|key| table.contains_key(*key))
}

fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        let new = match value {
            Value::Table(new) => new,
            plain => {
                under.insert(key, plain);
                continue;
            }
        };
        if new.get("unknown") == Some(&Value::Boolean(true)) {
            under.remove(&key);
        } else if let (false, Some(Value::Table(old))) = (is_figure(&new), under.get_mut(&key)) {
            lay_over(old, new);
        } else {
            under.insert(key, Value::Table(new));
        }
    }
}

impl ChipSpec {
    /// The same chip with one figure set; see [`ChipSpec::with_figures`].
    ///
    /// # Errors
    /// As [`ChipSpec::with_figures`].
    pub fn with_figure(&self, name: &str, text: &str) -> Result<Self, ChipError> {
        self.with_figures(&[(name, text)])
    }

    /// The same chip with figures set by the names of its data sheet: `in_axons_per_core`,
    /// `profiles.sanafe_fit.terms.hop_ew_j`. Each comes with its value as TOML writes it, or
    /// `unknown`. The figure's source then says that the user set it, its evidence is
    /// `unconfirmed`; whether all figures fit together is checked at the end.
    ///
    /// # Errors
    /// [`ChipError::Figure`] for a name that no figure has and a text that is no value; else as
    /// [`ChipSpec::from_toml`].
    pub fn with_figures(&self, set: &[(&str, &str)]) -> Result<Self, ChipError> {
        let mut table = as_table(self)?;
        for (name, text) in set {
            self.set_figure(&mut table, name, text)?;
        }
        let names: Vec<&str> = set.iter().map(|(name, _)| *name).collect();
        read(table).map_err(|error| match error {
            ChipError::Parse { message } => ChipError::Figure {
                name: names.join(", "),
                problem: message.trim().replace('\n', "; "),
            },
            other => other,
        })
    }

    fn set_figure(&self, table: &mut Table, name: &str, text: &str) -> Result<(), ChipError> {
        let wrong = |problem: String| ChipError::Figure { name: name.to_owned(), problem };
        let figures = self.figures();
        if !figures.iter().any(|figure| figure.name == name) {
            let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
            let known = sim_core::diagnostics::known_names(name, &names);
            return Err(wrong(format!("{} has no such figure; {known}", self.title)));
        }
        let mut place = table;
        let mut path: Vec<&str> = name.split('.').collect();
        let last = path.pop().unwrap_or(name);
        for key in path {
            let next = place.entry(key).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(next) = next else {
                return Err(wrong(format!("`{key}` holds no figures")));
            };
            place = next;
        }
        if text.trim() == "unknown" {
            place.remove(last);
            return Ok(());
        }
        let read: Result<Table, _> = toml::from_str(&format!("value = {text}"));
        let mut figure = read.ok().filter(|figure| figure.len() == 1).ok_or_else(|| {
            wrong(format!("`{text}` is no value; give a number, \"text\", [a, b], or `unknown`"))
        })?;
        figure.insert("source".to_owned(), Value::from(SET_BY_USER));
        figure.insert("evidence".to_owned(), Value::from("unconfirmed"));
        place.insert(last.to_owned(), Value::Table(figure));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::CoreLimits;

    const WIDE: &str = r#"
        base = "loihi2"
        name = "wide"
        [neurons_per_core_budget]
        value = 8000
        source = "our own programs"
        evidence = "run"
        [in_axons_per_core]
        unknown = true
        [profiles.mine]
        title = "Ours"
        basis = "fit to silicon"
        source = "our board"
        evidence = "run"
        [profiles.mine.terms.synaptic_event_j]
        value = 1e-11
        source = "our board"
        evidence = "run"
    "#;

    #[test]
    fn a_chip_may_state_only_what_differs_from_another() {
        let (mine, base) =
            (ChipSpec::from_toml(WIDE).unwrap(), ChipSpec::built_in("loihi2").unwrap());
        assert_eq!((mine.name.as_str(), &mine.title), ("wide", &base.title));
        let limits = CoreLimits::of_chip(&mine).unwrap();
        assert_eq!((limits.neurons_per_core, limits.input_axons), (8000, None));
        assert_eq!(mine.mesh, base.mesh);
        assert_eq!(mine.neuron_fields, base.neuron_fields);
        assert_eq!(mine.profiles["mine"].value("synaptic_event_j"), Some(1e-11));
        let message = ChipSpec::from_toml("base = \"loihi3\"").unwrap_err().to_string();
        assert!(message.contains("loihi3") && message.contains("loihi2"), "{message}");
        let half = WIDE.replace("evidence = \"run\"\n        [in_axons", "[in_axons");
        let message = ChipSpec::from_toml(&half).unwrap_err().to_string();
        assert!(message.contains("evidence"), "{message}");
        let bare = ChipSpec::from_toml("base = \"loihi2\"\nneurons_per_core_budget = 8000");
        let message = bare.unwrap_err().to_string();
        assert!(message.contains("a table such as { value = 2048, source"), "{message}");
    }

    #[test]
    fn single_figures_are_set_by_name_and_say_so() {
        let chip = ChipSpec::built_in("loihi1").unwrap();
        let set = chip.with_figure("in_axons_per_core", "2048").unwrap();
        let figure = set.in_axons_per_core.as_ref().unwrap();
        assert_eq!((figure.value, figure.source.as_str()), (2048, SET_BY_USER));
        let hop = set.with_figure("profiles.sanafe_fit.terms.hop_ew_j", "5e-12").unwrap();
        assert_eq!(hop.profiles["sanafe_fit"].value("hop_ew_j"), Some(5e-12));
        let mesh = "{ columns = 4, rows = 8, cores_per_router = 4 }";
        assert_eq!(chip.with_figure("mesh", mesh).unwrap().mesh.unwrap().value.rows, 8);
        assert_eq!(
            chip.with_figure("in_axons_per_core", "unknown").unwrap().in_axons_per_core,
            None
        );
        let systems = chip.with_figure("systems", "[{ name = \"Nahuku\", chips = 32 }]").unwrap();
        assert_eq!(systems.systems.unwrap().value[0].chips, 32);
        for (name, text, part) in [
            ("in_axon_per_core", "3", "in_axons_per_core"),
            ("in_axons_per_core", "many", "no value"),
            ("in_axons_per_core", "-3", "in_axons_per_core"),
            ("in_axons_per_core", "0", "leave an unknown"),
            ("in_axons_per_core", "3\nname = 4", "no value"),
            ("cores_per_chip_max", "3", "mesh"),
        ] {
            let message = chip.with_figure(name, text).unwrap_err().to_string();
            assert!(message.contains(part), "{name} {text}: {message}");
        }
    }
}
