//! What exponentially decaying synaptic currents do to a leaky membrane, in closed form.

/// The potential [mV] that a current of 1 pA adds after t [ms], decaying with `tau_synapse`, to a
/// membrane of this time constant [ms] and capacitance [pF].
pub(super) fn propagator(tau: f64, capacitance: f64, tau_synapse: f64, t: f64) -> f64 {
    let rate = 1.0 / tau - 1.0 / tau_synapse;
    let decay = (-t / tau).exp();
    if (rate * t).abs() >= 1.0 {
        // Nothing cancels here, and exp(rate t) may be beyond all numbers after a long silence.
        return ((-t / tau_synapse).exp() - decay) / rate / capacitance;
    }
    // expm1 keeps all digits where the time constants are close or equal.
    let factor = if rate * t == 0.0 { t } else { (rate * t).exp_m1() / rate };
    decay * factor / capacitance
}
