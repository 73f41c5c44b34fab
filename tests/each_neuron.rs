//! Every parameter, reset and initial value of every model: one for all neurons, one each, or drawn.
//!
//! Neurons of one population with a value each must do what they do alone in populations of one neuron
//! with that one value, on every engine that runs the model and in the narrow form where it has one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use sim_core::connectome::{CompileConfig, Precision};
use sim_core::distribution::Uniform;
use sim_core::engine::{Compiled, ENGINES, EngineConfig};
use sim_core::network::{
    AllToAll, Network, Neuron, Population, Probe, Projection, Reset, SpikeCondition, SpikeList,
    Stimulus,
};
use sim_core::neuron::{Column, LoweredReset, MODELS, ModelSpec};
use sim_core::recording::Recording;
use sim_core::units::{
    Dimension, Milliseconds, Millivolts, Picoamperes, Quantity, Unit, Values, find_unit,
};
use std::sync::Arc;
use test_support::suite::simulate;

const DT_MS: f64 = 0.25;
const RUN_MS: f64 = 60.0;

/// Of rounding: sums in another order.
const RELATIVE: f64 = 1e-9;

/// Neurons of converted networks whose parameters the code of a layer fixes, and sources.
const FIXED: [&str; 9] = [
    "burst_integrate_and_fire",
    "multispike_integrate_and_fire",
    "max_pool",
    "max_pool_graded",
    "first_spike",
    "first_spike_slots",
    "first_arrival",
    "phase",
    "spike_source",
];

/// All other models.
fn neurons() -> impl Iterator<Item = &'static ModelSpec> {
    MODELS.iter().map(|model| model.spec()).filter(|spec| !FIXED.contains(&spec.name))
}

/// What is set to a value a neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Parameter(usize),
    Initial(usize),
    Reset,
}

/// Fields of a model.
fn fields(spec: &ModelSpec) -> Vec<Field> {
    let parameters = (0..spec.parameters.len()).map(Field::Parameter);
    let initial = (0..spec.variables.len()).map(Field::Initial);
    parameters.chain(initial).chain(spec.spikes.then_some(Field::Reset)).collect()
}

/// Whole numbers that a parameter may be.
fn whole(name: &str) -> Option<[f64; 3]> {
    match name {
        "consistent_steps" => Some([1.0, 0.0, 1.0]),
        "fixed_steps" => Some([0.0, 4.0, 8.0]),
        // Input comes after some twenty steps.
        "onset" => Some([0.0, 40.0, 80.0]),
        "reset_delay" | "held" => Some([0.0, 1.0, 0.0]),
        "standard_control" => Some([0.0, 1.0, 0.0]),
        _ => None,
    }
}

/// Three values of a field, in the base unit.
fn values(spec: &ModelSpec, field: Field) -> [f64; 3] {
    let around = |value: f64, size: f64| match value {
        0.0 => [0.0, 0.5 * size, size],
        value => [value, 0.96 * value, 1.03 * value],
    };
    let size = |dimension| if dimension == Dimension::Number { 0.1 } else { 1.0 };
    match field {
        Field::Reset if spec.variables[0].dimension == Dimension::Potential => {
            [-70.0, -68.0, -73.0]
        }
        Field::Reset => [0.0, -0.25, 0.125],
        Field::Parameter(index) => {
            let parameter = &spec.parameters[index];
            match parameter.name {
                "lowest_potential" => [-71.0, -70.2, -1e9],
                // A step is a quarter of a millisecond.
                "refractory_period" => [2.0, 0.0, 3.25],
                name => whole(name)
                    .unwrap_or_else(|| around(parameter.default, size(parameter.dimension))),
            }
        }
        Field::Initial(index) => match (spec.variables[index].dimension, index) {
            (Dimension::Potential, 0) => [-66.0, -71.5, -63.0],
            // A threshold that moves.
            (Dimension::Potential, _) => [-54.0, -50.0, -55.0],
            (Dimension::Number, _) => [0.25, 0.125, 0.0],
            _ => [1.0, 0.0, 2.5],
        },
    }
}

fn unit(dimension: Dimension) -> Unit {
    find_unit(dimension.base_unit()).unwrap_or(find_unit("1").unwrap())
}

fn dimension(spec: &ModelSpec, field: Field) -> Dimension {
    match field {
        Field::Parameter(index) => spec.parameters[index].dimension,
        Field::Initial(index) => spec.variables[index].dimension,
        Field::Reset => spec.variables[0].dimension,
    }
}

/// A neuron of the model with a field set.
fn neuron(spec: &ModelSpec, field: Field, given: Values) -> Neuron {
    let mut neuron = Neuron::new(spec.name);
    if spec.spikes {
        neuron.spike = Some(SpikeCondition::AtOrAbove);
        neuron.reset = Some(match spec.variables[0].dimension {
            Dimension::Potential => Reset::To(Millivolts(-70.0).into()),
            _ if spec.subtracting_reset => Reset::Subtract,
            _ => Reset::To(Quantity::from(0.0).into()),
        });
    }
    neuron.refractory_input = spec.refractory_input.first().copied();
    match field {
        // Below the bound in the beginning, so that it is felt.
        Field::Parameter(index) if spec.parameters[index].name == "lowest_potential" => neuron
            .parameter("lowest_potential", given)
            .initial("membrane_potential", Millivolts(-78.0)),
        // Enough for two thresholds in a step.
        Field::Parameter(index) if spec.parameters[index].name == "held" => {
            neuron.parameter("gain", 8.0).parameter("held", given)
        }
        Field::Parameter(index) => neuron.parameter(spec.parameters[index].name, given),
        // A current that does not last does nothing in the beginning.
        Field::Initial(1) if spec.parameters.iter().any(|own| own.name == "current_kept") => {
            neuron.parameter("current_kept", 0.9).initial(spec.variables[1].name, given)
        }
        Field::Initial(index) => neuron.initial(spec.variables[index].name, given),
        Field::Reset => Neuron { reset: Some(Reset::To(given)), ..neuron },
    }
}

/// Populations of the given neurons, all driven in the same way.
fn network(spec: &ModelSpec, cells: &[(u32, Neuron)]) -> Network {
    let mut network = Network::new(spec.name, Milliseconds(DT_MS));
    for (index, receptor) in spec.receptors.iter().enumerate() {
        let name = format!("input {index}");
        network.add_population(&name, Population::new(1, Neuron::spike_source()));
        let times: Vec<f64> = (1..14).map(|k| f64::from(k) * 4.25 + 0.5 * index as f64).collect();
        let list = SpikeList {
            population: name.clone(),
            neurons: vec![0; times.len()],
            times: Values::Each { values: times, unit: find_unit("ms").unwrap() },
        };
        network.add_stimulus(&name, Stimulus::SpikeList(list));
        let weight = match receptor.weight {
            Dimension::Potential => 3.0,
            Dimension::Current => 250.0,
            Dimension::Conductance if receptor.name == "inhibitory" => 2.0,
            Dimension::Conductance => 20.0,
            _ => 0.375,
        };
        for (cell, _) in cells.iter().enumerate() {
            let weight = Quantity { value: weight, unit: unit(receptor.weight) };
            let projection =
                Projection::new(&name, format!("cell {cell}"), AllToAll { autapses: true })
                    .receptor(receptor.name)
                    .weight(weight)
                    .delay(Milliseconds(1.0));
            network.add_projection(format!("{name} to {cell}"), projection);
        }
    }
    for (cell, (size, neuron)) in cells.iter().enumerate() {
        let name = format!("cell {cell}");
        network.add_population(&name, Population::new(*size, neuron.clone()));
        network.add_probe(format!("{name} spikes"), Probe::spikes(&name));
        for variable in spec.variables {
            let probe = Probe::variable(&name, variable.name);
            network.add_probe(format!("{name} {}", variable.name), probe);
        }
        if let Some(dimension) = spec.current {
            let amplitude: Quantity = match dimension {
                Dimension::Current => Picoamperes(700.0).into(),
                Dimension::Potential => Millivolts(0.5).into(),
                _ => Quantity::from(0.125),
            };
            let current = Stimulus::constant_current(&name, amplitude, Milliseconds(5.0));
            network.add_stimulus(format!("{name} current"), current);
        }
    }
    network
}

/// What one neuron did: its spike times, then each variable.
fn of_neuron(
    recording: &Recording,
    first: u32,
    size: usize,
    index: usize,
    cell: usize,
) -> Vec<Vec<f64>> {
    let number = first + index as u32;
    let own = recording.spikes.iter().filter(|spike| spike.neuron == number);
    let mut all = vec![own.map(|spike| spike.time.milliseconds()).collect::<Vec<f64>>()];
    let prefix = format!("cell {cell} ");
    let traces = recording.traces.iter().filter(|trace| trace.probe.starts_with(&prefix));
    all.extend(traces.map(|trace| trace.values.chunks_exact(size).map(|row| row[index]).collect()));
    all
}

fn agree(first: &[Vec<f64>], second: &[Vec<f64>]) -> bool {
    let close = |a: &f64, b: &f64| (a - b).abs() <= RELATIVE * (1.0 + a.abs());
    first.len() == second.len()
        && first.iter().zip(second).all(|(first, second)| {
            first.len() == second.len() && first.iter().zip(second).all(|(a, b)| close(a, b))
        })
}

/// Where populations begin, sources before them.
fn first_of(spec: &ModelSpec, cell: usize) -> u32 {
    (spec.receptors.len() + cell) as u32
}

fn compile(network: &Network, precision: Precision) -> Arc<Compiled> {
    let valid = network.validate().unwrap_or_else(|problems| panic!("{problems}"));
    let config = CompileConfig { precision, ..CompileConfig::UNLIMITED };
    Arc::new(Compiled::new(valid, config).unwrap())
}

/// Whether the values make a difference anywhere.
fn compare(spec: &ModelSpec, field: Field, numbers: &[f64], given: Values) -> bool {
    let unit = unit(dimension(spec, field));
    let together = [(3, neuron(spec, field, given))];
    let alone: Vec<(u32, Neuron)> = numbers
        .iter()
        .map(|&value| (1, neuron(spec, field, Values::One(Quantity { value, unit }))))
        .collect();
    let mut differs = false;
    for precision in Precision::ALL {
        let both =
            [&together[..], &alone[..]].map(|cells| compile(&network(spec, cells), precision));
        for engine in ENGINES {
            if both
                .iter()
                .any(|compiled| (engine.start)(compiled.clone(), EngineConfig::default()).is_err())
            {
                continue;
            }
            let [one, each] = both.each_ref().map(|c| simulate(c, engine.name, 1, RUN_MS));
            let mut seen: Vec<Vec<Vec<f64>>> = Vec::new();
            for (index, value) in numbers.iter().enumerate() {
                let own = of_neuron(&one, first_of(spec, 0), 3, index, 0);
                let single = of_neuron(&each, first_of(spec, index), 1, 0, index);
                assert!(
                    agree(&own, &single),
                    "{} {field:?} = {value}, {}, {}: not what it does alone",
                    spec.name,
                    engine.name,
                    precision.name()
                );
                seen.push(own);
            }
            differs |= seen.windows(2).any(|pair| pair[0] != pair[1]);
        }
    }
    differs
}

#[test]
fn every_value_may_be_one_for_all_or_one_each() {
    let mut compared = 0;
    for spec in neurons() {
        for field in fields(spec) {
            let numbers = values(spec, field);
            let unit = unit(dimension(spec, field));
            let given = Values::Each { values: numbers.to_vec(), unit };
            let differs = compare(spec, field, &numbers, given);
            let all_equal = numbers.windows(2).all(|pair| pair[0] == pair[1]);
            assert!(differs || all_equal, "{} {field:?}: {numbers:?} do the same", spec.name);
            compared += 1;
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn every_value_may_be_drawn() {
    for spec in neurons() {
        for field in fields(spec) {
            let numbers = values(spec, field);
            let is_whole = matches!(field, Field::Parameter(index) if whole(spec.parameters[index].name).is_some());
            let [low, high] =
                [f64::min, f64::max].map(|pick| numbers.into_iter().fold(numbers[0], pick));
            if is_whole || low == high || low < -1e8 {
                continue;
            }
            let unit = unit(dimension(spec, field));
            let [low, high] = [low, high].map(|value| Quantity { value, unit });
            let drawn: Values = Uniform { low, high }.into();
            let valid = network(spec, &[(3, neuron(spec, field, drawn.clone()))]);
            let valid = valid.validate().unwrap();
            let neurons = &valid.populations()["cell 0"].neurons;
            let column = match (field, &neurons.reset) {
                (Field::Parameter(index), _) => &neurons.parameters[index],
                (Field::Initial(index), _) => neurons.initial[index].as_ref().unwrap(),
                (Field::Reset, LoweredReset::To(column)) => column,
                (Field::Reset, LoweredReset::Subtract) => panic!("{} has no reset", spec.name),
            };
            let Column::Each(found) = column else {
                panic!("{} {field:?} is one value", spec.name)
            };
            let within = found.iter().all(|n| (low.value..=high.value).contains(n));
            assert!(within && found[0] != found[1] && found[1] != found[2], "{found:?}");
            compare(spec, field, found, drawn);
        }
    }
}
