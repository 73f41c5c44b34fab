//! How units become neurons: form, thresholds, bursts.

use super::Readout;
use crate::linear::{ChannelScale, LinearMap};
use crate::structure::{Unit, UnitKind};
use sim_core::network::{Neuron, Reset, SpikeCondition};
use sim_core::neuron::burst_integrate_and_fire::{BurstIntegrateAndFire, NO_LIMIT};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::max_pool_graded::{MOST_BITS, MaxPoolGraded, PoolRule, RECEPTORS};
use sim_core::neuron::{integrator::integrator, max_pool::max_pool};
use sim_core::units::Values;

/// Bursts and negative spikes; see the neuron model `burst_integrate_and_fire`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Graded {
    /// Most spikes in a step.
    pub burst: u32,
    /// Most spikes taken back in a step; 0 for never.
    pub correction: u32,
    /// How far below zero, in thresholds, nothing is taken back.
    pub tolerance: f64,
    /// How maxima are sent on.
    pub pool: PoolRule,
}

impl Graded {
    /// Bits of a payload with its sign.
    pub fn bits(self) -> u32 {
        let needed = (self.burst + 1).max(self.correction).max(2);
        u32::BITS - (needed - 1).leading_zeros() + 1
    }

    /// Inputs that one receptor of a maximum can tell apart.
    pub fn places(self) -> u32 {
        (MOST_BITS / self.bits()).max(1)
    }

    /// The largest window of a maximum.
    pub fn largest_window(self) -> u32 {
        self.places() * RECEPTORS.len() as u32
    }
}

/// How units are made into neurons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeuronForm {
    /// Spike condition.
    pub spike: SpikeCondition,
    /// Whether the threshold is subtracted (true) or the potential set to 0.
    pub soft_reset: bool,
    /// Initial potential in thresholds.
    pub initial: f64,
    /// Whether a bias sets in with the layer's first input (true) or acts from the beginning, as on
    /// chips that have no switch for it.
    pub bias_waits: bool,
    /// What is read; with spike counts the last layer spikes too.
    pub readout: Readout,
    /// Bursts and negative spikes; none for single spikes that stay.
    pub graded: Option<Graded>,
}

/// Thresholds of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScale {
    /// Activation that one spike stands for when the unit is a source.
    pub output: ChannelScale,
    /// Input at which the unit spikes; differs from `output` where a calibrated gain makes up for
    /// what resets lose.
    pub threshold: ChannelScale,
    /// Replaces the unit's bias where a method corrected it.
    pub bias: Option<Vec<f64>>,
    /// Replaces the initial potential of each neuron, in thresholds, where a method corrected it.
    pub initial: Option<Vec<f64>>,
    /// Channels that were silent in calibration; their input is cut off.
    pub dead: Vec<bool>,
    /// The weights and biases of the unit, in thresholds, are multiples of this, for chips whose
    /// weights have few bits; none leaves them as they are.
    pub grid: Option<f64>,
}

impl UnitScale {
    /// A branch from a source of scale `output` in units of the unit's thresholds.
    pub fn weights(&self, map: &LinearMap, output: &ChannelScale) -> LinearMap {
        let scaled = map.scaled(output, &self.gain());
        match self.grid {
            Some(step) => scaled.rounded(step),
            None => scaled,
        }
    }

    /// The bias of each neuron in units of its threshold.
    pub fn biases(&self, bias: &[f64]) -> Vec<f64> {
        let gain = self.gain();
        let scaled = bias.iter().enumerate().map(|(neuron, b)| b * gain.at(neuron));
        match self.grid {
            Some(step) => scaled.map(|b| (b / step).round() * step).collect(),
            None => scaled.collect(),
        }
    }

    /// The initial potential of each neuron, in thresholds.
    pub fn initials(&self, unit: &Unit, form: NeuronForm) -> Vec<f64> {
        let start = match unit.kind {
            UnitKind::Rectifier { .. } => form.initial,
            UnitKind::MaxPool | UnitKind::Readout => 0.0,
        };
        self.initial.clone().unwrap_or_else(|| vec![start; unit.shape.size()])
    }

    /// Most spikes a step that each channel may send on average; none without a limit.
    pub fn largest_rates(&self, unit: &Unit) -> Option<Vec<f64>> {
        let UnitKind::Rectifier { maximum } = unit.kind else { return None };
        let per_channel = unit.shape.per_channel().max(1);
        let rate =
            |channel: usize| (maximum / self.threshold.at(channel * per_channel)).min(NO_LIMIT);
        maximum.is_finite().then(|| (0..unit.shape.channels()).map(rate).collect())
    }

    /// One over the threshold, and 0 for dead channels.
    fn gain(&self) -> ChannelScale {
        let mut gain = self.threshold.inverse();
        for (factor, dead) in gain.factors.iter_mut().zip(&self.dead) {
            if *dead {
                *factor = 0.0;
            }
        }
        gain
    }
}

/// The neurons of a unit, by its kind.
pub(super) fn neuron_of(unit: &Unit, scale: &UnitScale, form: NeuronForm, onset: u32) -> Neuron {
    let initial = || match &scale.initial {
        Some(values) => Values::numbers(values.clone()),
        None => form.initial.into(),
    };
    match (unit.kind, form.graded) {
        (UnitKind::MaxPool, None) => max_pool(),
        (UnitKind::MaxPool, Some(graded)) => {
            MaxPoolGraded { places: graded.places(), bits: graded.bits(), rule: graded.pool }.into()
        }
        (UnitKind::Readout, _) if form.readout.gives_scores() => {
            let neuron = integrator();
            match &scale.initial {
                Some(_) => neuron.initial("membrane_potential", initial()),
                None => neuron,
            }
        }
        (_, None) => IntegrateAndFire {
            threshold: 1.0.into(),
            initial: initial(),
            spike: form.spike,
            reset: if form.soft_reset { Reset::Subtract } else { Reset::To(0.0.into()) },
        }
        .into(),
        (_, Some(graded)) => {
            let largest_rate = scale.largest_rates(unit).map_or(NO_LIMIT.into(), |rates| {
                let per_channel = unit.shape.per_channel().max(1);
                let each = (0..unit.shape.size()).map(|neuron| rates[neuron / per_channel]);
                Values::numbers(each.collect())
            });
            BurstIntegrateAndFire {
                threshold: 1.0.into(),
                burst: graded.burst,
                correction: graded.correction,
                tolerance: graded.tolerance,
                largest_rate,
                onset,
                initial: initial(),
            }
            .into()
        }
    }
}
