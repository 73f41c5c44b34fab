//! How much memory a network will need, before anything is built.
//!
//! Everything is counted as the builders lay it out: what stays, and besides it what is held while
//! projections are built one after the other. What is drawn is expected; delays are looked at in some
//! rows (in all of them where there are few).

mod delays;

use super::compile::{
    CompileConfig, MOST_AT_ONCE, PLACED_BYTES, Precision, convolution, is_implicit,
};
use super::draw::DrawnSynapse;
use super::narrow::{CHUNK, Plan, ROWS_AT_ONCE, plan};
use crate::connectivity::{Connectivity, End};
use crate::engine::epoch_of;
use crate::network::{
    ValidDelays, ValidNetwork, ValidPlasticity, ValidPopulation, ValidProjection, ValidStimulus,
};
use crate::neuron::{Column, Inbox, LoweredNeurons};
use crate::synapse::RuleContext;
use crate::time::Time;
use delays::{Shares, expected, segments, shares};
use serde::Serialize;

/// Predicted size of a network in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Neurons, sources included.
    pub neurons: u64,
    /// Synapses; the expected number where they are drawn.
    pub synapses: u64,
    /// Bytes of the compiled connectome.
    pub connectome_bytes: u64,
    /// Bytes of what changes in an engine: neurons, inputs and currents, synapses that learn.
    pub state_bytes: u64,
    /// The most bytes in use at a time: the connectome, and the state or what building takes besides,
    /// whichever is more. The program and the description themselves are not counted.
    pub peak_bytes: u64,
}

/// What building needed is not all handed back to the system before the state is laid out: about half of it
/// was found to stay (`docs/design/memory_prediction.md`), and allocators hand larger pieces back at once.
const MOST_RETAINED: u64 = 1 << 25;

/// Neurons, or synapses, that are made to be measured, at the most; the padding of vector code weighs little then.
const MADE: usize = 1024;

/// Bytes of a drawn synapse.
const DRAWN_BYTES: u64 = size_of::<DrawnSynapse>() as u64;

/// Predicts the size of a network in double precision; see [`predict_for`].
pub fn predict(network: &ValidNetwork) -> Footprint {
    predict_for(network, CompileConfig::UNLIMITED)
}

/// Predicts the size of a network that is compiled like this, on the clock-driven engine.
///
/// For drawn connectivity the expectation is used; the true number lies within a few times its
/// square root of it.
pub fn predict_for(network: &ValidNetwork, config: CompileConfig) -> Footprint {
    predict_with(network, config, of_clock_neurons)
}

/// The same on the event-driven engine, which has no narrow form; of models that it does not run, nothing is
/// counted.
pub fn predict_event(network: &ValidNetwork, config: CompileConfig) -> Footprint {
    let config = CompileConfig { precision: Precision::Double, ..config };
    predict_with(network, config, |network, _, index| of_event_neurons(network, index))
}

/// The same, with what the neurons of a population (by index) take in an engine.
fn predict_with(
    network: &ValidNetwork,
    config: CompileConfig,
    of_neurons: impl Fn(&ValidNetwork, Option<&Plan>, usize) -> u64,
) -> Footprint {
    let plan = match config.precision {
        Precision::Double => None,
        Precision::Single => plan(network, config.blocks),
    };
    let plan = plan.as_ref();
    let state = (0..network.populations().len()).map(|index| of_neurons(network, plan, index));
    let mut footprint = Footprint {
        neurons: u64::from(network.neuron_count()),
        synapses: 0,
        connectome_bytes: 0,
        state_bytes: state.fold(0, u64::saturating_add),
        peak_bytes: 0,
    };
    let (mut peak, mut largest_scratch) = (0_u64, 0_u64);
    // As they are built: the narrow form first, then the other projections in their order.
    let bundles = plan.iter().flat_map(|plan| {
        let blocks = plan.block_count();
        plan.members().map(move |members| {
            let members = members.iter().filter_map(|&index| {
                network.projections().get_index(index).map(|(_, projection)| projection)
            });
            of_bundle(network, &members.collect::<Vec<_>>(), blocks)
        })
    });
    let wide = network.projections().values().enumerate();
    let wide = wide.filter(|(index, _)| !plan.is_some_and(|plan| plan.has(*index)));
    let wide = wide.map(|(_, projection)| of_projection(network, projection));
    for (synapses, kept, scratch) in bundles.chain(wide) {
        footprint.synapses = footprint.synapses.saturating_add(synapses);
        footprint.connectome_bytes = footprint.connectome_bytes.saturating_add(kept);
        peak = peak.max(footprint.connectome_bytes.saturating_add(scratch));
        largest_scratch = largest_scratch.max(scratch);
    }
    for projection in network.projections().values().filter(|p| !p.rules.is_empty()) {
        footprint.state_bytes =
            footprint.state_bytes.saturating_add(of_learning(network, projection));
    }
    let running = footprint.connectome_bytes.saturating_add(footprint.state_bytes);
    let retained = (largest_scratch / 2).min(MOST_RETAINED);
    footprint.peak_bytes = peak.max(running.saturating_add(retained));
    footprint
}

/// Some neurons of a population, which are made and measured, as models keep what they want to.
fn some(population: &ValidPopulation) -> LoweredNeurons {
    population.neurons.part(0..population.neurons.size.min(MADE))
}

/// Bytes of a population in the clock-driven engine, with its inputs and its current.
fn of_clock_neurons(network: &ValidNetwork, plan: Option<&Plan>, index: usize) -> u64 {
    let population = &network.populations()[index];
    let (neurons, receptors) = (some(population), population.model.spec().receptors.len() as u64);
    let (made, each) = match plan.and_then(|plan| plan.narrow(index)) {
        // Accumulators of four bytes.
        Some(narrow) => {
            let made = population.model.narrow(&neurons).map(|mut made| {
                if currents_differ(network, index) {
                    let differing: Vec<f64> = (0..neurons.size as u32).map(f64::from).collect();
                    made.set_current(&differing);
                }
                made.bytes()
            });
            (made, if narrow.driven { 4 * receptors } else { 0 })
        }
        // Inputs and the current.
        None => (population.model.clock(&neurons).map(|made| made.bytes()), 8 * receptors + 8),
    };
    let each = each + bytes_of_currents(network, index);
    of_all(network, index, (made.unwrap_or(0), neurons.size), each)
}

/// Bytes of a neuron in the currents that change within an epoch, which each thread computes beforehand.
fn bytes_of_currents(network: &ValidNetwork, index: usize) -> u64 {
    let shortest = |projection: &ValidProjection| match &projection.delays {
        ValidDelays::Listed(delays) => delays.iter().copied().min(),
        ValidDelays::Drawn(_) => Some(1),
    };
    let epoch = epoch_of(network.projections().values().filter_map(shortest).min());
    let changes = network.stimuli().values().map(|stimulus| match stimulus {
        ValidStimulus::VaryingCurrent { population, shape, start_step, .. }
            if *population == index =>
        {
            let next = shape.next_change(*start_step);
            next.map_or(0, |next| epoch.div_ceil(next.saturating_sub(*start_step).max(1)))
        }
        _ => 0,
    });
    8 * changes.max().unwrap_or(0) * rayon::current_num_threads() as u64
}

/// Bytes of a population in the event-driven engine, with what waits for its neurons.
fn of_event_neurons(network: &ValidNetwork, index: usize) -> u64 {
    let population = &network.populations()[index];
    let (neurons, receptors) = (some(population), population.model.spec().receptors.len());
    let made = population.model.event(&neurons).ok().flatten();
    let made = made.map(|made| made.bytes() + Inbox::new(neurons.size, receptors).bytes());
    of_all(network, index, (made.unwrap_or(0), neurons.size), 0)
}

/// Bytes of a population, some neurons of which take so many, and `each` besides.
fn of_all(network: &ValidNetwork, index: usize, (bytes, made): (u64, usize), each: u64) -> u64 {
    let size = u64::from(network.populations()[index].size());
    let sends = network.projections().values().any(|projection| projection.source == index);
    // Numbers of targets are kept of neurons that have some.
    let each = each + if sends { 8 } else { 0 };
    let own = bytes as f64 / made.max(1) as f64 * size as f64;
    size.saturating_mul(each).saturating_add(own as u64)
}

/// Whether a current into a population may differ from neuron to neuron.
fn currents_differ(network: &ValidNetwork, index: usize) -> bool {
    network.stimuli().values().any(|stimulus| match stimulus {
        ValidStimulus::VaryingCurrent { population, .. } => *population == index,
        ValidStimulus::ConstantCurrent { population, amplitude, .. } => {
            *population == index && matches!(amplitude, Column::Each(_))
        }
        _ => false,
    })
}

/// (synapses, bytes kept, bytes needed besides while it is built).
fn of_projection(network: &ValidNetwork, projection: &ValidProjection) -> (u64, u64, u64) {
    let sources = u64::from(projection.ends.sources);
    let synapses = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    let weights = match projection.weights.listed() {
        Some(Column::One(_)) => 0,
        Some(Column::Each(listed)) => 8 * listed.len() as u64,
        None => synapses.saturating_mul(8),
    };
    if matches!(projection.connectivity, Connectivity::Convolution(_)) && is_implicit(projection) {
        let tables = convolution(network, projection).map_or(0, |(scatter, _)| scatter.bytes());
        return (synapses, weights.saturating_add(tables), weights);
    }
    if is_implicit(projection) {
        // Transposing holds the matrix twice.
        let dense = matches!(projection.connectivity, Connectivity::Dense(_));
        return (synapses, weights, if dense { weights } else { 0 });
    }
    let rows = 8 * (sources + 1);
    let kept = synapses.saturating_mul(4).saturating_add(weights).saturating_add(rows);
    let (delays, unsorted) = match projection.delays.one() {
        Some(_) => (0, 0),
        None => {
            let found = segments(network, projection);
            let listed = found.count.saturating_add(1).saturating_mul(16);
            let all = listed.saturating_add(rows).saturating_add(4 * found.distinct);
            // One delay after all is not listed.
            (if found.distinct > 1 { all } else { 0 }, synapses.saturating_mul(4))
        }
    };
    let batch = synapses.min(MOST_AT_ONCE).saturating_mul(PLACED_BYTES);
    let order = match &projection.connectivity {
        Connectivity::List(list) => list.order_bytes(),
        _ => 0,
    };
    // Rows by target are put in their places first.
    let placed = match by_target(projection) {
        true => synapses.saturating_mul(PLACED_BYTES).saturating_add(16 * sources),
        false => 0,
    };
    let scratch = unsorted.saturating_add(batch).saturating_add(placed).saturating_add(order);
    (synapses, kept.saturating_add(delays), scratch)
}

fn by_target(projection: &ValidProjection) -> bool {
    let rule = projection.connectivity.behaviour();
    // Of a rule that draws something for all its rows beforehand the end is known.
    match projection.connectivity {
        Connectivity::FixedTotal(_) => false,
        _ => rule.rows(&projection.ends, projection.seed).end() == End::Target,
    }
}

/// The same for projections in the narrow form that share rows: synapses of four bytes (two where all
/// weights are one), and a head for each segment.
fn of_bundle(
    network: &ValidNetwork,
    members: &[&ValidProjection],
    blocks: usize,
) -> (u64, u64, u64) {
    let sources = members.first().map_or(0, |member| u64::from(member.ends.sources));
    let rows = sources.saturating_mul(blocks as u64);
    let one = |member: &&ValidProjection| matches!(member.weights.listed(), Some(Column::One(_)));
    let bytes = if members.iter().all(one) { 2 } else { 4 };
    let of =
        |member: &&ValidProjection| member.connectivity.behaviour().expected_synapses(&member.ends);
    let synapses = members.iter().map(of).fold(0, u64::saturating_add);
    let delays: Vec<Shares> = members.iter().map(|member| shares(network, member)).collect();
    let each = members.iter().zip(&delays);
    let each =
        each.map(|(member, shares)| (*member, shares, of(member) as f64 / rows.max(1) as f64));
    let segments = rows as f64 * expected(each);
    // A head for each segment and one that ends the row; where the row begins and how long it is.
    let stored = synapses.saturating_mul(bytes).saturating_add((4.0 * segments) as u64);
    let stored = stored.saturating_add(rows.saturating_mul(4));
    let kept = stored.saturating_add(rows.saturating_add(sources).saturating_mul(4));
    // A chunk on the way, in numbers of four bytes, for each thread.
    let chunks = sources.div_ceil(CHUNK as u64).max(1);
    let threads = (rayon::current_num_threads() as u64).min(chunks);
    let workshop = 4 * stored / bytes / chunks * threads;
    // Rows by target are put in their places first, all members at a time.
    let (mut turned, mut batch) = (0_u64, 0);
    for member in members.iter().filter(|member| by_target(member)) {
        let targets = u64::from(member.ends.targets).max(1);
        turned = turned.saturating_add(of(member).saturating_mul(8)).saturating_add(16 * sources);
        batch = batch.max(of(member) / targets * targets.min(ROWS_AT_ONCE) * DRAWN_BYTES);
    }
    // Rows are turned before anything is kept.
    let scratch = turned.saturating_add(workshop.max(batch.saturating_sub(kept)));
    (synapses, kept, scratch)
}

/// Bytes of what changes in the synapses of a projection: targets, weights, where these began where
/// they differ, and what its rules keep.
fn of_learning(network: &ValidNetwork, projection: &ValidProjection) -> u64 {
    let synapses = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    let sources = u64::from(projection.ends.sources);
    let segments = match projection.delays.one() {
        Some(_) => sources,
        None => segments(network, projection).count,
    };
    let one = matches!(projection.weights.listed(), Some(Column::One(_)));
    let targets = u64::from(projection.ends.targets);
    let own = synapses.saturating_mul(if one { 12 } else { 20 });
    let own =
        own.saturating_add(segments.saturating_mul(8)).saturating_add(4 * (sources + targets));
    let of_rule = |rule| {
        let [segment, synapse, target] = bytes_of_rule(rule);
        let all = synapses.saturating_mul(synapse).saturating_add(segments.saturating_mul(segment));
        all.saturating_add(targets * target)
    };
    projection.rules.iter().map(of_rule).fold(own, u64::saturating_add)
}

/// What a rule keeps for a segment, a synapse and a target: it is made for some of each, and measured.
fn bytes_of_rule(rule: &ValidPlasticity) -> [u64; 3] {
    [[MADE, 0, 0], [0, MADE, 0], [0, 0, MADE]].map(|[segments, synapses, targets]| {
        let made = rule.rule.make(RuleContext {
            parameters: &rule.parameters,
            pairing: rule.pairing,
            segments,
            synapses,
            targets,
            longest_dendritic_delay: Time::ZERO,
        });
        made.bytes() / MADE as u64
    })
}

/// A number of bytes as people read it.
pub fn readable(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}
