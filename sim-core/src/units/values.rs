//! One quantity for all, one value for each, or a distribution.

use super::{Dimension, Quantity, UNITS, Unit, find_unit, known_units};
use crate::distribution::{DISTRIBUTIONS, Distribution};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One quantity for all, one value for each, or a distribution that they are drawn from.
///
/// Written as a quantity (`"20 ms"`, `0.5`), as `{ values = [19.0, 21.0], unit = "ms" }`, as a list of
/// quantities (`["19 ms", "21 ms"]`, `[0.5, 0.7]`) or as a distribution:
/// `{ normal = { mean = "20 ms", std = "2 ms" } }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Values {
    /// The same quantity for all.
    One(Quantity),
    /// One number each, all in `unit`.
    Each {
        /// The numbers.
        values: Vec<f64>,
        /// Their unit; none means dimensionless.
        #[serde(serialize_with = "unit_symbol")]
        unit: Unit,
    },
    /// Drawn for each, or computed from the distance between the ends of each synapse.
    Drawn(Distribution),
}

fn unit_symbol<S: Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(unit.symbol)
}

/// A unit read from its symbol.
struct UnitSymbol(Unit);

impl<'de> Deserialize<'de> for UnitSymbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let symbol = String::deserialize(deserializer)?;
        find_unit(&symbol).map(UnitSymbol).ok_or_else(|| {
            de::Error::custom(format!(
                "`{symbol}` is not a known unit; known are {}",
                known_units()
            ))
        })
    }
}

/// A number in a list, whose unit stands beside the list.
struct ListedNumber(f64);

impl<'de> Deserialize<'de> for ListedNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ListedNumber;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a plain number; the unit of all of them is given once, in `unit`")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<ListedNumber, E> {
                Ok(ListedNumber(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ListedNumber, E> {
                Ok(ListedNumber(value as f64))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ListedNumber, E> {
                Ok(ListedNumber(value as f64))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The numbers of a list, read without a second copy of wrapped numbers.
struct ListedNumbers(Vec<f64>);

impl<'de> Deserialize<'de> for ListedNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ListedNumbers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of plain numbers such as [19.0, 21.0]")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Self::Value, A::Error> {
                let mut numbers = Vec::new();
                while let Some(ListedNumber(number)) = list.next_element()? {
                    numbers.push(number);
                }
                Ok(ListedNumbers(numbers))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The error about a key that neither a list nor a distribution has.
fn unknown_key<E: de::Error>(key: &str) -> E {
    let known = ["values", "unit"].into_iter().chain(DISTRIBUTIONS.iter().map(|entry| entry.name));
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    E::custom(format!("unknown field `{key}`, expected one of {}", known.join(", ")))
}

/// Reads [`Values`]; says what is expected where something else is given.
struct ValuesVisitor;

impl<'de> de::Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "a number, a text with a unit such as \"20 ms\", a list such as \
             { values = [19.0, 21.0], unit = \"ms\" }, or a distribution such as \
             { normal = { mean = \"20 ms\", std = \"2 ms\" } }",
        )
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Values, E> {
        Ok(Quantity::number(value).into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Values, E> {
        Ok(Quantity::number(value as f64).into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Values, E> {
        Ok(Quantity::number(value as f64).into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
        text.parse::<Quantity>().map(Values::from).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let (mut values, mut unit) = (Vec::new(), None);
        while let Some(Quantity { value, unit: found }) = list.next_element()? {
            let first = unit.get_or_insert(found);
            if first.symbol != found.symbol {
                let (first, found) = (first.symbol, found.symbol);
                return Err(de::Error::custom(format!(
                    "the list mixes the units `{first}` and `{found}`; write all its values in one"
                )));
            }
            values.push(value);
        }
        Ok(Values::Each { values, unit: unit.unwrap_or(UNITS[0]) })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let (mut values, mut unit, mut drawn) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "values" if values.is_none() => {
                    values = Some(map.next_value::<ListedNumbers>()?.0);
                }
                "unit" if unit.is_none() => unit = Some(map.next_value::<UnitSymbol>()?.0),
                "values" => return Err(de::Error::duplicate_field("values")),
                "unit" => return Err(de::Error::duplicate_field("unit")),
                other => match Distribution::read(other, &mut map)? {
                    Some(_) if drawn.is_some() => {
                        return Err(de::Error::custom(
                            "two distributions for one value; remove one of them",
                        ));
                    }
                    Some(read) => drawn = Some(read),
                    None => return Err(unknown_key(other)),
                },
            }
        }
        if let Some(distribution) = drawn {
            if values.is_some() || unit.is_some() {
                return Err(de::Error::custom(
                    "a distribution stands beside a list; remove one of them",
                ));
            }
            return Ok(Values::Drawn(distribution));
        }
        Ok(Values::Each {
            values: values.ok_or_else(|| de::Error::missing_field("values"))?,
            unit: unit.unwrap_or(UNITS[0]),
        })
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

impl Values {
    /// Dimensionless values, one each.
    pub fn numbers(values: Vec<f64>) -> Self {
        Values::Each { values, unit: UNITS[0] }
    }

    /// What the values measure.
    pub fn dimension(&self) -> Dimension {
        match self {
            Values::One(quantity) => quantity.unit.dimension,
            Values::Each { unit, .. } => unit.dimension,
            Values::Drawn(distribution) => distribution.dimension(),
        }
    }

    /// How many values are given; `None` for one value for all and for distributions.
    pub fn count(&self) -> Option<usize> {
        match self {
            Values::One(_) | Values::Drawn(_) => None,
            Values::Each { values, .. } => Some(values.len()),
        }
    }

    /// The values in the base unit: one number, or one each; `None` where they are to be drawn.
    pub fn in_base(&self) -> Option<Vec<f64>> {
        match self {
            Values::One(quantity) => Some(vec![quantity.in_base()]),
            Values::Each { values, unit } => {
                Some(values.iter().map(|v| v * unit.in_base).collect())
            }
            Values::Drawn(_) => None,
        }
    }
}

impl<Q: Into<Quantity>> From<Q> for Values {
    fn from(quantity: Q) -> Self {
        Values::One(quantity.into())
    }
}
