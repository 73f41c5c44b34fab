//! Networks whose synapses and spikes lie in files, and texts with distributions and drawn rules.

use super::GOOD;
use crate::network_file::{read, read_and_validate, read_and_validate_in, write};
use sim_core::network::{ValidStimulus, ValidWeights};

const FROM_FILES: &str = r#"dt = "0.1 ms"

[populations.outside]
size = 4
model = "spike_source"

[populations.cells]
size = 3
model = "leaky_integrator"

[projections.in]
source = "outside"
target = "cells"
connectivity = { rule = "file", path = "edges.csv" }
weight = "1 mV"
delay = "1 ms"

[stimuli.played]
kind = "spike_file"
population = "outside"
path = "spikes.csv"
"#;

#[test]
fn synapses_and_spikes_come_from_the_files_beside_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("edges.csv", "source,target,weight,delay\n3,0,0.5,1.5\n0,2,-1,0.1\n");
    put("spikes.csv", "time,neuron\n1.5,3\n0.3,0\n");
    let (_, valid) = read_and_validate_in(FROM_FILES, folder.path()).unwrap();
    let projection = &valid.projections()["in"];
    let ValidWeights::Listed(weights) = &projection.weights else {
        panic!("listed weights are not drawn");
    };
    assert_eq!(weights.numbers(), [0.5, -1.0]);
    let ValidStimulus::SpikeList { spikes, .. } = &valid.stimuli()["played"] else {
        panic!("a spike file becomes a spike list");
    };
    assert_eq!(spikes.iter().map(|spike| spike.1).collect::<Vec<_>>(), [0, 3]);
    // A neuron that is not there, and a file that is not there, both at once.
    put("edges.csv", "source,target\n4,0\n");
    std::fs::remove_file(folder.path().join("spikes.csv")).unwrap();
    let problems = read_and_validate_in(FROM_FILES, folder.path()).unwrap_err();
    let said = problems.render(FROM_FILES);
    assert!(said.contains("synapse 0 has source 4"), "{said}");
    assert!(said.contains("error[file-not-read]: `spikes.csv`: cannot read"), "{said}");
    assert!(said.contains("at stimuli/played/path"), "{said}");
    let unread = read_and_validate(FROM_FILES).unwrap_err().render(FROM_FILES);
    assert!(unread.contains("have not been read"), "{unread}");
}

#[test]
fn weights_and_delays_stand_in_the_network_or_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("edges.csv", "source,target,weight,delay\n3,0,0.5,1.5\n0,2,-1,0.1\n");
    put("spikes.csv", "time,neuron\n1.5,3\n");
    let left_out = FROM_FILES.replace("weight = \"1 mV\"\ndelay = \"1 ms\"\n", "");
    assert_ne!(left_out, FROM_FILES);
    let weights = |text: &str| {
        let (_, valid) = read_and_validate_in(text, folder.path()).unwrap();
        let ValidWeights::Listed(weights) = &valid.projections()["in"].weights else {
            panic!("listed weights are not drawn");
        };
        weights.numbers().to_vec()
    };
    // In the receptor's unit, or in that of the network file.
    assert_eq!(weights(&left_out), [0.5, -1.0]);
    let volts =
        left_out.replace("path = \"edges.csv\" }", "path = \"edges.csv\" }\nweight = \"1 V\"");
    assert_eq!(weights(&volts), [500.0, -1000.0]);
    put("edges.csv", "source,target,weight\n3,0,0.5\n");
    let said = read_and_validate_in(&left_out, folder.path()).unwrap_err().render(&left_out);
    assert!(said.contains("neither the projection nor `edges.csv` gives a delay"), "{said}");
    assert!(said.contains("at projections/in\n") && !said.contains("gives a weight"), "{said}");
    // Only a file can bring them.
    let rule = left_out.replace("rule = \"file\", path = \"edges.csv\"", "rule = \"all_to_all\"");
    let said = read_and_validate_in(&rule, folder.path()).unwrap_err().render(&rule);
    assert!(said.contains("the key `weight` is missing"), "{said}");
}

#[test]
fn distributions_rules_and_positions_are_read_and_written_back() {
    let text = GOOD
        .replace(r#"weight = "60 pA""#, r#"weight = { normal = { mean = "60 pA", std = "6 pA", clip_low = "0 pA" } }"#)
        .replace(r#"delay = "1.5 ms""#, r#"delay = { linear_of_distance = { at_zero = "0.5 ms", per_unit = "2 ms" } }"#)
        .replace(
            r#"{ rule = "fixed_probability", probability = 0.1 }"#,
            r#"{ rule = "spatial", probability = { gaussian_of_distance = { at_zero = 1, std = 0.3 } }, mask = { ball = { radius = 0.5 } } }"#,
        )
        .replace("size = 10\n", "size = 10\npositions = { random = { extent = [1.0, 1.0], periodic = true } }\n");
    let (network, valid) = read_and_validate(&text).unwrap_or_else(|problems| {
        panic!("{}", problems.render(&text));
    });
    assert!(valid.projections()["in"].ends.positions.is_some());
    let written = write(&network).unwrap();
    assert_eq!(read(&written).unwrap(), network, "{written}");
}

#[test]
fn mistakes_inside_distributions_and_rules_are_found_at_their_place() {
    let says = |from: &str, to: &str, expected: &str| {
        assert!(GOOD.contains(from));
        let text = GOOD.replacen(from, to, 1);
        let said = read_and_validate(&text).unwrap_err().render(&text);
        assert!(said.contains(expected), "{said}");
    };
    let weight = r#"weight = "60 pA""#;
    says(
        weight,
        r#"weight = { normal = { mean = "60 pA", std = "6 mV" } }"#,
        "line 29, column 45 at projections/in/weight/normal/std",
    );
    says(weight, r#"weight = { normal = { mean = "60 pA", sd = "6 pA" } }"#, "no key `sd`");
    says(weight, r#"weight = { normall = { mean = "60 pA" } }"#, "did you mean `normal`?");
    let rule = r#"connectivity = { rule = "fixed_probability", probability = 0.1 }"#;
    says(
        rule,
        r#"connectivity = { rule = "fixed_in_degree", in_degree = -1 }"#,
        "at projections/in/connectivity/in_degree",
    );
    says(rule, r#"connectivity = { rule = "fixed_in_degree" }"#, "the key `in_degree` is missing");
    says(
        rule,
        r#"connectivity = { rule = "spatial", probability = 0.5, mask = { ball = { radus = 1 } } }"#,
        "no key `radus`",
    );
    says(r#"kind = "poisson""#, r#"kind = "poison""#, "did you mean `poisson`?");
    says(
        r#"rate = "8 Hz""#,
        r#"rate = "8 Hz"
amplitude = "1 pA""#,
        "`poisson` does not take the key `amplitude`",
    );
}
