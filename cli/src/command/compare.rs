//! `spikeloom compare`.

use super::{Outcome, Run, Session};
use spikeloom::error::Error;
use spikeloom::recordings::{Comparison, FileSpike, compare};
use std::path::PathBuf;

/// Find the first differing spike of two recordings (SONATA)
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// First recording
    #[arg(value_name = "A.h5")]
    first: PathBuf,

    /// Second recording
    #[arg(value_name = "B.h5")]
    second: PathBuf,

    /// Times that differ by no more than this are equal (ms)
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    tolerance_ms: f64,
}

impl Run for Compare {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        if self.tolerance_ms.is_nan() || self.tolerance_ms < 0.0 {
            let message = format!("--tolerance-ms {}: give 0 or more", self.tolerance_ms);
            return Err(Error::Usage(message));
        }
        let comparison = compare(&self.first, &self.second, self.tolerance_ms)?;
        let text = self.text(&comparison);
        let differs = !comparison.equal;
        Ok(Outcome::fine(serde_json::to_value(&comparison)?, text).with_finding(differs))
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
