//! Spike times between grid points, at each of NEST's resolutions, against the event-driven engine.

use super::compare::Comparison;
use super::fields::{Fields, RecordingError};
use super::neuron::{add_currents, add_inputs};
use super::setup::{CELL, run_until, spike_times, start};
use super::translation::{Integration, LARGEST_NO_BOUND, find_translation};
use crate::sim_core::network::{Network, Neuron, Population, Probe};
use crate::sim_core::units::Milliseconds;

/// Spike times of two exact methods [ms].
const PRECISE_MS: f64 = 1e-9;

/// The grid of delays here; spike times know none.
const DT_MS: f64 = 0.001;

/// Runs and compares.
pub(super) fn compare(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    let name = case.text("model")?;
    let translation = find_translation(name)
        .filter(|translation| translation.integration == Integration::Precise)
        .ok_or_else(|| {
            RecordingError::NotCovered(format!("`{name}` has no counterpart with precise spikes"))
        })?;
    let params = case.inner("params")?;
    let mut resolutions = resolutions(case)?;
    // The finest first: where NEST misses a spike at a coarse one, it is NEST's own.
    resolutions.sort_by(|a, b| a.0.total_cmp(&b.0));
    let inputs = last_input(case)?;
    let spikes = resolutions.iter().flat_map(|(_, spikes)| spikes.iter().copied());
    let mut until = spikes.fold(inputs, f64::max);
    let stated = ["duration_ms", "sim_ms", "T_ms"];
    for length in stated {
        until = case.optional(length)?.unwrap_or(until);
    }
    case.pass("dt_ms");
    let delay = case.or("delay_ms", 1.0)?;
    let mut comparison = Comparison::default();
    let mut known: Vec<(Neuron, Vec<f64>)> = Vec::new();
    for (index, (resolution, recorded)) in resolutions.iter().enumerate() {
        // NEST's refractory time ends as far behind a grid point as the spike lay.
        let neuron = translation.neuron(&params, Some(*resolution), true)?;
        if !known.iter().any(|(other, _)| *other == neuron) {
            let mut network = Network::new(name, Milliseconds(DT_MS));
            network.add_population(CELL, Population::new(1, neuron.clone()));
            add_inputs(&mut network, case, translation, None, delay)?;
            add_currents(&mut network, case, &params, (Some(*resolution), delay))?;
            let bound = params.optional("V_min")?.filter(|bound| *bound > LARGEST_NO_BOUND);
            if index == 0 {
                params.all_read()?;
                case.all_read()?;
            }
            known.push((neuron.clone(), spikes_of(network, bound, until)?));
        }
        let same = known.iter().position(|(other, _)| *other == neuron).unwrap_or_default();
        let finest = &resolutions[0].1;
        let ours = &known[same].1;
        let differs = match same {
            0 => spikes_differ(recorded, finest),
            _ => spikes_differ(recorded, ours),
        };
        if index > 0 && differs {
            comparison.note(format!(
                "NEST's own spikes at {resolution} ms differ from those at its finest resolution"
            ));
        } else {
            comparison.spikes(ours, recorded, PRECISE_MS, DT_MS);
        }
    }
    if let Some(bound) = params.optional("V_min")?.filter(|bound| *bound > LARGEST_NO_BOUND) {
        comparison.note(format!("`V_min` = {bound} mV is never reached"));
    }
    if !stated.iter().any(|length| case.has(length)) {
        comparison.note(format!("compared up to {until} ms, the last recorded event"));
    }
    comparison.finished()
}

/// Our spikes up to `until` (ms) of a neuron whose potential does not reach its lower bound.
fn spikes_of(
    mut network: Network,
    bound: Option<f64>,
    until: f64,
) -> Result<Vec<f64>, RecordingError> {
    network.add_probe("spikes", Probe::spikes(CELL));
    if bound.is_some() {
        network.add_probe("potential", Probe::variable(CELL, "membrane_potential"));
    }
    let mut engine = start(&network, "event")?;
    run_until(engine.as_mut(), DT_MS, until)?;
    let samples = engine.recording().traces.iter().flat_map(|trace| &trace.values);
    let lowest = samples.fold(f64::INFINITY, |lowest: f64, value| lowest.min(*value));
    if let Some(bound) = bound.filter(|bound| lowest < *bound) {
        return Err(RecordingError::NotCovered(format!(
            "`params/V_min` = {bound}, and the potential would fall to {lowest:.3} mV: NEST's precise \
             models lift it to the bound only at the ends of those steps in which no spike arrives and \
             no refractory time ends, so that their spikes depend on the resolution and on when other \
             spikes arrive; without a grid there are no such ends"
        )));
    }
    let mut ours = spike_times(engine.recording());
    ours.retain(|time| *time <= until + PRECISE_MS);
    Ok(ours)
}

/// Whether two lists of spikes differ.
fn spikes_differ(first: &[f64], second: &[f64]) -> bool {
    first.len() != second.len() || first.iter().zip(second).any(|(a, b)| (a - b).abs() > PRECISE_MS)
}

/// The resolution [ms] and the spikes of each run.
fn resolutions(case: &Fields<'_>) -> Result<Vec<(f64, Vec<f64>)>, RecordingError> {
    let runs = case.inner("spikes_by_dt")?;
    let mut found = Vec::new();
    for name in runs.names() {
        let resolution = name.parse().map_err(|_| RecordingError::Wrong {
            path: runs.at(name),
            found: format!("named `{name}`"),
            expected: "named by a resolution in ms",
        })?;
        found.push((resolution, runs.numbers(name)?));
    }
    Ok(found)
}

/// The last spike of an input [ms]: NEST ran at least until then.
fn last_input(case: &Fields<'_>) -> Result<f64, RecordingError> {
    let mut last: f64 = 0.0;
    for name in case.names().into_iter().filter(|name| name.starts_with("input")) {
        if case.has(name) {
            last = case.inner(name)?.numbers("times")?.into_iter().fold(last, f64::max);
        }
    }
    Ok(last)
}
