//! This example shows: spike times of the clock-driven engine approach the exact ones as dt shrinks.
//!
//! One neuron with exponential synaptic currents gets a train of spikes and a constant current. The
//! event-driven engine solves its equation between events and finds each threshold crossing on no
//! grid. The clock-driven engine integrates exactly too, but looks at the threshold only at the end
//! of a step: its first spike comes late by less than a step, and later spikes inherit the lateness
//! of all before them, because each reset begins late. All errors shrink with dt.
//!
//! Run it with `cargo run --example clock_and_event`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
use spikeloom::sim_core::network::{
    Network, Neuron, OneToOne, Population, Probe, Projection, SpikeList, Stimulus,
};
use spikeloom::sim_core::neuron::lif_exponential::LifExponential;
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{Milliseconds, Picoamperes, Values, find_unit};
use std::error::Error;
use std::sync::Arc;

fn network(dt: f64) -> Result<Network, Box<dyn Error>> {
    let mut network = Network::new("one neuron", Milliseconds(dt));
    network.add_population("source", Population::new(1, Neuron::spike_source()));
    network.add_population("cell", Population::new(1, LifExponential::default()));
    network.add_projection(
        "synapse",
        Projection::new("source", "cell", OneToOne)
            .weight(Picoamperes(100.0))
            .delay(Milliseconds(1.0)),
    );
    // On the grid of every dt below: only the neuron's own spikes are off it.
    let times: Vec<f64> = (1..=40).map(|i| f64::from(i * i % 97 + 3 * i)).collect();
    network.add_stimulus(
        "train",
        Stimulus::SpikeList(SpikeList {
            population: "source".to_string(),
            neurons: vec![0; times.len()],
            times: Values::Each { values: times, unit: find_unit("ms").ok_or("no unit ms")? },
        }),
    );
    let current = Stimulus::constant_current("cell", Picoamperes(450.0), Milliseconds(0.0));
    network.add_stimulus("direct_current", current);
    network.add_probe("spikes", Probe::spikes("cell"));
    Ok(network)
}

/// Spike times in ms.
fn spikes(engine: &str, dt: f64) -> Result<Vec<f64>, Box<dyn Error>> {
    let compiled = Compiled::new(network(dt)?.validate()?, CompileConfig::UNLIMITED)?;
    let entry = find_engine(engine).ok_or("no engine of this name")?;
    let mut engine = (entry.start)(Arc::new(compiled), EngineConfig::default())?;
    let span = Time::from_milliseconds(250.0).ok_or("a time out of reach")?;
    engine.run(span, &mut |_| true)?;
    let spikes = engine.recording().spikes.iter();
    Ok(spikes.map(|spike| spike.time.milliseconds()).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let exact = spikes("event", 1.0)?;
    println!("event-driven: {} spikes, the first at {:.9} ms\n", exact.len(), exact[0]);
    println!(
        "     dt [ms]  spikes  first spike [ms]  its error [ms]  largest error [ms]  largest error / dt"
    );
    for exponent in 0..=10 {
        let dt = 0.5_f64.powi(exponent);
        let times = spikes("clock", dt)?;
        let errors = times.iter().zip(&exact).map(|(time, exact)| (time - exact).abs());
        let largest = errors.fold(0.0, f64::max);
        let largest = match times.len() == exact.len() {
            true => format!("{largest:18.6}  {:18.2}", largest / dt),
            false => "other spikes".to_string(),
        };
        let (count, first) = (times.len(), times[0]);
        let error = first - exact[0];
        println!("{dt:12.9}  {count:6}  {first:16.9}  {error:14.9}  {largest}");
    }
    Ok(())
}
