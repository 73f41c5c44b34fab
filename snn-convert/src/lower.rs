//! From units and thresholds to a spiking network description.
//!
//! Every activation is expressed in units of its threshold: a spike of a unit stands for θ per step,
//! so weights become w · θ_source / θ_target, biases b / θ_target, and every threshold is 1. The last
//! layer integrates without spiking; its potential after T steps is T times the network's scores.
//!
//! **Time.** Every projection takes as many steps as its ends lie apart in depth (one between
//! neighbouring layers), and a layer's bias sets in when its first input can arrive. A layer at depth
//! d therefore does in the steps d, d + 1, … exactly what it would do in the steps 1, 2, … of a
//! network whose layers all act at once: depth delays, but changes no spike.

use crate::coding::InputCode;
use crate::linear::{ChannelScale, LinearMap};
use crate::structure::{Origin, Structure, Unit, UnitKind};
use serde::Serialize;
use sim_core::network::{
    Connectivity, Dense, List, Network, Neuron, OneToOne, Poisson, Population, Probe, Projection,
    Reset, Shape, SpikeCondition, SpikeList, Stimulus,
};
use sim_core::neuron::burst_integrate_and_fire::{BurstIntegrateAndFire, NO_LIMIT};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::max_pool_graded::{MOST_BITS, MaxPoolGraded, PoolRule, RECEPTORS};
use sim_core::neuron::{integrator::integrator, max_pool::max_pool};
use sim_core::units::{Hertz, Milliseconds, Values};

/// What is read as the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Readout {
    /// The potential of the last layer, which integrates without spiking.
    Membrane,
    /// The spike counts of the last layer; ties go to the larger potential.
    SpikeCount,
    /// The first spike of the last layer.
    FirstSpike,
    /// The potential of the last layer, as soon as the largest leads by a margin.
    EarlyStop,
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Name of the population.
    pub population: String,
    /// Operators of the trained network that it stands for.
    pub nodes: Vec<String>,
    /// Shape of the population.
    pub shape: Shape,
    /// Model of its neurons.
    pub model: String,
    /// Smallest and largest activation that a spike stands for.
    pub thresholds: [f64; 2],
    /// Channels that were silent on the calibration samples.
    pub dead_channels: usize,
    /// Steps before the layer's first input can arrive; the opening of its window where layers take
    /// turns.
    pub onset: u32,
    /// Whether activations occur that its code cannot express, so that they are cut.
    pub saturates: bool,
    /// Activation that a spike stands for, a channel, over all steps of a rate code.
    #[serde(skip)]
    pub output: ChannelScale,
}

/// A linear map of the sample whose result, with the bias, drives a layer as a constant current.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentDrive {
    /// Index of the stimulus.
    pub stimulus: usize,
    /// Maps of the sample that add up.
    pub maps: Vec<LinearMap>,
    /// Constant part, one a neuron.
    pub bias: Vec<f64>,
}

/// How a sample is put into the network.
#[derive(Debug, Clone, PartialEq)]
pub struct InputPlan {
    /// The code.
    pub code: InputCode,
    /// Currents that depend on the sample, for [`InputCode::ConstantCurrent`].
    pub currents: Vec<CurrentDrive>,
    /// Index of the stimulus that makes the input population spike, for the other codes.
    pub spikes: Option<usize>,
    /// Step at which the input's window opens, for codes that have one.
    pub opening: u32,
    /// Steps of that window.
    pub window: u32,
    /// How values drive populations, for [`InputCode::Population`].
    pub tuning: Option<crate::coding::population::Tuning>,
}

/// When a converted network has an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// All layers act in every step: there is an answer after any number of steps, and the scores
    /// grow with them.
    AnyStep,
    /// The layers take turns: there is one answer, the trained network's own scores.
    Once {
        /// The step at whose end the scores are read.
        step: u32,
        /// Steps that a value takes, as asked for: phases or time slots; 1 in continuous time.
        code_steps: u32,
        /// Whether spike times lie on no grid, so that only the event-driven engine is exact.
        continuous: bool,
    },
}

/// A converted network: the description, and how to use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The spiking network.
    pub network: Network,
    /// One entry a unit, the read-out last.
    pub layers: Vec<Layer>,
    /// How samples are put in.
    pub input: InputPlan,
    /// What is read.
    pub readout: Readout,
    /// Number of values of a sample.
    pub sample_size: usize,
    /// When the scores are read.
    pub timing: Timing,
    /// Lead that the largest score needs for an early stop.
    pub margin: f64,
    /// What the conversion has to say: sentences on dead channels and on what was chosen, and why.
    pub notes: Vec<String>,
    /// What was tried, for methods that search.
    pub candidates: Vec<Candidate>,
}

/// A way to convert that a search has tried on the calibration samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Name of the threshold rule.
    pub threshold: String,
    /// How neurons spike.
    pub neurons: String,
    /// Thresholds are those of the rule times this.
    pub scale: f64,
    /// Share of answers equal to the trained network's, in per cent.
    pub agreement: f64,
    /// Accuracy that the other answers are expected to cost, in points.
    pub expected_loss: f64,
    /// Mean spikes of a sample.
    pub spikes: f64,
    /// Whether it was taken.
    pub chosen: bool,
}

impl Conversion {
    /// Steps before the read-out's first input can arrive.
    pub fn latency(&self) -> u32 {
        self.layers.last().map_or(0, |layer| layer.onset)
    }
}

/// Bursts and negative spikes; see the neuron model `burst_integrate_and_fire`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Graded {
    /// Most spikes in a step.
    pub burst: u32,
    /// Most spikes taken back in a step; 0 for never.
    pub correction: u32,
    /// How far below zero, in thresholds, nothing is taken back.
    pub tolerance: f64,
    /// How maxima are sent on.
    pub pool: PoolRule,
}

impl Graded {
    /// Bits of a payload with its sign.
    pub fn bits(self) -> u32 {
        let needed = (self.burst + 1).max(self.correction).max(2);
        u32::BITS - (needed - 1).leading_zeros() + 1
    }

    /// Inputs that one receptor of a maximum can tell apart.
    pub fn places(self) -> u32 {
        (MOST_BITS / self.bits()).max(1)
    }

    /// The largest window of a maximum.
    pub fn largest_window(self) -> u32 {
        self.places() * RECEPTORS.len() as u32
    }
}

/// How units are made into neurons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeuronForm {
    /// Spike condition.
    pub spike: SpikeCondition,
    /// Whether the threshold is subtracted (true) or the potential set to 0.
    pub soft_reset: bool,
    /// Initial potential in thresholds.
    pub initial: f64,
    /// Whether a bias sets in with the layer's first input (true) or acts from the beginning, as on
    /// chips that have no switch for it.
    pub bias_waits: bool,
    /// What is read; with spike counts the last layer spikes too.
    pub readout: Readout,
    /// Bursts and negative spikes; none for single spikes that stay.
    pub graded: Option<Graded>,
}

/// Thresholds of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScale {
    /// Activation that one spike stands for when the unit is a source.
    pub output: ChannelScale,
    /// Input at which the unit spikes; differs from `output` where a calibrated gain makes up for
    /// what resets lose.
    pub threshold: ChannelScale,
    /// Replaces the unit's bias where a method corrected it.
    pub bias: Option<Vec<f64>>,
    /// Replaces the initial potential of each neuron, in thresholds, where a method corrected it.
    pub initial: Option<Vec<f64>>,
    /// Channels that were silent in calibration; their input is cut off.
    pub dead: Vec<bool>,
    /// The weights and biases of the unit, in thresholds, are multiples of this, for chips whose
    /// weights have few bits; none leaves them as they are.
    pub grid: Option<f64>,
}

impl UnitScale {
    /// A branch from a source of scale `output` in units of the unit's thresholds.
    pub fn weights(&self, map: &LinearMap, output: &ChannelScale) -> LinearMap {
        let scaled = map.scaled(output, &self.gain());
        match self.grid {
            Some(step) => scaled.rounded(step),
            None => scaled,
        }
    }

    /// The bias of each neuron in units of its threshold.
    pub fn biases(&self, bias: &[f64]) -> Vec<f64> {
        let gain = self.gain();
        let scaled = bias.iter().enumerate().map(|(neuron, b)| b * gain.at(neuron));
        match self.grid {
            Some(step) => scaled.map(|b| (b / step).round() * step).collect(),
            None => scaled.collect(),
        }
    }

    /// The initial potential of each neuron, in thresholds.
    pub fn initials(&self, unit: &Unit, form: NeuronForm) -> Vec<f64> {
        let start = match unit.kind {
            UnitKind::Rectifier { .. } => form.initial,
            UnitKind::MaxPool | UnitKind::Readout => 0.0,
        };
        self.initial.clone().unwrap_or_else(|| vec![start; unit.shape.size()])
    }

    /// Most spikes a step that each channel may send on average; none without a limit.
    pub fn largest_rates(&self, unit: &Unit) -> Option<Vec<f64>> {
        let UnitKind::Rectifier { maximum } = unit.kind else { return None };
        let per_channel = unit.shape.per_channel().max(1);
        let rate =
            |channel: usize| (maximum / self.threshold.at(channel * per_channel)).min(NO_LIMIT);
        maximum.is_finite().then(|| (0..unit.shape.channels()).map(rate).collect())
    }

    /// One over the threshold, and 0 for dead channels.
    fn gain(&self) -> ChannelScale {
        let mut gain = self.threshold.inverse();
        for (factor, dead) in gain.factors.iter_mut().zip(&self.dead) {
            if *dead {
                *factor = 0.0;
            }
        }
        gain
    }
}

/// Makes the description.
pub fn lower(
    name: &str,
    structure: &Structure,
    scales: &[UnitScale],
    code: InputCode,
    form: NeuronForm,
) -> Conversion {
    let mut network = Network::new(name, Milliseconds(1.0));
    let names = population_names(structure);
    let mut input =
        InputPlan { code, currents: Vec::new(), spikes: None, opening: 0, window: 0, tuning: None };
    if code.spikes() {
        add_input(&mut network, &mut input, structure, code);
    }
    let mut layers = Vec::new();
    for (index, unit) in structure.units.iter().enumerate() {
        let scale = &scales[index];
        let onset = unit.depth - 1 + u32::from(code.spikes());
        let neuron = neuron_of(unit, scale, form, onset);
        let model = neuron.model.clone();
        let shape = unit.shape.arrangement();
        network.add_population(&names[index], Population::shaped(shape, neuron));
        for (number, branch) in unit.branches.iter().enumerate() {
            let source = match branch.origin {
                Origin::Input if !code.spikes() => continue,
                Origin::Input => (INPUT, ChannelScale::one(), 0),
                Origin::Unit(source) => (
                    names[source].as_str(),
                    scales[source].output.clone(),
                    structure.units[source].depth,
                ),
            };
            let own = format!("{} -> {}", source.0, names[index]);
            if let (UnitKind::MaxPool, Some(graded)) = (unit.kind, form.graded) {
                let delay = unit.depth - source.2;
                let parts = pool_projections(&branch.map, graded, source.0, &names[index], delay);
                for (part, projection) in parts.into_iter().enumerate() {
                    network.add_projection(format!("{own} ({})", RECEPTORS[part]), projection);
                }
                continue;
            }
            let target = (names[index].as_str(), unit.depth - source.2);
            let source = (source.0, &source.1);
            let projection = project(unit, &branch.map, scale, source, target);
            let repeated = network.projections.contains_key(&own);
            let own = if repeated { format!("{own} ({number})") } else { own };
            network.add_projection(own, projection);
        }
        add_drive(&mut network, &mut input, unit, scale, (&names[index], onset), form);
        network.add_probe(format!("spikes of {}", names[index]), Probe::spikes(&names[index]));
        layers.push(layer(unit, scale, &names[index], model, onset));
    }
    let sample_size = structure.input.size();
    let (readout, timing) = (form.readout, Timing::AnyStep);
    let (notes, candidates) = (Vec::new(), Vec::new());
    Conversion {
        network,
        layers,
        input,
        readout,
        sample_size,
        timing,
        margin: 0.0,
        notes,
        candidates,
    }
}

/// Name of the population that samples enter through as spikes.
pub const INPUT: &str = "input";

/// Node names without slashes at the ends and dots for those inside, unique.
pub(crate) fn population_names(structure: &Structure) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for unit in &structure.units {
        let base = match unit.kind {
            UnitKind::Readout => "output".to_string(),
            _ => unit.name.trim_matches('/').replace('/', "."),
        };
        let mut name = base.clone();
        let mut number = 2;
        while names.contains(&name) || name == INPUT {
            name = format!("{base}_{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

fn add_input(network: &mut Network, input: &mut InputPlan, structure: &Structure, code: InputCode) {
    let shape = structure.input.arrangement();
    network.add_population(INPUT, Population::shaped(shape, Neuron::spike_source()));
    network.add_probe("spikes of input", Probe::spikes(INPUT));
    let population = INPUT.to_string();
    let stimulus = match code {
        InputCode::Poisson => {
            Stimulus::Poisson(Poisson { population, rate: Hertz(0.0).into(), modulation: None })
        }
        _ => {
            let times = Values::Each { values: Vec::new(), unit: MILLISECONDS };
            Stimulus::SpikeList(SpikeList { population, neurons: Vec::new(), times })
        }
    };
    network.add_stimulus("sample", stimulus);
    input.spikes = Some(0);
}

pub(crate) const MILLISECONDS: sim_core::units::Unit = sim_core::units::Unit {
    symbol: "ms",
    dimension: sim_core::units::Dimension::Time,
    in_base: 1.0,
};

fn neuron_of(unit: &Unit, scale: &UnitScale, form: NeuronForm, onset: u32) -> Neuron {
    let initial = || match &scale.initial {
        Some(values) => Values::numbers(values.clone()),
        None => form.initial.into(),
    };
    match (unit.kind, form.graded) {
        (UnitKind::MaxPool, None) => max_pool(),
        (UnitKind::MaxPool, Some(graded)) => {
            MaxPoolGraded { places: graded.places(), bits: graded.bits(), rule: graded.pool }.into()
        }
        (UnitKind::Readout, _) if form.readout == Readout::Membrane => {
            let neuron = integrator();
            match &scale.initial {
                Some(_) => neuron.initial("membrane_potential", initial()),
                None => neuron,
            }
        }
        (_, None) => IntegrateAndFire {
            threshold: 1.0.into(),
            initial: initial(),
            spike: form.spike,
            reset: if form.soft_reset { Reset::Subtract } else { Reset::To(0.0.into()) },
        }
        .into(),
        (_, Some(graded)) => {
            let largest_rate = scale.largest_rates(unit).map_or(NO_LIMIT.into(), |rates| {
                let per_channel = unit.shape.per_channel().max(1);
                let each = (0..unit.shape.size()).map(|neuron| rates[neuron / per_channel]);
                Values::numbers(each.collect())
            });
            BurstIntegrateAndFire {
                threshold: 1.0.into(),
                burst: graded.burst,
                correction: graded.correction,
                tolerance: graded.tolerance,
                largest_rate,
                onset,
                initial: initial(),
            }
            .into()
        }
    }
}

/// The windows of a maximum: each cell writes into a place of its own, see `max_pool_graded`.
fn pool_projections(
    map: &LinearMap,
    graded: Graded,
    source: &str,
    target: &str,
    delay: u32,
) -> Vec<Projection> {
    let LinearMap::Convolution { geometry, .. } = map else { return Vec::new() };
    let cells = geometry.kernel[0] * geometry.kernel[1];
    let (places, bits) = (graded.places(), graded.bits());
    let weight = |place: u32| f64::from(place * bits).exp2();
    let channels = geometry.source[0] as usize;
    let make = |connectivity: Connectivity, weights: Vec<f64>, receptor: u32| {
        Projection::new(source, target, connectivity)
            .weight(Values::numbers(weights))
            .delay(Milliseconds(f64::from(delay)))
            .receptor(RECEPTORS[receptor as usize])
    };
    if cells <= places {
        let window: Vec<f64> = (0..cells).map(weight).collect();
        return vec![make(Connectivity::Convolution(*geometry), window.repeat(channels), 0)];
    }
    let parts = cells.div_ceil(places).min(RECEPTORS.len() as u32);
    (0..parts)
        .map(|receptor| {
            let (mut sources, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
            for neuron in 0..map.sources() as u32 {
                geometry.for_each_target(neuron, |synapse| {
                    let cell = synapse.weight % cells;
                    if cell / places == receptor {
                        sources.push(neuron);
                        targets.push(synapse.target);
                        weights.push(weight(cell % places));
                    }
                });
            }
            make(Connectivity::List(List { sources, targets }), weights, receptor)
        })
        .collect()
}

/// One branch as a projection in units of thresholds that takes `target.1` steps.
pub(crate) fn project(
    unit: &Unit,
    map: &LinearMap,
    scale: &UnitScale,
    source: (&str, &ChannelScale),
    target: (&str, u32),
) -> Projection {
    let ((name, output), (target, delay)) = (source, target);
    let delay = Milliseconds(f64::from(delay));
    let scaled = match unit.kind {
        // A maximum compares counts of one channel: all have the same scale.
        UnitKind::MaxPool => map.clone(),
        _ => scale.weights(map, output),
    };
    let (connectivity, weights) = match scaled {
        LinearMap::Convolution { geometry, weights } => {
            (Connectivity::Convolution(geometry), weights)
        }
        LinearMap::Dense { weights, .. } => (Connectivity::Dense(Dense), weights),
        LinearMap::Identity { size } => (Connectivity::OneToOne(OneToOne), vec![1.0; size]),
        LinearMap::Sparse { rows, .. } => list(&rows),
    };
    Projection::new(name, target, connectivity).weight(Values::numbers(weights)).delay(delay)
}

/// Rows as a list, or as one-to-one where every source reaches just its own target.
pub(crate) fn list(rows: &[Vec<(u32, f64)>]) -> (Connectivity, Vec<f64>) {
    let own =
        |(source, row): (usize, &Vec<(u32, f64)>)| row.len() == 1 && row[0].0 as usize == source;
    let weights = rows.iter().flatten().map(|&(_, weight)| weight).collect();
    if rows.iter().enumerate().all(own) {
        return (Connectivity::OneToOne(OneToOne), weights);
    }
    let sources = rows.iter().enumerate().flat_map(|(s, row)| row.iter().map(move |_| s as u32));
    let targets = rows.iter().flatten().map(|&(target, _)| target).collect();
    (Connectivity::List(List { sources: sources.collect(), targets }), weights)
}

/// The unit's constant current: its bias, and the sample where it enters as a current.
fn add_drive(
    network: &mut Network,
    input: &mut InputPlan,
    unit: &Unit,
    scale: &UnitScale,
    population: (&str, u32),
    form: NeuronForm,
) {
    if unit.kind == UnitKind::MaxPool {
        return;
    }
    let (name, onset) = population;
    let bias = scale.biases(scale.bias.as_ref().unwrap_or(&unit.bias));
    let sample_maps: Vec<LinearMap> = unit
        .branches
        .iter()
        .filter(|branch| branch.origin == Origin::Input && !input.code.spikes())
        .map(|branch| scale.weights(&branch.map, &ChannelScale::one()))
        .collect();
    if sample_maps.is_empty() && bias.iter().all(|&b| b == 0.0) {
        return;
    }
    let start = if form.bias_waits { f64::from(onset) } else { 0.0 };
    let stimulus = network.stimuli.len();
    let amplitude = Values::numbers(bias.clone());
    network.add_stimulus(
        format!("bias of {name}"),
        Stimulus::constant_current(name, amplitude, Milliseconds(start)),
    );
    if !sample_maps.is_empty() {
        input.currents.push(CurrentDrive { stimulus, maps: sample_maps, bias });
    }
}

pub(crate) fn layer(
    unit: &Unit,
    scale: &UnitScale,
    name: &str,
    model: String,
    onset: u32,
) -> Layer {
    let mut nodes: Vec<String> = Vec::new();
    for node in unit.branches.iter().flat_map(|branch| &branch.nodes) {
        if !nodes.contains(node) {
            nodes.push(node.clone());
        }
    }
    if unit.kind != UnitKind::Readout && !nodes.contains(&unit.name) {
        nodes.push(unit.name.clone());
    }
    let factors = &scale.threshold.factors;
    let fold = |start: f64, pick: fn(f64, f64) -> f64| factors.iter().copied().fold(start, pick);
    Layer {
        population: name.to_string(),
        nodes,
        shape: unit.shape.arrangement(),
        model,
        thresholds: [fold(f64::INFINITY, f64::min), fold(0.0, f64::max)],
        dead_channels: scale.dead.iter().filter(|&&dead| dead).count(),
        onset,
        saturates: false,
        output: scale.output.clone(),
    }
}
