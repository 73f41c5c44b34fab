//! What one neuron with exponential currents does between inputs, in closed form.

use super::THRESHOLD;
use crate::network::SpikeCondition;
use crate::neuron::current_synapse::propagator;
use crate::neuron::exponential_sum::{Term, first_upward_crossing};
use crate::neuron::model::LoweredNeurons;

/// Rates closer than this (relative) count as equal when a crossing is sought: the term of the
/// double root is then off by less than the cancellation that it avoids (both about 1e-8).
const NEARLY_EQUAL: f64 = 1e-8;

/// Rates closer than this (relative) cancel more than three digits in the sum of exponentials, so
/// that a crossing found there is polished.
const LOSES_DIGITS: f64 = 1e-3;

/// Corrections beyond this are no lost digits [ms].
const LARGEST_CORRECTION_MS: f64 = 1e-4;

/// One neuron's parameters in base units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constants {
    pub(super) tau: f64,
    pub(super) capacitance: f64,
    pub(super) rest: f64,
    pub(super) threshold: f64,
    pub(super) refractory: f64,
    pub(super) tau_synapse: [f64; 2],
    pub(super) reset: f64,
    pub(super) spike: SpikeCondition,
}

/// Initial potential and currents of one neuron.
#[derive(Debug, Clone, Copy)]
pub(super) struct NeuronState {
    pub(super) potential: f64,
    pub(super) synapse: [f64; 2],
}

impl NeuronState {
    /// Number of variables.
    pub(super) const VARIABLES: usize = 3;

    /// The variable of this index in the specification, to be changed.
    pub(super) fn variable_mut(&mut self, index: usize) -> &mut f64 {
        match index {
            0 => &mut self.potential,
            other => &mut self.synapse[(other - 1).min(1)],
        }
    }
}

pub(super) fn lower(neurons: &LoweredNeurons) -> (Vec<Constants>, Vec<NeuronState>) {
    let of = |neuron: usize| {
        let get = |index: usize| neurons.parameters[index].get(neuron);
        let initial = |variable: usize, otherwise: f64| {
            let column = neurons.initial.get(variable).and_then(|column| column.as_ref());
            column.map_or(otherwise, |column| column.get(neuron))
        };
        let constants = Constants {
            tau: get(0),
            capacitance: get(1),
            rest: get(2),
            threshold: get(THRESHOLD),
            refractory: get(4),
            tau_synapse: [get(5), get(6)],
            // Validation offers no subtraction for this model.
            reset: neurons.reset.value(neuron).unwrap_or(get(2)),
            spike: neurons.spike,
        };
        let state = NeuronState {
            potential: initial(0, get(2)),
            synapse: [initial(1, 0.0), initial(2, 0.0)],
        };
        (constants, state)
    };
    (0..neurons.size).map(of).unzip()
}

impl Constants {
    pub(super) fn reaches(&self, potential: f64) -> bool {
        match self.spike {
            SpikeCondition::AtOrAbove => potential >= self.threshold,
            SpikeCondition::Above => potential > self.threshold,
        }
    }

    /// The potential that a current I of a synapse, now 1 pA, adds after t [ms]: mV per pA.
    pub(super) fn propagator(&self, tau_synapse: f64, t: f64) -> f64 {
        propagator(self.tau, self.capacitance, tau_synapse, t)
    }

    pub(super) fn limit(&self, current: f64) -> f64 {
        self.rest + current * self.tau / self.capacitance
    }

    /// The state after t [ms] without input; V is held for the first `held` [ms].
    pub(super) fn after(&self, state: NeuronState, current: f64, t: f64, held: f64) -> NeuronState {
        let decayed = |x: usize, t: f64| state.synapse[x] * (-t / self.tau_synapse[x]).exp();
        let held = held.clamp(0.0, t);
        let free = t - held;
        let limit = self.limit(current);
        let driven: f64 =
            (0..2).map(|x| decayed(x, held) * self.propagator(self.tau_synapse[x], free)).sum();
        NeuronState {
            potential: limit + (state.potential - limit) * (-free / self.tau).exp() + driven,
            synapse: [decayed(0, t), decayed(1, t)],
        }
    }

    /// V − θ as a sum of exponentials from now on.
    fn distance_to_threshold(&self, state: NeuronState, current: f64) -> Vec<Term> {
        let limit = self.limit(current);
        let membrane_rate = 1.0 / self.tau;
        let mut membrane = Term::new(membrane_rate, state.potential - limit);
        let mut terms = vec![Term::new(0.0, limit - self.threshold)];
        let mut synapses: Vec<Term> = Vec::with_capacity(2);
        for (amplitude, tau) in state.synapse.into_iter().zip(self.tau_synapse) {
            let (rate, per_time) = (1.0 / tau, amplitude / self.capacitance);
            let difference = membrane_rate - rate;
            if difference.abs() < NEARLY_EQUAL * membrane_rate {
                membrane.slope += per_time;
                continue;
            }
            let coefficient = per_time / difference;
            membrane.constant -= coefficient;
            match synapses.iter_mut().find(|term| term.rate == rate) {
                Some(same) => same.constant += coefficient,
                None => synapses.push(Term::new(rate, coefficient)),
            }
        }
        terms.push(membrane);
        terms.extend(synapses);
        terms
    }

    /// A bound that V cannot pass: currents add at most their peak.
    fn bound(&self, state: NeuronState, current: f64) -> f64 {
        let peaks: f64 =
            (0..2).map(|x| state.synapse[x].max(0.0) * self.tau_synapse[x].min(self.tau)).sum();
        self.limit(current).max(state.potential) + peaks / self.capacitance
    }

    /// Time [ms] from now to the next spike without input.
    pub(super) fn next_spike(&self, state: NeuronState, current: f64) -> Option<f64> {
        if self.reaches(state.potential) {
            return Some(0.0);
        }
        if self.bound(state, current) < self.threshold {
            return None;
        }
        // After 60 time constants every exponential is below 1e-26 of its start.
        let slowest = self.tau_synapse.into_iter().fold(self.tau, f64::max);
        let terms = self.distance_to_threshold(state, current);
        let found = first_upward_crossing(&terms, 60.0 * slowest)?;
        let close = |tau: &f64| (self.tau / tau - 1.0).abs() < LOSES_DIGITS;
        match self.tau_synapse.iter().any(close) {
            true => Some(self.polish(state, current, found)),
            false => Some(found),
        }
    }

    /// Newton's method on the potential as [`after`](Self::after) gives it, which keeps all digits
    /// where time constants are close and the sum of exponentials cancels.
    fn polish(&self, state: NeuronState, current: f64, found: f64) -> f64 {
        let mut t = found;
        for _ in 0..3 {
            let then = self.after(state, current, t, 0.0);
            let flow = then.synapse[0] + then.synapse[1];
            let slope = (self.limit(current) - then.potential) / self.tau + flow / self.capacitance;
            let correction = (self.threshold - then.potential) / slope;
            // Beside a peak Newton's step leads away: what was found is as good as it gets.
            if !(slope > 0.0 && correction.abs() < LARGEST_CORRECTION_MS) {
                return found;
            }
            t = (t + correction).max(0.0);
        }
        t
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_silence_leaves_a_finite_potential_also_where_the_synapse_is_slower() {
        let constants = Constants {
            tau: 1.0,
            capacitance: 250.0,
            rest: -70.0,
            threshold: -55.0,
            refractory: 2.0,
            tau_synapse: [5.0, 0.5],
            reset: -70.0,
            spike: SpikeCondition::AtOrAbove,
        };
        let state = NeuronState { potential: -60.0, synapse: [800.0, -300.0] };
        for t in [0.1, 1.0, 10.0, 1e3, 1e6] {
            let halves =
                constants.after(constants.after(state, 0.0, t / 2.0, 0.0), 0.0, t / 2.0, 0.0);
            let whole = constants.after(state, 0.0, t, 0.0);
            assert!((halves.potential - whole.potential).abs() < 1e-12 * 70.0, "{t}");
        }
    }
}
