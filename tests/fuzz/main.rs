//! A quick, fixed share of what `cargo run --release --example fuzz_readers` does: damaged files
//! make no reader panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod chips;
mod mutate;
mod readers;

use mutate::{Dice, mutate};
use readers::{READERS, seeds};

/// Inputs a reader; fixed, so that a failure can be repeated.
const INPUTS: u64 = 1500;

#[test]
fn damaged_files_are_refused_without_panic() {
    let folder = tempfile::tempdir().unwrap();
    for reader in READERS {
        let seeds = seeds(reader);
        assert!(!seeds.is_empty(), "{} has no real files", reader.name);
        let file = folder.path().join(reader.name);
        let whole = seeds.iter().filter(|seed| (reader.read)(seed, &file)).count();
        assert!(whole > 0, "{} reads none of its real files", reader.name);
        for number in 0..INPUTS {
            let input = mutate(&seeds, reader.text, &mut Dice::new(number));
            let outcome = std::panic::catch_unwind(|| (reader.read)(&input, &file));
            assert!(outcome.is_ok(), "{} panics on input {number}", reader.name);
        }
    }
}
