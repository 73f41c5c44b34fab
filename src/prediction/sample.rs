//! A part of a network that is run to be timed: some neurons of each population, each with as many synapses
//! as it has in the whole, so that a neuron and a spike cost what they cost there.
//!
//! Rows of synapses are drawn as they will be; the neurons at their other ends are moved to the part's in
//! proportion. A part with fewer neurons therefore has several synapses between some of them, and spikes
//! about as often as the whole.

use super::LONGEST_ROW;
use crate::sim_core::connectivity::End;
use crate::sim_core::connectome::{Draw, Row};
use crate::sim_core::network::{
    List, Network, Population, Projection, Reset, Shape, Stimulus, ValidNetwork, ValidProjection,
};
use crate::sim_core::neuron::Column;
use crate::sim_core::units::{Dimension, Quantity, Values, find_unit};

/// How large a part may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Neurons.
    pub(super) neurons: f64,
    /// Synapses.
    pub(super) synapses: f64,
}

/// The share of a network that a part of this size is.
pub(super) fn share(neurons: u64, synapses: u64, limits: Limits) -> f64 {
    let of = |limit: f64, all: u64| limit / (all.max(1) as f64);
    of(limits.neurons, neurons).min(of(limits.synapses, synapses)).min(1.0)
}

/// So many neurons of a population are in the part.
fn taken(size: u32, share: f64) -> u32 {
    ((f64::from(size) * share).round() as u32).clamp(1, size.max(1))
}

/// The part of a network that is this share of it; `description` and `valid` say the same.
pub(super) fn part(description: &Network, valid: &ValidNetwork, share: f64) -> Network {
    let mut part = description.clone();
    for (name, population) in &mut part.populations {
        let size = valid.populations().get(name).map_or(1, |population| population.size());
        shrink(population, taken(size, share));
    }
    for (name, projection) in &mut part.projections {
        if let Some(projection_of_all) = valid.projections().get(name) {
            take_synapses(projection, valid, projection_of_all, share);
        }
    }
    let sizes: Vec<u32> = valid.populations().values().map(|p| taken(p.size(), share)).collect();
    for stimulus in part.stimuli.values_mut() {
        let size = |name: &str| {
            let index = valid.populations().get_index_of(name);
            index.and_then(|index| sizes.get(index)).copied().unwrap_or(1)
        };
        shorten_stimulus(stimulus, size);
    }
    part
}

fn shrink(population: &mut Population, size: u32) {
    population.size = Shape::List(size);
    population.positions = None;
    let neuron = &mut population.neuron;
    let lists = neuron.parameters.values_mut().chain(neuron.initial.values_mut());
    lists.for_each(|values| shorten(values, size));
    if let Some(Reset::To(values)) = &mut neuron.reset {
        shorten(values, size);
    }
}

/// The first of listed values.
fn shorten(values: &mut Values, size: u32) {
    if let Values::Each { values, .. } = values {
        values.truncate(size as usize);
    }
}

/// What is given neuron by neuron, for the first neurons.
fn shorten_stimulus(stimulus: &mut Stimulus, size: impl Fn(&str) -> u32) {
    match stimulus {
        Stimulus::SpikeList(list) => {
            let size = size(&list.population);
            let kept: Vec<bool> = list.neurons.iter().map(|&neuron| neuron < size).collect();
            if let Values::Each { values, .. } = &mut list.times {
                let mut kept = kept.iter();
                values.retain(|_| kept.next().copied().unwrap_or(false));
            }
            list.neurons.retain(|&neuron| neuron < size);
        }
        Stimulus::Poisson(one) => shorten(&mut one.rate, size(&one.population)),
        Stimulus::PoissonDrive(one) => {
            let size = size(&one.population);
            [&mut one.rate, &mut one.weight].into_iter().for_each(|values| shorten(values, size));
        }
        Stimulus::GammaTrain(one) => shorten(&mut one.rate, size(&one.population)),
        Stimulus::RegularTrain(one) => {
            let size = size(&one.population);
            shorten(&mut one.interval, size);
            one.phase.iter_mut().for_each(|values| shorten(values, size));
        }
        Stimulus::ConstantCurrent(one) => shorten(&mut one.amplitude, size(&one.population)),
        Stimulus::AlternatingCurrent(one) => {
            let size = size(&one.population);
            shorten(&mut one.amplitude, size);
            one.offset.iter_mut().for_each(|values| shorten(values, size));
        }
        Stimulus::NoiseCurrent(one) => {
            let size = size(&one.population);
            [&mut one.mean, &mut one.std].into_iter().for_each(|values| shorten(values, size));
        }
        Stimulus::StepCurrent(_) | Stimulus::SpikeFile(_) => {}
    }
}

/// Lists the synapses of the part.
fn take_synapses(
    projection: &mut Projection,
    valid: &ValidNetwork,
    whole: &ValidProjection,
    share: f64,
) {
    let draw = Draw::new(valid, whole);
    let (sources, targets) = (whole.ends.sources, whole.ends.targets);
    let (own, others) = match draw.end() {
        End::Source => (sources, targets),
        End::Target => (targets, sources),
    };
    let (rows, columns) = (taken(own, share), taken(others, share));
    let of = |index: u32, from: u32, to: u32| {
        (u64::from(index) * u64::from(to) / u64::from(from.max(1))) as u32
    };
    let mut list = List { sources: Vec::new(), targets: Vec::new() };
    let (mut weights, mut delays, mut drawn) = (Vec::new(), Vec::new(), Row::default());
    let expected = whole.connectivity.behaviour().expected_synapses(&whole.ends);
    let rows = if expected / u64::from(own.max(1)) > LONGEST_ROW { 0 } else { rows };
    for row in 0..rows {
        draw.row(of(row, rows, own), &mut drawn);
        for (partner, (weight, delay)) in
            drawn.partners.iter().zip(drawn.weights.iter().zip(&drawn.delays))
        {
            let other = of(partner.neuron, others, columns);
            let (source, target) = match draw.end() {
                End::Source => (row, other),
                End::Target => (other, row),
            };
            list.sources.push(source);
            list.targets.push(target);
            weights.push(*weight);
            delays.push(f64::from(*delay) * valid.grid().dt());
        }
    }
    projection.connectivity = list.into();
    let unit = valid.populations()[whole.target].model.spec().receptors[whole.receptor].weight;
    projection.weight = match whole.weights.listed() {
        Some(Column::One(weight)) => in_unit(vec![*weight], unit, true),
        _ => in_unit(weights, unit, false),
    };
    projection.delay = match whole.delays.one() {
        Some(steps) => in_unit(vec![f64::from(steps) * valid.grid().dt()], Dimension::Time, true),
        None => in_unit(delays, Dimension::Time, false),
    };
}

/// Numbers in the base unit of a dimension.
fn in_unit(values: Vec<f64>, dimension: Dimension, one: bool) -> Values {
    let unit = find_unit(dimension.base_unit()).unwrap_or(Quantity::number(0.0).unit);
    match values.first() {
        Some(&value) if one => Quantity { value, unit }.into(),
        _ => Values::Each { values, unit },
    }
}
