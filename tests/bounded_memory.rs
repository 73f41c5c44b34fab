//! The memory of a run does not grow with what it records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use peak_alloc::PeakAlloc;
use spikeloom::model_io::recording::OutputFormat;
use spikeloom::network_files;
use spikeloom::progress::Silent;
use spikeloom::simulate::{RecordConfig, SimulateConfig, parse_time, simulate};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Every step of 100 neurons is recorded: 8 MB a second, and their spikes.
const NETWORK: &str = r#"
dt = "0.1 ms"
[populations.cells]
size = 100
model = "lif_delta"
spike = "at_or_above"
reset = { to = "-70 mV" }
refractory_input = "lost"
[stimuli]
current = { kind = "constant_current", population = "cells", amplitude = "700 pA" }
[probes]
spikes = { population = "cells", variable = "spikes" }
potential = { population = "cells", variable = "membrane_potential" }
"#;

/// The most bytes on the heap while so much is run and recorded.
fn peak(duration: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.toml");
    std::fs::write(&path, NETWORK).unwrap();
    let file = network_files::read(&path).unwrap();
    let config = SimulateConfig {
        duration: parse_time(duration).unwrap(),
        engine: "clock".into(),
        precision: None,
        seed: None,
        threads: Some(1),
        record: RecordConfig {
            spikes: None,
            folder: Some(folder.path().join("out")),
            format: Some(OutputFormat::Npz),
            overwrite: false,
        },
        checkpoint: None,
        keep: false,
    };
    HEAP.reset_peak_usage();
    let done = simulate(file, &config, &Silent, &|| true).unwrap();
    assert!(done.report.recorded_spikes > 1000);
    assert!(done.files.iter().all(|file| file.metadata().unwrap().len() > 1000));
    HEAP.peak_usage()
}

#[test]
fn a_longer_run_needs_no_more_memory() {
    // From two seconds on the pieces have their full length.
    let (short, long) = (peak("2 s"), peak("5 s"));
    // Kept in memory, the longer run's samples would take 24 MB more.
    assert!(long < short + 2_000_000, "{short} and {long} bytes");
}
