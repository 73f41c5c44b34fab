//! Recorded mappings of other tools, checked against our counts, energies and traces.
//!
//! One file a tool. The forms are told apart by their fields; what a file does not hold is named as
//! not covered, never as equal.

mod brian2_loihi;
mod nengo_loihi;
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
    let (process, result) = if case["nets"].is_object() {
        ("nengo-loihi utilisation", nengo_loihi::verify(&case))
    } else if case["runs"].is_object() && case["weights"].is_object() {
        ("SANA-FE energy (times are not compared)", sana_fe::verify(&case))
    } else if case["cases"].is_array() && case["W"].is_array() {
        ("brian2-loihi traces", brian2_loihi::verify(&case))
    } else {
        let reason = "neither nets, runs and weights, nor cases and W".to_owned();
        ("unknown form", Err(Stop::NotCovered(reason)))
    };
    let outcome = match result {
        Ok(0) => CaseOutcome::NotCovered { reason: "it records no value".to_owned() },
        Ok(values) => CaseOutcome::Equal { values },
        Err(Stop::Differs(difference)) => CaseOutcome::Differs { difference },
        Err(Stop::NotCovered(reason)) => CaseOutcome::NotCovered { reason },
    };
    let (name, process, overflows) = (name.to_owned(), process.to_owned(), Vec::new());
    Ok(CaseReport { name, process, searched: None, overflows, outcome })
}
