//! What is said about mistakes, word for word.

use super::GOOD;
use crate::network_file::read_and_validate;

/// Replaces the first `from` in the good file and compares all that is said with `expected`.
fn assert_says(from: &str, to: &str, expected: &str) {
    assert!(GOOD.contains(from), "`{from}` is not in the good file");
    let text = GOOD.replacen(from, to, 1);
    let problems = read_and_validate(&text).unwrap_err();
    let rendered = problems.render(&text);
    assert_eq!(rendered.trim_end(), expected.trim(), "\n{rendered}");
}

#[test]
fn a_quantity_without_quotes() {
    assert_says(
        r#"dt = "0.1 ms""#,
        "dt = 0.1 ms",
        r#"
error[syntax]: string values must be quoted, expected literal string
 --> line 2, column 6
  |
2 | dt = 0.1 ms
  |      ^^^^^^
  = help: texts, and quantities with their unit, stand in quotes: "0.1 ms"
"#,
    );
}

#[test]
fn an_unclosed_text() {
    assert_says(
        r#"dt = "0.1 ms""#,
        r#"dt = "0.1 ms"#,
        r#"
error[syntax]: invalid basic string, expected `"`
 --> line 2, column 13
  |
2 | dt = "0.1 ms
  |             ^
  = help: see https://toml.io for the syntax; texts and quantities with a unit stand in quotes
"#,
    );
}

#[test]
fn an_unclosed_header() {
    assert_says(
        "[probes.spikes]",
        "[probes.spikes",
        r#"
error[syntax]: unclosed table, expected `]`
  --> line 32, column 15
   |
32 | [probes.spikes
   |               ^
   = help: see https://toml.io for the syntax; texts and quantities with a unit stand in quotes
"#,
    );
}

#[test]
fn a_name_given_twice() {
    assert_says(
        "[stimuli.background]",
        "[populations.cells]",
        r#"
error[syntax]: duplicate key
  --> line 20, column 14
   |
20 | [populations.cells]
   |              ^^^^^
   = help: each key may be given once: remove or rename one of the two
"#,
    );
}

#[test]
fn a_missing_time_step() {
    assert_says(
        "dt = \"0.1 ms\"\n",
        "",
        r#"
error[missing-key]: `dt`, the time step, is missing
 --> at dt
  = help: add a line such as dt = "0.1 ms" at the top of the file
"#,
    );
}

#[test]
fn an_unknown_unit() {
    assert_says(
        "20 ms",
        "20 parsec",
        r#"
error[wrong-type]: `parsec` in `20 parsec` is not a known unit
  --> line 13, column 16 at populations/cells/parameters/tau_membrane
   |
13 | tau_membrane = "20 parsec"
   |                ^^^^^^^^^^^
   = help: known are ms, s, us, µs, ns, mV, V, uV, µV, pA, nA, uA, µA, nS, pS, uS, µS, mS, pF, nF, uF, µF, GΩ, GOhm, MΩ, MOhm, kΩ, kOhm, kHz, Hz
"#,
    );
}

#[test]
fn a_wrong_unit() {
    assert_says(
        "20 ms",
        "20 mV",
        r#"
error[wrong-unit]: this is a potential, expected a time
  --> line 13, column 16 at populations/cells/parameters/tau_membrane
   |
13 | tau_membrane = "20 mV"
   |                ^^^^^^^
   = help: give it a unit, for example "1 ms"
"#,
    );
}

#[test]
fn a_misspelt_parameter() {
    assert_says(
        "tau_membrane",
        "tau_membran",
        r#"
error[unknown-parameter]: the model has no parameter `tau_membran`
  --> line 13, column 1 at populations/cells/parameters/tau_membran
   |
13 | tau_membran = "20 ms"
   | ^^^^^^^^^^^
   = help: did you mean `tau_membrane`? Known are: tau_membrane, capacitance, resting_potential, threshold, refractory_period, tau_excitatory, tau_inhibitory
"#,
    );
}

#[test]
fn a_parameter_outside_its_table() {
    assert_says(
        r#"spike = "at"#,
        "tau_membrane = \"10 ms\"\nspike = \"at",
        r#"
error[unknown-key]: there is no key `tau_membrane` here
 --> line 8, column 1 at populations/cells/tau_membrane
  |
8 | tau_membrane = "10 ms"
  | ^^^^^^^^^^^^
  = help: it belongs to the model `lif_exponential`: write it below a line [populations.cells.parameters]
"#,
    );
}

#[test]
fn a_list_without_a_unit_and_one_with_two() {
    assert_says(
        r#"tau_membrane = "20 ms""#,
        "tau_membrane = [1, 2]",
        r#"
error[wrong-unit]: each of these is a plain number, expected a time
  --> line 13, column 16 at populations/cells/parameters/tau_membrane
   |
13 | tau_membrane = [1, 2]
   |                ^^^^^^
   = help: give them a unit, for example { values = [1.0, 2.0], unit = "ms" } or ["1 ms", "2 ms"]
"#,
    );
    assert_says(
        r#"tau_membrane = "20 ms""#,
        r#"tau_membrane = ["1 ms", "2 s"]"#,
        r#"
error[wrong-type]: the list mixes the units `ms` and `s`
  --> line 13, column 16 at populations/cells/parameters/tau_membrane
   |
13 | tau_membrane = ["1 ms", "2 s"]
   |                ^^^^^^^^^^^^^^^
   = help: write all its values in one
"#,
    );
}

#[test]
fn a_date() {
    assert_says(
        r#"tau_membrane = "20 ms""#,
        "tau_membrane = 2020-01-01",
        r#"
error[wrong-type]: a date stands here
  --> line 13, column 16 at populations/cells/parameters/tau_membrane
   |
13 | tau_membrane = 2020-01-01
   |                ^^^^^^^^^^
   = help: write a number, or a text with a unit such as "20 ms"
"#,
    );
}

#[test]
fn a_unit_inside_a_list() {
    assert_says(
        "-51.5",
        r#""-51.5 mV""#,
        r#"
error[wrong-type]: the text "-51.5 mV" stands here
  --> line 14, column 30 at populations/cells/parameters/threshold/values
   |
14 | threshold = { values = [-50, "-51.5 mV", -50, -50, -50, -50, -50, -50, -50, -50], unit = "mV" }
   |                              ^^^^^^^^^^
   = help: write a plain number; the unit of all of them is given once, in `unit`
"#,
    );
}

#[test]
fn too_few_values() {
    assert_says(
        "-51.5, ",
        "",
        r#"
error[wrong-count]: 9 values for 10 neurons
  --> line 14, column 13 at populations/cells/parameters/threshold
   |
14 | threshold = { values = [-50, -50, -50, -50, -50, -50, -50, -50, -50], unit = "mV" }
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: give one value for all or exactly 10
"#,
    );
}

#[test]
fn a_misspelt_key_of_a_list() {
    assert_says(
        "unit =",
        "units =",
        r#"
error[unknown-key]: there is no key `units` here
  --> line 14, column 78 at populations/cells/parameters/threshold/units
   |
14 | threshold = { values = [-50, -51.5, -50, -50, -50, -50, -50, -50, -50, -50], units = "mV" }
   |                                                                              ^^^^^
   = help: did you mean `unit`? Known are: values, unit, normal, lognormal, uniform, exponential, gamma, linear_of_distance, exponential_of_distance, gaussian_of_distance
"#,
    );
}

#[test]
fn a_size_that_is_not_whole() {
    assert_says(
        "size = 10",
        "size = 1.5",
        r#"
error[wrong-type]: the number `1.5` stands here
 --> line 6, column 8 at populations/cells/size
  |
6 | size = 1.5
  |        ^^^
  = help: write a whole number of neurons such as 800, or [channels, height, width]
"#,
    );
}

#[test]
fn a_size_that_is_too_large() {
    assert_says(
        "size = 10",
        "size = 9999999999",
        r#"
error[wrong-type]: the number `9999999999` stands here
 --> line 6, column 8 at populations/cells/size
  |
6 | size = 9999999999
  |        ^^^^^^^^^^
  = help: write a whole number of neurons such as 800, or [channels, height, width]
"#,
    );
}

#[test]
fn a_picture_of_two_extents() {
    assert_says(
        "size = 10",
        "shape = [28, 28]",
        r#"
error[wrong-type]: a list of 2 stands here
 --> line 6, column 9 at populations/cells/shape
  |
6 | shape = [28, 28]
  |         ^^^^^^^^
  = help: write a whole number of neurons such as 800, or [channels, height, width]
"#,
    );
}

#[test]
fn an_unknown_model() {
    let names = sim_core::neuron::model_names().join(", ");
    assert_says(
        "lif_exponential",
        "lif_exponentail",
        &format!(
            r#"
error[unknown-model]: `lif_exponentail` is not a known model
 --> line 7, column 9 at populations/cells/model
  |
7 | model = "lif_exponentail"
  |         ^^^^^^^^^^^^^^^^^
  = help: did you mean `lif_exponential`? Known are: {names}
"#
        ),
    );
}

#[test]
fn a_rule_that_is_not_stated() {
    assert_says(
        "spike = \"at_or_above\"\n",
        "",
        r#"
error[rule-not-stated]: `lif_exponential` needs the rule `spike`: tools differ in it
 --> line 5, column 14 at populations/cells/spike
  |
5 | [populations.cells]
  |              ^^^^^
  = help: state it: spike = "at_or_above" or spike = "above"
"#,
    );
}

#[test]
fn a_rule_that_does_not_exist() {
    assert_says(
        "at_or_above",
        "sometimes",
        r#"
error[unknown-name]: `sometimes` is not allowed here
 --> line 8, column 9 at populations/cells/spike
  |
8 | spike = "sometimes"
  |         ^^^^^^^^^^^
  = help: known are: at_or_above, above
"#,
    );
}

#[test]
fn a_rule_that_is_no_text() {
    assert_says(
        r#""at_or_above""#,
        "3",
        r#"
error[wrong-type]: this is not a text in quotes
 --> line 8, column 9 at populations/cells/spike
  |
8 | spike = 3
  |         ^
  = help: write a name in quotes, for example "at_or_above"
"#,
    );
}

#[test]
fn a_reset_without_to() {
    assert_says(
        r#"{ to = "-70 mV" }"#,
        r#""-70 mV""#,
        r#"
error[wrong-type]: the reset does not say what happens at -70 mV
 --> line 9, column 9 at populations/cells/reset
  |
9 | reset = "-70 mV"
  |         ^^^^^^^^
  = help: write { to = "-70 mV" }
"#,
    );
}

#[test]
fn a_text_for_a_number() {
    assert_says(
        "probability = 0.1",
        r#"probability = "0.1""#,
        r#"
error[wrong-type]: the text "0.1" stands here
  --> line 28, column 60 at projections/in/connectivity/probability
   |
28 | connectivity = { rule = "fixed_probability", probability = "0.1" }
   |                                                            ^^^^^
   = help: write a number
"#,
    );
}

#[test]
fn a_probability_above_one() {
    assert_says(
        "probability = 0.1",
        "probability = 1.5",
        r#"
error[out-of-range]: probability 1.5
  --> line 28, column 60 at projections/in/connectivity/probability
   |
28 | connectivity = { rule = "fixed_probability", probability = 1.5 }
   |                                                            ^^^
   = help: give a number from 0 to 1
"#,
    );
}

#[test]
fn a_number_that_is_too_large() {
    assert_says(
        "probability = 0.1",
        "probability = 1e999",
        r#"
error[wrong-type]: the number is too large
  --> line 28, column 60 at projections/in/connectivity/probability
   |
28 | connectivity = { rule = "fixed_probability", probability = 1e999 }
   |                                                            ^^^^^
   = help: numbers lie between -1.8e308 and 1.8e308
"#,
    );
}

#[test]
fn a_misspelt_key() {
    assert_says(
        "probability = 0.1",
        "probabilty = 0.1",
        r#"
error[unknown-key]: there is no key `probabilty` here
  --> line 28, column 46 at projections/in/connectivity/probabilty
   |
28 | connectivity = { rule = "fixed_probability", probabilty = 0.1 }
   |                                              ^^^^^^^^^^
   = help: did you mean `probability`? Known are: rule, probability, autapses
"#,
    );
}

#[test]
fn a_key_of_another_rule() {
    assert_says(
        "fixed_probability",
        "dense",
        r#"
error[key-not-taken]: `dense` does not take the key `probability`
  --> line 28, column 34 at projections/in/connectivity/probability
   |
28 | connectivity = { rule = "dense", probability = 0.1 }
   |                                  ^^^^^^^^^^^
   = help: remove it, or choose another rule
"#,
    );
}

#[test]
fn an_unknown_connection_rule() {
    assert_says(
        "fixed_probability",
        "random",
        r#"
error[unknown-name]: `random` is not allowed here
  --> line 28, column 25 at projections/in/connectivity/rule
   |
28 | connectivity = { rule = "random", probability = 0.1 }
   |                         ^^^^^^^^
   = help: known are: one_to_one, all_to_all, dense, fixed_probability, fixed_in_degree, fixed_out_degree, fixed_total, spatial, small_world, convolution, list, csr, file
"#,
    );
}

#[test]
fn a_missing_weight() {
    assert_says(
        "weight = \"60 pA\"\n",
        "",
        r#"
error[missing-key]: the key `weight` is missing
  --> line 25, column 14 at projections/in/weight
   |
25 | [projections.in]
   |              ^^
   = help: add a line `weight = …`, for example weight = "20 pA"
"#,
    );
}

#[test]
fn a_delay_off_the_grid() {
    assert_says(
        "1.5 ms",
        "1.55 ms",
        r#"
error[off-grid]: 1.55 ms is not a whole number of steps
  --> line 30, column 9 at projections/in/delay
   |
30 | delay = "1.55 ms"
   |         ^^^^^^^^^
   = help: times must be finite, not negative and multiples of dt = 0.1 ms: choose another time or a dt that divides it
"#,
    );
}

#[test]
fn an_unknown_population() {
    assert_says(
        r#"target = "cells""#,
        r#"target = "cell""#,
        r#"
error[unknown-population]: there is no population `cell`
  --> line 27, column 10 at projections/in/target
   |
27 | target = "cell"
   |          ^^^^^^
   = help: did you mean `cells`? Known are: cells, outside
"#,
    );
}

#[test]
fn a_section_without_names() {
    assert_says(
        "[stimuli.background]",
        "[[stimuli]]",
        r#"
error[wrong-type]: `stimuli` is not a table of named entries
  --> line 20, column 3 at stimuli
   |
20 | [[stimuli]]
   |   ^^^^^^^
   = help: give each a name: [stimuli.some_name]
"#,
    );
}

#[test]
fn an_unknown_section() {
    assert_says(
        "[stimuli.background]",
        "[stimulus.background]",
        r#"
error[unknown-key]: a network file has no key `stimulus` at its top
  --> line 20, column 2 at stimulus
   |
20 | [stimulus.background]
   |  ^^^^^^^^
   = help: did you mean `stimuli`? Known are: name, dt, seed, precision, populations, projections, stimuli, probes
"#,
    );
}
