//! Numbers as people read them, and JSON's `null` read back as "not a number".

use serde::{Deserialize, Deserializer};

/// Sign for a number that does not exist.
pub(crate) const MISSING: &str = "–";

/// Formats `value` with `decimals` places, or with four significant digits where none are asked for.
///
/// Thousands are grouped by commas; very large and very small magnitudes use powers of ten.
pub(crate) fn format_number(value: f64, decimals: Option<usize>) -> String {
    if value.is_nan() {
        return MISSING.into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "−∞".into() };
    }
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4 && decimals.is_none()) {
        return format!("{value:.2e}").replace('-', "−");
    }
    let plain = match decimals {
        Some(places) => format!("{value:.*}", places.min(9)),
        None if value.fract() == 0.0 => format!("{value:.0}"),
        None => {
            let before = if size >= 1.0 { size.log10().floor() as i32 + 1 } else { 0 };
            let leading_zeros =
                if size < 1.0 { (-size.log10()).floor().max(0.0) as i32 } else { 0 };
            let places = (4 - before).clamp(0, 4) + leading_zeros;
            let digits = format!("{value:.*}", places as usize);
            if digits.contains('.') {
                digits.trim_end_matches('0').trim_end_matches('.').to_string()
            } else {
                digits
            }
        }
    };
    group(&plain)
}

/// A number and its unit, with a no-break space between them.
pub(crate) fn with_unit(value: f64, decimals: Option<usize>, unit: &str) -> String {
    let number = format_number(value, decimals);
    if unit.is_empty() { number } else { format!("{number}\u{a0}{unit}") }
}

/// A share of one as a whole per cent.
pub(crate) fn per_cent(share: f64) -> String {
    if share.is_finite() {
        format!("{}\u{a0}%", format_number((share * 100.0).round(), None))
    } else {
        MISSING.into()
    }
}

/// A whole number with grouped thousands.
pub(crate) fn count(value: usize) -> String {
    group(&value.to_string())
}

fn group(plain: &str) -> String {
    let negative = plain.starts_with('-');
    let digits = plain.trim_start_matches('-');
    let (whole, rest) = match digits.find('.') {
        Some(dot) => digits.split_at(dot),
        None => (digits, ""),
    };
    let is_zero = digits.chars().all(|digit| digit == '0' || digit == '.');
    let mut grouped = String::with_capacity(plain.len() + 6);
    if negative && !is_zero {
        grouped.push('−');
    }
    let length = whole.len();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (length - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}

/// JSON has no NaN and writes `null`; reads it back as NaN.
pub(crate) fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The same for a list.
pub(crate) fn nulls_are_nan<'de, D>(deserializer: D) -> Result<Vec<f64>, D::Error>
where
    D: Deserializer<'de>,
{
    let numbers = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}
