//! Step by step, neuron by neuron, synapse by synapse.

use super::izhikevich::Izhikevich;
use super::solved::Solved;
use super::synapse::{PlainSynapse, expand};
use super::{initial, parameter};
use crate::closed_form::{alpha_postsynaptic_potential, postsynaptic_potential};
use sim_core::engine::Compiled;
use sim_core::network::{SpikeCondition, ValidPopulation, ValidStimulus};
use sim_core::neuron::LoweredReset;
use sim_core::random::{Purpose, draw, uniform};
use sim_core::recording::Spike;

/// What the reference finds.
#[derive(Debug, Clone)]
pub struct GridRun {
    /// All spikes by (time, neuron).
    pub spikes: Vec<Spike>,
    /// First state variable of each neuron after each step `[step, neuron]`; 0 for sources.
    pub state: Vec<Vec<f64>>,
}

/// One neuron: constants and state, as its model's documentation gives them.
enum Cell {
    Source,
    IntegrateAndFire {
        v: f64,
        theta: f64,
        rules: Rules,
    },
    Integrator {
        v: f64,
    },
    MaxPool {
        largest: f64,
    },
    Leaky {
        v: f64,
        membrane: Membrane,
        held: u64,
        rules: Rules,
        /// Synaptic currents, one a receptor; `None`: synapses let the potential jump.
        currents: Option<Vec<Current>>,
        /// Whether it spikes.
        spikes: bool,
        /// How far the threshold lies above the one at rest.
        raised: f64,
    },
    Izhikevich {
        cell: Izhikevich,
        theta: f64,
        rules: Rules,
    },
    Solved(Solved),
}

/// A synaptic current.
#[derive(Clone, Copy)]
struct Current {
    tau: f64,
    flows: f64,
    /// What leads to the peak of an alpha-shaped current; `None`: it is exponential.
    rise: Option<f64>,
}

#[derive(Clone, Copy)]
struct Rules {
    above: bool,
    /// `None`: the threshold is subtracted.
    reset: Option<f64>,
}

impl Rules {
    fn of(population: &ValidPopulation, neuron: usize) -> Rules {
        Rules {
            above: population.neurons.spike == SpikeCondition::Above,
            reset: match &population.neurons.reset {
                LoweredReset::To(column) => Some(column.get(neuron)),
                LoweredReset::Subtract => None,
            },
        }
    }

    fn spikes(self, v: f64, theta: f64) -> bool {
        v > theta || (!self.above && v == theta)
    }
}

#[derive(Clone, Copy)]
struct Membrane {
    tau: f64,
    capacitance: f64,
    rest: f64,
    theta: f64,
    held_steps: u64,
    threshold_jump: f64,
    tau_threshold: f64,
}

/// Stepwise models keep their numbers on multiples of 2^-32.
fn on_dyadic_grid(value: f64) -> f64 {
    let scale = 2.0_f64.powi(32);
    (value * scale).round_ties_even() / scale
}

fn cell(population: &ValidPopulation, neuron: usize, dt: f64) -> Cell {
    let get = |name: &str| parameter(population, name, neuron);
    let rules = Rules::of(population, neuron);
    match population.model.spec().name {
        "spike_source" => Cell::Source,
        "integrate_and_fire" => Cell::IntegrateAndFire {
            v: on_dyadic_grid(initial(population, 0, neuron, 0.0)),
            theta: on_dyadic_grid(get("threshold")),
            rules: Rules { reset: rules.reset.map(on_dyadic_grid), ..rules },
        },
        "integrator" => Cell::Integrator { v: on_dyadic_grid(initial(population, 0, neuron, 0.0)) },
        "max_pool" => Cell::MaxPool { largest: 0.0 },
        model @ ("lif_delta"
        | "lif_exponential"
        | "lif_alpha"
        | "lif_multisynapse"
        | "lif_adaptive_threshold"
        | "leaky_integrator") => leaky(population, neuron, dt, model),
        "izhikevich" => Cell::Izhikevich {
            cell: Izhikevich::new(population, neuron),
            theta: parameter(population, "threshold", neuron),
            rules: Rules::of(population, neuron),
        },
        other => match Solved::new(population, neuron, dt) {
            Some(solved) => Cell::Solved(solved),
            None => panic!("the reference does not know `{other}`"),
        },
    }
}

/// A leaky neuron, whatever its synapses and its threshold do.
fn leaky(population: &ValidPopulation, neuron: usize, dt: f64, model: &str) -> Cell {
    let get = |name: &str| parameter(population, name, neuron);
    let rest = get("resting_potential");
    let taus = match model {
        "lif_delta" | "leaky_integrator" => None,
        "lif_multisynapse" => {
            let ports = population.model.spec().receptors.len();
            Some((1..=ports).map(|port| get(&format!("tau_synapse_{port}"))).collect())
        }
        _ => Some(vec![get("tau_excitatory"), get("tau_inhibitory")]),
    };
    let current = |(index, tau): (usize, f64)| Current {
        tau,
        flows: initial(population, 1 + index, neuron, 0.0),
        rise: (model == "lif_alpha").then_some(0.0),
    };
    let (spikes, moves) = (model != "leaky_integrator", model == "lif_adaptive_threshold");
    Cell::Leaky {
        v: initial(population, 0, neuron, rest),
        membrane: Membrane {
            tau: get("tau_membrane"),
            capacitance: get("capacitance"),
            rest,
            theta: if spikes { get("threshold") } else { f64::INFINITY },
            held_steps: match spikes {
                true => (get("refractory_period") / dt).round() as u64,
                false => 0,
            },
            threshold_jump: if moves { get("threshold_jump") } else { 0.0 },
            tau_threshold: if moves { get("tau_threshold") } else { 1.0 },
        },
        held: 0,
        rules: Rules::of(population, neuron),
        currents: taus.map(|taus: Vec<f64>| taus.into_iter().enumerate().map(current).collect()),
        spikes,
        raised: 0.0,
    }
}

/// Simulates `steps` steps.
///
/// # Panics
/// Where a model is unknown here.
pub fn simulate(compiled: &Compiled, steps: u64) -> GridRun {
    let network = compiled.network();
    let (grid, synapses) = (network.grid(), expand(compiled));
    let dt = grid.dt();
    let mut cells: Vec<Cell> = Vec::new();
    for population in network.populations().values() {
        cells.extend((0..population.size() as usize).map(|i| cell(population, i, dt)));
    }
    // spiked[k][n]: neuron n spikes in step k; nothing happens in step 0.
    let mut spiked = vec![vec![false; cells.len()]];
    let mut run = GridRun { spikes: Vec::new(), state: Vec::new() };
    for step in 1..=steps {
        let mut now = vec![false; cells.len()];
        for (n, cell) in cells.iter_mut().enumerate() {
            let neuron = n as u32;
            let incoming = synapses.iter().filter(|synapse| synapse.target == neuron);
            let mut arriving: Vec<PlainSynapse> = incoming
                .filter(|s| step > s.delay && spiked[(step - s.delay) as usize][s.source as usize])
                .copied()
                .collect();
            arriving.extend(driven(compiled, neuron, step));
            let current = current(compiled, neuron, step);
            now[n] = match cell {
                Cell::Source => source_spikes(compiled, neuron, step),
                Cell::MaxPool { largest } => {
                    let counts = arriving.iter().map(|s| {
                        let sent = (step - s.delay) as usize;
                        let before = &spiked[..=sent];
                        let count = before.iter().filter(|row| row[s.source as usize]).count();
                        s.weight * count as f64
                    });
                    let offered = counts.fold(0.0, f64::max);
                    let grows = offered > *largest;
                    *largest = largest.max(offered);
                    grows
                }
                other => advance(other, &arriving, current, dt),
            };
            if now[n] {
                let time = grid.time_of(step);
                run.spikes.push(Spike { time, neuron });
            }
        }
        run.state.push(cells.iter().map(state).collect());
        spiked.push(now);
    }
    run
}

fn state(cell: &Cell) -> f64 {
    match cell {
        Cell::Source => 0.0,
        Cell::IntegrateAndFire { v, .. } | Cell::Integrator { v } | Cell::Leaky { v, .. } => *v,
        Cell::MaxPool { largest } => *largest,
        Cell::Izhikevich { cell, .. } => cell.potential(),
        Cell::Solved(solved) => solved.potential(),
    }
}

/// One step of a neuron; says whether it spikes at the end.
fn advance(cell: &mut Cell, arriving: &[PlainSynapse], current: f64, dt: f64) -> bool {
    match cell {
        Cell::Source | Cell::MaxPool { .. } => false,
        Cell::Integrator { v } => {
            *v += arriving.iter().map(|s| on_dyadic_grid(s.weight)).sum::<f64>() + current;
            false
        }
        Cell::IntegrateAndFire { v, theta, rules } => {
            *v += arriving.iter().map(|s| on_dyadic_grid(s.weight)).sum::<f64>() + current;
            let spikes = rules.spikes(*v, *theta);
            if spikes {
                *v = rules.reset.unwrap_or(*v - *theta);
            }
            spikes
        }
        Cell::Izhikevich { cell, theta, rules } => {
            cell.step(dt, current, arriving.iter().map(|s| s.weight).sum::<f64>());
            let spikes = rules.spikes(cell.potential(), *theta);
            if spikes {
                cell.fire(rules.reset.unwrap());
            }
            spikes
        }
        Cell::Solved(solved) => {
            let input = |receptor: usize| {
                let own = arriving.iter().filter(|s| s.receptor == receptor);
                own.map(|s| s.weight).sum::<f64>()
            };
            solved.step(dt, current, [input(0), input(1)])
        }
        Cell::Leaky { v, membrane: m, held, rules, currents, spikes, raised } => {
            let free = *held == 0;
            *held = held.saturating_sub(1);
            if free {
                let limit = m.rest + m.tau / m.capacitance * current;
                *v = limit + (*v - limit) * (-dt / m.tau).exp();
            }
            match currents {
                None if free => *v += arriving.iter().map(|s| s.weight).sum::<f64>(),
                None => {}
                Some(currents) => {
                    for (receptor, flowing) in currents.iter_mut().enumerate() {
                        if free {
                            *v += flowing.adds(m, dt);
                        }
                        let jumps = arriving.iter().filter(|s| s.receptor == receptor);
                        flowing.advance(dt, jumps.map(|s| s.weight).sum::<f64>());
                    }
                }
            }
            *raised *= (-dt / m.tau_threshold).exp();
            let fires = *spikes && rules.spikes(*v, m.theta + *raised);
            if fires {
                *v = rules.reset.unwrap();
                *held = m.held_steps;
                *raised += m.threshold_jump;
            }
            fires
        }
    }
}

impl Current {
    /// What it adds to a membrane's potential in a step.
    fn adds(&self, m: &Membrane, dt: f64) -> f64 {
        let exponential = postsynaptic_potential(m.tau, self.tau, m.capacitance, dt);
        let alpha = alpha_postsynaptic_potential(m.tau, self.tau, m.capacitance, dt);
        self.flows * exponential + self.rise.map_or(0.0, |rise| rise * alpha)
    }

    /// A step on, and the input at its end.
    fn advance(&mut self, dt: f64, input: f64) {
        let decay = (-dt / self.tau).exp();
        match &mut self.rise {
            None => self.flows = self.flows * decay + input,
            Some(rise) => {
                self.flows = (self.flows + std::f64::consts::E * *rise * dt / self.tau) * decay;
                *rise = *rise * decay + input;
            }
        }
    }
}

/// The current into a neuron during a step: (start, stop].
fn current(compiled: &Compiled, neuron: u32, step: u64) -> f64 {
    let network = compiled.network();
    let seeds = network.stimulus_seeds(network.seed());
    let mut sum = 0.0;
    for (stimulus, seed) in network.stimuli().values().zip(seeds) {
        let population = &network.populations()[stimulus.population()];
        let acts = |start: u64, stop: u64| start < step && step <= stop;
        if !population.range().contains(&neuron) {
            continue;
        }
        let local = neuron - population.first;
        let amplitude = match stimulus {
            ValidStimulus::ConstantCurrent { amplitude, start_step, stop_step, .. }
                if acts(*start_step, *stop_step) =>
            {
                amplitude.get(local as usize)
            }
            ValidStimulus::VaryingCurrent { shape, start_step, stop_step, .. }
                if acts(*start_step, *stop_step) =>
            {
                shape.after(seed, local, step - 1)
            }
            _ => continue,
        };
        let stepwise = matches!(population.model.spec().name, "integrate_and_fire" | "integrator");
        sum += if stepwise { on_dyadic_grid(amplitude) } else { amplitude };
    }
    sum
}

/// Poisson input that arrives at a neuron at the end of a step, as if through synapses.
fn driven(compiled: &Compiled, neuron: u32, step: u64) -> Vec<PlainSynapse> {
    let network = compiled.network();
    let seeds = network.stimulus_seeds(network.seed());
    let mut all = Vec::new();
    for (stimulus, seed) in network.stimuli().values().zip(seeds) {
        let ValidStimulus::Drive { population, drive } = stimulus else {
            continue;
        };
        let range = network.populations()[*population].range();
        if range.contains(&neuron) {
            let local = neuron - range.start;
            drive.arrive(seed, step, local..local + 1, |_, weight| {
                all.push(PlainSynapse {
                    source: neuron,
                    target: neuron,
                    receptor: drive.receptor(),
                    weight,
                    delay: drive.delay(),
                    projection: usize::MAX,
                });
            });
        }
    }
    all
}

/// Whether a stimulus makes a source spike in a step.
fn source_spikes(compiled: &Compiled, neuron: u32, step: u64) -> bool {
    let network = compiled.network();
    let seeds = network.stimulus_seeds(network.seed());
    let mut spikes = network.stimuli().values().zip(seeds).map(|(stimulus, seed)| {
        let population = &network.populations()[stimulus.population()];
        if !population.range().contains(&neuron) {
            return false;
        }
        let local = neuron - population.first;
        match stimulus {
            ValidStimulus::SpikeList { spikes, .. } => {
                spikes.contains(&(network.grid().time_of(step), local))
            }
            ValidStimulus::Poisson { probability, .. } => {
                let words = draw(seed, Purpose::Poisson, local, step, 0);
                uniform(words) < probability.get(local as usize)
            }
            ValidStimulus::Train { train, .. } => {
                let grid = network.grid();
                let mut sent = Vec::new();
                train.start(seed).take(grid.time_of(step), &mut sent);
                sent.iter().any(|&(time, n)| n == local && grid.step_at(time) == step)
            }
            ValidStimulus::ConstantCurrent { .. }
            | ValidStimulus::VaryingCurrent { .. }
            | ValidStimulus::Drive { .. } => false,
        }
    });
    spikes.any(|spike| spike)
}
