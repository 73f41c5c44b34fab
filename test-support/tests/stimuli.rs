//! What stimuli send: statistics of random ones, closed forms of currents, both engines alike.

use sim_core::network::{
    AlternatingCurrent, GammaTrain, Modulation, Network, Neuron, NoiseCurrent, OneToOne, Poisson,
    PoissonDrive, Population, Probe, Projection, RegularTrain, StepCurrent, Stimulus,
};
use sim_core::neuron::leaky_integrator::LeakyIntegrator;
use sim_core::recording::Recording;
use sim_core::stimulus::{Piecewise, Sine};
use sim_core::units::{Hertz, Milliseconds, Millivolts, Picoamperes, Quantity, Values, find_unit};
use test_support::suite::{compile, simulate};

fn sources(size: u32, stimulus: impl Into<Stimulus>) -> Network {
    let mut network = Network::new("sources", Milliseconds(0.1));
    network.add_population("source", Population::new(size, Neuron::spike_source()));
    network.add_stimulus("stimulus", stimulus.into());
    network.add_probe("spikes", Probe::spikes("source"));
    network
}

fn integrators(size: u32, stimulus: impl Into<Stimulus>) -> Network {
    let mut network = Network::new("integrators", Milliseconds(0.1));
    network.add_population("cell", Population::new(size, LeakyIntegrator::default()));
    network.add_stimulus("stimulus", stimulus.into());
    network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
    network
}

fn beginning() -> Quantity {
    Milliseconds(0.0).into()
}

fn intervals(recording: &Recording, neuron: u32) -> Vec<f64> {
    let own = recording.spikes.iter().filter(|spike| spike.neuron == neuron);
    let times: Vec<f64> = own.map(|spike| spike.time.milliseconds()).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn moments(numbers: &[f64]) -> (f64, f64) {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
    (mean, variance.sqrt())
}

#[test]
fn gamma_trains_have_their_rate_variation_and_dead_time() {
    for (shape, dead) in [(1.0, 0.0), (4.0, 0.0), (2.0, 5.0)] {
        let train = GammaTrain {
            population: "source".into(),
            rate: Hertz(50.0).into(),
            shape,
            dead_time: Some(Milliseconds(dead).into()),
            start: beginning(),
            stop: None,
        };
        let found = simulate(&compile(&sources(20, train)), "event", 1, 10_000.0);
        let all: Vec<f64> = (0..20).flat_map(|neuron| intervals(&found, neuron)).collect();
        let (mean, std) = moments(&all);
        let expected = (20.0 - dead) / f64::sqrt(shape);
        // Five standard errors of the mean of some ten thousand intervals; of the deviation less.
        let error = 5.0 * expected / (all.len() as f64).sqrt();
        assert!((mean - 20.0).abs() < error, "{shape}: {mean}");
        assert!((std / expected - 1.0).abs() < 0.05, "{shape}: {std}");
        assert!(all.iter().all(|&interval| interval >= dead));
    }
}

#[test]
fn regular_trains_spike_at_their_phases_in_both_engines() {
    let train = RegularTrain {
        population: "source".into(),
        interval: Milliseconds(7.0).into(),
        phase: Some(Values::numbers(vec![0.0, 0.5, 1.0])),
        start: Milliseconds(10.0).into(),
        stop: Some(Milliseconds(40.0).into()),
    };
    let compiled = compile(&sources(3, train));
    let expected: [&[f64]; 3] =
        [&[17.0, 24.0, 31.0, 38.0], &[13.5, 20.5, 27.5, 34.5], &[17.0, 24.0, 31.0, 38.0]];
    for engine in ["clock", "event"] {
        let found = simulate(&compiled, engine, 1, 100.0);
        for (neuron, expected) in expected.iter().enumerate() {
            let own = found.spikes.iter().filter(|spike| spike.neuron == neuron as u32);
            let times: Vec<f64> = own.map(|spike| spike.time.milliseconds()).collect();
            assert_eq!(&times, expected, "{engine} {neuron}");
        }
    }
}

#[test]
fn a_modulated_rate_follows_its_factors() {
    let times = Values::Each { values: vec![1000.0, 2000.0], unit: find_unit("ms").unwrap() };
    let modulation = Modulation::Piecewise(Piecewise { times, factors: vec![0.0, 3.0] });
    let poisson = Poisson { modulation: Some(modulation), ..Poisson::new("source", Hertz(40.0)) };
    let compiled = compile(&sources(100, poisson));
    let found = simulate(&compiled, "clock", 1, 3000.0);
    let count = |from: f64, to: f64| {
        let within = |time: f64| time > from && time <= to;
        found.spikes.iter().filter(|spike| within(spike.time.milliseconds())).count() as f64
    };
    // 100 neurons for a second each: five standard deviations.
    assert!((count(0.0, 1000.0) - 4000.0).abs() < 320.0);
    assert_eq!(count(1000.0, 2000.0), 0.0);
    assert!((count(2000.0, 3000.0) - 12_000.0).abs() < 550.0);
    assert_eq!(found.spikes, simulate(&compiled, "event", 1, 3000.0).spikes);
}

#[test]
fn poisson_input_has_its_mean_and_variance_and_is_the_same_in_both_engines() {
    // Shot noise: mean weight · rate · τ, variance weight² · rate · τ / 2 (Campbell).
    let (rate, weight, tau) = (2.0, 0.5, 10.0);
    let drive = PoissonDrive {
        delay: Some(Milliseconds(1.5).into()),
        ..PoissonDrive::new("cell", Hertz(1000.0 * rate), Millivolts(weight))
    };
    let compiled = compile(&integrators(200, drive));
    let clock = simulate(&compiled, "clock", 1, 300.0);
    let event = simulate(&compiled, "event", 1, 300.0);
    let error = clock.traces[0].values.iter().zip(&event.traces[0].values);
    // Rounding of different powers of the decay.
    assert!(error.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-9);
    assert_eq!(clock.traces[0].values, simulate(&compiled, "clock", 8, 300.0).traces[0].values);
    // Before the delay nothing arrives.
    assert!(clock.traces[0].values[..200 * 15].iter().all(|v| *v == -70.0));
    let settled = &clock.traces[0].values[200 * 1000..];
    let (mean, std) = moments(settled);
    // 200 neurons over 20 correlation times: five standard errors.
    let expected_std = weight * (rate * tau / 2.0_f64).sqrt();
    assert!(
        (mean + 70.0 - weight * rate * tau).abs() < 5.0 * expected_std / 4000.0_f64.sqrt() * 2.0,
        "{mean}"
    );
    assert!((std / expected_std - 1.0).abs() < 0.1, "{std} {expected_std}");
}

#[test]
fn currents_drive_the_membrane_as_their_formulas_say() {
    let tau = 10.0;
    let resistance = tau / 250.0;
    let omega = std::f64::consts::TAU * 0.02;
    let wave = AlternatingCurrent {
        population: "cell".into(),
        amplitude: Picoamperes(100.0).into(),
        frequency: Hertz(20.0).into(),
        phase: 0.0,
        offset: Some(Picoamperes(30.0).into()),
        start: beginning(),
        stop: None,
    };
    let gain = resistance / (1.0 + (omega * tau).powi(2));
    let settled = |t: f64| {
        30.0 * resistance + 100.0 * gain * ((omega * t).sin() - omega * tau * (omega * t).cos())
    };
    for engine in ["clock", "event"] {
        let found = simulate(&compile(&integrators(1, wave.clone())), engine, 1, 400.0);
        for (time, value) in found.traces[0].times.iter().zip(&found.traces[0].values) {
            let t = time.milliseconds();
            // The wave is held through each step: an error of order dt², here (ω dt)²/24 of 4 mV.
            if t > 300.0 {
                assert!((value + 70.0 - settled(t)).abs() < 1e-3, "{engine} {t}: {value}");
            }
        }
    }
    let list =
        |values: Vec<f64>, unit: &str| Values::Each { values, unit: find_unit(unit).unwrap() };
    let jumps = StepCurrent {
        population: "cell".into(),
        times: list(vec![10.0, 30.0], "ms"),
        amplitudes: list(vec![100.0, -50.0], "pA"),
    };
    let found = simulate(&compile(&integrators(1, jumps)), "clock", 1, 60.0);
    for (time, value) in found.traces[0].times.iter().zip(&found.traces[0].values) {
        let t = time.milliseconds();
        let rise = |since: f64| 1.0 - (-(t - since).max(0.0) / tau).exp();
        let expected = resistance * (100.0 * rise(10.0) - 150.0 * rise(30.0));
        assert!((value + 70.0 - expected).abs() < 1e-9, "{t}");
    }
}

#[test]
fn noise_has_its_mean_and_deviation_and_does_not_depend_on_threads() {
    let noise = NoiseCurrent {
        population: "cell".into(),
        mean: Picoamperes(50.0).into(),
        std: Picoamperes(100.0).into(),
        interval: Some(Milliseconds(0.2).into()),
        start: beginning(),
        stop: None,
    };
    let compiled = compile(&integrators(100, noise));
    let found = simulate(&compiled, "clock", 1, 200.0);
    let (mean, std) = moments(&found.traces[0].values[100 * 1000..]);
    // A filtered sequence of independent numbers: variance R² σ² (1 − a)/(1 + a), a = exp(−h/τ).
    let decay = (-0.2_f64 / 10.0).exp();
    let expected = 0.04 * 100.0 * ((1.0 - decay) / (1.0 + decay)).sqrt();
    assert!((mean + 70.0 - 2.0).abs() < 5.0 * expected / 1000.0_f64.sqrt() * 2.0, "{mean}");
    assert!((std / expected - 1.0).abs() < 0.1, "{std} {expected}");
    assert_eq!(found.traces[0].values, simulate(&compiled, "clock", 8, 200.0).traces[0].values);
}

#[test]
fn a_sine_deeper_than_its_mean_is_cut_at_zero() {
    let sine = Sine { depth: 2.0, frequency: Hertz(1.0).into(), phase: 0.0 };
    let modulation = Some(Modulation::Sine(sine));
    let poisson = Poisson { modulation, ..Poisson::new("source", Hertz(30.0)) };
    let found = simulate(&compile(&sources(50, poisson)), "clock", 1, 1000.0);
    let silent = |time: f64| (600.0..900.0).contains(&time);
    // 1 + 2 sin is negative from 7/12 to 11/12 of the period.
    assert!(found.spikes.iter().all(|spike| !silent(spike.time.milliseconds())));
    assert!(found.spikes.len() > 1000);
}

#[test]
fn drawn_delays_are_whole_steps_and_never_shorter_than_one() {
    let mut network = sources(50, Poisson::new("source", Hertz(10.0)));
    network.add_population("cell", Population::new(50, LeakyIntegrator::default()));
    let low = Milliseconds(-1.0).into();
    let delay = sim_core::distribution::Uniform { low, high: Milliseconds(1.0).into() };
    let wire = Projection::new("source", "cell", OneToOne).weight(Millivolts(1.0)).delay(delay);
    network.add_projection("wire", wire);
    let compiled = compile(&network);
    let delays: Vec<u32> =
        (0..50).flat_map(|n| compiled.connectome().synapses_of(n)).map(|s| s.delay).collect();
    assert_eq!(delays.len(), 50);
    assert!(delays.iter().all(|delay| (1..=10).contains(delay)));
    let shortest = delays.iter().filter(|&&delay| delay == 1).count();
    assert!((15..45).contains(&shortest), "half of them and some fall below a step: {shortest}");
}
