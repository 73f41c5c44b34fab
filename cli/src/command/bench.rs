//! `spikeloom bench`.

use super::{Outcome, Run, Session};
use crate::table::facts;
use spikeloom::bench::{BenchConfig, BenchModel, find_workload, run_workload};
use spikeloom::error::Error;
use spikeloom::simulate::parse_time;
use std::path::PathBuf;

/// Measure a workload: build time, run time, memory, rates
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Workload (see `spikeloom list workloads`)
    #[arg(value_name = "WORKLOAD")]
    workload: String,

    /// Size relative to the workload's own
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    scale: f64,

    /// Time to simulate, such as "1 s" [default: the workload's own]
    #[arg(long, value_name = "TIME")]
    simulate: Option<String>,

    /// Seed of connectivity and input
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Trained network to measure instead of the demo's (workload `inference`)
    #[arg(long, value_name = "MODEL", requires = "data")]
    model: Option<PathBuf>,

    /// Samples that the network is calibrated on and shown
    #[arg(long, value_name = "DATA", requires = "model")]
    data: Option<PathBuf>,
}

impl Run for Bench {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let workload = find_workload(&self.workload)?;
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        let config = BenchConfig {
            scale: self.scale,
            threads: session.threads.unwrap_or(available),
            simulate: self.simulate.as_deref().map(parse_time).transpose()?,
            seed: self.seed,
            model: self
                .model
                .clone()
                .zip(self.data.clone())
                .map(|(path, data)| BenchModel { path, data }),
        };
        let report = run_workload(workload, &config, &session.terminal)?;
        let json = serde_json::to_value(&report)?;
        let text = json.as_object().map_or_else(String::new, facts);
        Ok(Outcome::fine(json, text))
    }
}
