//! The neurons that one thread advances from event to event.

use super::Delivery;
use super::cuts::Cuts;
use super::trains::TrainMaker;
use crate::connectome::Fanout;
use crate::engine::Compiled;
use crate::engine::plastic::PlasticSynapses;
use crate::engine::source::Stimuli;
use crate::neuron::{Arrivals, Combine, EventNeurons, Inbox, Sent};
use crate::stimulus::Places;
use crate::time::{Grid, Time};
use std::ops::Range;

/// The neurons of one population that one thread owns; sources have none.
pub(super) struct Piece {
    pub(super) population: usize,
    /// Indices local to the population.
    pub(super) range: Range<u32>,
    pub(super) neurons: Box<dyn EventNeurons>,
    pub(super) inbox: Inbox,
}

/// The Poisson input of a window.
pub(super) struct Drives<'s> {
    pub(super) stimuli: &'s Stimuli,
    /// The steps that end in the window.
    pub(super) steps: Range<u64>,
}

impl Drives<'_> {
    /// The steps of the window at whose ends some input may arrive, ascending.
    fn steps_with_input(&self) -> std::iter::Peekable<impl Iterator<Item = u64>> {
        let (stimuli, end) = (self.stimuli, self.steps.end);
        let next = move |step: u64| stimuli.next_drive(step).filter(|&step| step < end);
        let first = self.steps.start.checked_sub(1).and_then(next);
        std::iter::successors(first, move |&step| next(step)).peekable()
    }
}

/// What one thread owns.
pub(super) struct Part {
    pub(super) pieces: Vec<Piece>,
    /// Place of each population in `pieces`.
    places: Vec<Option<usize>>,
    pub(super) targets: Vec<u32>,
    pub(super) amounts: Vec<f64>,
    /// Spikes of the window: (time, global index, payload).
    pub(super) spikes: Vec<Sent>,
    /// The synapses onto this part that change, by projection.
    pub(super) plastic: Vec<Option<PlasticSynapses>>,
    /// Whether each piece takes its input by rows.
    pub(super) by_rows: Vec<bool>,
    /// Whether the rows of each projection onto such a piece name no target twice.
    pub(super) distinct: Vec<bool>,
    /// Where the synapses onto such a piece lie in the rows of each projection, if that is kept.
    pub(super) cuts: Vec<Option<Cuts>>,
    pub(super) trains: TrainMaker,
    pub(super) learned: Vec<f64>,
    exact: Vec<Exact>,
}

/// An input at a time within a step: when, the piece, the neuron in it, the receptor, how much.
type Exact = (Time, usize, u32, usize, f64);

impl Part {
    /// The part of the neurons with these global indices.
    ///
    /// # Errors
    /// (index of the population, why its model cannot be advanced from event to event).
    pub(super) fn new(compiled: &Compiled, neurons: Range<u32>) -> Result<Self, (usize, String)> {
        let populations = compiled.network.populations();
        let mut part = Part {
            pieces: Vec::new(),
            places: vec![None; populations.len()],
            targets: Vec::new(),
            amounts: Vec::new(),
            spikes: Vec::new(),
            plastic: Vec::new(),
            by_rows: Vec::new(),
            distinct: Vec::new(),
            cuts: Vec::new(),
            trains: TrainMaker::default(),
            learned: Vec::new(),
            exact: Vec::new(),
        };
        for (index, population) in populations.values().enumerate() {
            let own = population.range();
            let (start, end) = (own.start.max(neurons.start), own.end.min(neurons.end));
            if start >= end {
                continue;
            }
            let range = start - own.start..end - own.start;
            let lowered = population.neurons.part(range.start as usize..range.end as usize);
            let model = population.model;
            let Some(mut neurons) = model.event(&lowered).map_err(|reason| (index, reason))? else {
                continue;
            };
            let inbox = Inbox::new(lowered.size, model.spec().receptors.len());
            part.places[index] = Some(part.pieces.len());
            part.by_rows.push(neurons.by_rows().is_some());
            part.pieces.push(Piece { population: index, range, neurons, inbox });
        }
        for (index, projection) in compiled.network.projections().values().enumerate() {
            let piece = part.places[projection.target].map(|place| &part.pieces[place]);
            let range = piece.map(|piece| piece.range.clone());
            let synapses =
                range.clone().and_then(|range| PlasticSynapses::new(compiled, index, range));
            part.plastic.push(synapses);
            let takes_rows = part.places[projection.target].is_some_and(|p| part.by_rows[p]);
            let fanout = &compiled.connectome.fanouts()[index];
            part.distinct.push(takes_rows && fanout.is_distinct());
            let range = range.filter(|_| takes_rows);
            part.cuts.push(range.and_then(|range| Cuts::new(fanout, &range)));
        }
        Ok(part)
    }

    /// Takes the deliveries (sorted by time) of a window that ends at `until`, and advances the
    /// neurons to there.
    pub(super) fn run_window(
        &mut self,
        compiled: &Compiled,
        due: &[Delivery],
        drives: &Drives<'_>,
        until: Time,
    ) {
        self.take_rows(compiled, due, drives);
        if self.by_rows.contains(&false) {
            self.take_singly(compiled, due, drives);
        }
        self.spikes.clear();
        for piece in &mut self.pieces {
            piece.neurons.settle(&mut piece.inbox, until);
            let before = self.spikes.len();
            piece.inbox.take_spikes(&mut self.spikes);
            let population = &compiled.network.populations()[piece.population];
            let first = population.first + piece.range.start;
            let own = &mut self.spikes[before..];
            if self.plastic.iter().flatten().next().is_some() {
                own.sort_unstable();
                tell(&mut self.plastic, compiled, piece.population, own);
            }
            own.iter_mut().for_each(|spike| spike.1 += first);
        }
        self.plastic.iter_mut().flatten().for_each(|synapses| synapses.tidy(until));
    }

    /// Input of a window into the populations that take every input on its own.
    fn take_singly(&mut self, compiled: &Compiled, due: &[Delivery], drives: &Drives<'_>) {
        let grid = compiled.network.grid();
        let mut steps = drives.steps_with_input();
        let mut exact = std::mem::take(&mut self.exact);
        // The step whose exact input is in the list, and what of it was taken.
        let (mut drawn, mut taken) = (None, 0);
        for delivery in due {
            // What synapses bring at one time comes before other input, as in the clock engine.
            while let Some(&step) = steps.peek() {
                let end = grid.time_of(step);
                if end.0 - grid.step().0 >= delivery.time.0 {
                    break;
                }
                if drawn.replace(step) != Some(step) {
                    self.draw_exact(drives.stimuli, step, grid, &mut exact);
                    taken = 0;
                }
                taken += self.take_exact(&exact[taken..], delivery.time);
                if end >= delivery.time {
                    break;
                }
                self.drive(drives.stimuli, step, end);
                steps.next();
            }
            let fanout = &compiled.connectome.fanouts()[delivery.fanout as usize];
            self.deliver(fanout, delivery);
        }
        for step in steps {
            if drawn != Some(step) {
                self.draw_exact(drives.stimuli, step, grid, &mut exact);
                taken = 0;
            }
            self.take_exact(&exact[taken..], Time::NEVER);
            self.drive(drives.stimuli, step, grid.time_of(step));
        }
        self.exact = exact;
    }

    /// Lists the Poisson input that arrives within a step, in the order of time.
    fn draw_exact(&mut self, stimuli: &Stimuli, step: u64, grid: Grid, exact: &mut Vec<Exact>) {
        exact.clear();
        let end = grid.time_of(step);
        let mut times = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate().filter(|(p, _)| !self.by_rows[*p]) {
            for (seed, drive) in stimuli.drives(piece.population).filter(|d| d.1.is_exact()) {
                let Some(sent) = drive.sent_for(step) else {
                    continue;
                };
                let mut places = Places::new(seed, sent);
                drive.counts(seed, step, piece.range.clone(), |neuron, count| {
                    times.clear();
                    places.append(neuron, count, end, grid.step(), &mut times);
                    let (own, weight) =
                        (neuron - piece.range.start, drive.weight().get(neuron as usize));
                    let event = |&time| (time, place, own, drive.receptor(), weight);
                    exact.extend(times.iter().map(event));
                });
            }
        }
        exact.sort_by_key(|&(time, ..)| time);
    }

    /// Takes the first of these inputs, those before a time; how many.
    fn take_exact(&mut self, exact: &[Exact], before: Time) -> usize {
        let count = exact.partition_point(|&(time, ..)| time < before);
        for &(time, place, neuron, receptor, amount) in &exact[..count] {
            let piece = &mut self.pieces[place];
            let (targets, amounts, combine) = (&[neuron], &[amount], Combine::Sum);
            let arrivals = Arrivals { time, receptor, combine, targets, amounts };
            piece.neurons.arrive(&mut piece.inbox, arrivals);
        }
        count
    }

    /// The Poisson input that arrives at the end of a step.
    fn drive(&mut self, stimuli: &Stimuli, step: u64, time: Time) {
        for (piece, _) in self.pieces.iter_mut().zip(&self.by_rows).filter(|(_, rows)| !**rows) {
            for (seed, drive) in stimuli.drives(piece.population).filter(|d| !d.1.is_exact()) {
                let (targets, amounts) = (&mut self.targets, &mut self.amounts);
                targets.clear();
                amounts.clear();
                let first = piece.range.start;
                drive.arrive(seed, step, piece.range.clone(), |neuron, weight| {
                    targets.push(neuron - first);
                    amounts.push(weight);
                });
                let (receptor, combine) = (drive.receptor(), Combine::Sum);
                let arrivals = Arrivals { time, receptor, combine, targets, amounts };
                piece.neurons.arrive(&mut piece.inbox, arrivals);
            }
        }
    }

    fn deliver(&mut self, fanout: &Fanout, delivery: &Delivery) {
        let Some(place) = self.places[fanout.target_population()] else {
            return;
        };
        if self.by_rows[place] {
            return;
        }
        let piece = &mut self.pieces[place];
        let (targets, amounts) = (&mut self.targets, &mut self.amounts);
        targets.clear();
        amounts.clear();
        let factor = delivery.message.factor(fanout.combine());
        let (time, receptor, combine) = (delivery.time, fanout.receptor(), fanout.combine());
        if let Some(synapses) = &mut self.plastic[delivery.fanout as usize] {
            let Delivery { source, delay, emitted, .. } = *delivery;
            let targets = synapses.deliver(source, delay, emitted, factor, amounts);
            let arrivals = Arrivals { time, receptor, combine, targets, amounts };
            piece.neurons.arrive(&mut piece.inbox, arrivals);
            return;
        }
        let first = piece.range.start;
        fanout.for_each_in(delivery.source, delivery.delay, &piece.range, |target, weight| {
            targets.push(target - first);
            amounts.push(weight * factor);
        });
        let arrivals = Arrivals { time, receptor, combine, targets, amounts };
        piece.neurons.arrive(&mut piece.inbox, arrivals);
    }

    /// The earliest spike that comes if nothing more arrives.
    pub(super) fn next_crossing(&mut self) -> Option<Time> {
        self.pieces.iter_mut().filter_map(|piece| piece.inbox.next_crossing()).min()
    }

    /// The piece with neurons of this population.
    pub(super) fn piece_of(&mut self, population: usize) -> Option<&mut Piece> {
        self.places[population].map(|place| &mut self.pieces[place])
    }

    /// Back to the initial state.
    pub(super) fn reset(&mut self) {
        self.reset_neurons();
        self.plastic.iter_mut().flatten().for_each(PlasticSynapses::reset);
    }

    /// Back to the initial state with the weights as they are at `now`.
    pub(super) fn reset_state(&mut self, now: Time) {
        self.reset_neurons();
        self.plastic.iter_mut().flatten().for_each(|synapses| synapses.reset_state(now));
    }

    fn reset_neurons(&mut self) {
        for piece in &mut self.pieces {
            piece.neurons.reset();
            piece.inbox.reset();
        }
    }
}

/// Tells the changing synapses onto a population of its spikes: (time, local index, payload).
fn tell(
    plastic: &mut [Option<PlasticSynapses>],
    compiled: &Compiled,
    population: usize,
    spikes: &[Sent],
) {
    let fanouts = compiled.connectome.fanouts();
    for (synapses, fanout) in plastic.iter_mut().zip(fanouts) {
        let onto = synapses.as_mut().filter(|_| fanout.target_population() == population);
        if let Some(synapses) = onto {
            spikes.iter().for_each(|&(time, neuron, _)| synapses.post_spike(neuron, time));
        }
    }
}
