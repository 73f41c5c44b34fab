//! Layers that never spike before other layers, and what arrives at outputs.
//!
//! A description's neurons send spikes, so that the potential of an `LI` or `I` cannot be sent on. But it
//! is a low-pass filter of what reaches the layer, and filters and weights may change places: as the
//! synaptic current of the layers behind it, it gives them the same input in the same step. That is what
//! exporters mean that write a synapse as a node of its own (`LIF → Linear → LI → LIF`).

use std::collections::{BTreeMap, BTreeSet};

use crate::nir::Primitive;
use crate::nir::dialect::SpikeReset;
use crate::nir::run::Flat;

use super::depth::Depths;
use super::layer::{Membrane, extents, spikes};
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

/// All ways, and the layers that became currents of others.
pub(super) struct Links {
    pub(super) links: Vec<Link>,
    /// By the layer that has the current.
    pub(super) filters: BTreeMap<usize, Filter>,
    /// Layers that are nothing else.
    pub(super) within: BTreeSet<usize>,
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
    paths: Vec<Path>,
    (depths, read_out): (&Depths, &BTreeSet<usize>),
    made: &mut Made,
) -> Result<Links, NotFromNir> {
    let is_silent = |node: usize| {
        let primitive = &flat.nodes[node].1;
        extents(primitive).is_some() && !spikes(primitive)
    };
    let (behind, before): (Vec<Path>, Vec<Path>) =
        paths.into_iter().partition(|path| is_silent(path.source));
    let mut links = Vec::new();
    let mut filters = BTreeMap::new();
    let mut within: BTreeSet<usize> = behind.iter().map(|path| path.source).collect();
    for path in &behind {
        let filter = &flat.nodes[path.source];
        let own = |other: &&Path| other.target == path.source;
        let inputs: Vec<&Path> = before.iter().filter(own).collect();
        if inputs.is_empty() || behind.iter().any(|other| own(&other)) {
            let problem = "it never spikes, and no spikes reach it but through other such neurons";
            return Err(refuse(filter, problem, "put a layer that spikes before it"));
        }
        let target = &flat.nodes[path.target];
        if before.iter().any(|other| other.target == path.target) {
            let problem = format!(
                "its input passes `{}`, which never spikes, and reaches it without, too",
                filter.0
            );
            let remedy =
                "let all of it pass one such layer; `spikeloom verify nir` runs such graphs";
            return Err(refuse(target, problem, remedy));
        }
        let (found, membrane) = current(made, (filter, target), path)?;
        match filters.get_mut(&path.target) {
            None => {
                filters.insert(path.target, found);
            }
            Some(Filter { kept, added, .. }) if *kept == found.kept => {
                added.iter_mut().zip(&found.added).for_each(|(sum, more)| *sum += more);
            }
            Some(_) => {
                let problem = "layers that never spike reach it with several time constants";
                let remedy = "give them one; `spikeloom verify nir` runs such graphs";
                return Err(refuse(target, problem, remedy));
            }
        }
        let mut leak = Some(membrane.leak.clone());
        for input in inputs {
            links.push(Link {
                path: joined((filter, input), (target, path), &membrane, leak.take())?,
                delay: depths.delay(input) + depths.delay(path),
                bias_delay: depths.of(path.source) + depths.delay(path),
            });
        }
        let note = format!(
            "`{}`: it never spikes; its potential is the synaptic current of `{}`",
            filter.0, target.0
        );
        if !made.notes.contains(&note) {
            made.notes.push(note);
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
    Ok(Links { links, filters, within })
}

type Node = (String, Primitive);

/// The current that a layer becomes in the one behind it, and its own factors.
fn current(
    made: &Made,
    (filter, target): (&Node, &Node),
    path: &Path,
) -> Result<(Filter, Membrane), NotFromNir> {
    const REMEDY: &str = "`spikeloom verify nir` runs such graphs";
    let membrane = match &filter.1 {
        Primitive::Li(_) | Primitive::I(_) => made.membrane(filter)?,
        _ => None,
    };
    let Some(membrane) = membrane else {
        let problem = format!("its potential goes to `{}`, and descriptions send spikes", target.0);
        return Err(refuse(filter, problem, REMEDY));
    };
    let several = made.reading.convention.reset == SpikeReset::SubtractMany;
    match &target.1 {
        Primitive::CubaLif(_) | Primitive::CubaLi(_) => {
            let problem = format!("it has a current of its own, and `{}` before it", filter.0);
            return Err(refuse(target, problem, REMEDY));
        }
        Primitive::If(_) if several => {
            let problem = format!("neurons with several spikes a step have no `{}`", filter.0);
            return Err(refuse(target, problem, REMEDY));
        }
        _ => {}
    }
    let size = path.extents.iter().product::<usize>();
    let alike = membrane.kept.iter().all(|kept| Some(kept) == membrane.kept.first());
    let kept = match (&path.weights, membrane.kept.first()) {
        (Weights::Direct | Weights::Diagonal(_), _) => membrane.kept.clone(),
        (_, Some(&kept)) if alike => vec![kept; size],
        _ => {
            let problem = "its time constants differ from neuron to neuron before weights";
            return Err(refuse(filter, problem, "give the layer one time constant"));
        }
    };
    let mut added = vec![0.0; size];
    for bias in &path.biases {
        let slow = made.reading.convention.synapse_steps > 0 && !made.reading.biases_from_start;
        if slow || bias.delays.iter().any(|&delay| delay > 0) {
            let problem = format!("a delayed bias lies between `{}` and it", filter.0);
            return Err(refuse(target, problem, "put the bias before that layer"));
        }
        added.iter_mut().zip(&bias.values).for_each(|(sum, value)| *sum += value);
    }
    Ok((Filter { kept, added, extents: path.extents.clone() }, membrane))
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
