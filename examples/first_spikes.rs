//! This example shows: a network of two neurons built in Rust, run on both engines.
//!
//! A constant current drives `sender`, which reaches `receiver` through one synapse: each spike
//! lifts the receiver's potential by 9 mV, 1.5 ms later, until it reaches the threshold. The
//! event-driven engine finds spikes at their exact times. The clock-driven engine dates a spike at
//! the end of its step and lets the refractory time begin there: it falls behind by less than a step
//! with every spike.
//!
//! Run it with `cargo run --example first_spikes`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, ENGINES, EngineConfig};
use spikeloom::sim_core::network::{Network, OneToOne, Population, Probe, Projection, Stimulus};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::recording::Recording;
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{Milliseconds, Millivolts, Picoamperes};
use std::error::Error;
use std::sync::Arc;

/// Simulated time in ms; one column of the raster is 1 ms.
const DURATION: f64 = 100.0;

fn pair() -> Network {
    let mut network = Network::new("pair", Milliseconds(0.1));
    let receiver = LifDelta { tau_membrane: Milliseconds(20.0), ..LifDelta::default() };
    network.add_population("sender", Population::new(1, LifDelta::default()));
    network.add_population("receiver", Population::new(1, receiver));
    network.add_projection(
        "wire",
        Projection::new("sender", "receiver", OneToOne)
            .weight(Millivolts(9.0))
            .delay(Milliseconds(1.5)),
    );
    let current = Stimulus::constant_current("sender", Picoamperes(500.0), Milliseconds(5.0));
    network.add_stimulus("direct_current", current);
    network.add_probe("sender_spikes", Probe::spikes("sender"));
    network.add_probe("receiver_spikes", Probe::spikes("receiver"));
    network
}

fn print_raster(recording: &Recording) {
    for population in &recording.populations {
        let mut row = vec!['·'; DURATION as usize];
        let spikes = recording.spikes.iter();
        for spike in spikes.filter(|spike| spike.neuron == population.first) {
            // A spike at the very end belongs to the last column.
            let column = (spike.time.milliseconds() as usize).min(row.len() - 1);
            row[column] = '|';
        }
        println!("{:>9} {}", population.name, String::from_iter(row));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let compiled = Arc::new(Compiled::new(pair().validate()?, CompileConfig::UNLIMITED)?);
    let span = Time::from_milliseconds(DURATION).ok_or("a time out of reach")?;
    for entry in ENGINES {
        let mut engine = (entry.start)(Arc::clone(&compiled), EngineConfig::default())?;
        engine.run(span, &mut |_| true)?;
        println!("{}-driven engine", entry.name);
        print_raster(engine.recording());
        let times = engine.recording().spikes.iter();
        let first: Vec<String> = times
            .take(4)
            .map(|spike| format!("neuron {} at {:.6} ms", spike.neuron, spike.time.milliseconds()))
            .collect();
        println!("          {}\n", first.join(", "));
    }
    Ok(())
}
