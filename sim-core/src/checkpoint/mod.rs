//! Checkpoints: everything that an engine needs to go on as if it had never stopped.
//!
//! A [`Checkpoint`] is plain data: an [`Identity`] that says what it fits, and named sections of
//! numbers. It does not depend on threads: state lies by population and neuron, by projection and
//! synapse. [`Engine::checkpoint`](crate::engine::Engine::checkpoint) makes one,
//! [`Engine::restore`](crate::engine::Engine::restore) takes one; how it becomes a file is the
//! business of the crate `model-io`.
//!
//! What is **not** in it follows from what is: synapses that do not change are those of the network,
//! random draws are functions of what they are for, and spike trains are run again up to the
//! checkpoint's time.

mod columns;

pub(crate) use columns::{Columns, Loader, Saver, Share};

use crate::network::NetworkHash;
use crate::time::Time;

/// What a checkpoint fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the engine.
    pub engine: String,
    /// The network, connectivity's seed included and probes left out.
    pub network: NetworkHash,
    /// Version of Spikeloom.
    pub version: String,
    /// Populations that run in the narrow form (single precision), by index.
    pub narrow: Vec<bool>,
}

/// Numbers of a section, of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Numbers in double precision.
    F64(Vec<f64>),
    /// Numbers in single precision.
    F32(Vec<f32>),
    /// Counts and indices.
    U32(Vec<u32>),
    /// Step numbers and counts.
    U64(Vec<u64>),
    /// Times in femtoseconds.
    I64(Vec<i64>),
    /// Payloads.
    I32(Vec<i32>),
}

impl Numbers {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Numbers::F64(n) => n.len(),
            Numbers::F32(n) => n.len(),
            Numbers::U32(n) => n.len(),
            Numbers::U64(n) => n.len(),
            Numbers::I64(n) => n.len(),
            Numbers::I32(n) => n.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of the type, as numpy writes it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Numbers::F64(_) => "f8",
            Numbers::F32(_) => "f4",
            Numbers::U32(_) => "u4",
            Numbers::U64(_) => "u8",
            Numbers::I64(_) => "i8",
            Numbers::I32(_) => "i4",
        }
    }
}

/// Numbers under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Where they belong, such as `population/exc/0`.
    pub name: String,
    /// The numbers.
    pub numbers: Numbers,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What it fits.
    pub identity: Identity,
    /// Seed of the random stimuli.
    pub seed: u64,
    /// The time reached.
    pub time: Time,
    /// State, in no order that matters.
    pub sections: Vec<Section>,
}

/// Why a checkpoint is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// It was made by another version.
    #[error(
        "the checkpoint was made by Spikeloom {found}, this is {expected}: finish the run with the \
         version that began it, or begin anew"
    )]
    Version {
        /// The version that made it.
        found: String,
        /// This version.
        expected: String,
    },
    /// It was made by another engine.
    #[error(
        "the checkpoint is of the engine `{found}`, not of `{expected}`; give --engine {found}"
    )]
    Engine {
        /// The engine that made it.
        found: String,
        /// The engine that shall go on.
        expected: String,
    },
    /// It belongs to another network.
    #[error(
        "the checkpoint is of another network ({found}; this one is {expected}): the description \
         or its seed was changed since"
    )]
    Network {
        /// The network it was made of.
        found: NetworkHash,
        /// The network that shall go on.
        expected: NetworkHash,
    },
    /// The network runs in another form than it did.
    #[error(
        "population `{population}` runs in {expected} precision and ran in {found} precision when \
         the checkpoint was made: run it in {found} precision"
    )]
    Precision {
        /// The population.
        population: String,
        /// How it ran.
        found: &'static str,
        /// How it runs now.
        expected: &'static str,
    },
    /// A section is not there.
    #[error("the checkpoint has no section `{name}`; it is incomplete")]
    Missing {
        /// The section.
        name: String,
    },
    /// A section holds something else than what belongs there.
    #[error("section `{name}` of the checkpoint: {reason}")]
    Section {
        /// The section.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Checkpoint {
    /// Whether this engine can go on from it.
    ///
    /// # Errors
    /// What differs: version, engine, network, or precision of a population (`names`).
    pub(crate) fn check<'a>(
        &self,
        expected: &Identity,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(), CheckpointError> {
        let found = &self.identity;
        if found.version != expected.version {
            let (found, expected) = (found.version.clone(), expected.version.clone());
            return Err(CheckpointError::Version { found, expected });
        }
        if found.engine != expected.engine {
            let (found, expected) = (found.engine.clone(), expected.engine.clone());
            return Err(CheckpointError::Engine { found, expected });
        }
        if found.network != expected.network || found.narrow.len() != expected.narrow.len() {
            let (found, expected) = (found.network, expected.network);
            return Err(CheckpointError::Network { found, expected });
        }
        let forms = found.narrow.iter().zip(&expected.narrow);
        if let Some((population, (&found, &expected))) =
            names.zip(forms).find(|(_, (found, expected))| found != expected)
        {
            let word = |narrow| if narrow { "single" } else { "double" };
            let (found, expected) = (word(found), word(expected));
            let population = population.clone();
            return Err(CheckpointError::Precision { population, found, expected });
        }
        Ok(())
    }

    /// The numbers of a section.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`].
    pub fn section(&self, name: &str) -> Result<&Numbers, CheckpointError> {
        self.find(name).ok_or_else(|| CheckpointError::Missing { name: name.to_string() })
    }

    /// The numbers of a section that need not be there.
    pub fn find(&self, name: &str) -> Option<&Numbers> {
        self.sections.iter().find(|section| section.name == name).map(|section| &section.numbers)
    }

    /// Adds a section.
    pub fn push(&mut self, name: impl Into<String>, numbers: Numbers) {
        self.sections.push(Section { name: name.into(), numbers });
    }
}

/// Gives the slice of a type that a section must have.
macro_rules! typed {
    ($(#[$doc:meta] $name:ident, $variant:ident, $type:ty;)*) => {
        impl Checkpoint {
            $(
                #[$doc]
                ///
                /// # Errors
                /// [`CheckpointError::Missing`], or [`CheckpointError::Section`] where it has
                /// another type.
                pub fn $name(&self, name: &str) -> Result<&[$type], CheckpointError> {
                    match self.section(name)? {
                        Numbers::$variant(numbers) => Ok(numbers),
                        other => Err(CheckpointError::wrong(
                            name,
                            format!("it has the type {}", other.type_name()),
                        )),
                    }
                }
            )*
        }
    };
}

typed! {
    /// A section in double precision.
    f64s, F64, f64;
    /// A section of counts or indices.
    u32s, U32, u32;
    /// A section of step numbers or counts.
    u64s, U64, u64;
    /// A section of times.
    i64s, I64, i64;
    /// A section of payloads.
    i32s, I32, i32;
}

impl CheckpointError {
    /// A section that does not hold what belongs there.
    pub fn wrong(name: &str, reason: impl Into<String>) -> Self {
        CheckpointError::Section { name: name.to_string(), reason: reason.into() }
    }
}
