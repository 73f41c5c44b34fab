//! Recordings of NEST, run again on our engines and compared.
//!
//! A recording is a JSON file with everything that its run was made from (model, parameters, inputs,
//! resolution) and what came out. Its keys say which kind it is:
//!
//! | kind | keys | compared |
//! |---|---|---|
//! | neuron | `V_m`, `spikes`, `input_…`, `dc` | clock engine: every recorded variable and the spikes |
//! | precise spikes | `spikes_by_dt` | event engine: spike times, bound to no grid |
//! | plasticity | `weights`, `pre_spikes`, `post_spikes` | both engines: the weight at each presynaptic spike |
//! | short-term plasticity | `state_after_spike`, `post` | the rule's state, and the target's potential and current |
//! | network | `workload`, `populations` | rates and irregularity of the microcircuit's populations |
//!
//! A key or a parameter that nothing here reads makes a recording *not covered*, by its name: nothing
//! that could change the outcome is passed over in silence.
//!
//! # Tolerances
//! Exactly integrated models: 1e-9 mV, spikes in the same step. Models that a solver integrates: the
//! same with NEST's choice of steps; without it, up to the first spike, within 1e-6 mV of our solver at a
//! tolerance of 1e-13 (`solved.rs` says more). Precise spike times: 1e-9 ms. Weights and
//! states of synapses: 1e-9 of their size. Recorded numbers end after 12 digits, so currents and other
//! variables are compared to 1e-9 of the largest value. Rates of a network: 5 % or 0.1 Hz, coefficients of
//! variation: 0.05.

mod compare;
mod fields;
mod network;
mod neuron;
mod plasticity;
mod precise;
mod setup;
mod short_term;
mod solved;
mod translation;

pub use compare::{Largest, Measured, SpikeAgreement};
pub use fields::RecordingError;
pub use translation::{TRANSLATIONS, Translation, find_translation};

use crate::loihi_export::emulator::verify::CaseOutcome;
use compare::Comparison;
use fields::Fields;
use serde_json::Value;

/// What became of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct NestReport {
    /// Model or rule, as NEST calls it.
    pub model: String,
    /// Whether all is within tolerance.
    pub outcome: CaseOutcome,
    /// The largest differences.
    pub measured: Option<Measured>,
}

/// Largest recording that is read in bytes.
const SIZE_LIMIT: usize = 1 << 28;

/// Runs a recording again and compares.
///
/// # Errors
/// [`RecordingError`] where the bytes are no recording: what is missing or wrong, and where.
pub fn verify_nest_case(bytes: &[u8]) -> Result<NestReport, RecordingError> {
    if bytes.len() > SIZE_LIMIT {
        return Err(RecordingError::Large { bytes: bytes.len(), most: SIZE_LIMIT });
    }
    let value: Value = serde_json::from_slice(bytes).map_err(RecordingError::Json)?;
    let case = Fields::top(&value)?;
    let model = match value.get("model").or_else(|| value.get("workload")) {
        Some(Value::String(name)) => name.clone(),
        _ => "?".to_string(),
    };
    let compared = match compare_case(&case) {
        Err(RecordingError::NotCovered(reason)) => {
            let outcome = CaseOutcome::NotCovered { reason };
            return Ok(NestReport { model, outcome, measured: None });
        }
        other => other?,
    };
    let outcome = match compared.first {
        Some(difference) => CaseOutcome::Differs { difference },
        None => CaseOutcome::Equal { values: compared.values },
    };
    Ok(NestReport { model, outcome, measured: Some(compared.measured) })
}

fn compare_case(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    for inert in ["tool", "note", "comment", "version", "date", "generator", "description"] {
        case.pass(inert);
    }
    if case.has("workload") {
        return network::compare(case);
    }
    if case.has("spikes_by_dt") {
        precise::compare(case)
    } else if case.has("weights") {
        plasticity::compare(case)
    } else if case.has("state_after_spike") || case.has("post") {
        short_term::compare(case)
    } else if case.has("spikes") || case.has("V_m") {
        neuron::compare(case)
    } else {
        Err(RecordingError::Unknown)
    }
}
