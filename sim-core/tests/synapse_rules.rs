//! Synapse rules alone, without an engine: against NEST's recorded weights and transmitter states,
//! and against a slow sum over pairs.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use sim_core::random::{Purpose, Stream};
use sim_core::synapse::{
    LongTerm, Made, Pairing, RULES, RuleContext, RuleKind, Segment, ShortTerm, find_rule,
};
use sim_core::time::Time;

/// NEST prints 12 digits; its weights here are below 100.
const WEIGHT_RELATIVE: f64 = 1e-9;

fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/nest");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn milliseconds(value: f64) -> Time {
    Time::from_milliseconds(value).unwrap()
}

fn long_term(rule: &str, parameters: &[f64], pairing: Pairing) -> Box<dyn LongTerm> {
    let context = RuleContext {
        parameters,
        pairing,
        segments: 1,
        synapses: 1,
        targets: 1,
        longest_dendritic_delay: milliseconds(1.0),
    };
    match find_rule(rule).unwrap().make(context) {
        Made::LongTerm(learning) => learning,
        _ => panic!("{rule} is no long-term rule"),
    }
}

/// The weight after each presynaptic spike; caught up and forgotten after every `sweep`-th one.
fn weights(
    rule: &mut dyn LongTerm,
    start: f64,
    delay: f64,
    spikes: (&[f64], &[f64]),
    sweep: usize,
) -> Vec<f64> {
    let delay = milliseconds(delay);
    let (mut weight, mut told) = ([start], 0);
    let mut after = Vec::new();
    for (count, &pre) in spikes.0.iter().enumerate() {
        // The whole delay is dendritic: at the synapse, the spike happens when it is sent.
        let time = milliseconds(pre);
        while let Some(&post) = spikes.1.get(told).filter(|&&post| milliseconds(post) < time) {
            rule.post_spike(0, milliseconds(post));
            told += 1;
        }
        let mut segment = Segment {
            index: 0,
            first: 0,
            time,
            dendritic_delay: delay,
            targets: &[0],
            weights: &mut weight,
        };
        rule.pre_spike(&mut segment);
        after.push(segment.weights[0]);
        if count % sweep == 0 {
            rule.catch_up(&mut segment);
            rule.forget(time);
        }
    }
    after
}

/// Compares with a recording; also where the rule forgets as often as it can.
fn compare(name: &str, rule: &str, parameters: &[&str]) {
    let data = recorded(name);
    let of = |parameter: &str| match parameter {
        "tau_minus" | "tau_minus_triplet" => data[parameter].as_f64().unwrap(),
        other => data["params"][other].as_f64().unwrap_or_else(|| other.parse().unwrap()),
    };
    let parameters: Vec<f64> = parameters.iter().map(|name| of(name)).collect();
    let (pre, post) = (numbers(&data["pre_spikes"]), numbers(&data["post_spikes"]));
    let expected = numbers(&data["weights"]);
    assert_eq!(numbers(&data["weight_times"]), pre);
    let start = data["params"]["weight_initial"].as_f64().unwrap();
    let delay = data["delay_ms"].as_f64().unwrap();
    let run = |sweep: usize| {
        let mut learning = long_term(rule, &parameters, Pairing::AllToAll);
        weights(learning.as_mut(), start, delay, (&pre, &post), sweep)
    };
    let found = run(usize::MAX);
    assert_eq!(found, run(1), "{name}: forgetting changes the weights");
    let largest = found.iter().zip(&expected).map(|(a, b)| (a / b - 1.0).abs());
    let largest = largest.fold(0.0, f64::max);
    assert!(largest < WEIGHT_RELATIVE, "{name}: {largest}");
    assert!(expected.iter().any(|weight| (weight / start - 1.0).abs() > 0.01), "{name} learns");
}

const PAIR: [&str; 5] = ["tau_plus", "tau_minus", "lambda", "alpha", "Wmax"];

#[test]
fn additive_weights_are_nests() {
    compare("stdp_synapse_additive", "stdp_additive", &PAIR);
}

#[test]
fn multiplicative_weights_are_nests() {
    compare("stdp_synapse_multiplicative", "stdp_multiplicative", &PAIR);
}

#[test]
fn weights_of_guetigs_rule_are_nests() {
    let parameters = [&PAIR[..], &["mu_plus", "mu_minus"]].concat();
    compare("stdp_synapse_guetig", "stdp_guetig", &parameters);
}

#[test]
fn weights_of_the_power_law_are_nests() {
    let parameters = ["tau_plus", "tau_minus", "lambda", "alpha", "mu", "1"];
    compare("stdp_pl_synapse_hom", "stdp_power_law", &parameters);
}

#[test]
fn weights_of_the_triplet_rule_are_nests() {
    let parameters = [
        "tau_plus",
        "tau_plus_triplet",
        "tau_minus",
        "tau_minus_triplet",
        "Aplus",
        "Aplus_triplet",
        "Aminus",
        "Aminus_triplet",
        "Wmax",
    ];
    compare("stdp_triplet_synapse", "stdp_triplet", &parameters);
}

fn short_term(rule: &str, parameters: &[f64]) -> Box<dyn ShortTerm> {
    let context = RuleContext {
        parameters,
        pairing: Pairing::AllToAll,
        segments: 1,
        synapses: 1,
        targets: 1,
        longest_dendritic_delay: milliseconds(1.0),
    };
    match find_rule(rule).unwrap().make(context) {
        Made::ShortTerm(release) => release,
        _ => panic!("{rule} is no short-term rule"),
    }
}

#[test]
fn transmitter_states_are_nests() {
    for (name, rule, parameters) in [
        ("tsodyks_synapse", "tsodyks_markram", &["U", "tau_rec", "tau_fac", "tau_psc"][..]),
        ("tsodyks2_synapse", "tsodyks_markram_two", &["U", "tau_rec", "tau_fac"]),
    ] {
        for kind in ["depressing", "facilitating"] {
            let data = recorded(&format!("{name}_{kind}"));
            let given = |name: &&str| data["params"][*name].as_f64().unwrap();
            // They begin rested: x = 1 and, of the first form, y = u = 0; of the second, u = U.
            let rested = match rule {
                "tsodyks_markram" => vec![1.0, 0.0, 0.0],
                _ => vec![1.0, given(&"U")],
            };
            let parameters: Vec<f64> = parameters.iter().map(given).chain(rested).collect();
            let mut release = short_term(rule, &parameters);
            let states = data["state_after_spike"].as_array().unwrap();
            for (time, expected) in numbers(&data["pre_spikes"]).into_iter().zip(states) {
                let released = release.release(0, milliseconds(time));
                for (variable, value) in release.state(0) {
                    let nest = expected[variable].as_f64().unwrap();
                    assert!((value - nest).abs() < 1e-11, "{name} {kind} {variable} {time}");
                }
                assert!((0.0..=1.0).contains(&released));
            }
            assert!(states.len() > 10);
        }
    }
}

/// Poisson trains of about 20 spikes a second over 4 s, on a grid of 0.1 ms.
fn train(object: u32) -> Vec<f64> {
    let mut stream = Stream::new(11, Purpose::Example, object, 0);
    (1..40_000_u32)
        .filter(|_| stream.next_uniform() < 0.002)
        .map(|step| f64::from(step) * 0.1)
        .collect()
}

/// The additive rule without bounds is a sum over pairs, which pairings choose from.
#[test]
fn the_additive_rule_is_a_sum_over_the_pairs_of_its_pairing() {
    const LARGE: f64 = 1e9;
    let (pre, post) = (train(0), train(1));
    let (tau_plus, tau_minus, rate, alpha, delay) = (20.0, 30.0, 1e-12, 0.7, 1.0);
    let at_synapse: Vec<f64> = post.iter().map(|time| time + delay).collect();
    for pairing in Pairing::ALL {
        let parameters = [tau_plus, tau_minus, rate, alpha, LARGE];
        let mut rule = long_term("stdp_additive", &parameters, pairing);
        let found = weights(rule.as_mut(), 0.5 * LARGE, delay, (&pre, &post), 7);
        let mut expected = 0.5 * LARGE;
        // Simultaneous spikes at the synapse: the postsynaptic one potentiates with earlier
        // presynaptic ones, and depresses with later ones.
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        for (index, &now) in pre.iter().enumerate() {
            let previous = index.checked_sub(1).map_or(f64::NEG_INFINITY, |i| pre[i]);
            let between = |t: &f64| *t > previous + 1e-6 && (*t < now || near(*t, now));
            for (count, &post) in at_synapse.iter().filter(|t| between(t)).enumerate() {
                let partners: Vec<f64> = match pairing {
                    Pairing::AllToAll => pre[..index].to_vec(),
                    Pairing::Nearest => pre[..index].last().copied().into_iter().collect(),
                    Pairing::NearestRestricted | Pairing::NearestPresynaptic if count > 0 => {
                        Vec::new()
                    }
                    // All since the last postsynaptic spike, or at it.
                    Pairing::NearestPresynaptic => {
                        let ended = at_synapse.iter().copied().filter(|t| *t < previous + 1e-6);
                        let ended = ended.fold(f64::NEG_INFINITY, f64::max);
                        let since = |t: &&f64| **t > ended || near(**t, ended);
                        pre[..index].iter().filter(since).copied().collect()
                    }
                    Pairing::NearestRestricted => {
                        pre[..index].last().copied().into_iter().collect()
                    }
                };
                let x: f64 = partners.iter().map(|pre| (-(post - pre) / tau_plus).exp()).sum();
                expected += rate * LARGE * x;
            }
            let earlier: Vec<f64> =
                at_synapse.iter().copied().filter(|&t| t < now && !near(t, now)).collect();
            let partners: Vec<f64> = match pairing {
                Pairing::AllToAll => earlier,
                Pairing::Nearest | Pairing::NearestPresynaptic => {
                    earlier.last().copied().into_iter().collect()
                }
                Pairing::NearestRestricted => {
                    let last = earlier.last().copied();
                    last.into_iter().filter(|&t| t > previous + 1e-6).collect()
                }
            };
            let y: f64 = partners.iter().map(|post| (-(now - post) / tau_minus).exp()).sum();
            expected -= alpha * rate * LARGE * y;
            // The change is some 1e-2 of 5e8, of which 1e-7 is the last digit.
            assert!((found[index] - expected).abs() < 1e-5, "{pairing:?} spike {index}");
        }
    }
}

/// dw/dt = c (n − b) solved by small Euler steps, within the bounds after each of them, or after those that
/// end at multiples of an interval and at events.
fn reward_rule_by_steps([baseline, smallest, largest, interval]: [f64; 4]) -> Vec<f64> {
    let delay = 1.0;
    let parameters = [20.0, 20.0, 1.0, 1.5, 100.0, 50.0, baseline, largest, smallest, interval];
    let (pre, post) = (vec![10.0, 40.0, 90.0, 200.0, 300.0], vec![20.0, 60.0, 85.0, 150.0]);
    let rewards = [70.0, 120.0, 121.0, 250.0];
    let rule = || {
        let mut rule = long_term("reward_modulated_stdp", &parameters, Pairing::AllToAll);
        rewards.iter().for_each(|&reward| rule.modulator_spike(milliseconds(reward)));
        rule
    };
    let found = weights(rule().as_mut(), 5.0, delay, (&pre, &post), usize::MAX);
    let swept = weights(rule().as_mut(), 5.0, delay, (&pre, &post), 1);
    let step = 1e-4;
    let [mut x, mut y, mut n, mut c, mut w] = [0.0, 0.0, 0.0, 0.0, 5.0_f64];
    let mut expected = Vec::new();
    let is_at = |times: &[f64], shift: f64, t: f64| {
        times.iter().any(|time| (time + shift - t).abs() < step / 2.0)
    };
    for k in 1..=(300.0 / step) as u32 {
        w += step * c * (n - baseline);
        for (trace, tau) in [(&mut x, 20.0), (&mut y, 20.0), (&mut n, 50.0), (&mut c, 100.0)] {
            *trace -= step * *trace / tau;
        }
        let t = f64::from(k) * step;
        let [post, reward, pre] = [(&post[..], delay), (&rewards, delay), (&pre, 0.0)]
            .map(|(times, shift)| is_at(times, shift, t));
        let on_interval =
            interval == 0.0 || (t / interval - (t / interval).round()).abs() < step / 2.0;
        if on_interval || post || reward || pre {
            w = w.clamp(smallest, largest);
        }
        if post {
            c += parameters[2] * x;
            y += 1.0;
        }
        if reward {
            n += 1.0 / parameters[5];
        }
        if pre {
            c -= parameters[3] * y;
            x += 1.0;
            expected.push(w);
        }
    }
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        // Euler's error is of the order of the step over the shortest time constant.
        assert!((found - expected).abs() < 1e-4, "spike {index}: {found} {expected}");
        assert!((found - swept[index]).abs() < 1e-12, "caught up at spike {index}");
    }
    found
}

#[test]
fn the_reward_rule_is_its_differential_equation() {
    let free = reward_rule_by_steps([0.001, 0.0, 10.0, 0.0]);
    assert!((free[4] - 5.0).abs() > 0.1, "rewards change the weight: {free:?}");
}

#[test]
fn a_reward_rests_at_its_bound_until_it_is_led_away() {
    let free = reward_rule_by_steps([0.015, 0.0, 10.0, 0.0]);
    let bounded = reward_rule_by_steps([0.015, 4.8, 10.0, 0.0]);
    let at_times = reward_rule_by_steps([0.015, 4.8, 10.0, 40.0]);
    assert!((free[4] - bounded[4]).abs() > 0.1, "bounds matter: {free:?} {bounded:?}");
    assert!((at_times[4] - bounded[4]).abs() > 1e-3, "so does when: {at_times:?} {bounded:?}");
}

#[test]
fn inhibition_grows_above_the_target_rate_and_shrinks_below() {
    let (pre, post) = (train(2), train(3));
    let rate_of = |target_rate: f64| {
        let parameters = [20.0, 0.01, target_rate, 1e6, 0.0];
        let mut rule = long_term("vogels_sprekeler", &parameters, Pairing::AllToAll);
        *weights(rule.as_mut(), -10.0, 1.0, (&pre, &post), 5).last().unwrap()
    };
    // The targets spike with 0.02/ms.
    assert!(rate_of(0.002) < -10.05, "{}", rate_of(0.002));
    assert!(rate_of(0.2) > -9.95, "{}", rate_of(0.2));
}

#[test]
fn homeostasis_scales_towards_its_aim() {
    let make = |rule: &str, parameters: &[f64]| {
        let context = RuleContext {
            parameters,
            pairing: Pairing::AllToAll,
            segments: 0,
            synapses: 0,
            targets: 0,
            longest_dendritic_delay: Time::ZERO,
        };
        match find_rule(rule).unwrap().make(context) {
            Made::Homeostasis(rule) => rule,
            _ => panic!("{rule} is no homeostasis"),
        }
    };
    let scaling = make("synaptic_scaling", &[1000.0, 0.005, 0.1]);
    assert_eq!([0.0, 5.0, 10.0].map(|rate| scaling.factor(1.0, rate)), [1.1, 1.0, 0.9]);
    let normalisation = make("weight_normalisation", &[100.0, 8.0]);
    assert_eq!(normalisation.factor(2.0, 0.0), 4.0);
    assert_eq!(normalisation.factor(0.0, 0.0), 1.0, "nothing to scale");
}

#[test]
fn every_rule_makes_what_its_kind_says_and_names_its_source() {
    for rule in RULES {
        let spec = rule.spec();
        let parameters: Vec<f64> =
            spec.parameters.iter().map(|parameter| parameter.default.unwrap_or(1.0)).collect();
        for parameter in spec.parameters {
            assert!(parameter.default.is_none_or(|default| parameter.range.contains(default)));
        }
        assert!(rule.check(&parameters).is_empty(), "{}", spec.name);
        let context = RuleContext {
            parameters: &parameters,
            pairing: Pairing::AllToAll,
            segments: 1,
            synapses: 1,
            targets: 1,
            longest_dendritic_delay: milliseconds(1.0),
        };
        let kind = match rule.make(context) {
            Made::ShortTerm(_) => RuleKind::ShortTerm,
            Made::LongTerm(_) => RuleKind::LongTerm,
            Made::Homeostasis(_) => RuleKind::Homeostasis,
        };
        assert_eq!(kind, spec.kind, "{}", spec.name);
        assert!(!spec.reference.is_empty() && !spec.summary.is_empty());
    }
}
