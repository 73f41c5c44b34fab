//! `spikeloom compare`.

use super::{Outcome, Run, Session};
use crate::table::table;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::recordings::{Comparison, FileSpike, compare, distances};
use std::path::PathBuf;

/// Find the first differing spike of two recordings (SONATA, npz or CSV)
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// First recording
    #[arg(value_name = "A")]
    first: PathBuf,

    /// Second recording
    #[arg(value_name = "B")]
    second: PathBuf,

    /// Times that differ by no more than this are equal (ms)
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    tolerance_ms: f64,

    /// Measure how far the trains of each population lie apart: van Rossum's and Victor and Purpura's
    /// distance, mean over its neurons
    #[arg(long)]
    distances: bool,

    /// Time constant of van Rossum's distance (ms)
    #[arg(long, value_name = "MS", default_value_t = 10.0)]
    tau_ms: f64,

    /// What moving a spike by 1 ms costs in Victor and Purpura's distance; adding or removing one costs 1
    #[arg(long, value_name = "COST", default_value_t = 0.1)]
    cost_per_ms: f64,
}

impl Run for Compare {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        if self.tolerance_ms.is_nan() || self.tolerance_ms < 0.0 {
            let message = format!("--tolerance-ms {}: give 0 or more", self.tolerance_ms);
            return Err(Error::Usage(message));
        }
        for (name, value) in [("--tau-ms", self.tau_ms), ("--cost-per-ms", self.cost_per_ms)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::Usage(format!("{name} {value}: give a number above 0")));
            }
        }
        let comparison = compare(&self.first, &self.second, self.tolerance_ms)?;
        let mut text = self.text(&comparison);
        let mut json = serde_json::to_value(&comparison)?;
        if self.distances {
            let found = distances(&self.first, &self.second, self.tau_ms, self.cost_per_ms)?;
            let columns = ["population", "neurons", "van_rossum", "victor_purpura"];
            let rows = found.iter().map(|one| {
                [
                    json!(one.population),
                    json!(one.neurons),
                    json!(one.van_rossum),
                    json!(one.victor_purpura),
                ]
            });
            let title = "Distances, mean over the neurons";
            text.push_str(&format!("\n{}", table(&Listing::new(title, &columns).with_rows(rows))));
            json["distances"] = serde_json::to_value(&found)?;
        }
        Ok(Outcome::fine(json, text).with_finding(!comparison.equal))
    }
}

impl Compare {
    fn text(&self, comparison: &Comparison) -> String {
        let [first, second] = comparison.spikes;
        if comparison.equal {
            return format!("equal: {first} spikes in both\n");
        }
        let population = comparison.population.as_deref().unwrap_or("unknown");
        let position = comparison.position.unwrap_or(0);
        let shown = |spike: &Option<FileSpike>| match spike {
            Some(FileSpike { time_ms, neuron }) => format!("neuron {neuron} at {time_ms} ms"),
            None => "no spike".to_string(),
        };
        format!(
            "different: first at spike {position} of population `{population}`\n  {}: {} ({first} \
             spikes in all)\n  {}: {} ({second} spikes in all)\n",
            self.first.display(),
            shown(&comparison.first),
            self.second.display(),
            shown(&comparison.second),
        )
    }
}
