//! What differs, by how much at most, and where first.

use super::fields::RecordingError;
use crate::loihi_export::emulator::verify::Difference;
use serde::Serialize;

/// The largest difference of one variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Largest {
    /// The variable as NEST calls it.
    pub variable: String,
    /// Its unit.
    pub unit: &'static str,
    /// The largest difference.
    pub difference: f64,
    /// What is allowed.
    pub tolerance: f64,
    /// Values that were compared.
    pub values: usize,
}

/// How the spikes compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpikeAgreement {
    /// Our spikes.
    pub ours: usize,
    /// Recorded spikes.
    pub recorded: usize,
    /// The largest difference of two spikes of equal number (ms).
    pub largest_shift_ms: f64,
    /// What is allowed (ms).
    pub tolerance_ms: f64,
    /// Whether numbers are equal and times within tolerance.
    pub agree: bool,
}

/// The largest differences of one recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Measured {
    /// Each variable.
    pub variables: Vec<Largest>,
    /// The spikes, where the recording has some to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spikes: Option<SpikeAgreement>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A comparison as it grows.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) measured: Measured,
    /// Values compared, spikes included.
    pub(super) values: u64,
    /// The first difference beyond its tolerance, and when it is.
    pub(super) first: Option<Difference>,
    first_at: f64,
}

/// A variable to compare.
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    pub(super) unit: &'static str,
    pub(super) tolerance: f64,
}

impl Comparison {
    /// Remembers a difference if none was earlier.
    fn differs(&mut self, at: f64, difference: Difference) {
        if self.first.is_none() || at < self.first_at {
            (self.first, self.first_at) = (Some(difference), at);
        }
    }

    /// Compares values one by one; `time_of` dates each (ms).
    pub(super) fn values(
        &mut self,
        variable: &Variable<'_>,
        ours: &[f64],
        recorded: &[f64],
        time_of: impl Fn(usize) -> f64,
    ) {
        let mut largest: f64 = 0.0;
        for (index, (&own, &theirs)) in ours.iter().zip(recorded).enumerate() {
            let difference = (own - theirs).abs();
            // Also what is no number is beyond every tolerance.
            if difference.is_nan() || difference > variable.tolerance {
                let difference = Difference {
                    variable: variable.name.to_string(),
                    step: index + 1,
                    neuron: 0,
                    ours: own,
                    theirs,
                };
                self.differs(time_of(index), difference);
            }
            largest = if difference.is_nan() { f64::INFINITY } else { largest.max(difference) };
        }
        self.values += recorded.len() as u64;
        self.measured.variables.push(Largest {
            variable: variable.name.to_string(),
            unit: variable.unit,
            difference: largest,
            tolerance: variable.tolerance,
            values: recorded.len(),
        });
    }

    /// Compares spike times (ms) up to `until`; `step` dates a spike in steps for people.
    pub(super) fn spikes(&mut self, ours: &[f64], recorded: &[f64], tolerance: f64, step: f64) {
        let mut largest: f64 = 0.0;
        for index in 0..ours.len().max(recorded.len()) {
            let (own, theirs) = (ours.get(index).copied(), recorded.get(index).copied());
            let (own, theirs) = (own.unwrap_or(f64::INFINITY), theirs.unwrap_or(f64::INFINITY));
            let shift = (own - theirs).abs();
            if shift > tolerance {
                let at = own.min(theirs);
                let difference = Difference {
                    variable: format!("spike {}", index + 1),
                    step: (at / step).ceil() as usize,
                    neuron: 0,
                    ours: own,
                    theirs,
                };
                self.differs(at, difference);
            }
            if shift.is_finite() {
                largest = largest.max(shift);
            }
        }
        self.values += recorded.len() as u64;
        let agree = ours.len() == recorded.len() && largest <= tolerance;
        let agreement = SpikeAgreement {
            ours: ours.len(),
            recorded: recorded.len(),
            largest_shift_ms: largest,
            tolerance_ms: tolerance,
            agree,
        };
        // Of several resolutions the worst is told.
        let worse =
            self.measured.spikes.as_ref().is_none_or(|before| {
                before.agree && (!agree || largest >= before.largest_shift_ms)
            });
        if worse {
            self.measured.spikes = Some(agreement);
        }
    }

    /// Adds a note.
    pub(super) fn note(&mut self, note: String) {
        self.measured.notes.push(note);
    }

    /// A recording in which nothing can be compared is none; that there are no spikes can be.
    pub(super) fn finished(self) -> Result<Comparison, RecordingError> {
        match self.values {
            0 if self.measured.spikes.is_none() => {
                Err(RecordingError::NotCovered("it holds nothing to compare".to_string()))
            }
            _ => Ok(self),
        }
    }
}

/// The tolerance of recorded numbers that end after 12 digits.
pub(super) fn of_size(values: &[f64], relative: f64) -> f64 {
    relative * values.iter().fold(1.0_f64, |most, value| most.max(value.abs()))
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        for largest in &self.variables {
            parts.push(format!(
                "{} within {:.1e} {} (allowed {:.0e})",
                largest.variable, largest.difference, largest.unit, largest.tolerance
            ));
        }
        if let Some(spikes) = &self.spikes {
            parts.push(match spikes.agree {
                true => format!(
                    "{} spikes agree within {:.1e} ms",
                    spikes.recorded, spikes.largest_shift_ms
                ),
                false => format!(
                    "spikes DISAGREE: {} here, {} recorded, up to {:.3e} ms apart (allowed {:.0e})",
                    spikes.ours, spikes.recorded, spikes.largest_shift_ms, spikes.tolerance_ms
                ),
            });
        }
        parts.extend(self.notes.iter().cloned());
        f.write_str(&parts.join("; "))
    }
}
