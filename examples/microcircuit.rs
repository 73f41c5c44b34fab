//! This example shows: the cortical microcircuit at a tenth of its size, with the rates that NEST finds.
//!
//! Eight populations in four layers (Potjans & Diesmann 2014); numbers of neurons and inputs are scaled
//! down, weights grow by one over the root of the scale, and a constant current makes up for the mean
//! input that is missing. The rates and the irregularity (CV of the intervals between spikes) of each
//! population are shown beside those of a recording of NEST 3.10 over ten seconds. Rates in two seconds of
//! one network scatter about them, and the CV of few intervals is lower; `spikeloom verify nest
//! tests/data/nest/networks` compares equal lengths and the mean of several networks.
//!
//! Run it with `cargo run --release --example microcircuit`; `-- 1.0` takes the full size (1.3 GB).

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::bench::{BenchConfig, find_workload};
use spikeloom::progress::Silent;
use spikeloom::sim_core::time::Time;
use std::error::Error;

/// What is timed and counted (ms), after half a second of warm-up.
const COUNTED_MS: f64 = 2000.0;

/// Rates of so short a run may lie so far from the recording (relative, and Hz).
const SCATTER: (f64, f64) = (0.25, 0.4);

fn main() -> Result<(), Box<dyn Error>> {
    let scale = std::env::args().nth(1).map_or(Ok(0.1), |text| text.parse())?;
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/nest/networks/reference_pd14_scale0.1.json"
    );
    let recorded: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let simulate = Time::from_milliseconds(COUNTED_MS);
    let config = BenchConfig { scale, threads, simulate, seed: 1, model: None };
    let found = (find_workload("pd14")?.run)(&config, &Silent)?;
    println!("{} neurons, {} synapses", found.n_neurons, found.n_synapses);
    println!("population   rate [1/s]    NEST     CV    NEST");
    for (name, rate) in &found.rates_hz {
        let theirs = &recorded["populations"][name];
        let number = |key: &str| theirs[key].as_f64().unwrap_or(f64::NAN);
        let cv = found.interval_cv.get(name).copied().flatten().unwrap_or(f64::NAN);
        let (their_rate, their_cv) = (number("mean_rate_hz"), number("cv_isi_mean"));
        println!("{name:<10} {rate:>12.2} {their_rate:>7.2} {cv:>6.2} {their_cv:>7.2}");
        // Other sizes have other rates.
        let allowed = SCATTER.1.max(SCATTER.0 * their_rate);
        if scale == 0.1 && (rate - their_rate).abs() > allowed {
            return Err(format!("{name}: {rate} spikes a second, NEST {their_rate}").into());
        }
    }
    Ok(())
}
