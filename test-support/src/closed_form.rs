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

/// Postsynaptic potential t ms after an alpha-shaped current with a peak of 1 pA set in (mV per pA).
///
/// The convolution of e (t/τ_s) exp(−t/τ_s) with exp(−t/τ)/C: with a = 1/τ − 1/τ_s it is
/// e/(τ_s C) [t exp(−t/τ_s)/a − (exp(−t/τ_s) − exp(−t/τ))/a²], and e t² exp(−t/τ)/(2 τ C) where the
/// constants are equal (Rotter & Diesmann 1999, Biol. Cybern. 81:381).
pub fn alpha_postsynaptic_potential(tau: f64, tau_synapse: f64, capacitance: f64, t: f64) -> f64 {
    let scale = std::f64::consts::E / (tau_synapse * capacitance);
    if tau == tau_synapse {
        return scale * 0.5 * t * t * (-t / tau).exp();
    }
    let a = 1.0 / tau - 1.0 / tau_synapse;
    let (synapse, membrane) = ((-t / tau_synapse).exp(), (-t / tau).exp());
    scale * (t * synapse / a - (synapse - membrane) / (a * a))
}

/// The motion of a quadratic integrate-and-fire neuron under constant current above rheobase.
#[derive(Debug, Clone, Copy)]
pub struct Quadratic {
    /// Middle between the two resting potentials, half height of the tangent, and its rate.
    middle: f64,
    height: f64,
    rate: f64,
    /// Phase at the beginning.
    phase: f64,
}

/// C dV/dt = k (V − E)(V − V_T) + I from `start` on: with m = (E + V_T)/2 and b² = I/k − ((V_T − E)/2)²
/// it is V = m + b tan(k b t/C + atan((V₀ − m)/b)) (Izhikevich 2007, Dynamical Systems in
/// Neuroscience, section 3.3).
pub fn quadratic_potential(
    curvature: f64,
    (rest, threshold): (f64, f64),
    capacitance: f64,
    current: f64,
    start: f64,
) -> Quadratic {
    let middle = 0.5 * (rest + threshold);
    let height = (current / curvature - (0.5 * (threshold - rest)).powi(2)).sqrt();
    let phase = ((start - middle) / height).atan();
    Quadratic { middle, height, rate: curvature * height / capacitance, phase }
}

impl Quadratic {
    /// The potential after t ms.
    pub fn at(&self, t: f64) -> f64 {
        self.middle + self.height * (self.rate * t + self.phase).tan()
    }

    /// When the potential is reached (ms).
    pub fn time_to(&self, potential: f64) -> f64 {
        (((potential - self.middle) / self.height).atan() - self.phase) / self.rate
    }
}

/// u x of a synapse with two states at a spike of an endless regular train.
///
/// u = U / (1 − (1 − U) f), x = (1 − r) / (1 − (1 − u) r), f and r being exp(−h/τ_fac) and exp(−h/τ_rec)
/// (Tsodyks & Markram 1997, PNAS 94:719).
pub fn stationary_release(usage: f64, recovery: f64, facilitation: f64, interval: f64) -> f64 {
    let left = |tau: f64| if tau > 0.0 { (-interval / tau).exp() } else { 0.0 };
    let (f, r) = (left(facilitation), left(recovery));
    let u = usage / (1.0 - (1.0 - usage) * f);
    u * (1.0 - r) / (1.0 - (1.0 - u) * r)
}

/// The same with recovered, active and inactive states: u = U / (1 − (1 − U) f) as above; y₊ and x₊
/// behind a spike solve y₊ = p y₊ + u x, z = 1 − x₊ − y₊, x = x₊ + (1 − r) z + q y₊, x₊ = x − u x, where
/// p = exp(−h/τ_psc) and q = [(r − 1) τ_rec − (p − 1) τ_psc] / (τ_psc − τ_rec).
pub fn stationary_release_of_three_states(
    usage: f64,
    recovery: f64,
    facilitation: f64,
    synapse: f64,
    interval: f64,
) -> f64 {
    let left = |tau: f64| if tau > 0.0 { (-interval / tau).exp() } else { 0.0 };
    let (f, r, p) = (left(facilitation), left(recovery), left(synapse));
    let q = ((r - 1.0) * recovery - (p - 1.0) * synapse) / (synapse - recovery);
    let u = usage / (1.0 - (1.0 - usage) * f);
    // With R = u x: y₊ = R/(1 − p), x₊ = R (1 − u)/u.
    let (y, x) = (1.0 / (1.0 - p), (1.0 - u) / u);
    // R/u = x₊ + (1 − r)(1 − x₊ − y₊) + q y₊.
    (1.0 - r) / (1.0 / u - x + (1.0 - r) * (x + y) - q * y)
}
