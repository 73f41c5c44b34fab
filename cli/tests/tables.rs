//! Files of spikes and synapses: every format that is written is read by every command that needs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{Folder, json, run};

const NETWORK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/balanced_network.toml");

#[test]
fn spikes_of_all_formats_are_analysed_and_compared() {
    let folder = Folder::new();
    let spikes = ["spikes.h5", "spikes.npz", "spikes.csv"].map(|name| folder.path(name));
    for path in &spikes {
        json(&["simulate", NETWORK, "--duration", "200 ms", "--spikes", path, "--json"], 0);
    }
    let analysed = spikes.each_ref().map(|path| {
        let analyse = ["analyse", path, "--end-ms", "200", "--json"];
        let mut populations = json(&analyse, 0)["populations"].as_array().unwrap().clone();
        // A CSV file names them in the order of their first spikes.
        populations.sort_by_key(|own| own["population"].to_string());
        populations
    });
    assert!(!analysed[0].is_empty());
    for other in &analysed[1..] {
        assert_eq!(other.len(), analysed[0].len());
        for (one, other) in analysed[0].iter().zip(other) {
            assert!(one["spikes"].as_u64().unwrap() > 100, "{one}");
            assert_eq!(
                (&one["population"], &one["spikes"]),
                (&other["population"], &other["spikes"])
            );
        }
    }
    for path in &spikes[1..] {
        assert_eq!(json(&["compare", &spikes[0], path, "--json"], 0)["equal"], true, "{path}");
    }
}

#[test]
fn drawn_synapses_are_written_and_a_network_of_them_gives_the_same_spikes() {
    let folder = Folder::new();
    let network = folder.path("network.toml");
    let name = "excitatory_to_excitatory";
    let rule = "connectivity = { rule = \"fixed_probability\", probability = 0.1 }";
    let (single, drawn) =
        ("weight = \"45 pA\"", "weight = { normal = { mean = \"45 pA\", std = \"9 pA\" } }");
    let delay = "delay = \"1.5 ms\"";
    let text = std::fs::read_to_string(NETWORK).unwrap();
    let (before, section) = text.split_once(&format!("[projections.{name}]")).unwrap();
    let with = |section: String| format!("{before}[projections.{name}]{section}");
    std::fs::write(&network, with(section.replacen(single, drawn, 1))).unwrap();
    let expected = folder.path("expected.h5");
    let simulate = |network: &str, spikes: &str| {
        let precise = ["--precision", "double", "--duration", "100 ms", "--json"];
        json(&[&["simulate", network, "--spikes", spikes], &precise[..]].concat(), 0)
    };
    let run_of_rules = simulate(&network, &expected);
    assert!(run_of_rules["recorded_spikes"].as_u64().unwrap() > 100, "{run_of_rules}");
    for ending in ["h5", "npz", "csv"] {
        let file = folder.path(&format!("synapses.{ending}"));
        let written = json(&["synapses", &network, name, "--out", &file, "--json"], 0);
        assert!(written["synapses"].as_u64().unwrap() > 10_000, "{written}");
        assert_eq!(written["weight_unit"], "pA");
        if ending == "h5" {
            let seen = json(&["inspect", &file, "--json"], 0);
            assert_eq!(seen["format"], "sonata_edges");
            assert_eq!(seen["synapses"], written["synapses"]);
            let population = &seen["populations"][0];
            assert_eq!(
                (&population["population"], &population["source"]),
                (&name.into(), &"excitatory".into())
            );
            assert_eq!(population["weight_unit"], "pA");
            assert_eq!(population["delays_ms"], "1.5");
        }
        let from_file =
            format!("connectivity = {{ rule = \"file\", path = \"synapses.{ending}\" }}");
        let section = section.replacen(rule, &from_file, 1);
        let section = section.replacen(single, "", 1).replacen(delay, "", 1);
        let listed = folder.path(&format!("listed_{ending}.toml"));
        std::fs::write(&listed, with(section)).unwrap();
        let spikes = folder.path(&format!("spikes_{ending}.h5"));
        simulate(&listed, &spikes);
        assert_eq!(json(&["compare", &expected, &spikes, "--json"], 0)["equal"], true, "{ending}");
    }
}

#[test]
fn an_unknown_projection_or_format_is_explained() {
    let folder = Folder::new();
    let file = folder.path("synapses.csv");
    let unknown = run(&["synapses", NETWORK, "none", "--out", &file]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("no projection `none`"), "{}", unknown.err);
    let format = run(&["synapses", NETWORK, "none", "--out", &folder.path("synapses.txt")]);
    assert_eq!(format.code, 2);
    assert!(format.err.contains(".npz"), "{}", format.err);
}

#[test]
fn what_probes_recorded_is_told_by_its_kind() {
    let folder = Folder::new();
    let short = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/networks/reward.toml");
    let text = std::fs::read_to_string(short).unwrap();
    let more = "[probes.potential]\npopulation = \"motor\"\nvariable = \"membrane_potential\"\n\
                interval = \"1 ms\"\n";
    let network = folder.write("network.toml", format!("{text}\n{more}").as_bytes());
    let out = folder.path("out");
    json(&["simulate", &network, "--duration", "3 s", "--record", &out, "--json"], 0);
    let cases = [
        (
            "potential",
            "sonata_report",
            ["population", "motor", "3000×10", "mV", "1 to 3001, every 1"],
        ),
        ("weights", "weights", ["projection", "learning", "3×1000", "pA", "1000 to 3000"]),
    ];
    for (file, format, expected) in cases {
        let seen = json(&["inspect", &format!("{out}/{file}.h5"), "--json"], 0);
        assert_eq!(seen["format"], format);
        let sample = &seen["samples"][0];
        let told =
            ["of", "name", "shape", "unit", "time_ms"].map(|key| sample[key].as_str().unwrap());
        assert_eq!(told, expected);
    }
}
