//! What one neuron with alpha-shaped currents does between inputs, in closed form.

use super::Constants;
use crate::network::SpikeCondition;
use crate::neuron::exponential_sum::{Term, first_upward_crossing};
use crate::neuron::model::LoweredNeurons;
use crate::neuron::ode_neurons::reaches;
use crate::neuron::typed_parameters::initial_or;
use std::f64::consts::E;

/// Rates closer than this (relative) count as equal when a crossing is sought. The term of the
/// triple root is then off by some 1e-5 mV, and so is the sum of exponentials with its coefficients
/// of 1/difference² beyond it; the crossing is polished in both cases.
const NEARLY_EQUAL: f64 = 1e-5;

/// Rates closer than this (relative) cancel more than three digits in the sum of exponentials, so
/// that a crossing found there is polished.
const LOSES_DIGITS: f64 = 3e-2;

/// Corrections beyond this are no lost digits [ms].
const LARGEST_CORRECTION_MS: f64 = 1e-2;

/// Newton steps: each doubles the digits of a crossing that is known to 1e-2 ms.
const NEWTON_STEPS: u32 = 5;

/// Exponents below this are taken from the series, which has no cancellation.
const SERIES_BELOW: f64 = 1.0;

/// After this many time constants every t² exp(−t) is below 1e-22 of its peak.
const HORIZON: f64 = 60.0;

/// The state of one neuron; excitatory first.
#[derive(Debug, Clone, Copy)]
pub(super) struct NeuronState {
    /// V [mV].
    pub(super) potential: f64,
    /// I_x [pA].
    pub(super) current: [f64; 2],
    /// r_x [pA].
    pub(super) rise: [f64; 2],
}

impl NeuronState {
    /// The variable of this index in the specification.
    pub(super) fn variable(&self, index: usize) -> f64 {
        match index {
            0 => self.potential,
            1 | 2 => self.current[index - 1],
            other => self.rise[(other - 3).min(1)],
        }
    }

    /// Number of variables.
    pub(super) const VARIABLES: usize = 5;

    /// The variable of this index, to be changed.
    pub(super) fn variable_mut(&mut self, index: usize) -> &mut f64 {
        match index {
            0 => &mut self.potential,
            1 | 2 => &mut self.current[index - 1],
            other => &mut self.rise[(other - 3).min(1)],
        }
    }
}

/// The state that a neuron begins with.
pub(super) fn initial_state(neurons: &LoweredNeurons, neuron: usize, rest: f64) -> NeuronState {
    let given = |variable: usize, otherwise: f64| initial_or(neurons, variable, neuron, otherwise);
    NeuronState {
        potential: given(0, rest),
        current: [given(1, 0.0), given(2, 0.0)],
        rise: [given(3, 0.0), given(4, 0.0)],
    }
}

/// What a span of time without input does to a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decay {
    membrane: f64,
    synapse: [f64; 2],
    /// Of I per r.
    rise_to_current: [f64; 2],
    /// Of V per I [mV/pA].
    current_to_potential: [f64; 2],
    /// Of V per r [mV/pA].
    rise_to_potential: [f64; 2],
}

impl Decay {
    /// V at the end of the span, with the potential `limit` that it tends to without synapses.
    pub(super) fn potential(&self, state: &NeuronState, limit: f64) -> f64 {
        let driven = |x: usize| {
            state.current[x] * self.current_to_potential[x]
                + state.rise[x] * self.rise_to_potential[x]
        };
        limit + (state.potential - limit) * self.membrane + driven(0) + driven(1)
    }

    /// Brings the currents to the end of the span.
    pub(super) fn synapses(&self, state: &mut NeuronState) {
        for x in 0..2 {
            state.current[x] =
                state.current[x] * self.synapse[x] + state.rise[x] * self.rise_to_current[x];
            state.rise[x] *= self.synapse[x];
        }
    }
}

/// ∫₀ᵗ exp(−(t − s)/τ) exp(−s/τ_x) ds and the same with s exp(−s/τ_x), for the rates 1/τ and 1/τ_x.
fn convolved(membrane: f64, synapse: f64, t: f64) -> (f64, f64) {
    let difference = membrane - synapse;
    let x = difference * t;
    let (slow, fast) = ((-membrane * t).exp(), (-synapse * t).exp());
    if x.abs() >= SERIES_BELOW {
        let constant = (fast - slow) / difference;
        return (constant, (t * fast - constant) / difference);
    }
    // Σ xᵏ/(k + 1)! and Σ xᵏ/(k! (k + 2)).
    let (mut constant, mut linear, mut power) = (0.0, 0.0, 1.0);
    for k in 0..20_u32 {
        constant += power / f64::from(k + 1);
        linear += power / f64::from(k + 2);
        power *= x / f64::from(k + 1);
    }
    (slow * t * constant, slow * t * t * linear)
}

impl Constants {
    fn tau_synapse(&self) -> [f64; 2] {
        [self.tau_excitatory, self.tau_inhibitory]
    }

    /// The potential that V tends to under a constant current [pA].
    pub(super) fn limit(&self, current: f64) -> f64 {
        self.resting_potential + current * self.tau_membrane / self.capacitance
    }

    /// What `t` [ms] without input do.
    pub(super) fn decay(&self, t: f64) -> Decay {
        let tau = self.tau_synapse();
        let convolved = tau.map(|tau| convolved(1.0 / self.tau_membrane, 1.0 / tau, t));
        let synapse = tau.map(|tau| (-t / tau).exp());
        let each = |of: &dyn Fn(usize) -> f64| [of(0), of(1)];
        Decay {
            membrane: (-t / self.tau_membrane).exp(),
            synapse,
            rise_to_current: each(&|x| E * t / tau[x] * synapse[x]),
            current_to_potential: each(&|x| convolved[x].0 / self.capacitance),
            rise_to_potential: each(&|x| E / tau[x] * convolved[x].1 / self.capacitance),
        }
    }

    /// The state after `t` [ms] without input; V is held for the first `held` [ms].
    pub(super) fn after(&self, state: NeuronState, current: f64, t: f64, held: f64) -> NeuronState {
        let held = held.clamp(0.0, t);
        let mut then = state;
        if held > 0.0 {
            self.decay(held).synapses(&mut then);
        }
        let free = self.decay(t - held);
        then.potential = free.potential(&then, self.limit(current));
        free.synapses(&mut then);
        then
    }

    /// V − θ as a sum of exponentials from now on.
    fn distance_to_threshold(&self, state: NeuronState, current: f64) -> Vec<Term> {
        let limit = self.limit(current);
        let membrane_rate = 1.0 / self.tau_membrane;
        let mut membrane = Term::new(membrane_rate, state.potential - limit);
        let mut synapses: Vec<Term> = Vec::with_capacity(2);
        for (x, tau) in self.tau_synapse().into_iter().enumerate() {
            let rate = 1.0 / tau;
            // The current is (constant + linear t) exp(−t/τ_x) [mV/ms].
            let constant = state.current[x] / self.capacitance;
            let linear = E * state.rise[x] / tau / self.capacitance;
            let difference = membrane_rate - rate;
            if difference.abs() < NEARLY_EQUAL * membrane_rate {
                membrane.slope += constant;
                membrane.curvature += 0.5 * linear;
                continue;
            }
            let slope = linear / difference;
            let value = (constant - slope) / difference;
            membrane.constant -= value;
            match synapses.iter_mut().find(|term| term.rate == rate) {
                Some(same) => {
                    same.constant += value;
                    same.slope += slope;
                }
                None => synapses.push(Term { slope, ..Term::new(rate, value) }),
            }
        }
        let mut terms = vec![Term::new(0.0, limit - self.threshold), membrane];
        terms.extend(synapses);
        terms
    }

    /// A bound that V cannot pass: what the currents bring in or hold against the leak.
    fn bound(&self, state: NeuronState, current: f64) -> f64 {
        let peak = |x: usize| {
            let tau = self.tau_synapse()[x];
            let most = state.current[x].max(0.0) + E * state.rise[x].max(0.0);
            most * tau.min(self.tau_membrane)
        };
        self.limit(current).max(state.potential) + (peak(0) + peak(1)) / self.capacitance
    }

    /// Time [ms] from now to the next spike without input.
    pub(super) fn next_spike(
        &self,
        state: NeuronState,
        current: f64,
        condition: SpikeCondition,
    ) -> Option<f64> {
        if reaches(condition, state.potential, self.threshold) {
            return Some(0.0);
        }
        if self.bound(state, current) < self.threshold {
            return None;
        }
        let slowest = self.tau_synapse().into_iter().fold(self.tau_membrane, f64::max);
        let terms = self.distance_to_threshold(state, current);
        let found = first_upward_crossing(&terms, HORIZON * slowest)?;
        let close = |tau: &f64| (self.tau_membrane / tau - 1.0).abs() < LOSES_DIGITS;
        match self.tau_synapse().iter().any(close) {
            true => Some(self.polish(state, current, found)),
            false => Some(found),
        }
    }

    /// Newton's method on the potential as [`after`](Self::after) gives it, which keeps all digits
    /// where time constants are close and the sum of exponentials cancels.
    fn polish(&self, state: NeuronState, current: f64, found: f64) -> f64 {
        let mut t = found;
        for _ in 0..NEWTON_STEPS {
            let then = self.after(state, current, t, 0.0);
            let leak = (self.limit(current) - then.potential) / self.tau_membrane;
            let slope = leak + (then.current[0] + then.current[1]) / self.capacitance;
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

    /// Both integrals by Simpson's rule.
    fn summed(membrane: f64, synapse: f64, t: f64) -> (f64, f64) {
        let pieces = 200_000;
        let width = t / f64::from(pieces);
        let sum = |power: i32| {
            let at = |k: i32| {
                let s = width * f64::from(k);
                s.powi(power) * (-membrane * (t - s) - synapse * s).exp()
            };
            let weight =
                |k: i32| if k == 0 || k == pieces { 1.0 } else { f64::from(2 + 2 * (k % 2)) };
            (0..=pieces).map(|k| weight(k) * at(k)).sum::<f64>() * width / 3.0
        };
        (sum(0), sum(1))
    }

    #[test]
    fn the_convolutions_are_their_integrals_also_where_rates_meet() {
        for synapse in [0.1, 0.1 + 1e-13, 0.1 + 1e-9, 0.1001, 0.11, 0.2, 0.02, 5.0] {
            for t in [0.1, 1.0, 9.0, 60.0] {
                let (found, expected) = (convolved(0.1, synapse, t), summed(0.1, synapse, t));
                for (found, expected) in [(found.0, expected.0), (found.1, expected.1)] {
                    assert!((found / expected - 1.0).abs() < 1e-11, "{synapse} {t}: {found}");
                }
            }
        }
    }

    /// The first crossing by a fine scan and bisection of the closed form.
    fn scanned(c: &Constants, state: NeuronState, current: f64) -> f64 {
        let above = |t: f64| c.after(state, current, t, 0.0).potential >= c.threshold;
        let mut high = (1..).map(|k| f64::from(k) * 0.01).find(|&t| above(t)).unwrap();
        let mut low = high - 0.01;
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if above(middle) { high = middle } else { low = middle }
        }
        high
    }

    #[test]
    fn crossings_are_found_also_where_time_constants_meet() {
        let apart = [0.0, 1e-12, 1e-9, 1e-7, 3e-6, 1.5e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.5, 3.0];
        for (x, sign) in apart.into_iter().flat_map(|x| [(x, 1.0), (x / 8.0, -1.0)]) {
            let constants = Constants {
                reset: -70.0,
                tau_membrane: 10.0,
                capacitance: 250.0,
                resting_potential: -70.0,
                threshold: -55.0,
                refractory_period: 2.0,
                tau_excitatory: 10.0 * (1.0 + sign * x),
                tau_inhibitory: 5.0,
                lowest_potential: -1e9,
            };
            let state =
                NeuronState { potential: -68.0, current: [50.0, -40.0], rise: [900.0, -100.0] };
            let found = constants.next_spike(state, 20.0, SpikeCondition::AtOrAbove).unwrap();
            let expected = scanned(&constants, state, 20.0);
            // The recorded precise spikes are held to the same 1e-9 ms.
            assert!((found - expected).abs() < 1e-9, "{x}: {found}, not {expected}");
            let calm = NeuronState { rise: [100.0, -100.0], ..state };
            assert_eq!(constants.next_spike(calm, 20.0, SpikeCondition::AtOrAbove), None);
        }
    }

    #[test]
    fn a_long_silence_leaves_numbers() {
        // exp((1/τ − 1/τ_x) t) alone would overflow here.
        let (constant, linear) = convolved(1.0, 0.1, 5000.0);
        assert!((constant * 500.0_f64.exp() * 0.9 - 1.0).abs() < 1e-12, "{constant}");
        assert!(linear > constant && linear < 5000.0 * constant / 0.9, "{linear}");
        assert_eq!(convolved(1.0, 0.1, 50_000.0), (0.0, 0.0));
    }
}
