//! Izhikevich's neuron, as its documentation gives it.

use super::{initial, parameter};
use sim_core::network::ValidPopulation;

/// Constants and state.
#[derive(Clone, Copy)]
pub(super) struct Izhikevich {
    rate: f64,
    sensitivity: f64,
    jump: f64,
    lowest: f64,
    /// Both slopes from the beginning of a step; otherwise the half steps of the 2003 paper.
    consistent: bool,
    v: f64,
    u: f64,
}

impl Izhikevich {
    pub(super) fn new(population: &ValidPopulation, neuron: usize) -> Self {
        let get = |name: &str| parameter(population, name, neuron);
        let v = initial(population, 0, neuron, -65.0);
        let sensitivity = get("recovery_sensitivity");
        Izhikevich {
            rate: get("recovery_rate"),
            sensitivity,
            jump: get("recovery_jump"),
            lowest: get("lowest_potential"),
            consistent: get("consistent_steps") == 1.0,
            v,
            u: initial(population, 1, neuron, sensitivity * v),
        }
    }

    pub(super) fn potential(&self) -> f64 {
        self.v
    }

    /// A step of `dt` with a current; input arrives at its end.
    pub(super) fn step(&mut self, dt: f64, current: f64, input: f64) {
        let (begin, u) = (self.v, self.u);
        let slope = |v: f64, current: f64| 0.04 * v.powi(2) + 5.0 * v + 140.0 - u + current;
        let seen = if self.consistent {
            self.v += dt * slope(begin, current);
            self.v += input;
            begin
        } else {
            for _ in 0..2 {
                self.v += dt / 2.0 * slope(self.v, current + input);
            }
            self.v
        };
        self.v = self.v.max(self.lowest);
        self.u += dt * self.rate * (self.sensitivity * seen - u);
    }

    pub(super) fn fire(&mut self, reset: f64) {
        self.v = reset;
        self.u += self.jump;
    }
}
