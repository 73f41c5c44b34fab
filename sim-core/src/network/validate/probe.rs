//! Probes: what they name is known, and their intervals are on the grid.

use super::{Context, ValidPopulation, ValidProjection, Validated};
use crate::diagnostics::known_names;
use crate::network::Probe;
use crate::network::probe::WEIGHTS;
use crate::neuron::Column;
use crate::units::Dimension;

/// A checked probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidProbe {
    /// Index of the population.
    pub population: usize,
    /// Index of the state variable; `None` records spikes.
    pub variable: Option<usize>,
    /// Distance of samples in steps.
    pub interval: u64,
}

/// A checked probe of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidWeightProbe {
    /// Index of the projection, whose synapses change.
    pub projection: usize,
    /// Distance of samples in steps.
    pub interval: u64,
}

/// Probes of populations, and probes of weights.
type Probes = (Validated<ValidProbe>, Validated<ValidWeightProbe>);

pub(super) fn validate(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
    projections: &Validated<ValidProjection>,
) -> Probes {
    let (mut of_neurons, mut of_weights) = (Validated::new(), Validated::new());
    for (name, probe) in &context.network.probes {
        let path = format!("probes/{name}");
        match (&probe.population, &probe.projection) {
            (Some(population), None) => {
                let valid = of_population(context, populations, &path, probe, population);
                of_neurons.extend(valid.map(|valid| (name.clone(), valid)));
            }
            (None, Some(projection)) => {
                let valid = of_projection(context, projections, &path, probe, projection);
                of_weights.extend(valid.map(|valid| (name.clone(), valid)));
            }
            (population, _) => context.problems.error(
                "wrong-probe",
                path,
                match population {
                    None => "this probe names neither a population nor a projection",
                    Some(_) => "this probe names a population and a projection",
                },
                "give `population` with `spikes` or a state variable, or `projection` with \
                 `weights`",
            ),
        }
    }
    (of_neurons, of_weights)
}

fn of_population(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
    path: &str,
    probe: &Probe,
    population: &str,
) -> Option<ValidProbe> {
    let index = context.population(populations, format!("{path}/population"), population)?;
    let spec = populations[index].model.spec();
    let interval = interval(context, path, probe);
    let variable = spec.variables.iter().position(|v| v.name == probe.variable);
    if variable.is_none() && probe.variable != "spikes" {
        let mut known = vec!["spikes"];
        known.extend(spec.variables.iter().map(|variable| variable.name));
        let help = match probe.variable.as_str() {
            WEIGHTS => {
                "weights are those of a projection: give `projection`, not `population`".into()
            }
            other => crate::neuron::known_names(populations[index].model, other, &known),
        };
        context.problems.error(
            "unknown-variable",
            format!("{path}/variable"),
            format!("`{}` has no variable `{}`", spec.name, probe.variable),
            help,
        );
        return None;
    }
    Some(ValidProbe { population: index, variable, interval: interval? })
}

fn of_projection(
    context: &mut Context<'_>,
    projections: &Validated<ValidProjection>,
    path: &str,
    probe: &Probe,
    projection: &str,
) -> Option<ValidWeightProbe> {
    let Some((index, _, valid)) = projections.get_full(projection) else {
        // A projection that is described but broken has its own problem already.
        if !context.network.projections.contains_key(projection) {
            let known: Vec<&str> = context.network.projections.keys().map(String::as_str).collect();
            context.problems.error(
                "unknown-projection",
                format!("{path}/projection"),
                format!("there is no projection `{projection}`"),
                known_names(projection, &known),
            );
        }
        return None;
    };
    if probe.variable != WEIGHTS {
        context.problems.error(
            "unknown-variable",
            format!("{path}/variable"),
            format!("a projection has no variable `{}`", probe.variable),
            "its `weights` can be recorded; state variables are those of a population",
        );
        return None;
    }
    if valid.rules.is_empty() {
        // A rule that is described but broken has its own problem already.
        let described = context.network.projections.get(projection).is_some_and(|described| {
            [&described.short_term, &described.plasticity, &described.homeostasis]
                .iter()
                .any(|rule| rule.is_some())
        });
        if described {
            return None;
        }
        context.problems.error(
            "static-weights",
            format!("{path}/projection"),
            format!("the weights of `{projection}` do not change"),
            "record those of a projection with a synapse rule",
        );
        return None;
    }
    let interval = interval(context, path, probe)?;
    Some(ValidWeightProbe { projection: index, interval })
}

/// The distance of samples in steps.
fn interval(context: &mut Context<'_>, path: &str, probe: &Probe) -> Option<u64> {
    let Some(interval) = probe.interval else {
        return Some(1);
    };
    let path = format!("{path}/interval");
    let column = context.column(&path, &interval.into(), Dimension::Time);
    column.and_then(|c: Column| context.steps(&path, c.get(0))).map(|steps| steps.max(1))
}
