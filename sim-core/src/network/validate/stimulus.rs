//! Stimuli and probes: population known and of the right kind, numbers in range.

use super::{Context, ValidPopulation, ValidProbe, ValidStimulus, Validated};
use crate::diagnostics::known_names;
use crate::network::Stimulus;
use crate::neuron::Column;
use crate::time::Time;
use crate::units::Dimension;

/// The model whose spikes come from stimuli.
const SOURCE_MODEL: &str = "spike_source";

pub(super) fn validate(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
) -> Validated<ValidStimulus> {
    let mut valid = Validated::new();
    for (name, stimulus) in &context.network.stimuli {
        let path = format!("stimuli/{name}");
        let Some(index) =
            context.population(populations, format!("{path}/population"), stimulus.population())
        else {
            continue;
        };
        let population = &populations[index];
        let checked = match stimulus {
            Stimulus::SpikeList { neurons, times, .. } => is_source(context, &path, population)
                .then(|| spike_list(context, &path, index, population, neurons, times))
                .flatten(),
            Stimulus::Poisson { rate, .. } => is_source(context, &path, population)
                .then(|| poisson(context, &path, index, population, rate))
                .flatten(),
            Stimulus::ConstantCurrent { amplitude, start, stop, .. } => {
                let span = [Some(*start), *stop];
                current(context, &path, index, population, amplitude, span)
            }
        };
        if let Some(checked) = checked {
            valid.insert(name.clone(), checked);
        }
    }
    valid
}

fn is_source(context: &mut Context<'_>, path: &str, population: &ValidPopulation) -> bool {
    let model = population.model.spec().name;
    if model != SOURCE_MODEL {
        context.problems.error(
            "wrong-stimulus",
            format!("{path}/population"),
            format!("spikes cannot be given to neurons of the model `{model}`"),
            format!("give them to a population of `{SOURCE_MODEL}` and project from there"),
        );
    }
    model == SOURCE_MODEL
}

fn spike_list(
    context: &mut Context<'_>,
    path: &str,
    index: usize,
    population: &ValidPopulation,
    neurons: &[u32],
    times: &crate::units::Values,
) -> Option<ValidStimulus> {
    let path = format!("{path}/times");
    let column = context.column(&path, times, Dimension::Time)?;
    if !context.count(&path, &column, neurons.len() as u64, "spikes") {
        return None;
    }
    if let Some(neuron) = neurons.iter().find(|&&neuron| neuron >= population.size()) {
        context.problems.error(
            "unknown-neuron",
            path.replace("/times", "/neurons"),
            format!("there is no neuron {neuron} in {} neurons", population.size()),
            "neurons are counted from 0 within their population",
        );
        return None;
    }
    let mut spikes = Vec::with_capacity(neurons.len());
    for (at, &neuron) in neurons.iter().enumerate() {
        match Time::from_milliseconds(column.get(at)).filter(|&time| time > Time::ZERO) {
            Some(time) => spikes.push((time, neuron)),
            None => {
                context.problems.error(
                    "out-of-range",
                    &path,
                    format!("spike {at} has the time {} ms", column.get(at)),
                    "spike times lie above zero and below 2.5 hours",
                );
                return None;
            }
        }
    }
    spikes.sort_unstable();
    let before = spikes.len();
    spikes.dedup();
    if spikes.len() < before {
        context.problems.error(
            "repeated-spike",
            &path,
            format!("{} spikes repeat the neuron and time of another", before - spikes.len()),
            "a neuron spikes at most once at a time: remove the repetitions",
        );
        return None;
    }
    Some(ValidStimulus::SpikeList { population: index, spikes })
}

fn poisson(
    context: &mut Context<'_>,
    path: &str,
    index: usize,
    population: &ValidPopulation,
    rate: &crate::units::Values,
) -> Option<ValidStimulus> {
    let path = format!("{path}/rate");
    let column = context.column(&path, rate, Dimension::Rate)?;
    if !context.count(&path, &column, u64::from(population.size()), "neurons") {
        return None;
    }
    let dt = context.grid.dt();
    let probability = column.map(|rate| rate * dt);
    if let Some(wrong) = probability.numbers().iter().find(|p| !(0.0..=1.0).contains(*p)) {
        context.problems.error(
            "out-of-range",
            &path,
            format!("rate · dt is {wrong}"),
            format!("rates lie from 0 to 1/dt = {} Hz", 1000.0 / dt),
        );
        return None;
    }
    Some(ValidStimulus::Poisson { population: index, probability })
}

fn current(
    context: &mut Context<'_>,
    path: &str,
    index: usize,
    population: &ValidPopulation,
    amplitude: &crate::units::Values,
    span: [Option<crate::units::Quantity>; 2],
) -> Option<ValidStimulus> {
    let spec = population.model.spec();
    let Some(dimension) = spec.current else {
        context.problems.error(
            "wrong-stimulus",
            format!("{path}/population"),
            format!("`{}` takes no current", spec.name),
            "drive a population of another model",
        );
        return None;
    };
    let amplitude_path = format!("{path}/amplitude");
    let amplitude = context.column(&amplitude_path, amplitude, dimension)?;
    if !context.count(&amplitude_path, &amplitude, u64::from(population.size()), "neurons") {
        return None;
    }
    let mut steps = [0, u64::MAX];
    for (slot, (name, time)) in steps.iter_mut().zip(["start", "stop"].into_iter().zip(span)) {
        let Some(time) = time else { continue };
        let path = format!("{path}/{name}");
        let column = context.column(&path, &time.into(), Dimension::Time)?;
        *slot = context.steps(&path, column.get(0))?;
    }
    let [start_step, stop_step] = steps;
    if stop_step <= start_step {
        context.problems.error(
            "out-of-range",
            format!("{path}/stop"),
            format!("the current stops after step {stop_step} but starts after step {start_step}"),
            "give a stop that is later than the start, or none",
        );
        return None;
    }
    Some(ValidStimulus::ConstantCurrent { population: index, amplitude, start_step, stop_step })
}

pub(super) fn validate_probes(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
) -> Validated<ValidProbe> {
    let mut valid = Validated::new();
    for (name, probe) in &context.network.probes {
        let path = format!("probes/{name}");
        let Some(index) =
            context.population(populations, format!("{path}/population"), &probe.population)
        else {
            continue;
        };
        let spec = populations[index].model.spec();
        let variable = spec.variables.iter().position(|v| v.name == probe.variable);
        if variable.is_none() && probe.variable != "spikes" {
            let mut known = vec!["spikes"];
            known.extend(spec.variables.iter().map(|variable| variable.name));
            context.problems.error(
                "unknown-variable",
                format!("{path}/variable"),
                format!("`{}` has no variable `{}`", spec.name, probe.variable),
                known_names(&probe.variable, &known),
            );
            continue;
        }
        let interval = match probe.interval {
            None => Some(1),
            Some(interval) => {
                let path = format!("{path}/interval");
                let column = context.column(&path, &interval.into(), Dimension::Time);
                column.and_then(|c: Column| context.steps(&path, c.get(0))).map(|n| n.max(1))
            }
        };
        if let Some(interval) = interval {
            valid.insert(name.clone(), ValidProbe { population: index, variable, interval });
        }
    }
    valid
}
