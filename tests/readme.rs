//! The network in the README is valid and does what the README's Rust example does.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use spikeloom::model_io::network_file;
use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, ENGINES, EngineConfig};
use spikeloom::sim_core::time::Time;
use std::sync::Arc;

const README: &str = include_str!("../README.md");

/// The text of the first fenced block of a language.
fn block(language: &str) -> &'static str {
    let start = format!("```{language}\n");
    let rest = README.split(&start).nth(1).unwrap();
    rest.split("```").next().unwrap()
}

#[test]
fn the_network_of_the_readme_runs_on_all_engines() {
    let (_, network) = network_file::read_and_validate(block("toml")).unwrap();
    let compiled = Arc::new(Compiled::new(network, CompileConfig::UNLIMITED).unwrap());
    for entry in ENGINES {
        let mut engine = (entry.start)(Arc::clone(&compiled), EngineConfig::default()).unwrap();
        engine.run(Time::from_milliseconds(1000.0).unwrap(), &mut |_| true).unwrap();
        let spikes = engine.recording().spikes.len();
        // 500 pA drive each of the 100 cells to about 63 spikes in a second.
        assert!((6000..6600).contains(&spikes), "{}: {spikes}", entry.name);
    }
}
