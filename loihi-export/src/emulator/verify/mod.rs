//! Recorded runs of Lava, checked against this emulator value by value.
//!
//! A recorded case holds parameters, inputs, and the variables and outputs after every step. Every
//! value is compared; a case that has anything this emulator does not compute is reported as not
//! covered, with its name, and never as equal.

use serde::Serialize;
use serde_json::Value;

use crate::{
    chip::ChipError,
    emulator::{EmulatorError, Overflow},
};

mod fields;
mod float_coders;
mod float_lif;
mod float_recurrent;
mod float_rotation;
mod floating;
mod learning;
mod netx;
mod neurons;
mod npz;
mod parameters;
mod recurrent;
mod single_synapse;
mod synapses;

use fields::Fields;
pub use netx::verify_netx_case;

/// Largest recorded case that is read in bytes.
const SIZE_LIMIT: usize = 1 << 28;

/// What became of one recorded case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseReport {
    /// Name of the case, as given.
    pub name: String,
    /// Process of the case, e.g. `LIF fixed_pt`.
    pub process: String,
    /// What the recording leaves open and was found by trying, with how it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searched: Option<String>,
    /// What wrapped or was clipped while the case was computed; Lava is silent about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overflows: Vec<Overflow>,
    /// Whether everything was equal.
    pub outcome: CaseOutcome,
}

/// The result of comparing a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum CaseOutcome {
    /// All values of all variables in all steps are equal.
    Equal {
        /// How many values were compared.
        values: u64,
    },
    /// Something differs.
    Differs {
        /// The first difference, in the order of steps.
        difference: Difference,
    },
    /// The case holds something that this emulator does not compute.
    NotCovered {
        /// What that is.
        reason: String,
    },
    /// The case, or a file beside it, is damaged or cannot be read.
    Unreadable {
        /// What is wrong, and where.
        reason: String,
    },
}

/// The first value that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Variable or output, with the parameters of its part of the case.
    pub variable: String,
    /// Step, counted from 1.
    pub step: usize,
    /// Index of the neuron; 0 for values of the whole population.
    pub neuron: usize,
    /// What this emulator computes.
    pub ours: f64,
    /// What was recorded.
    pub theirs: f64,
}

impl CaseReport {
    /// Whether every value was compared and equal.
    pub fn is_equal(&self) -> bool {
        matches!(self.outcome, CaseOutcome::Equal { .. })
    }
}

impl std::fmt::Display for CaseReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.outcome {
            CaseOutcome::Equal { values } => {
                write!(f, "{}: equal, {} ({values} values)", self.name, self.process)?;
                let total: u64 = self.overflows.iter().map(|overflow| overflow.count).sum();
                if let Some(first) = self.overflows.first() {
                    write!(f, "; {total} overflows: {first}")?;
                    let more = self.overflows.len() - 1;
                    if more > 0 {
                        write!(f, ", and {more} more places")?;
                    }
                }
                match &self.searched {
                    Some(found) => write!(f, " [{found}]"),
                    None => Ok(()),
                }
            }
            CaseOutcome::Differs { difference } => write!(
                f,
                "{}: DIFFERS, {}: {} in step {} at neuron {} is {} here and {} in the recording",
                self.name,
                self.process,
                difference.variable,
                difference.step,
                difference.neuron,
                difference.ours,
                difference.theirs
            ),
            CaseOutcome::NotCovered { reason } => {
                write!(f, "{}: not covered, {}: {reason}", self.name, self.process)
            }
            CaseOutcome::Unreadable { reason } => {
                write!(f, "{}: ERROR, {reason}", self.name)
            }
        }
    }
}

/// Why a case cannot be compared at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are neither JSON nor an npz archive.
    #[error("case '{name}' cannot be read: {message}")]
    Unreadable {
        /// Name of the case.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A field is missing or has another form than a recorded case has.
    #[error("case '{name}', field '{field}': {problem}")]
    Field {
        /// Name of the case.
        name: String,
        /// Path of the field.
        field: String,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// The shipped chip description cannot be read.
    #[error(transparent)]
    Chip(#[from] ChipError),
}

/// A case whose values are all equal.
#[derive(Debug, Default)]
struct Compared {
    values: u64,
    overflows: Vec<Overflow>,
}

impl From<u64> for Compared {
    fn from(values: u64) -> Self {
        Self { values, overflows: Vec::new() }
    }
}

/// A part of the check: done, or stopped for a reason.
type Checked<T> = Result<T, Stop>;

/// Why a check stops before everything was compared.
#[derive(Debug)]
enum Stop {
    Differs(Difference),
    NotCovered(String),
    Failed(VerifyError),
}

impl From<VerifyError> for Stop {
    fn from(error: VerifyError) -> Self {
        Self::Failed(error)
    }
}

impl From<ChipError> for Stop {
    fn from(error: ChipError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EmulatorError> for Stop {
    fn from(error: EmulatorError) -> Self {
        Self::NotCovered(error.to_string())
    }
}

/// Compares one recorded case (JSON, or npz for recurrent networks) with this emulator.
///
/// # Errors
/// [`VerifyError`] for bytes that are not a recorded case; differences and processes that are not
/// covered are part of the report.
pub fn verify_lava_case(name: &str, bytes: &[u8]) -> Result<CaseReport, VerifyError> {
    let unreadable = |message: String| VerifyError::Unreadable { name: name.to_owned(), message };
    if bytes.len() > SIZE_LIMIT {
        return Err(unreadable(format!("{} bytes; at most {SIZE_LIMIT} are read", bytes.len())));
    }
    let (process, result) = if bytes.starts_with(b"PK") {
        let arrays = npz::read(bytes).map_err(unreadable)?;
        ("LIF network fixed_pt".to_owned(), recurrent::verify(name, &arrays))
    } else {
        let case: Value = match serde_json::from_slice(bytes) {
            Ok(case) => case,
            // Python writes what is not a number as NaN, which JSON does not have.
            Err(error) => {
                let text = String::from_utf8_lossy(bytes).replace("NaN", "null");
                serde_json::from_str(&text).map_err(|_| unreadable(error.to_string()))?
            }
        };
        let case = Fields::new(name, &case);
        (describe(&case), json(&case))
    };
    let mut overflows = Vec::new();
    let outcome = match result {
        Ok(Compared { values: 0, .. }) => {
            CaseOutcome::NotCovered { reason: "it records no value".to_owned() }
        }
        Ok(compared) => {
            overflows = compared.overflows;
            CaseOutcome::Equal { values: compared.values }
        }
        Err(Stop::Differs(difference)) => CaseOutcome::Differs { difference },
        Err(Stop::NotCovered(reason)) => CaseOutcome::NotCovered { reason },
        Err(Stop::Failed(error)) => return Err(error),
    };
    Ok(CaseReport { name: name.to_owned(), process, searched: None, overflows, outcome })
}

/// The process that a case was recorded from: its own field, or those of its parts.
fn describe(case: &Fields<'_>) -> String {
    let process = case.text("process").map(str::to_owned).unwrap_or_else(|_| {
        let parts = case.list("cases").unwrap_or_default();
        let mut names: Vec<_> = parts.iter().map(synapses::process_of).collect();
        names.dedup();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    });
    let tag = case.text("tag").unwrap_or("without tag");
    if process.is_empty() { format!("unknown process {tag}") } else { format!("{process} {tag}") }
}

fn json(case: &Fields<'_>) -> Checked<Compared> {
    if let Ok(process) = case.text("process")
        && process.starts_with("Learning")
        && process != "LearningLIF"
    {
        return Ok(learning::verify(case, process)?.into());
    }
    if let Ok(process) = case.text("process")
        && single_synapse::PROCESSES.contains(&process)
    {
        return single_synapse::verify(case, process);
    }
    if case.text("tag")? == "floating_pt" && case.has("process") {
        return Ok(floating::verify(case, case.text("process")?)?.into());
    }
    if case.text("tag")? != "fixed_pt" {
        let tag = case.text("tag")?;
        return Err(Stop::NotCovered(format!("tag '{tag}'; the emulator computes fixed_pt")));
    }
    match case.text("process") {
        Ok(process) => neurons::verify(case, process),
        Err(_) => Ok(synapses::verify(case)?.into()),
    }
}

/// Compares one row of integers; returns how many.
fn compare(variable: &str, step: usize, ours: &[i64], theirs: &[f64]) -> Checked<u64> {
    let ours: Vec<f64> = ours.iter().map(|&value| value as f64).collect();
    compare_numbers(variable, step, &ours, theirs)
}

/// Compares one row of numbers, bit for bit but for the sign of 0; returns how many.
fn compare_numbers(variable: &str, step: usize, ours: &[f64], theirs: &[f64]) -> Checked<u64> {
    if ours.len() != theirs.len() {
        return Err(Stop::NotCovered(format!(
            "{variable} has {} values in step {}, the emulator {}",
            theirs.len(),
            step + 1,
            ours.len()
        )));
    }
    for (neuron, (&ours, &theirs)) in ours.iter().zip(theirs).enumerate() {
        if ours != theirs && !(ours.is_nan() && theirs.is_nan()) {
            let variable = variable.to_owned();
            return Err(Stop::Differs(Difference {
                variable,
                step: step + 1,
                neuron,
                ours,
                theirs,
            }));
        }
    }
    Ok(ours.len() as u64)
}

/// Largest relative difference of floating-point learning, whose exponentials numpy rounds in its
/// own way.
const LEARNING_TOLERANCE: f64 = 1e-12;

/// As [`compare_numbers`], up to [`LEARNING_TOLERANCE`]; undefined values equal each other.
fn compare_close(variable: &str, step: usize, ours: &[f64], theirs: &[f64]) -> Checked<u64> {
    let close = |(&ours, &theirs): (&f64, &f64)| {
        let bound = LEARNING_TOLERANCE * theirs.abs().max(1.0);
        let same = (ours - theirs).abs() <= bound || (ours.is_nan() && theirs.is_nan());
        if same { theirs } else { ours }
    };
    let near: Vec<f64> = ours.iter().zip(theirs).map(close).collect();
    if near.len() != theirs.len() || ours.len() != theirs.len() {
        return compare_numbers(variable, step, ours, theirs);
    }
    compare_numbers(variable, step, &near, theirs)
}

/// 32-bit values as the wider ones that are compared.
fn widen(values: &[i32]) -> Vec<i64> {
    values.iter().copied().map(i64::from).collect()
}
