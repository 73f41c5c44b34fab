//! A neuron on the grid: its variables in every sample, and its spikes.

use super::compare::{Comparison, Variable, of_size};
use super::fields::{Fields, RecordingError};
use super::setup::{
    CELL, add_current, add_source, checked_step, on_grid, run_until, spike_times, start, synapses,
};
use super::translation::{Integration, Translation, find_translation};
use crate::sim_core::network::{Network, Population, Probe};
use crate::sim_core::units::Milliseconds;

/// Membrane potentials of exactly integrated models [mV], and the size of others [relative]: recorded
/// to ten decimals, respectively twelve digits.
pub(super) const EXACT: f64 = 1e-9;

/// Half of the last of twelve digits [relative]: what recorded potentials beyond 1 V are off by.
const LAST_DIGIT: f64 = 5e-12;

/// Everything of a recording but the neuron.
pub(super) struct Run<'a> {
    pub(super) dt: f64,
    /// Time between samples [ms].
    pub(super) interval: f64,
    /// Recorded variables: NEST's name, ours, unit, samples.
    pub(super) variables: Vec<(&'a str, &'static str, &'static str, Vec<f64>)>,
    pub(super) spikes: Vec<f64>,
    /// Up to where both are compared [ms].
    until: f64,
}

/// Runs and compares.
pub(super) fn compare(case: &Fields<'_>) -> Result<Comparison, RecordingError> {
    let name = case.text("model")?;
    let translation = find_translation(name).ok_or_else(|| {
        RecordingError::NotCovered(format!("the model `{name}` has no counterpart here"))
    })?;
    let dt = checked_step(case, "dt_ms")?;
    let params = case.inner("params")?;
    let neuron = translation.neuron(&params, Some(dt), true)?;
    let mut network = Network::new(name, Milliseconds(dt));
    network.add_population(CELL, Population::new(1, neuron.clone()));
    let delay = case.or("delay_ms", 1.0)?;
    add_inputs(&mut network, case, translation, Some(dt), delay)?;
    add_currents(&mut network, case, &params, (Some(dt), delay))?;
    let run = read_run(case, translation, dt)?;
    params.all_read()?;
    case.all_read()?;
    match translation.integration {
        Integration::Solved { nest_error_mv, nest_tolerance } => {
            let tolerance = case.inner("params")?.or("gsl_error_tol", nest_tolerance)?;
            super::solved::compare(network, &neuron, &run, (nest_error_mv, tolerance))
        }
        _ => {
            let mut comparison = Comparison::default();
            compare_exactly(&mut comparison, &run, &simulate(&network, &run)?, "");
            comparison.finished()
        }
    }
}

/// All variables in all samples, and the spikes in the same steps; `how` it was computed, for people.
pub(super) fn compare_exactly(
    comparison: &mut Comparison,
    run: &Run<'_>,
    (traces, spikes): &(Vec<Vec<f64>>, Vec<f64>),
    how: &str,
) {
    for ((nest, _, unit, recorded), trace) in run.variables.iter().zip(traces) {
        let tolerance = tolerance_of(unit, recorded);
        let variable = Variable { name: &format!("{nest}{how}"), unit, tolerance };
        let at = |index: usize| (index + 1) as f64 * run.interval;
        comparison.values(&variable, trace, recorded, at);
    }
    comparison.spikes(spikes, &run.spikes, 1e-6 * run.dt, run.dt);
}

/// What a variable of an exact solution may be off by.
pub(super) fn tolerance_of(unit: &str, recorded: &[f64]) -> f64 {
    match unit {
        "mV" => EXACT.max(of_size(recorded, LAST_DIGIT)),
        _ => of_size(recorded, EXACT),
    }
}

/// All inputs: every `input…` with times and weights.
pub(super) fn add_inputs(
    network: &mut Network,
    case: &Fields<'_>,
    translation: &Translation,
    dt: Option<f64>,
    delay: f64,
) -> Result<(), RecordingError> {
    for name in case.names().into_iter().filter(|name| name.starts_with("input")) {
        if !case.has(name) {
            case.pass(name);
            continue;
        }
        let input = case.inner(name)?;
        let times = input.numbers("times")?;
        let single = if input.has("weights") { "weights" } else { "weight" };
        let weights = input.each(single, times.len())?;
        let own_delay = if input.has("delay_ms") { "delay_ms" } else { "delay" };
        let delay = input.or(own_delay, delay)?;
        input.all_read()?;
        if let Some(dt) = dt {
            on_grid(&times, dt, &input.at("times"))?;
            on_grid(&[delay], dt, "delay_ms")?;
        }
        let mut distinct = weights.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        for (number, weight) in distinct.into_iter().enumerate() {
            let own = times.iter().zip(&weights).filter(|(_, other)| **other == weight);
            let own: Vec<f64> = own.map(|(time, _)| *time).collect();
            let name = format!("{name} {number}");
            let (receptor, amount) = translation.receptor(weight);
            add_source(network, &name, &own);
            network.add_projection(&name, synapses(&name, receptor, amount, delay));
        }
    }
    Ok(())
}

/// The current of the neuron itself and of generators.
pub(super) fn add_currents(
    network: &mut Network,
    case: &Fields<'_>,
    params: &Fields<'_>,
    (dt, delay): (Option<f64>, f64),
) -> Result<(), RecordingError> {
    let (own, beside) = (params.optional("I_e")?, case.optional("I_e")?);
    if let (Some(own), Some(beside)) = (own, beside)
        && own != beside
    {
        return Err(RecordingError::NotCovered(format!(
            "`I_e` is {beside}, but `params/I_e` is {own}: one of them is not the run's"
        )));
    }
    let current = own.or(beside).unwrap_or(0.0);
    if current != 0.0 {
        add_current(network, "I_e", current, 0.0, None);
    }
    for name in case.names().into_iter().filter(|name| name.starts_with("dc")) {
        if !case.has(name) {
            case.pass(name);
            continue;
        }
        let generator = case.inner(name)?;
        let amplitude = generator.number("amplitude")?;
        let start = generator.or("start", 0.0)?;
        let stop = generator.optional("stop")?.filter(|stop| stop.is_finite() && *stop < 1e9);
        let delay = generator.or("delay_ms", delay)?;
        generator.pass("origin");
        generator.all_read()?;
        // What a generator would send before the first step is never sent.
        let start = dt.map_or(start, |dt| start.max(dt));
        if stop.is_none_or(|stop| stop > start) && amplitude != 0.0 {
            let stop = stop.map(|stop| stop + delay);
            add_current(network, name, amplitude, start + delay, stop);
        }
    }
    Ok(())
}

/// What was recorded, and until when.
fn read_run<'a>(
    case: &Fields<'a>,
    translation: &'static Translation,
    dt: f64,
) -> Result<Run<'a>, RecordingError> {
    // NEST's first sample lies one interval behind the beginning.
    let interval = match case.optional("sample_every_ms")? {
        Some(interval) => interval,
        None => case.or("t0_ms", dt)?,
    };
    super::setup::above_zero(interval, "t0_ms")?;
    on_grid(&[interval], dt, "t0_ms")?;
    if (case.or("t0_ms", interval)? - interval).abs() > 1e-9 {
        let message = "`t0_ms` is not the time between samples: samples from later on";
        return Err(RecordingError::NotCovered(message.to_string()));
    }
    let mut variables = Vec::new();
    for &(nest, ours, unit) in translation.variables.iter().filter(|named| case.has(named.0)) {
        let samples = case.numbers(nest)?;
        if let Some(count) = case.optional("n_samples")? {
            case.same_length(nest, samples.len(), "n_samples", count as usize)?;
        }
        variables.push((nest, ours, unit, samples));
    }
    case.pass("n_samples");
    let spikes = if case.has("spikes") { case.numbers("spikes")? } else { Vec::new() };
    let sampled = variables.iter().map(|(.., samples)| samples.len()).max().unwrap_or(0);
    let mut until = spikes.iter().fold(sampled as f64 * interval, |most, time| most.max(*time));
    for length in ["duration_ms", "sim_ms", "T_ms"] {
        until = until.max(case.or(length, 0.0)?);
    }
    Ok(Run { dt, interval, variables, spikes, until })
}

/// One trace a recorded variable, and the spikes.
pub(super) fn simulate(
    network: &Network,
    run: &Run<'_>,
) -> Result<(Vec<Vec<f64>>, Vec<f64>), RecordingError> {
    let mut network = network.clone();
    network.add_probe("spikes", Probe::spikes(CELL));
    for (_, ours, ..) in &run.variables {
        let mut probe = Probe::variable(CELL, *ours);
        probe.interval = Some(Milliseconds(run.interval).into());
        network.add_probe(*ours, probe);
    }
    let mut engine = start(&network, "clock")?;
    run_until(engine.as_mut(), run.dt, run.until)?;
    let recording = engine.recording();
    let traces = recording.traces.iter().zip(&run.variables).map(|(trace, (.., recorded))| {
        let mut values = trace.values.clone();
        values.truncate(recorded.len());
        values
    });
    let spikes = spike_times(recording);
    let within = spikes.into_iter().filter(|time| *time <= run.until + 1e-6 * run.dt).collect();
    Ok((traces.collect(), within))
}
