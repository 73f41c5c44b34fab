//! Projections: ends known, sizes fit the rule, weights finite and of the receptor's unit, delays on
//! the grid.

use super::{Context, ValidPopulation, ValidProjection, Validated};
use crate::diagnostics::known_names;
use crate::network::{Connectivity, Projection};
use crate::neuron::Column;
use crate::units::Dimension;

pub(super) fn validate(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
) -> Validated<ValidProjection> {
    let mut valid = Validated::new();
    for (name, projection) in &context.network.projections {
        let path = format!("projections/{name}");
        let source = context.population(populations, format!("{path}/source"), &projection.source);
        let target = context.population(populations, format!("{path}/target"), &projection.target);
        let (Some(source), Some(target)) = (source, target) else {
            continue;
        };
        let Some(receptor) = receptor(context, &path, projection, &populations[target]) else {
            continue;
        };
        let sizes = (populations[source].size(), populations[target].size());
        let fits = connectivity(context, &path, projection, source == target, sizes);
        let weight = &populations[target].model.spec().receptors[receptor].weight;
        let weights = context.column(&format!("{path}/weight"), &projection.weight, *weight);
        let weights = weights.filter(|weights| {
            let (count, of_what) = weight_count(&projection.connectivity, sizes);
            let path = format!("{path}/weight");
            needs_each(context, &path, projection, weights)
                && context.count(&path, weights, count, of_what)
        });
        let delays = delays(context, &path, projection);
        let (true, Some(weights), Some(delays)) = (fits, weights, delays) else {
            continue;
        };
        let connectivity = projection.connectivity.clone();
        valid.insert(
            name.clone(),
            ValidProjection { source, target, receptor, connectivity, weights, delays },
        );
    }
    valid
}

fn receptor(
    context: &mut Context<'_>,
    path: &str,
    projection: &Projection,
    target: &ValidPopulation,
) -> Option<usize> {
    let spec = target.model.spec();
    let index = spec.receptor_index(projection.receptor.as_deref());
    if index.is_none() {
        let known: Vec<&str> = spec.receptors.iter().map(|receptor| receptor.name).collect();
        let help = match &projection.receptor {
            Some(name) if !known.is_empty() => known_names(name, &known),
            _ => format!("`{}` takes no synaptic input: choose another target", spec.name),
        };
        context.problems.error(
            "unknown-receptor",
            format!("{path}/receptor"),
            format!("`{}` has no such receptor", spec.name),
            help,
        );
    }
    index
}

/// How many weights `Each` must give, and of what.
fn weight_count(connectivity: &Connectivity, sizes: (u32, u32)) -> (u64, &'static str) {
    let pairs = u64::from(sizes.0) * u64::from(sizes.1);
    match connectivity {
        Connectivity::OneToOne => (u64::from(sizes.0), "pairs"),
        Connectivity::Dense => (pairs, "pairs [target, source]"),
        Connectivity::Convolution(geometry) => (geometry.weight_count(), "kernel weights"),
        Connectivity::List { sources, .. } => (sources.len() as u64, "synapses"),
        // One weight for all; `needs_each` refuses more.
        Connectivity::AllToAll { .. } | Connectivity::FixedProbability { .. } => (1, "synapses"),
    }
}

/// Whether the rule takes the kind of weights given: one for all or one each.
fn needs_each(
    context: &mut Context<'_>,
    path: &str,
    projection: &Projection,
    weights: &Column,
) -> bool {
    let each = matches!(weights, Column::Each(_));
    let (fits, help) = match projection.connectivity {
        Connectivity::Dense | Connectivity::Convolution(_) => {
            (each, "give weight = { values = [...] } with the matrix or kernel")
        }
        Connectivity::AllToAll { .. } | Connectivity::FixedProbability { .. } => {
            (!each, "give one weight for all, or use the rule `dense` or `list`")
        }
        Connectivity::OneToOne | Connectivity::List { .. } => (true, ""),
    };
    if !fits {
        let rule = projection.connectivity.name();
        let message = format!("the rule `{rule}` does not take weights in this form");
        context.problems.error("wrong-count", path, message, help);
    }
    fits
}

fn connectivity(
    context: &mut Context<'_>,
    path: &str,
    projection: &Projection,
    recurrent: bool,
    sizes: (u32, u32),
) -> bool {
    let path = format!("{path}/connectivity");
    let before = context.problems.0.len();
    let mut wrong = |code: &'static str, message: String, help: &str| {
        context.problems.error(code, &path, message, help);
    };
    match &projection.connectivity {
        Connectivity::OneToOne if sizes.0 != sizes.1 => wrong(
            "sizes-differ",
            format!("one_to_one from {} to {} neurons", sizes.0, sizes.1),
            "source and target must have the same size",
        ),
        Connectivity::FixedProbability { probability, .. }
            if !(0.0..=1.0).contains(probability) =>
        {
            wrong(
                "out-of-range",
                format!("probability {probability}"),
                "give a number from 0 to 1",
            );
        }
        Connectivity::AllToAll { autapses: false }
        | Connectivity::FixedProbability { autapses: false, .. }
            if !recurrent =>
        {
            wrong(
                "no-autapses",
                "autapses are switched off between two different populations".to_string(),
                "remove the switch: only a population connected to itself has autapses",
            );
        }
        Connectivity::Convolution(geometry) => {
            if let Err(error) = geometry.check() {
                wrong("wrong-convolution", error.to_string(), "correct the geometry");
            }
            for (side, extents, size) in
                [("source", geometry.source, sizes.0), ("target", geometry.target, sizes.1)]
            {
                let [c, h, w] = extents;
                if super::Shape::Picture(extents).size() != u64::from(size) {
                    wrong(
                        "sizes-differ",
                        format!("{side} is {c}×{h}×{w} but the population has {size} neurons"),
                        "make the population's size and the geometry agree",
                    );
                }
            }
        }
        Connectivity::List { sources, targets } => {
            if sources.len() != targets.len() {
                wrong(
                    "wrong-count",
                    format!("{} sources but {} targets", sources.len(), targets.len()),
                    "both lists need one entry a synapse",
                );
            }
            for (side, list, size) in [("source", sources, sizes.0), ("target", targets, sizes.1)] {
                if let Some(at) = list.iter().position(|&neuron| neuron >= size) {
                    wrong(
                        "unknown-neuron",
                        format!("synapse {at} has {side} {}, the population has {size}", list[at]),
                        "neurons are counted from 0 within their population",
                    );
                }
            }
        }
        _ => {}
    }
    context.problems.0.len() == before
}

fn delays(context: &mut Context<'_>, path: &str, projection: &Projection) -> Option<Vec<u32>> {
    let path = format!("{path}/delay");
    let column = context.column(&path, &projection.delay, Dimension::Time)?;
    if let Column::Each(delays) = &column {
        let synapses = match &projection.connectivity {
            Connectivity::List { sources, .. } => sources.len() as u64,
            other => {
                context.problems.error(
                    "wrong-count",
                    &path,
                    format!("{} delays, but `{}` takes one for all", delays.len(), other.name()),
                    "give one delay, or use the rule `list`",
                );
                return None;
            }
        };
        if !context.count(&path, &column, synapses, "synapses") {
            return None;
        }
    }
    let mut steps = Vec::with_capacity(column.numbers().len());
    for &delay in column.numbers() {
        let count = context.steps(&path, delay)?;
        if count == 0 || count > u64::from(u16::MAX) {
            context.problems.error(
                "delay-out-of-range",
                &path,
                format!("a delay of {delay} ms is {count} steps"),
                format!("a delay has 1 to {} steps; a smaller dt allows shorter ones", u16::MAX),
            );
            return None;
        }
        steps.push(count as u32);
    }
    Some(steps)
}
