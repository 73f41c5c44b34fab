//! The course of a run: parts are advanced from epoch to epoch, by one thread or by a thread each, and
//! their spikes are joined and recorded.

use super::super::{Compiled, Observer};
use super::crew::Meeting;
use super::pace::Load;
use super::part::{Context, Outgoing, Part};
use crate::recording::{Recording, Spike};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Writes spikes into the recording.
pub(super) struct Recorder<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) recorded: &'a [bool],
    pub(super) recording: &'a mut Recording,
    pub(super) load: &'a mut Load,
}

impl Recorder<'_> {
    /// Records what the parts sent in an epoch, by (step, population, part).
    fn record(&mut self, from: u64, steps: u64, sent: &[&Outgoing]) {
        let populations = self.compiled.network.populations();
        let before = self.load.of_spikes(&self.recording.counters);
        for offset in 0..steps as usize {
            let time = self.compiled.network.grid().time_of(from + 1 + offset as u64);
            for (index, population) in populations.values().enumerate() {
                for spikes in sent.iter().map(|sent| &sent[offset][index]) {
                    // Values that are sent in every step are no spikes.
                    if spikes.neurons.is_empty() || !spikes.values.is_empty() {
                        continue;
                    }
                    let degrees = self.compiled.out_degrees(population.range());
                    let reached = spikes.neurons.iter().map(|&n| degrees[n as usize]);
                    self.recording.counters.add_all(index, reached, &spikes.payloads);
                    if !self.recorded[index] {
                        continue;
                    }
                    for (place, &neuron) in spikes.neurons.iter().enumerate() {
                        let neuron = population.first + neuron;
                        let payload = spikes.payloads.get(place).copied().unwrap_or(1);
                        self.recording.push_spike(Spike { time, neuron }, payload);
                    }
                }
            }
        }
        let sent = self.load.of_spikes(&self.recording.counters) - before;
        self.load.add_epoch(steps, sent);
    }
}

/// Puts what all parts sent in an epoch into a part's history.
fn receive(part: &mut Part, compiled: &Compiled, from: u64, steps: u64, sent: &[&Outgoing]) {
    for offset in 0..steps as usize {
        let step = from + 1 + offset as u64;
        part.history.begin(step);
        for sent in sent {
            for (population, spikes) in sent[offset].iter().enumerate() {
                if !spikes.neurons.is_empty() {
                    part.history.add(step, population, spikes);
                }
            }
        }
        part.launch(compiled, step, from + steps);
    }
}

/// The course of a run: which steps, what changes when.
pub(super) struct Course<'a> {
    pub(super) context: Context<'a>,
    pub(super) epoch: u64,
    pub(super) from: u64,
    pub(super) end: u64,
}

impl Course<'_> {
    /// The epochs: first step and number of steps of each.
    fn epochs(&self) -> impl Iterator<Item = (u64, u64)> {
        let (epoch, end) = (self.epoch, self.end);
        let starts = (self.from..end).step_by(epoch as usize);
        starts.map(move |from| (from, epoch.min(end - from)))
    }

    /// Currents that change behind `step` act on a part.
    fn change(&self, part: &mut Part, step: u64) {
        for population in self.context.stimuli.changed_at(step) {
            let compiled = self.context.compiled;
            let current = self.context.stimuli.current_after(compiled, population, step);
            part.set_current(population, &current);
        }
    }

    /// Advances a part from epoch to epoch; `exchange` makes the spikes of all parts known to it and
    /// says whether to go on. Gives the step reached.
    fn advance(
        &self,
        part: &mut Part,
        mut exchange: impl FnMut(&mut Part, u64, u64) -> bool,
    ) -> u64 {
        for (from, steps) in self.epochs() {
            part.run_epoch(&self.context, from, steps);
            let go_on = exchange(part, from, steps);
            self.change(part, from + steps);
            if !go_on {
                return from + steps;
            }
        }
        self.end
    }
}

/// Runs all parts in this thread, one after the other in every epoch; gives the step reached.
pub(super) fn run_alone(
    course: &Course<'_>,
    parts: &mut [Part],
    recorder: &mut Recorder<'_>,
    observer: Observer<'_>,
) -> u64 {
    let compiled = course.context.compiled;
    for (from, steps) in course.epochs() {
        parts.iter_mut().for_each(|part| part.run_epoch(&course.context, from, steps));
        let outgoing: Vec<Outgoing> =
            parts.iter_mut().map(|part| std::mem::take(&mut part.outgoing)).collect();
        let sent: Vec<&Outgoing> = outgoing.iter().collect();
        for part in &mut *parts {
            receive(part, compiled, from, steps, &sent);
            course.change(part, from + steps);
        }
        recorder.record(from, steps, &sent);
        parts.iter_mut().zip(outgoing).for_each(|(part, own)| part.outgoing = own);
        if !observer(compiled.network.grid().time_of(from + steps)) {
            return from + steps;
        }
    }
    course.end
}

/// Runs all parts, each in a thread of its own, the first in this one, which also records. What a
/// part sends in one epoch lies in a place of its own until the epoch after the next.
pub(super) fn run_together(
    course: &Course<'_>,
    first: &mut Part,
    others: &mut [Part],
    recorder: &mut Recorder<'_>,
    observer: Observer<'_>,
) -> u64 {
    let threads = others.len() + 1;
    let meeting = Meeting::new(threads);
    // One for even epochs and one for odd ones, so that none is overwritten before all have read it.
    let stop = [AtomicBool::new(false), AtomicBool::new(false)];
    let place = || (0..threads).map(|_| RwLock::new(Outgoing::new())).collect::<Vec<_>>();
    let places = [place(), place()];
    let exchange = |part: &mut Part, number: usize, epoch: &mut usize, from: u64, steps: u64| {
        let places = &places[*epoch % 2];
        *epoch += 1;
        {
            let mut own = places[number].write().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *own, &mut part.outgoing);
        }
        let round = meeting.arrive();
        // Most of the next step's work needs nothing from the others: threads that are not equally
        // fast seldom wait.
        part.land(course.context.compiled, from + steps + 1);
        let together = meeting.wait(round);
        let guards: Vec<_> =
            places.iter().map(|p| p.read().unwrap_or_else(PoisonError::into_inner)).collect();
        let sent: Vec<&Outgoing> = guards.iter().map(|guard| &**guard).collect();
        receive(part, course.context.compiled, from, steps, &sent);
        together
    };
    std::thread::scope(|scope| {
        for (number, part) in (1..).zip(others) {
            let (exchange, meeting, stop) = (&exchange, &meeting, &stop);
            scope.spawn(move || {
                let attendance = meeting.attend();
                let mut epoch = 0;
                course.advance(part, |part, from, steps| {
                    exchange(part, number, &mut epoch, from, steps)
                        && !stop[(epoch + 1) % 2].load(Ordering::Acquire)
                });
                attendance.leave();
            });
        }
        let attendance = meeting.attend();
        let mut epoch = 0;
        let grid = course.context.compiled.network.grid();
        let reached = course.advance(first, |part, from, steps| {
            // Asked before the meeting, so that all threads know the answer after it.
            let go_on = observer(grid.time_of(from + steps));
            stop[epoch % 2].store(!go_on, Ordering::Release);
            let together = exchange(part, 0, &mut epoch, from, steps);
            let places = &places[(epoch + 1) % 2];
            let guards: Vec<_> =
                places.iter().map(|p| p.read().unwrap_or_else(PoisonError::into_inner)).collect();
            let sent: Vec<&Outgoing> = guards.iter().map(|guard| &**guard).collect();
            recorder.record(from, steps, &sent);
            go_on && together
        });
        attendance.leave();
        reached
    })
}

#[cfg(test)]
mod tests {
    use super::super::ClockEngine;
    use crate::connectome::{CompileConfig, Precision};
    use crate::engine::{Compiled, Engine, EngineConfig};
    use crate::network::{
        Connectivity, FixedTotal, Network, Population, Probe, Projection, Stimulus,
    };
    use crate::neuron::lif_exponential::LifExponential;
    use crate::stimulus::PoissonDrive;
    use crate::units::{Hertz, Milliseconds, Picoamperes};
    use std::sync::Arc;

    fn compiled(precision: Precision) -> Arc<Compiled> {
        let mut network = Network::new("driven", Milliseconds(0.1));
        network.add_population("cells", Population::new(300, LifExponential::default()));
        network.add_probe("spikes", Probe::spikes("cells"));
        let drive = PoissonDrive::new("cells", Hertz(9000.0), Picoamperes(100.0));
        network.add_stimulus("drive", Stimulus::PoissonDrive(drive));
        let total = FixedTotal { synapses: 9000, autapses: true, multapses: true };
        for (name, delay) in [("soon", 0.1), ("late", 1.5)] {
            let rule = Connectivity::FixedTotal(total);
            let projection = Projection::new("cells", "cells", rule).weight(Picoamperes(30.0));
            network.add_projection(name, projection.delay(Milliseconds(delay)));
        }
        let config = CompileConfig { precision, blocks: 3, ..CompileConfig::UNLIMITED };
        Arc::new(Compiled::new(network.validate().unwrap(), config).unwrap())
    }

    #[test]
    fn one_thread_and_all_threads_in_any_turn_give_the_same_spikes() {
        for precision in [Precision::Single, Precision::Double] {
            let compiled = compiled(precision);
            let config = |threads| EngineConfig { threads, ..EngineConfig::default() };
            let mut expected = ClockEngine::new(compiled.clone(), config(1));
            expected.advance(false, 400, &mut |_| true);
            let expected = &expected.recording().spikes;
            assert!(expected.len() > 300, "{}", expected.len());
            let turns =
                [vec![(true, 400)], vec![(true, 90), (false, 91), (true, 300), (false, 400)]];
            for turns in turns {
                let mut engine = ClockEngine::new(compiled.clone(), config(3));
                for &(all, end) in &turns {
                    engine.advance(all, end, &mut |_| true);
                }
                assert_eq!(engine.recording().spikes, *expected, "{precision:?}, {turns:?}");
            }
        }
    }
}
