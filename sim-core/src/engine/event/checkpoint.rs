//! Checkpoints of the event-driven engine: neurons and synapses of all parts, and what is on its way.
//! Foretold crossings are not saved: they follow from the state of the neurons.

use super::super::checkpoint::{
    ACTING, GIVEN, Slice, identity, load_counters, load_neurons, load_stimuli, load_synapses,
    save_counters, save_neurons, save_stimuli, save_synapses,
};
use super::part::Part;
use super::{Delivery, EventEngine};
use crate::checkpoint::{Checkpoint, CheckpointError, Numbers};
use crate::connectome::Message;
use crate::engine::plastic::PlasticSynapses;
use crate::network::ValidStimulus;
use crate::time::Time;

/// Name of the engine in checkpoints.
const NAME: &str = "event";

/// Family of the sections of what is on its way.
const ON_THE_WAY: &str = "on_the_way";

impl EventEngine {
    pub(super) fn save(&mut self) -> Checkpoint {
        let compiled = self.compiled.clone();
        let mut checkpoint = Checkpoint {
            identity: identity(&compiled, NAME, false),
            seed: self.seed,
            time: self.now,
            sections: Vec::new(),
        };
        let slices = self.parts.iter_mut().flat_map(Part::slices).collect();
        save_neurons(&compiled, slices, &mut checkpoint);
        for projection in 0..compiled.network.projections().len() {
            let parts = plastic(&mut self.parts, projection);
            if !parts.is_empty() {
                save_synapses(&compiled, projection, parts, self.now, &mut checkpoint);
            }
        }
        self.save_deliveries(&mut checkpoint);
        checkpoint.push("running", Numbers::I32(self.running.clone()));
        save_stimuli(&compiled, &self.stimuli, ACTING, &mut checkpoint);
        save_stimuli(&compiled, &self.given, GIVEN, &mut checkpoint);
        save_counters(&mut self.recording.counters, &mut checkpoint);
        checkpoint
    }

    /// Goes on from a checkpoint; after an error the engine is at its beginning.
    pub(super) fn load(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let compiled = self.compiled.clone();
        let names = compiled.network.populations().keys();
        checkpoint.check(&identity(&compiled, NAME, false), names)?;
        let loaded = self.load_state(checkpoint);
        if loaded.is_err() {
            self.restart();
        }
        loaded
    }

    fn load_state(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let compiled = self.compiled.clone();
        let now = checkpoint.time;
        let Some(step) = compiled.network.grid().steps_in(now) else {
            return Err(CheckpointError::wrong("time", format!("{now} is not on the grid")));
        };
        self.given = load_stimuli(&compiled, ACTING, checkpoint)?;
        self.seed = checkpoint.seed;
        self.restart();
        self.given = load_stimuli(&compiled, GIVEN, checkpoint)?;
        self.now = now;
        self.stimuli.seek(now);
        for (entry, position) in self.stimuli.entries().iter().zip(&mut self.list_positions) {
            if let ValidStimulus::SpikeList { spikes, .. } = entry {
                *position = spikes.partition_point(|&(time, _)| time <= now);
            }
        }
        let slices = self.parts.iter_mut().flat_map(Part::slices).collect();
        load_neurons(&compiled, slices, checkpoint, step)?;
        for projection in 0..compiled.network.projections().len() {
            let parts = plastic(&mut self.parts, projection);
            load_synapses(&compiled, projection, parts, checkpoint, step)?;
        }
        self.load_deliveries(checkpoint)?;
        let running = checkpoint.i32s("running")?;
        if running.len() != self.running.len() {
            let reason = format!("{} sums for {} neurons", running.len(), self.running.len());
            return Err(CheckpointError::wrong("running", reason));
        }
        self.running.copy_from_slice(running);
        load_counters(&mut self.recording.counters, checkpoint)?;
        self.recording.duration = now;
        let inboxes = self.parts.iter_mut().flat_map(|part| &mut part.pieces);
        inboxes.for_each(|piece| piece.inbox.reset());
        self.foretell();
        Ok(())
    }

    fn save_deliveries(&self, checkpoint: &mut Checkpoint) {
        let mut all: Vec<Delivery> = self.calendar.entries().copied().collect();
        all.sort_unstable();
        let times = |of: fn(&Delivery) -> i64| Numbers::I64(all.iter().map(of).collect());
        let counts = |of: fn(&Delivery) -> u32| Numbers::U32(all.iter().map(of).collect());
        let payloads = |of: fn(&Delivery) -> i32| Numbers::I32(all.iter().map(of).collect());
        for (name, numbers) in [
            ("time", times(|d| d.time.0)),
            ("emitted", times(|d| d.emitted.0)),
            ("projection", counts(|d| d.fanout)),
            ("delay", counts(|d| d.delay)),
            ("source", counts(|d| d.source)),
            ("payload", payloads(|d| d.message.payload)),
            ("running", payloads(|d| d.message.running)),
        ] {
            checkpoint.push(format!("{ON_THE_WAY}/{name}"), numbers);
        }
    }

    fn load_deliveries(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let name = |name: &str| format!("{ON_THE_WAY}/{name}");
        let (times, emitted) =
            (checkpoint.i64s(&name("time"))?, checkpoint.i64s(&name("emitted"))?);
        let fanouts = checkpoint.u32s(&name("projection"))?;
        let (delays, sources) =
            (checkpoint.u32s(&name("delay"))?, checkpoint.u32s(&name("source"))?);
        let (payloads, running) =
            (checkpoint.i32s(&name("payload"))?, checkpoint.i32s(&name("running"))?);
        let lengths = [emitted, times].map(<[i64]>::len).into_iter();
        let lengths = lengths.chain([fanouts, delays, sources].map(<[u32]>::len));
        let mut lengths = lengths.chain([payloads, running].map(<[i32]>::len));
        if lengths.any(|length| length != times.len()) {
            let reason = "its columns have different lengths";
            return Err(CheckpointError::wrong(ON_THE_WAY, reason));
        }
        for index in 0..times.len() {
            let delivery = Delivery {
                time: Time(times[index]),
                emitted: Time(emitted[index]),
                fanout: fanouts[index],
                delay: delays[index],
                source: sources[index],
                message: Message { payload: payloads[index], running: running[index] },
            };
            if !self.is_possible(&delivery) {
                let reason = format!("entry {index} cannot be on its way in this network");
                return Err(CheckpointError::wrong(ON_THE_WAY, reason));
            }
            self.calendar.push(delivery);
        }
        Ok(())
    }

    fn is_possible(&self, delivery: &Delivery) -> bool {
        let fanouts = self.compiled.connectome.fanouts();
        let fanout = fanouts.get(delivery.fanout as usize);
        let exists = fanout.is_some_and(|fanout| {
            (delivery.source as usize) < fanout.sources().len()
                && fanout.delays().distinct().contains(&delivery.delay)
        });
        let is_sent = delivery.emitted > Time::ZERO && delivery.emitted <= self.now;
        exists && is_sent && delivery.time > self.now && delivery.time < Time::NEVER
    }
}

impl Part {
    /// The neurons of the part, by population.
    fn slices(&mut self) -> Vec<Slice<'_>> {
        let pieces = self.pieces.iter_mut().map(|piece| Slice {
            population: piece.population,
            range: piece.range.clone(),
            visit: Box::new(|visitor| piece.neurons.visit_state(visitor)),
        });
        pieces.collect()
    }
}

/// The changing synapses of a projection, of all parts.
pub(super) fn plastic(parts: &mut [Part], projection: usize) -> Vec<&mut PlasticSynapses> {
    let own = parts.iter_mut().filter_map(|part| part.plastic.get_mut(projection));
    own.filter_map(Option::as_mut).collect()
}
