//! `spikeloom inspect`.

use super::{Outcome, Run, Session};
use crate::table::{facts, table};
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::inspect::inspect;
use spikeloom::listing::Listing;
use spikeloom::network_files;
use spikeloom::prediction::{EventPrediction, Memory, Times, prediction};
use spikeloom::sim_core::connectome::footprint::readable;
use std::path::PathBuf;

/// Say what a file is and what it holds; exit code 1 where a core map contradicts itself
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// Any file that Spikeloom reads or writes
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Predict what a network (.toml) takes before it is built: memory, synapses, time to build and
    /// to simulate, on both engines and in both precisions; exit code 1 where none fits
    #[arg(long)]
    predict: bool,

    /// Spikes per neuron and second that the predicted times assume, in place of those of the part of the
    /// network that is run to be timed
    #[arg(long, value_name = "HZ", requires = "predict")]
    rate_hz: Option<f64>,
}

impl Inspect {
    fn predicted(&self) -> Result<Outcome, Error> {
        let network = network_files::read(&self.file)?;
        let predicted = prediction(&network, self.rate_hz)?;
        let columns = [
            "engine",
            "precision",
            "neurons",
            "synapses",
            "memory",
            "fits",
            "build_s",
            "simulate_1_s_takes_s",
            "rate_hz",
        ];
        let row = |engine: &str, one: &Memory, times: &Times| {
            [
                json!(engine),
                json!(one.precision),
                json!(one.footprint.neurons),
                json!(one.footprint.synapses),
                json!(one.peak),
                json!(if one.fits { "yes" } else { "NO" }),
                json!(times.build_s),
                json!(times.simulate_one_second_s),
                json!(predicted.assumed_rate_hz.or(times.sample_rate_hz)),
            ]
        };
        let rows = predicted.precisions.iter().map(|one| row("clock", &one.memory, &one.times));
        let EventPrediction { memory, times } = &predicted.event;
        let event = memory.as_ref().map(|memory| row("event", memory, times));
        let title = format!("{}: predicted, the whole was not built", self.file.display());
        let listing = Listing::new(title, &columns).with_rows(rows.chain(event));
        let mut text = table(&listing);
        text.push_str(&format!(
            "\nTimes are those of a part of the network that was run, for one thread; {} are free.\n",
            readable(predicted.available_bytes)
        ));
        if let Some(reason) = &predicted.event.times.reason {
            text.push_str(&format!("The event-driven engine does not run it: {reason}\n"));
        }
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
        let is_finding = found.content.is_finding;
        Ok(Outcome::fine(found.to_json(), text).with_finding(is_finding))
    }
}
