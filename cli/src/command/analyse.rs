//! `spikeloom analyse`.

use super::simulate::find_format;
use super::{Outcome, Run, Session};
use crate::output;
use crate::provenance::on_page;
use crate::table::table;
use serde_json::json;
use spikeloom::analysis::{AnalysisConfig, PopulationAnalysis, Trains, analyse, page};
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::model_io::spool::SIGNATURE;
use spikeloom::recordings::read;
use spikeloom::simulate::{RecordConfig, make_files, open};
use std::io::Read;
use std::path::PathBuf;

/// Measure a recording: rates, intervals, counts, correlations, spectra
#[derive(Debug, clap::Args)]
pub struct Analyse {
    /// Recording of spikes: SONATA, npz, CSV, or a recording in progress (.recording)
    #[arg(value_name = "SPIKES")]
    recording: PathBuf,

    /// Spikes up to this time are left out (ms)
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    begin_ms: f64,

    /// End of the recording (ms); the last spike where none is given
    #[arg(long, value_name = "MS")]
    end_ms: Option<f64>,

    /// Bin of rates over time (ms) [default: 10, or all of a shorter recording]
    #[arg(long, value_name = "MS")]
    bin_ms: Option<f64>,

    /// Window of spike counts for the Fano factor (ms) [default: 100, or all of a shorter recording]
    #[arg(long, value_name = "MS")]
    count_window_ms: Option<f64>,

    /// Bin of correlations and spectra (ms) [default: 2, or all of a shorter recording]
    #[arg(long, value_name = "MS")]
    correlation_bin_ms: Option<f64>,

    /// Write a page with raster, rates and spectra
    #[arg(long, value_name = "PAGE.html")]
    html: Option<PathBuf>,

    /// Of a recording in progress: write all that was recorded into this folder, a file a probe, as
    /// `simulate --record` would have at its end
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,

    /// Format of the files in the folder: sonata, npz or csv
    #[arg(long, requires = "record")]
    format: Option<String>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Analyse {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.html.as_deref(), self.force)?;
        let path = &self.recording;
        let files = self.files()?;
        if let Some(files) = &files
            && !self.has_spikes()?
        {
            let json = json!({ "recording": path.to_string_lossy(), "files": names(files) });
            return Ok(Outcome::fine(json, made(files)));
        }
        let (trains, end) = self.trains()?;
        let config = self.config(end)?;
        let analyses = analyse(&trains, &config);
        if let Some(target) = &self.html {
            let provenance = vec![
                ("recording".to_string(), path.display().to_string()),
                ("window".to_string(), format!("{} to {end} ms", self.begin_ms)),
                ("Spikeloom".to_string(), env!("CARGO_PKG_VERSION").to_string()),
            ];
            let page = page(&trains, &analyses, &config, "Spike analysis", provenance);
            let html = on_page(page).to_html()?;
            write_bytes_atomically(target, self.force, html.as_bytes())?;
        }
        let json = json!({
            "recording": path.to_string_lossy(),
            "begin_ms": self.begin_ms,
            "end_ms": end,
            "populations": analyses,
            "files": names(files.as_deref().unwrap_or_default()),
        });
        let text = self.text(&analyses) + &files.as_deref().map_or_else(String::new, made);
        Ok(Outcome::fine(json, text))
    }
}

/// Paths as they are shown.
fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|path| path.display().to_string()).collect()
}

fn made(files: &[PathBuf]) -> String {
    format!("made: {}\n", names(files).join(", "))
}

impl Analyse {
    /// Whether the file is a recording in progress.
    fn is_in_progress(&self) -> Result<bool, Error> {
        let path = &self.recording;
        let unreadable =
            |e: std::io::Error| Error::Read { path: path.clone(), reason: e.to_string() };
        let mut begins = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(SIGNATURE.len() as u64).read_to_end(&mut begins).map_err(unreadable)?;
        Ok(begins == SIGNATURE)
    }

    /// Whether a recording in progress holds spikes.
    fn has_spikes(&self) -> Result<bool, Error> {
        Ok(open(&self.recording)?.header().spikes.contains(&true))
    }

    /// The files that were made of a recording in progress, where that is asked for.
    fn files(&self) -> Result<Option<Vec<PathBuf>>, Error> {
        let Some(folder) = &self.record else {
            return Ok(None);
        };
        if !self.is_in_progress()? {
            return Err(Error::Usage(format!(
                "{} is no recording in progress (.recording): its files are made already",
                self.recording.display()
            )));
        }
        let config = RecordConfig {
            folder: Some(folder.clone()),
            format: self.format.as_deref().map(find_format).transpose()?,
            overwrite: self.force,
            ..RecordConfig::default()
        };
        make_files(&self.recording, &config).map(Some)
    }

    /// The spike trains, and the end of their window (ms).
    fn trains(&self) -> Result<(Vec<Trains>, f64), Error> {
        let path = &self.recording;
        let unreadable =
            |e: std::io::Error| Error::Read { path: path.clone(), reason: e.to_string() };
        if self.is_in_progress()? {
            let mut spool = open(path)?;
            let last = |trains: &[Trains]| {
                let ends = trains.iter().flat_map(|own| &own.neurons).filter_map(|n| n.last());
                ends.copied().fold(0.0, f64::max)
            };
            let all = f64::INFINITY;
            let end = self.end_ms.unwrap_or(all);
            let mut trains =
                Trains::from_spool(&mut spool, self.begin_ms, end).map_err(unreadable)?;
            let end = if end == all { last(&trains) } else { end };
            trains.iter_mut().for_each(|own| own.end = end);
            return Ok((trains, end));
        }
        let spikes = read(path)?;
        let last = spikes.values().flat_map(|own| own.timestamps.iter().copied());
        let end = self.end_ms.unwrap_or_else(|| last.fold(0.0, f64::max));
        Ok((Trains::from_file(&spikes, self.begin_ms, end), end))
    }

    /// The widths that are asked for; the usual ones are no wider than the recording.
    fn config(&self, end: f64) -> Result<AnalysisConfig, Error> {
        let span = end - self.begin_ms;
        if !(span > 0.0 && span.is_finite()) {
            let message = format!("nothing lies between {} and {end} ms", self.begin_ms);
            return Err(Error::Usage(format!("{message}: choose --begin-ms and --end-ms")));
        }
        let usual = AnalysisConfig::default();
        let width = |name: &str, asked: Option<f64>, usual: f64| {
            let width = asked.unwrap_or(usual.min(span));
            // More bins than this fill the memory before they say anything.
            if width > 0.0 && width <= span && span / width < 1e8 {
                return Ok(width);
            }
            Err(Error::Usage(format!("{name} {width}: give a length within the {span} ms")))
        };
        Ok(AnalysisConfig {
            bin_ms: width("--bin-ms", self.bin_ms, usual.bin_ms)?,
            count_window_ms: width(
                "--count-window-ms",
                self.count_window_ms,
                usual.count_window_ms,
            )?,
            correlation_bin_ms: width(
                "--correlation-bin-ms",
                self.correlation_bin_ms,
                usual.correlation_bin_ms,
            )?,
            ..usual
        })
    }

    fn text(&self, analyses: &[PopulationAnalysis]) -> String {
        let columns = [
            "population",
            "neurons",
            "spikes",
            "rate_hz",
            "interval_cv",
            "fano_factor",
            "correlation",
            "peak_frequency_hz",
        ];
        let rows = analyses.iter().map(|analysis| {
            [
                json!(analysis.population),
                json!(analysis.neurons),
                json!(analysis.spikes),
                json!(analysis.rate_hz),
                json!(analysis.interval_cv),
                json!(analysis.fano_factor),
                json!(analysis.correlation),
                json!(analysis.peak_frequency_hz),
            ]
        });
        let mut text = table(&Listing::new("Populations", &columns).with_rows(rows));
        if let Some(target) = &self.html {
            text.push_str(&format!("\npage: {}\n", target.display()));
        }
        text
    }
}
