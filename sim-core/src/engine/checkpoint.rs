//! What both engines put into a checkpoint: neurons, changing synapses, replaced stimuli, counters.

use super::plastic::PlasticSynapses;
use super::source::Stimuli;
use super::{Compiled, EngineError};
use crate::checkpoint::{
    Checkpoint, CheckpointError, Columns, Identity, Loader, Numbers, Saver, Share,
};
use crate::network::ValidStimulus;
use crate::neuron::{Column, StateVisitor};
use crate::recording::Counters;
use crate::time::Time;
use std::ops::Range;

/// Shows the state of a slice's neurons.
pub(super) type Visit<'a> = Box<dyn FnMut(&mut dyn StateVisitor) + 'a>;

/// Some neurons of a population that lie together.
pub(super) struct Slice<'a> {
    pub(super) population: usize,
    /// Indices local to the population.
    pub(super) range: Range<u32>,
    pub(super) visit: Visit<'a>,
}

impl Slice<'_> {
    fn columns(&mut self) -> Columns {
        let mut saver = Saver::new(self.range.len());
        (self.visit)(&mut saver);
        saver.columns()
    }

    /// What the slice has of a population of this size.
    fn share(&self, size: usize) -> Share {
        let neurons = self.range.start as usize..self.range.end as usize;
        Share { neurons, synapses: Vec::new(), whole: [size, 0] }
    }
}

/// What a checkpoint of this engine on this network fits.
pub(super) fn identity(compiled: &Compiled, engine: &str, narrow: bool) -> Identity {
    let forms = compiled.connectome.narrow().map(|forms| forms.populations());
    let is_narrow = |index: usize| {
        narrow && forms.is_some_and(|forms| forms.get(index).is_some_and(Option::is_some))
    };
    Identity {
        engine: engine.to_string(),
        network: compiled.network.hash(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        narrow: (0..compiled.network.populations().len()).map(is_narrow).collect(),
    }
}

fn push_columns(checkpoint: &mut Checkpoint, family: &str, columns: Columns) {
    for (index, numbers) in columns.into_numbers().enumerate() {
        checkpoint.push(format!("{family}/{index}"), numbers);
    }
}

/// The sections of a family, as many as there must be.
fn family<'a>(
    checkpoint: &'a Checkpoint,
    family: &str,
    count: usize,
) -> Result<Vec<&'a Numbers>, CheckpointError> {
    if checkpoint.find(&format!("{family}/{count}")).is_some() {
        let reason = format!("a column too many; there are {count}");
        return Err(CheckpointError::wrong(&format!("{family}/{count}"), reason));
    }
    (0..count).map(|index| checkpoint.section(&format!("{family}/{index}"))).collect()
}

/// Puts a part's share of saved columns back.
fn put_back(
    family: &str,
    own: &Columns,
    whole: &[&Numbers],
    share: &Share,
    step: u64,
    visit: &mut dyn FnMut(&mut dyn StateVisitor),
) -> Result<(), CheckpointError> {
    let wrong = |problem| CheckpointError::column(family, problem);
    let cut = own.cut(whole, share).map_err(wrong)?;
    let mut loader = Loader::new(cut, share.neurons.len(), step);
    visit(&mut loader);
    loader.problem().map_or(Ok(()), |problem| Err(wrong(problem)))
}

/// Adds the state of all neurons; slices in any order.
pub(super) fn save_neurons(
    compiled: &Compiled,
    mut slices: Vec<Slice<'_>>,
    checkpoint: &mut Checkpoint,
) {
    slices.sort_by_key(|slice| (slice.population, slice.range.start));
    for (index, (name, population)) in compiled.network.populations().iter().enumerate() {
        let (own, size) = (slices.iter_mut(), population.neurons.size);
        let own = own.filter(|slice| slice.population == index);
        let parts: Vec<_> = own.map(|slice| (slice.columns(), slice.share(size))).collect();
        push_columns(checkpoint, &format!("population/{name}"), Columns::join(&parts));
    }
}

/// Puts the state of all neurons back.
///
/// # Errors
/// [`CheckpointError`] naming the section.
pub(super) fn load_neurons(
    compiled: &Compiled,
    slices: Vec<Slice<'_>>,
    checkpoint: &Checkpoint,
    step: u64,
) -> Result<(), CheckpointError> {
    let populations = compiled.network.populations();
    for mut slice in slices {
        let Some((name, population)) = populations.get_index(slice.population) else {
            continue;
        };
        let name = format!("population/{name}");
        let (own, share) = (slice.columns(), slice.share(population.neurons.size));
        let whole = family(checkpoint, &name, own.len())?;
        put_back(&name, &own, &whole, &share, step, &mut slice.visit)?;
    }
    Ok(())
}

/// Adds the state of the changing synapses of a projection, from its parts in any order.
pub(super) fn save_synapses(
    compiled: &Compiled,
    projection: usize,
    mut parts: Vec<&mut PlasticSynapses>,
    now: Time,
    checkpoint: &mut Checkpoint,
) {
    parts.sort_by_key(|part| part.targets().start);
    parts.iter_mut().for_each(|part| part.catch_up(now));
    let shares = PlasticSynapses::shares(parts.iter().map(|part| &**part));
    let columns = parts.into_iter().map(PlasticSynapses::columns);
    let parts: Vec<_> = columns.zip(shares).collect();
    let joined = Columns::join(&parts);
    push_columns(checkpoint, &projection_family(compiled, projection), joined);
}

/// Puts the state of the changing synapses of a projection back.
///
/// # Errors
/// [`CheckpointError`] naming the section.
pub(super) fn load_synapses(
    compiled: &Compiled,
    projection: usize,
    mut parts: Vec<&mut PlasticSynapses>,
    checkpoint: &Checkpoint,
    step: u64,
) -> Result<(), CheckpointError> {
    parts.sort_by_key(|part| part.targets().start);
    let shares = PlasticSynapses::shares(parts.iter().map(|part| &**part));
    let name = projection_family(compiled, projection);
    for (part, share) in parts.into_iter().zip(shares) {
        let own = part.columns();
        let whole = family(checkpoint, &name, own.len())?;
        put_back(&name, &own, &whole, &share, step, &mut |visitor| part.visit_state(visitor))?;
    }
    Ok(())
}

fn projection_family(compiled: &Compiled, projection: usize) -> String {
    let name = compiled.network.projections().get_index(projection);
    format!("projection/{}", name.map_or("", |(name, _)| name))
}

/// Adds what was counted.
pub(super) fn save_counters(counters: &mut Counters, checkpoint: &mut Checkpoint) {
    for (name, counts) in counters.columns_mut() {
        checkpoint.push(format!("counters/{name}"), Numbers::U64(counts.to_vec()));
    }
}

/// What was counted.
///
/// # Errors
/// [`CheckpointError`] naming the section.
pub(super) fn load_counters(
    counters: &mut Counters,
    checkpoint: &Checkpoint,
) -> Result<(), CheckpointError> {
    for (name, counts) in counters.columns_mut() {
        let name = format!("counters/{name}");
        let saved = checkpoint.u64s(&name)?;
        if saved.len() != counts.len() {
            let reason = format!("{} counts for {} populations", saved.len(), counts.len());
            return Err(CheckpointError::wrong(&name, reason));
        }
        if let Some(count) = saved.iter().find(|&&count| count > MOST_COUNTED) {
            let reason = format!("no run counts as far as {count}");
            return Err(CheckpointError::wrong(&name, reason));
        }
        counts.copy_from_slice(saved);
    }
    Ok(())
}

/// A run at 10^9 events a second would take a hundred years to count further; what is counted behind a
/// checkpoint has room above it.
const MOST_COUNTED: u64 = 1 << 62;

/// Adds the stimuli whose values were replaced, under `role`: those that act, or those given for
/// the next reset.
pub(super) fn save_stimuli(
    compiled: &Compiled,
    stimuli: &Stimuli,
    role: &str,
    checkpoint: &mut Checkpoint,
) {
    for (index, entry) in stimuli.replaced() {
        let name = stimulus_family(compiled, index, role);
        let expand = |column: &Column, population: usize| {
            column.expand(0..compiled.network.populations()[population].neurons.size)
        };
        match entry {
            ValidStimulus::ConstantCurrent { population, amplitude: values, .. }
            | ValidStimulus::Poisson { population, probability: values } => {
                checkpoint.push(name, Numbers::F64(expand(values, *population)));
            }
            ValidStimulus::SpikeList { spikes, .. } => {
                let (times, neurons) =
                    spikes.iter().map(|&(time, neuron)| (time.0, neuron)).unzip();
                checkpoint.push(format!("{name}/times"), Numbers::I64(times));
                checkpoint.push(format!("{name}/neurons"), Numbers::U32(neurons));
            }
            ValidStimulus::Train { .. }
            | ValidStimulus::VaryingCurrent { .. }
            | ValidStimulus::Drive { .. } => {}
        }
    }
}

/// The stimuli of the network with the values that were saved under `role`.
///
/// # Errors
/// [`CheckpointError`] naming the section.
pub(super) fn load_stimuli(
    compiled: &Compiled,
    role: &str,
    checkpoint: &Checkpoint,
) -> Result<Stimuli, CheckpointError> {
    let mut stimuli = Stimuli::new(&compiled.network);
    for (index, entry) in compiled.network.stimuli().values().enumerate() {
        let name = stimulus_family(compiled, index, role);
        let wrong = |error: EngineError| CheckpointError::wrong(&name, error.to_string());
        match entry {
            ValidStimulus::ConstantCurrent { .. } if checkpoint.find(&name).is_some() => {
                stimuli.set_current(compiled, index, checkpoint.f64s(&name)?).map_err(wrong)?;
            }
            ValidStimulus::Poisson { .. } if checkpoint.find(&name).is_some() => {
                stimuli.set_probability(compiled, index, checkpoint.f64s(&name)?).map_err(wrong)?;
            }
            ValidStimulus::SpikeList { .. }
                if checkpoint.find(&format!("{name}/times")).is_some() =>
            {
                let times = checkpoint.i64s(&format!("{name}/times"))?;
                let neurons = checkpoint.u32s(&format!("{name}/neurons"))?;
                let spikes = times.iter().zip(neurons).map(|(&time, &neuron)| (Time(time), neuron));
                let spikes: Vec<_> = spikes.collect();
                stimuli.set_spikes(compiled, index, &spikes).map_err(wrong)?;
            }
            _ => {}
        }
    }
    Ok(stimuli)
}

fn stimulus_family(compiled: &Compiled, index: usize, role: &str) -> String {
    let name = compiled.network.stimuli().get_index(index);
    format!("stimulus/{}/{role}", name.map_or("", |(name, _)| name))
}

/// Values that stimuli act with now.
pub(super) const ACTING: &str = "acting";
/// Values that stimuli act with from the next reset on.
pub(super) const GIVEN: &str = "given";
