//! `spikeloom inspect`.

use super::{Outcome, Run, Session};
use crate::table::{facts, table};
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::inspect::inspect;
use spikeloom::listing::Listing;
use spikeloom::network_files;
use spikeloom::prediction::{USUAL_RATE_HZ, prediction};
use spikeloom::sim_core::connectome::footprint::readable;
use std::path::PathBuf;

/// Say what a file is and what it holds
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// Any file that Spikeloom reads or writes
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Predict what a network (.toml) takes before it is built: memory, synapses, time to build and
    /// to simulate, in both precisions; exit code 1 where none fits
    #[arg(long)]
    predict: bool,

    /// Spikes per neuron and second that the predicted time to simulate assumes
    #[arg(long, value_name = "HZ", default_value_t = USUAL_RATE_HZ, requires = "predict")]
    rate_hz: f64,
}

impl Inspect {
    fn predicted(&self) -> Result<Outcome, Error> {
        let network = network_files::read(&self.file)?;
        let predicted = prediction(&network.valid, self.rate_hz)?;
        let columns = [
            "precision",
            "neurons",
            "synapses",
            "memory",
            "fits",
            "build_s",
            "simulate_1_s_takes_s",
        ];
        let rows = predicted.precisions.iter().map(|one| {
            [
                json!(one.precision),
                json!(one.footprint.neurons),
                json!(one.footprint.synapses),
                json!(one.peak),
                json!(if one.fits { "yes" } else { "NO" }),
                json!(one.build_s),
                json!(one.simulate_one_second_s),
            ]
        });
        let title = format!("{}: predicted, nothing was built", self.file.display());
        let mut text = table(&Listing::new(title, &columns).with_rows(rows));
        text.push_str(&format!(
            "\nTimes are estimates for one thread, at {} spikes per neuron and second; {} are free.\n",
            predicted.assumed_rate_hz,
            readable(predicted.available_bytes)
        ));
        let refusal = predicted.refusal();
        if let Some(reason) = &refusal {
            text.push_str(&format!("The network does not fit: {reason}\n"));
        }
        Ok(Outcome::fine(serde_json::to_value(&predicted)?, text).with_finding(refusal.is_some()))
    }
}

impl Run for Inspect {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        if self.predict {
            return self.predicted();
        }
        let found = inspect(&self.file)?;
        let (path, description) = (found.path.display(), &found.description);
        let mut text = format!("{path}: {description} ({} bytes)\n", found.bytes);
        let content = facts(&found.content.facts);
        if !content.is_empty() {
            text.push_str(&format!("\n{content}"));
        }
        for (_, listing) in found.content.lists.iter().filter(|(_, list)| !list.rows.is_empty()) {
            text.push_str(&format!("\n{}", table(listing)));
        }
        Ok(Outcome::fine(found.to_json(), text))
    }
}
