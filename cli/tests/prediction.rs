//! `inspect --predict` against what a run of the program really takes: memory within 15 %.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{Folder, json};

/// What is promised.
const MEMORY: f64 = 0.15;

const NORMAL_WEIGHTS: &str = r#"{ normal = { mean = "20 pA", std = "2 pA" } }"#;
const NORMAL_DELAYS: &str =
    r#"{ normal = { mean = "1.5 ms", std = "0.5 ms", redraw_low = "0.05 ms" } }"#;

/// A population of `neurons` with one projection onto itself.
fn network(neurons: u32, rule: &str, weight: &str, delay: &str, more: &str) -> String {
    format!(
        "name = \"predicted\"\ndt = \"0.1 ms\"\n\n[populations.cells]\nsize = {neurons}\n\
         model = \"lif_exponential\"\nspike = \"at_or_above\"\nreset = {{ to = \"-70 mV\" }}\n\
         refractory_input = \"integrated\"\n\n[projections.recurrent]\nsource = \"cells\"\n\
         target = \"cells\"\nconnectivity = {{ {rule} }}\nweight = {weight}\ndelay = {delay}\n{more}\n"
    )
}

/// Neurons without synapses or input.
fn alone(model: &str, parameters: &str) -> String {
    let rule = if model == "izhikevich" { "" } else { "refractory_input = \"integrated\"" };
    format!(
        "dt = \"0.1 ms\"\n[populations.cells]\nsize = 200000\nmodel = \"{model}\"\n\
         spike = \"at_or_above\"\nreset = {{ to = \"-70 mV\" }}\n{rule}\n\
         [populations.cells.parameters]\n{parameters}\n"
    )
}

#[test]
fn the_memory_of_a_run_is_predicted() {
    let folder = Folder::new();
    let bernoulli = r#"rule = "fixed_probability", probability = 0.5"#;
    let in_degree = r#"rule = "fixed_in_degree", in_degree = 800"#;
    let plastic =
        r#"plasticity = { rule = "stdp_additive", parameters = { largest_weight = "40 pA" } }"#;
    let rewarded =
        plastic.replace("stdp_additive\"", "reward_modulated_stdp\", modulator = \"cells\"");
    let recorded = format!(
        "{plastic}\n[probes.weights]\nprojection = \"recurrent\"\nvariable = \"weights\"\ninterval = \"0.5 ms\""
    );
    let cases = [
        ("drawn by source", network(2500, bernoulli, NORMAL_WEIGHTS, NORMAL_DELAYS, "")),
        ("drawn by target", network(3000, in_degree, NORMAL_WEIGHTS, NORMAL_DELAYS, "")),
        ("one weight", network(3000, in_degree, "\"20 pA\"", "\"1.5 ms\"", "")),
        ("plastic", network(2000, bernoulli, "\"20 pA\"", "\"1.5 ms\"", plastic)),
        (
            "little plastic",
            network(
                1000,
                "rule = \"fixed_in_degree\", in_degree = 300",
                "\"20 pA\"",
                "\"1.5 ms\"",
                plastic,
            ),
        ),
        ("neurons alone", network(200_000, r#"rule = "one_to_one""#, "\"1 pA\"", "\"1 ms\"", "")),
        ("reached by nothing", alone("lif_delta", "")),
        ("of another model", alone("izhikevich", "")),
        (
            "drawn parameters",
            alone(
                "lif_exponential",
                "tau_membrane = { uniform = { low = \"10 ms\", high = \"20 ms\" } }",
            ),
        ),
        ("rewarded", network(2000, bernoulli, "\"20 pA\"", "\"1.5 ms\"", &rewarded)),
        ("recorded weights", network(2000, bernoulli, "\"20 pA\"", "\"1.5 ms\"", &recorded)),
    ];
    for (name, text) in cases {
        let path = folder.write("network.toml", text.as_bytes());
        let one = ["--threads", "1"];
        let predicted = json(&[&one[..], &["--json", "inspect", "--predict", &path]].concat(), 0);
        for (index, precision) in ["double", "single"].into_iter().enumerate() {
            let memory = predicted["precisions"][index]["memory_bytes"].as_f64().unwrap();
            let run = ["--json", "simulate", &path, "--duration", "1 ms", "--precision", precision];
            let done = json(&[&one[..], &run].concat(), 0);
            // Where the system does not say there is nothing to compare.
            let Some(found) = done["peak_memory_bytes"].as_f64() else { continue };
            let off = memory / found - 1.0;
            assert!(off.abs() < MEMORY, "{name}, {precision}: {memory} predicted, {found} found");
        }
        let Some(memory) = predicted["event"]["memory_bytes"].as_f64() else {
            assert_eq!(name, "of another model", "{}", predicted["event"]);
            continue;
        };
        let run = ["--json", "simulate", &path, "--duration", "1 ms", "--engine", "event"];
        let done = json(&[&one[..], &run].concat(), 0);
        let Some(found) = done["peak_memory_bytes"].as_f64() else { continue };
        let off = memory / found - 1.0;
        assert!(off.abs() < MEMORY, "{name}, event: {memory} predicted, {found} found");
    }
}

#[test]
fn times_come_with_the_rate_they_are_of_and_where_an_engine_cannot_its_reason() {
    let folder = Folder::new();
    let in_degree = r#"rule = "fixed_in_degree", in_degree = 100"#;
    let drive = "[stimuli.drive]\nkind = \"poisson_drive\"\npopulation = \"cells\"\nrate = \"5 kHz\"\nweight = \"40 pA\"";
    // Larger than the parts that are run, and not.
    for neurons in [300, 30_000] {
        let text = network(neurons, in_degree, "\"1 pA\"", "\"1.5 ms\"", drive);
        let path = folder.write("network.toml", text.as_bytes());
        let predicted = json(&["--json", "inspect", "--predict", &path], 0);
        let [double, single] = [&predicted["precisions"][0], &predicted["precisions"][1]];
        for times in [double, single, &predicted["event"]] {
            let number = |key: &str| times[key].as_f64().unwrap();
            assert!(number("build_s") > 0.0 && number("simulate_one_second_s") > 0.0, "{times}");
            assert!((5.0..100.0).contains(&number("sample_rate_hz")), "{times}");
        }
        assert!(predicted["assumed_rate_hz"].is_null());
        let faster = json(&["--json", "inspect", "--predict", &path, "--rate-hz", "100"], 0);
        assert_eq!(faster["assumed_rate_hz"], 100.0);
    }
    let solved = network(50, in_degree, "\"1 nS\"", "\"1.5 ms\"", "")
        .replace("lif_exponential", "adex_exponential");
    let path = folder.write("solved.toml", solved.as_bytes());
    let predicted = json(&["--json", "inspect", "--predict", &path], 0);
    let reason = predicted["event"]["reason"].as_str().unwrap();
    assert!(reason.contains("adex_exponential"), "{reason}");
    assert!(predicted["precisions"][0]["build_s"].as_f64().unwrap() > 0.0);
}
