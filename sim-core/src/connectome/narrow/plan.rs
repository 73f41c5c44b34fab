//! Which populations can run in the narrow form, on what scale, and which projections are joined.

use super::scale::{quantise, unit};
use super::{Blocks, NarrowPopulation};
use crate::connectivity::Connectivity;
use crate::distribution::Law;
use crate::network::{ValidNetwork, ValidProjection, ValidStimulus, ValidWeights};
use crate::neuron::{Column, Combine};
use crate::random::{Purpose, Stream};

/// What will be built.
#[derive(Debug)]
pub struct Plan {
    pub(super) blocks: Blocks,
    pub(super) populations: Vec<Option<NarrowPopulation>>,
    pub(super) bundles: Vec<PlannedBundle>,
}

impl Plan {
    /// Whether a projection (by index) gets the narrow form.
    pub fn has(&self, projection: usize) -> bool {
        let mut members = self.bundles.iter().flat_map(|bundle| &bundle.members);
        members.any(|member| member.projection == projection)
    }

    /// The projections (by index) of each bundle.
    pub fn members(&self) -> impl Iterator<Item = Vec<usize>> + '_ {
        let of = |bundle: &PlannedBundle| bundle.members.iter().map(|m| m.projection).collect();
        self.bundles.iter().map(of)
    }

    /// The scale of a population (by index) that gets the narrow form.
    pub fn narrow(&self, population: usize) -> Option<&NarrowPopulation> {
        self.populations.get(population).and_then(Option::as_ref)
    }

    /// Number of blocks.
    pub fn block_count(&self) -> usize {
        self.blocks.count()
    }
}

/// A bundle to be built.
#[derive(Debug)]
pub(super) struct PlannedBundle {
    pub(super) source: usize,
    pub(super) receptor: usize,
    pub(super) weight: Option<i16>,
    pub(super) members: Vec<Member>,
}

/// A projection of a bundle.
#[derive(Debug)]
pub(super) struct Member {
    /// Index of the projection.
    pub(super) projection: usize,
    target: usize,
    /// What a unit of its integer weights is worth.
    pub(super) unit: f64,
}

/// Plans the narrow form with at least `blocks` blocks; none where no population can have it.
pub fn plan(network: &ValidNetwork, blocks: usize) -> Option<Plan> {
    let populations: Vec<Option<NarrowPopulation>> =
        (0..network.populations().len()).map(|index| population(network, index)).collect();
    if populations.iter().all(Option::is_none) {
        return None;
    }
    let size = |(index, narrow): (usize, &Option<NarrowPopulation>)| {
        let driven = narrow.as_ref().is_some_and(|narrow| narrow.driven);
        if driven { network.populations()[index].size() } else { 0 }
    };
    let sizes: Vec<u32> = populations.iter().enumerate().map(size).collect();
    let blocks = Blocks::new(&sizes, blocks)?;
    let mut bundles: Vec<PlannedBundle> = Vec::new();
    for (index, projection) in network.projections().values().enumerate() {
        let Some(target) = &populations[projection.target] else {
            continue;
        };
        let unit = target.units[projection.receptor];
        let weight = single(projection).map(|weight| quantise(weight, unit));
        let member = Member { projection: index, target: projection.target, unit };
        // Two projections onto the same targets stay apart, so that each can be told by its targets.
        let fits = |bundle: &&mut PlannedBundle| {
            bundle.source == projection.source
                && bundle.receptor == projection.receptor
                && bundle.weight == weight
                && bundle.members.iter().all(|other| other.target != projection.target)
        };
        match bundles.iter_mut().find(fits) {
            Some(bundle) => bundle.members.push(member),
            None => bundles.push(PlannedBundle {
                source: projection.source,
                receptor: projection.receptor,
                weight,
                members: vec![member],
            }),
        }
    }
    Some(Plan { blocks, populations, bundles })
}

/// The scale of a population, if all that it is and all that reaches it has a narrow form.
fn population(network: &ValidNetwork, index: usize) -> Option<NarrowPopulation> {
    let population = &network.populations()[index];
    let spec = population.model.spec();
    let summed = spec.receptors.iter().all(|receptor| receptor.combine == Combine::Sum);
    if !summed || !population.model.is_narrow(&population.neurons) {
        return None;
    }
    let reaching = || network.projections().values().filter(|p| p.target == index);
    let fits = |projection: &ValidProjection| {
        let source = network.populations()[projection.source].model;
        let spikes_plainly = !source.spec().graded && !source.sends_values();
        has_rows(projection) && spikes_plainly && projection.rules.is_empty()
    };
    if !reaching().all(fits) {
        return None;
    }
    let units = (0..spec.receptors.len()).map(|receptor| {
        let (mut singles, mut largest) = (Vec::new(), 0.0_f64);
        for projection in reaching().filter(|projection| projection.receptor == receptor) {
            match single(projection) {
                Some(weight) => singles.push(weight),
                None => largest = largest.max(largest_weight(projection)),
            }
        }
        singles.extend(inputs(network, index, receptor).map(|(weight, _)| weight));
        unit(&singles, largest)
    });
    let driven = reaching().next().is_some()
        || (0..spec.receptors.len())
            .any(|receptor| inputs(network, index, receptor).next().is_some());
    Some(NarrowPopulation { units: units.collect(), driven })
}

/// Weight and largest mean of the random inputs of a population's receptor.
fn inputs(
    network: &ValidNetwork,
    index: usize,
    receptor: usize,
) -> impl Iterator<Item = (f64, f64)> {
    network.stimuli().values().filter_map(move |stimulus| match stimulus {
        ValidStimulus::Drive { population, drive }
            if *population == index && drive.receptor() == receptor =>
        {
            let largest =
                |most: f64, weight: &f64| if weight.abs() > most.abs() { *weight } else { most };
            Some((drive.weight().numbers().iter().fold(0.0, largest), drive.largest_mean()))
        }
        _ => None,
    })
}

/// By receptor: more than the random inputs of any population add to a sum in a step, in units.
///
/// A count beyond mean + 12 √mean + 60 has a probability below 1e-30.
pub(super) fn largest_inputs(
    network: &ValidNetwork,
    populations: &[Option<NarrowPopulation>],
) -> Vec<u64> {
    let mut largest = Vec::new();
    for (index, narrow) in populations.iter().enumerate() {
        for (receptor, unit) in narrow.iter().flat_map(|narrow| narrow.units.iter().enumerate()) {
            let most = |(weight, mean): (f64, f64)| {
                (weight / unit).abs() * (mean + 12.0 * mean.sqrt() + 60.0)
            };
            let sum: f64 = inputs(network, index, receptor).map(most).sum();
            if largest.len() <= receptor {
                largest.resize(receptor + 1, 0);
            }
            largest[receptor] = largest[receptor].max(sum.ceil() as u64);
        }
    }
    largest
}

/// Rules that give rows of single synapses.
fn has_rows(projection: &ValidProjection) -> bool {
    !matches!(
        projection.connectivity,
        Connectivity::Dense(_) | Connectivity::Convolution(_) | Connectivity::AllToAll(_)
    )
}

/// The weight of all synapses, where it is one.
pub(super) fn single(projection: &ValidProjection) -> Option<f64> {
    match projection.weights.listed()? {
        Column::One(weight) => Some(*weight),
        Column::Each(_) => None,
    }
}

/// A bound of the weights' magnitude.
pub(super) fn largest_weight(projection: &ValidProjection) -> f64 {
    match &projection.weights {
        ValidWeights::Listed(column) => {
            column.numbers().iter().fold(0.0, |most, weight| most.max(weight.abs()))
        }
        ValidWeights::Drawn(law) => largest_drawn(&**law),
    }
}

/// Draws that tell how far an unbounded distribution reaches.
const TRIALS: u32 = 4096;

/// Standard deviations from the mean that have a 16-bit weight of their own; what lies beyond (two in
/// 10^12 of a normal distribution) is stored as the largest weight.
const REACH: f64 = 7.0;

/// A bound of what a distribution draws: its own, or what [`REACH`] and the trials reach.
fn largest_drawn(law: &dyn Law) -> f64 {
    let mut stream = Stream::new(0, Purpose::Weight, 0, 0);
    let trials: Vec<f64> = (0..TRIALS).map(|_| law.draw(&mut stream, 0.0)).collect();
    let mean = trials.iter().sum::<f64>() / f64::from(TRIALS);
    let variance = trials.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / f64::from(TRIALS);
    let most = trials.iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
    let reach = (mean.abs() + REACH * variance.sqrt()).max(1.5 * most);
    let (low, high) = law.range();
    reach.min(low.abs().max(high.abs()))
}
