//! Neurons of a description as the chip's integrate-and-fire: what a step keeps, and what inputs do.
//!
//! ```text
//! u = keep_u u + a      v = keep_v v + u + bias      spike where v > threshold, then v = 0
//! ```
//! `integrate_and_fire` keeps everything and `lif_delta` keeps exp(-dt / tau), and both forget u in a
//! step. `lif_exponential` lets currents act on the potential from the step after they arrive, so its
//! synapses take a step more here; its weights are multiplied by what a current does to the
//! potential in one step (Rotter & Diesmann 1999, Biol. Cybern. 81:381). `lif_stepwise` is the chip's
//! own equation in real numbers, with gains that go into the weights. Read-outs that never spike
//! (`integrator`, `leaky_integrator_stepwise`) are the same neuron with the largest threshold, which their
//! potential does not pass: it is probed.

use sim_core::network::{
    RefractoryInput, SpikeCondition, ValidNetwork, ValidPopulation, ValidStimulus,
};
use sim_core::neuron::{LoweredReset, NO_LOWER_BOUND};

use super::from_network::{QuantiseError, not_on_chip};
use super::network::LONGEST_REFRACTORY;

pub(super) const CONVERT: &str =
    "convert with the method `hard_reset`, which is made for such chips";

/// 4096ths that a chip's decay is counted in.
const DECAY_UNITY: f64 = 4096.0;

/// A population's numbers relative to its resting potential.
pub(super) struct ChipNeurons {
    /// Threshold of each neuron.
    pub(super) threshold: Vec<f64>,
    /// When it spikes.
    pub(super) spike: SpikeCondition,
    /// What weights are multiplied by.
    pub(super) weight_gain: f64,
    /// What constant currents are multiplied by.
    pub(super) current_gain: f64,
    /// Steps that every synapse takes more than in the description.
    pub(super) more_delay: u32,
    /// Time constants in steps of the potential and of the current; none where nothing decays and
    /// where nothing lasts.
    pub(super) membrane_steps: Option<f64>,
    pub(super) current_steps: Option<f64>,
    /// Steps for which the potential is held after a spike.
    pub(super) held_steps: i64,
    /// Whether they never spike: what they compute is their potential.
    pub(super) readout: bool,
}

/// The largest threshold that the chip holds.
pub(super) const LARGEST_THRESHOLD: i64 = (1 << 17) - 1;

/// A decay in 4096ths, and the relative error of its time constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decay {
    /// `dv`, and `du` less one.
    pub(super) parts: i64,
    /// (integer - real) / real.
    pub(super) error: f64,
}

/// The whole number of 4096ths that a step takes away of what decays with this time constant.
pub(super) fn decay(steps: f64) -> Decay {
    let exact = DECAY_UNITY * (1.0 - (-1.0 / steps).exp());
    let parts = exact.round().clamp(0.0, DECAY_UNITY);
    let kept = -1.0 / (1.0 - parts / DECAY_UNITY).ln();
    Decay { parts: parts as i64, error: kept / steps - 1.0 }
}

/// What kind of process computes a population: nothing for inputs.
pub(super) fn chip_neurons(
    network: &ValidNetwork,
    name: &str,
    population: &ValidPopulation,
) -> Result<Option<ChipNeurons>, QuantiseError> {
    let place = format!("populations/{name}");
    let step = network.grid().dt();
    let numbers = |parameter: &str| {
        let listed = population.model.spec().parameters;
        let index = listed.iter().position(|known| known.name == parameter);
        let column = index.and_then(|index| population.neurons.parameters.get(index));
        column.map(|column| column.expand(0..population.neurons.size)).unwrap_or_default()
    };
    let one = |parameter: &str| match numbers(parameter).as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(*first),
        _ => Err(not_on_chip(
            format!("{place}/parameters/{parameter}"),
            "the chip holds one value a population, the neurons differ",
            "split the population",
        )),
    };
    let plain = ChipNeurons {
        threshold: numbers("threshold"),
        spike: population.neurons.spike,
        weight_gain: 1.0,
        current_gain: 1.0,
        more_delay: 0,
        membrane_steps: None,
        current_steps: None,
        held_steps: 0,
        readout: false,
    };
    let made = match population.model.spec().name {
        "spike_source" => return Ok(None),
        "integrate_and_fire" => plain,
        model @ ("lif_delta" | "lif_exponential") => {
            let held = (one("refractory_period")? / step).round();
            let own = match model {
                "lif_delta" => RefractoryInput::Lost,
                _ => RefractoryInput::Integrated,
            };
            if held > 0.0 && population.neurons.refractory_input != own {
                let problem = "the chip keeps a current through the refractory time, and has none \
                               where potentials jump";
                let remedy = "set refractory_input to `lost` with lif_delta and to `integrated` with \
                              lif_exponential, or refractory_period to 0 ms";
                return Err(not_on_chip(place, problem, remedy));
            }
            if held as i64 >= LONGEST_REFRACTORY {
                let problem = format!(
                    "its refractory time of {held} steps is longer than the chip's {}",
                    LONGEST_REFRACTORY - 1
                );
                return Err(not_on_chip(place, problem, "shorten it or use a coarser time step"));
            }
            if model == "lif_delta" && one("lowest_potential")? > NO_LOWER_BOUND {
                let problem = "the chip's potentials have no lower bound of their own";
                return Err(not_on_chip(place, problem, "leave lowest_potential out"));
            }
            let (rest, tau) = (one("resting_potential")?, one("tau_membrane")?);
            let capacitance = one("capacitance")?;
            let keep = (-step / tau).exp();
            let mut leaky = ChipNeurons {
                threshold: plain.threshold.iter().map(|threshold| threshold - rest).collect(),
                current_gain: tau / capacitance * (1.0 - keep),
                membrane_steps: Some(tau / step),
                held_steps: held as i64,
                ..plain
            };
            if model == "lif_exponential" {
                let current = one("tau_excitatory")?;
                if one("tau_inhibitory")? != current {
                    let problem = "the chip's neurons have one synaptic time constant, these two";
                    let remedy = "give tau_excitatory and tau_inhibitory one value";
                    return Err(not_on_chip(place, problem, remedy));
                }
                leaky.weight_gain = potential_of_current(tau, current, capacitance, step);
                leaky.current_steps = Some(current / step);
                leaky.more_delay = 1;
            }
            check_start(&place, population, rest)?;
            return Ok(Some(leaky));
        }
        "integrator" => {
            check_initial(&place, population, 0.0)?;
            return Ok(Some(ChipNeurons { readout: true, ..plain }));
        }
        model @ ("lif_stepwise" | "leaky_integrator_stepwise") => {
            let readout = model == "leaky_integrator_stepwise";
            if !readout && (one("reset_delay")? != 0.0 || one("held")? != 0.0) {
                let problem = "the chip's neurons reset in the step of their spike, these do not";
                let remedy = "set reset_delay and held to 0, or import with --reset to-value";
                return Err(not_on_chip(place, problem, remedy));
            }
            let [current_kept, kept] = [one("current_kept")?, one("potential_kept")?];
            let (leak, gain) = (one("leak")?, one("gain")? * one("input_gain")?);
            if kept == 1.0 && leak != 0.0 {
                let problem = "its potential keeps everything and moves by itself";
                return Err(not_on_chip(place, problem, "set leak to 0, or give it an input"));
            }
            if one("onset")? != 0.0 && leak != 0.0 {
                let problem = "the chip's neurons leak from the first step on, these begin later";
                let remedy = "set onset to 0, or import with --biases-from-start";
                return Err(not_on_chip(place, problem, remedy));
            }
            let driven = network.stimuli().iter().find(|(_, stimulus)| {
                let own = network.populations().get_index_of(name) == Some(stimulus.population());
                own && matches!(stimulus, ValidStimulus::ConstantCurrent { .. })
            });
            if let (Some((stimulus, _)), true) = (driven, current_kept > 0.0) {
                return Err(not_on_chip(
                    format!("stimuli/{stimulus}"),
                    "the chip's biases act on potentials, this current on the synaptic current",
                    "drive the population by spikes, or set current_kept to 0",
                ));
            }
            let rest = if leak == 0.0 { 0.0 } else { leak / (1.0 - kept) };
            match readout {
                true => check_initial(&place, population, rest)?,
                false => check_start(&place, population, rest)?,
            }
            // A part of 0 is a time constant far below a step.
            let steps = |kept: f64| -1.0 / kept.max(1e-300).ln();
            return Ok(Some(ChipNeurons {
                threshold: plain.threshold.iter().map(|threshold| threshold - rest).collect(),
                weight_gain: gain,
                current_gain: gain,
                membrane_steps: (kept < 1.0).then(|| steps(kept)),
                current_steps: (current_kept > 0.0).then(|| steps(current_kept)),
                readout,
                ..plain
            }));
        }
        "leaky_integrator_analogue" => {
            let problem = "its potential acts on other neurons in every step, and the chip's neurons send \
                           spikes";
            let remedy = "put it behind the neurons that it acts on as their synaptic current (an LI of one \
                          time constant directly before each of them), or let neurons that spike stand \
                          between";
            return Err(not_on_chip(place, problem, remedy));
        }
        other => {
            return Err(not_on_chip(
                place,
                format!("the chip has no neuron that computes `{other}`"),
                "use integrate_and_fire with reset to 0, or lif_delta, lif_exponential or \
                 lif_stepwise with reset to rest; the method `hard_reset` converts to the first",
            ));
        }
    };
    check_start(&place, population, 0.0)?;
    Ok(Some(made))
}

/// Neurons must start where they are reset to, and that is the chip's zero.
fn check_start(place: &str, population: &ValidPopulation, rest: f64) -> Result<(), QuantiseError> {
    let neurons = &population.neurons;
    let place = place.to_owned();
    let at_rest = match &neurons.reset {
        LoweredReset::To(column) => column.numbers().iter().all(|&value| value == rest),
        LoweredReset::Subtract => false,
    };
    if !at_rest {
        let problem = "the chip's neurons reset to zero, this population does not";
        return Err(not_on_chip(place, problem, CONVERT));
    }
    check_initial(&place, population, rest)
}

/// Neurons must start at the chip's zero.
fn check_initial(
    place: &str,
    population: &ValidPopulation,
    rest: f64,
) -> Result<(), QuantiseError> {
    let neurons = &population.neurons;
    // A model's first variable is its potential.
    let potential = neurons.initial.first().and_then(Option::as_ref);
    let others = neurons.initial.iter().skip(1).flatten();
    let starts = potential.is_none_or(|column| column.numbers().iter().all(|&v| v == rest))
        && others.flat_map(|column| column.numbers()).all(|&v| v == 0.0);
    if !starts {
        let problem = "the chip's neurons start at zero, this population does not";
        return Err(not_on_chip(place.to_owned(), problem, CONVERT));
    }
    Ok(())
}

/// What a current of 1 pA that decays with `current` ms does to the potential in one step [mV].
fn potential_of_current(tau: f64, current: f64, capacitance: f64, step: f64) -> f64 {
    let kept = (-step / tau).exp();
    if (tau - current).abs() < 1e-9 * tau {
        return step / capacitance * kept;
    }
    tau * current / (capacitance * (tau - current)) * (kept - (-step / current).exp())
}

/// The sum of the constant currents into a population, one value a neuron.
pub(super) fn currents(network: &ValidNetwork, index: usize) -> Result<Vec<f64>, QuantiseError> {
    let size = network.populations()[index].neurons.size;
    let mut sum = vec![0.0; size];
    for (name, stimulus) in network.stimuli() {
        if stimulus.population() != index {
            continue;
        }
        let ValidStimulus::ConstantCurrent { amplitude, start_step, stop_step, .. } = stimulus
        else {
            continue;
        };
        if *start_step != 0 || *stop_step != u64::MAX {
            return Err(not_on_chip(
                format!("stimuli/{name}"),
                "the chip's biases act in every step, this current is switched",
                CONVERT,
            ));
        }
        for (neuron, slot) in sum.iter_mut().enumerate() {
            *slot += amplitude.get(neuron);
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_round_to_4096ths_and_say_what_that_costs() {
        let Decay { parts, error } = decay(20.0);
        assert_eq!(parts, 200);
        assert!((0.0..2e-3).contains(&error.abs()), "{error}");
        assert_eq!(decay(1e-3).parts, 4096);
    }

    #[test]
    fn a_current_acts_as_the_exact_integration_says() {
        // Equal time constants are the limit of different ones.
        let near = potential_of_current(10.0, 10.0 + 1e-6, 250.0, 0.1);
        let equal = potential_of_current(10.0, 10.0, 250.0, 0.1);
        assert!((near / equal - 1.0).abs() < 1e-6, "{near} {equal}");
    }
}
