//! What one thread owns: neurons with their inputs, its own copy of the spikes in flight, and what it
//! sends and samples in an epoch.

use super::super::Compiled;
use super::super::drives::NarrowDrive;
use super::super::plastic::PlasticSynapses;
use super::super::source::{Stimuli, poisson_spikes};
use super::deliver::{Lists, Sums, deliver, sums};
use super::history::History;
use crate::connectome::Scratch;
use crate::connectome::narrow::{Narrow, NarrowPopulation};
use crate::network::{ValidPopulation, ValidStimulus};
use crate::neuron::{ClockNeurons, Drive, Emitted, NarrowInput, NarrowNeurons};
use crate::stimulus::Running;
use kernels::Instructions;
use std::ops::Range;

/// Neurons of a population without input that are advanced through a whole epoch at a time: their
/// state stays in the nearest cache.
const TILE: u32 = 4096;

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

/// Neurons of one population in double precision.
struct Wide {
    population: usize,
    /// Indices local to the population.
    range: Range<u32>,
    /// `None` for sources.
    neurons: Option<Box<dyn ClockNeurons>>,
    /// Input of the step, one vector a receptor.
    inputs: Vec<Vec<f64>>,
    current: Vec<f64>,
    /// Projections that end here.
    fanouts: Vec<usize>,
    /// Those of them whose synapses change.
    plastic: Vec<Option<PlasticSynapses>>,
    /// After so many steps every part has seen a spike.
    epoch: u64,
    amounts: Vec<f64>,
    emitted: Emitted,
}

/// Neurons of one population in the narrow form.
struct Piece {
    population: usize,
    range: Range<u32>,
    /// Where its inputs lie in the block.
    slots: Range<usize>,
    neurons: Box<dyn NarrowNeurons>,
    units: Vec<f32>,
    exact_units: Vec<f64>,
}

/// Neurons that share accumulators.
struct Block {
    index: usize,
    /// One set a receptor.
    sums: Vec<Box<Sums>>,
    pieces: Vec<Piece>,
    /// Counts that need more random bits.
    undecided: Vec<(u32, u16)>,
}

/// What one thread owns.
pub(super) struct Part {
    wide: Vec<Wide>,
    blocks: Vec<Block>,
    /// Narrow neurons that nothing reaches but constant currents.
    tiles: Vec<Piece>,
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
    /// Part `index` of `count`.
    pub(super) fn new(
        compiled: &Compiled,
        (index, count): (u32, u32),
        epoch: u64,
        history_length: u64,
    ) -> Part {
        let share = |total: u64, part: u32| total * u64::from(part) / u64::from(count);
        let neurons = u64::from(compiled.connectome.neuron_count());
        let own = share(neurons, index) as u32..share(neurons, index + 1) as u32;
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
            let all = population.range();
            let range = all.start.max(own.start)..all.end.min(own.end);
            if range.is_empty() {
                continue;
            }
            let range = range.start - all.start..range.end - all.start;
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
            let own = share(blocks, index) as usize..share(blocks, index + 1) as usize;
            part.blocks = own.map(|block| Block::new(compiled, narrow, block)).collect();
        }
        part
    }

    /// Back to the initial state.
    pub(super) fn restart(&mut self, stimuli: &Stimuli) {
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
        plastic.for_each(PlasticSynapses::reset);
        self.pieces_mut().for_each(|piece| piece.neurons.reset());
        for sums in self.blocks.iter_mut().flat_map(|block| &mut block.sums) {
            sums.fill(0);
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
        let of = |range: &Range<u32>| range.start as usize..range.end as usize;
        for wide in self.wide.iter_mut().filter(|wide| wide.population == population) {
            wide.current.copy_from_slice(&current[of(&wide.range)]);
        }
        for piece in self.pieces_mut().filter(|piece| piece.population == population) {
            let own = of(&piece.range);
            piece.neurons.set_current(&current[own]);
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
    pub(super) fn run_epoch<'a>(
        &mut self,
        context: &Context<'a>,
        from: u64,
        steps: u64,
        lists: &mut Lists<'a>,
    ) {
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
        for wide in wide {
            for (step, outgoing) in (from + 1..).zip(&mut *outgoing) {
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
                    deliver(narrow, block.index, history, step, lists, &mut block.sums);
                    block.step(context, step, outgoing, samples, spiked);
                }
            }
        }
        for tile in tiles {
            for (step, outgoing) in (from + 1..).zip(&mut *outgoing) {
                tile.step(context, step, &mut [], outgoing, samples, spiked);
            }
        }
        // Lists advance once for all populations of the part.
        advance_lists(context, from + steps, list_positions);
    }
}

impl Wide {
    fn new(
        compiled: &Compiled,
        index: usize,
        population: &ValidPopulation,
        range: Range<u32>,
        epoch: u64,
    ) -> Wide {
        let lowered = population.neurons.part(range.start as usize..range.end as usize);
        let fanouts = compiled.connectome.fanouts().iter().enumerate();
        let fanouts: Vec<usize> =
            fanouts.filter(|(_, f)| f.target_population() == index).map(|f| f.0).collect();
        let plastic = fanouts.iter().map(|&f| PlasticSynapses::new(compiled, f, range.clone()));
        Wide {
            plastic: plastic.collect(),
            epoch,
            amounts: Vec::new(),
            population: index,
            neurons: population.model.clock(&lowered),
            inputs: vec![vec![0.0; lowered.size]; population.model.spec().receptors.len()],
            current: vec![0.0; lowered.size],
            range,
            fanouts,
            emitted: Emitted::default(),
        }
    }

    fn step(
        &mut self,
        context: &Context<'_>,
        history: &History,
        step: u64,
        sent: &mut Emitted,
        samples: &mut Vec<Sample>,
        scratch: &mut Scratch,
    ) {
        self.arrive(context.compiled, history, step, scratch);
        for (seed, drive) in context.stimuli.drives(self.population) {
            let (input, first) = (&mut self.inputs[drive.receptor()], self.range.start);
            drive.arrive(seed, step, self.range.clone(), |neuron, weight| {
                input[(neuron - first) as usize] += weight;
            });
        }
        let Some(neurons) = &mut self.neurons else {
            return;
        };
        self.emitted.clear();
        neurons.step(Drive { inputs: &self.inputs, current: &self.current }, &mut self.emitted);
        self.learn(context.compiled, step);
        let Some(neurons) = &self.neurons else {
            return;
        };
        let first = self.range.start;
        sent.neurons.extend(self.emitted.neurons.iter().map(|neuron| neuron + first));
        sent.payloads.extend_from_slice(&self.emitted.payloads);
        for (trace, variable) in context.due(self.population, step) {
            samples.push(Sample { step, trace, first, values: neurons.variable(variable) });
        }
    }

    /// Tells changing synapses of the spikes at the end of `step`.
    fn learn(&mut self, compiled: &Compiled, step: u64) {
        let time = compiled.network.grid().time_of(step);
        for synapses in self.plastic.iter_mut().flatten() {
            self.emitted.neurons.iter().for_each(|&neuron| synapses.post_spike(neuron, time));
            synapses.tidy(time);
            synapses.pause(step);
        }
    }

    /// Tells changing synapses of the modulating spikes that all parts have seen.
    fn modulate(&mut self, compiled: &Compiled, history: &History, step: u64) {
        let Some(sent) = step.checked_sub(self.epoch).filter(|&sent| sent > 0) else {
            return;
        };
        let time = compiled.network.grid().time_of(sent);
        for synapses in self.plastic.iter_mut().flatten() {
            if let Some(modulator) = synapses.modulator {
                let spikes = &history.at(sent)[modulator].neurons;
                spikes.iter().for_each(|_| synapses.modulator_spike(time));
            }
        }
    }

    /// Sets the inputs, one a receptor, to what arrives in `step` through synapses.
    fn arrive(&mut self, compiled: &Compiled, history: &History, step: u64, scratch: &mut Scratch) {
        self.inputs.iter_mut().for_each(|input| input.fill(0.0));
        self.modulate(compiled, history, step);
        let grid = compiled.network.grid();
        // A bit a receptor: whether something was added. All above the last share one.
        let mut filled = 0_u64;
        for (&index, plastic) in self.fanouts.iter().zip(&mut self.plastic) {
            let fanout = &compiled.connectome.fanouts()[index];
            let bit = 1 << fanout.receptor().min(63);
            let input = &mut self.inputs[fanout.receptor()];
            for &delay in fanout.delays().distinct() {
                let Some(sent) = step.checked_sub(u64::from(delay)).filter(|&sent| sent > 0) else {
                    continue;
                };
                let spikes = history.at(sent)[fanout.source_population()].arriving(delay);
                if let Some(synapses) = plastic {
                    for (place, &source) in spikes.neurons.iter().enumerate() {
                        let payload = spikes.payloads.get(place).copied().unwrap_or(1);
                        let (time, factor) = (grid.time_of(sent), f64::from(payload));
                        let amounts = &mut self.amounts;
                        let targets = synapses.deliver(source, delay, time, factor, amounts);
                        for (&target, amount) in targets.iter().zip(&self.amounts) {
                            input[target as usize] += amount;
                        }
                    }
                    filled |= bit;
                    continue;
                }
                if !spikes.neurons.is_empty() {
                    fanout.deliver_all(spikes, &self.range, input, filled & bit == 0, scratch);
                    filled |= bit;
                }
            }
        }
    }

    /// The spikes that stimuli send from a source in a step, ascending.
    fn send(
        &self,
        context: &Context<'_>,
        step: u64,
        positions: &[usize],
        trains: &mut [Option<Box<dyn Running>>],
        sent: &mut Emitted,
    ) {
        let grid = context.compiled.network.grid();
        let spikes = &mut sent.neurons;
        for (index, stimulus) in context.stimuli.entries().iter().enumerate() {
            if stimulus.population() != self.population {
                continue;
            }
            match stimulus {
                ValidStimulus::SpikeList { spikes: list, .. } => {
                    let (after, until) = (grid.time_of(step - 1), grid.time_of(step));
                    let rest = &list[positions[index]..];
                    let from = rest.partition_point(|&(time, _)| time <= after);
                    let due = rest[from..].iter().take_while(|&&(time, _)| time <= until);
                    spikes.extend(due.map(|&(_, n)| n).filter(|n| self.range.contains(n)));
                }
                ValidStimulus::Poisson { probability, .. } => {
                    spikes.extend(self.range.clone().filter(|&neuron| {
                        let p = probability.get(neuron as usize);
                        poisson_spikes(context.stimuli.seed(index), neuron, step, p)
                    }));
                }
                ValidStimulus::Train { .. } => {
                    if let Some(train) = &mut trains[index] {
                        let mut taken = Vec::new();
                        train.take(grid.time_of(step), &mut taken);
                        let own = taken.iter().map(|&(_, neuron)| neuron);
                        spikes.extend(own.filter(|neuron| self.range.contains(neuron)));
                    }
                }
                ValidStimulus::ConstantCurrent { .. }
                | ValidStimulus::VaryingCurrent { .. }
                | ValidStimulus::Drive { .. } => {}
            }
        }
        // Several stimuli may drive one source; it still spikes at most once a step.
        spikes.sort_unstable();
        spikes.dedup();
    }
}

/// Moves the positions in spike lists behind what lies at or before `step`.
fn advance_lists(context: &Context<'_>, step: u64, positions: &mut [usize]) {
    let time = context.compiled.network.grid().time_of(step);
    for (stimulus, position) in context.stimuli.entries().iter().zip(positions) {
        if let ValidStimulus::SpikeList { spikes, .. } = stimulus {
            *position += spikes[*position..].partition_point(|&(at, _)| at <= time);
        }
    }
}

impl Context<'_> {
    /// (index, variable) of the traces of a population that take a sample in a step.
    fn due(&self, population: usize, step: u64) -> impl Iterator<Item = (usize, usize)> {
        let traces = self.traces.iter().enumerate();
        traces
            .filter(move |(_, trace)| trace.0 == population && step.is_multiple_of(trace.2))
            .map(|(index, trace)| (index, trace.1))
    }
}

impl Block {
    fn new(compiled: &Compiled, narrow: &Narrow, index: usize) -> Block {
        let mut pieces = Vec::new();
        for (number, population) in compiled.network.populations().values().enumerate() {
            let (range, slots) =
                (narrow.blocks().slice(index, number), narrow.blocks().slots(index, number));
            let form = narrow.populations()[number].as_ref();
            if let Some(form) = form.filter(|_| !range.is_empty()) {
                pieces.extend(Piece::new(number, population, form, range, slots));
            }
        }
        let receptors = pieces.iter().map(|piece| piece.units.len()).max().unwrap_or(0);
        let sums = (0..receptors).map(|_| sums()).collect();
        Block { index, sums, pieces, undecided: Vec::new() }
    }

    /// Draws random input and advances all neurons, after delivery.
    fn step(
        &mut self,
        context: &Context<'_>,
        step: u64,
        outgoing: &mut [Emitted],
        samples: &mut Vec<Sample>,
        spiked: &mut Vec<u32>,
    ) {
        for piece in &mut self.pieces {
            for drive in &context.drives[piece.population] {
                let sums = &mut self.sums[drive.receptor()][piece.slots.clone()];
                let unit = piece.exact_units[drive.receptor()];
                let (instructions, range) = (context.instructions, piece.range.clone());
                drive.add(instructions, step, range, unit, sums, &mut self.undecided);
            }
            piece.step(context, step, &mut self.sums, outgoing, samples, spiked);
        }
    }
}

impl Piece {
    fn new(
        index: usize,
        population: &ValidPopulation,
        form: &NarrowPopulation,
        range: Range<u32>,
        slots: Range<usize>,
    ) -> Option<Piece> {
        let lowered = population.neurons.part(range.start as usize..range.end as usize);
        let units = form.units.iter().map(|&unit| unit as f32).collect();
        let neurons = population.model.narrow(&lowered)?;
        let exact_units = form.units.clone();
        Some(Piece { population: index, range, slots, neurons, units, exact_units })
    }

    fn step(
        &mut self,
        context: &Context<'_>,
        step: u64,
        sums: &mut [Box<Sums>],
        outgoing: &mut [Emitted],
        samples: &mut Vec<Sample>,
        spiked: &mut Vec<u32>,
    ) {
        spiked.clear();
        let (slots, units, neurons) = (&self.slots, &self.units, &mut self.neurons);
        let instructions = context.instructions;
        match sums {
            [] => neurons.step(instructions, &mut [], spiked),
            [first] => {
                let sums = &mut first[slots.clone()];
                neurons.step(instructions, &mut [NarrowInput { sums, unit: units[0] }], spiked);
            }
            [first, second] if units.len() == 2 => {
                let first = NarrowInput { sums: &mut first[slots.clone()], unit: units[0] };
                let second = NarrowInput { sums: &mut second[slots.clone()], unit: units[1] };
                neurons.step(instructions, &mut [first, second], spiked);
            }
            more => {
                let inputs = more.iter_mut().zip(units);
                let mut inputs: Vec<NarrowInput<'_>> = inputs
                    .map(|(sums, &unit)| NarrowInput { sums: &mut sums[slots.clone()], unit })
                    .collect();
                neurons.step(instructions, &mut inputs, spiked);
            }
        }
        let (first, size) = (self.range.start, self.range.len() as u32);
        let own = spiked.iter().filter(|&&neuron| neuron < size);
        outgoing[self.population].neurons.extend(own.map(|neuron| neuron + first));
        for (trace, variable) in context.due(self.population, step) {
            samples.push(Sample { step, trace, first, values: self.neurons.variable(variable) });
        }
    }
}
