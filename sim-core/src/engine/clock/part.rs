//! What one thread owns: neurons with their inputs, its own copy of the spikes in flight, and what it
//! sends and samples in an epoch.

use super::super::Compiled;
use super::super::drives::NarrowDrive;
use super::super::source::Stimuli;
use super::block::{Block, Piece, TILE};
use super::history::History;
use super::wide::{Wide, advance_lists};
use crate::connectome::Scratch;
use crate::network::ValidStimulus;
use crate::neuron::Emitted;
use crate::stimulus::Running;
use crate::time::Time;
use kernels::Instructions;

/// What all parts read while the engine runs.
pub(super) struct Context<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) stimuli: &'a Stimuli,
    /// Poisson input of each population as narrow neurons take it.
    pub(super) drives: &'a [Vec<NarrowDrive<'a>>],
    /// (population, variable, interval) of each trace.
    pub(super) traces: &'a [(usize, usize, u64)],
    pub(super) instructions: Instructions,
}

/// Values of a state variable of some neurons of a population at one step.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) step: u64,
    /// Index of the trace.
    pub(super) trace: usize,
    /// First neuron, local to the population.
    pub(super) first: u32,
    pub(super) values: Vec<f64>,
}

/// The spikes of an epoch, by step and population; neurons local to the population, ascending.
pub(super) type Outgoing = Vec<Vec<Emitted>>;

/// What one thread owns.
pub(super) struct Part {
    pub(super) wide: Vec<Wide>,
    pub(super) blocks: Vec<Block>,
    /// Narrow neurons that nothing reaches but constant currents.
    pub(super) tiles: Vec<Piece>,
    pub(super) history: History,
    pub(super) outgoing: Outgoing,
    pub(super) samples: Vec<Sample>,
    /// Next entry of each spike list.
    list_positions: Vec<usize>,
    /// The part's own copies of spike trains, where it has neurons of theirs.
    trains: Vec<Option<Box<dyn Running>>>,
    spiked: Vec<u32>,
    /// Memory for sums on their way through a projection.
    scratch: Scratch,
}

impl Part {
    /// Part `part_index` of `count`.
    pub(super) fn new(
        compiled: &Compiled,
        (part_index, count): (u32, u32),
        epoch: u64,
        history_length: u64,
    ) -> Part {
        let share = |total: u64, part: u32| total * u64::from(part) / u64::from(count);
        let mut part = Part {
            wide: Vec::new(),
            blocks: Vec::new(),
            tiles: Vec::new(),
            history: History::new(compiled, history_length),
            outgoing: Vec::new(),
            samples: Vec::new(),
            list_positions: vec![0; compiled.network.stimuli().len()],
            trains: Vec::new(),
            spiked: Vec::new(),
            scratch: Scratch::default(),
        };
        let narrow = compiled.connectome.narrow();
        let form = |index: usize| narrow.and_then(|n| n.populations()[index].as_ref());
        for (index, population) in compiled.network.populations().values().enumerate() {
            // Each part has a share of each population, as populations differ in what a neuron costs; what does not
            // divide goes to one part after the other.
            let (size, parts) = (u64::from(population.size()), u64::from(count));
            let offset = u64::from(population.first) % parts;
            let bound = |part: u32| ((size * u64::from(part) + offset) / parts) as u32;
            let range = bound(part_index)..bound(part_index + 1);
            if range.is_empty() {
                continue;
            }
            match form(index) {
                None => part.wide.push(Wide::new(compiled, index, population, range, epoch)),
                Some(narrow) if !narrow.driven => {
                    for first in range.clone().step_by(TILE as usize) {
                        let tile = first..range.end.min(first + TILE);
                        part.tiles.extend(Piece::new(index, population, narrow, tile, 0..0));
                    }
                }
                Some(_) => {}
            }
        }
        if let Some(narrow) = narrow {
            let blocks = narrow.blocks().count() as u64;
            let own = share(blocks, part_index) as usize..share(blocks, part_index + 1) as usize;
            part.blocks = own.map(|block| Block::new(compiled, narrow, block)).collect();
        }
        part
    }

    /// Back to the initial state; weights stay as they are at `keep_weights`, if it is given.
    pub(super) fn restart(&mut self, stimuli: &Stimuli, keep_weights: Option<Time>) {
        let has = |population: usize| self.wide.iter().any(|wide| wide.population == population);
        let start = |(index, entry): (usize, &ValidStimulus)| match entry {
            ValidStimulus::Train { population, train } if has(*population) => {
                Some(train.start(stimuli.seed(index)))
            }
            _ => None,
        };
        self.trains = stimuli.entries().iter().enumerate().map(start).collect();
        self.history.clear();
        self.samples.clear();
        self.list_positions.fill(0);
        self.wide.iter_mut().filter_map(|wide| wide.neurons.as_mut()).for_each(|n| n.reset());
        let plastic = self.wide.iter_mut().flat_map(|wide| wide.plastic.iter_mut().flatten());
        plastic.for_each(|synapses| match keep_weights {
            None => synapses.reset(),
            Some(now) => synapses.reset_state(now),
        });
        self.pieces_mut().for_each(|piece| piece.neurons.reset());
        for block in &mut self.blocks {
            block.flights.clear();
            block.sums.iter_mut().for_each(|sums| sums.0.fill(0));
        }
    }

    /// Lets spikes of step `sent` that the history has set out to the narrow neurons; `now` is the
    /// last step done.
    pub(super) fn launch(&mut self, compiled: &Compiled, sent: u64, now: u64) {
        if let Some(narrow) = compiled.connectome.narrow() {
            for block in &mut self.blocks {
                block.flights.launch(narrow, block.index, self.history.at(sent), sent, now);
            }
        }
    }

    /// Adds what arrives in `step`, of spikes that have been let go, to the inputs of the narrow neurons. What
    /// is let go later for the same step is added later: sums of integers have no order.
    pub(super) fn land(&mut self, compiled: &Compiled, step: u64) {
        if let Some(narrow) = compiled.connectome.narrow() {
            for block in &mut self.blocks {
                block.flights.land(narrow, block.index, step, &mut block.sums);
            }
        }
    }

    /// Spike lists and trains go on after `step`.
    pub(super) fn seek(&mut self, compiled: &Compiled, stimuli: &Stimuli, step: u64) {
        let time = compiled.network.grid().time_of(step);
        advance_lists(stimuli, time, &mut self.list_positions);
        let mut past = Vec::new();
        for train in self.trains.iter_mut().flatten() {
            train.take(time, &mut past);
            past.clear();
        }
    }

    fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Piece> {
        self.blocks.iter_mut().flat_map(|block| &mut block.pieces).chain(&mut self.tiles)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.blocks.iter().flat_map(|block| &block.pieces).chain(&self.tiles)
    }

    /// Sets the current into a population that acts from the next step on.
    pub(super) fn set_current(&mut self, population: usize, current: &[f64]) {
        for wide in self.wide.iter_mut().filter(|wide| wide.population == population) {
            wide.set_current(current);
        }
        for piece in self.pieces_mut().filter(|piece| piece.population == population) {
            piece.set_current(current);
        }
    }

    /// Appends the weights of a projection whose synapses change, of the part's neurons.
    pub(super) fn weights(&self, projection: usize, weights: &mut Vec<(u32, u32, u32, f64)>) {
        for wide in &self.wide {
            let own = wide.fanouts.iter().zip(&wide.plastic).filter(|f| *f.0 == projection);
            own.filter_map(|f| f.1.as_ref()).for_each(|s| weights.extend(s.weights()));
        }
    }

    /// Appends (first neuron, values of a variable) of the neurons of a population that the part has.
    pub(super) fn variable(
        &self,
        population: usize,
        variable: usize,
        values: &mut Vec<(u32, Vec<f64>)>,
    ) {
        for wide in self.wide.iter().filter(|wide| wide.population == population) {
            let own = wide.neurons.as_ref().map(|neurons| neurons.variable(variable));
            values.extend(own.map(|own| (wide.range.start, own)));
        }
        for piece in self.pieces().filter(|piece| piece.population == population) {
            values.push((piece.range.start, piece.neurons.variable(variable)));
        }
    }

    /// Advances all by `steps` steps after step `from`.
    pub(super) fn run_epoch(&mut self, context: &Context<'_>, from: u64, steps: u64) {
        let populations = context.compiled.network.populations().len();
        self.outgoing.resize_with(steps as usize, Vec::new);
        for step in &mut self.outgoing {
            step.resize_with(populations, Emitted::default);
            step.iter_mut().for_each(Emitted::clear);
        }
        let Part {
            wide,
            blocks,
            tiles,
            history,
            outgoing,
            samples,
            list_positions,
            spiked,
            scratch,
            trains,
        } = self;
        let changes = context.changes(from, from + steps);
        for wide in wide {
            for (step, outgoing) in (from + 1..).zip(&mut *outgoing) {
                if let Some(current) = changes.acting_from(step, wide.population) {
                    wide.set_current(current);
                }
                let sent = &mut outgoing[wide.population];
                match wide.neurons {
                    None => wide.send(context, step, list_positions, trains, sent),
                    Some(_) => wide.step(context, history, step, sent, samples, scratch),
                }
            }
        }
        if let Some(narrow) = context.compiled.connectome.narrow() {
            for block in blocks {
                for (step, outgoing) in (from + 1..).zip(&mut *outgoing) {
                    for piece in &mut block.pieces {
                        piece.follow(&changes, step);
                    }
                    block.flights.land(narrow, block.index, step, &mut block.sums);
                    block.step(context, step, outgoing, samples, spiked);
                }
            }
        }
        for tile in tiles {
            for (step, outgoing) in (from + 1..).zip(&mut *outgoing) {
                tile.follow(&changes, step);
                tile.step(context, step, &mut [], outgoing, samples, spiked);
            }
        }
        // Lists advance once for all populations of the part.
        let until = context.compiled.network.grid().time_of(from + steps);
        advance_lists(context.stimuli, until, list_positions);
    }
}

/// Currents that change within an epoch: the step behind which, the population, one number a neuron.
pub(super) struct Changes(Vec<(u64, usize, Vec<f64>)>);

impl Changes {
    /// The current into a population that acts from `step` on, if it is another than before.
    pub(super) fn acting_from(&self, step: u64, population: usize) -> Option<&[f64]> {
        let change = self.0.iter().find(|change| change.0 + 1 == step && change.1 == population);
        change.map(|change| change.2.as_slice())
    }
}

impl Context<'_> {
    /// What changes behind the steps `after` + 1 to `before` − 1.
    fn changes(&self, after: u64, before: u64) -> Changes {
        let next = |step: u64| self.stimuli.next_change(step).filter(|&next| next < before);
        let steps = std::iter::successors(next(after), |&step| next(step));
        let at = |step: u64| {
            let populations = self.stimuli.changed_at(step).into_iter();
            populations.map(move |population| {
                (step, population, self.stimuli.current_after(self.compiled, population, step))
            })
        };
        Changes(steps.flat_map(at).collect())
    }

    /// (index, variable) of the traces of a population that take a sample in a step.
    pub(super) fn due(&self, population: usize, step: u64) -> impl Iterator<Item = (usize, usize)> {
        let traces = self.traces.iter().enumerate();
        traces
            .filter(move |(_, trace)| trace.0 == population && step.is_multiple_of(trace.2))
            .map(|(index, trace)| (index, trace.1))
    }
}
