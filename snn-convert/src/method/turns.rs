//! Lowering for codes whose layers take turns: each layer listens in one window and spikes in the
//! next, so a spike's time (or phase) within the window says what it stands for.
//!
//! **Time.** A unit's window opens when all its sources' windows are over and their last spikes have
//! arrived. Where branches of different depth meet, the spikes of the shallower one travel as much
//! longer: the delay of each projection is what is left after the window of its source, so every
//! spike arrives at the same place within the window wherever it comes from. That is exact and needs
//! no relay neurons.

use super::{MethodError, Prepared};
use crate::coding::InputCode;
use crate::linear::{ChannelScale, LinearMap};
use crate::lower::{
    Conversion, CurrentDrive, INPUT, InputPlan, Readout, SpikeValue, Timing, UnitScale, layer,
    population_names, project,
};
use crate::structure::{Origin, Structure, Unit, UnitKind};
use sim_core::network::{ConstantCurrent, Network, Neuron, Population, Probe, SpikeList, Stimulus};
use sim_core::units::{Milliseconds, Quantity, Values};

/// A code whose layers take turns.
pub(super) struct TurnCode<'a> {
    /// Steps from a unit's opening to that of a unit that reads it.
    pub span: u32,
    /// Steps for which a constant current acts before an opening.
    pub current_steps: u32,
    /// What a constant current of 1 for that time amounts to in the unit's potential.
    pub current_gain: f64,
    /// The neurons of a unit that spikes, by its index and opening step.
    pub neuron: &'a dyn Fn(usize, u32) -> Neuron,
    /// The gates that take a maximum.
    pub maximum: fn() -> Neuron,
    /// The neurons whose potentials are the scores.
    pub readout: fn(&TurnCode<'_>, u32) -> Neuron,
    /// What is added to the initial potential of units that spike.
    pub offset: f64,
    /// Steps before an opening at which the ramp sets in; none has no ramp.
    pub ramp: Option<u32>,
    /// The population that this code's samples enter through, by opening step.
    pub input_neuron: fn(&TurnCode<'_>, u32) -> Neuron,
    /// What the input stands for in a unit of the code: its scale.
    pub input_scale: f64,
    /// How many of a unit's scale its largest value is.
    pub full_scale: f64,
    /// Phases or slots.
    pub code_steps: u32,
    /// What a spike stands for.
    pub spike_value: SpikeValue,
    /// Steps of a window.
    pub window: u32,
    /// Whether spike times lie on no grid.
    pub continuous: bool,
}

/// Opening step of the input population.
const INPUT_OPENING: u32 = 1;

/// The step at which each unit's window opens.
fn openings(structure: &Structure, code: &TurnCode<'_>, spiking_input: bool) -> Vec<u32> {
    let mut openings: Vec<u32> = Vec::new();
    for unit in &structure.units {
        let span = span(code, unit);
        let after = |branch: &crate::structure::Branch| match branch.origin {
            Origin::Input if spiking_input => INPUT_OPENING + span,
            Origin::Input => code.current_steps,
            Origin::Unit(source) => openings[source] + span,
        };
        let latest = unit.branches.iter().map(after).max();
        openings.push(latest.unwrap_or(code.current_steps).max(code.current_steps));
    }
    openings
}

/// Whether a unit may be larger than the largest value that its code has.
fn saturates(unit: &Unit, scale: &UnitScale, code: &TurnCode<'_>) -> bool {
    let UnitKind::Rectifier { maximum } = unit.kind else { return false };
    // 1e-9: scales are quotients that were rounded.
    scale.output.factors.iter().any(|factor| factor * code.full_scale < maximum * (1.0 - 1e-9))
}

/// A maximum is passed on as it arrives; all other units wait for the whole window.
fn span(code: &TurnCode<'_>, unit: &Unit) -> u32 {
    if unit.kind == UnitKind::MaxPool { 1 } else { code.span }
}

/// Makes the description.
pub(super) fn lower_in_turns(
    prepared: &Prepared<'_>,
    scales: &[UnitScale],
    input_code: InputCode,
    code: &TurnCode<'_>,
) -> Conversion {
    let structure = prepared.structure;
    let spiking = input_code.spikes();
    let mut builder = Builder {
        code,
        scales,
        names: population_names(structure),
        openings: openings(structure, code, spiking),
        network: Network::new(prepared.name, Milliseconds(1.0)),
        input: InputPlan {
            code: input_code,
            currents: Vec::new(),
            spikes: None,
            opening: 0,
            window: code.window,
            tuning: None,
        },
    };
    if spiking {
        builder.add_input(structure);
    }
    let mut layers = Vec::new();
    for (index, unit) in structure.units.iter().enumerate() {
        let neuron = builder.neuron(index, unit);
        let model = neuron.model.clone();
        let name = builder.names[index].clone();
        let shape = unit.shape.arrangement();
        builder.network.add_population(&name, Population::shaped(shape, neuron));
        builder.add_projections(index, unit);
        builder.add_sample_current(index, unit);
        builder.add_ramp(index, unit);
        builder.network.add_probe(format!("spikes of {name}"), Probe::spikes(&name));
        let mut layer = layer(unit, &scales[index], &name, model, builder.openings[index]);
        layer.saturates = saturates(unit, &scales[index], code);
        layers.push(layer);
    }
    let step = builder.openings.last().copied().unwrap_or(1);
    let (code_steps, continuous) = (code.code_steps, code.continuous);
    Conversion {
        network: builder.network,
        layers,
        input: builder.input,
        readout: Readout::Membrane,
        sample_size: structure.input.size(),
        timing: Timing::Once { step, code_steps, continuous },
        spike_value: code.spike_value,
        margin: 0.0,
        notes: Vec::new(),
        candidates: Vec::new(),
    }
}

struct Builder<'a> {
    code: &'a TurnCode<'a>,
    scales: &'a [UnitScale],
    names: Vec<String>,
    openings: Vec<u32>,
    network: Network,
    input: InputPlan,
}

impl Builder<'_> {
    /// The population through which samples enter as spikes.
    fn add_input(&mut self, structure: &Structure) {
        let neuron = (self.code.input_neuron)(self.code, INPUT_OPENING);
        let source = neuron.model == "spike_source";
        let shape = structure.input.arrangement();
        self.network.add_population(INPUT, Population::shaped(shape, neuron));
        self.network.add_probe("spikes of input", Probe::spikes(INPUT));
        self.input.opening = INPUT_OPENING;
        let population = INPUT.to_string();
        if source {
            let times = Values::Each { values: Vec::new(), unit: crate::lower::MILLISECONDS };
            let stimulus =
                Stimulus::SpikeList(SpikeList { population, neurons: Vec::new(), times });
            self.network.add_stimulus("sample", stimulus);
            self.input.spikes = Some(0);
            return;
        }
        // Encoding neurons: the sample is their current in the step of their opening.
        let size = structure.input.size();
        let gain = 1.0 / self.code.input_scale;
        let row = |n: usize| vec![(n as u32, gain)];
        let map = LinearMap::Sparse { targets: size, rows: (0..size).map(row).collect() };
        let steps = (INPUT_OPENING - 1, INPUT_OPENING);
        self.network.add_stimulus("sample", current(population, vec![0.0; size], steps));
        let drive = CurrentDrive { stimulus: 0, maps: vec![map], bias: vec![0.0; size] };
        self.input.currents.push(drive);
    }

    fn neuron(&self, index: usize, unit: &Unit) -> Neuron {
        let (code, scale) = (self.code, &self.scales[index]);
        let opening = self.openings[index];
        let bias = scale.biases(scale.bias.as_ref().unwrap_or(&unit.bias));
        let (neuron, offset) = match unit.kind {
            UnitKind::MaxPool => return (code.maximum)(),
            UnitKind::Readout => ((code.readout)(code, opening), 0.0),
            _ => ((code.neuron)(index, opening), code.offset),
        };
        let initial = bias.into_iter().map(|bias| bias + offset).collect();
        neuron.initial("membrane_potential", Values::numbers(initial))
    }

    fn add_projections(&mut self, index: usize, unit: &Unit) {
        let span = span(self.code, unit);
        let input = ChannelScale { factors: vec![self.code.input_scale], per_channel: usize::MAX };
        for (number, branch) in unit.branches.iter().enumerate() {
            let (source, scale, opening) = match branch.origin {
                Origin::Input if !self.input.code.spikes() => continue,
                Origin::Input => (INPUT, &input, INPUT_OPENING),
                Origin::Unit(source) => (
                    self.names[source].as_str(),
                    &self.scales[source].output,
                    self.openings[source],
                ),
            };
            // In the span, the last step belongs to the shortest delay.
            let delay = self.openings[index] - opening - (span - 1);
            let target = (self.names[index].as_str(), delay);
            let own = format!("{source} -> {}", target.0);
            let projection =
                project(unit, &branch.map, &self.scales[index], (source, scale), target);
            let repeated = self.network.projections.contains_key(&own);
            let own = if repeated { format!("{own} ({number})") } else { own };
            self.network.add_projection(own, projection);
        }
    }

    /// The sample's constant current into a unit that reads the input directly.
    fn add_sample_current(&mut self, index: usize, unit: &Unit) {
        if self.input.code.spikes() {
            return;
        }
        let gain = self.code.current_gain;
        let target = ChannelScale { factors: vec![gain], per_channel: usize::MAX };
        let maps: Vec<LinearMap> = unit
            .branches
            .iter()
            .filter(|branch| branch.origin == Origin::Input)
            .map(|branch| self.scales[index].weights(&branch.map, &ChannelScale::one()))
            .map(|map| map.scaled(&ChannelScale::one(), &target))
            .collect();
        if maps.is_empty() {
            return;
        }
        let (name, end) = (&self.names[index], self.openings[index]);
        let size = unit.shape.size();
        let stimulus = self.network.stimuli.len();
        let steps = (end - self.code.current_steps, end);
        let none = current(name.clone(), vec![0.0; size], steps);
        self.network.add_stimulus(format!("sample into {name}"), none);
        self.input.currents.push(CurrentDrive { stimulus, maps, bias: vec![0.0; size] });
    }

    /// The current that makes the potential rise while the window is open.
    fn add_ramp(&mut self, index: usize, unit: &Unit) {
        let Some(earlier) = self.code.ramp else { return };
        if matches!(unit.kind, UnitKind::MaxPool | UnitKind::Readout) {
            return;
        }
        let name = &self.names[index];
        let start = f64::from(self.openings[index] - earlier);
        let ramp = Stimulus::constant_current(name, 1.0, Milliseconds(start));
        self.network.add_stimulus(format!("ramp of {name}"), ramp);
    }
}

fn current(population: String, amplitude: Vec<f64>, steps: (u32, u32)) -> Stimulus {
    let time = |step: u32| Quantity::from(Milliseconds(f64::from(step)));
    Stimulus::ConstantCurrent(ConstantCurrent {
        population,
        amplitude: Values::numbers(amplitude),
        start: time(steps.0),
        stop: Some(time(steps.1)),
    })
}

/// Refuses an input code that the method cannot read.
pub(super) fn check_code(
    method: &'static str,
    given: InputCode,
    spiking: InputCode,
    needed: &'static str,
) -> Result<(), MethodError> {
    let allowed = given == InputCode::ConstantCurrent || given == spiking;
    allowed.then_some(()).ok_or(MethodError::Code { method, needed })
}
