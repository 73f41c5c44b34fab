//! `spikeloom simulate`.

use super::{Outcome, Run, Session};
use crate::table::{facts, table};
use crate::{diagnostic, interrupt, output};
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::network_files;
use spikeloom::recordings;
use spikeloom::sim_core::connectome::footprint::readable;
use spikeloom::simulate::{
    SimulateConfig, SimulationReport, find_precision, parse_time, simulate,
};
use std::path::PathBuf;

/// Run a network for some time; Ctrl-C stops it and keeps what was recorded
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

    /// Write spikes (SONATA): of the probes, or of all populations where the file has no probe
    #[arg(long, value_name = "OUT.h5")]
    spikes: Option<PathBuf>,

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
        output::check_target(self.spikes.as_deref(), self.force)?;
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
            record_spikes: self.spikes.is_some(),
        };
        interrupt::watch()?;
        let done = simulate(&file, &config, &session.terminal, &|| !interrupt::asked())?;
        if let Some(path) = &self.spikes {
            recordings::write(&done.recording, path, self.force)?;
        }
        let mut json = serde_json::to_value(&done.report)?;
        json["warnings"] = diagnostic::located(&warnings);
        json["spikes_file"] = json!(self.spikes.as_ref().map(|path| path.to_string_lossy()));
        if self.summary {
            json.as_object_mut().map(|object| object.shift_remove("populations"));
        }
        let mut outcome = Outcome::fine(json, self.text(&done.report));
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
        largest => format!("16 bits, none off by more than {largest:.1e} of its projection's largest"),
    })
}

impl Simulate {
    fn text(&self, report: &SimulationReport) -> String {
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
        let stopped = if report.stopped { " (stopped with Ctrl-C)" } else { "" };
        let totals = json!({
            "network": report.network,
            "simulated": format!("{} ms in steps of {} ms{stopped}", report.duration_ms, report.dt_ms),
            "engine": format!(
                "{}, {} precision, {} thread(s), seed {}",
                report.engine, report.precision, report.threads, report.seed
            ),
            "weights": rounded(report),
            "synapses": report.synapses,
            "predicted_memory": readable(report.predicted.peak_bytes),
            "spikes": report.spikes,
            "synaptic_operations": report.synaptic_operations,
            "build_time": format!("{:.3} s", report.build_s),
            "run_time": format!("{:.3} s", report.simulation_s),
            "real-time_factor": factor,
            "spike_hash": report.spike_hash,
            "recorded": self.spikes.as_ref().map(|path| {
                format!("{} spikes in {}", report.recorded_spikes, path.display())
            }),
        });
        text + &totals.as_object().map_or_else(String::new, facts)
    }
}
