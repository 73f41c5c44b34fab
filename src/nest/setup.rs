//! The network that a recording was made from: one neuron, its inputs and its currents.

use super::fields::{Fields, RecordingError};
use super::translation::quantity;
use crate::sim_core::connectome::CompileConfig;
use crate::sim_core::engine::{Compiled, Engine, EngineConfig, find_engine};
use crate::sim_core::network::{
    AllToAll, ConstantCurrent, Network, Neuron, Population, Projection, SpikeList, Stimulus,
};
use crate::sim_core::recording::Recording;
use crate::sim_core::time::{Grid, Time};
use crate::sim_core::units::{Milliseconds, Quantity, Values, find_unit};
use std::sync::Arc;

/// Name of the recorded neuron's population.
pub(super) const CELL: &str = "cell";

/// A step of NEST's that is not on our grid of femtoseconds, or none at all, is no step.
pub(super) fn checked_step(case: &Fields<'_>, name: &str) -> Result<f64, RecordingError> {
    let step = case.or(name, 0.1)?;
    above_zero(step, &case.at(name))?;
    Ok(step)
}

/// Refuses what is no time above zero.
pub(super) fn above_zero(milliseconds: f64, path: &str) -> Result<(), RecordingError> {
    if Time::from_milliseconds(milliseconds).is_some_and(|time| time > Time::ZERO) {
        return Ok(());
    }
    Err(RecordingError::Wrong {
        path: path.to_string(),
        found: milliseconds.to_string(),
        expected: "a time above zero in ms",
    })
}

/// A population whose neurons spike at these times together; equal times are spikes of several.
pub(super) fn add_source(network: &mut Network, name: &str, times: &[f64]) {
    let mut neurons = Vec::with_capacity(times.len());
    for (index, time) in times.iter().enumerate() {
        neurons.push(times[..index].iter().filter(|earlier| *earlier == time).count() as u32);
    }
    let size = neurons.iter().max().map_or(1, |most| most + 1);
    network.add_population(name, Population::new(size, Neuron::spike_source()));
    let times = match find_unit("ms") {
        Some(unit) => Values::Each { values: times.to_vec(), unit },
        None => return,
    };
    let list = SpikeList { population: name.into(), neurons, times };
    network.add_stimulus(name, Stimulus::SpikeList(list));
}

/// Synapses from a source to the recorded neuron.
pub(super) fn synapses(
    name: &str,
    receptor: Option<&str>,
    weight: Quantity,
    delay: f64,
) -> Projection {
    let projection = Projection::new(name, CELL, AllToAll { autapses: true })
        .weight(weight)
        .delay(Milliseconds(delay));
    match receptor {
        Some(receptor) => projection.receptor(receptor),
        None => projection,
    }
}

/// A constant current in (start, stop].
pub(super) fn add_current(
    network: &mut Network,
    name: &str,
    amplitude: f64,
    start: f64,
    stop: Option<f64>,
) {
    let current = ConstantCurrent {
        population: CELL.into(),
        amplitude: quantity(amplitude, "pA").into(),
        start: Milliseconds(start).into(),
        stop: stop.map(|stop| Milliseconds(stop).into()),
    };
    network.add_stimulus(name, Stimulus::ConstantCurrent(current));
}

/// Starts an engine on a network.
pub(super) fn start(network: &Network, engine: &str) -> Result<Box<dyn Engine>, RecordingError> {
    let valid = network.validate().map_err(RecordingError::Invalid)?;
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED)?);
    let Some(entry) = find_engine(engine) else {
        return Err(RecordingError::NotCovered(format!("there is no engine `{engine}`")));
    };
    Ok((entry.start)(compiled, EngineConfig::default())?)
}

/// Runs an engine up to the first grid point at or behind `until`.
pub(super) fn run_until(
    engine: &mut dyn Engine,
    dt: f64,
    until: f64,
) -> Result<(), RecordingError> {
    let steps = (until / dt - 1e-6).ceil().max(0.0);
    let grid = Time::from_milliseconds(dt).and_then(Grid::new).unwrap_or(Grid::MILLISECOND);
    let end = grid.time_of(steps as u64);
    if end > engine.now() {
        engine.run(end - engine.now(), &mut |_| true)?;
    }
    Ok(())
}

/// The spikes of a recording [ms].
pub(super) fn spike_times(recording: &Recording) -> Vec<f64> {
    recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect()
}

/// Times of inputs and synapses between grid points are NEST's mistake or ours: named either way.
pub(super) fn on_grid(times: &[f64], dt: f64, path: &str) -> Result<(), RecordingError> {
    let off = |time: &&f64| ((**time / dt).round() * dt - **time).abs() > 1e-6;
    match times.iter().find(off) {
        None => Ok(()),
        Some(time) => Err(RecordingError::NotCovered(format!(
            "`{path}` holds {time} ms, which does not lie on the grid of {dt} ms; only models with \
             precise spike times take it"
        ))),
    }
}
