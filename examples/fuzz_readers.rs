//! This command fuzzes the readers: real files, damaged at random, must make no reader panic, hang
//! or ask for much memory.
//!
//! `cargo run --release --example fuzz_readers -- --reader onnx --inputs 1000000 --seed 1`; without
//! `--reader` all of them, without `--inputs` a few hundred each. Input n of a seed is always the
//! same. It ends with 1 where an input made a reader panic, take more than ten seconds or more
//! than 64 MB beyond the input; `--save FOLDER` writes such inputs.

#![allow(clippy::print_stdout)] // a command prints
#![allow(clippy::unwrap_used, reason = "the fuzzer makes its own seeds; a failure to is its end")]

#[path = "../tests/fuzz/chips.rs"]
mod chips;
#[path = "../tests/fuzz/mutate.rs"]
mod mutate;
#[path = "../tests/fuzz/readers.rs"]
mod readers;

use mutate::{Dice, mutate};
use peak_alloc::PeakAlloc;
use readers::{READERS, Reader, seeds};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The most memory that one input may make a reader take, beyond what was taken before, in bytes.
const MOST_MEMORY: usize = 64 << 20;
/// The longest time for one input: longer than any machine is busy, shorter than a hang.
const LONGEST: Duration = Duration::from_secs(10);

struct Arguments {
    reader: Option<String>,
    inputs: Option<u64>,
    seed: u64,
    save: Option<PathBuf>,
}

#[derive(Default)]
struct Outcome {
    accepted: u64,
    panics: u64,
    slow: u64,
    large: u64,
    longest: Duration,
    most_memory: usize,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = arguments()?;
    let chosen: Vec<&Reader> = READERS
        .iter()
        .filter(|reader| arguments.reader.as_deref().is_none_or(|name| name == reader.name))
        .collect();
    if chosen.is_empty() {
        let known: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
        return Err(format!("there is no such reader; known: {}", known.join(", ")).into());
    }
    let folder = tempfile::tempdir()?;
    let mut bad = 0;
    for reader in chosen {
        let started = Instant::now();
        let inputs = arguments.inputs.unwrap_or(200);
        let outcome = run(reader, inputs, &arguments, &folder.path().join("input"))?;
        bad += outcome.panics + outcome.slow + outcome.large;
        print!("{:<14} {inputs} inputs, {} panics", reader.name, outcome.panics);
        if arguments.inputs.is_some() {
            print!(
                ", {} accepted, {:.0} s, longest input {:.3} s, most memory {:.1} MB, {} too slow, \
                 {} too large",
                outcome.accepted,
                started.elapsed().as_secs_f64(),
                outcome.longest.as_secs_f64(),
                outcome.most_memory as f64 / f64::from(1 << 20),
                outcome.slow,
                outcome.large
            );
        }
        println!();
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(
    reader: &Reader,
    inputs: u64,
    arguments: &Arguments,
    file: &Path,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let seeds = seeds(reader);
    let mut outcome = Outcome::default();
    for number in 0..inputs {
        let start = arguments.seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(number);
        let input = mutate(&seeds, reader.text, &mut Dice::new(start));
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        let started = Instant::now();
        let result = std::panic::catch_unwind(|| (reader.read)(&input, file));
        let elapsed = started.elapsed();
        let memory = HEAP.peak_usage().saturating_sub(before);
        outcome.longest = outcome.longest.max(elapsed);
        outcome.most_memory = outcome.most_memory.max(memory);
        let (panicked, slow) = (result.is_err(), elapsed > LONGEST);
        let large = memory > MOST_MEMORY + 64 * input.len();
        outcome.accepted += u64::from(result.unwrap_or(false));
        outcome.panics += u64::from(panicked);
        outcome.slow += u64::from(slow);
        outcome.large += u64::from(large);
        if panicked || slow || large {
            println!(
                "{}: input {number}: panic {panicked}, {elapsed:?}, {memory} bytes",
                reader.name
            );
            if let Some(folder) = &arguments.save {
                std::fs::write(folder.join(format!("{}-{number}", reader.name)), &input)?;
            }
        }
    }
    Ok(outcome)
}

fn arguments() -> Result<Arguments, Box<dyn std::error::Error>> {
    let mut found = Arguments { reader: None, inputs: None, seed: 1, save: None };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--reader" => found.reader = Some(value),
            "--inputs" => found.inputs = Some(value.parse()?),
            "--seed" => found.seed = value.parse()?,
            "--save" => found.save = Some(value.into()),
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    Ok(found)
}
