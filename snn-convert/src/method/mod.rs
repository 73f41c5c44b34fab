//! Conversion methods, one a file.
//!
//! A method turns the units of a trained network, with what they do on calibration samples, into a
//! spiking network. To add one: its file with a `pub static METHOD`, and its line in [`METHODS`].

mod goal;
mod hard_reset;
mod head;
mod materials;
mod phase;
mod rate;
mod sensitivity;
mod ttfs;
mod turns;

use crate::ann::AnnGraph;
use crate::calibrate::Calibration;
use crate::coding::InputCode;
use crate::lower::{Conversion, UnitScale};
use crate::structure::{Structure, Unit, UnitKind};
use crate::threshold::ThresholdRule;

pub use head::FloatHead;

/// What every method gets.
pub struct Prepared<'a> {
    /// Name of the network.
    pub name: &'a str,
    /// The graph as it was read.
    pub original: &'a AnnGraph,
    /// The decluttered graph.
    pub graph: &'a AnnGraph,
    /// Its units.
    pub structure: &'a Structure,
    /// Their activations on the calibration samples.
    pub calibration: &'a Calibration,
    /// The calibration samples, one after the other.
    pub samples: &'a [f32],
    /// Their classes; empty where they are not known.
    pub labels: &'a [usize],
    /// What stays float behind it; none where the network's read-out gives the scores.
    pub head: Option<&'a FloatHead>,
    /// Told how far a search is.
    pub watch: Watch<'a>,
}

/// Told of parts of a search that are done, and of how many there are at the most.
pub type Watch<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What can be chosen.
#[derive(Clone, Copy)]
pub struct MethodConfig {
    /// Rule for thresholds.
    pub threshold: &'static ThresholdRule,
    /// Input code; a method may allow only some.
    pub code: InputCode,
    /// Number of steps that the code is made for.
    pub steps: u32,
    /// Accuracy on the calibration samples, in per cent, that a method that searches must reach;
    /// `steps` is then its to choose.
    pub accuracy: Option<f64>,
}

impl MethodConfig {
    /// A rule, a code and a number of steps.
    pub fn new(threshold: &'static ThresholdRule, code: InputCode, steps: u32) -> Self {
        MethodConfig { threshold, code, steps, accuracy: None }
    }
}

/// Why a method refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MethodError {
    /// A unit that the method has no neuron for.
    #[error("method `{method}` cannot convert `{unit}`: {reason}")]
    Unit {
        /// The method.
        method: &'static str,
        /// The unit's node.
        unit: String,
        /// Why, and what would help.
        reason: String,
    },
    /// An input code that the method has no use for.
    #[error("method `{method}` needs the input code {needed}")]
    Code {
        /// The method.
        method: &'static str,
        /// The codes it takes.
        needed: &'static str,
    },
    /// A number of steps that the method cannot use.
    #[error("method `{method}` cannot use {got} steps; it takes {allowed}")]
    Steps {
        /// The method.
        method: &'static str,
        /// What was asked for.
        got: u32,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// A conversion method.
pub struct Method {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// Converts.
    pub convert: fn(&Prepared<'_>, &MethodConfig) -> Result<Conversion, MethodError>,
}

/// All methods; the first is the default.
pub static METHODS: &[&Method] = &[
    &rate::METHOD,
    &rate::AUTO,
    &rate::PLAIN,
    &rate::BIAS,
    &rate::POTENTIAL,
    &rate::SIGNED_SPIKES,
    &rate::SIGNED_GATE,
    &rate::BURSTS,
    &hard_reset::METHOD,
    &ttfs::METHOD,
    &ttfs::SLOTS,
    &phase::METHOD,
    &phase::PLAIN,
];

/// The method that searches.
pub static AUTO: &Method = &rate::AUTO;

/// The method of this name.
pub fn find_method(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name == name)
}

/// Refuses input codes whose spikes are not worth the same in every step.
fn check_rate_code(method: &'static str, code: InputCode) -> Result<(), MethodError> {
    let needed = "constant_current, poisson, deterministic_rate, population or sigma_delta";
    let windowed = !matches!(
        code,
        InputCode::ConstantCurrent | InputCode::Poisson | InputCode::DeterministicRate
    );
    if windowed { Err(MethodError::Code { method, needed }) } else { Ok(()) }
}

/// The scale of a unit that stands in one number for its activation: threshold and output agree.
fn plain_scale(unit: &Unit, thresholds: Vec<f64>, dead: Vec<bool>) -> UnitScale {
    use crate::linear::ChannelScale;
    let scale = ChannelScale { factors: thresholds, per_channel: unit.shape.per_channel() };
    let scale = if unit.kind == UnitKind::Readout { ChannelScale::one() } else { scale };
    UnitScale {
        output: scale.clone(),
        threshold: scale,
        bias: None,
        initial: None,
        dead,
        grid: None,
    }
}
