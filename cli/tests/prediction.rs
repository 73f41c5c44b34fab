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

/// The memory that a run takes, and what is predicted of it in double precision.
fn run_and_prediction(network: &str, arguments: &[&str]) -> Option<(f64, f64)> {
    let predicted = json(&["--json", "inspect", "--predict", network, "--threads", "1"], 0);
    let memory = predicted["precisions"][0]["memory_bytes"].as_f64().unwrap();
    let run = ["--json", "simulate", network, "--threads", "1", "--precision", "double"];
    let done = json(&[&run[..], arguments].concat(), 0);
    done["peak_memory_bytes"].as_f64().map(|found| (found, memory))
}

/// The description of listed synapses is let go before a run builds, and a prediction holds it.
#[test]
fn the_memory_of_synapses_from_a_file_is_predicted() {
    let folder = Folder::new();
    let drawn = r#"rule = "fixed_in_degree", in_degree = 600"#;
    let drawn = network(3000, drawn, NORMAL_WEIGHTS, NORMAL_DELAYS, "");
    let path = folder.write("drawn.toml", drawn.as_bytes());
    for ending in ["h5", "npz"] {
        let edges = folder.path(&format!("edges.{ending}"));
        json(&["--json", "synapses", &path, "recurrent", "--out", &edges], 0);
        let rule = format!("rule = \"file\", path = \"edges.{ending}\"");
        let text = network(3000, &rule, NORMAL_WEIGHTS, NORMAL_DELAYS, "");
        let text: Vec<&str> = text.lines().filter(|line| !is_drawn(line)).collect();
        let listed = folder.write("listed.toml", text.join("\n").as_bytes());
        let Some((found, memory)) = run_and_prediction(&listed, &["--duration", "1 ms"]) else {
            continue;
        };
        let off = memory / found - 1.0;
        assert!(off.abs() < MEMORY, "{ending}: {memory} predicted, {found} found");
    }
}

/// Whether a line of a network file draws weights or delays.
fn is_drawn(line: &str) -> bool {
    line.starts_with("weight") || line.starts_with("delay")
}

#[test]
fn making_files_takes_little_memory() {
    let folder = Folder::new();
    let more = "[stimuli.drive]\nkind = \"poisson_drive\"\npopulation = \"cells\"\nrate = \"12 kHz\"\n\
                weight = \"40 pA\"\n[probes.spikes]\npopulation = \"cells\"\nvariable = \"spikes\"\n\
                [probes.potential]\npopulation = \"cells\"\nvariable = \"membrane_potential\"\n\
                interval = \"0.5 ms\"";
    let rule = r#"rule = "fixed_in_degree", in_degree = 100"#;
    let path = folder
        .write("recorded.toml", network(2000, rule, "\"10 pA\"", "\"1.5 ms\"", more).as_bytes());
    for format in ["sonata", "npz", "csv"] {
        let record = folder.path(format);
        let arguments = ["--duration", "400 ms", "--record", &record, "--format", format];
        let Some((found, memory)) = run_and_prediction(&path, &arguments) else { continue };
        let off = memory / found - 1.0;
        assert!(off.abs() < MEMORY, "{format}: {memory} predicted, {found} found");
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
