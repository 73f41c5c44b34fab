//! Populations: model known, rules stated, parameters of the right kind and in range.

use super::{Context, ValidPopulation, Validated};
use crate::diagnostics::{Findings, known_names};
use crate::network::positions::ValidPositions;
use crate::network::{
    Network, Neuron, Population, RefractoryInput, Reset, SpikeCondition, Stimulus,
};
use crate::neuron::{
    Column, LoweredNeurons, LoweredReset, ModelSpec, NeuronModel, find_model, model_names,
};
use crate::random::named_seed;
use std::sync::Arc;

/// More neurons than this in one network have no 32-bit index.
const MOST_NEURONS: u64 = u32::MAX as u64;

pub(super) fn validate(context: &mut Context<'_>) -> Validated<ValidPopulation> {
    let mut valid = Validated::new();
    let mut first = 0_u64;
    for (name, population) in &context.network.populations {
        let path = format!("populations/{name}");
        let size = population.size.size();
        if size == 0 || first.saturating_add(size) > MOST_NEURONS {
            context.problems.error(
                "wrong-size",
                format!("{path}/size"),
                format!("the population has {size} neurons, {first} stand before it"),
                format!("a population has at least one neuron, a network at most {MOST_NEURONS}"),
            );
            continue;
        }
        let Some(model) = find_model(&population.neuron.model) else {
            let names = model_names();
            context.problems.error(
                "unknown-model",
                format!("{path}/model"),
                format!("`{}` is not a known model", population.neuron.model),
                known_names(&population.neuron.model, &names),
            );
            continue;
        };
        // Only models that come in several sizes ask who names what.
        let model = match model.for_names(&[]) {
            Some(smallest) => {
                let names = used_names(context.network, name, population);
                model.for_names(&names).unwrap_or(smallest)
            }
            None => model,
        };
        let spec = model.spec();
        let neuron = &population.neuron;
        let rules = rules(context, &path, spec, neuron, size);
        let parameters = parameters(context, &path, model, neuron, size);
        let initial = initial(context, &path, model, neuron, size);
        let neurons = LoweredNeurons {
            size: size as usize,
            grid: context.grid,
            parameters,
            initial,
            spike: rules.0,
            reset: rules.1,
            refractory_input: rules.2,
        };
        // What is no potential contradicts nothing.
        let comparable = rules.3;
        for (parameter, message) in model.check(&neurons).into_iter().filter(|_| comparable) {
            context.problems.error(
                "parameters-contradict",
                format!("{path}/parameters/{parameter}"),
                message,
                "change one of the two",
            );
        }
        let shape = population.size;
        let positions = positions(context, &path, population, size as u32);
        let checked = ValidPopulation { first: first as u32, shape, positions, model, neurons };
        valid.insert(name.clone(), checked);
        first += size;
    }
    valid
}

/// All names of parameters, receptors and variables of a population that its network mentions.
fn used_names<'n>(network: &'n Network, name: &str, population: &'n Population) -> Vec<&'n str> {
    let neuron = &population.neuron;
    let own = neuron.parameters.keys().chain(neuron.initial.keys()).map(String::as_str);
    let projections = network.projections.values().filter(|projection| projection.target == name);
    let projections = projections.filter_map(|projection| projection.receptor.as_deref());
    let stimuli = network.stimuli.values().filter_map(|stimulus| match stimulus {
        Stimulus::PoissonDrive(drive) if drive.population == name => drive.receptor.as_deref(),
        _ => None,
    });
    let probes = network.probes.values().filter(|p| p.population.as_deref() == Some(name));
    let probes = probes.map(|probe| probe.variable.as_str());
    own.chain(projections).chain(stimuli).chain(probes).collect()
}

/// Where the neurons lie.
fn positions(
    context: &mut Context<'_>,
    path: &str,
    population: &Population,
    size: u32,
) -> Option<Arc<ValidPositions>> {
    let path = format!("{path}/positions");
    let seed = named_seed(context.network.seed, &path);
    let mut findings = Findings::new(&mut context.problems, path);
    let positions = population.positions.as_ref()?.lower(size, seed, &mut findings);
    positions.map(Arc::new)
}

/// Spike condition, reset and refractory rule, each stated where the model needs it; and whether the
/// reset is what the model takes.
fn rules(
    context: &mut Context<'_>,
    path: &str,
    spec: &ModelSpec,
    neuron: &Neuron,
    size: u64,
) -> (SpikeCondition, LoweredReset, RefractoryInput, bool) {
    let mut missing = |rule: &str, allowed: &str| {
        context.problems.error(
            "rule-not-stated",
            format!("{path}/{rule}"),
            format!("`{}` needs the rule `{rule}`: tools differ in it", spec.name),
            format!("state it: {allowed}"),
        );
    };
    if spec.spikes && neuron.spike.is_none() {
        missing("spike", "spike = \"at_or_above\" or spike = \"above\"");
    }
    if spec.spikes && neuron.reset.is_none() {
        let subtract = if spec.subtracting_reset { " or reset = \"subtract\"" } else { "" };
        missing("reset", &format!("reset = {{ to = \"-65 mV\" }}{subtract}"));
    }
    if !spec.refractory_input.is_empty() && neuron.refractory_input.is_none() {
        let rules = refractory_names(spec).replace(" or ", " or refractory_input = ");
        let only = if spec.refractory_input.len() == 1 { ", all that this model has" } else { "" };
        missing("refractory_input", &format!("refractory_input = {rules}{only}"));
    }
    let refractory_input = neuron.refractory_input.unwrap_or(RefractoryInput::Lost);
    if neuron.refractory_input.is_some_and(|rule| !spec.refractory_input.contains(&rule)) {
        context.problems.error(
            "rule-not-offered",
            format!("{path}/refractory_input"),
            format!("`{}` does not offer this rule", spec.name),
            match spec.refractory_input.is_empty() {
                true => "the model has no refractory time: remove the rule".to_string(),
                false => format!("it offers {}", refractory_names(spec)),
            },
        );
    }
    let reset = lower_reset(context, path, spec, neuron, size);
    let spike = neuron.spike.unwrap_or(SpikeCondition::AtOrAbove);
    let is_potential = reset.is_some();
    (spike, reset.unwrap_or(LoweredReset::Subtract), refractory_input, is_potential)
}

fn refractory_names(spec: &ModelSpec) -> String {
    let name = |rule: &RefractoryInput| match rule {
        RefractoryInput::Lost => "\"lost\"",
        RefractoryInput::Integrated => "\"integrated\"",
    };
    spec.refractory_input.iter().map(name).collect::<Vec<_>>().join(" or ")
}

fn lower_reset(
    context: &mut Context<'_>,
    path: &str,
    spec: &ModelSpec,
    neuron: &Neuron,
    size: u64,
) -> Option<LoweredReset> {
    match &neuron.reset {
        Some(Reset::To(values)) => {
            let dimension = spec.variables.first().map(|variable| variable.dimension);
            let expected = dimension.unwrap_or(values.dimension());
            let column = context.drawn(&format!("{path}/reset"), values, expected, size);
            column.map(LoweredReset::To)
        }
        Some(Reset::Subtract) => {
            if !spec.subtracting_reset {
                context.problems.error(
                    "rule-not-offered",
                    format!("{path}/reset"),
                    format!("`{}` cannot reset by subtraction", spec.name),
                    "state a value: reset = { to = \"-65 mV\" }",
                );
            }
            Some(LoweredReset::Subtract)
        }
        None => Some(LoweredReset::Subtract),
    }
}

fn parameters(
    context: &mut Context<'_>,
    path: &str,
    model: &dyn NeuronModel,
    neuron: &Neuron,
    size: u64,
) -> Vec<Column> {
    let spec = model.spec();
    let names: Vec<&str> = spec.parameters.iter().map(|parameter| parameter.name).collect();
    let (keys, kind) = (neuron.parameters.keys(), ("parameters", "parameter"));
    report_unknown(context, path, kind, (model, &names), keys);
    let mut columns = Vec::with_capacity(spec.parameters.len());
    for parameter in spec.parameters {
        let default = Column::One(parameter.default);
        let Some(values) = neuron.parameters.get(parameter.name) else {
            columns.push(default);
            continue;
        };
        let path = format!("{path}/parameters/{}", parameter.name);
        let column = context.drawn(&path, values, parameter.dimension, size);
        if let Some(column) = &column {
            let outside = column.numbers().iter().find(|&&n| !parameter.range.contains(n));
            if let Some(value) = outside {
                context.problems.error(
                    "out-of-range",
                    &path,
                    format!("{} = {value} {}", parameter.symbol, parameter.dimension.base_unit()),
                    format!(
                        "{} ({}) must be {}",
                        parameter.name,
                        parameter.meaning,
                        parameter.range.describe()
                    ),
                );
            }
        }
        columns.push(column.unwrap_or(default));
    }
    columns
}

fn initial(
    context: &mut Context<'_>,
    path: &str,
    model: &dyn NeuronModel,
    neuron: &Neuron,
    size: u64,
) -> Vec<Option<Column>> {
    let spec = model.spec();
    let names: Vec<&str> = spec.variables.iter().map(|variable| variable.name).collect();
    let (keys, kind) = (neuron.initial.keys(), ("initial", "state variable"));
    report_unknown(context, path, kind, (model, &names), keys);
    let mut columns = Vec::with_capacity(spec.variables.len());
    for variable in spec.variables {
        let given = neuron.initial.get(variable.name).and_then(|values| {
            let path = format!("{path}/initial/{}", variable.name);
            context.drawn(&path, values, variable.dimension, size)
        });
        columns.push(given.or(variable.initial.map(Column::One)));
    }
    columns
}

fn report_unknown<'a>(
    context: &mut Context<'_>,
    path: &str,
    (key, what): (&str, &str),
    (model, known): (&dyn NeuronModel, &[&str]),
    given: impl Iterator<Item = &'a String>,
) {
    for name in given.filter(|name| !known.contains(&name.as_str())) {
        context.problems.error(
            "unknown-parameter",
            format!("{path}/{key}/{name}"),
            format!("the model has no {what} `{name}`"),
            match known.is_empty() {
                true => "it has none".to_string(),
                false => crate::neuron::known_names(model, name, known),
            },
        );
    }
}
