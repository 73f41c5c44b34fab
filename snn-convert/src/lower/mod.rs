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

mod conversion;
mod form;
mod projection;

pub use conversion::{
    Candidate, Conversion, CurrentDrive, InputPlan, Layer, Readout, SpikeValue, Timing,
};
pub use form::{Graded, NeuronForm, UnitScale};
pub(crate) use projection::{list, project};

use crate::coding::InputCode;
use crate::linear::{ChannelScale, LinearMap};
use crate::structure::{Origin, Structure, Unit, UnitKind};
use form::neuron_of;
use projection::pool_projections;
use sim_core::network::{Network, Neuron, Poisson, Population, Probe, SpikeList, Stimulus};
use sim_core::neuron::max_pool_graded::RECEPTORS;
use sim_core::units::{Hertz, Milliseconds, Values};

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
        spike_value: SpikeValue::Count,
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

/// What becomes of a unit.
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
