//! The neurons of one population in double precision that a thread owns.

use super::super::Compiled;
use super::super::plastic::PlasticSynapses;
use super::super::source::{Stimuli, poisson_spikes};
use super::history::History;
use super::part::{Context, Sample};
use super::settle::{self, Settle};
use crate::connectome::Scratch;
use crate::network::{ValidPopulation, ValidStimulus};
use crate::neuron::{ClockNeurons, Drive, Emitted};
use crate::stimulus::Running;
use crate::time::Time;
use std::ops::Range;

/// Neurons of one population in double precision.
pub(super) struct Wide {
    pub(super) population: usize,
    /// Indices local to the population.
    pub(super) range: Range<u32>,
    /// `None` for sources.
    pub(super) neurons: Option<Box<dyn ClockNeurons>>,
    /// Input of the step, one vector a receptor.
    pub(super) inputs: Vec<Vec<f64>>,
    pub(super) current: Vec<f64>,
    /// Projections that end here.
    pub(super) fanouts: Vec<usize>,
    /// Those of them whose synapses change.
    pub(super) plastic: Vec<Option<PlasticSynapses>>,
    /// After so many steps every part has seen a spike.
    pub(super) epoch: u64,
    pub(super) amounts: Vec<f64>,
    pub(super) emitted: Emitted,
}

impl Wide {
    pub(super) fn new(
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

    /// Sets the current, given for the whole population, that acts from the next step on.
    pub(super) fn set_current(&mut self, current: &[f64]) {
        let own = self.range.start as usize..self.range.end as usize;
        self.current.copy_from_slice(&current[own]);
    }

    pub(super) fn step(
        &mut self,
        context: &Context<'_>,
        history: &History,
        step: u64,
        sent: &mut Emitted,
        samples: &mut Vec<Sample>,
        scratch: &mut Scratch,
    ) {
        self.arrive(context, history, step, scratch);
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
        let instructions = context.instructions;
        let drive = Drive { inputs: &self.inputs, current: &self.current, instructions };
        neurons.step(drive, &mut self.emitted);
        self.learn(context.compiled, step);
        let Some(neurons) = &mut self.neurons else {
            return;
        };
        let first = self.range.start;
        sent.neurons.extend(self.emitted.neurons.iter().map(|neuron| neuron + first));
        sent.payloads.extend_from_slice(&self.emitted.payloads);
        sent.values.extend_from_slice(&self.emitted.values);
        for (trace, variable) in context.due(self.population, step) {
            samples.push(Sample { step, trace, first, values: neurons.variable(variable) });
        }
        if settle::is_due(step) {
            neurons.visit_state(&mut Settle);
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
    fn arrive(
        &mut self,
        context: &Context<'_>,
        history: &History,
        step: u64,
        scratch: &mut Scratch,
    ) {
        let (compiled, instructions) = (context.compiled, context.instructions);
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
                    let empty = filled & bit == 0;
                    fanout.deliver_all(instructions, spikes, &self.range, input, empty, scratch);
                    filled |= bit;
                }
            }
        }
    }

    /// The spikes that stimuli send from a source in a step, ascending.
    pub(super) fn send(
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

/// Moves the positions in spike lists behind what lies at or before `time`.
pub(super) fn advance_lists(stimuli: &Stimuli, time: Time, positions: &mut [usize]) {
    for (stimulus, position) in stimuli.entries().iter().zip(positions) {
        if let ValidStimulus::SpikeList { spikes, .. } = stimulus {
            *position += spikes[*position..].partition_point(|&(at, _)| at <= time);
        }
    }
}
