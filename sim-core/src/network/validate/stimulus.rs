//! Stimuli and probes: population known and of the right kind, numbers in range.

use super::{Context, ValidPopulation, ValidProbe, ValidStimulus, Validated};
use crate::diagnostics::known_names;
use crate::neuron::Column;
use crate::stimulus::Target;
use crate::units::Dimension;

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
        let mut target = Target { context: &mut *context, path, index, population };
        if let Some(checked) = stimulus.behaviour().lower(&mut target) {
            valid.insert(name.clone(), checked);
        }
    }
    valid
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
