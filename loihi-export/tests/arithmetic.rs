//! Arithmetic on which emulators of one chip differ: each choice changes what it names, and what is
//! lost is counted with its place.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use indexmap::IndexMap;
use loihi_export::chip::{ARITHMETICS, ChipSpec, CurrentOverflow};
use loihi_export::emulator::{Emulator, OverflowKind, Spike};
use loihi_export::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};
use sim_core::network::Shape;

fn population(
    name: &str,
    process: &str,
    size: u32,
    numbers: &[(&str, i64)],
) -> QuantisedPopulation {
    let parameters: IndexMap<_, _> =
        numbers.iter().map(|&(name, n)| (name.to_owned(), IntegerValues::One(n))).collect();
    QuantisedPopulation {
        name: name.into(),
        shape: Shape::List(size),
        process: process.into(),
        parameters,
    }
}

/// One graded source onto one neuron whose current never decays.
fn network() -> QuantisedNetwork {
    let lif = [("du", -1), ("dv", 0), ("vth", 1 << 24)];
    QuantisedNetwork {
        name: "one".into(),
        chip: "loihi2".into(),
        populations: vec![population("in", "input", 1, &[]), population("out", "lif", 1, &lif)],
        projections: vec![QuantisedProjection {
            name: "in-out".into(),
            source: 0,
            target: 1,
            connection: Connection::Dense {
                weights: vec![128],
                sign_mode: SignMode::Excitatory,
                weight_bits: 8,
                weight_exponent: 0,
            },
            delay: DelaySteps::One(0),
            message_bits: 24,
            port: 0,
            learning: None,
        }],
    }
}

/// u after two steps of one spike with this payload, and the kinds of overflow.
fn current(chip: &ChipSpec, payload: i32) -> (i32, Vec<OverflowKind>) {
    let mut emulator = Emulator::new(&network(), chip).unwrap();
    emulator.step(&[&[Spike { neuron: 0, payload }]]).unwrap();
    emulator.step(&[&[]]).unwrap();
    let report = emulator.overflows();
    for overflow in &report.overflows {
        assert_eq!((overflow.place.as_str(), overflow.first_neuron), ("out", 0), "{overflow}");
        assert!(overflow.first_step == 2, "{overflow}");
    }
    (emulator.current(1)[0], report.overflows.iter().map(|o| o.kind).collect())
}

#[test]
fn named_arithmetics_differ_where_they_say() {
    let chips: Vec<ChipSpec> = ARITHMETICS
        .iter()
        .map(|named| {
            let mut chip = ChipSpec::built_in("loihi2").unwrap();
            chip.arithmetic = named.choices();
            chip
        })
        .collect();
    // 128 * 64 * 1024 = 2^23: Lava keeps it, two's complement does not.
    let at_bound: Vec<_> = chips.iter().map(|chip| current(chip, 1024).0).collect();
    assert_eq!(at_bound, [1 << 23, 1 << 23, -(1 << 23)]);
    // The membrane, which saturates below 2^23, clips under both.
    assert!(!current(&chips[0], 1024).1.contains(&OverflowKind::Current));
    assert!(current(&chips[2], 1024).1.contains(&OverflowKind::Current));
    // 128 * 16384 = 2^21 does not fit 21 bits and a sign.
    let wide = current(&chips[2], 16_384);
    assert!(wide.1.contains(&OverflowKind::SynapticSum), "{wide:?}");
    assert!(!current(&chips[0], 16_384).1.contains(&OverflowKind::SynapticSum));
}

#[test]
fn a_saturating_current_stays_at_its_bound() {
    let mut chip = ChipSpec::built_in("loihi2").unwrap();
    if let Some(overflow) = &mut chip.arithmetic.current_overflow {
        overflow.value = CurrentOverflow::Saturate;
    }
    assert_eq!(current(&chip, 5000), ((1 << 23) - 1, vec![OverflowKind::Current]));
}
