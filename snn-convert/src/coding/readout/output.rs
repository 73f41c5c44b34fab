//! Gives a converted network the last layer that a read-out needs.

use super::entry_of;
use crate::lower::{Conversion, Readout, Timing};
use sim_core::network::{Reset, SpikeCondition, Stimulus};
use sim_core::units::{Milliseconds, Quantity, Values};

/// Why a conversion cannot be read in this way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadoutError {
    /// The last layer answers once.
    #[error(
        "the read-out `{readout}` needs answers in every step, but in this code layers take turns \
         and the scores are complete once: read the membrane{}", if *.first_spike { " or the first spike" } else { "" }
    )]
    AnswersOnce {
        /// The read-out.
        readout: &'static str,
        /// Whether the first spike can be read.
        first_spike: bool,
    },
    /// The last layer is of another kind.
    #[error(
        "the read-out `{readout}` replaces a last layer of `integrator` or first-spike neurons; \
         this one is of `{model}`: convert with a method that reads the membrane"
    )]
    LastLayer {
        /// The read-out.
        readout: &'static str,
        /// The model of the last layer.
        model: String,
    },
}

/// Lead for an early stop, as a part of the range of scores of one step.
const LEAD: f64 = 0.25;

/// How far the window of a first-spike read-out reaches beyond the scores seen, in their range.
const MARGIN_OF_WINDOW: f64 = 0.5;

/// Changes the last layer of a conversion that reads the membrane so that it is read by `readout`.
///
/// `scores` are the smallest and the largest score on the calibration samples: the largest becomes
/// the threshold of a spiking last layer, the range that of its window where layers take turns.
///
/// # Errors
/// [`ReadoutError`] where the code or the last layer does not allow it.
pub fn read_by(
    mut conversion: Conversion,
    readout: Readout,
    scores: [f64; 2],
) -> Result<Conversion, ReadoutError> {
    let name = entry_of(readout).name;
    let Some(layer) = conversion.layers.last() else { return Ok(conversion) };
    let (population, model) = (layer.population.clone(), layer.model.clone());
    match (conversion.timing, readout) {
        (_, Readout::Membrane)
        | (Timing::AnyStep, Readout::EarlyStop | Readout::Delayed | Readout::Slope) => {}
        (Timing::Once { .. }, Readout::FirstSpike) if model.starts_with("first_spike") => {
            open_window(&mut conversion, &population, scores);
        }
        (Timing::Once { .. }, _) => {
            let first_spike = model.starts_with("first_spike");
            return Err(ReadoutError::AnswersOnce { readout: name, first_spike });
        }
        (Timing::AnyStep, _) if model == "integrator" => {
            spike_at(&mut conversion, &population, scores[1]);
        }
        (Timing::AnyStep, _) if conversion.readout == Readout::SpikeCount => {}
        _ => return Err(ReadoutError::LastLayer { readout: name, model }),
    }
    conversion.readout = readout;
    conversion.margin = LEAD * (scores[1] - scores[0]);
    if let Some(layer) = conversion.layers.last_mut() {
        let own = conversion.network.populations.get(&population);
        layer.model = own.map_or(model, |population| population.neuron.model.clone());
    }
    Ok(conversion)
}

/// Lets integrators spike at the largest score seen.
fn spike_at(conversion: &mut Conversion, population: &str, largest: f64) {
    if let Some(population) = conversion.network.populations.get_mut(population) {
        let threshold = if largest > 0.0 { largest } else { 1.0 };
        let neuron = &mut population.neuron;
        neuron.model = "integrate_and_fire".to_string();
        neuron.parameters.insert("threshold".to_string(), threshold.into());
        neuron.spike = Some(SpikeCondition::AtOrAbove);
        neuron.reset = Some(Reset::Subtract);
    }
}

/// Gives first-spike neurons a window: the largest score spikes first.
///
/// The ramp is the range of scores a window long instead of 1, and the potentials are shifted so that
/// the upper end of the range lies at the threshold.
fn open_window(conversion: &mut Conversion, name: &str, scores: [f64; 2]) {
    let range = (scores[1] - scores[0]).max(1e-6) * (1.0 + 2.0 * MARGIN_OF_WINDOW);
    let highest = 0.5 * (scores[0] + scores[1]) + 0.5 * range;
    let Timing::Once { step, continuous, code_steps } = conversion.timing else { return };
    let window = conversion.input.window;
    let opening = if continuous { step } else { step - 1 };
    if let Some(population) = conversion.network.populations.get_mut(name) {
        let neuron = &mut population.neuron;
        let opening = Quantity::from(Milliseconds(f64::from(step)));
        neuron.parameters.insert("opening".to_string(), opening.into());
        if let Some(Values::Each { values, .. }) = neuron.initial.get_mut("membrane_potential") {
            // In slots the ramp's first level comes with the opening.
            let early = if continuous { 0.0 } else { range / f64::from(window) };
            values.iter_mut().for_each(|value| *value += 1.0 - highest - early);
        }
    }
    let start = Milliseconds(f64::from(opening));
    let ramp = Stimulus::constant_current(name, range, start);
    conversion.network.add_stimulus(format!("ramp of {name}"), ramp);
    // In slots the first one is the step of the opening itself.
    let step = if continuous { step + window } else { step + window - 1 };
    conversion.timing = Timing::Once { step, code_steps, continuous };
}
