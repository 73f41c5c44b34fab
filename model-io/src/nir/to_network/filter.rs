//! Layers that never spike before other layers, and what arrives at outputs.
//!
//! An `LI` or `I` is a low-pass filter of what reaches the layer, and filters and weights may change
//! places: as the synaptic current of the layers behind it, it gives them the same input in the same step,
//! and is what chips have. That is what exporters mean that write a synapse as a node of its own
//! (`LIF → Linear → LI → LIF`). Where it is no one current of the layer behind (a second order, several
//! time constants, a way round it), it stays a population, whose potential acts on that layer in every step
//! (`leaky_integrator_analogue`).

use std::collections::{BTreeMap, BTreeSet};

use crate::nir::Primitive;
use crate::nir::dialect::Start;
use crate::nir::run::{Flat, extents};

use super::depth::Depths;
use super::layer::{Membrane, spikes};
use super::listed::behind;
use super::path::{Bias, Path, Way, Weights, multiplied};
use super::scale::{into_kernel, scaled};
use super::{Made, NotFromNir, refuse};

/// A way into a layer of the description.
pub(super) struct Link {
    pub(super) path: Path,
    /// Steps besides its Delay nodes.
    pub(super) delay: u64,
    /// Steps after which its biases arrive, besides their Delay nodes.
    pub(super) bias_delay: u64,
}

/// What becomes a layer's current, one value a neuron.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    /// What a step keeps of it.
    pub(super) kept: Vec<f64>,
    /// What every step adds to it behind the filter.
    pub(super) added: Vec<f64>,
    /// Extents of the values that arrive.
    pub(super) extents: Vec<usize>,
}

/// All ways, the layers that became currents of others, and those whose potentials are sent.
#[derive(Default)]
pub(super) struct Links {
    pub(super) links: Vec<Link>,
    /// By the layer that has the current.
    pub(super) filters: BTreeMap<usize, Filter>,
    /// Layers that are nothing else.
    pub(super) within: BTreeSet<usize>,
    /// Layers that never spike and whose potential acts on the layers behind them.
    pub(super) analogue: BTreeSet<usize>,
}

/// What becomes of a first look at all layers that never spike.
enum Outcome {
    Done(Links, Vec<String>),
    /// This layer is no one current of those behind it.
    Send(usize),
}

/// Leaves out the paths to outputs that show a layer as it is; which layers are shown so.
pub(super) fn outputs(flat: &Flat, paths: Vec<Path>) -> (Vec<Path>, BTreeSet<usize>) {
    let is_output = |path: &Path| matches!(flat.nodes[path.target].1, Primitive::Output(_));
    let changed: BTreeSet<usize> =
        paths.iter().filter(|p| is_output(p) && !p.is_plain()).map(|path| path.target).collect();
    let (shown, kept): (Vec<Path>, Vec<Path>) =
        paths.into_iter().partition(|path| is_output(path) && !changed.contains(&path.target));
    (kept, shown.iter().map(|path| path.source).collect())
}

/// Puts the ways through layers that never spike together.
pub(super) fn links(
    flat: &Flat,
    paths: &[Path],
    (depths, read_out): (&Depths, &BTreeSet<usize>),
    made: &mut Made,
) -> Result<Links, NotFromNir> {
    let mut analogue = BTreeSet::new();
    // Each round settles one more layer.
    loop {
        match attempt(flat, paths, (depths, read_out, &analogue), made)? {
            Outcome::Send(layer) => {
                analogue.insert(layer);
            }
            Outcome::Done(links, notes) => {
                made.notes.extend(notes);
                made.notes.extend(analogue.iter().map(|&layer| {
                    let name = &flat.nodes[layer].0;
                    format!(
                        "`{name}`: it never spikes; its potential acts on the layers behind it in \
                         every step"
                    )
                }));
                return Ok(Links { analogue, ..links });
            }
        }
    }
}

/// Puts the ways through layers that never spike together, but for those whose potentials are sent.
fn attempt(
    flat: &Flat,
    paths: &[Path],
    (depths, read_out, analogue): (&Depths, &BTreeSet<usize>, &BTreeSet<usize>),
    made: &Made,
) -> Result<Outcome, NotFromNir> {
    let is_filter = |node: usize| {
        let primitive = &flat.nodes[node].1;
        extents(primitive).is_some() && !spikes(primitive) && !analogue.contains(&node)
    };
    let (behind, before): (Vec<Path>, Vec<Path>) =
        paths.iter().cloned().partition(|path| is_filter(path.source));
    let mut links = Vec::new();
    let mut notes = Vec::new();
    let mut filters = BTreeMap::new();
    let mut within: BTreeSet<usize> = behind.iter().map(|path| path.source).collect();
    for path in &behind {
        let filter = &flat.nodes[path.source];
        let own = |other: &&Path| other.target == path.source;
        let inputs: Vec<&Path> = before.iter().filter(own).collect();
        let chained = inputs.is_empty() || behind.iter().any(|other| own(&other));
        let target = &flat.nodes[path.target];
        if chained || before.iter().any(|other| other.target == path.target) {
            return Ok(Outcome::Send(path.source));
        }
        let Some((found, membrane)) = current(made, (filter, target), path)? else {
            return Ok(Outcome::Send(path.source));
        };
        match filters.get_mut(&path.target) {
            None => {
                filters.insert(path.target, found);
            }
            Some(Filter { kept, added, .. }) if *kept == found.kept => {
                added.iter_mut().zip(&found.added).for_each(|(sum, more)| *sum += more);
            }
            // Several time constants.
            Some(_) => return Ok(Outcome::Send(path.source)),
        }
        let mut leak = Some(membrane.leak.clone());
        for input in inputs {
            // What is too large in one piece may fit in two.
            let Ok(path_through) = joined((filter, input), (target, path), &membrane, leak.take())
            else {
                return Ok(Outcome::Send(path.source));
            };
            links.push(Link {
                path: path_through,
                delay: depths.delay(input) + depths.delay(path),
                bias_delay: depths.of(path.source) + depths.delay(path),
            });
        }
        let note = format!(
            "`{}`: it never spikes; its potential is the synaptic current of `{}`",
            filter.0, target.0
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    within.retain(|layer| !read_out.contains(layer));
    let is_output = |path: &&Path| matches!(flat.nodes[path.target].1, Primitive::Output(_));
    for path in before.iter().filter(is_output) {
        let size = path.extents.iter().product();
        let (none, extents) = (vec![0.0; size], path.extents.clone());
        let other =
            filters.insert(path.target, Filter { kept: none.clone(), added: none, extents });
        if other.is_some_and(|other| other.kept.len() != size) {
            let problem = "values of different numbers meet";
            return Err(refuse(&flat.nodes[path.target], problem, "give it one value a neuron"));
        }
    }
    let seen = before.into_iter().filter(|path| !within.contains(&path.target));
    links.extend(seen.map(|path| Link {
        delay: depths.delay(&path),
        bias_delay: depths.of(path.target),
        path,
    }));
    links.sort_by_key(|link| (link.path.target, link.path.source));
    Ok(Outcome::Done(Links { links, filters, within, ..Links::default() }, notes))
}

type Node = (String, Primitive);

/// The current that a layer becomes in the one behind it, and its own factors; `None` where it is no one
/// current.
fn current(
    made: &Made,
    (filter, target): (&Node, &Node),
    path: &Path,
) -> Result<Option<(Filter, Membrane)>, NotFromNir> {
    let membrane = match &filter.1 {
        Primitive::Li(_) | Primitive::I(_) => made.membrane(filter)?,
        _ => None,
    };
    let Some(membrane) = membrane else { return Ok(None) };
    // A current would have to begin at what the filter's first potential brings.
    let begins = made.reading.convention.start == Start::Leak;
    if begins && membrane.leak.iter().any(|leak| *leak != 0.0) {
        return Ok(None);
    }
    // Its own current has a decay of its own.
    if matches!(target.1, Primitive::CubaLif(_) | Primitive::CubaLi(_)) {
        return Ok(None);
    }
    let size = path.extents.iter().product::<usize>();
    let alike = membrane.kept.iter().all(|kept| Some(kept) == membrane.kept.first());
    let kept = match (&path.weights, membrane.kept.first()) {
        (Weights::Direct | Weights::Diagonal(_), _) => membrane.kept.clone(),
        (_, Some(&kept)) if alike => vec![kept; size],
        // Time constants differ from neuron to neuron before weights.
        _ => return Ok(None),
    };
    let mut added = vec![0.0; size];
    for bias in &path.biases {
        let slow = made.reading.convention.synapse_steps > 0 && !made.reading.biases_from_start;
        if slow || bias.delays.iter().any(|&delay| delay > 0) {
            return Ok(None);
        }
        added.iter_mut().zip(&bias.values).for_each(|(sum, value)| *sum += value);
    }
    Ok(Some((Filter { kept, added, extents: path.extents.clone() }, membrane)))
}

/// The way into a layer through one that never spikes; `leak` is what that one adds in a step.
fn joined(
    (filter, input): (&Node, &Path),
    (target, path): (&Node, &Path),
    membrane: &Membrane,
    leak: Option<Vec<f64>>,
) -> Result<Path, NotFromNir> {
    let mut way = Way::resumed(input.clone(), input.extents.clone());
    scaled(filter, &mut way, &membrane.gain)?;
    if let Some(leak) = leak.filter(|leak| leak.iter().any(|&leak| leak != 0.0)) {
        let bias = Bias { values: leak, repeat: 1, delays: vec![0], linear: 0 };
        way.path.biases.push(bias);
    }
    match &path.weights {
        Weights::Direct => {}
        Weights::Diagonal(factors) => scaled(target, &mut way, factors)?,
        Weights::Matrix { columns, weights } => {
            multiplied(target, &mut way, (*columns, weights.clone()))?;
        }
        Weights::Kernel { .. } => into_kernel(target, &mut way, |way| {
            way.path.weights = path.weights.clone();
            way.shape = path.extents.clone();
            Ok(())
        })?,
        own @ Weights::Listed { .. } => {
            behind(target, &mut way, (own, path.extents.iter().product()))?;
        }
    }
    let later = |delays: &[u64]| -> Vec<u64> {
        let of = |delays: &[u64], n: usize| delays.get(n).or(delays.first()).copied().unwrap_or(0);
        let count = delays.len().max(path.delays.len());
        (0..count).map(|n| of(delays, n) + of(&path.delays, n)).collect()
    };
    way.path.delays = later(&way.path.delays);
    for bias in &mut way.path.biases {
        bias.delays = later(&bias.delays);
    }
    let multiplied = [input.multiplied.clone(), path.multiplied.clone()].concat();
    Ok(Path {
        source: input.source,
        target: path.target,
        name: path.name.clone(),
        multiplied,
        looped: input.looped || path.looped,
        extents: path.extents.clone(),
        ..way.path
    })
}
