//! Neurons of models that are given by differential equations, for the clock-driven engine.
//!
//! In each step of the grid: the equations are solved over the step with the synaptic input that
//! arrived before and the current of the step; then the input that arrives at its end is added;
//! then the neuron is examined for a spike. A model with a peak spikes within the step, where the
//! peak is reached, and goes on from its reset at once; the spike is dated to the end of the step.

use super::model::{ClockNeurons, Drive, Emitted, LoweredNeurons, StateVisitor, bytes_of};
use super::solver::{self, Method, Standard};
use super::typed_parameters::initial_or;
use crate::network::SpikeCondition;

/// What the event-driven engine says of such a model.
pub(super) const NO_CLOSED_FORM: &str = "its differential equations have no closed solution, so \
    the time of the next spike cannot be computed; run it on the clock-driven engine";

/// Most fixed steps in one step of the grid; more are a mistake.
const MOST_FIXED_STEPS: f64 = 10_000.0;

/// A model's equations with the parameters of one neuron. The state variables are those of its
/// specification, in that order; the first is the membrane potential.
pub(super) trait Equations<const N: usize>: Send + Sized + 'static {
    /// Neuron `index` and the state that it begins with where no initial values are given.
    fn lower(neurons: &LoweredNeurons, index: usize) -> (Self, [f64; N]);

    /// The parameters `tolerance` and `fixed_steps`.
    fn solver(&self) -> (f64, f64);

    /// The standard control of step lengths, where the parameter `standard_control` asks for it.
    fn standard(&self) -> Option<Standard<N>> {
        None
    }

    /// Time [ms] after a spike in which it cannot spike again.
    fn refractory_period(&self) -> f64;

    /// dy/dt [per ms]; `held` in the refractory time.
    fn slope(&self, state: &[f64; N], current: f64, held: bool) -> [f64; N];

    /// Adds synaptic input, one number a receptor.
    fn receive(&self, state: &mut [f64; N], inputs: [f64; 2]);

    /// The potential at which the neuron spikes within a step; above all others: at none.
    fn peak(&self) -> f64 {
        f64::INFINITY
    }

    /// Whether the neuron spikes at the end of a step that began at the potential `before`.
    fn spikes(&self, before: f64, state: &[f64; N], condition: SpikeCondition) -> bool;

    /// What a spike does to the state.
    fn reset(&self, state: &mut [f64; N]);
}

/// Whether the potential meets the spike condition.
pub(super) fn reaches(condition: SpikeCondition, potential: f64, threshold: f64) -> bool {
    match condition {
        SpikeCondition::AtOrAbove => potential >= threshold,
        SpikeCondition::Above => potential > threshold,
    }
}

/// What is wrong with the parameter `fixed_steps` (index `column`).
pub(super) fn check_fixed_steps(
    neurons: &LoweredNeurons,
    column: usize,
) -> Vec<(&'static str, String)> {
    let numbers = neurons.parameters.get(column).map_or(&[][..], |column| column.numbers());
    let wrong = numbers.iter().find(|n| n.fract() != 0.0 || **n > MOST_FIXED_STEPS);
    let message = |n: &f64| {
        format!("{n} is not a whole number of steps from 0 (adaptive) to {MOST_FIXED_STEPS}")
    };
    wrong.map(|n| ("fixed_steps", message(n))).into_iter().collect()
}

/// What is wrong with the parameter `standard_control`, which follows `fixed_steps`.
pub(super) fn check_control(
    neurons: &LoweredNeurons,
    fixed_steps: usize,
) -> Vec<(&'static str, String)> {
    let mut problems = check_fixed_steps(neurons, fixed_steps);
    let numbers = |column: usize| neurons.parameters.get(column).map_or(&[][..], |c| c.numbers());
    let controls = numbers(fixed_steps + 1);
    if let Some(n) = controls.iter().find(|n| **n != 0.0 && **n != 1.0) {
        problems.push(("standard_control", format!("{n} is neither 0 (off) nor 1 (on)")));
    } else if controls.contains(&1.0) && numbers(fixed_steps).iter().any(|n| *n > 0.0) {
        let message = "fixed steps are controlled by nothing: one of the two is 0";
        problems.push(("standard_control", message.to_string()));
    }
    problems
}

/// What one neuron keeps between steps.
struct Cell<E, const N: usize> {
    equations: E,
    method: Method,
    standard: Option<Standard<N>>,
    refractory_steps: u32,
    initial: [f64; N],
    state: [f64; N],
    /// Step length of the solver [ms].
    length: f64,
    /// Steps of the refractory time that remain.
    remaining: u32,
}

/// The neurons of a part of a population.
pub(super) struct OdeNeurons<E, const N: usize> {
    dt: f64,
    condition: SpikeCondition,
    cells: Vec<Cell<E, N>>,
}

impl<E: Equations<N>, const N: usize> OdeNeurons<E, N> {
    /// From validated numbers.
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let dt = neurons.grid.dt();
        let cell = |index: usize| {
            let (equations, state) = E::lower(neurons, index);
            let initial: [f64; N] =
                std::array::from_fn(|i| initial_or(neurons, i, index, state[i]));
            let method = match equations.solver() {
                (tolerance, 0.0) => Method::Adaptive { tolerance },
                (_, steps) => Method::Fixed { length: dt / steps },
            };
            let refractory_steps = (equations.refractory_period() / dt).round() as u32;
            let standard = equations.standard();
            let (state, length, remaining) = (initial, dt, 0);
            Cell {
                equations,
                method,
                standard,
                refractory_steps,
                initial,
                state,
                length,
                remaining,
            }
        };
        OdeNeurons { dt, condition: neurons.spike, cells: (0..neurons.size).map(cell).collect() }
    }
}

impl<E: Equations<N>, const N: usize> Cell<E, N> {
    /// Solves over a step of the grid; says whether the neuron spiked at its peak.
    fn integrate(&mut self, dt: f64, current: f64) -> bool {
        let mut spiked = false;
        let mut left = dt;
        loop {
            let held = self.remaining > 0 || (spiked && self.refractory_steps > 0);
            // One spike a step: a peak that is reached again waits for the next step.
            let peak = if held || spiked { f64::INFINITY } else { self.equations.peak() };
            let (equations, method) = (&self.equations, self.method);
            let slope = |state: &[f64; N]| equations.slope(state, current, held);
            let length = &mut self.length;
            match solver::advance(slope, &mut self.state, left, method, length, peak) {
                None => return spiked,
                Some(rest) => {
                    equations.reset(&mut self.state);
                    spiked = true;
                    left = rest;
                }
            }
            if left <= 0.0 {
                return spiked;
            }
        }
    }

    /// The same in steps of the standard control. A neuron with a peak spikes at the end of the step
    /// that passes it.
    fn integrate_standard(&mut self, standard: &Standard<N>, dt: f64, current: f64) -> bool {
        let (mut spiked, mut at) = (false, 0.0);
        while at < dt {
            let held = self.remaining > 0 || (spiked && self.refractory_steps > 0);
            let equations = &self.equations;
            let slope = |state: &[f64; N]| equations.slope(state, current, held);
            let before = at;
            standard.evolve(slope, &mut self.state, (&mut at, dt), &mut self.length);
            if !held && !spiked && self.state[0] >= self.equations.peak() {
                self.equations.reset(&mut self.state);
                spiked = true;
            }
            // What is no number stays so.
            if at <= before || !self.state.iter().all(|variable| variable.is_finite()) {
                break;
            }
        }
        spiked
    }

    /// One step of the grid; says whether the neuron spikes in it.
    fn step(&mut self, dt: f64, current: f64, inputs: [f64; 2], condition: SpikeCondition) -> bool {
        let before = self.state[0];
        let peaked = match self.standard {
            Some(standard) => self.integrate_standard(&standard, dt, current),
            None => self.integrate(dt, current),
        };
        self.equations.receive(&mut self.state, inputs);
        if self.remaining > 0 {
            self.remaining -= 1;
            return false;
        }
        let ended = !peaked && self.equations.spikes(before, &self.state, condition);
        if ended {
            self.equations.reset(&mut self.state);
        }
        if peaked || ended {
            self.remaining = self.refractory_steps;
        }
        peaked || ended
    }
}

impl<E: Equations<N>, const N: usize> ClockNeurons for OdeNeurons<E, N> {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let inputs = [drive.inputs[0][index], drive.inputs[1][index]];
            if cell.step(self.dt, drive.current[index], inputs, self.condition) {
                spikes.push(index as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        for variable in 0..N {
            visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.state[variable]));
        }
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.length));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.remaining));
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.cells.iter().map(|cell| cell.state.get(index).copied().unwrap_or(f64::NAN)).collect()
    }

    fn reset(&mut self) {
        for cell in &mut self.cells {
            cell.state = cell.initial;
            cell.length = self.dt;
            cell.remaining = 0;
        }
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.cells)
    }
}

#[cfg(test)]
mod tests {
    use crate::connectome::CompileConfig;
    use crate::engine::{Compiled, EngineConfig, find_engine};
    use crate::network::{Network, Neuron, Population, Stimulus};
    use crate::neuron::adex_exponential::AdexExponential;
    use crate::neuron::hodgkin_huxley::HodgkinHuxley;
    use crate::neuron::izhikevich::Izhikevich;
    use crate::neuron::lif_conductance_alpha::LifConductanceAlpha;
    use crate::units::{Milliseconds, Millivolts, Picoamperes};
    use std::sync::Arc;

    fn network(neuron: impl Into<Neuron>) -> Network {
        let mut network = Network::new("one", Milliseconds(0.1));
        network.add_population("cell", Population::new(2, neuron));
        let current = Stimulus::constant_current("cell", Picoamperes(1500.0), Milliseconds(0.0));
        network.add_stimulus("dc", current);
        network
    }

    fn problems(neuron: impl Into<Neuron>) -> String {
        network(neuron).validate().unwrap_err().to_string()
    }

    #[test]
    fn parameters_that_contradict_each_other_are_refused() {
        let adex = AdexExponential::default;
        let low = problems(AdexExponential { peak: Millivolts(-55.0), ..adex() });
        assert!(low.contains("(peak - threshold) / slope_factor is -2.3"), "{low}");
        let steep = problems(AdexExponential { slope_factor: Millivolts(0.01), ..adex() });
        assert!(steep.contains("allowed is 0 to 700"), "{steep}");
        let reset = problems(AdexExponential { reset: Millivolts(10.0), ..adex() });
        assert!(reset.contains("the reset 10 is not below the peak 0"), "{reset}");
        for steps in [0.5, 1e6] {
            let message = problems(HodgkinHuxley { fixed_steps: steps, ..Default::default() });
            assert!(message.contains("not a whole number of steps"), "{message}");
        }
        let none = problems(LifConductanceAlpha { tolerance: 0.0, ..Default::default() });
        assert!(none.contains("tolerance"), "{none}");
    }

    #[test]
    fn the_event_engine_says_why_it_refuses_them() {
        let neurons: [Neuron; 4] = [
            AdexExponential::default().into(),
            HodgkinHuxley::default().into(),
            Izhikevich::default().into(),
            LifConductanceAlpha::default().into(),
        ];
        for neuron in neurons {
            let valid = network(neuron).validate().unwrap();
            let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
            let event = find_engine("event").unwrap();
            let refused = (event.start)(compiled, EngineConfig::default());
            let Err(error) = refused else {
                panic!("the event engine took a model without a closed solution");
            };
            assert!(error.to_string().contains("no closed solution"), "{error}");
        }
    }

    #[test]
    fn a_refractory_adex_neuron_rests_at_its_reset_and_a_reset_engine_starts_anew() {
        let adex = AdexExponential { refractory_period: Milliseconds(50.0), ..Default::default() };
        let valid = network(adex).validate().unwrap();
        let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
        let model = &compiled.network().populations()["cell"];
        let mut cells = model.model.clock(&model.neurons).unwrap();
        let run = |cells: &mut dyn crate::neuron::ClockNeurons| {
            let mut times = Vec::new();
            for step in 1..=2000_u32 {
                let mut spikes = crate::neuron::Emitted::default();
                let inputs = [vec![0.0; 2], vec![0.0; 2]];
                let (current, instructions) = (&[1500.0, 0.0], kernels::Instructions::widest());
                let drive = crate::neuron::Drive { inputs: &inputs, current, instructions };
                cells.step(drive, &mut spikes);
                assert!(!spikes.neurons.contains(&1), "no current, no spike");
                if !spikes.neurons.is_empty() {
                    times.push(step);
                }
                let held = times.last().is_some_and(|last| step <= last + 500);
                assert_eq!(held, cells.variable(0)[0] == -60.0, "step {step}");
            }
            times
        };
        let first = run(cells.as_mut());
        assert!(first.len() >= 3, "{first:?}");
        cells.reset();
        assert_eq!(run(cells.as_mut()), first);
    }
}
