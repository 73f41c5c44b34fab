//! Synapse rules: known, of the right kind, parameters complete and in range.

use super::{Context, ValidDelays, ValidPopulation, ValidWeights, Validated};
use crate::connectivity::Connectivity;
use crate::diagnostics::known_names;
use crate::network::{Plasticity, Projection};
use crate::neuron::{Column, Combine, ReceptorSpec};
use crate::synapse::{Pairing, RULES, RuleKind, RuleSpec, SynapseRule, Unit, find_rule};
use crate::units::Dimension;

/// A checked synapse rule.
#[derive(Clone)]
pub struct ValidPlasticity {
    /// The rule.
    pub rule: &'static dyn SynapseRule,
    /// One number a parameter, in base units.
    pub parameters: Vec<f64>,
    /// Which spikes form pairs.
    pub pairing: Pairing,
    /// The dendritic part of the delay in steps; `None`: the whole delay.
    pub dendritic_steps: Option<u32>,
    /// Index of the population that modulates it.
    pub modulator: Option<usize>,
}

impl std::fmt::Debug for ValidPlasticity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.rule.spec().name, self.parameters)
    }
}

/// The rules of a projection, at most one of each kind, in the order of the kinds.
pub(super) fn validate(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
    path: &str,
    projection: &Projection,
    receptor: &ReceptorSpec,
    synapses: (&ValidWeights, &ValidDelays),
) -> Vec<ValidPlasticity> {
    let given = [
        (RuleKind::ShortTerm, &projection.short_term),
        (RuleKind::LongTerm, &projection.plasticity),
        (RuleKind::Homeostasis, &projection.homeostasis),
    ];
    let mut valid = Vec::new();
    for (kind, plasticity) in given {
        let Some(plasticity) = plasticity else {
            continue;
        };
        let path = format!("{path}/{}", kind.key());
        let shared = matches!(projection.connectivity, Connectivity::Convolution(_));
        if shared || receptor.combine != Combine::Sum {
            context.problems.error(
                "no-plasticity",
                &path,
                "these synapses share their weights or do not add them",
                "synapse rules need synapses with weights of their own: use another rule of \
                 connectivity or another receptor",
            );
            continue;
        }
        let Some(rule) = known(context, &path, kind, &plasticity.rule) else {
            continue;
        };
        let spec = rule.spec();
        let parameters = parameters(context, &path, rule, plasticity, receptor.weight);
        let pairing = pairing(context, &path, spec, plasticity);
        let dendritic_steps = dendritic(context, &path, plasticity, synapses.1);
        let modulator = modulator(context, populations, &path, spec, plasticity);
        let (Some(parameters), Ok(dendritic_steps), Ok(modulator)) =
            (parameters, dendritic_steps, modulator)
        else {
            continue;
        };
        for (parameter, message) in rule.check(&parameters) {
            let path = format!("{path}/parameters/{parameter}");
            context.problems.error("out-of-range", path, message, "correct the parameter");
        }
        check_weights(context, &path, spec, &parameters, synapses.0);
        valid.push(ValidPlasticity { rule, parameters, pairing, dendritic_steps, modulator });
    }
    valid
}

fn known(
    context: &mut Context<'_>,
    path: &str,
    kind: RuleKind,
    name: &str,
) -> Option<&'static dyn SynapseRule> {
    let rule = find_rule(name);
    let fits = rule.filter(|rule| rule.spec().kind == kind);
    if fits.is_none() {
        let of_kind = RULES.iter().filter(|rule| rule.spec().kind == kind);
        let names: Vec<&str> = of_kind.map(|rule| rule.spec().name).collect();
        let (message, help) = match rule {
            Some(rule) => (
                format!("`{name}` is no rule of this kind"),
                format!("it stands under `{}`", rule.spec().kind.key()),
            ),
            None => (format!("`{name}` is not a known rule"), known_names(name, &names)),
        };
        context.problems.error("unknown-rule", format!("{path}/rule"), message, help);
    }
    fits
}

fn parameters(
    context: &mut Context<'_>,
    path: &str,
    rule: &dyn SynapseRule,
    given: &Plasticity,
    weight: Dimension,
) -> Option<Vec<f64>> {
    let spec = rule.spec();
    let names: Vec<&str> = spec.parameters.iter().map(|parameter| parameter.name).collect();
    let before = context.problems.0.len();
    for name in given.parameters.keys().filter(|name| !names.contains(&name.as_str())) {
        context.problems.error(
            "unknown-parameter",
            format!("{path}/parameters/{name}"),
            format!("the rule has no parameter `{name}`"),
            known_names(name, &names),
        );
    }
    let mut numbers = Vec::with_capacity(names.len());
    for parameter in spec.parameters {
        let place = format!("{path}/parameters/{}", parameter.name);
        let dimension = match parameter.unit {
            Unit::Of(dimension) => dimension,
            Unit::Weight => weight,
        };
        let number = match (
            given.parameters.get(parameter.name),
            rule.number_not_given(parameter, &numbers),
        ) {
            (Some(values), _) => match context.column(&place, values, dimension) {
                Some(Column::One(number)) => number,
                Some(Column::Each(_)) => {
                    let message = "a rule has one value of each parameter";
                    let help = "give one value; use several projections for several values";
                    context.problems.error("wrong-count", &place, message, help);
                    continue;
                }
                None => continue,
            },
            (None, Some(default)) => default,
            (None, None) => {
                let message = format!("`{}` must be given: {}", parameter.name, parameter.meaning);
                let help = format!("give a value in {}", dimension.base_unit());
                context.problems.error("missing-parameter", path, message, help);
                continue;
            }
        };
        if !parameter.range.contains(number) {
            let message = format!("`{}` is {number}", parameter.name);
            let help = format!("allowed is {}", parameter.range.describe());
            context.problems.error("out-of-range", &place, message, help);
        }
        numbers.push(number);
    }
    (context.problems.0.len() == before).then_some(numbers)
}

fn pairing(context: &mut Context<'_>, path: &str, spec: &RuleSpec, given: &Plasticity) -> Pairing {
    let Some(pairing) = given.pairing else {
        return Pairing::default();
    };
    if !spec.pairings.contains(&pairing) {
        let known: Vec<&str> = spec.pairings.iter().map(|pairing| pairing.name()).collect();
        context.problems.error(
            "wrong-pairing",
            format!("{path}/pairing"),
            format!("`{}` does not pair spikes as `{}`", spec.name, pairing.name()),
            match known.is_empty() {
                true => "it pairs none: remove this".to_string(),
                false => format!("it offers {}", known.join(", ")),
            },
        );
    }
    pairing
}

/// The dendritic delay in steps; `Err` where it is wrong.
fn dendritic(
    context: &mut Context<'_>,
    path: &str,
    given: &Plasticity,
    delays: &ValidDelays,
) -> Result<Option<u32>, ()> {
    let Some(quantity) = &given.dendritic_delay else {
        return Ok(None);
    };
    let path = format!("{path}/dendritic_delay");
    let values = (*quantity).into();
    let Some(Column::One(milliseconds)) = context.column(&path, &values, Dimension::Time) else {
        return Err(());
    };
    let steps = context.steps(&path, milliseconds).ok_or(())?;
    let (shortest, why) = match delays {
        ValidDelays::Listed(delays) => (
            delays.iter().copied().min().map_or(1, u64::from),
            "the shortest delay of the projection",
        ),
        ValidDelays::Drawn(_) => (1, "drawn delays may be a step long"),
    };
    if steps == 0 || steps > shortest {
        let [least, most] = [1, shortest].map(|steps| context.grid.time_of(steps));
        context.problems.error(
            "delay-out-of-range",
            &path,
            format!("a dendritic delay of {milliseconds} ms"),
            format!("allowed is {least} to {most}: {why}"),
        );
        return Err(());
    }
    Ok(Some(steps as u32))
}

/// The population that modulates the rule; `Err` where it is missing or unknown.
fn modulator(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
    path: &str,
    spec: &RuleSpec,
    given: &Plasticity,
) -> Result<Option<usize>, ()> {
    let place = format!("{path}/modulator");
    match &given.modulator {
        None if spec.modulated => {
            let message = format!("`{}` needs a population that modulates it", spec.name);
            context.problems.error("missing-modulator", path, message, "name it as `modulator`");
            Err(())
        }
        None => Ok(None),
        Some(_) if !spec.modulated => {
            let message = format!("`{}` is not modulated", spec.name);
            context.problems.error("not-modulated", place, message, "remove `modulator`");
            Err(())
        }
        Some(name) => {
            let found = context.population(populations, place.clone(), name).ok_or(())?;
            if populations[found].model.sends_values() {
                let message = format!("`{name}` sends numbers and no spikes");
                let help = "name a population that spikes as `modulator`";
                context.problems.error("no-spikes", place, message, help);
                return Err(());
            }
            Ok(Some(found))
        }
    }
}

/// Listed weights must be such as the rule can keep, and should not lie above its largest one.
fn check_weights(
    context: &mut Context<'_>,
    path: &str,
    spec: &RuleSpec,
    parameters: &[f64],
    weights: &ValidWeights,
) {
    let numbers = weights.listed().map_or(&[][..], Column::numbers);
    let largest = spec.parameters.iter().position(|parameter| parameter.name == "largest_weight");
    let largest = largest.map_or(f64::INFINITY, |index| parameters[index]);
    if let Some(above) = numbers.iter().find(|weight| weight.abs() > largest) {
        context.problems.warning(
            "weight-above-largest",
            format!("{path}/parameters/largest_weight"),
            format!("the projection has the weight {above}, above the largest of {largest}"),
            "the first change brings it to the largest: begin at or below that",
        );
    }
    if let Some(wrong) = numbers.iter().find(|weight| !spec.weights.contains(**weight)) {
        context.problems.error(
            "weight-out-of-range",
            path,
            format!("the projection has the weight {wrong}"),
            format!("`{}` allows {}", spec.name, spec.weights.describe()),
        );
    }
}
