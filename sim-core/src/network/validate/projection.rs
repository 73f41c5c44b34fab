//! Projections: ends known, sizes fit the rule, weights finite and of the receptor's unit, delays on
//! the grid.

use super::plasticity;
use super::{Context, ValidDelays, ValidPopulation, ValidProjection, ValidWeights, Validated};
use crate::connectivity::{Connectivity, Ends, Listed};
use crate::diagnostics::Findings;
use crate::distribution::Law;
use crate::network::Projection;
use crate::neuron::{Column, Combine, known_names};
use crate::random::{Purpose, Stream, named_seed};
use crate::units::{Dimension, Values};
use std::sync::Arc;

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
        let receptor = receptor(context, &path, projection, &populations[target]);
        let ends = ends(&populations[source], &populations[target], source == target);
        let mut findings = Findings::new(&mut context.problems, format!("{path}/connectivity"));
        let rule = projection.connectivity.behaviour();
        rule.check(&ends, &mut findings);
        let fits = !findings.any();
        let seed = named_seed(context.network.seed, &path);
        // Without a receptor the unit of the weights is not known; delays are looked at all the same.
        let weights = receptor.and_then(|receptor| {
            let unit = populations[target].model.spec().receptors[receptor].weight;
            weights(context, &path, projection, &ends, unit, seed)
        });
        let delays = delays(context, &path, projection, &ends);
        let (true, Some(receptor), Some(weights), Some(delays)) = (fits, receptor, weights, delays)
        else {
            continue;
        };
        let connectivity = projection.connectivity.clone();
        let receptor_spec = &populations[target].model.spec().receptors[receptor];
        let analogue = populations[source].model;
        let learns = projection.short_term.is_some()
            || projection.plasticity.is_some()
            || projection.homeostasis.is_some();
        if analogue.sends_values() && (learns || receptor_spec.combine != Combine::Sum) {
            let name = analogue.spec().name;
            context.problems.error(
                "no-spikes",
                format!("{path}/source"),
                format!("`{name}` sends numbers in every step and no spikes"),
                "synapse rules and receptors that compare counts need spikes: put neurons that \
                 spike between, or leave the rule out",
            );
        }
        let rules = plasticity::validate(
            context,
            populations,
            &path,
            projection,
            receptor_spec,
            (&weights, &delays),
        );
        let checked = ValidProjection {
            source,
            target,
            receptor,
            connectivity,
            ends,
            seed,
            weights,
            delays,
            rules,
        };
        valid.insert(name.clone(), checked);
    }
    valid
}

/// What a projection connects.
fn ends(source: &ValidPopulation, target: &ValidPopulation, recurrent: bool) -> Ends {
    let positions = source.positions.clone().zip(target.positions.clone());
    Ends { sources: source.size(), targets: target.size(), recurrent, positions }
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
            Some(name) if !known.is_empty() => known_names(target.model, name, &known),
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

/// The law of weights or delays; a function of distance needs positions.
fn law(
    context: &mut Context<'_>,
    path: &str,
    values: &Values,
    dimension: Dimension,
    ends: &Ends,
) -> Option<Arc<dyn Law>> {
    let law = context.law(path, values, dimension)?;
    let of_distance = |values: &Values| match values {
        Values::Drawn(distribution) => distribution.entry().of_distance,
        _ => false,
    };
    if of_distance(values) && ends.positions.is_none() {
        context.problems.error(
            "no-positions",
            path,
            "a function of distance needs to know where the neurons lie",
            "give source and target `positions`, for example \
             { grid = { shape = [20, 20], extent = [1.0, 1.0] } }",
        );
        return None;
    }
    Some(law)
}

fn weights(
    context: &mut Context<'_>,
    path: &str,
    projection: &Projection,
    ends: &Ends,
    unit: Dimension,
    seed: u64,
) -> Option<ValidWeights> {
    let path = format!("{path}/weight");
    let listed = projection.connectivity.behaviour().listed_weights(ends);
    if let Values::Drawn(_) = projection.weight {
        let law = law(context, &path, &projection.weight, unit, ends)?;
        let Connectivity::Convolution(geometry) = &projection.connectivity else {
            return Some(ValidWeights::Drawn(law));
        };
        // The kernel is shared: it is drawn once.
        let mut stream = Stream::new(seed, Purpose::Weight, 0, 0);
        let kernel = (0..geometry.weight_count()).map(|_| law.draw(&mut stream, 0.0));
        return Some(ValidWeights::Listed(Column::Each(kernel.collect())));
    }
    let column = context.column(&path, &projection.weight, unit)?;
    let each = matches!(column, Column::Each(_));
    let (fits, help) = match listed {
        Listed::Must(..) => (each, "give weight = { values = [...] } with the matrix or kernel"),
        Listed::No => {
            (!each, "give one weight for all or a distribution, or use the rule `dense` or `list`")
        }
        Listed::May(..) => (true, ""),
    };
    if !fits {
        let rule = projection.connectivity.name();
        let message = format!("the rule `{rule}` does not take weights in this form");
        context.problems.error("wrong-count", path, message, help);
        return None;
    }
    if let Listed::May(count, of_what) | Listed::Must(count, of_what) = listed
        && !context.count(&path, &column, count, of_what)
    {
        return None;
    }
    Some(ValidWeights::Listed(column))
}

fn delays(
    context: &mut Context<'_>,
    path: &str,
    projection: &Projection,
    ends: &Ends,
) -> Option<ValidDelays> {
    let path = format!("{path}/delay");
    if let Values::Drawn(_) = projection.delay {
        if let Connectivity::Convolution(_) = projection.connectivity {
            let help = "give one delay for all";
            let message = "the synapses of a convolution share their delay";
            context.problems.error("wrong-count", &path, message, help);
            return None;
        }
        return law(context, &path, &projection.delay, Dimension::Time, ends)
            .map(ValidDelays::Drawn);
    }
    let column = context.column(&path, &projection.delay, Dimension::Time)?;
    if let Column::Each(delays) = &column {
        let rule = projection.connectivity.behaviour();
        let (Listed::May(count, of_what) | Listed::Must(count, of_what)) = rule.listed_delays(ends)
        else {
            let name = projection.connectivity.name();
            context.problems.error(
                "wrong-count",
                &path,
                format!("{} delays, but `{name}` takes one for all", delays.len()),
                "give one delay or a distribution, or use the rule `list`",
            );
            return None;
        };
        if !context.count(&path, &column, count, of_what) {
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
    Some(ValidDelays::Listed(steps))
}
