//! Mistakes in what is drawn or computed: distributions, positions, rules, stimuli.

use super::mistakes::{Mistake, add_parameter, cell, connect, dense, mistake};
use sim_core::distribution::{Bounds, GaussianOfDistance, LinearOfDistance, Normal, Uniform};
use sim_core::network::{
    AlternatingCurrent, EdgeFile, FixedInDegree, GammaTrain, GridPositions, NoiseCurrent,
    PoissonDrive, Positions, SmallWorld, Spatial, SpikeFile, StepCurrent, Stimulus,
};
use sim_core::units::{Hertz, Milliseconds, Millivolts, Picoamperes, Quantity, Values, find_unit};

fn normal(mean: impl Into<Quantity>, std: impl Into<Quantity>) -> Values {
    Normal { mean: mean.into(), std: std.into(), bounds: Bounds::NONE }.into()
}

fn milliseconds(values: Vec<f64>) -> Values {
    Values::Each { values, unit: find_unit("ms").unwrap() }
}

pub fn mistakes_in_distributions() -> Vec<Mistake> {
    let tau = "populations/cell/parameters/tau_membrane";
    vec![
        mistake("wrong-unit", "populations/cell/parameters/tau_membrane/normal/std", |n| {
            add_parameter(n, "tau_membrane", normal(Milliseconds(9.0), Millivolts(1.0)));
        }),
        mistake("not-finite", "populations/cell/parameters/tau_membrane/normal/mean", |n| {
            let nan = Milliseconds(f64::NAN);
            add_parameter(n, "tau_membrane", normal(nan, Milliseconds(1.0)));
        }),
        mistake("out-of-range", tau, |n| {
            add_parameter(n, "tau_membrane", normal(Milliseconds(-9.0), Milliseconds(1.0)));
        }),
        mistake("wrong-type", tau, |n| {
            let (at_zero, std) = (Milliseconds(1.0).into(), 1.0);
            add_parameter(n, "tau_membrane", GaussianOfDistance { at_zero, std });
        }),
        mistake("wrong-unit", "populations/cell/initial/membrane_potential/uniform/low", |n| {
            let (low, high) = (Milliseconds(1.0).into(), Millivolts(1.0).into());
            let law = Uniform { low, high }.into();
            cell(n).initial.insert("membrane_potential".into(), law);
        }),
        mistake("wrong-unit", "projections/dense/weight/normal/mean", |n| {
            dense(n).weight = normal(Picoamperes(1.0), Picoamperes(1.0));
        }),
        mistake("no-positions", "projections/dense/delay", |n| {
            let line = LinearOfDistance {
                at_zero: Milliseconds(1.0).into(),
                per_unit: Milliseconds(1.0).into(),
                clip_low: None,
                clip_high: None,
            };
            dense(n).delay = line.into();
        }),
        mistake("wrong-type", "stimuli/extra/times", |n| {
            let times = normal(Milliseconds(1.0), Milliseconds(1.0));
            let amplitudes = Picoamperes(1.0).into();
            let jumps = StepCurrent { population: "cell".into(), times, amplitudes };
            n.add_stimulus("extra", jumps.into());
        }),
    ]
}

pub fn mistakes_in_drawn_rules() -> Vec<Mistake> {
    vec![
        mistake("sizes-differ", "populations/cell/positions/grid/shape", |n| {
            n.populations["cell"].positions = Some(Positions::Grid(GridPositions {
                shape: vec![7, 7],
                extent: vec![1.0, 1.0],
                center: None,
                periodic: false,
            }));
        }),
        mistake("out-of-range", "projections/dense/connectivity/in_degree", |n| {
            let (in_degree, autapses, multapses) = (100, true, false);
            connect(n, FixedInDegree { in_degree, autapses, multapses }.into());
        }),
        mistake("sizes-differ", "projections/dense/connectivity", |n| {
            connect(n, SmallWorld { neighbours: 2, rewiring: 0.1 }.into());
        }),
        mistake("no-positions", "projections/dense/connectivity", |n| {
            connect(n, Spatial { probability: 0.5.into(), mask: None, autapses: true }.into());
        }),
        mistake("file-not-read", "projections/dense/connectivity/path", |n| {
            connect(n, EdgeFile { path: "edges.h5".into(), edges: None }.into());
        }),
    ]
}

fn extra(network: &mut sim_core::network::Network, stimulus: impl Into<Stimulus>) {
    network.add_stimulus("extra", stimulus.into());
}

pub fn mistakes_in_more_stimuli() -> Vec<Mistake> {
    vec![
        mistake("unknown-receptor", "stimuli/extra/receptor", |n| {
            let receptor = Some("dendrite".to_string());
            let drive = PoissonDrive::new("cell", Hertz(100.0), Millivolts(1.0));
            extra(n, PoissonDrive { receptor, ..drive });
        }),
        mistake("wrong-unit", "stimuli/extra/weight", |n| {
            extra(n, PoissonDrive::new("cell", Hertz(100.0), Picoamperes(1.0)));
        }),
        mistake("out-of-range", "stimuli/extra/rate", |n| {
            extra(n, PoissonDrive::new("cell", Hertz(-1.0), Millivolts(1.0)));
        }),
        mistake("delay-out-of-range", "stimuli/extra/delay", |n| {
            let delay = Some(Milliseconds(0.0).into());
            let drive = PoissonDrive::new("cell", Hertz(100.0), Millivolts(1.0));
            extra(n, PoissonDrive { delay, ..drive });
        }),
        mistake("out-of-range", "stimuli/extra/std", |n| {
            extra(
                n,
                NoiseCurrent {
                    population: "cell".into(),
                    mean: Picoamperes(0.0).into(),
                    std: Picoamperes(-1.0).into(),
                    interval: None,
                    start: Milliseconds(0.0).into(),
                    stop: None,
                },
            );
        }),
        mistake("wrong-unit", "stimuli/extra/frequency", |n| {
            extra(
                n,
                AlternatingCurrent {
                    population: "cell".into(),
                    amplitude: Picoamperes(0.0).into(),
                    frequency: Milliseconds(1.0).into(),
                    phase: 0.0,
                    offset: None,
                    start: Milliseconds(0.0).into(),
                    stop: None,
                },
            );
        }),
        mistake("out-of-range", "stimuli/extra/times", |n| {
            let times = milliseconds(vec![2.0, 1.0]);
            let unit = find_unit("pA").unwrap();
            let amplitudes = Values::Each { values: vec![1.0, 2.0], unit };
            extra(n, StepCurrent { population: "cell".into(), times, amplitudes });
        }),
        mistake("out-of-range", "stimuli/extra/shape", |n| {
            extra(
                n,
                GammaTrain {
                    population: "source".into(),
                    rate: Hertz(10.0).into(),
                    shape: 0.0,
                    dead_time: None,
                    start: Milliseconds(0.0).into(),
                    stop: None,
                },
            );
        }),
        mistake("file-not-read", "stimuli/extra/path", |n| {
            let (population, path) = ("source".to_string(), "spikes.h5".to_string());
            extra(n, SpikeFile { population, path, spikes: None });
        }),
    ]
}
