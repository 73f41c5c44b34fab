//! Neurons of differential equations, solved with very short steps of the classical Runge–Kutta method, and
//! currents and conductances in their closed form.
//!
//! What flows through synapses is known in closed form between two steps of the grid, so only the potential
//! and what depends on it are solved: another way than the engine's, which solves all together.

use super::{initial, parameter};
use sim_core::network::{SpikeCondition, ValidPopulation};

/// Runge–Kutta steps in a step of the grid.
const SUBSTEPS: u32 = 200;

/// The most that a potential moves in a step (mV).
const RISE_MV: f64 = 0.05;

/// Halvings by which the moment of a peak is found.
const HALVINGS: u32 = 60;

/// How a synapse decays.
#[derive(Debug, Clone, Copy)]
struct Synapse {
    tau: f64,
    /// Alpha-shaped: what flows rises to `rise` and falls again.
    alpha: bool,
    flows: f64,
    rise: f64,
}

impl Synapse {
    /// What flows t ms from now.
    fn at(&self, t: f64) -> f64 {
        let decay = (-t / self.tau).exp();
        let driven = if self.alpha { self.rise * std::f64::consts::E * t / self.tau } else { 0.0 };
        (self.flows + driven) * decay
    }

    fn advance(&mut self, t: f64) {
        self.flows = self.at(t);
        self.rise *= (-t / self.tau).exp();
    }

    fn receive(&mut self, weight: f64) {
        if self.alpha {
            self.rise += weight;
        } else {
            self.flows += weight;
        }
    }
}

/// The membrane's own equations: V first, then what else changes with it.
#[derive(Debug, Clone, Copy)]
enum Membrane {
    /// C, g, E.
    Leaky(f64, f64, f64),
    /// C, g, E, threshold, slope factor; a, τ_w (0 and 1 without adaptation).
    Exponential { leaky: (f64, f64, f64), threshold: f64, width: f64, pull: f64, tau: f64 },
    /// C, curvature, E, threshold.
    Quadratic(f64, f64, f64, f64),
    /// C, conductances and reversal potentials of sodium, potassium and leak.
    Channels { capacitance: f64, conductance: [f64; 3], reversal: [f64; 3] },
}

/// Where a neuron spikes.
#[derive(Debug, Clone, Copy)]
enum Spikes {
    /// At the end of a step, at this potential.
    AtEnd(f64),
    /// Within a step, at this potential.
    AtPeak(f64),
    /// At the end of a step in which V, above zero, fell.
    Falling,
}

/// A neuron.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    membrane: Membrane,
    synapses: [Synapse; 2],
    /// Reversal potentials, of conductances.
    reversal: Option<[f64; 2]>,
    /// V, and up to three others.
    state: [f64; 4],
    spikes: Spikes,
    above: bool,
    reset: f64,
    jump: f64,
    held_steps: u64,
    held: u64,
}

impl Solved {
    /// The neuron, where its model is one of these.
    pub(super) fn new(population: &ValidPopulation, neuron: usize, dt: f64) -> Option<Self> {
        let get = |name: &str| parameter(population, name, neuron);
        let model = population.model.spec().name;
        let adaptive = matches!(model, "adex_exponential" | "adex_alpha");
        let leaky = || (get("capacitance"), get("leak_conductance"), get("resting_potential"));
        let (membrane, spikes) = match model {
            "lif_conductance_exponential" | "lif_conductance_alpha" => {
                let (capacitance, leak, rest) = leaky();
                (Membrane::Leaky(capacitance, leak, rest), Spikes::AtEnd(get("threshold")))
            }
            "adex_exponential" | "adex_alpha" | "exponential_integrate_and_fire" => {
                let membrane = Membrane::Exponential {
                    leaky: leaky(),
                    threshold: get("threshold"),
                    width: get("slope_factor"),
                    pull: if adaptive { get("adaptation_conductance") } else { 0.0 },
                    tau: if adaptive { get("tau_adaptation") } else { 1.0 },
                };
                (membrane, Spikes::AtPeak(get("peak")))
            }
            "quadratic_integrate_and_fire" => {
                let membrane = Membrane::Quadratic(
                    get("capacitance"),
                    get("curvature"),
                    get("resting_potential"),
                    get("threshold"),
                );
                (membrane, Spikes::AtPeak(get("peak")))
            }
            "hodgkin_huxley" => {
                let names = ["sodium", "potassium", "leak"];
                let membrane = Membrane::Channels {
                    capacitance: get("capacitance"),
                    conductance: names.map(|name| get(&format!("{name}_conductance"))),
                    reversal: names.map(|name| get(&format!("reversal_{name}"))),
                };
                (membrane, Spikes::Falling)
            }
            _ => return None,
        };
        let alpha = model.ends_with("_alpha") || model == "hodgkin_huxley";
        let synapse = |tau: f64| Synapse { tau, alpha, flows: 0.0, rise: 0.0 };
        let conducts = model.starts_with("lif_conductance") || adaptive;
        let rest = match membrane {
            Membrane::Channels { .. } => -65.0,
            _ => get("resting_potential"),
        };
        let v = initial(population, 0, neuron, rest);
        let others = match membrane {
            Membrane::Channels { .. } => gates(v).map(|(opens, closes)| opens / (opens + closes)),
            _ => [0.0; 3],
        };
        Some(Solved {
            membrane,
            synapses: [synapse(get("tau_excitatory")), synapse(get("tau_inhibitory"))],
            reversal: conducts.then(|| [get("reversal_excitatory"), get("reversal_inhibitory")]),
            state: [v, others[0], others[1], others[2]],
            spikes,
            above: population.neurons.spike == SpikeCondition::Above,
            reset: population.neurons.reset.value(neuron).unwrap_or(v),
            jump: if adaptive { get("adaptation_jump") } else { 0.0 },
            held_steps: (get("refractory_period") / dt).round() as u64,
            held: 0,
        })
    }

    /// The membrane potential.
    pub(super) fn potential(&self) -> f64 {
        self.state[0]
    }

    /// The slopes, t ms into a step.
    fn slope(&self, state: [f64; 4], t: f64, current: f64, held: bool) -> [f64; 4] {
        let v = match self.spikes {
            Spikes::AtPeak(peak) => state[0].min(peak),
            _ => state[0],
        };
        let flows = [self.synapses[0].at(t), self.synapses[1].at(t)];
        let synaptic = match self.reversal {
            Some([first, second]) => flows[0] * (first - v) + flows[1] * (second - v),
            None => flows[0] + flows[1],
        };
        let inward = synaptic + current;
        let [slope, first, second, third] = match self.membrane {
            Membrane::Leaky(capacitance, leak, rest) => {
                [(leak * (rest - v) + inward) / capacitance, 0.0, 0.0, 0.0]
            }
            Membrane::Exponential { leaky, threshold, width, pull, tau } => {
                let (capacitance, leak, rest) = leaky;
                let upstroke = leak * width * ((v - threshold) / width).exp();
                let slope = (leak * (rest - v) + upstroke - state[1] + inward) / capacitance;
                [slope, (pull * (v - rest) - state[1]) / tau, 0.0, 0.0]
            }
            Membrane::Quadratic(capacitance, curvature, rest, threshold) => {
                let own = curvature * (v - rest) * (v - threshold);
                [(own + inward) / capacitance, 0.0, 0.0, 0.0]
            }
            Membrane::Channels { capacitance, conductance, reversal } => {
                let [_, m, h, n] = state;
                let open = [m * m * m * h, n * n * n * n, 1.0];
                let channel = |k: usize| conductance[k] * open[k] * (reversal[k] - v);
                let ionic: f64 = (0..3).map(channel).sum();
                let rates = gates(v);
                let gate = |k: usize, x: f64| rates[k].0 * (1.0 - x) - rates[k].1 * x;
                [(ionic + inward) / capacitance, gate(0, m), gate(1, h), gate(2, n)]
            }
        };
        [if held { 0.0 } else { slope }, first, second, third]
    }

    /// A step (ms) in which an upstroke rises by little.
    fn short(&self, t: f64, current: f64, held: bool) -> f64 {
        let below = match self.spikes {
            Spikes::AtPeak(peak) => self.state[0] < peak,
            _ => true,
        };
        let slope = self.slope(self.state, t, current, held)[0].abs();
        if below && slope > 0.0 { RISE_MV / slope } else { f64::INFINITY }
    }

    /// The state `h` ms on, from t ms into the step.
    fn kutta(&self, state: [f64; 4], (t, h): (f64, f64), current: f64, held: bool) -> [f64; 4] {
        let plus = |slope: [f64; 4], h: f64| -> [f64; 4] {
            std::array::from_fn(|i| state[i] + h * slope[i])
        };
        let k1 = self.slope(state, t, current, held);
        let k2 = self.slope(plus(k1, 0.5 * h), t + 0.5 * h, current, held);
        let k3 = self.slope(plus(k2, 0.5 * h), t + 0.5 * h, current, held);
        let k4 = self.slope(plus(k3, h), t + h, current, held);
        std::array::from_fn(|i| state[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// One step of the grid; `arriving` is the input at its end. Says whether the neuron spikes.
    pub(super) fn step(&mut self, dt: f64, current: f64, arriving: [f64; 2]) -> bool {
        let (before, h) = (self.state[0], dt / f64::from(SUBSTEPS));
        let (mut spiked, mut t) = (false, 0.0);
        while t < dt * (1.0 - 1e-12) {
            // Channels go on in the refractory time.
            let rests = !matches!(self.spikes, Spikes::Falling);
            let held = rests && (self.held > 0 || (spiked && self.held_steps > 0));
            let h = h.min(self.short(t, current, held)).min(dt - t);
            let next = self.kutta(self.state, (t, h), current, held);
            match self.spikes {
                Spikes::AtPeak(peak) if !held && !spiked && next[0] >= peak => {
                    let (mut low, mut high) = (0.0, h);
                    for _ in 0..HALVINGS {
                        let middle = 0.5 * (low + high);
                        let there = self.kutta(self.state, (t, middle), current, held)[0];
                        *(if there >= peak { &mut high } else { &mut low }) = middle;
                    }
                    self.state = self.kutta(self.state, (t, high), current, held);
                    self.fire();
                    (spiked, t) = (true, t + high);
                }
                _ => (self.state, t) = (next, t + h),
            }
        }
        for (synapse, weight) in self.synapses.iter_mut().zip(arriving) {
            synapse.advance(dt);
            synapse.receive(weight);
        }
        if self.held > 0 {
            self.held -= 1;
            return false;
        }
        let v = self.state[0];
        let ended = match self.spikes {
            Spikes::AtEnd(threshold) => v > threshold || (!self.above && v == threshold),
            Spikes::AtPeak(_) => false,
            Spikes::Falling => v >= 0.0 && before > v,
        };
        if ended {
            self.fire();
        }
        if spiked || ended {
            self.held = self.held_steps;
        }
        spiked || ended
    }

    /// What a spike does.
    fn fire(&mut self) {
        if !matches!(self.spikes, Spikes::Falling) {
            self.state[0] = self.reset;
            self.state[1] += self.jump;
        }
    }
}

/// Opening and closing rates of m, h and n (1/ms), after Hodgkin & Huxley 1952 with a rest of −65 mV.
fn gates(v: f64) -> [(f64, f64); 3] {
    let rectified = |x: f64| if x.abs() < 1e-9 { 1.0 + 0.5 * x } else { x / (1.0 - (-x).exp()) };
    [
        (rectified((v + 40.0) / 10.0), 4.0 * (-(v + 65.0) / 18.0).exp()),
        (0.07 * (-(v + 65.0) / 20.0).exp(), 1.0 / (1.0 + (-(v + 35.0) / 10.0).exp())),
        (0.1 * rectified((v + 55.0) / 10.0), 0.125 * (-(v + 65.0) / 80.0).exp()),
    ]
}
