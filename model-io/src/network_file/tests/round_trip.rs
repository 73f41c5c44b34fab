//! What is written is read back equal.

use super::GOOD;
use crate::network_file::{locate, read, read_and_validate, write};
use sim_core::network::{
    AllToAll, Connectivity, ConstantCurrent, Convolution, Dense, FixedProbability, List, Network,
    Neuron, OneToOne, Poisson, Population, Probe, Projection, Reset, Shape, SpikeCondition,
    SpikeList, Stimulus,
};
use sim_core::neuron::MODELS;
use sim_core::units::{Milliseconds, Millivolts, Picoamperes, UNITS, Values};

fn assert_round_trip(network: &Network) {
    let text = write(network).unwrap();
    assert_eq!(read(&text).unwrap(), *network, "{text}");
}

#[test]
fn the_good_file_is_right_and_round_trips() {
    let (network, valid) = read_and_validate(GOOD).unwrap();
    assert_eq!(valid.neuron_count(), 20);
    assert_eq!(network.seed, 7);
    assert_round_trip(&network);
}

#[test]
fn a_list_of_quantities_is_one_with_a_unit() {
    let long = r#"tau_membrane = { values = [19.0, 21.5], unit = "ms" }"#;
    let [long, short] = [long, r#"tau_membrane = ["19 ms", "21.5 ms"]"#]
        .map(|written| read(&GOOD.replacen(r#"tau_membrane = "20 ms""#, written, 1)).unwrap());
    assert_eq!(long, short);
    let given = &short.populations["cells"].neuron.parameters["tau_membrane"];
    assert_eq!(given.in_base(), Some(vec![19.0, 21.5]));
}

/// Every rule, stimulus and form of values, so that a key that a reader forgets is missed here.
#[test]
fn every_part_of_a_description_round_trips() {
    let mut network = Network::new("all \"quoted\"\nand more", Milliseconds(0.025));
    network.seed = u64::MAX;
    let population = Population::shaped(
        Shape::Picture([2, 3, 4]),
        Neuron::new("integrate_and_fire")
            .rules(SpikeCondition::Above, Reset::Subtract)
            .parameter("threshold", Values::numbers(vec![0.1, 1e300, -0.0]))
            .initial("membrane_potential", Millivolts(1.0 / 3.0)),
    );
    network.add_population("a/b c.d", population);
    network.add_population("", Population::new(u32::MAX, Neuron::spike_source()));
    let convolution = Convolution {
        source: [1, 2, 3],
        target: [4, 5, 6],
        kernel: [7, 8],
        stride: [9, 10],
        padding: [11, 12, 13, 14],
        dilation: [15, 16],
        groups: 17,
    };
    let rules = [
        Connectivity::OneToOne(OneToOne),
        Connectivity::AllToAll(AllToAll { autapses: false }),
        Connectivity::Dense(Dense),
        Connectivity::FixedProbability(FixedProbability { probability: 0.1, autapses: false }),
        Connectivity::Convolution(convolution),
        Connectivity::List(List { sources: vec![0, 2, 2], targets: vec![1, 0, 0] }),
    ];
    for rule in rules {
        let name = rule.name();
        let projection = Projection::new("", "a/b c.d", rule).receptor("excitatory");
        network.add_projection(name, projection.weight(Values::numbers(vec![1.0, 2.5])));
    }
    network.add_stimulus(
        "list",
        Stimulus::SpikeList(SpikeList {
            population: String::new(),
            neurons: vec![1, 2],
            times: Values::Each { values: vec![0.1, 0.2], unit: UNITS[1] },
        }),
    );
    network.add_stimulus(
        "poisson",
        Stimulus::Poisson(Poisson {
            population: String::new(),
            rate: 8.0.into(),
            modulation: None,
        }),
    );
    network.add_stimulus(
        "current",
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: "a/b c.d".to_string(),
            amplitude: Picoamperes(-3.5).into(),
            start: Milliseconds(1.0).into(),
            stop: Some(Milliseconds(2.0).into()),
        }),
    );
    network.add_probe("spikes", Probe::spikes("a/b c.d"));
    let mut probe = Probe::variable("a/b c.d", "membrane_potential");
    probe.interval = Some(Milliseconds(0.5).into());
    network.add_probe("potential", probe);
    assert_round_trip(&network);
}

#[test]
fn every_model_can_be_named_with_all_its_parameters() {
    for model in MODELS {
        let spec = model.spec();
        let unit = |dimension| UNITS.iter().copied().find(|unit| unit.dimension == dimension);
        let mut neuron = Neuron::new(spec.name);
        for parameter in spec.parameters {
            let quantity = sim_core::units::Quantity {
                value: parameter.default,
                unit: unit(parameter.dimension).unwrap(),
            };
            neuron = neuron.parameter(parameter.name, quantity);
        }
        let mut network = Network::new(spec.name, Milliseconds(0.1));
        network.add_population("cells", Population::new(3, neuron));
        assert_round_trip(&network);
    }
}

#[test]
fn the_order_of_populations_is_kept() {
    let text = "dt = \"1 ms\"\n\
        [populations.z]\nsize = 1\nmodel = \"spike_source\"\n\
        [populations.a]\nsize = 1\nmodel = \"spike_source\"\n\
        [populations.m]\nsize = 1\nmodel = \"spike_source\"\n";
    let network = read(text).unwrap();
    let names: Vec<&String> = network.populations.keys().collect();
    assert_eq!(names, ["z", "a", "m"]);
}

#[test]
fn warnings_of_a_valid_network_are_found_in_its_file() {
    let text = GOOD.replace("target = \"cells\"", "target = \"others\"")
        + "[populations.others]\nsize = 1\nmodel = \"lif_exponential\"\nspike = \"above\"\n\
           reset = { to = \"-70 mV\" }\nrefractory_input = \"integrated\"\n";
    let (_, valid) = read_and_validate(&text).unwrap();
    let warnings = locate(&text, valid.warnings().to_vec());
    let found = &warnings.0[0];
    assert_eq!((found.problem.code, found.line), ("not-driven", 5));
    assert_eq!(&text[found.span.clone().unwrap()], "cells");
}
