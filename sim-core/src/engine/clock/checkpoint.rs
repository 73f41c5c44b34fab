//! Checkpoints of the clock-driven engine: neurons and synapses of all parts, and the spikes in
//! flight, which every part has.

use super::super::checkpoint::{
    ACTING, GIVEN, Slice, identity, load_counters, load_neurons, load_stimuli, load_synapses,
    save_counters, save_neurons, save_stimuli, save_synapses,
};
use super::ClockEngine;
use super::history::History;
use super::part::Part;
use crate::checkpoint::{Checkpoint, CheckpointError, Numbers};
use crate::engine::Compiled;
use crate::engine::plastic::PlasticSynapses;
use crate::neuron::Emitted;

/// Name of the engine in checkpoints.
const NAME: &str = "clock";

impl ClockEngine {
    pub(super) fn save(&mut self) -> Checkpoint {
        let compiled = self.compiled.clone();
        let now = compiled.network.grid().time_of(self.step);
        let mut checkpoint = Checkpoint {
            identity: identity(&compiled, NAME, true),
            seed: self.seed,
            time: now,
            sections: Vec::new(),
        };
        let slices = self.parts.iter_mut().flat_map(Part::slices).collect();
        save_neurons(&compiled, slices, &mut checkpoint);
        for projection in 0..compiled.network.projections().len() {
            let parts = plastic(&mut self.parts, projection);
            if !parts.is_empty() {
                save_synapses(&compiled, projection, parts, now, &mut checkpoint);
            }
        }
        if let Some(part) = self.parts.first() {
            save_history(&compiled, &part.history, self.step, &mut checkpoint);
        }
        save_stimuli(&compiled, &self.stimuli, ACTING, &mut checkpoint);
        save_stimuli(&compiled, &self.given, GIVEN, &mut checkpoint);
        save_counters(&mut self.recording.counters, &mut checkpoint);
        checkpoint
    }

    /// Goes on from a checkpoint; after an error the engine is at its beginning.
    pub(super) fn load(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let compiled = self.compiled.clone();
        let names = compiled.network.populations().keys();
        checkpoint.check(&identity(&compiled, NAME, true), names)?;
        let loaded = self.load_state(checkpoint);
        if loaded.is_err() {
            self.restart();
        }
        loaded
    }

    fn load_state(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let compiled = self.compiled.clone();
        let grid = compiled.network.grid();
        let Some(step) = grid.steps_in(checkpoint.time) else {
            let reason = format!("{} is not on the grid", checkpoint.time);
            return Err(CheckpointError::wrong("time", reason));
        };
        self.given = load_stimuli(&compiled, ACTING, checkpoint)?;
        self.seed = checkpoint.seed;
        self.restart();
        self.given = load_stimuli(&compiled, GIVEN, checkpoint)?;
        self.step = step;
        let slices = self.parts.iter_mut().flat_map(Part::slices).collect();
        load_neurons(&compiled, slices, checkpoint, step)?;
        for projection in 0..compiled.network.projections().len() {
            let parts = plastic(&mut self.parts, projection);
            load_synapses(&compiled, projection, parts, checkpoint, step)?;
        }
        for part in &mut self.parts {
            load_history(&compiled, &mut part.history, step, checkpoint)?;
            steps_in_flight(&compiled, step).for_each(|sent| part.launch(&compiled, sent, step));
            part.seek(&compiled, &self.stimuli, step);
        }
        for population in 0..compiled.network.populations().len() {
            let current = self.stimuli.current_after(&compiled, population, step);
            self.parts.iter_mut().for_each(|part| part.set_current(population, &current));
        }
        load_counters(&mut self.recording.counters, checkpoint)?;
        self.recording.duration = checkpoint.time;
        Ok(())
    }
}

impl Part {
    /// The neurons of the part, by population.
    fn slices(&mut self) -> Vec<Slice<'_>> {
        let mut slices = Vec::new();
        let Part { wide, blocks, tiles, .. } = self;
        for wide in wide {
            if let Some(neurons) = &mut wide.neurons {
                slices.push(Slice {
                    population: wide.population,
                    range: wide.range.clone(),
                    visit: Box::new(|visitor| neurons.visit_state(visitor)),
                });
            }
        }
        let pieces = blocks.iter_mut().flat_map(|block| &mut block.pieces).chain(tiles);
        slices.extend(pieces.map(|piece| Slice {
            population: piece.population,
            range: piece.range.clone(),
            visit: Box::new(|visitor| piece.neurons.visit_state(visitor)),
        }));
        slices
    }
}

/// The changing synapses of a projection, of all parts.
pub(super) fn plastic(parts: &mut [Part], projection: usize) -> Vec<&mut PlasticSynapses> {
    let own = parts.iter_mut().flat_map(|part| &mut part.wide).flat_map(|wide| {
        wide.fanouts.iter().zip(&mut wide.plastic).filter(move |(index, _)| **index == projection)
    });
    own.filter_map(|(_, synapses)| synapses.as_mut()).collect()
}

/// The steps whose spikes may still arrive somewhere after `step`.
fn steps_in_flight(compiled: &Compiled, step: u64) -> std::ops::RangeInclusive<u64> {
    let fanouts = compiled.connectome.fanouts().iter();
    let longest = fanouts.map(|fanout| fanout.delays().longest()).max().unwrap_or(1);
    (step + 1).saturating_sub(u64::from(longest)).max(1)..=step
}

fn save_history(compiled: &Compiled, history: &History, step: u64, checkpoint: &mut Checkpoint) {
    for (index, name) in compiled.network.populations().keys().enumerate() {
        let (mut counts, mut neurons, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
        let mut values = Vec::new();
        for sent in steps_in_flight(compiled, step) {
            let spikes = &history.at(sent)[index];
            counts.push(spikes.neurons.len() as u32);
            neurons.extend_from_slice(&spikes.neurons);
            payloads.extend_from_slice(spikes.payloads());
            values.extend_from_slice(spikes.values());
        }
        let family = format!("in_flight/{name}");
        checkpoint.push(format!("{family}/counts"), Numbers::U32(counts));
        checkpoint.push(format!("{family}/neurons"), Numbers::U32(neurons));
        checkpoint.push(format!("{family}/payloads"), Numbers::I32(payloads));
        if compiled.network.populations()[index].model.sends_values() {
            checkpoint.push(format!("{family}/values"), Numbers::F64(values));
        }
        let running = history.running_before(index, steps_in_flight(compiled, step));
        checkpoint.push(format!("{family}/running"), Numbers::I32(running));
    }
}

fn load_history(
    compiled: &Compiled,
    history: &mut History,
    step: u64,
    checkpoint: &Checkpoint,
) -> Result<(), CheckpointError> {
    steps_in_flight(compiled, step).for_each(|sent| history.begin(sent));
    for (index, (name, population)) in compiled.network.populations().iter().enumerate() {
        let family = format!("in_flight/{name}");
        let wrong = |column: &str, reason: &str| {
            CheckpointError::wrong(&format!("{family}/{column}"), reason)
        };
        let running = checkpoint.i32s(&format!("{family}/running"))?;
        if !history.set_running(index, running) {
            return Err(wrong("running", "not as many sums as neurons that are counted"));
        }
        let counts = checkpoint.u32s(&format!("{family}/counts"))?;
        let mut neurons = checkpoint.u32s(&format!("{family}/neurons"))?;
        let mut payloads = checkpoint.i32s(&format!("{family}/payloads"))?;
        let expected = if population.model.spec().graded { neurons.len() } else { 0 };
        if payloads.len() != expected {
            return Err(wrong("payloads", "not one for each spike of a graded model"));
        }
        let sends_values = population.model.sends_values();
        let mut values = match sends_values {
            true => checkpoint.f64s(&format!("{family}/values"))?,
            false => &[],
        };
        if sends_values && values.len() != neurons.len() {
            return Err(wrong("values", "not one for each neuron that sent one"));
        }
        let steps = steps_in_flight(compiled, step);
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        if counts.len() as u64 != steps.clone().count() as u64 || total != neurons.len() as u64 {
            return Err(wrong("counts", "they are not those of the steps and spikes"));
        }
        for (sent, &count) in steps.zip(counts) {
            let mut spikes = Emitted::default();
            let own = take(&mut neurons, count as usize);
            if !own.is_sorted_by(|a, b| a < b) || own.iter().any(|&n| n >= population.size()) {
                return Err(wrong("neurons", "they are not ascending indices of the population"));
            }
            spikes.neurons.extend_from_slice(own);
            if !payloads.is_empty() {
                spikes.payloads.extend_from_slice(take(&mut payloads, count as usize));
            }
            spikes.values.extend_from_slice(take(&mut values, spikes.neurons.len()));
            history.add(sent, index, &spikes);
        }
    }
    Ok(())
}

/// Cuts so many elements off the front.
fn take<'a, T>(elements: &mut &'a [T], count: usize) -> &'a [T] {
    let (front, rest) = elements.split_at(count.min(elements.len()));
    *elements = rest;
    front
}
