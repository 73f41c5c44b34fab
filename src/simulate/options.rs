//! Options of a run that people write as text.

use crate::error::Error;
use crate::lists::named;
use crate::sim_core::connectome::Precision;
use crate::sim_core::engine::EngineEntry;
use crate::sim_core::time::Time;
use crate::sim_core::units::{Dimension, Quantity};

/// Reads a time such as `1 s`.
///
/// # Errors
/// [`Error::Usage`] for what is no time above zero.
pub fn parse_time(text: &str) -> Result<Time, Error> {
    let wrong = |reason: String| Error::Usage(format!("`{text}` is no duration: {reason}"));
    let quantity: Quantity = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if quantity.unit.dimension != Dimension::Time {
        let name = quantity.unit.dimension.name();
        return Err(wrong(format!("it is {name}; give a time with its unit, such as \"1 s\"")));
    }
    match Time::from_milliseconds(quantity.in_base()) {
        Some(time) if time > Time::ZERO => Ok(time),
        Some(_) => Err(wrong("it must be above zero".to_string())),
        None => Err(wrong("at most 2.5 hours can be simulated".to_string())),
    }
}

/// The precision of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_precision(name: &str) -> Result<Precision, Error> {
    let found = Precision::ALL.into_iter().find(|precision| precision.name() == name);
    named("precision", name, found, Precision::ALL.map(Precision::name))
}

/// What is asked for, or the engine's own.
pub(super) fn precision(asked: Option<Precision>, entry: &EngineEntry) -> Result<Precision, Error> {
    match asked {
        Some(Precision::Single) if entry.precision == Precision::Double => {
            Err(Error::Usage(format!(
                "the engine `{}` computes in double precision alone: ask for no other (--precision, \
                 or `precision` in the network file), or take another engine",
                entry.name
            )))
        }
        asked => Ok(asked.unwrap_or(entry.precision)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_of_time_and_a_value_above_zero() {
        assert_eq!(parse_time("1 s").unwrap(), Time::from_milliseconds(1000.0).unwrap());
        for (text, reason) in [
            ("1", "a plain number"),
            ("1 mV", "a potential"),
            ("0 ms", "above zero"),
            ("soon", "begin with a number"),
            ("1e9 s", "2.5 hours"),
        ] {
            let message = parse_time(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
