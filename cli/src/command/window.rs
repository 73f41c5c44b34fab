//! `spikeloom window`.

use super::{Outcome, Run, Session};
use crate::output;
use crate::table::table;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::sim_core::synapse::Pairing;
use spikeloom::window::{WindowConfig, window};
use std::path::PathBuf;

/// Run a synapse rule and show what it does: potentiation and depression against spike times, release
/// by a train of spikes, or the factor of homeostasis
#[derive(Debug, clap::Args)]
pub struct Window {
    /// Rule (see `spikeloom list rules`)
    #[arg(value_name = "RULE")]
    rule: String,

    /// Write the picture
    #[arg(long, value_name = "PICTURE.svg")]
    out: Option<PathBuf>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,

    /// A parameter in place of the rule's own, such as "tau_plus=10 ms"; weights are in units of the
    /// largest; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,

    /// Which spikes form pairs: all_to_all, nearest, nearest_restricted or nearest_presynaptic
    #[arg(long, value_name = "PAIRING", default_value = "all_to_all")]
    pairing: String,

    /// Pairs of spikes, or spikes of a train
    #[arg(long, value_name = "N", default_value_t = WindowConfig::default().repeats)]
    repeats: u32,

    /// Rates of the repeats in Hz, one line each
    #[arg(long, value_name = "HZ,HZ", value_delimiter = ',')]
    rates: Vec<f64>,

    /// Largest difference between post- and presynaptic spike (ms)
    #[arg(long, value_name = "MS", default_value_t = WindowConfig::default().span_ms)]
    span_ms: f64,

    /// Weight at the beginning, in units of the largest
    #[arg(long, value_name = "W", default_value_t = WindowConfig::default().weight)]
    weight: f64,

    /// The synapse's delay (ms)
    #[arg(long, value_name = "MS", default_value_t = WindowConfig::default().delay_ms)]
    delay_ms: f64,

    /// The dendritic part of the delay (ms); the rest is axonal [default: all of it]
    #[arg(long, value_name = "MS")]
    dendritic_ms: Option<f64>,
}

impl Window {
    fn config(&self) -> Result<WindowConfig, Error> {
        let pairing = Pairing::ALL.into_iter().find(|pairing| pairing.name() == self.pairing);
        let names = Pairing::ALL.map(Pairing::name);
        let pairing = spikeloom::lists::named("pairing", &self.pairing, pairing, names)?;
        let parameters = self.parameters.iter().map(|given| {
            let (name, value) = given.split_once('=').ok_or_else(|| {
                Error::Usage(format!("--parameter {given}: write NAME=VALUE, such as alpha=1.1"))
            })?;
            Ok((name.trim().to_string(), value.trim().to_string()))
        });
        Ok(WindowConfig {
            parameters: parameters.collect::<Result<_, Error>>()?,
            pairing,
            repeats: self.repeats,
            rates_hz: self.rates.clone(),
            span_ms: self.span_ms,
            weight: self.weight,
            delay_ms: self.delay_ms,
            dendritic_ms: self.dendritic_ms,
        })
    }
}

impl Run for Window {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        let shown = window(&self.rule, &self.config()?)?;
        if let Some(target) = &self.out {
            write_bytes_atomically(target, self.force, shown.chart().to_svg()?.as_bytes())?;
        }
        let mut text = format!("{}: {}\n{}\n\n", shown.rule, shown.summary, shown.protocol);
        for line in &shown.lines {
            let every = line.points.len().div_ceil(16).max(1);
            let rows = line.points.iter().step_by(every).map(|(x, y)| [json!(x), json!(y)]);
            let columns = ["x", "y"];
            let title = format!("{}: {} [{}] by {}", line.name, shown.y.0, shown.y.1, shown.x.0);
            text.push_str(&table(&Listing::new(title, &columns).with_rows(rows)));
        }
        if let Some(target) = &self.out {
            text.push_str(&format!("\npicture: {}\n", target.display()));
        }
        Ok(Outcome::fine(serde_json::to_value(&shown)?, text))
    }
}
