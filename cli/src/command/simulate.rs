//! `spikeloom simulate`.

use super::{Outcome, Run, Session};
use crate::provenance::{VERSION, on_page};
use crate::table::{facts, table};
use crate::{diagnostic, interrupt, output};
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::model_io::recording::OutputFormat;
use spikeloom::network_files;
use spikeloom::sim_core::connectome::footprint::readable;
use spikeloom::simulate::{
    CheckpointConfig, RecordConfig, SimulateConfig, Simulation, SimulationReport, find_precision,
    page, parse_time, simulate,
};
use std::path::PathBuf;

/// Run a network for some time; Ctrl-C stops it and keeps what was recorded
///
/// What is recorded goes to the disk while the run goes on, so memory does not grow with its length.
/// With --checkpoint a run that was stopped or killed goes on with the same command and --resume, and
/// ends with the same files as if it had never stopped.
#[derive(Debug, clap::Args)]
pub struct Simulate {
    /// Network description
    #[arg(value_name = "NET.toml")]
    network: PathBuf,

    /// Time to simulate, such as "1 s"
    #[arg(long, value_name = "TIME")]
    duration: String,

    /// Engine (see `spikeloom list engines`)
    #[arg(long, value_name = "NAME", default_value = "clock")]
    engine: String,

    /// Precision, single or double: single stores weights in 16 bits and computes in 32-bit floats
    /// where a model can [default: single on the clock engine, double on the event engine]
    #[arg(long, value_name = "NAME")]
    precision: Option<String>,

    /// Seed of connectivity and random input, in place of the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Write spikes: of the probes, or of all populations where the file has no probe of spikes;
    /// the ending chooses SONATA (.h5), .npz or .csv
    #[arg(long, value_name = "OUT.h5")]
    spikes: Option<PathBuf>,

    /// Write all that the probes record into this folder, a file a probe: spikes, state variables,
    /// weights
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,

    /// Format of the files in the folder: sonata, npz or csv
    #[arg(long, value_name = "FORMAT", requires = "record")]
    format: Option<String>,

    /// Leave a checkpoint when the run ends or is stopped
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Leave one at every multiple of this time, too, such as "1 s"
    #[arg(long, value_name = "TIME", requires = "checkpoint")]
    checkpoint_every: Option<String>,

    /// Go on from the checkpoint; where there is none yet, begin
    #[arg(long, requires = "checkpoint")]
    resume: bool,

    /// Write a page with raster, rates, traces and weights
    #[arg(long, value_name = "PAGE.html")]
    html: Option<PathBuf>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,

    /// Totals only, no line for each population
    #[arg(long)]
    summary: bool,
}

impl Run for Simulate {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let duration = parse_time(&self.duration)?;
        let format = self.format.as_deref().map(find_format).transpose()?;
        // What a run goes on with may be there already.
        let replaces = self.force || self.resume;
        output::check_target(self.spikes.as_deref(), replaces)?;
        output::check_target(self.html.as_deref(), replaces)?;
        let file = network_files::read(&self.network)?;
        let warnings = file.warnings();
        if !session.json {
            let (path, text) = (&file.path, &file.text);
            let shown = diagnostic::problems_as_text(path, text, &warnings, output::colours());
            if !shown.is_empty() {
                output::print_error(&shown);
            }
        }
        let config = SimulateConfig {
            duration,
            engine: self.engine.clone(),
            precision: self.precision.as_deref().map(find_precision).transpose()?,
            seed: self.seed,
            threads: session.threads,
            record: RecordConfig {
                spikes: self.spikes.clone(),
                folder: self.record.clone(),
                format,
                overwrite: self.force,
            },
            checkpoint: self.checkpoints()?,
            keep: self.html.is_some(),
        };
        interrupt::watch()?;
        let done = simulate(file, &config, &session.terminal, &|| !interrupt::asked())?;
        if let Some(path) = &self.html {
            let html = on_page(page(&done.report, &done.kept)).to_html()?;
            write_bytes_atomically(path, replaces, html.as_bytes())?;
        }
        let mut json = serde_json::to_value(&done.report)?;
        json["warnings"] = diagnostic::located(&warnings);
        json["spikes_file"] = json!(self.spikes.as_ref().map(|path| path.to_string_lossy()));
        let files = done.files.iter().map(|path| path.to_string_lossy());
        json["files"] = json!(files.collect::<Vec<_>>());
        json["checkpoint"] = json!(self.checkpoint.as_ref().map(|path| path.to_string_lossy()));
        if self.summary {
            json.as_object_mut().map(|object| object.shift_remove("populations"));
        }
        let mut outcome = Outcome::fine(json, self.text(&done));
        if done.report.stopped {
            outcome.code = interrupt::INTERRUPTED;
        }
        Ok(outcome)
    }
}

/// The largest relative error of a weight, if any is stored in the narrow form.
fn rounded(report: &SimulationReport) -> Option<String> {
    let errors = report.weight_rounding.iter().map(|rounding| rounding.relative_error);
    let largest = errors.fold(0.0, f64::max);
    (!report.weight_rounding.is_empty()).then(|| match largest {
        0.0 => "16 bits, none rounded".to_string(),
        largest => {
            format!("16 bits, none off by more than {largest:.1e} of its projection's largest")
        }
    })
}

/// The precision that a run was in: single where some population has that form.
fn computed_in(report: &SimulationReport) -> &'static str {
    let narrow = report.populations.iter().any(|population| population.precision == "single");
    if narrow { "single" } else { "double" }
}

/// What the run took of memory, beside what was predicted without the program itself.
fn memory(report: &SimulationReport) -> String {
    let predicted = readable(report.predicted.peak_bytes);
    match report.peak_memory_bytes {
        Some(peak) => {
            format!("{} at the most ({predicted} predicted for the network)", readable(peak))
        }
        None => format!("{predicted} predicted"),
    }
}

/// The format of files that are recorded.
pub(super) fn find_format(name: &str) -> Result<OutputFormat, Error> {
    OutputFormat::of_name(name).ok_or_else(|| Error::Unknown {
        what: "format",
        name: name.to_string(),
        known: spikeloom::sim_core::diagnostics::known_names(name, &OutputFormat::names()),
    })
}

impl Simulate {
    fn checkpoints(&self) -> Result<Option<CheckpointConfig>, Error> {
        let Some(path) = &self.checkpoint else {
            return Ok(None);
        };
        let every = self.checkpoint_every.as_deref().map(parse_time).transpose()?;
        let (path, resume, overwrite) = (path.clone(), self.resume, self.force);
        Ok(Some(CheckpointConfig { path, every, resume, overwrite }))
    }

    /// What was recorded, and where it is.
    fn recorded(&self, done: &Simulation) -> Option<String> {
        let spikes = done.report.recorded_spikes;
        match done.files.as_slice() {
            [] => None,
            [one] => Some(format!("{spikes} spikes in {}", one.display())),
            [one, rest @ ..] => {
                Some(format!("{spikes} spikes, in {} and {} more files", one.display(), rest.len()))
            }
        }
    }

    fn text(&self, done: &Simulation) -> String {
        let report: &SimulationReport = &done.report;
        let mut text = String::new();
        if !self.summary {
            let columns = ["population", "neurons", "spikes", "rate_hz", "precision"];
            let rows = report.populations.iter().map(|population| {
                [
                    json!(population.name),
                    json!(population.neurons),
                    json!(population.spikes),
                    json!(population.rate_hz),
                    json!(population.precision),
                ]
            });
            text.push_str(&table(&Listing::new("Populations", &columns).with_rows(rows)));
            text.push('\n');
        }
        let factor = report.real_time_factor.map(|factor| format!("{factor:.3}"));
        let resumed = report.resumed_at_ms.map_or_else(String::new, |time| {
            format!(", the first {time} ms of them before this run")
        });
        let stopped = if report.stopped { " (stopped with Ctrl-C)" } else { "" };
        let totals = json!({
            "network": report.network,
            "version": VERSION,
            "simulated": format!(
                "{} ms in steps of {} ms{stopped}{resumed}",
                report.duration_ms, report.dt_ms
            ),
            "engine": format!(
                "{}, {} precision, {} thread(s), seed {}",
                report.engine,
                computed_in(report),
                report.threads,
                report.seed
            ),
            "weights": rounded(report),
            "synapses": report.synapses,
            "memory": memory(report),
            "spikes": report.spikes,
            "synaptic_operations": report.synaptic_operations,
            "build_time": format!("{:.3} s", report.build_s),
            "run_time": format!("{:.3} s", report.simulation_s),
            "files_time": (!done.files.is_empty()).then(|| format!("{:.3} s", report.files_s)),
            "real-time_factor": factor,
            // The hash of no spikes says nothing.
            "spike_hash": (report.recorded_spikes > 0).then_some(&report.spike_hash),
            "recorded": self.recorded(done),
            "checkpoint": self.checkpoint.as_ref().map(|path| {
                let more = if report.stopped { "; --resume goes on from it" } else { "" };
                format!("{}{more}", path.display())
            }),
            "page": self.html.as_ref().map(|path| path.display().to_string()),
        });
        text + &totals.as_object().map_or_else(String::new, facts)
    }
}
