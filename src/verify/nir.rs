//! NIR graphs: recordings of frameworks, the LIF task of the NIR paper, and graphs alone.

use super::{VerifyOptions, read};
use crate::error::Error;
use crate::imports::find_dialect;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::emulator::verify::{CaseOutcome, CaseReport, Difference};
use crate::loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use crate::loihi_export::export::nir_fixed::lif_as_integers;
use crate::model_io::nir::dialect::{Convention, DIALECTS, Dialect, Stated};
use crate::model_io::nir::verify::platform::{
    self, Platform, Row, convention_of, graph_of, platform_of, verify_platform,
};
use crate::model_io::nir::verify::{
    NirOutcome, TOLERANCE, dialect_of, recorded_spikes, verify_alone, verify_nir_case,
};
use crate::model_io::nir::{self, NirError, NirGraph};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;

/// Spikes that a recording must have before the dialect with which it comes back counts as found.
const EVIDENCE: u64 = 20;
/// Largest uncompressed recording of a platform in bytes.
const CSV_LIMIT: u64 = 1 << 26;
/// What the chip's probe of v reads in the step of a spike, after which v is 0.
const PROBE_AT_SPIKE: f64 = 128.0;

/// Whether a file is a case: a graph, or a platform's recording.
pub(super) fn is_case(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "nir") || platform_of(path).is_some()
}

pub(super) fn verify(path: &Path, options: &VerifyOptions) -> Result<CaseReport, Error> {
    let platform = platform_of(path);
    let file = if platform.is_some() { graph_of(path) } else { path.to_path_buf() };
    let (graph, repairs) = match options.lenient {
        true => nir::read_leniently(&file),
        false => nir::read(&file).map(|graph| (graph, Vec::new())),
    }
    .map_err(|error| unreadable_graph(&file, &error, options.lenient))?;
    let mut report = match platform {
        Some(platform) => on_platform(path, &graph, platform, options)?,
        None => graph_case(path, &graph, options)?,
    };
    if !repairs.is_empty() {
        let (count, list) = (repairs.len(), repairs.join("; "));
        report.process.push_str(&format!("; read leniently, {count} repairs: {list}"));
    }
    Ok(report)
}

/// A graph with a recording, or alone.
fn graph_case(path: &Path, graph: &NirGraph, options: &VerifyOptions) -> Result<CaseReport, Error> {
    let stated = options.dialect.as_deref().map(find_dialect).transpose()?;
    let recording = path.with_extension("npz");
    if !recording.is_file() {
        return alone(path, graph, stated.unwrap_or(DIALECTS[0]), options);
    }
    let recording = read(&recording)?;
    if let Some(dialect) = stated.or_else(|| dialect_of(path)) {
        return with_variants(path, graph, &recording, dialect, options);
    }
    searched(path, graph, &recording, options)
}

/// Why a graph was not read, with what to do where that helps.
fn unreadable_graph(path: &Path, error: &NirError, lenient: bool) -> Error {
    match !lenient && nir::read_leniently(path).is_ok() {
        true => failed(path, format!("{error}; --lenient reads it by its one likely meaning")),
        false => failed(path, error),
    }
}

fn failed(path: &Path, error: impl ToString) -> Error {
    Error::Read { path: path.into(), reason: error.to_string() }
}

fn report(path: &Path, mut process: String, outcome: NirOutcome) -> CaseReport {
    if let NirOutcome::Equal { potentials: potentials @ 1.., .. } = outcome {
        let within = format!("; {potentials} potentials within {TOLERANCE:e} of the largest");
        process.push_str(&within);
    }
    CaseReport {
        name: path.to_string_lossy().into_owned(),
        process,
        searched: None,
        overflows: Vec::new(),
        outcome: match outcome {
            NirOutcome::Equal { values, .. } => CaseOutcome::Equal { values },
            NirOutcome::NotCovered(reason) => CaseOutcome::NotCovered { reason },
            NirOutcome::Differs { variable, step, neuron, ours, theirs } => CaseOutcome::Differs {
                difference: Difference { variable, step, neuron, ours, theirs },
            },
        },
    }
}

fn recorded(
    path: &Path,
    graph: &NirGraph,
    recording: &[u8],
    dialect: &Dialect,
    options: &VerifyOptions,
) -> Result<CaseReport, Error> {
    let convention = options.stated.over((dialect.convention)());
    let outcome = verify_nir_case(graph, recording, &convention).map_err(|e| failed(path, e))?;
    Ok(report(path, format!("NIR graph as {} ({convention})", dialect.name), outcome))
}

/// A recording of a known dialect, as its framework may have been told to run: no file says which
/// mechanism of reset it had, for example.
fn with_variants(
    path: &Path,
    graph: &NirGraph,
    recording: &[u8],
    dialect: &Dialect,
    options: &VerifyOptions,
) -> Result<CaseReport, Error> {
    let own = recorded(path, graph, recording, dialect, options)?;
    let spikes = recorded_spikes(recording).map_err(|error| failed(path, error))?;
    if own.is_equal() || spikes < EVIDENCE || options.stated != Stated::default() {
        return Ok(own);
    }
    for (what, convention) in dialect.variants {
        let convention = convention();
        let outcome =
            verify_nir_case(graph, recording, &convention).map_err(|e| failed(path, e))?;
        if matches!(outcome, NirOutcome::Equal { .. }) {
            let process = format!("NIR graph as {}, {what} ({convention})", dialect.name);
            let mut found = report(path, process, outcome);
            found.searched = Some(format!(
                "with the dialect's own conventions the recording differs; of {} others the {spikes} \
                 spikes come back with {what}",
                dialect.variants.len()
            ));
            return Ok(found);
        }
    }
    Ok(own)
}

/// Neither the caller nor the file's name says the dialect: all are tried.
fn searched(
    path: &Path,
    graph: &NirGraph,
    recording: &[u8],
    options: &VerifyOptions,
) -> Result<CaseReport, Error> {
    let spikes = recorded_spikes(recording).map_err(|error| failed(path, error))?;
    let (mut first, mut fitting) = (None, Vec::new());
    for dialect in DIALECTS {
        let report = recorded(path, graph, recording, dialect, options)?;
        if report.is_equal() {
            fitting.push((dialect.name, report.clone()));
        }
        first.get_or_insert(report);
    }
    let names: Vec<_> = fitting.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    match fitting.into_iter().next() {
        Some((_, mut report)) if spikes >= EVIDENCE => {
            report.searched = Some(format!(
                "no dialect is stated; of {} the recording's {spikes} spikes come back with {names}",
                DIALECTS.len()
            ));
            Ok(report)
        }
        Some((_, mut report)) => {
            let reason = format!(
                "no dialect is stated, and {spikes} spikes are too few to find one ({names} would \
                 fit); give --dialect"
            );
            report.outcome = CaseOutcome::NotCovered { reason };
            Ok(report)
        }
        None => first.ok_or_else(|| failed(path, "no dialect is known")),
    }
}

fn alone(
    path: &Path,
    graph: &NirGraph,
    dialect: &Dialect,
    options: &VerifyOptions,
) -> Result<CaseReport, Error> {
    let convention = options.stated.over((dialect.convention)());
    let seen = verify_alone(graph, &convention).map_err(|error| failed(path, error))?;
    let run = match &seen.not_run {
        None => format!("run as {}", dialect.name),
        Some(reason) => format!("not run: {reason}"),
    };
    let process = format!("NIR graph without a recording: written and read again unchanged; {run}");
    Ok(report(path, process, NirOutcome::Equal { values: seen.parts, potentials: 0 }))
}

fn on_platform(
    path: &Path,
    graph: &NirGraph,
    platform: &Platform,
    options: &VerifyOptions,
) -> Result<CaseReport, Error> {
    let rows = platform::rows(&text(path)?).map_err(|error| failed(path, error))?;
    let known = match &options.dialect {
        Some(name) => Some((find_dialect(name)?.convention)()),
        None => convention_of(platform),
    };
    let known = known.ok_or_else(|| failed(path, "its platform has no dialect"))?;
    let convention = options.stated.over(known);
    if platform.integer {
        return as_integers(path, graph, platform, &rows, &convention);
    }
    let outcome = verify_platform(graph, &rows, platform, &convention);
    let process = format!("LIF task of the NIR paper as {} ({convention})", platform.dialect);
    Ok(report(path, process, outcome))
}

/// A recording's text, out of its gzip file where it is one.
fn text(path: &Path) -> Result<String, Error> {
    let bytes = read(path)?;
    let mut text = String::new();
    let unpacked = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => GzDecoder::new(bytes.as_slice()).take(CSV_LIMIT).read_to_string(&mut text),
        false => bytes.as_slice().take(CSV_LIMIT).read_to_string(&mut text),
    };
    unpacked.map_err(|error| failed(path, error))?;
    Ok(text)
}

/// A platform that computes in integers, on the fixed-point engine.
fn as_integers(
    path: &Path,
    graph: &NirGraph,
    platform: &Platform,
    rows: &[Row],
    convention: &Convention,
) -> Result<CaseReport, Error> {
    let network = lif_as_integers(graph, convention).map_err(|error| failed(path, error))?;
    let mut emulator = Emulator::new(&network, &ChipSpec::built_in("loihi2")?)?;
    let input = |row: &Row| if row.input { vec![Spike::plain(0)] } else { Vec::new() };
    let mut train = SpikeTrain::new();
    rows.iter().for_each(|row| train.push_step(&input(row)));
    let ours = emulator.run_traced(rows.len(), &[train], &[1])?;
    let on_chip = platform.name.contains("loihi");
    let mut outcome = NirOutcome::Equal { values: 2 * rows.len() as u64, potentials: 0 };
    let traces = ours.traces.first().map(|trace| trace.membrane.as_slice()).unwrap_or_default();
    for (step, (row, membrane)) in rows.iter().zip(traces).enumerate() {
        let spike = ours.spikes[1].at(step).len() as f64;
        let membrane = f64::from(membrane.first().copied().unwrap_or_default());
        let membrane = if on_chip && row.spike { PROBE_AT_SPIKE } else { membrane };
        let compared =
            [("spike", spike, f64::from(u8::from(row.spike))), ("v", membrane, row.potential)];
        if let Some((name, ours, theirs)) = compared.into_iter().find(|(_, a, b)| a != b) {
            let (variable, step) = (name.to_owned(), step + 1);
            outcome = NirOutcome::Differs { variable, step, neuron: 0, ours, theirs };
            break;
        }
    }
    let mut process = format!("LIF task of the NIR paper in integers ({})", network.name);
    if on_chip {
        process.push_str("; in the step of a spike the chip's probe reads 128 where v is 0");
    }
    Ok(report(path, process, outcome))
}
