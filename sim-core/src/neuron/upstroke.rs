//! A leaky membrane with an exponential upstroke: what the exponential integrate-and-fire neuron and
//! both adaptive ones have in common.

use super::model::{LoweredNeurons, LoweredReset};

/// The membrane of one neuron in base units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upstroke {
    /// Capacitance C [pF].
    pub(super) capacitance: f64,
    /// Leak conductance g_L [nS].
    pub(super) leak_conductance: f64,
    /// Resting potential E [mV].
    pub(super) resting_potential: f64,
    /// Potential V_T where the upstroke sets in [mV].
    pub(super) threshold: f64,
    /// Its steepness Δ [mV]; 0: there is no upstroke, and the neuron spikes at V_T.
    pub(super) slope_factor: f64,
}

impl Upstroke {
    /// dV/dt = (g_L Δ exp((V − V_T)/Δ) − g_L (V − E) + inward) / C [mV/ms], `inward` in pA.
    pub(super) fn slope(&self, potential: f64, inward: f64) -> f64 {
        let leak = self.leak_conductance * (potential - self.resting_potential);
        let upstroke = if self.slope_factor > 0.0 {
            let exponent = (potential - self.threshold) / self.slope_factor;
            self.leak_conductance * self.slope_factor * exponent.exp()
        } else {
            0.0
        };
        (upstroke - leak + inward) / self.capacitance
    }
}

/// The potential at which a neuron spikes: the peak, or the threshold where there is no upstroke.
pub(super) fn spike_potential(threshold: f64, slope_factor: f64, peak: f64) -> f64 {
    if slope_factor > 0.0 { peak } else { threshold }
}

/// Largest (peak − threshold)/slope factor: exp(700) is near the largest number.
const LARGEST_EXPONENT: f64 = 700.0;

/// What is wrong with an exponential upstroke's parameters, given by their indices: the peak must
/// lie above the reset and the threshold, and the exponential there must be a number.
pub(super) fn check_upstroke(
    neurons: &LoweredNeurons,
    threshold: usize,
    slope_factor: usize,
    peak: usize,
) -> Vec<(&'static str, String)> {
    let of = |column: usize, neuron: usize| neurons.parameters[column].get(neuron);
    let columns = [threshold, slope_factor, peak];
    let distinct = columns.map(|column| neurons.parameters[column].numbers().len());
    let resets = match &neurons.reset {
        LoweredReset::To(column) => column.numbers().len(),
        LoweredReset::Subtract => 0,
    };
    let count = distinct.into_iter().fold(resets, usize::max).min(neurons.size);
    // Without an upstroke the peak must not lie below the threshold, but how far above does not matter.
    let exponent = |n: usize| match of(slope_factor, n) {
        0.0 => (of(peak, n) - of(threshold, n)).min(LARGEST_EXPONENT),
        slope_factor => (of(peak, n) - of(threshold, n)) / slope_factor,
    };
    let highest = |n: usize| spike_potential(of(threshold, n), of(slope_factor, n), of(peak, n));
    let wrong = |n: usize| match neurons.reset.value(n) {
        Some(reset) if reset >= highest(n) => {
            Some(format!("the reset {reset} is not below the peak {}", highest(n)))
        }
        _ if !(0.0..=LARGEST_EXPONENT).contains(&exponent(n)) => Some(format!(
            "(peak - threshold) / slope_factor is {}, allowed is 0 to {LARGEST_EXPONENT}",
            exponent(n)
        )),
        _ => None,
    };
    (0..count).find_map(wrong).map(|message| ("peak", message)).into_iter().collect()
}
