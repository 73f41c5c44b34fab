//! Physical quantities at the door; plain numbers in one coherent base inside.
//!
//! A [`Quantity`] is a number with a unit, written `"20 ms"`. Everything behind validation
//! computes in the base mV, ms, pA, nS, pF, GΩ and 1/ms, which is coherent: pA · GΩ = mV,
//! pF · GΩ = ms, nS · mV = pA. A number without a unit is dimensionless.

mod values;

pub use values::Values;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What kind of quantity a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A number without a unit.
    Number,
    /// Base ms.
    Time,
    /// Base mV.
    Potential,
    /// Base pA.
    Current,
    /// Base nS.
    Conductance,
    /// Base pF.
    Capacitance,
    /// Base GΩ.
    Resistance,
    /// Base 1/ms.
    Rate,
}

impl Dimension {
    /// The unit symbol of the base, e.g. `mV`.
    pub fn base_unit(self) -> &'static str {
        match self {
            Dimension::Number => "1",
            Dimension::Time => "ms",
            Dimension::Potential => "mV",
            Dimension::Current => "pA",
            Dimension::Conductance => "nS",
            Dimension::Capacitance => "pF",
            Dimension::Resistance => "GΩ",
            Dimension::Rate => "kHz",
        }
    }

    /// The name in an error message.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::Number => "a plain number",
            Dimension::Time => "a time",
            Dimension::Potential => "a potential",
            Dimension::Current => "a current",
            Dimension::Conductance => "a conductance",
            Dimension::Capacitance => "a capacitance",
            Dimension::Resistance => "a resistance",
            Dimension::Rate => "a rate",
        }
    }
}

/// A unit: its symbol, what it measures, and its size in the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// The symbol as written, e.g. `nA`.
    pub symbol: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// The value of one unit in the base unit of its dimension.
    pub in_base: f64,
}

const fn unit(symbol: &'static str, dimension: Dimension, in_base: f64) -> Unit {
    Unit { symbol, dimension, in_base }
}

/// All known units.
pub const UNITS: &[Unit] = &[
    unit("1", Dimension::Number, 1.0),
    unit("ms", Dimension::Time, 1.0),
    unit("s", Dimension::Time, 1e3),
    unit("us", Dimension::Time, 1e-3),
    unit("µs", Dimension::Time, 1e-3),
    unit("ns", Dimension::Time, 1e-6),
    unit("mV", Dimension::Potential, 1.0),
    unit("V", Dimension::Potential, 1e3),
    unit("uV", Dimension::Potential, 1e-3),
    unit("µV", Dimension::Potential, 1e-3),
    unit("pA", Dimension::Current, 1.0),
    unit("nA", Dimension::Current, 1e3),
    unit("uA", Dimension::Current, 1e6),
    unit("µA", Dimension::Current, 1e6),
    unit("nS", Dimension::Conductance, 1.0),
    unit("pS", Dimension::Conductance, 1e-3),
    unit("uS", Dimension::Conductance, 1e3),
    unit("µS", Dimension::Conductance, 1e3),
    unit("mS", Dimension::Conductance, 1e6),
    unit("pF", Dimension::Capacitance, 1.0),
    unit("nF", Dimension::Capacitance, 1e3),
    unit("uF", Dimension::Capacitance, 1e6),
    unit("µF", Dimension::Capacitance, 1e6),
    unit("GΩ", Dimension::Resistance, 1.0),
    unit("GOhm", Dimension::Resistance, 1.0),
    unit("MΩ", Dimension::Resistance, 1e-3),
    unit("MOhm", Dimension::Resistance, 1e-3),
    unit("kΩ", Dimension::Resistance, 1e-6),
    unit("kOhm", Dimension::Resistance, 1e-6),
    unit("kHz", Dimension::Rate, 1.0),
    unit("Hz", Dimension::Rate, 1e-3),
];

/// The unit with this symbol.
pub fn find_unit(symbol: &str) -> Option<Unit> {
    UNITS.iter().copied().find(|unit| unit.symbol == symbol)
}

/// A number with a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The number in `unit`.
    pub value: f64,
    /// The unit.
    pub unit: Unit,
}

impl Quantity {
    /// A dimensionless number.
    pub fn number(value: f64) -> Self {
        Quantity { value, unit: UNITS[0] }
    }

    /// The value in the base unit of its dimension.
    pub fn in_base(&self) -> f64 {
        self.value * self.unit.in_base
    }
}

impl From<f64> for Quantity {
    fn from(value: f64) -> Self {
        Quantity::number(value)
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.unit.dimension {
            Dimension::Number => write!(f, "{}", self.value),
            _ => write!(f, "{} {}", self.value, self.unit.symbol),
        }
    }
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No number at the start.
    #[error("`{text}` does not begin with a number; write it like \"20 ms\"")]
    Number {
        /// The text.
        text: String,
    },
    /// A unit that is not in [`UNITS`].
    #[error("`{unit}` in `{text}` is not a known unit; known are {}", known_units())]
    Unit {
        /// The text.
        text: String,
        /// The part taken for a unit.
        unit: String,
    },
}

fn known_units() -> String {
    UNITS.iter().skip(1).map(|unit| unit.symbol).collect::<Vec<_>>().join(", ")
}

/// No quantity is longer in bytes: the largest number has 309 digits.
const LONGEST_QUANTITY: usize = 400;

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let trimmed = text.trim();
        if trimmed.len() > LONGEST_QUANTITY {
            let start: String = trimmed.chars().take(20).collect();
            return Err(QuantityError::Number { text: format!("{start}…") });
        }
        let (number, symbol) = match trimmed.split_once(char::is_whitespace) {
            Some((number, symbol)) => (number, symbol.trim()),
            None => split_number(trimmed),
        };
        let value =
            number.parse().map_err(|_| QuantityError::Number { text: trimmed.to_string() })?;
        let symbol = if symbol.is_empty() { "1" } else { symbol };
        let unit = find_unit(symbol).ok_or_else(|| QuantityError::Unit {
            text: trimmed.to_string(),
            unit: symbol.to_string(),
        })?;
        Ok(Quantity { value, unit })
    }
}

/// Splits `20ms` where the longest prefix that reads as a number ends.
fn split_number(text: &str) -> (&str, &str) {
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).rev();
    let end = ends.find(|&at| text[..at].parse::<f64>().is_ok()).unwrap_or(0);
    text.split_at(end)
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.unit.dimension {
            Dimension::Number => serializer.serialize_f64(self.value),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number or a text with a unit such as \"20 ms\"")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Quantity, E> {
                Ok(Quantity::number(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Quantity, E> {
                Ok(Quantity::number(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Quantity, E> {
                Ok(Quantity::number(value as f64))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

macro_rules! typed_quantity {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl From<$name> for Quantity {
            fn from(typed: $name) -> Quantity {
                let known = UNITS.iter().copied().find(|unit| unit.symbol == $symbol);
                Quantity { value: typed.0, unit: known.unwrap_or(UNITS[0]) }
            }
        }
    )*};
}

typed_quantity! {
    /// A time in milliseconds.
    Milliseconds = "ms";
    /// A potential in millivolts.
    Millivolts = "mV";
    /// A current in picoamperes.
    Picoamperes = "pA";
    /// A conductance in nanosiemens.
    Nanosiemens = "nS";
    /// A capacitance in picofarads.
    Picofarads = "pF";
    /// A resistance in gigaohms.
    Gigaohms = "GΩ";
    /// A rate in hertz.
    Hertz = "Hz";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_reads_what_it_prints() {
        for text in ["20 ms", "-65.5 mV", "1e-3 nA", "0.25", "2 GΩ", "8 Hz"] {
            let quantity: Quantity = text.parse().unwrap();
            assert_eq!(quantity.to_string().parse::<Quantity>().unwrap(), quantity);
        }
        assert_eq!("20ms".parse::<Quantity>().unwrap(), Milliseconds(20.0).into());
        assert_eq!("2 nA".parse::<Quantity>().unwrap().in_base(), 2000.0);
    }

    #[test]
    fn the_base_is_coherent() {
        let base = |symbol: &str| find_unit(symbol).unwrap().in_base;
        // 1 nA through 1 MΩ is 1 mV; 1 nF times 1 MΩ is 1 ms; 1 nS times 1 mV is 1 pA.
        assert!((base("nA") * base("MΩ") - base("mV")).abs() < 1e-12);
        assert!((base("nF") * base("MΩ") - base("ms")).abs() < 1e-12);
        assert_eq!(base("nS") * base("mV"), base("pA"));
    }

    #[test]
    fn an_unknown_unit_lists_the_known_ones() {
        let message = "3 parsec".parse::<Quantity>().unwrap_err().to_string();
        assert!(message.contains("parsec") && message.contains("mV, V"), "{message}");
        assert!("mV".parse::<Quantity>().is_err());
    }
}
