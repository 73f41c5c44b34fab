//! Layers of neurons as populations.
//!
//! | node | neuron |
//! |---|---|
//! | `IF`, `LIF`, `CubaLIF` where a step may send several spikes | `multispike_integrate_and_fire` |
//! | `IF` | `integrate_and_fire`; `lif_stepwise` where neurons behind a convolution have an r each, and where a reset waits |
//! | `LIF` | `lif_delta` with the time constant that keeps the step's factor; `lif_stepwise` where the threshold is subtracted, where a step keeps nothing or everything, where a leak to another potential than 0 must not begin before the layer's first input, and where neurons behind a convolution scale its shared weights each in its own way |
//! | `CubaLIF` | `lif_stepwise` |
//! | `Threshold` | `lif_stepwise` that keeps nothing |
//! | `I` | `integrator` |
//! | `LI`, `CubaLI` | `leaky_integrator_stepwise` |
//! | `I`, `LI`, `CubaLI` whose potential is sent ([`super::filter`]) | `leaky_integrator_analogue` |
//! | `Output` behind weights | `leaky_integrator_stepwise` that keeps nothing: its potential is the output |
//!
//! Where an `LI` or `I` before a layer becomes its current ([`super::filter`]), all of them are stepwise neurons with a current that keeps
//! what that layer's step keeps.

use sim_core::network::{Neuron, Population, Reset, Shape, SpikeCondition};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::multispike_integrate_and_fire::NO_FLOOR;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Picofarads, Quantity, Unit, Values};

use super::filter::Filter;
use super::{MILLIVOLT, Made, NUMBER, NotFromNir, SECOND, refuse, values};
use crate::array::Array;
use crate::nir::dialect::{Convention, CurrentOrder, SpikeReset, Start};
use crate::nir::run::{extents, without_batch};
use crate::nir::{CubaLi, CubaLif, Li, Lif, Primitive};

/// The membrane's capacitance; it only turns a bias into a current.
const CAPACITANCE: f64 = 1.0;

/// A layer of neurons that is reached by projections.
pub(super) struct Layer {
    pub(super) name: String,
    /// What a weight is multiplied by, one a neuron.
    pub(super) gain: Vec<f64>,
    /// What a bias is multiplied by to be a current, one a neuron.
    pub(super) current: Vec<f64>,
    /// Weights and potentials are in mV.
    pub(super) millivolts: bool,
}

/// Factors of a step, one a neuron: v ← kept v + leak + gain · input.
pub(super) struct Membrane {
    pub(super) kept: Vec<f64>,
    pub(super) gain: Vec<f64>,
    pub(super) leak: Vec<f64>,
}

type Node = (String, Primitive);

/// Whether a layer's neurons send spikes; the others have a potential only.
pub(super) fn spikes(primitive: &Primitive) -> bool {
    !matches!(primitive, Primitive::I(_) | Primitive::Li(_) | Primitive::CubaLi(_))
}

/// The arrangement of a population: two extents are channels of a row, as convolutions along one
/// axis need them.
pub(super) fn shape(extents: &[usize]) -> Shape {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match without_batch(extents)[..] {
        [channels, height, width] => Shape::Picture([channels, height, width].map(small)),
        [channels, length] => Shape::Picture([small(channels), 1, small(length)]),
        ref other => Shape::List(small(other.iter().fold(1, |n, &m| n.saturating_mul(m)))),
    }
}

/// A leaky membrane in steps, as numbers one a neuron.
struct Steps<'a> {
    r: &'a Array,
    tau: &'a Array,
    v_leak: &'a Array,
    /// Time constant of the current and weight of its input.
    synapse: Option<(&'a Array, &'a Array)>,
}

impl Made {
    /// Adds a node's population where it is one; its layer where projections reach it.
    ///
    /// `depth` is how many steps the layer is behind the input's.
    pub(super) fn layer(
        &mut self,
        node: &Node,
        depth: u64,
        filter: Option<&Filter>,
    ) -> Result<Option<Layer>, NotFromNir> {
        self.onset = if self.reading.biases_from_start { 0 } else { depth };
        let (name, primitive) = node;
        if let Some(filter) = filter {
            return self.filtered(node, filter).map(Some);
        }
        let made = match primitive {
            Primitive::Input(input) if !name.contains('/') => {
                self.add(name, &input.shape, Neuron::spike_source());
                return Ok(None);
            }
            Primitive::If(found) => {
                let gain = numbers(node, "r", &found.r)?;
                let threshold = numbers(node, "v_threshold", &found.v_threshold)?;
                let reset = self.reading.convention.reset;
                let at_once = matches!(reset, SpikeReset::ToValue | SpikeReset::Subtract);
                if !at_once || self.needs_own_gain(&gain) {
                    let neuron = Neuron::new(self.stepwise_model())
                        .parameter("potential_kept", 1.0)
                        .parameter("gain", values(&gain, NUMBER));
                    let spike = (&found.v_threshold, Some(&found.v_reset));
                    let neuron = self.spiking(node, neuron, spike)?;
                    return Ok(Some(self.unscaled(name, &found.r, neuron)));
                }
                let reset = self.reset(node, Some(&found.v_reset), NUMBER)?;
                let neuron = Neuron::new("integrate_and_fire")
                    .parameter("threshold", values(&threshold, NUMBER))
                    .rules(SpikeCondition::Above, reset);
                self.add(name, &found.r.shape, neuron);
                Layer { name: name.clone(), current: gain.clone(), gain, millivolts: false }
            }
            Primitive::I(found) => {
                let gain = numbers(node, "r", &found.r)?;
                if self.sends || self.needs_own_gain(&gain) {
                    let neuron = Neuron::new(self.silent())
                        .parameter("potential_kept", 1.0)
                        .parameter("gain", values(&gain, NUMBER));
                    return Ok(Some(self.unscaled(name, &found.r, neuron)));
                }
                self.add(name, &found.r.shape, Neuron::new("integrator"));
                Layer { name: name.clone(), current: gain.clone(), gain, millivolts: false }
            }
            Primitive::Lif(found) => self.leaky(node, found)?,
            Primitive::CubaLif(found) => {
                let CubaLif { r, tau_mem, v_leak, tau_syn, w_in, v_threshold, v_reset, .. } = found;
                let steps = Steps { r, tau: tau_mem, v_leak, synapse: Some((tau_syn, w_in)) };
                let neuron = Neuron::new(self.stepwise_model());
                let neuron = self.stepwise(node, neuron, &steps)?;
                let neuron = self.spiking(node, neuron, (v_threshold, Some(v_reset)))?;
                self.unscaled(name, r, neuron)
            }
            Primitive::Li(Li { r, tau, v_leak, .. }) => {
                let steps = Steps { r, tau, v_leak, synapse: None };
                let neuron = Neuron::new(self.silent());
                let neuron = self.stepwise(node, neuron, &steps)?;
                self.unscaled(name, r, neuron)
            }
            Primitive::CubaLi(CubaLi { r, tau_mem, v_leak, tau_syn, w_in, .. }) => {
                let steps = Steps { r, tau: tau_mem, v_leak, synapse: Some((tau_syn, w_in)) };
                let neuron = Neuron::new(self.silent());
                let neuron = self.stepwise(node, neuron, &steps)?;
                self.unscaled(name, r, neuron)
            }
            Primitive::Threshold(found) => {
                // A step keeps nothing: the potential is the input.
                let neuron = Neuron::new("lif_stepwise").parameter("potential_kept", 0.0);
                let neuron = self.spiking(node, neuron, (&found.threshold, None))?;
                self.unscaled(name, &found.threshold, neuron)
            }
            _ => return Ok(None),
        };
        Ok(Some(made))
    }

    /// Neurons whose input passes a layer that never spikes, which becomes their current.
    fn filtered(&mut self, node: &Node, filter: &Filter) -> Result<Layer, NotFromNir> {
        let primitive = &node.1;
        let extents = extents(primitive).unwrap_or_else(|| filter.extents.clone());
        let size = extents.iter().product::<usize>();
        let Membrane { kept, gain, leak } = match self.membrane(node)? {
            Some(membrane) => membrane,
            // What arrives is the potential.
            None => {
                Membrane { kept: vec![0.0; size], gain: vec![1.0; size], leak: vec![0.0; size] }
            }
        };
        let leak: Vec<f64> = leak
            .iter()
            .zip(&gain)
            .enumerate()
            .map(|(n, (leak, gain))| leak + gain * filter.added.get(n).copied().unwrap_or(0.0))
            .collect();
        let rules = match primitive {
            Primitive::If(found) => Some((&found.v_threshold, Some(&found.v_reset))),
            Primitive::Lif(found) => Some((&found.v_threshold, Some(&found.v_reset))),
            Primitive::Threshold(found) => Some((&found.threshold, None)),
            _ => None,
        };
        let model = match rules {
            Some((_, Some(_))) => self.stepwise_model(),
            Some((_, None)) => "lif_stepwise",
            None => self.silent(),
        };
        let mut neuron = Neuron::new(model)
            .parameter("potential_kept", values(&kept, NUMBER))
            .parameter("leak", values(&leak, NUMBER))
            .parameter("gain", values(&gain, NUMBER))
            .parameter("current_kept", values(&filter.kept, NUMBER));
        if leak.iter().any(|leak| *leak != 0.0) && self.onset > 0 {
            neuron = neuron.parameter("onset", self.onset as f64);
        }
        if let Primitive::Lif(Lif { v_leak, .. }) | Primitive::Li(Li { v_leak, .. }) = primitive {
            neuron = self.started(node, neuron, v_leak)?;
        }
        if let Some(rules) = rules {
            neuron = self.spiking(node, neuron, rules)?;
        }
        self.add(&node.0, &extents, neuron);
        let gain = vec![1.0; size];
        Ok(Layer { name: node.0.clone(), current: gain.clone(), gain, millivolts: false })
    }

    /// What a step keeps, takes in and adds, of neurons without a current of their own.
    pub(super) fn membrane(&self, node: &Node) -> Result<Option<Membrane>, NotFromNir> {
        let whole = |r: &Array| -> Result<Membrane, NotFromNir> {
            let gain = numbers(node, "r", r)?;
            Ok(Membrane { kept: vec![1.0; gain.len()], leak: vec![0.0; gain.len()], gain })
        };
        Ok(Some(match &node.1 {
            Primitive::I(found) => whole(&found.r)?,
            Primitive::If(found) => whole(&found.r)?,
            Primitive::Li(Li { r, tau, v_leak }) => self.leaking(node, (r, tau, v_leak))?,
            Primitive::Lif(Lif { r, tau, v_leak, .. }) => self.leaking(node, (r, tau, v_leak))?,
            _ => return Ok(None),
        }))
    }

    fn leaking(
        &self,
        node: &Node,
        (r, tau, v_leak): (&Array, &Array, &Array),
    ) -> Result<Membrane, NotFromNir> {
        let Convention { dt, tau_scale, input, .. } = self.reading.convention;
        let (r, tau) = (numbers(node, "r", r)?, numbers(node, "tau", tau)?);
        let kept = self.kept(node, "tau", &tau)?;
        let leak = numbers(node, "v_leak", v_leak)?;
        let leak = leak.iter().zip(&kept).map(|(leak, k)| leak * (1.0 - k)).collect();
        let gain = r.iter().zip(kept.iter().zip(&tau));
        let gain =
            gain.map(|(r, (kept, tau))| input.factor(*r, *kept, dt, tau * tau_scale)).collect();
        Ok(Membrane { kept, gain, leak })
    }

    /// The model of a layer that never spikes.
    fn silent(&self) -> &'static str {
        if self.sends { "leaky_integrator_analogue" } else { "leaky_integrator_stepwise" }
    }

    /// Whether the neurons must scale their input themselves, as shared weights cannot; behind
    /// potentials they do, as models on a grid of weights would round them.
    fn needs_own_gain(&self, gain: &[f64]) -> bool {
        self.behind_analogue
            || self.behind_kernel && gain.iter().any(|own| Some(own) != gain.first())
    }

    fn add(&mut self, name: &str, extents: &[usize], neuron: Neuron) {
        let shape = match without_batch(extents)[..] {
            // A channel of one that was taken for a batch.
            [length] if self.beside_rows => {
                Shape::Picture([1, 1, u32::try_from(length).unwrap_or(u32::MAX)])
            }
            _ => shape(extents),
        };
        self.network.add_population(name, Population::shaped(shape, neuron));
    }

    /// A layer whose neurons scale their input themselves.
    fn unscaled(&mut self, name: &str, like: &Array, neuron: Neuron) -> Layer {
        self.add(name, &like.shape, neuron);
        let gain = vec![1.0; like.len()];
        Layer { name: name.to_owned(), current: gain.clone(), gain, millivolts: false }
    }

    /// The model of neurons that spike and are given by the factors of a step.
    fn stepwise_model(&self) -> &'static str {
        match self.reading.convention.reset {
            SpikeReset::SubtractMany => "multispike_integrate_and_fire",
            _ => "lif_stepwise",
        }
    }

    /// Sets what neurons need that send as many spikes in a step as fit.
    fn several(
        &mut self,
        node: &Node,
        neuron: Neuron,
        threshold: &[f64],
    ) -> Result<Neuron, NotFromNir> {
        if let Some(low) = threshold.iter().find(|threshold| **threshold <= 0.0) {
            let problem = format!("v_threshold is {low}, which fits in without end");
            return Err(refuse(node, problem, "give it thresholds above 0"));
        }
        let most = self.reading.convention.most_spikes;
        let bounded = matches!(node.1, Primitive::If(_));
        self.notes.push(format!(
            "`{}`: a neuron sends as many spikes in a step as its threshold fits in{}, as one spike \
             that carries their number{}",
            node.0,
            if most < i32::MAX as u32 { format!(" but at most {most}") } else { String::new() },
            if bounded { ", and stays above minus the threshold" } else { "" },
        ));
        let neuron = match bounded {
            true => neuron.parameter("deepest", values(threshold, NUMBER)),
            false => neuron.parameter("deepest", NO_FLOOR),
        };
        let neuron = neuron.parameter("threshold", values(threshold, NUMBER));
        Ok(match most < i32::MAX as u32 {
            true => neuron.parameter("most", f64::from(most)),
            false => neuron,
        })
    }

    fn reset(&self, node: &Node, v_reset: Option<&Array>, unit: Unit) -> Result<Reset, NotFromNir> {
        let Some(v_reset) = v_reset else {
            return Ok(Reset::To(Quantity { value: 0.0, unit }.into()));
        };
        let rule = self.reading.convention.reset;
        if !matches!(rule, SpikeReset::ToValue | SpikeReset::ToValueNext) {
            return Ok(Reset::Subtract);
        }
        let values = numbers(node, "v_reset", v_reset)?;
        let first = values.first().copied().unwrap_or(0.0);
        Ok(Reset::To(match values.iter().all(|value| *value == first) {
            true => Quantity { value: first, unit }.into(),
            false => Values::Each { values, unit },
        }))
    }

    /// What a step keeps of something with these time constants.
    fn kept(&self, node: &Node, name: &str, tau: &[f64]) -> Result<Vec<f64>, NotFromNir> {
        let Convention { dt, tau_scale, decay, .. } = self.reading.convention;
        let mut kept = Vec::with_capacity(tau.len());
        for &tau in tau {
            if tau <= 0.0 {
                let problem = format!("{name} is {tau}; time constants are above 0");
                return Err(refuse(node, problem, "repair the file"));
            }
            let factor = decay.factor(dt, tau * tau_scale);
            if !(0.0..=1.0).contains(&factor) {
                let problem = format!("a step keeps {factor} of its state ({name} {tau})");
                let remedy = "what decays keeps 0 to 1: give a smaller dt";
                return Err(refuse(node, problem, remedy));
            }
            kept.push(factor);
        }
        Ok(kept)
    }

    /// Sets the factors of a membrane in steps.
    fn stepwise(
        &self,
        node: &Node,
        mut neuron: Neuron,
        found: &Steps<'_>,
    ) -> Result<Neuron, NotFromNir> {
        let current = self.reading.convention.current;
        let Membrane { kept, gain, leak } =
            self.leaking(node, (found.r, found.tau, found.v_leak))?;
        if leak.iter().any(|leak| *leak != 0.0) && self.onset > 0 {
            // What leaks moves without input: it begins when the layer's first input can come.
            neuron = neuron.parameter("onset", self.onset as f64);
        }
        neuron = neuron
            .parameter("potential_kept", values(&kept, NUMBER))
            .parameter("leak", values(&leak, NUMBER))
            .parameter("gain", values(&gain, NUMBER));
        neuron = self.started(node, neuron, found.v_leak)?;
        let Some((tau_syn, w_in)) = found.synapse else { return Ok(neuron) };
        let kept = self.kept(node, "tau_syn", &numbers(node, "tau_syn", tau_syn)?)?;
        let w_in = numbers(node, "w_in", w_in)?;
        let gain = w_in.iter().zip(&kept).map(|(w_in, kept)| match current {
            CurrentOrder::AfterInput => w_in * (1.0 - kept),
            // The current that acts is the one before it decays.
            CurrentOrder::JumpFirst => *w_in,
            CurrentOrder::InputDecays => w_in * kept,
        });
        let gain: Vec<f64> = gain.collect();
        Ok(neuron
            .parameter("current_kept", values(&kept, NUMBER))
            .parameter("input_gain", values(&gain, NUMBER)))
    }

    /// Sets where the potential begins.
    fn started(&self, node: &Node, neuron: Neuron, v_leak: &Array) -> Result<Neuron, NotFromNir> {
        let leak = numbers(node, "v_leak", v_leak)?;
        let begins = self.reading.convention.start == Start::Leak;
        Ok(match begins && leak.iter().any(|&leak| leak != 0.0) {
            true => neuron.initial("membrane_potential", values(&leak, NUMBER)),
            false => neuron,
        })
    }

    /// Sets threshold and reset; without a value neurons are reset to 0.
    fn spiking(
        &mut self,
        node: &Node,
        mut neuron: Neuron,
        (threshold, v_reset): (&Array, Option<&Array>),
    ) -> Result<Neuron, NotFromNir> {
        let threshold = numbers(node, "threshold", threshold)?;
        let reset = self.reset(node, v_reset, NUMBER)?;
        if v_reset.is_some() {
            let has_current = matches!(node.1, Primitive::CubaLif(_));
            neuron = match self.reading.convention.reset.of(has_current) {
                SpikeReset::SubtractMany => return self.several(node, neuron, &threshold),
                SpikeReset::SubtractNext | SpikeReset::ToValueNext => {
                    neuron.parameter("reset_delay", 1.0)
                }
                SpikeReset::SubtractHeld => neuron.parameter("held", 1.0),
                SpikeReset::None => neuron.parameter("subtracted", 0.0),
                _ => neuron,
            };
        }
        Ok(neuron
            .parameter("threshold", values(&threshold, NUMBER))
            .rules(SpikeCondition::Above, reset))
    }

    /// Leaky neurons: of continuous time where those compute the same, which more tools know.
    fn leaky(&mut self, node: &Node, found: &Lif) -> Result<Layer, NotFromNir> {
        let Convention { dt, tau_scale, reset, input, .. } = self.reading.convention;
        let tau = numbers(node, "tau", &found.tau)?;
        let keep = self.kept(node, "tau", &tau)?;
        let leak = numbers(node, "v_leak", &found.v_leak)?;
        let decays = keep.iter().all(|keep| *keep > 0.0 && *keep < 1.0);
        let begins_late = self.onset > 0 && leak.iter().any(|leak| *leak != 0.0);
        let r = numbers(node, "r", &found.r)?;
        let gain = r.iter().zip(keep.iter().zip(&tau));
        let gain: Vec<f64> =
            gain.map(|(r, (keep, tau))| input.factor(*r, *keep, dt, tau * tau_scale)).collect();
        if reset != SpikeReset::ToValue || !decays || begins_late || self.needs_own_gain(&gain) {
            let Lif { r, tau, v_leak, .. } = found;
            let steps = Steps { r, tau, v_leak, synapse: None };
            let neuron = Neuron::new(self.stepwise_model());
            let neuron = self.stepwise(node, neuron, &steps)?;
            let spike = (&found.v_threshold, Some(&found.v_reset));
            let neuron = self.spiking(node, neuron, spike)?;
            return Ok(self.unscaled(&node.0, r, neuron));
        }
        let threshold = numbers(node, "v_threshold", &found.v_threshold)?;
        // The description decays exactly: this time constant keeps the convention's factor.
        let milliseconds = dt * SECOND;
        let exact: Vec<f64> = keep.iter().map(|keep| -milliseconds / keep.ln()).collect();
        let time = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
        let reset = self.reset(node, Some(&found.v_reset), MILLIVOLT)?;
        let start = match self.reading.convention.start {
            Start::Leak => values(&leak, MILLIVOLT),
            Start::Zero => Millivolts(0.0).into(),
        };
        let mut neuron = Neuron::from(LifDelta {
            capacitance: Picofarads(CAPACITANCE),
            refractory_period: Milliseconds(0.0),
            ..LifDelta::default()
        });
        neuron = neuron
            .parameter("tau_membrane", values(&exact, time))
            .parameter("resting_potential", values(&leak, MILLIVOLT))
            .parameter("threshold", values(&threshold, MILLIVOLT))
            .initial("membrane_potential", start)
            .rules(SpikeCondition::Above, reset);
        self.add(&node.0, &found.r.shape, neuron);
        self.notes.push(format!(
            "`{}`: LIF of continuous time with the time constant that keeps the step's factor; 1 \
             unit of its potential is 1 mV",
            node.0
        ));
        let current = gain
            .iter()
            .zip(&keep)
            .zip(&exact)
            .map(|((gain, keep), tau)| gain / (1.0 - keep) * CAPACITANCE / tau);
        Ok(Layer { name: node.0.clone(), current: current.collect(), gain, millivolts: true })
    }
}

/// The values of a parameter, all of them finite.
pub(super) fn numbers(node: &Node, name: &str, array: &Array) -> Result<Vec<f64>, NotFromNir> {
    let found = array.values.to_f64().filter(|values| values.iter().all(|v| v.is_finite()));
    found.ok_or_else(|| {
        refuse(node, format!("{name} holds values that are no finite numbers"), "repair the file")
    })
}
