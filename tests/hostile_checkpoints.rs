//! Checkpoints whose checksums fit and whose content no run can have left are refused.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use sim_core::checkpoint::Numbers;
use sim_core::engine::{ENGINES, Engine};
use test_support::generate::{Family, Size, network};
use test_support::suite::{advance, compile, start};

/// How many sections with this beginning of their name, damaged one at a time, an engine refuses with a
/// message; `damage` says whether it can be applied to a section.
fn refusals(
    engine: &mut dyn Engine,
    beginning: &str,
    damage: impl Fn(&mut Numbers) -> bool,
    message: &str,
) -> usize {
    let whole = engine.checkpoint();
    let mut refused = 0;
    for index in 0..whole.sections.len() {
        let mut damaged = whole.clone();
        let section = &mut damaged.sections[index];
        if !section.name.starts_with(beginning) || !damage(&mut section.numbers) {
            continue;
        }
        let error = engine.restore(&damaged).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        refused += 1;
    }
    engine.restore(&whole).unwrap();
    refused
}

/// Somebody who means harm can write one whose checksums fit: a neuron that was last looked at long before its
/// run would spike ever since.
#[test]
fn times_before_the_run_are_refused() {
    let compiled = compile(&network(Family::Delta, 3, Size::SMALL));
    let mut engine = start(&compiled, "event", 1);
    advance(engine.as_mut(), 20.0);
    let damage = |numbers: &mut Numbers| match numbers {
        Numbers::I64(times) => {
            times[0] = -1;
            true
        }
        _ => false,
    };
    let message = "-1 fs is no time of a run";
    let refused = refusals(engine.as_mut(), "population/", damage, message);
    assert!(refused >= 3, "{refused}");
}

/// Nor may what is counted later run over.
#[test]
fn counts_that_no_run_reaches_are_refused() {
    let compiled = compile(&network(Family::Delta, 3, Size::SMALL));
    for entry in ENGINES {
        let mut engine = start(&compiled, entry.name, 1);
        advance(engine.as_mut(), 20.0);
        let damage = |numbers: &mut Numbers| match numbers {
            Numbers::U64(counts) => {
                counts[0] = u64::MAX - 3;
                true
            }
            _ => false,
        };
        let message = "no run counts as far as 18446744073709551612";
        assert_eq!(refusals(engine.as_mut(), "counters/", damage, message), 5, "{}", entry.name);
    }
}
