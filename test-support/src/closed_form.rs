//! Textbook solutions that simulations are compared with.
//!
//! Units are those of the core: mV, ms, pA, pF.

/// Potential of a leaky membrane under constant current, t ms after it was at `start`.
///
/// V(t) = V∞ + (V₀ − V∞) exp(−t/τ), V∞ = E + τ I / C (Gerstner et al. 2014, Neuronal Dynamics,
/// equation 1.10).
pub fn charging(start: f64, rest: f64, tau: f64, capacitance: f64, current: f64, t: f64) -> f64 {
    let limit = rest + current * tau / capacitance;
    limit + (start - limit) * (-t / tau).exp()
}

/// Time between spikes of a leaky integrate-and-fire neuron under constant current; `None` below
/// rheobase.
///
/// T = t_ref + τ ln((V∞ − V_reset) / (V∞ − θ)) (Gerstner et al. 2014, Neuronal Dynamics, section 1.3).
pub fn interspike_interval(
    limit: f64,
    reset: f64,
    threshold: f64,
    tau: f64,
    refractory: f64,
) -> Option<f64> {
    (limit > threshold).then(|| refractory + tau * ((limit - reset) / (limit - threshold)).ln())
}

/// Postsynaptic potential t ms after an exponential current of 1 pA set in (mV per pA).
///
/// (exp(−t/τ_s) − exp(−t/τ)) / (C (1/τ − 1/τ_s)), and t exp(−t/τ) / C where the constants are equal
/// (Rotter & Diesmann 1999, Biol. Cybern. 81:381).
pub fn postsynaptic_potential(tau: f64, tau_synapse: f64, capacitance: f64, t: f64) -> f64 {
    if tau == tau_synapse {
        return t * (-t / tau).exp() / capacitance;
    }
    let difference = (-t / tau_synapse).exp() - (-t / tau).exp();
    difference / (capacitance * (1.0 / tau - 1.0 / tau_synapse))
}

/// When the postsynaptic potential of an exponential current peaks (ms).
///
/// τ τ_s / (τ − τ_s) · ln(τ/τ_s), and τ where the constants are equal.
pub fn postsynaptic_peak_time(tau: f64, tau_synapse: f64) -> f64 {
    if tau == tau_synapse {
        return tau;
    }
    tau * tau_synapse / (tau - tau_synapse) * (tau / tau_synapse).ln()
}

/// Spikes of a neuron without leak under a constant input of at most its threshold a step, soft
/// reset, spike at or above: ⌊(v₀ + n I) / θ⌋ after n steps.
pub fn soft_reset_count(initial: f64, input: f64, threshold: f64, steps: u64) -> u64 {
    ((initial + steps as f64 * input) / threshold).floor().max(0.0) as u64
}

/// Spikes of a neuron without leak under constant input, hard reset to zero, spike at or above: one
/// in every ⌈θ / I⌉ steps.
pub fn hard_reset_count(input: f64, threshold: f64, steps: u64) -> u64 {
    steps / (threshold / input).ceil() as u64
}
