//! How long a part of a network takes to build and to run.

use crate::error::Error;
use crate::sim_core::connectome::{CompileConfig, Precision};
use crate::sim_core::engine::{Compiled, Engine, EngineConfig, EngineEntry, EngineError};
use crate::sim_core::network::ValidNetwork;
use crate::sim_core::time::Time;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was measured of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// To compile the part and start the engine (s).
    pub(super) build_s: f64,
    /// To simulate a second (s).
    pub(super) second_s: f64,
    /// Simulated time that this is from (ms).
    pub(super) simulated_ms: f64,
    /// Spikes of its neurons in a second, sources left out.
    pub(super) spikes: f64,
    /// Synapses that spikes reached in a second.
    pub(super) operations: f64,
    /// Those that spikes of sources reached.
    pub(super) of_sources: f64,
}

/// Simulated time that passes before the clock starts (ms): caches and currents fill.
const BEGINNING_MS: f64 = 20.0;

/// Simulated time that is measured (ms); whichever of this and the wall time is over first.
const MEASURED_MS: f64 = 400.0;

/// Builds a valid part and runs it for about `budget` of wall time.
///
/// # Errors
/// What the engine does not run.
pub(super) fn time(
    part: ValidNetwork,
    entry: &EngineEntry,
    precision: Precision,
    budget: Duration,
) -> Result<Timing, Error> {
    let step = part.grid().step();
    let models = part.populations().values().map(|population| population.model.spec());
    let is_source: Vec<bool> = models.map(|spec| spec.variables.is_empty()).collect();
    let started = Instant::now();
    let compile = CompileConfig { precision, ..CompileConfig::UNLIMITED };
    let compiled = Arc::new(Compiled::new(part, compile)?);
    let mut engine = (entry.start)(compiled, EngineConfig::default())?;
    let build_s = started.elapsed().as_secs_f64();
    // A beginning that takes longer than what is to be measured is cut short.
    advance(engine.as_mut(), on_grid(BEGINNING_MS, step), budget / 4)?;
    let counted = |engine: &dyn Engine| {
        let counters = &engine.recording().counters;
        let of = |numbers: &[u64], sources: bool| -> u64 {
            let chosen = numbers.iter().zip(&is_source).filter(|(_, is)| **is == sources);
            chosen.map(|(number, _)| number).sum()
        };
        let operations = &counters.population_operations;
        [of(&counters.spikes, false), of(operations, false), of(operations, true)]
    };
    let (from, before, started) = (engine.now(), counted(engine.as_ref()), Instant::now());
    let slice = on_grid(MEASURED_MS / 40.0, step);
    let end = from.saturating_add(on_grid(MEASURED_MS, step));
    while engine.now() < end && started.elapsed() < budget {
        advance(engine.as_mut(), slice, budget.saturating_sub(started.elapsed()))?;
        engine.take_recorded();
    }
    let wall = started.elapsed().as_secs_f64();
    let simulated_ms = (engine.now() - from).milliseconds().max(step.milliseconds());
    let after = counted(engine.as_ref());
    let a_second = 1000.0 / simulated_ms;
    let [spikes, own, of_sources] =
        std::array::from_fn(|index| (after[index] - before[index]) as f64 * a_second);
    let operations = own + of_sources;
    Ok(Timing { build_s, second_s: wall * a_second, simulated_ms, spikes, operations, of_sources })
}

/// At least a step.
fn on_grid(milliseconds: f64, step: Time) -> Time {
    let steps = (milliseconds / step.milliseconds()).ceil().max(1.0) as i64;
    Time(step.0.saturating_mul(steps))
}

/// Runs for a span, or until so much wall time has passed.
fn advance(engine: &mut dyn Engine, span: Time, wall: Duration) -> Result<(), Error> {
    let started = Instant::now();
    match engine.run(span, &mut |_| started.elapsed() < wall) {
        Ok(()) | Err(EngineError::Stopped { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
