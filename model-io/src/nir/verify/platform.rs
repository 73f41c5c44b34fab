//! The LIF task of the NIR paper: one neuron on many platforms, as columns of a CSV file.
//!
//! `lif_PLATFORM.csv` (or `.csv.gz`) has a row a step: input, potential, spike. All platforms ran the
//! graph `lif_norse.nir` beside it (`lif_rockpool.nir` is what Rockpool wrote back, with an r that is
//! shortened by a step's decay). Spikes must be equal; potentials are compared
//! where the platform keeps them in a known unit, up to [`TOLERANCE`], since most platforms compute
//! in single precision.
//!
//! Reference: Pedersen et al., Nature Communications 15, 8122 (2024), task 01 of its repository.

use std::path::{Path, PathBuf};

use super::{NirOutcome, NirVerifyError};
use crate::nir::NirGraph;
use crate::nir::dialect::{Convention, InputScale, SpikeReset, find_dialect};
use crate::nir::run::GraphRun;

/// Largest difference of a potential from a recorded one, in units of the threshold.
pub const TOLERANCE: f64 = 1e-5;

/// A platform of the task.
#[derive(Debug)]
pub struct Platform {
    /// What stands behind `lif_` in the file's name.
    pub name: &'static str,
    /// Dialect whose conventions it has.
    pub dialect: &'static str,
    /// What our potential is multiplied by to be the recorded one; none where it is not compared.
    pub potential: Option<f64>,
    /// Whether it computes in integers, which the fixed-point engine repeats.
    pub integer: bool,
}

const fn float(name: &'static str, dialect: &'static str, potential: Option<f64>) -> Platform {
    Platform { name, dialect, potential, integer: false }
}

const fn integer(name: &'static str) -> Platform {
    Platform { name, dialect: "lava", potential: None, integer: true }
}

/// All platforms of the task.
///
/// `exact` and `spyx` reset within a step or a step late, so that their potentials are others after
/// a spike; `spinnaker2` rounds.
pub static PLATFORMS: &[Platform] = &[
    float("exact", "nir", None),
    float("lava_cpu_float", "lava", Some(1.0)),
    integer("lava_cpu_fixed"),
    integer("lava_loihi_fixed"),
    float("nengo", "nengo", Some(10.0)),
    float("norse", "norse", Some(1.0)),
    float("rockpool", "rockpool", Some(1.0)),
    float("sinabs", "sinabs", Some(1.0)),
    float("snntorch", "snntorch", Some(25.0)),
    float("spinnaker2", "snntorch", None),
    float("spyx", "spyx", None),
];

/// The platform of a file, by its name.
pub fn platform_of(path: &Path) -> Option<&'static Platform> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name).strip_suffix(".csv")?;
    let name = name.strip_prefix("lif_")?;
    PLATFORMS.iter().find(|platform| platform.name == name)
}

/// The conventions of a platform; the paper's files have time constants in seconds, and an r that all
/// of them scale their input by.
pub fn convention_of(platform: &Platform) -> Option<Convention> {
    let known = (find_dialect(platform.dialect)?.convention)();
    let known = Convention { dt: 1e-4, tau_scale: 1.0, ..known };
    Some(match platform.name {
        "rockpool" | "sinabs" => Convention { input: InputScale::Step, ..known },
        "spyx" => Convention { input: InputScale::Decay, reset: SpikeReset::ToValue, ..known },
        _ => known,
    })
}

/// The graph that a recording is of.
pub fn graph_of(path: &Path) -> PathBuf {
    path.with_file_name("lif_norse.nir")
}

/// A row of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Whether the input spikes.
    pub input: bool,
    /// Potential after the step, in the platform's unit.
    pub potential: f64,
    /// Whether the neuron spikes.
    pub spike: bool,
}

/// Rows of a recording.
///
/// # Errors
/// [`NirVerifyError::Recording`] naming the line.
pub fn rows(text: &str) -> Result<Vec<Row>, NirVerifyError> {
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let columns: Result<Vec<f64>, _> = line.split(',').map(|n| n.trim().parse()).collect();
        match columns.as_deref() {
            // Some platforms record the input after its weight.
            Ok([input, potential, spike]) => {
                rows.push(Row { input: *input != 0.0, potential: *potential, spike: *spike > 0.5 })
            }
            _ => {
                let problem =
                    format!("line {number}: expected three numbers: input, potential, spike");
                return Err(NirVerifyError::Recording(problem));
            }
        }
    }
    if rows.is_empty() {
        return Err(NirVerifyError::Recording("it has no line".to_owned()));
    }
    Ok(rows)
}

/// Checks a recording against the graph under the platform's conventions.
pub fn verify_platform(
    graph: &NirGraph,
    recorded: &[Row],
    platform: &Platform,
    convention: &Convention,
) -> NirOutcome {
    let not_covered = |error: crate::nir::run::RunError| NirOutcome::NotCovered(error.to_string());
    let mut run = match GraphRun::new(graph, convention) {
        Ok(run) => run,
        Err(error) => return not_covered(error),
    };
    let neuron = run.spiking().first().map(|name| (*name).to_owned()).unwrap_or_default();
    let mut values = 0;
    for (step, row) in recorded.iter().enumerate() {
        if let Err(error) = run.step(step, &[f64::from(u8::from(row.input))]) {
            return not_covered(error);
        }
        let spike = run.output().first().copied().unwrap_or_default();
        let potential = run.potential(&neuron).and_then(|v| v.first()).copied().unwrap_or_default();
        let theirs = f64::from(u8::from(row.spike));
        let mut compared = vec![("spike", spike, theirs, 0.0)];
        if let Some(unit) = platform.potential {
            compared.push(("potential", potential * unit, row.potential, TOLERANCE * unit));
        }
        for (variable, ours, theirs, tolerance) in compared {
            if (ours - theirs).abs() > tolerance {
                let variable = variable.to_owned();
                return NirOutcome::Differs { variable, step: step + 1, neuron: 0, ours, theirs };
            }
            values += 1;
        }
    }
    NirOutcome::Equal { values, potentials: 0 }
}
