//! Synaptic conductances of two receptors: what they decay by and the current they let flow.

/// The synapses of one neuron; excitatory first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Synapses {
    /// Time constants [ms].
    pub(super) tau: [f64; 2],
    /// Reversal potentials [mV].
    pub(super) reversal: [f64; 2],
}

impl Synapses {
    /// The current [pA] that flows out at this potential [mV] through these conductances [nS].
    pub(super) fn current(&self, potential: f64, conductance: [f64; 2]) -> f64 {
        conductance[0] * (potential - self.reversal[0])
            + conductance[1] * (potential - self.reversal[1])
    }

    /// dg/dt of exponential conductances [nS/ms].
    pub(super) fn exponential(&self, conductance: [f64; 2]) -> [f64; 2] {
        [-conductance[0] / self.tau[0], -conductance[1] / self.tau[1]]
    }

    /// dg/dt of alpha conductances [nS/ms] that `rise` drives; e makes `rise` the peak that a jump
    /// leads to.
    pub(super) fn alpha(&self, conductance: [f64; 2], rise: [f64; 2]) -> [f64; 2] {
        let slope = |x: usize| (std::f64::consts::E * rise[x] - conductance[x]) / self.tau[x];
        [slope(0), slope(1)]
    }
}
