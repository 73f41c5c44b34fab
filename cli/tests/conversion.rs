//! `spikeloom convert`: what a script and a person get.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{DIGITS_DATA, DIGITS_MODEL, Folder, json, root, run};

const TESTED: [&str; 8] =
    ["--calibrate", DIGITS_DATA, "--test", DIGITS_DATA, "--input-scale", "16", "--limit", "20"];

#[test]
fn the_line_for_scripts_gives_every_number_for_every_method() {
    for method in ["rate", "phase", "ttfs"] {
        let own = ["convert", DIGITS_MODEL, "--method", method, "--steps", "1,4,8", "--json"];
        let object = json(&[&own[..], &TESTED[..], &["--threads", "2"]].concat(), 0);
        assert!(object["ann_accuracy"].as_f64().unwrap() > 90.0, "{method}");
        assert!(!object["accuracy"].as_object().unwrap().is_empty(), "{method}");
        for key in ["spikes_per_image", "synaptic_operations_per_image", "milliseconds_per_image"] {
            assert!(object[key].as_f64().unwrap() > 0.0, "{method} {key}");
        }
        assert!(object["max_logit_difference"].as_f64().unwrap() < 1e-3, "{method}");
        assert!(object["plan"].as_array().unwrap().len() > 3, "{method}");
        assert!(object["ann_macs_per_image"].as_u64().unwrap() > 10_000, "{method}");
        assert!(object["disagreements"].is_array() && object["accuracy_interval"].is_object());
    }
}

#[test]
fn a_page_and_a_file_of_results_are_written_and_resumed() {
    let folder = Folder::new();
    let (page, results) = (folder.path("report.html"), folder.path("results.jsonl"));
    let own = ["convert", DIGITS_MODEL, "--steps", "2,8", "--html", &page, "--results", &results];
    let shown = run(&[&own[..], &TESTED[..]].concat());
    assert_eq!(shown.code, 0, "{}", shown.err);
    for word in ["agreement", "95 % interval", "milliseconds per sample", "Activations against"] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("What the conversion keeps") && html.contains("Every node"));
    assert_eq!(std::fs::read_to_string(&results).unwrap().lines().count(), 21);
    let again = [&own[..], &TESTED[..], &["--force", "--resume", "--json"]].concat();
    let object = json(&again, 0);
    assert_eq!(object["images"], 20);
}

#[test]
fn an_accuracy_that_is_asked_for_is_reached_with_few_steps_and_said() {
    let target = |percent: &'static str| {
        let own = ["convert", DIGITS_MODEL, "--target-accuracy", percent, "--steps", "1,8,32"];
        json(&[&own[..], &TESTED[..], &["--json"]].concat(), 0)
    };
    let (low, high) = (target("50"), target("97"));
    let steps = |object: &serde_json::Value| object["made_for"].as_u64().unwrap();
    assert!(steps(&low) <= steps(&high), "{} {}", steps(&low), steps(&high));
    for (object, percent) in [(&low, 50.0), (&high, 97.0)] {
        assert_eq!(object["method"], "auto");
        let candidates = object["candidates"].as_array().unwrap();
        let chosen: Vec<_> = candidates.iter().filter(|one| one["chosen"] == true).collect();
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0]["steps"], object["made_for"]);
        assert!(chosen[0]["accuracy"].as_f64().unwrap() >= percent);
        // None that needs as few steps and reaches it has fewer spikes.
        for other in candidates.iter().filter(|one| one["steps"] == object["made_for"]) {
            let reaches = other["accuracy"].as_f64().unwrap() >= percent;
            let fewer = other["spikes"].as_f64().unwrap() < chosen[0]["spikes"].as_f64().unwrap();
            assert!(!(reaches && fewer), "{other}");
        }
        let notes = object["notes"].to_string();
        assert!(notes.contains("fewest steps, then spikes") && notes.contains("right answers"));
    }
    for (own, part) in [(["rate", "90"], "method `auto`"), (["auto", "101"], "from 0 to 100")] {
        let [method, percent] = own;
        let given = ["convert", DIGITS_MODEL, "--method", method, "--target-accuracy", percent];
        let shown = run(&given);
        assert!(shown.code == 2 && shown.err.contains(part), "{}", shown.err);
    }
}

#[test]
fn a_plan_lists_all_refusals_and_what_would_help() {
    let object = json(&["convert", DIGITS_MODEL, "--plan", "--json"], 0);
    assert_eq!(object["convertible"], true);
    for key in ["neurons", "synapses", "macs", "input_macs"] {
        assert!(object[key].as_u64().unwrap() > 0, "{key}");
    }
    assert!(object["predicted_synaptic_operations"]["8"].as_u64().unwrap() > 0);
    let text = run(&["convert", DIGITS_MODEL, "--plan"]);
    assert!(text.out.contains("approximated") && text.out.contains("Every node can be converted"));
    let name = object["plan"][1]["node"].as_str().unwrap().to_string();
    let float = ["convert", DIGITS_MODEL, "--plan", "--float-front", &name, "--json"];
    let object = json(&float, 0);
    assert_eq!(object["plan"][1]["outcome"], "float");
}

#[test]
fn without_samples_noise_is_used_and_said_so() {
    let shown = run(&["convert", DIGITS_MODEL]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.err.contains("noise") && shown.err.contains("--calibrate"), "{}", shown.err);
    let images = root("tests/data/models/lenet_mnist/expected.npz");
    let wrong = run(&["convert", DIGITS_MODEL, "--test", &images]);
    assert_eq!(wrong.code, 3);
    assert!(wrong.err.contains("[28, 28]") && wrong.err.contains("[1, 8, 8]"), "{}", wrong.err);
}
