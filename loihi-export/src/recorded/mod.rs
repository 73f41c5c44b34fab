//! Recorded mappings of other tools, checked against our counts, energies and traces.
//!
//! One file a tool. The forms are told apart by their fields; what a file does not hold is named as
//! not covered, never as equal.

mod brian2_loihi;
mod nengo_loihi;
mod nengo_split;
mod sana_fe;

use serde_json::Value;

use crate::emulator::verify::{CaseOutcome, CaseReport, Difference, VerifyError};

/// Largest file that is read (bytes).
const SIZE_LIMIT: usize = 1 << 28;

/// What ends a check early.
enum Stop {
    Differs(Difference),
    NotCovered(String),
}

type Checked<T> = Result<T, Stop>;

/// Counts compared values and stops at the first difference.
#[derive(Default)]
struct Comparison {
    values: u64,
}

impl Comparison {
    /// Two numbers that must be equal.
    fn equal(&mut self, variable: &str, at: [usize; 2], ours: f64, theirs: f64) -> Checked<()> {
        self.close(variable, at, ours, theirs, 0.0)
    }

    /// Two numbers that may differ by a share of the larger: sums of the same numbers in another
    /// order.
    fn close(
        &mut self,
        variable: &str,
        [step, neuron]: [usize; 2],
        ours: f64,
        theirs: f64,
        tolerance: f64,
    ) -> Checked<()> {
        self.values += 1;
        if (ours - theirs).abs() <= tolerance * ours.abs().max(theirs.abs()) {
            return Ok(());
        }
        let variable = variable.to_owned();
        Err(Stop::Differs(Difference { variable, step, neuron, ours, theirs }))
    }
}

fn missing(field: &str) -> Stop {
    Stop::NotCovered(format!("field '{field}' is missing or has another form"))
}

/// Fields that describe a recording and change nothing in it.
const DESCRIPTIVE: [&str; 7] =
    ["note", "comment", "description", "generator", "version", "seed", "licence"];

/// Refuses fields that a check would pass over without a word.
fn only_fields(value: &Value, place: &str, known: &[&str]) -> Checked<()> {
    for field in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if !known.contains(&field.as_str()) && !DESCRIPTIVE.contains(&field.as_str()) {
            let reason = format!(
                "field '{field}' of {place} is not known to this check; known are {}",
                known.join(", ")
            );
            return Err(Stop::NotCovered(reason));
        }
    }
    Ok(())
}

fn number(value: &Value, field: &str) -> Checked<f64> {
    value[field].as_f64().ok_or_else(|| missing(field))
}

fn count(value: &Value, field: &str) -> Checked<u64> {
    value[field].as_u64().ok_or_else(|| missing(field))
}

/// A rectangular list of lists of numbers.
fn matrix(value: &Value, field: &str) -> Checked<Vec<Vec<f64>>> {
    let row =
        |row: &Value| -> Option<Vec<f64>> { row.as_array()?.iter().map(Value::as_f64).collect() };
    let rows = value[field].as_array().and_then(|rows| rows.iter().map(row).collect());
    let rows: Vec<Vec<f64>> = rows.ok_or_else(|| missing(field))?;
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err(missing(field));
    }
    Ok(rows)
}

/// Compares one recorded mapping (JSON) of nengo-loihi, SANA-FE or brian2-loihi.
///
/// # Errors
/// [`VerifyError`] for bytes that are not JSON; differences and forms that are not covered are part
/// of the report.
pub fn verify_mapping_case(name: &str, bytes: &[u8]) -> Result<CaseReport, VerifyError> {
    let unreadable = |message: String| VerifyError::Unreadable { name: name.to_owned(), message };
    if bytes.len() > SIZE_LIMIT {
        return Err(unreadable(format!("{} bytes; at most {SIZE_LIMIT} are read", bytes.len())));
    }
    let case: Value =
        serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    let mut comparison = Comparison::default();
    let (process, result) = if case["nets"].is_object() {
        let result = nengo_loihi::verify(&case, &mut comparison);
        ("nengo-loihi utilisation (total spikes are not compared)".to_owned(), result)
    } else if case["runs"].is_object() && case["weights"].is_object() {
        let mut not_compared = vec!["times".to_owned()];
        let result = sana_fe::verify(&case, &mut comparison);
        let result = result.map(|more| not_compared.extend(more));
        (format!("SANA-FE energy (not compared: {})", not_compared.join(", ")), result)
    } else if case["cases"].is_array() && case["W"].is_array() {
        let mut process = "brian2-loihi traces".to_owned();
        let result = brian2_loihi::verify(&case, &mut comparison).map(|left_out| {
            if !left_out.is_empty() {
                process = format!("{process} (not compared: {})", left_out.join(", "));
            }
        });
        (process, result)
    } else {
        let reason = "neither nets, runs and weights, nor cases and W".to_owned();
        ("unknown form".to_owned(), Err(Stop::NotCovered(reason)))
    };
    let outcome = match result {
        Ok(()) if comparison.values == 0 => {
            CaseOutcome::NotCovered { reason: "it records no value".to_owned() }
        }
        Ok(()) => CaseOutcome::Equal { values: comparison.values },
        Err(Stop::Differs(difference)) => CaseOutcome::Differs { difference },
        Err(Stop::NotCovered(reason)) => CaseOutcome::NotCovered { reason },
    };
    let (name, process, overflows) = (name.to_owned(), process.to_owned(), Vec::new());
    Ok(CaseReport { name, process, searched: None, overflows, outcome })
}
