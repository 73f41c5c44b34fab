//! This example shows: the four states of a random network of excitation and inhibition.
//!
//! 12,500 neurons with delta synapses, each with 1,000 excitatory and 250 inhibitory inputs and a
//! Poisson drive of its own. Only the strength of inhibition g and the drive (relative to what brings a
//! neuron to its threshold) differ:
//!
//! * **SR**: synchronous regular: excitation wins, all neurons spike together, as fast as they can;
//! * **SI fast**: synchronous irregular: the population oscillates faster than any neuron spikes;
//! * **AI**: asynchronous irregular: steady rate, neurons like Poisson processes;
//! * **SI slow**: synchronous irregular at a low rate.
//!
//! Each state is told by three numbers: the rate, the coefficient of variation (CV) of the intervals
//! between a neuron's spikes (regular: near 0, Poisson: 1), and the synchrony: variance over mean of
//! the spikes of 1,000 neurons in 1 ms (independent neurons: 1). A page with a raster and the rate over
//! time of each goes to `out/brunel_states.html`.
//!
//! Parameters and states: N. Brunel 2000, J. Comput. Neurosci. 8:183, figure 8.
//!
//! Run it with `cargo run --example brunel_states`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::analysis::{coefficient_of_variation, histogram};
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::report::{Axis, LineChart, Raster, RasterLayer, Report, Section, Series, Spike};
use spikeloom::sim_core::connectome::{CompileConfig, Precision};
use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
use spikeloom::sim_core::network::{
    FixedInDegree, Network, Population, Probe, Projection, Stimulus,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::stimulus::PoissonDrive;
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{Hertz, Milliseconds, Millivolts};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// Weight of excitation (mV), time constant (ms), threshold above rest (mV).
const WEIGHT: f64 = 0.1;
const TAU: f64 = 20.0;
const THRESHOLD: f64 = 20.0;

/// Excitatory and inhibitory neurons, and inputs of each neuron from them.
const SIZES: [u32; 2] = [10_000, 2_500];
const INPUTS: [u32; 2] = [1_000, 250];

/// Neurons that are looked at.
const SEEN: usize = 1_000;

/// A state, how long its beginning is and how long it is watched (ms), and what it is told by.
struct State {
    name: &'static str,
    inhibition: f64,
    drive: f64,
    begin: f64,
    end: f64,
    is: fn(&Measures) -> bool,
}

/// What a state is told by.
struct Measures {
    rate_hz: f64,
    cv: f64,
    synchrony: f64,
}

const STATES: [State; 4] = [
    State {
        name: "SR",
        inhibition: 3.0,
        drive: 2.0,
        begin: 50.0,
        end: 110.0,
        is: |m| m.rate_hz > 150.0 && m.cv < 0.3 && m.synchrony > 50.0,
    },
    State {
        name: "SI fast",
        inhibition: 6.0,
        drive: 4.0,
        begin: 50.0,
        end: 250.0,
        is: |m| (50.0..80.0).contains(&m.rate_hz) && m.cv > 0.4 && m.synchrony > 5.0,
    },
    State {
        name: "AI",
        inhibition: 5.0,
        drive: 2.0,
        begin: 100.0,
        end: 350.0,
        is: |m| (30.0..45.0).contains(&m.rate_hz) && m.cv > 0.5 && m.synchrony < 4.0,
    },
    State {
        name: "SI slow",
        inhibition: 4.5,
        drive: 0.9,
        begin: 100.0,
        end: 700.0,
        is: |m| (2.0..10.0).contains(&m.rate_hz) && m.cv > 0.5 && m.synchrony > 1.5,
    },
];

fn network(state: &State) -> Network {
    let cell = LifDelta {
        tau_membrane: Milliseconds(TAU),
        resting_potential: Millivolts(0.0),
        threshold: Millivolts(THRESHOLD),
        reset: Millivolts(10.0),
        refractory_period: Milliseconds(2.0),
        ..LifDelta::default()
    };
    let mut network = Network::new(state.name, Milliseconds(0.1));
    let names = ["excitatory", "inhibitory"];
    for (name, size) in names.into_iter().zip(SIZES) {
        network.add_population(name, Population::new(size, cell.clone()));
        // The rate whose mean input reaches the threshold is θ / (J τ).
        let rate = Hertz(1000.0 * state.drive * THRESHOLD / (WEIGHT * TAU));
        let drive = PoissonDrive::new(name, rate, Millivolts(WEIGHT));
        network.add_stimulus(format!("drive of {name}"), Stimulus::PoissonDrive(drive));
    }
    let weights = [WEIGHT, -state.inhibition * WEIGHT];
    for ((source, in_degree), weight) in names.into_iter().zip(INPUTS).zip(weights) {
        for target in names {
            let rule = FixedInDegree { in_degree, autapses: true, multapses: true };
            let projection = Projection::new(source, target, rule)
                .weight(Millivolts(weight))
                .delay(Milliseconds(1.5));
            network.add_projection(format!("{source} to {target}"), projection);
        }
    }
    network.add_probe("spikes", Probe::spikes("excitatory"));
    network
}

/// The spikes of the first excitatory neurons after the beginning (ms).
fn trains(state: &State) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let config = CompileConfig { precision: Precision::Single, ..CompileConfig::UNLIMITED };
    let compiled = Arc::new(Compiled::new(network(state).validate()?, config)?);
    let start = find_engine("clock").ok_or("no such engine")?.start;
    let mut engine = start(compiled, EngineConfig::default())?;
    engine.run(Time::from_milliseconds(state.end).ok_or("too long")?, &mut |_| true)?;
    let mut trains = vec![Vec::new(); SEEN];
    for spike in &engine.recording().spikes {
        let time = spike.time.milliseconds();
        if let Some(train) = trains.get_mut(spike.neuron as usize).filter(|_| time > state.begin) {
            train.push(time);
        }
    }
    Ok(trains)
}

/// Spikes of all trains in each millisecond.
fn counts(state: &State, trains: &[Vec<f64>]) -> Vec<f64> {
    let mut all: Vec<f64> = trains.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    histogram(&all, state.begin, state.end, 1.0).into_iter().map(f64::from).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn measure(state: &State, trains: &[Vec<f64>]) -> Measures {
    let spikes: usize = trains.iter().map(Vec::len).sum();
    let seconds = (state.end - state.begin) / 1000.0;
    let cvs: Vec<f64> = trains.iter().filter_map(|train| coefficient_of_variation(train)).collect();
    let counts = counts(state, trains);
    let average = mean(&counts);
    let squares: Vec<f64> = counts.iter().map(|count| (count - average).powi(2)).collect();
    Measures {
        rate_hz: spikes as f64 / SEEN as f64 / seconds,
        cv: mean(&cvs),
        synchrony: mean(&squares) / average,
    }
}

/// Raster and rate of a state.
fn section(state: &State, trains: &[Vec<f64>], measures: &Measures) -> Section {
    let shown = 60;
    let spikes = trains.iter().take(shown).enumerate().flat_map(|(neuron, train)| {
        train.iter().map(move |&time| Spike { neuron: neuron as u64, time })
    });
    let layer =
        RasterLayer { name: "excitatory".into(), neurons: shown as u64, spikes: spikes.collect() };
    let raster = Raster {
        title: "Spikes".into(),
        time: Axis::new("time", "ms"),
        layers: vec![layer],
        ..Raster::default()
    };
    let rates = counts(state, trains);
    let points = rates
        .iter()
        .enumerate()
        .map(|(bin, count)| (state.begin + bin as f64 + 0.5, 1000.0 * count / SEEN as f64));
    let rate = LineChart {
        title: "Rate over time".into(),
        x: Axis::new("time", "ms"),
        y: Axis::new("rate", "1/s").from_zero(),
        series: vec![Series::new("excitatory", points)],
        ..LineChart::default()
    };
    let text = format!(
        "g = {}, drive {} of what reaches the threshold: {:.1} spikes a second, CV {:.2}, \
         synchrony {:.1}.",
        state.inhibition, state.drive, measures.rate_hz, measures.cv, measures.synchrony
    );
    Section::new(state.name, state.name, &text).with(raster).with(rate)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut report = Report {
        title: "Four states of a random network".into(),
        subtitle: "Brunel 2000, figure 8".into(),
        ..Report::default()
    };
    println!("state      g  drive  rate [1/s]    CV  synchrony");
    for state in &STATES {
        let trains = trains(state)?;
        let found = measure(state, &trains);
        println!(
            "{:<8} {:>3}  {:>5}  {:>10.1}  {:>4.2}  {:>9.1}",
            state.name, state.inhibition, state.drive, found.rate_hz, found.cv, found.synchrony
        );
        if !(state.is)(&found) {
            return Err(format!("{} is not what it is called", state.name).into());
        }
        report.sections.push(section(state, &trains, &found));
    }
    let path = Path::new("out/brunel_states.html");
    std::fs::create_dir_all("out")?;
    write_bytes_atomically(path, true, report.to_html()?.as_bytes())?;
    println!("\npage: {}", path.display());
    Ok(())
}
