//! This example shows: a network written by hand in TOML, read, validated, measured and run.
//!
//! `balanced_network.toml` holds 800 excitatory and 200 inhibitory neurons that keep each other at
//! low, irregular rates. A second, spoiled copy of the text shows how mistakes are reported.
//!
//! Run it with `cargo run --example network_from_toml`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::model_io::network_file;
use spikeloom::sim_core::connectome::footprint::readable;
use spikeloom::sim_core::connectome::{CompileConfig, predict};
use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
use spikeloom::sim_core::time::Time;
use std::error::Error;
use std::sync::Arc;

const TEXT: &str = include_str!("balanced_network.toml");

fn main() -> Result<(), Box<dyn Error>> {
    let spoiled = TEXT.replacen("tau_membrane", "tau_membran", 1).replacen(
        "\"excitatory\"",
        "\"exitatory\"",
        1,
    );
    println!("Two slips of the pen, and what is said about them:\n");
    match network_file::read_and_validate(&spoiled) {
        Ok(_) => return Err("the spoiled network was accepted".into()),
        Err(problems) => println!("{}", problems.render(&spoiled)),
    }

    let (_, valid) = network_file::read_and_validate(TEXT)?;
    for warning in valid.warnings() {
        println!("warning: {warning}");
    }
    let footprint = predict(&valid);
    let size = readable(footprint.connectome_bytes);
    println!("`{}`: about {} synapses in {size}", valid.name(), footprint.synapses);

    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED)?);
    let clock = find_engine("clock").ok_or("no engine of this name")?;
    let mut engine = (clock.start)(compiled, EngineConfig::default())?;
    let span = Time::from_milliseconds(500.0).ok_or("a time out of reach")?;
    engine.run(span, &mut |_| true)?;

    let recording = engine.recording();
    println!("\nafter {}:", recording.duration);
    for (population, rate) in recording.populations.iter().zip(recording.rates()) {
        println!("{:>12} {rate:5.1} spikes per neuron and second", population.name);
    }
    let operations = recording.counters.synaptic_operations;
    println!("{operations} synaptic operations");
    Ok(())
}
