//! How a sample becomes input of a spiking network, one code a file.
//!
//! To add a code: its file, a variant of [`InputCode`], and its line in [`CODES`].

pub mod constant_current;
pub mod deterministic_rate;
pub mod latency;
pub mod phase;
pub mod poisson;
pub mod population;
pub mod readout;
pub mod sigma_delta;

/// How samples are put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputCode {
    /// The first layer's input, computed once, acts as a constant current in every step.
    ConstantCurrent,
    /// Each value is the probability of a spike in a step.
    Poisson,
    /// Each value becomes evenly spaced spikes.
    DeterministicRate,
    /// Each value sends one spike, the earlier the larger it is.
    Latency,
    /// Each value is sent as a binary number, one bit a step.
    Phase,
    /// Each value drives several neurons with bell-shaped tuning.
    Population,
    /// Only changes of a stream of samples are sent, in whole steps.
    SigmaDelta,
}

/// A code in the list of codes.
#[derive(Debug, Clone, Copy)]
pub struct CodeEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The code.
    pub code: InputCode,
}

/// All codes; the first is the default.
pub static CODES: &[CodeEntry] = &[
    constant_current::ENTRY,
    poisson::ENTRY,
    deterministic_rate::ENTRY,
    latency::ENTRY,
    phase::ENTRY,
    population::ENTRY,
    sigma_delta::ENTRY,
];

/// The code of this name.
pub fn find_code(name: &str) -> Option<CodeEntry> {
    CODES.iter().copied().find(|entry| entry.name == name)
}

impl InputCode {
    /// Whether spikes enter through a population of their own, which takes one step.
    pub fn spikes(self) -> bool {
        !matches!(self, InputCode::ConstantCurrent | InputCode::SigmaDelta)
    }
}
