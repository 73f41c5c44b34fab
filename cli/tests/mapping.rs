//! `spikeloom map`: chips of one's own, gates, the page, and what another simulator says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{DIGITS_DATA, DIGITS_MODEL, Folder, json, root, run};

fn sana_fe_network() -> String {
    root("tests/data/mapping/sanafe_export/network.toml")
}

#[test]
fn energies_and_time_are_those_of_sana_fe_on_the_mapping_that_it_is_given() {
    let text = std::fs::read_to_string(root("tests/data/mapping/sanafe_export/sanafe.json"));
    let recorded: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    let mapped = json(
        &[
            "map",
            &sana_fe_network(),
            "--chip",
            "loihi1",
            "--chip-set",
            "neurons_per_core_max=5",
            "--chip-set",
            "neurons_per_chip_max=unknown",
            "--profile",
            "sanafe_fit",
            "--rate",
            "1",
            "--steps",
            "20",
            "--json",
        ],
        0,
    );
    assert_eq!(mapped["cores_used"], recorded["cores"]);
    let (ours, run) = (&mapped["energy"], &recorded["runs"]["simple"]);
    for (name, theirs) in [
        ("synapse_j", &run["energy"]["synapse"]),
        ("neuron_j", &run["energy"]["soma"]),
        ("hop_j", &run["energy"]["network"]),
        ("latency_s", &run["sim_time"]),
    ] {
        let (ours, theirs) = (ours[name].as_f64().unwrap(), theirs.as_f64().unwrap());
        // sums of the same numbers in another order
        assert!((ours / theirs - 1.0).abs() < 1e-9, "{name}: {ours} {theirs}");
    }
    let hops = &ours["operations"];
    assert!(hops["hops_ew"].as_f64().unwrap() > 0.0 && hops["hops_ns"].as_f64().unwrap() > 0.0);
    let detailed = recorded["runs"]["detailed"]["sim_time"].as_f64().unwrap();
    let band = ours["latency_band_s"].as_array().unwrap();
    assert!(band[0].as_f64().unwrap() < detailed && detailed < band[1].as_f64().unwrap());
}

#[test]
fn chips_are_changed_by_figure_or_described_by_what_differs() {
    let folder = Folder::new();
    let network = sana_fe_network();
    let plain = json(&["map", &network, "--json"], 0);
    let set = ["map", &network, "--chip-set", "neurons_per_core_budget=10", "--json"];
    assert!(json(&set, 0)["cores_used"].as_u64() > plain["cores_used"].as_u64());
    let text = "base = \"loihi2\"\nname = \"mine\"\n[neurons_per_core_budget]\nvalue = 10\n\
                source = \"our board\"\nevidence = \"run\"\n";
    let mine = folder.write("mine.toml", text.as_bytes());
    let own = json(&["map", &network, "--chip", &mine, "--json"], 0);
    assert_eq!((&own["chip"], &own["cores_used"]), (&"mine".into(), &json(&set, 0)["cores_used"]));
    for (set, words) in [
        ("neurons_per_core=10", "neurons_per_core_budget"),
        ("neurons_per_core_budget", "FIGURE=VALUE"),
        ("neurons_per_core_budget=ten", "no value"),
    ] {
        let ran = run(&["map", &network, "--chip-set", set]);
        let flat = ran.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ran.code == 2 && flat.contains(words), "{set}: {} {flat}", ran.code);
    }
    // what a chip does not tell is unknown, and what it tells is compared
    let akida = json(&["map", &network, "--chip", "akida1", "--json"], 1);
    let bits =
        akida["capacity"].as_array().unwrap().iter().find(|r| r["quantity"] == "weight bits");
    assert_eq!(bits.unwrap()["fits"], false);
    let spinnaker = json(&["map", &network, "--chip", "spinnaker2", "--json"], 0);
    assert_eq!(spinnaker["capacity"][3]["available"], serde_json::Value::Null);
    // A mapper made for Loihi puts no neuron with 864 inputs on a crossbar of 256: totals are told.
    let arguments = ["map", DIGITS_MODEL, "--chip", "truenorth", "--json"];
    let truenorth = json(&arguments, 1);
    let inputs = &truenorth["capacity"][2];
    assert_eq!(
        (&inputs["quantity"], &inputs["fits"]),
        (&"inputs of a neuron".into(), &false.into())
    );
    assert_eq!(truenorth["mapped"], false);
    let spinnaker1 = json(&["map", DIGITS_MODEL, "--chip", "spinnaker1", "--json"], 0);
    assert!(spinnaker1["capacity"].is_array() && spinnaker1["mapped"] == true);
}

#[test]
fn gates_end_with_1_and_pages_and_tables_are_written() {
    let folder = Folder::new();
    let (network, page) = (sana_fe_network(), folder.path("mapping.html"));
    let loihi = ["--chip", "loihi1"];
    let over = [&["map", &network, "--max-energy", "1e-9", "--json"], &loihi[..]].concat();
    assert_eq!(json(&over, 1)["over_budget"], true);
    let fine = [&["map", &network, "--max-energy", "1", "--max-cores", "9"], &loihi[..]].concat();
    assert_eq!(run(&fine).code, 0);
    assert_eq!(run(&["map", &network, "--max-energy", "1"]).code, 2, "Loihi 2 has no figures");
    let all = ["--compare", "--sweep", "weight-bits=1..3,chips=2", "--html", &page];
    let shown = run(&[&["map", &network], &loihi[..], &all[..]].concat());
    assert_eq!(shown.code, 0, "{}", shown.err);
    for word in ["modelled", "automatic", "multicast_tree", "energy [pJ]", "weight-bits", "static"]
    {
        assert!(shown.out.contains(word), "`{word}` is not in {}", shown.out);
    }
    let written = std::fs::read_to_string(&page).unwrap();
    for word in ["modelled, not measured", "Congestion and hops", "Mapping algorithms", "seed"] {
        assert!(written.contains(word), "{word}");
    }
    assert_eq!(run(&["map", &network, "--html", &page]).code, 2, "files are not replaced unasked");
}

#[test]
fn trained_networks_are_mapped_with_and_without_samples() {
    let plain = json(&["map", DIGITS_MODEL, "--json"], 0);
    assert!(plain["notes"][0].as_str().unwrap().contains("without samples"));
    assert!(plain["activity"]["basis"].as_str().unwrap().starts_with("assumed"));
    let samples = ["--calibrate", DIGITS_DATA, "--input-scale", "16", "--json"];
    let measured = json(&[&["map", DIGITS_MODEL], &samples[..]].concat(), 0);
    assert_eq!(measured["cores_used"], plain["cores_used"]);
    assert!(measured["activity"]["basis"].as_str().unwrap().contains("8 calibration samples"));
}

/// 20 sources on 5 neurons, all to all with one weight.
fn all_to_all(sources: u32, delay: &str) -> String {
    format!(
        r#"
dt = "1 ms"
[populations.in]
size = {sources}
model = "spike_source"
[populations.out]
size = 5
model = "integrate_and_fire"
spike = "above"
reset = {{ to = 0 }}
[projections.all]
source = "in"
target = "out"
connectivity = {{ rule = "all_to_all" }}
weight = 0.25
delay = "{delay}"
"#
    )
}

#[test]
fn delays_are_those_of_the_chip_and_what_is_not_published_is_not_claimed() {
    let folder = Folder::new();
    for (chip, longest, words) in [
        ("loihi1", 63, "the chip's 63"),
        ("truenorth", 15, "the chip's 15"),
        ("spinnaker1", 32, "the chip's 32"),
        ("akida2", 256, "an integer network's 256"),
    ] {
        let named = |steps: u32| {
            let text = all_to_all(20, &format!("{steps} ms"));
            folder.write(&format!("{chip}_{steps}.toml"), text.as_bytes())
        };
        let fits = run(&["map", &named(longest), "--chip", chip]);
        assert!(fits.code != 3, "{chip}: {}", fits.err);
        let refused = run(&["map", &named(longest + 1), "--chip", chip]);
        let flat = refused.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(refused.code == 3 && flat.contains(words), "{chip}: {flat}");
    }
}

#[test]
fn the_smallest_pruning_of_equal_weights_is_that_of_every_neuron() {
    let folder = Folder::new();
    let network = folder.write("wide.toml", all_to_all(20_000, "1 ms").as_bytes());
    let ran = run(&["map", &network, "--chip", "loihi2"]);
    let flat = ran.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    // 16,000 of 20,000 input axons are four in five.
    assert!(ran.code == 1 && flat.contains("pruning = 0.2 "), "{flat}");
}

#[test]
fn networks_without_a_name_have_their_files() {
    let folder = Folder::new();
    let network = folder.write("unnamed.toml", all_to_all(20, "1 ms").as_bytes());
    assert_eq!(json(&["map", &network, "--json"], 0)["network"], "unnamed");
    let map = folder.path("map.json");
    let exported = json(&["export", &network, "--format", "core_map", "--out", &map, "--json"], 0);
    assert_eq!(exported["network"], "unnamed");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&map).unwrap()).unwrap();
    assert_eq!(written["network"], "unnamed");
}

#[test]
fn netx_files_on_which_netx_stops_are_mapped_and_exported_leniently() {
    let folder = Folder::new();
    let zero = root("tests/data/netx/trap_zero.net");
    let refused = run(&["map", &zero]);
    assert!(refused.code == 3 && refused.err.contains("--lenient"), "{}", refused.err);
    let mapped = json(&["map", &zero, "--lenient", "--json"], 0);
    let notes = mapped["notes"].to_string();
    assert!(notes.contains("read leniently"), "{notes}");
    let out = folder.path("zero.py");
    let script = json(
        &["export", &zero, "--format", "lava_script", "--out", &out, "--lenient", "--json"],
        0,
    );
    assert!(script["notes"].to_string().contains("read leniently"), "{script}");
}

#[test]
fn networks_of_several_chips_are_exported() {
    let folder = Folder::new();
    let network = sana_fe_network();
    let out = folder.path("map.json");
    let small =
        ["--chip-set", "neurons_per_core_budget=1", "--chip-set", "cores_per_chip_budget=4"];
    let export = ["export", &network, "--format", "core_map", "--out", &out];
    let refused = run(&[&export[..], &small[..]].concat());
    assert!(refused.code == 1 && refused.err.contains("chips"), "{}", refused.err);
    json(&[&export[..], &small[..], &["--chips", "20", "--json"]].concat(), 0);
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let cores = written["cores"].as_array().unwrap();
    let chip = |core: &serde_json::Value| core["address"]["logical_chip_id"].as_u64().unwrap();
    assert!(cores.iter().any(|core| chip(core) > 0), "{} cores", cores.len());
}
