//! One list of cases × all engines, and what such tests do again and again.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, ENGINES, Engine, EngineConfig, EngineEntry, find_engine};
use sim_core::network::Network;
use sim_core::recording::{Recording, Spike, first_difference};
use sim_core::time::Time;
use std::sync::Arc;

/// A network to be simulated for a while.
#[derive(Debug, Clone)]
pub struct Case {
    /// What a failure message calls it.
    pub name: String,
    /// The network.
    pub network: Network,
    /// How long (ms).
    pub duration: f64,
}

/// Validates and compiles a network that must be valid.
pub fn compile(network: &Network) -> Arc<Compiled> {
    let valid =
        network.validate().unwrap_or_else(|problems| panic!("`{}`: {problems}", network.name));
    Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap())
}

/// Starts an engine by name.
pub fn start(compiled: &Arc<Compiled>, engine: &str, threads: usize) -> Box<dyn Engine> {
    let entry = find_engine(engine).unwrap();
    (entry.start)(compiled.clone(), EngineConfig { threads, ..EngineConfig::default() }).unwrap()
}

/// Runs an engine further by a span (ms).
pub fn advance(engine: &mut dyn Engine, milliseconds: f64) {
    let span = Time::from_milliseconds(milliseconds).unwrap();
    engine.run(span, &mut |_| true).unwrap();
}

/// What an engine records of a compiled network in a span (ms).
pub fn simulate(
    compiled: &Arc<Compiled>,
    engine: &str,
    threads: usize,
    milliseconds: f64,
) -> Recording {
    let mut engine = start(compiled, engine, threads);
    advance(engine.as_mut(), milliseconds);
    engine.recording().clone()
}

/// Simulates every case with every engine and hands each recording to `check`.
pub fn each_engine(
    cases: impl IntoIterator<Item = Case>,
    mut check: impl FnMut(&Case, &EngineEntry, &Recording),
) {
    for case in cases {
        let compiled = compile(&case.network);
        for engine in ENGINES {
            let recording = simulate(&compiled, engine.name, 1, case.duration);
            check(&case, engine, &recording);
        }
    }
}

/// Fails with the first differing spike.
///
/// # Panics
/// Where the lists differ.
pub fn assert_same_spikes(what: &str, first: &[Spike], second: &[Spike]) {
    if let Some(difference) = first_difference(first, second) {
        panic!(
            "{what}: {} and {} spikes, first difference {difference:?}",
            first.len(),
            second.len()
        );
    }
}

/// A property-test runner that draws the same cases in every run and keeps no files.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
