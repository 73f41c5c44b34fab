//! Rate code with soft reset: the number of spikes in T steps is the rounded activation.
//!
//! # Idea
//! Neurons integrate, spike at the threshold θ and subtract it; the potential starts at θ/2. For an
//! even input a they spike clip(floor(a T/θ + 1/2), 0, T) times, the nearest code of a. Thresholds
//! come from a [rule](crate::threshold) on calibration samples. Max pooling is exact in the counts;
//! the last layer integrates, and its potential is read.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682 (reset by subtraction); Bu et al. 2022, AAAI
//! (half a threshold at the start).

use super::{Method, MethodConfig, MethodError, Prepared, plain_scale};
use crate::lower::{Conversion, NeuronForm, Readout, UnitScale, lower};
use crate::structure::{Origin, UnitKind};
use sim_core::network::SpikeCondition;

pub static METHOD: Method = Method {
    name: "rate",
    summary: "rate code, soft reset, half a threshold at the start, membrane read-out",
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682; Bu et al. 2022, AAAI",
    convert,
};

fn convert(prepared: &Prepared<'_>, config: &MethodConfig) -> Result<Conversion, MethodError> {
    super::check_rate_code("rate", config.code)?;
    let mut scales: Vec<UnitScale> = Vec::new();
    for (index, unit) in prepared.structure.units.iter().enumerate() {
        let scale = match unit.kind {
            UnitKind::MaxPool => match unit.branches.first().map(|branch| branch.origin) {
                // Counts are compared within a channel: the pool speaks its source's scale.
                Some(Origin::Unit(source)) => {
                    plain_scale(unit, scales[source].output.factors.clone(), Vec::new())
                }
                _ => plain_scale(unit, vec![1.0], Vec::new()),
            },
            UnitKind::Readout => plain_scale(unit, vec![1.0], Vec::new()),
            UnitKind::Rectifier { maximum } => {
                let sample = &prepared.calibration.units[index];
                let thresholds = (config.threshold.choose)(sample, config.steps);
                let thresholds = thresholds.into_iter().map(|theta| theta.min(maximum)).collect();
                // A dead channel keeps its input: it may live on other samples, at the layer's
                // coarsest scale.
                plain_scale(unit, thresholds, Vec::new())
            }
        };
        scales.push(scale);
    }
    let form = NeuronForm {
        spike: SpikeCondition::AtOrAbove,
        soft_reset: true,
        initial: 0.5,
        bias_waits: true,
        readout: Readout::Membrane,
    };
    let mut conversion = lower(prepared.name, prepared.structure, &scales, config.code, form);
    for (layer, sample) in conversion.layers.iter_mut().zip(&prepared.calibration.units) {
        let dead = (0..sample.channels.len()).filter(|&channel| sample.is_dead(channel));
        if layer.model == "integrate_and_fire" {
            layer.dead_channels = dead.count();
        }
    }
    Ok(conversion)
}
