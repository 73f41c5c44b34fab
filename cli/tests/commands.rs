//! The built command on good input: exit codes, one JSON object, and what is in it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{DIGITS_DATA, DIGITS_MODEL, Folder, json, root, run};
use serde_json::{Value, json};

/// A population that nothing drives but a current below its threshold.
const SILENT: &str = "
[populations.mute]
size = 7
model = \"lif_delta\"
spike = \"at_or_above\"
reset = { to = \"-70 mV\" }
refractory_input = \"lost\"

[stimuli.mute]
kind = \"constant_current\"
population = \"mute\"
amplitude = \"1 pA\"
start = \"0 ms\"
";

#[test]
fn help_and_version_are_fine_and_no_command_is_not() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in [
        "demo", "simulate", "convert", "map", "export", "inspect", "compare", "verify", "bench",
        "list",
    ] {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}: {}", help.out);
        assert_eq!(run(&[command, "--help"]).code, 0, "{command}");
    }
    assert!(run(&["--version"]).out.starts_with("spikeloom "));
    assert_eq!(run(&[]).code, 2);
}

#[test]
fn lists_come_from_the_registries() {
    let all = json(&["list", "--json"], 0);
    for name in ["models", "chips", "formats", "methods", "engines", "processes", "workloads"] {
        assert!(!all[name].as_array().unwrap().is_empty(), "{name}");
    }
    let help = run(&["list", "--help"]).out;
    for entry in spikeloom::lists::LISTS {
        assert!(help.contains(entry.name), "`list --help` does not name {}: {help}", entry.name);
    }
    let chips = json(&["list", "chips", "--json"], 0);
    let loihi2 = &chips["chips"][0];
    assert_eq!(loihi2["name"], "loihi2");
    let figures = loihi2["figures"].as_array().unwrap();
    let known = figures.iter().filter(|figure| !figure["value"].is_null());
    for figure in known.clone() {
        assert!(figure["source"].is_string() && figure["evidence"].is_string(), "{figure}");
    }
    assert!(known.count() > 10);
    let unknown = figures.iter().find(|figure| figure["value"].is_null()).unwrap();
    assert_eq!(unknown["text"], "unknown");
    let table = run(&["list", "chips"]);
    assert!(table.out.contains("unknown") && table.out.contains("cores_per_chip_max"));
}

#[test]
fn one_entry_of_a_list_is_told_in_full() {
    let model = run(&["list", "models", "lif_exponential"]);
    assert_eq!(model.code, 0);
    for told in ["tau_excitatory", "-55", "mV", "excitatory", "membrane_potential", "above zero"] {
        assert!(model.out.contains(told), "{told} is not in {}", model.out);
    }
    assert!(!model.out.contains("lif_delta"), "{}", model.out);
    let rule = json(&["list", "connectivity", "small_world", "--json"], 0);
    assert_eq!(rule["connectivity"].as_array().unwrap().len(), 1);
    assert!(run(&["list", "connectivity", "small_world"]).out.contains("neighbours, rewiring"));
    let unknown = run(&["list", "models", "lif_exponentiel"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `lif_exponential`?"), "{}", unknown.err);
}

#[test]
fn a_simulation_writes_spikes_that_compare_equal_over_engines_and_threads() {
    let folder = Folder::new();
    let network = folder.network();
    let [one, two, other] = ["one.h5", "two.h5", "other.h5"].map(|name| folder.path(name));
    let simulate = |out: &str, seed: &str, threads: &str| {
        let arguments = [
            "simulate",
            &network,
            "--duration",
            "200 ms",
            "--seed",
            seed,
            "--threads",
            threads,
            "--spikes",
            out,
            "--json",
        ];
        json(&arguments, 0)
    };
    let first = simulate(&one, "1", "1");
    let second = simulate(&two, "1", "2");
    assert!(first["spikes"].as_u64().unwrap() > 0, "{first}");
    assert_eq!(first["spike_hash"], second["spike_hash"]);
    assert_eq!(first["populations"][0]["name"], "input");
    assert_eq!(first["duration_ms"], 200.0);
    assert_eq!(json(&["compare", &one, &two, "--json"], 0)["equal"], true);

    simulate(&other, "2", "1");
    let different = json(&["compare", &one, &other, "--json"], 1);
    assert_eq!(different["equal"], false);
    assert!(different["population"].is_string() && different["first"]["time_ms"].is_number());
    let text = run(&["compare", &one, &other]);
    assert_eq!(text.code, 1);
    assert!(text.out.contains("different: first at spike"), "{}", text.out);

    let inspected = json(&["inspect", &one, "--json"], 0);
    assert_eq!(inspected["format"], "sonata");
    assert_eq!(inspected["spikes"], first["recorded_spikes"]);
    // A population that was silent is known by its size.
    let silent = folder.path("silent.toml");
    let loud = std::fs::read_to_string(&network).unwrap();
    std::fs::write(&silent, format!("{loud}{SILENT}")).unwrap();
    let spikes = folder.path("silent.h5");
    let simulated = ["simulate", &silent, "--duration", "100 ms", "--spikes", &spikes, "--json"];
    json(&simulated, 0);
    let analysed =
        json(&["analyse", &spikes, "--bin-ms", "10", "--count-window-ms", "50", "--json"], 0);
    let populations = analysed["populations"].as_array().unwrap();
    let of = |name: &str| populations.iter().find(|own| own["population"] == name).unwrap();
    assert_eq!((&of("mute")["neurons"], &of("mute")["rate_hz"]), (&json!(7), &json!(0.0)));
    // The usual windows are no wider than a recording; those that are asked for must fit.
    let short = ["analyse", &spikes, "--end-ms", "20", "--json"];
    assert!(json(&short, 0)["populations"][0]["fano_factor"].is_null());
    json(&[&short[..], &["--count-window-ms", "50"]].concat(), 2);
    let event = run(&["simulate", &network, "--duration", "50 ms", "--engine", "event"]);
    assert_eq!(event.code, 0, "{}", event.err);
    assert!(event.out.contains("cell") && event.out.contains("real-time factor"), "{}", event.out);
}

#[test]
fn a_simulation_runs_in_single_precision_unless_it_is_told_otherwise() {
    let folder = Folder::new();
    let file = folder.path("network.toml");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/balanced_network.toml");
    let drawn = "weight = { normal = { mean = \"45 pA\", std = \"4 pA\" } }";
    let text = std::fs::read_to_string(example).unwrap().replace("weight = \"45 pA\"", drawn);
    std::fs::write(&file, &text).unwrap();
    let simulate = |more: &[&str]| {
        let arguments = ["simulate", &file, "--duration", "100 ms", "--json"];
        json(&[&arguments[..], more].concat(), 0)
    };
    let single = simulate(&[]);
    assert_eq!(single["precision"], "single", "{single}");
    assert_eq!(single["populations"][0]["precision"], "single");
    assert_eq!(single["populations"][2]["precision"], "double", "sources have no state");
    let rounding = &single["weight_rounding"][0];
    assert_eq!(rounding["projection"], "outside_to_excitatory");
    assert_eq!(rounding["unit"], "pA");
    let error = rounding["relative_error"].as_f64().unwrap();
    assert!(error > 0.0 && error < 3.1e-5, "{error}");
    assert!(single["spikes"].as_u64().unwrap() > 10, "{single}");
    for more in [&["--precision", "double"][..], &["--engine", "event"]] {
        let double = simulate(more);
        assert_eq!(double["precision"], "double", "{double}");
        assert!(double["weight_rounding"].as_array().unwrap().is_empty());
    }
    std::fs::write(&file, format!("precision = \"double\"\n{text}")).unwrap();
    assert_eq!(simulate(&[])["precision"], "double");
    assert_eq!(simulate(&["--precision", "single"])["precision"], "single");
}

#[test]
fn a_model_is_planned_converted_tested_mapped_and_exported() {
    let folder = Folder::new();
    let plan = json(&["convert", DIGITS_MODEL, "--plan", "--json"], 0);
    assert!(plan["plan"].as_array().unwrap().len() > 3);

    let network = folder.path("network.toml");
    let converted = json(
        &[
            "convert",
            DIGITS_MODEL,
            "--calibrate",
            DIGITS_DATA,
            "--test",
            DIGITS_DATA,
            "--input-scale",
            "16",
            "--limit",
            "30",
            "--steps",
            "1,8",
            "--out",
            &network,
            "--json",
        ],
        0,
    );
    let ann = converted["ann_accuracy"].as_f64().unwrap();
    let spiking = converted["accuracy"]["8"].as_f64().unwrap();
    // One image of 30 is 3.3 points.
    assert!(ann > 90.0 && (ann - spiking).abs() < 4.0, "{ann} {spiking}");
    for key in ["spikes_per_image", "synaptic_operations_per_image", "milliseconds_per_image"] {
        assert!(converted[key].as_f64().unwrap() > 0.0, "{key}");
    }
    // Both are float32 evaluations of the same network in another order of sums.
    assert!(converted["max_logit_difference"].as_f64().unwrap() < 1e-3);
    assert!(!converted["plan"].as_array().unwrap().is_empty());
    let inspected = json(&["inspect", &network, "--json"], 0);
    assert_eq!(inspected["fits_memory"], true);

    let chip = ["--calibrate", DIGITS_DATA, "--input-scale", "16"];
    let map = folder.path("core_map.json");
    let mapped = json(&[&["map", DIGITS_MODEL, "--out", &map, "--json"], &chip[..]].concat(), 0);
    assert!(mapped["cores_used"].as_u64().unwrap() >= 1);
    assert_eq!(mapped["over_budget"], false);
    let inspected = json(&["inspect", &map, "--json"], 0);
    assert_eq!(inspected["cores_used"], mapped["cores_used"]);

    let over = [&["map", DIGITS_MODEL, "--max-cores", "0", "--json"], &chip[..]].concat();
    assert_eq!(json(&over, 1)["over_budget"], true);
    for (format, found) in [("netx", "netx"), ("nir", "nir"), ("core_map", "core_map")] {
        let out = folder.path(format);
        let export = ["export", DIGITS_MODEL, "--format", format, "--out", &out, "--json"];
        json(&[&export[..], &chip[..]].concat(), 0);
        assert_eq!(json(&["inspect", &out, "--json"], 0)["format"], found);
    }
}

#[test]
fn recordings_of_lava_are_equal_one_line_a_file() {
    let folder = root("tests/data/lava");
    let verified = json(&["verify", "lava", &folder, "--json"], 0);
    assert!(verified["equal"].as_u64().unwrap() >= 8, "{verified}");
    assert_eq!(verified["different"], 0);
    // One recording does not say that it was run with resets: the interval is found and told.
    let netx = json(&["verify", "netx", &root("tests/data/netx"), "--json"], 0);
    assert!(netx["equal"].as_u64().unwrap() >= 15 && netx["different"] == 0, "{netx}");
    assert!(netx.to_string().contains("only with --reset-interval 8 do its 161 spikes"), "{netx}");
    let reset = root("tests/data/netx/hand_reset.net");
    let netx = json(&["verify", "netx", &reset, "--reset-interval", "8", "--json"], 0);
    assert_eq!(netx["equal"], 1, "{netx}");
    let text = run(&["verify", "lava", &root("tests/data/lava/lif_fixed.json")]);
    assert_eq!(text.out.lines().count(), 2, "{}", text.out);
    assert!(text.out.contains("lif_fixed.json: equal"), "{}", text.out);

    let copy = Folder::new();
    let spoiled = copy.path("spoiled.json");
    let mut case: Value =
        serde_json::from_slice(&std::fs::read(root("tests/data/lava/lif_fixed.json")).unwrap())
            .unwrap();
    assert!(spoil(&mut case), "no recorded `v` was found");
    std::fs::write(&spoiled, case.to_string()).unwrap();
    let different = json(&["verify", "lava", &spoiled, "--json"], 1);
    assert_eq!(different["cases"][0]["outcome"]["result"], "differs", "{different}");
}

#[test]
fn a_damaged_file_is_one_line_and_the_others_of_its_folder_are_checked() {
    for (tool, good, also) in [
        ("lava", "tests/data/lava/lif_fixed.json", None),
        ("netx", "tests/data/netx/hand_minimal.net", Some("tests/data/netx/hand_minimal.npz")),
        ("nir", "tests/data/nir/prim_lif.nir", None),
        ("mapping", "tests/data/mapping/nengo_loihi_util.json", None),
        ("nest", "tests/data/nest/iaf_psc_exp.json", None),
    ] {
        let folder = Folder::new();
        for file in [Some(good), also].into_iter().flatten() {
            let bytes = std::fs::read(root(file)).unwrap();
            let ending = file.rsplit('.').next().unwrap();
            std::fs::write(folder.path(&format!("b.{ending}")), &bytes).unwrap();
            std::fs::write(folder.path(&format!("a.{ending}")), &bytes[..bytes.len() / 2]).unwrap();
        }
        let found = json(&["verify", tool, &folder.path(""), "--json"], 1);
        assert_eq!((&found["equal"], &found["unreadable"]), (&1.into(), &1.into()), "{found}");
        let outcome = &found["cases"][0]["outcome"];
        assert_eq!(outcome["result"], "unreadable", "{found}");
        let shown = run(&["verify", tool, &folder.path("")]);
        assert_eq!(shown.code, 1);
        let lines: Vec<_> = shown.out.lines().collect();
        assert!(lines[0].contains("ERROR") && lines[0].contains("a."), "{}", shown.out);
        assert!(lines.last().unwrap().ends_with("1 unreadable"), "{}", shown.out);
    }
}

#[test]
fn graphs_that_break_the_specification_are_verified_leniently() {
    use spikeloom::model_io::array::Array;
    use spikeloom::model_io::hdf5::{self, Storage};
    let folder = Folder::new();
    let scalar = folder.path("scalar.nir");
    let file = hdf5::create(std::path::Path::new(&scalar)).unwrap();
    let graph = file.create_group("node").unwrap();
    graph.write_text("type", "NIRGraph").unwrap();
    let nodes = graph.create_group("nodes").unwrap();
    for (name, kind) in [("in", "Input"), ("out", "Output"), ("cells", "IF")] {
        let node = nodes.create_group(name).unwrap();
        node.write_text("type", kind).unwrap();
        // One number stands for the layer: no shape that the specification knows.
        let write = |name: &str, array: Array| node.write(name, &array, Storage::Plain).unwrap();
        match kind {
            "IF" => {
                write("r", Array::vector(vec![1.0_f32; 3]));
                write("v_threshold", Array::scalar(2.0_f32));
            }
            _ => write("shape", Array::vector(vec![3_i64])),
        }
    }
    let edges = ["in", "cells", "cells", "out"].map(str::to_owned).to_vec();
    let edges = Array::new(vec![2, 2], edges).unwrap();
    graph.write("edges", &edges, Storage::Plain).unwrap();
    file.flush().unwrap();
    let refused = run(&["verify", "nir", &scalar]);
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("--lenient"), "{}", refused.err);
    let read = run(&["verify", "nir", &scalar, "--lenient"]);
    assert_eq!(read.code, 0, "{}{}", read.out, read.err);
    assert!(read.out.contains("read leniently") && read.out.contains("equal"), "{}", read.out);
}

/// A netx file goes through the exporter and comes out with the same layers; it maps, too.
#[test]
fn netx_files_are_read_mapped_and_written_again() {
    let folder = Folder::new();
    for name in ["ref_sdnn", "ref_rf_phase", "ref_rf_iz", "ref_input_cuba", "slayer_mlp"] {
        let file = root(&format!("tests/data/netx/{name}.net"));
        let copy = folder.path(&format!("{name}.net"));
        let written = json(&["export", &file, "--format", "netx", "--out", &copy, "--json"], 0);
        assert_eq!(written["format"], "netx");
        let recording = root(&format!("tests/data/netx/{name}.npz"));
        std::fs::copy(recording, folder.path(&format!("{name}.npz"))).unwrap();
        let verified = json(&["verify", "netx", &copy, "--json"], 0);
        assert_eq!(verified["equal"], 1, "{verified}");
        assert!(verified["cases"][0]["searched"].is_null(), "{verified}");
        let mapped = json(&["map", &file, "--json"], 0);
        assert!(mapped["cores_used"].as_u64().unwrap() >= 1, "{mapped}");
    }
    let refused = root("tests/data/netx/ref_sdnn.net");
    let out = folder.path("x.nir");
    let shown = run(&["export", &refused, "--format", "nir", "--out", &out]);
    assert_eq!(shown.code, 2);
    assert!(shown.err.contains("before quantising"), "{}", shown.err);
}

/// Changes one recorded value of the membrane potential.
fn spoil(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            if let Some(number) = members.get_mut("v").and_then(first_number) {
                *number = Value::from(123_456);
                return true;
            }
            members.values_mut().any(spoil)
        }
        Value::Array(entries) => entries.iter_mut().any(spoil),
        _ => false,
    }
}

/// The first number of nested lists.
fn first_number(value: &mut Value) -> Option<&mut Value> {
    match value {
        Value::Number(_) => Some(value),
        Value::Array(entries) => entries.first_mut().and_then(first_number),
        _ => None,
    }
}

#[test]
fn files_of_all_kinds_are_told_apart() {
    for (file, format) in [
        ("examples/data/digits/digits.npz", "npz"),
        ("examples/data/digits/digits_cnn.onnx", "onnx"),
        ("tests/data/netx/hand_conv.net", "netx"),
        ("tests/data/nir/prim_lif.nir", "nir"),
        ("loihi-export/src/chip/loihi1.toml", "toml"),
        ("examples/balanced_network.toml", "toml"),
        ("tests/data/hdf5/types.h5", "hdf5"),
    ] {
        let found = json(&["inspect", &root(file), "--json"], 0);
        assert_eq!(found["format"], format, "{file}");
        assert_eq!(run(&["inspect", &root(file)]).code, 0, "{file}");
    }
}

#[test]
fn the_demo_writes_files_that_can_be_inspected() {
    let folder = Folder::new();
    let out = folder.path("demo");
    let summary = json(&["demo", "--out", &out, "--limit", "5", "--json"], 0);
    assert_eq!(summary["engines_equal"], true);
    for (name, format) in [
        ("report.html", "html"),
        ("network.net", "netx"),
        ("network.npz", "npz"),
        ("network.nir", "nir"),
        ("core_map.json", "core_map"),
        ("spikes.h5", "sonata"),
        ("summary.json", "json"),
    ] {
        let found = json(&["inspect", &format!("{out}/{name}"), "--json"], 0);
        assert_eq!(found["format"], format, "{name}");
    }
    let again = run(&["demo", "--out", &out, "--limit", "5"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("--force"), "{}", again.err);
}

#[test]
fn a_bench_gives_all_its_figures() {
    let arguments = ["bench", "brunel", "--scale", "0.02", "--simulate", "10 ms", "--json"];
    let report = json(&arguments, 0);
    for key in [
        "build_s",
        "sim_s",
        "cpu_s",
        "rtf",
        "peak_rss_mb",
        "bytes_per_synapse",
        "n_neurons",
        "n_synapses",
        "mean_rate_hz",
        "rates_hz",
        "synaptic_events_per_s",
        "spike_hash",
    ] {
        assert!(!report[key].is_null(), "{key}: {report}");
    }
}

#[test]
fn conventions_of_graphs_are_stated_in_place_of_the_dialects() {
    let folder = Folder::new();
    let graph = root("tests/data/nir/prim_cubalif.nir");
    let out = folder.path("cuba.toml");
    let import = ["import", &graph, "--dialect", "snntorch", "--out", &out];
    let stated = ["--dt", "0.001", "--decay", "exponential", "--reset", "subtract"];
    let more = ["--current", "jump-first", "--r", "step"];
    let read = run(&[&import[..], &stated[..], &more[..]].concat());
    assert_eq!(read.code, 0, "{}", read.err);
    for words in
        ["dt 1e-3", "exponential decay", "jump first", "input × r dt / tau", "reset by subtraction"]
    {
        assert!(read.out.contains(words), "{words} is not in {}", read.out);
    }
    assert!(std::fs::read_to_string(&out).unwrap().contains("subtract"), "the reset is written");
    let refused = run(&[&import[..], &["--reset", "half"]].concat());
    assert!(refused.code == 2 && refused.err.contains("subtract-many"), "{}", refused.err);
    let seen = run(&["verify", "nir", &graph, "--reset", "subtract"]);
    assert_eq!(seen.code, 0, "{}{}", seen.out, seen.err);
}
