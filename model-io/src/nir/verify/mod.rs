//! Recorded runs of frameworks, checked against [`super::run`].
//!
//! A case is `NAME.nir` with `NAME.npz` beside it: `x` is the input `[step, …]`, `s` the output of
//! the graph, `layerK_s` that of its K-th spiking node from the input on. Spikes must be equal. An
//! output that is no spike (the potential of a read-out) is compared up to [`TOLERANCE`] of the largest
//! one, as frameworks compute in single precision.

use std::path::Path;

use indexmap::IndexMap;

use super::dialect::{Convention, DIALECTS, Dialect};
use super::run::{GraphRun, RunError, run};
use super::{NirError, NirGraph};

mod alone;
pub mod platform;

pub use alone::{Alone, verify_alone};

use crate::npz::{NpzLimits, read_npz};

/// Bounds on recordings.
const LIMITS: NpzLimits = NpzLimits { array_bytes: 1 << 28, total_bytes: 1 << 30, arrays: 1 << 10 };

/// Largest difference of a potential from a recorded one, as a part of the largest recorded.
pub const TOLERANCE: f64 = 1e-5;

/// Why a case cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum NirVerifyError {
    /// The graph.
    #[error(transparent)]
    Graph(#[from] NirError),
    /// The recording.
    #[error("the recording cannot be read: {0}")]
    Recording(String),
    /// A copy could not be written.
    #[error("a copy of the graph could not be written: {0}")]
    Scratch(String),
    /// The graph that was written and read again is another one.
    #[error("{place} is another one after the graph was written and read again; report this")]
    Changed {
        /// The first part that differs.
        place: String,
    },
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum NirOutcome {
    /// Every recorded value is equal.
    Equal {
        /// How many were compared.
        values: u64,
        /// How many of them are potentials, which agree within [`TOLERANCE`].
        potentials: u64,
    },
    /// The first difference.
    Differs {
        /// Array of the recording.
        variable: String,
        /// Step, counted from 1.
        step: usize,
        /// Neuron.
        neuron: usize,
        /// Our value.
        ours: f64,
        /// The recording's.
        theirs: f64,
    },
    /// The graph or the recording holds something that is not run.
    NotCovered(String),
}

/// The dialect that a file's name states: a part of it between `_`, `-` and `.`, the first one.
pub fn dialect_of(path: &Path) -> Option<&'static Dialect> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let mut parts = name.split(['_', '-', '.']);
    parts.find_map(|part| DIALECTS.iter().copied().find(|dialect| dialect.name == part))
}

type Rows = Vec<Vec<f64>>;

fn recording(bytes: &[u8]) -> Result<IndexMap<String, Rows>, NirVerifyError> {
    let arrays =
        read_npz(bytes, LIMITS).map_err(|error| NirVerifyError::Recording(error.to_string()))?;
    let mut rows = IndexMap::new();
    for (name, array) in arrays {
        let (Some(values), Some(&steps)) = (array.values.to_f64(), array.shape.first()) else {
            continue;
        };
        if steps > 0 && !values.is_empty() {
            let width = (values.len() / steps).max(1);
            rows.insert(name, values.chunks_exact(width).map(<[f64]>::to_vec).collect());
        }
    }
    if !rows.contains_key("x") {
        return Err(NirVerifyError::Recording("it has no array `x` [step, …]".to_owned()));
    }
    Ok(rows)
}

/// Values other than 0 among the recorded spikes.
///
/// # Errors
/// [`NirVerifyError::Recording`].
pub fn recorded_spikes(npz: &[u8]) -> Result<u64, NirVerifyError> {
    let rows = recording(npz)?;
    let spikes = rows.iter().filter(|(name, _)| name.as_str() == "s" || name.ends_with("_s"));
    Ok(spikes.flat_map(|(_, rows)| rows.iter().flatten()).filter(|v| **v != 0.0).count() as u64)
}

/// Checks one case under a convention.
///
/// # Errors
/// [`NirVerifyError`] for recordings that cannot be read; differences are part of the outcome.
pub fn verify_nir_case(
    graph: &NirGraph,
    npz: &[u8],
    convention: &Convention,
) -> Result<NirOutcome, NirVerifyError> {
    let rows = recording(npz)?;
    let not_covered = |error: RunError| NirOutcome::NotCovered(error.to_string());
    let spiking: Vec<String> = match GraphRun::new(graph, convention) {
        Ok(run) => run.spiking().into_iter().map(str::to_owned).collect(),
        Err(error) => return Ok(not_covered(error)),
    };
    let input = rows.get("x").map(Vec::as_slice).unwrap_or_default();
    let ours = match run(graph, convention, input, &spiking) {
        Ok(ours) => ours,
        Err(error) => return Ok(not_covered(error)),
    };
    let (mut values, mut potentials) = (0, 0);
    for (name, theirs) in &rows {
        let layer = name.strip_prefix("layer").and_then(|name| name.strip_suffix("_s"));
        let node = match layer.and_then(|number| number.parse::<usize>().ok()) {
            // Recordings count layers from 0, some from 1 (then the last one is the output).
            Some(layer) => {
                spiking.get(layer - usize::from(!rows.contains_key("layer0_s") && layer > 0))
            }
            None if name == "s" => None,
            None => continue,
        };
        let node = node.map_or("output", String::as_str);
        let Some(ours) = ours.get(node) else {
            return Ok(NirOutcome::NotCovered(format!("array {name} names no node")));
        };
        if ours.len() != theirs.len() {
            let problem = format!("{name} has {} steps and x {}", theirs.len(), ours.len());
            return Err(NirVerifyError::Recording(problem));
        }
        // Spikes and their numbers are whole numbers, and must be equal.
        let finite = theirs.iter().flatten().filter(|value| value.is_finite());
        let largest = finite.fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let whole = |value: f64| value.fract() == 0.0;
        for (step, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            if ours.len() != theirs.len() {
                let reason = format!("{name} has {} values, {node} {}", theirs.len(), ours.len());
                return Ok(NirOutcome::NotCovered(reason));
            }
            for (neuron, (&ours, &theirs)) in ours.iter().zip(theirs).enumerate() {
                let allowed = if whole(ours) && whole(theirs) { 0.0 } else { TOLERANCE * largest };
                if (ours - theirs).abs() > allowed || ours.is_nan() != theirs.is_nan() {
                    let (variable, step) = (name.clone(), step + 1);
                    return Ok(NirOutcome::Differs { variable, step, neuron, ours, theirs });
                }
            }
            values += ours.len() as u64;
            potentials += theirs.iter().filter(|value| !whole(**value)).count() as u64;
        }
    }
    Ok(match values {
        0 => NirOutcome::NotCovered("the recording has neither `s` nor `layerK_s`".to_owned()),
        values => NirOutcome::Equal { values, potentials },
    })
}
