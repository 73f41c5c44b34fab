//! This example shows: the four states of a random network of excitation and inhibition.
//!
//! Leaky neurons with delta synapses, each with inputs from a tenth of all others and a Poisson drive of
//! its own. Only the strength of inhibition g and the drive (relative to what brings a neuron to its
//! threshold) differ:
//!
//! * **SR**: synchronous regular: excitation wins, all neurons spike together, as fast as they can;
//! * **SI fast**: synchronous irregular: the population oscillates faster than any neuron spikes;
//! * **AI**: asynchronous irregular: a steady rate, neurons like noisy clocks that know nothing of each other;
//! * **SI slow**: synchronous irregular at a low rate: all are silent, then some spike together.
//!
//! Each state is told by numbers: the rate; the coefficient of variation (CV) of the intervals between a
//! neuron's spikes (regular: near 0, Poisson: 1); how much the population's rate fluctuates (standard
//! deviation over mean, in bins of 1 ms); and its rhythm, the height and the place of the next peak of its
//! autocorrelation. A page with a raster and the rate over time of each goes to `out/brunel_states.html`.
//!
//! Without `--full` the network has 5,000 neurons in place of 12,500, and synapses of twice the weight:
//! noise is larger, the states are the same. The paper's network gives the paper's numbers: rates of
//! 60.7, 37.7 and 5.5 spikes a second in SI fast, AI and SI slow, and a rhythm of 180 Hz in SI fast.
//!
//! Parameters and states: N. Brunel 2000, J. Comput. Neurosci. 8:183, figure 8.
//!
//! Run it with `cargo run --release --example brunel_states`, or `… -- --full`.

#![allow(clippy::print_stdout)] // an example prints

use spikeloom::analysis::{coefficient_of_variation, histogram};
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::report::{Axis, LineChart, Raster, RasterLayer, Report, Section, Series, Spike};
use spikeloom::sim_core::connectome::{CompileConfig, Precision};
use spikeloom::sim_core::distribution::Uniform;
use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
use spikeloom::sim_core::network::{
    FixedInDegree, Network, Neuron, Population, Probe, Projection, Stimulus,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::stimulus::PoissonDrive;
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{Hertz, Milliseconds, Millivolts};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// Time constant (ms), threshold and reset above rest (mV).
const TAU: f64 = 20.0;
const THRESHOLD: f64 = 20.0;
const RESET: f64 = 10.0;

/// How large the network is: excitatory neurons (and a quarter as many inhibitory ones), inputs of a
/// neuron from them, weight of excitation (mV).
#[derive(Clone, Copy)]
struct Size {
    neurons: u32,
    inputs: u32,
    weight: f64,
}

const QUICK: Size = Size { neurons: 4_000, inputs: 400, weight: 0.2 };
const FULL: Size = Size { neurons: 10_000, inputs: 1_000, weight: 0.1 };

/// Neurons that are looked at.
const SEEN: usize = 1_000;

/// The longest period of a rhythm (ms).
const LONGEST_PERIOD: usize = 80;

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
    fluctuation: f64,
    /// Height of the next peak of the autocorrelation, and where it is (ms).
    rhythm: f64,
    period_ms: usize,
}

impl Measures {
    fn is_regular(&self) -> bool {
        self.cv < 0.25
    }

    fn is_irregular(&self) -> bool {
        self.cv > 0.35
    }

    /// The population repeats itself.
    fn has_rhythm(&self) -> bool {
        self.rhythm > 0.4
    }

    /// The population is silent now and then.
    fn has_pauses(&self) -> bool {
        self.fluctuation > 1.0
    }

    /// A neuron spikes in few of the population's periods.
    fn skips_periods(&self) -> bool {
        self.rate_hz * (self.period_ms as f64) < 0.6 * 1000.0
    }
}

const STATES: [State; 4] = [
    State {
        name: "SR",
        inhibition: 3.0,
        drive: 2.0,
        begin: 100.0,
        end: 200.0,
        is: |m| m.is_regular() && m.has_rhythm() && m.rate_hz > 200.0,
    },
    State {
        name: "SI fast",
        inhibition: 6.0,
        drive: 4.0,
        begin: 100.0,
        end: 300.0,
        is: |m| m.is_irregular() && m.has_rhythm() && m.period_ms < 10 && m.skips_periods(),
    },
    State {
        name: "AI",
        inhibition: 5.0,
        drive: 2.0,
        begin: 200.0,
        end: 500.0,
        is: |m| m.is_irregular() && !m.has_rhythm() && !m.has_pauses(),
    },
    State {
        name: "SI slow",
        inhibition: 4.5,
        drive: 0.9,
        begin: 200.0,
        end: 900.0,
        is: |m| m.is_irregular() && m.has_pauses() && m.rate_hz < 15.0,
    },
];

fn network(state: &State, size: Size) -> Network {
    let cell = LifDelta {
        tau_membrane: Milliseconds(TAU),
        resting_potential: Millivolts(0.0),
        threshold: Millivolts(THRESHOLD),
        reset: Millivolts(RESET),
        refractory_period: Milliseconds(2.0),
        ..LifDelta::default()
    };
    let mut network = Network::new(state.name, Milliseconds(0.1));
    let names = ["excitatory", "inhibitory"];
    let weight = size.weight;
    for (name, neurons) in names.into_iter().zip([size.neurons, size.neurons / 4]) {
        // Neurons that begin alike would spike together for a while.
        let initial = Uniform { low: Millivolts(0.0).into(), high: Millivolts(THRESHOLD).into() };
        let neuron = Neuron::from(cell.clone()).initial("membrane_potential", initial);
        network.add_population(name, Population::new(neurons, neuron));
        // The rate whose mean input reaches the threshold is θ / (J τ).
        let rate = Hertz(1000.0 * state.drive * THRESHOLD / (weight * TAU));
        let drive = PoissonDrive::new(name, rate, Millivolts(weight));
        network.add_stimulus(format!("drive of {name}"), Stimulus::PoissonDrive(drive));
    }
    let weights = [weight, -state.inhibition * weight];
    let inputs = [size.inputs, size.inputs / 4];
    for ((source, in_degree), weight) in names.into_iter().zip(inputs).zip(weights) {
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
fn trains(state: &State, size: Size) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let config = CompileConfig { precision: Precision::Single, ..CompileConfig::UNLIMITED };
    let compiled = Arc::new(Compiled::new(network(state, size).validate()?, config)?);
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
    let deviations: Vec<f64> = counts.iter().map(|count| count / average - 1.0).collect();
    let squares: Vec<f64> = deviations.iter().map(|deviation| deviation.powi(2)).collect();
    let (period_ms, rhythm) = next_peak(&deviations);
    Measures {
        rate_hz: spikes as f64 / SEEN as f64 / seconds,
        cv: mean(&cvs),
        fluctuation: mean(&squares).sqrt(),
        rhythm,
        period_ms,
    }
}

/// Lag and height of the highest autocorrelation beyond the first minimum.
fn next_peak(deviations: &[f64]) -> (usize, f64) {
    let at =
        |lag: usize| -> f64 { deviations.iter().zip(&deviations[lag..]).map(|(a, b)| a * b).sum() };
    let all: Vec<f64> = (0..LONGEST_PERIOD.min(deviations.len())).map(at).collect();
    let minimum = all.windows(2).position(|pair| pair[1] > pair[0]).unwrap_or(0);
    let later = all.iter().enumerate().skip(minimum);
    let highest = later.max_by(|a, b| a.1.total_cmp(b.1));
    highest.map_or((0, 0.0), |(lag, height)| (lag, height / all[0]))
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
         fluctuation {:.2}, rhythm {:.2} every {} ms.",
        state.inhibition,
        state.drive,
        measures.rate_hz,
        measures.cv,
        measures.fluctuation,
        measures.rhythm,
        measures.period_ms
    );
    Section::new(state.name, state.name, &text).with(raster).with(rate)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut report = Report {
        title: "Four states of a random network".into(),
        subtitle: "Brunel 2000, figure 8".into(),
        ..Report::default()
    };
    let size = if std::env::args().any(|argument| argument == "--full") { FULL } else { QUICK };
    println!("state      g  drive  rate [1/s]    CV  fluctuation  rhythm  period [ms]");
    for state in &STATES {
        let trains = trains(state, size)?;
        let found = measure(state, &trains);
        println!(
            "{:<8} {:>3}  {:>5}  {:>10.1}  {:>4.2}  {:>11.2}  {:>6.2}  {:>11}",
            state.name,
            state.inhibition,
            state.drive,
            found.rate_hz,
            found.cv,
            found.fluctuation,
            found.rhythm,
            found.period_ms
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
