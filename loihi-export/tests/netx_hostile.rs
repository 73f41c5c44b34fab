//! Damaged netx files: reading ends with an error or a network that runs or is refused, never with
//! a panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::Emulator;
use loihi_export::export::netx::{NetxOptions, read_netx_network};

/// Damaged copies of each file.
const COPIES: u64 = 60;
/// Networks of at most this many neurons are run, too.
const SMALL: u64 = 10_000;

fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Replaces, cuts or flips a few bytes.
fn damage(bytes: &[u8], seed: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + next(seed) % 6 {
        let place = next(seed) % bytes.len();
        match next(seed) % 4 {
            0 => bytes[place] = 0xff,
            1 => bytes.truncate(place.max(1)),
            2 => {
                let end = (place + 8).min(bytes.len());
                bytes[place..end].fill((next(seed) % 256) as u8);
            }
            _ => bytes[place] ^= 1 << (next(seed) % 8),
        }
    }
    bytes
}

#[test]
fn damaged_files_end_with_an_error_or_a_network() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx");
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("damaged.net");
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let (mut refused, mut seed) = (0, 1);
    for name in ["hand_delay_2d", "hand_conv", "ref_sdnn", "ref_rf_iz"] {
        let bytes = std::fs::read(folder.join(format!("{name}.net"))).unwrap();
        for copy in 0..COPIES {
            std::fs::write(&path, damage(&bytes, &mut seed)).unwrap();
            let options = NetxOptions { lenient: copy % 2 == 0, ..NetxOptions::default() };
            let Ok(read) = read_netx_network(&path, &options) else {
                refused += 1;
                continue;
            };
            let neurons: u64 = read.network.populations.iter().map(|p| p.shape.size()).sum();
            if neurons <= SMALL
                && let Ok(mut emulator) = Emulator::new(&read.network, &chip)
            {
                let silent = vec![Default::default(); emulator.inputs().len()];
                emulator.run(3, &silent).unwrap();
            }
        }
    }
    assert!(refused > 20, "{refused} were refused");
}
