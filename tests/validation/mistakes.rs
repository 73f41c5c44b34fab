//! A sound network and every mistake that can be made in it.

use sim_core::distribution::Uniform;
use sim_core::network::{
    AllToAll, Connectivity, Convolution, Dense, FixedProbability, List, Network, Neuron, OneToOne,
    Plasticity, Poisson, Population, Probe, Projection, RefractoryInput, Reset, Shape, SpikeList,
    Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::max_pool::max_pool;
use sim_core::synapse::Pairing;
use sim_core::units::{Hertz, Milliseconds, Millivolts, Picoamperes, Quantity, Values, find_unit};

/// A valid network in which every kind of mistake can be made.
pub fn sound() -> Network {
    let mut network = Network::new("sound", Milliseconds(0.1));
    network.add_population("source", Population::new(4, Neuron::spike_source()));
    network.add_population("cell", Population::new(3, LifDelta::default()));
    network.add_population("unit", Population::new(4, IntegrateAndFire::default()));
    network.add_population("gate", Population::new(4, max_pool()));
    network.add_projection(
        "dense",
        Projection::new("source", "cell", Dense)
            .weight(Values::Each { values: vec![1.0; 12], unit: find_unit("mV").unwrap() }),
    );
    network.add_projection("one", Projection::new("source", "unit", OneToOne));
    network.add_projection("gate", Projection::new("unit", "gate", OneToOne));
    network.add_stimulus("noise", poisson("source", Hertz(100.0)));
    network.add_probe("v", Probe::variable("cell", "membrane_potential"));
    network
}

fn poisson(population: &str, rate: Hertz) -> Stimulus {
    Stimulus::Poisson(Poisson {
        population: population.into(),
        rate: rate.into(),
        modulation: None,
    })
}

fn list(neurons: Vec<u32>, times: Vec<f64>) -> Stimulus {
    Stimulus::SpikeList(SpikeList {
        population: "source".into(),
        neurons,
        times: Values::Each { values: times, unit: find_unit("ms").unwrap() },
    })
}

/// One mistake: the code and path it is reported with, and how it is made.
pub struct Mistake {
    pub code: &'static str,
    pub path: &'static str,
    pub make: fn(&mut Network),
}

pub fn mistake(code: &'static str, path: &'static str, make: fn(&mut Network)) -> Mistake {
    Mistake { code, path, make }
}

pub fn cell(network: &mut Network) -> &mut Neuron {
    &mut network.populations["cell"].neuron
}

pub fn dense(network: &mut Network) -> &mut Projection {
    &mut network.projections["dense"]
}

/// The rule of `dense`, with one weight.
pub fn connect(network: &mut Network, rule: Connectivity) {
    dense(network).connectivity = rule;
    dense(network).weight = Millivolts(1.0).into();
}

pub fn add_parameter(network: &mut Network, name: &str, values: impl Into<Values>) {
    cell(network).parameters.insert(name.into(), values.into());
}

fn mistakes_in_populations() -> Vec<Mistake> {
    let parameter = "populations/cell/parameters/tau_membrane";
    vec![
        mistake("wrong-step", "dt", |n| n.dt = Milliseconds(0.0).into()),
        mistake("wrong-step", "dt", |n| n.dt = Milliseconds(f64::NAN).into()),
        mistake("wrong-step", "dt", |n| n.dt = Quantity::number(0.1)),
        mistake("wrong-size", "populations/unit/size", |n| {
            n.populations["unit"].size = Shape::List(0);
        }),
        mistake("wrong-size", "populations/unit/size", |n| {
            n.populations["unit"].size = Shape::Picture([u32::MAX; 3]);
        }),
        mistake("too-many-neurons", "populations/unit/initial/membrane_potential", |n| {
            let (low, high) = (Quantity::number(0.0), Quantity::number(1.0));
            let unit = &mut n.populations["unit"];
            unit.size = Shape::List(1 << 28);
            unit.neuron = unit
                .neuron
                .clone()
                .initial("membrane_potential", Values::from(Uniform { low, high }));
        }),
        mistake("unknown-model", "populations/cell/model", |n| {
            cell(n).model = "lif_delt".into();
        }),
        mistake("rule-not-stated", "populations/cell/spike", |n| cell(n).spike = None),
        mistake("rule-not-stated", "populations/cell/reset", |n| cell(n).reset = None),
        mistake("rule-not-stated", "populations/cell/refractory_input", |n| {
            cell(n).refractory_input = None;
        }),
        mistake("rule-not-offered", "populations/cell/reset", |n| {
            cell(n).reset = Some(Reset::Subtract);
        }),
        mistake("rule-not-offered", "populations/unit/refractory_input", |n| {
            n.populations["unit"].neuron.refractory_input = Some(RefractoryInput::Lost);
        }),
        mistake("wrong-unit", "populations/cell/reset", |n| {
            cell(n).reset = Some(Reset::To(Quantity::number(-70.0).into()));
        }),
        mistake("unknown-parameter", "populations/cell/parameters/tau_membran", |n| {
            add_parameter(n, "tau_membran", Milliseconds(1.0));
        }),
        mistake("unknown-parameter", "populations/cell/initial/potential", |n| {
            let values = Millivolts(1.0).into();
            cell(n).initial.insert("potential".into(), values);
        }),
        mistake("wrong-unit", parameter, |n| {
            add_parameter(n, "tau_membrane", Millivolts(10.0));
        }),
        mistake("not-finite", parameter, |n| {
            add_parameter(n, "tau_membrane", Milliseconds(f64::INFINITY));
        }),
        mistake("out-of-range", parameter, |n| {
            add_parameter(n, "tau_membrane", Milliseconds(-10.0));
        }),
        mistake("wrong-count", parameter, |n| {
            let unit = find_unit("ms").unwrap();
            let values = vec![10.0; 2];
            add_parameter(n, "tau_membrane", Values::Each { values, unit });
        }),
        mistake("out-of-range", "populations/unit/parameters/threshold", |n| {
            let parameters = &mut n.populations["unit"].neuron.parameters;
            parameters.insert("threshold".into(), 0.0.into());
        }),
        mistake("parameters-contradict", "populations/cell/parameters/threshold", |n| {
            add_parameter(n, "threshold", Millivolts(-71.0));
        }),
    ]
}

fn mistakes_in_projections() -> Vec<Mistake> {
    let rule = "projections/dense/connectivity";
    let weight = "projections/dense/weight";
    let delay = "projections/dense/delay";
    vec![
        mistake("unknown-population", "projections/dense/source", |n| {
            dense(n).source = "sources".into();
        }),
        mistake("unknown-population", "projections/dense/target", |n| {
            dense(n).target = "call".into();
        }),
        mistake("unknown-receptor", "projections/dense/receptor", |n| {
            dense(n).receptor = Some("inputs".into());
        }),
        mistake("unknown-receptor", "projections/dense/receptor", |n| {
            dense(n).target = "source".into();
        }),
        mistake("sizes-differ", rule, |n| connect(n, Connectivity::OneToOne(OneToOne))),
        mistake("no-autapses", rule, |n| {
            connect(n, Connectivity::AllToAll(AllToAll { autapses: false }));
        }),
        mistake("out-of-range", "projections/dense/connectivity/probability", |n| {
            let (probability, autapses) = (f64::NAN, true);
            connect(n, Connectivity::FixedProbability(FixedProbability { probability, autapses }));
        }),
        mistake("wrong-convolution", rule, |n| {
            connect(n, Connectivity::Convolution(geometry([1, 2, 2], 0)));
        }),
        mistake("sizes-differ", rule, |n| {
            connect(n, Connectivity::Convolution(geometry([1, 3, 2], 1)));
        }),
        mistake("wrong-count", rule, |n| {
            let (sources, targets) = (vec![0, 1], vec![0]);
            connect(n, Connectivity::List(List { sources, targets }));
        }),
        mistake("unknown-neuron", "projections/dense/connectivity/targets", |n| {
            let (sources, targets) = (vec![0, 1], vec![0, 3]);
            connect(n, Connectivity::List(List { sources, targets }));
        }),
        mistake("wrong-count", weight, |n| dense(n).weight = Millivolts(1.0).into()),
        mistake("wrong-count", weight, |n| {
            let unit = find_unit("mV").unwrap();
            let values = vec![1.0; 11];
            dense(n).weight = Values::Each { values, unit };
        }),
        mistake("wrong-unit", weight, |n| {
            dense(n).weight = Values::numbers(vec![1.0; 12]);
        }),
        mistake("not-finite", weight, |n| {
            let unit = find_unit("mV").unwrap();
            let values = vec![f64::NAN; 12];
            dense(n).weight = Values::Each { values, unit };
        }),
        mistake("off-grid", delay, |n| dense(n).delay = Milliseconds(0.25).into()),
        mistake("off-grid", delay, |n| dense(n).delay = Milliseconds(-1.0).into()),
        mistake("delay-out-of-range", delay, |n| dense(n).delay = Milliseconds(0.0).into()),
        mistake("delay-out-of-range", delay, |n| dense(n).delay = Milliseconds(6553.6).into()),
        mistake("wrong-unit", delay, |n| dense(n).delay = 1.0.into()),
        mistake("wrong-count", delay, |n| {
            let unit = find_unit("ms").unwrap();
            let values = vec![1.0; 12];
            dense(n).delay = Values::Each { values, unit };
        }),
    ]
}

/// A 1×1 convolution onto three neurons.
fn geometry(source: [u32; 3], stride: u32) -> Convolution {
    Convolution {
        source,
        target: source,
        kernel: [1, 1],
        stride: [stride, stride],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
    }
}

fn mistakes_in_stimuli() -> Vec<Mistake> {
    vec![
        mistake("unknown-population", "stimuli/noise/population", |n| {
            n.add_stimulus("noise", poisson("sauce", Hertz(1.0)));
        }),
        mistake("wrong-stimulus", "stimuli/extra/population", |n| {
            n.add_stimulus("extra", poisson("cell", Hertz(1.0)));
        }),
        mistake("wrong-stimulus", "stimuli/extra/population", |n| {
            let dc = Stimulus::constant_current("gate", 1.0, Milliseconds(0.0));
            n.add_stimulus("extra", dc);
        }),
        mistake("out-of-range", "stimuli/noise/rate", |n| {
            n.add_stimulus("noise", poisson("source", Hertz(10_001.0)));
        }),
        mistake("wrong-unit", "stimuli/extra/amplitude", |n| {
            let dc = Stimulus::constant_current("unit", Picoamperes(1.0), Milliseconds(0.0));
            n.add_stimulus("extra", dc);
        }),
        mistake("off-grid", "stimuli/extra/start", |n| {
            let dc = Stimulus::constant_current("unit", 1.0, Milliseconds(0.05));
            n.add_stimulus("extra", dc);
        }),
        mistake("wrong-count", "stimuli/extra/times", |n| {
            n.add_stimulus("extra", list(vec![0, 1], vec![1.0]));
        }),
        mistake("unknown-neuron", "stimuli/extra/neurons", |n| {
            n.add_stimulus("extra", list(vec![4], vec![1.0]));
        }),
        mistake("out-of-range", "stimuli/extra/times", |n| {
            n.add_stimulus("extra", list(vec![0], vec![0.0]));
        }),
        mistake("out-of-range", "stimuli/extra/times", |n| {
            n.add_stimulus("extra", list(vec![0], vec![1e30]));
        }),
        mistake("repeated-spike", "stimuli/extra/times", |n| {
            n.add_stimulus("extra", list(vec![0, 0], vec![1.0, 1.0]));
        }),
        mistake("unknown-population", "probes/v/population", |n| {
            n.add_probe("v", Probe::spikes("cells"));
        }),
        mistake("unknown-variable", "probes/v/variable", |n| {
            n.add_probe("v", Probe::variable("cell", "membrane_potentail"));
        }),
        mistake("off-grid", "probes/v/interval", |n| {
            n.probes["v"].interval = Some(Milliseconds(0.15).into());
        }),
        mistake("wrong-probe", "probes/v", |n| n.probes["v"].population = None),
        mistake("wrong-probe", "probes/v", |n| n.probes["v"].projection = Some("dense".into())),
        mistake("unknown-variable", "probes/v/variable", |n| {
            n.probes["v"].variable = "weights".into();
        }),
        mistake("unknown-projection", "probes/w/projection", |n| {
            n.add_probe("w", Probe::weights("dence", Milliseconds(1.0)));
        }),
        mistake("static-weights", "probes/w/projection", |n| {
            n.add_probe("w", Probe::weights("dense", Milliseconds(1.0)));
        }),
        mistake("unknown-variable", "probes/w/variable", |n| {
            n.add_probe("w", Probe::weights("dense", Milliseconds(1.0)));
            n.probes["w"].variable = "weight".into();
        }),
        mistake("not-driven", "populations/unit", |n| {
            n.projections.shift_remove("one");
        }),
    ]
}

fn stdp() -> Plasticity {
    Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(3.0))
}

fn mistakes_in_plasticity() -> Vec<Mistake> {
    vec![
        mistake("unknown-rule", "projections/dense/plasticity/rule", |n| {
            dense(n).plasticity = Some(Plasticity::new("stdp"));
        }),
        mistake("missing-parameter", "projections/dense/plasticity", |n| {
            dense(n).plasticity = Some(Plasticity::new("stdp_additive"));
        }),
        mistake("no-plasticity", "projections/gate/short_term", |n| {
            n.projections["gate"].short_term = Some(Plasticity::new("tsodyks_markram"));
        }),
        mistake("no-spikes", "projections/dense/plasticity/modulator", |n| {
            let rule = Plasticity::new("reward_modulated_stdp").modulator("numbers");
            dense(n).plasticity = Some(rule.parameter("largest_weight", Millivolts(3.0)));
            let sends = Neuron::new("leaky_integrator_analogue");
            n.add_population("numbers", Population::new(1, sends));
        }),
        mistake("wrong-pairing", "projections/dense/homeostasis/pairing", |n| {
            let rule = Plasticity::new("synaptic_scaling").pairing(Pairing::Nearest);
            dense(n).homeostasis = Some(rule);
        }),
        mistake("not-modulated", "projections/dense/plasticity/modulator", |n| {
            dense(n).plasticity = Some(stdp().modulator("cell"));
        }),
        mistake("missing-modulator", "projections/dense/plasticity", |n| {
            let rule = Plasticity::new("reward_modulated_stdp");
            dense(n).plasticity = Some(rule.parameter("largest_weight", Millivolts(3.0)));
        }),
        mistake("weight-out-of-range", "projections/dense/plasticity", |n| {
            connect(n, Connectivity::AllToAll(AllToAll { autapses: true }));
            dense(n).weight = Millivolts(-1.0).into();
            dense(n).plasticity = Some(stdp());
        }),
        mistake(
            "weight-above-largest",
            "projections/dense/plasticity/parameters/largest_weight",
            |n| {
                connect(n, Connectivity::AllToAll(AllToAll { autapses: true }));
                dense(n).weight = Millivolts(3.5).into();
                dense(n).plasticity = Some(stdp());
            },
        ),
    ]
}

/// All of them.
pub fn mistakes() -> Vec<Mistake> {
    let mut all = mistakes_in_populations();
    all.extend(mistakes_in_projections());
    all.extend(mistakes_in_stimuli());
    all.extend(mistakes_in_plasticity());
    all.extend(super::drawn::mistakes_in_distributions());
    all.extend(super::drawn::mistakes_in_drawn_rules());
    all.extend(super::drawn::mistakes_in_more_stimuli());
    all
}
