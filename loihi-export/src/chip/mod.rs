//! Chips as data: every number with its source.
//!
//! A chip is one TOML file in this folder, read into a [`ChipSpec`]. Quantiser, emulator, budget
//! and checker read that value and hold no numbers of their own.
//!
//! # Example
//! ```
//! let chip = loihi_export::chip::ChipSpec::built_in("loihi2")?;
//! assert_eq!(chip.plannable_cores(), Some(120));
//! for figure in chip.figures() {
//!     assert!(figure.value.is_none() || figure.source.is_some());
//! }
//! # Ok::<(), loihi_export::chip::ChipError>(())
//! ```

pub mod arithmetic;
pub mod overlay;
pub mod profile;
pub mod registry;
pub mod self_check;
pub mod sourced;
pub mod spec;

pub use arithmetic::{ARITHMETICS, Arithmetic, CurrentOverflow, NamedArithmetic, Truncation};
pub use profile::{Profile, TERMS, Term};
pub use registry::ChipCatalogue;
pub use self_check::SpecFinding;
pub use sourced::{Evidence, Figure, Sourced};
pub use spec::{ChipSpec, Mesh, NeuronFields, SynapseBlock, System};

/// Why there is no chip description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChipError {
    /// No chip has that name.
    #[error("there is no chip '{name}'; known chips: {}; a new one is a TOML description", known.join(", "))]
    Unknown {
        /// Name asked for.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// The text is not a description.
    #[error("the chip description cannot be read: {message}")]
    Parse {
        /// What is wrong, with the line.
        message: String,
    },
    /// A figure that cannot be set.
    #[error("figure '{name}': {problem}")]
    Figure {
        /// Name asked for.
        name: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The figures contradict each other.
    #[error(
        "the description of chip '{chip}' contradicts itself: {}",
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Inconsistent {
        /// Name of the chip.
        chip: String,
        /// All contradictions.
        findings: Vec<SpecFinding>,
    },
}
