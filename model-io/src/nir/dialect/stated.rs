//! Conventions that a caller states, each in place of the dialect's.

use super::{Convention, CurrentOrder, Decay, InputScale, SpikeReset, Start};

/// What a caller states; the dialect's where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stated {
    /// Length of a step in the unit of the time constants after scaling.
    pub dt: Option<f64>,
    /// What the file's time constants are multiplied by.
    pub tau_scale: Option<f64>,
    /// How a decay is cut into steps.
    pub decay: Option<Decay>,
    /// Which current of a step reaches the membrane.
    pub current: Option<CurrentOrder>,
    /// What a spike does to the potential.
    pub reset: Option<SpikeReset>,
    /// What r means for the input of a leaky neuron.
    pub input: Option<InputScale>,
    /// Spikes of a neuron in a step at the most.
    pub most_spikes: Option<u32>,
    /// Where leaky potentials begin.
    pub start: Option<Start>,
}

impl Stated {
    /// A dialect's conventions with what is stated instead.
    pub fn over(&self, known: Convention) -> Convention {
        Convention {
            dt: self.dt.unwrap_or(known.dt),
            tau_scale: self.tau_scale.unwrap_or(known.tau_scale),
            decay: self.decay.unwrap_or(known.decay),
            current: self.current.unwrap_or(known.current),
            reset: self.reset.unwrap_or(known.reset),
            input: self.input.unwrap_or(known.input),
            most_spikes: self.most_spikes.unwrap_or(known.most_spikes),
            start: self.start.unwrap_or(known.start),
            ..known
        }
    }
}

/// A choice with a name for each of its values.
pub trait Named: Copy + 'static {
    /// The values by their names.
    const NAMES: &'static [(&'static str, Self)];

    /// The value of this name.
    ///
    /// # Errors
    /// The names there are.
    fn named(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("write {}", known.join(", "))
        })
    }
}

impl Named for Decay {
    const NAMES: &'static [(&'static str, Self)] =
        &[("euler", Self::Euler), ("exponential", Self::Exponential)];
}

impl Named for CurrentOrder {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("after-input", Self::AfterInput),
        ("jump-first", Self::JumpFirst),
        ("input-decays", Self::InputDecays),
    ];
}

impl Named for SpikeReset {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("to-value", Self::ToValue),
        ("subtract", Self::Subtract),
        ("subtract-many", Self::SubtractMany),
        ("subtract-next", Self::SubtractNext),
        ("subtract-next-bare", Self::SubtractNextBare),
        ("subtract-held", Self::SubtractHeld),
        ("to-value-next", Self::ToValueNext),
        ("none", Self::None),
    ];
}

impl Named for Start {
    const NAMES: &'static [(&'static str, Self)] = &[("zero", Self::Zero), ("leak", Self::Leak)];
}

impl Named for InputScale {
    const NAMES: &'static [(&'static str, Self)] =
        &[("decay", Self::Decay), ("step", Self::Step), ("one", Self::One)];
}
