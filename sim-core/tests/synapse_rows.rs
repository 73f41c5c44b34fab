//! Many synapses of a segment at once against each of them alone: the same bits.

#![allow(clippy::unwrap_used, clippy::panic)]

use sim_core::random::{Purpose, Stream};
use sim_core::synapse::{
    LongTerm, Made, Pairing, RULES, RuleContext, RuleKind, Segment, SynapseRule,
};
use sim_core::time::Time;

const SYNAPSES: usize = 37;
const TARGETS: usize = 11;
const DENDRITIC_DELAY: Time = Time(1_000_000_000_000);
/// How far postsynaptic spikes are known ahead of what is asked for.
const KNOWN_AHEAD: Time = Time(900_000_000_000);

fn make(
    rule: &dyn SynapseRule,
    pairing: Pairing,
    (synapses, targets): (usize, usize),
) -> Box<dyn LongTerm> {
    // Weights begin at 1 and have room above.
    let parameters: Vec<f64> =
        rule.spec().parameters.iter().map(|p| p.default.unwrap_or(3.0)).collect();
    let context = RuleContext {
        parameters: &parameters,
        pairing,
        segments: 1,
        synapses,
        targets,
        longest_dendritic_delay: DENDRITIC_DELAY,
    };
    match rule.make(context) {
        Made::LongTerm(learning) => learning,
        _ => panic!("{} is no long-term rule", rule.spec().name),
    }
}

/// Times [0.1 ms] of a train with bursts: more spikes between two presynaptic ones than any table of
/// recent spikes holds.
fn train(number: u32) -> Vec<Time> {
    let mut stream = Stream::new(17, Purpose::Example, number, 0);
    let mut step = 0;
    let gap = |word: u32| if word.is_multiple_of(4) { 10 + word % 700 } else { 1 + word % 25 };
    let times = (0..150).map(|_| {
        step += i64::from(gap(stream.next_words()[0] >> 3));
        Time(step * 100_000_000_000)
    });
    times.collect()
}

/// The weights after each presynaptic spike.
fn learn(
    learning: &mut dyn LongTerm,
    targets: &[u32],
    post: &[(Time, u32)],
    ahead: Time,
) -> Vec<Vec<f64>> {
    let mut weights = vec![1.0; targets.len()];
    let (mut told, mut found) = (0, Vec::new());
    for time in train(1000).into_iter().step_by(3) {
        // At the synapse a postsynaptic spike happens a dendritic delay after it was sent.
        while let Some(&(spike, target)) = post.get(told)
            && spike.saturating_add(DENDRITIC_DELAY) <= time.saturating_add(ahead)
        {
            learning.post_spike(target, spike);
            told += 1;
        }
        learning.pre_spike(&mut Segment {
            index: 0,
            first: 0,
            time,
            dendritic_delay: DENDRITIC_DELAY,
            targets,
            weights: &mut weights,
        });
        found.push(weights.clone());
        if found.len().is_multiple_of(20) {
            learning.catch_up(&mut Segment {
                index: 0,
                first: 0,
                time: time.saturating_add(Time(50_000_000_000)),
                dendritic_delay: DENDRITIC_DELAY,
                targets,
                weights: &mut weights,
            });
            learning.forget(time);
        }
    }
    found
}

#[test]
fn a_row_of_synapses_learns_what_each_learns_alone() {
    let trains: Vec<Vec<Time>> = (0..TARGETS as u32).map(train).collect();
    let mut post: Vec<(Time, u32)> = (0..TARGETS as u32)
        .flat_map(|target| trains[target as usize].iter().map(move |&time| (time, target)))
        .collect();
    post.sort_unstable();
    // Some targets several times, as multapses are.
    let targets: Vec<u32> = (0..SYNAPSES as u32).map(|k| k * k % TARGETS as u32).collect();
    let rules = RULES.iter().filter(|rule| rule.spec().kind == RuleKind::LongTerm);
    let mut compared = 0;
    for rule in rules.filter(|rule| !rule.spec().modulated) {
        for &pairing in rule.spec().pairings {
            let name = format!("{} {}", rule.spec().name, pairing.name());
            let mut learning = make(*rule, pairing, (SYNAPSES, TARGETS));
            let found = learn(learning.as_mut(), &targets, &post, KNOWN_AHEAD);
            for (place, &target) in targets.iter().enumerate() {
                let own: Vec<(Time, u32)> =
                    trains[target as usize].iter().map(|&time| (time, 0)).collect();
                let mut alone = make(*rule, pairing, (1, 1));
                let alone = learn(alone.as_mut(), &[0], &own, Time::ZERO);
                let same = found.iter().zip(&alone).all(|(row, one)| row[place] == one[0]);
                assert!(same, "{name}: synapse {place}");
            }
            let last = found.last().unwrap();
            assert!(last.iter().any(|weight| (weight - 1.0).abs() > 1e-6), "{name} learns");
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}
