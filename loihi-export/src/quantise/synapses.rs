//! The synapses of a projection as numbers: a shared kernel, a matrix, or a list.
//!
//! Every rule is written down, those that draw too: their synapses are a function of the network's
//! seed. Synapses of one delay between the same two neurons become one; of different delays each
//! goes into a projection of its own, as a chip's table has one entry a pair.

use sim_core::connectome::{Draw, Row};
use sim_core::network::{Connectivity, Convolution, ValidDelays, ValidNetwork, ValidProjection};

use super::from_network::{QuantiseError, not_on_chip};

/// Synapses of one projection at most; each takes about 40 bytes while it is written down.
const SYNAPSE_LIMIT: u64 = 1 << 28;

/// How the weights are laid out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Shared kernel weights `[out, in / groups, height, width]`.
    Kernel(Convolution),
    /// `[target, source]`, row-major.
    Matrix,
    /// Listed by (target, source).
    List {
        /// Target of each synapse.
        targets: Vec<u32>,
        /// Source of each synapse.
        sources: Vec<u32>,
    },
}

/// One table of synapses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Synapses {
    pub(super) form: Form,
    /// Weights in the receptor's base unit, in the form's order.
    pub(super) weights: Vec<f64>,
    /// Delays in steps: one for all, or one each in the form's order.
    pub(super) delays: Vec<u32>,
}

/// The tables of a projection: one, or more where a pair of neurons has synapses of several delays.
pub(super) fn synapses(
    network: &ValidNetwork,
    name: &str,
    projection: &ValidProjection,
) -> Result<Vec<Synapses>, QuantiseError> {
    let refuse =
        |problem: String, remedy| Err(not_on_chip(format!("projections/{name}"), problem, remedy));
    let rule = projection.connectivity.behaviour();
    if let Some(plastic) = projection.rules.first() {
        let problem = format!(
            "it learns by `{}`, and its weights become fixed integers",
            plastic.rule.spec().name
        );
        return refuse(problem, "take the rule out, or write the learning as a Lava rule");
    }
    let expected = rule.expected_synapses(&projection.ends);
    let listed = (projection.weights.listed(), &projection.delays);
    match (&projection.connectivity, listed) {
        (Connectivity::Convolution(geometry), (Some(column), ValidDelays::Listed(delays))) => {
            let weights = column.expand(0..geometry.weight_count() as usize);
            return Ok(vec![Synapses {
                form: Form::Kernel(*geometry),
                weights,
                delays: delays.clone(),
            }]);
        }
        (Connectivity::Convolution(_), _) => {
            return refuse("its kernel is drawn".into(), "list it: synapses share a kernel");
        }
        _ if expected > SYNAPSE_LIMIT => {
            let problem = format!("its {expected} synapses are too many to be written down");
            return refuse(problem, "split it: at most 268 million synapses a projection");
        }
        (Connectivity::Dense(_), (Some(column), ValidDelays::Listed(delays))) => {
            let weights = column.expand(0..expected as usize);
            return Ok(vec![Synapses { form: Form::Matrix, weights, delays: delays.clone() }]);
        }
        _ => {}
    }
    Ok(tables(projection, drawn(network, projection)))
}

/// A synapse by (target, source, delay).
type Entry = (u32, u32, u32, f64);

/// All synapses, sorted; those of one pair and delay added up.
fn drawn(network: &ValidNetwork, projection: &ValidProjection) -> Vec<Entry> {
    let draw = Draw::new(network, projection);
    let (mut entries, mut row): (Vec<Entry>, _) = (Vec::new(), Row::default());
    for number in 0..draw.row_count() {
        draw.row(number, &mut row);
        let synapses = row.synapses(draw.end(), number);
        entries.extend(synapses.map(|s| (s.target, s.source, s.delay, s.weight)));
    }
    // A stable order of equal keys keeps the sum's bits.
    entries.sort_by_key(|&(target, source, delay, _)| (target, source, delay));
    entries.dedup_by(|next, kept| {
        let same = (next.0, next.1, next.2) == (kept.0, kept.1, kept.2);
        if same {
            kept.3 += next.3;
        }
        same
    });
    entries
}

/// The k-th synapse of each pair goes into the k-th table.
fn tables(projection: &ValidProjection, entries: Vec<Entry>) -> Vec<Synapses> {
    let mut groups: Vec<Vec<Entry>> = vec![Vec::new()];
    let (mut pair, mut place) = (None, 0);
    for entry in entries {
        place = if pair == Some((entry.0, entry.1)) { place + 1 } else { 0 };
        pair = Some((entry.0, entry.1));
        if place == groups.len() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(place) {
            group.push(entry);
        }
    }
    groups.into_iter().map(|group| table(projection, &group)).collect()
}

/// A matrix where at least half of the pairs have a synapse, else a list.
fn table(projection: &ValidProjection, entries: &[Entry]) -> Synapses {
    let sources = u64::from(projection.ends.sources);
    let pairs = sources * u64::from(projection.ends.targets);
    let first = entries.first().map_or(1, |entry| entry.2);
    let one_delay = entries.iter().all(|entry| entry.2 == first);
    if 2 * entries.len() as u64 >= pairs {
        let (mut weights, mut delays) = (vec![0.0; pairs as usize], vec![first; pairs as usize]);
        for &(target, source, delay, weight) in entries {
            let place = (u64::from(target) * sources + u64::from(source)) as usize;
            if let (Some(slot), Some(steps)) = (weights.get_mut(place), delays.get_mut(place)) {
                (*slot, *steps) = (weight, delay);
            }
        }
        if one_delay {
            delays.truncate(1);
        }
        return Synapses { form: Form::Matrix, weights, delays };
    }
    let mut delays: Vec<u32> = entries.iter().map(|entry| entry.2).collect();
    if one_delay {
        delays.truncate(1);
    }
    Synapses {
        form: Form::List {
            targets: entries.iter().map(|entry| entry.0).collect(),
            sources: entries.iter().map(|entry| entry.1).collect(),
        },
        weights: entries.iter().map(|entry| entry.3).collect(),
        delays,
    }
}
