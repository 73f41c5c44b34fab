//! Distributions and functions of distance: what stands in place of a number that differs from
//! neuron to neuron or from synapse to synapse.
//!
//! A distribution is one file with a type, its `ENTRY` and a line in [`DISTRIBUTIONS`]. Files write
//! it as a table with its name: `{ normal = { mean = "87.8 pA", std = "8.78 pA", clip_low = "0 pA" } }`.
//!
//! Every draw is a function of the network's seed, of what it is for and of the neuron or synapse it
//! is for, never of the order in which threads ask.
//!
//! ```
//! use sim_core::distribution::{Bounds, Normal};
//! use sim_core::units::{Picoamperes, Values};
//!
//! let weight: Values = Normal {
//!     mean: Picoamperes(87.8).into(),
//!     std: Picoamperes(8.78).into(),
//!     bounds: Bounds::clip_low(Picoamperes(0.0)),
//! }
//! .into();
//! assert_eq!(weight.dimension(), sim_core::units::Dimension::Current);
//! ```

/// The keys of a distribution with bounds: those of its parameters and of [`Bounds`], side by side.
///
/// A flattened [`Bounds`] would be read through a buffer, in which the places of errors are lost.
macro_rules! bounded_keys {
    ($name:ident { $($key:ident: $type:ty),* }) => {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            $($key: $type,)*
            clip_low: Option<Quantity>,
            clip_high: Option<Quantity>,
            redraw_low: Option<Quantity>,
            redraw_high: Option<Quantity>,
        }

        impl From<Keys> for $name {
            fn from(keys: Keys) -> Self {
                let Keys { clip_low, clip_high, redraw_low, redraw_high, .. } = keys;
                let bounds = Bounds { clip_low, clip_high, redraw_low, redraw_high };
                $name { $($key: keys.$key,)* bounds }
            }
        }
    };
}

mod bounds;
mod exponential;
mod exponential_of_distance;
mod gamma;
mod gaussian_of_distance;
mod linear_of_distance;
mod lognormal;
mod normal;
mod uniform;

pub use bounds::Bounds;
pub use exponential::Exponential;
pub use exponential_of_distance::ExponentialOfDistance;
pub use gamma::Gamma;
pub use gaussian_of_distance::GaussianOfDistance;
pub use linear_of_distance::LinearOfDistance;
pub use lognormal::Lognormal;
pub use normal::Normal;
pub use uniform::Uniform;

use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::{Dimension, Quantity, Values};
use std::sync::Arc;

/// A distribution in the registry.
#[derive(Debug, Clone, Copy)]
pub struct DistributionEntry {
    /// Name in files.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its keys in files.
    pub keys: &'static [&'static str],
    /// Whether it is a function of the distance between the ends of a synapse.
    pub of_distance: bool,
}

/// What a distribution is asked before it is drawn from.
pub trait Describe {
    /// Its quantities by key; all measure what is drawn.
    fn quantities(&self) -> Vec<(&'static str, Quantity)>;

    /// The law in base units, or what is wrong with its parameters.
    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>>;
}

/// A distribution in base units.
pub trait Law: std::fmt::Debug + Send + Sync {
    /// Draws a number; `distance` is that between the ends of a synapse (0 for neurons).
    fn draw(&self, stream: &mut Stream, distance: f64) -> f64;

    /// Draws for all synapses of a row: that at position p may use the stream `row.of_position(p)` and
    /// its share of `row`'s batch, and has the ends `distance(p)` apart.
    fn draw_row(&self, row: &Stream, distance: &dyn Fn(usize) -> f64, drawn: &mut [f64]) {
        for (position, drawn) in drawn.iter_mut().enumerate() {
            *drawn = self.draw(&mut row.of_position(position), distance(position));
        }
    }

    /// Between which numbers all draws lie.
    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

macro_rules! distributions {
    ($($(#[$attribute:meta])* $variant:ident = $module:ident::$type:ident,)*) => {
        /// A distribution or a function of distance, with its parameters.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Distribution {
            $($(#[$attribute])* $variant($module::$type),)*
        }

        /// All distributions, in the order in which lists show them.
        pub static DISTRIBUTIONS: &[&DistributionEntry] = &[$(&$module::ENTRY,)*];

        impl Distribution {
            /// Its entry in the registry.
            pub fn entry(&self) -> &'static DistributionEntry {
                match self {
                    $(Distribution::$variant(_) => &$module::ENTRY,)*
                }
            }

            fn describe(&self) -> &dyn Describe {
                match self {
                    $(Distribution::$variant(distribution) => distribution,)*
                }
            }

            /// Reads the parameters of the distribution with this name from the value of a map;
            /// `None` where there is no such distribution.
            pub(crate) fn read<'de, A: serde::de::MapAccess<'de>>(
                name: &str,
                map: &mut A,
            ) -> Result<Option<Self>, A::Error> {
                $(if name == $module::ENTRY.name {
                    return map.next_value().map(|read| Some(Distribution::$variant(read)));
                })*
                Ok(None)
            }
        }

        $(impl From<$module::$type> for Distribution {
            fn from(distribution: $module::$type) -> Self {
                Distribution::$variant(distribution)
            }
        }

        impl From<$module::$type> for Values {
            fn from(distribution: $module::$type) -> Self {
                Values::Drawn(distribution.into())
            }
        })*
    };
}

distributions! {
    /// A normal distribution, clipped or drawn again outside bounds.
    Normal = normal::Normal,
    /// The exponential of a normal distribution.
    Lognormal = lognormal::Lognormal,
    /// Equally likely between two bounds.
    Uniform = uniform::Uniform,
    /// An exponential distribution.
    Exponential = exponential::Exponential,
    /// A gamma distribution.
    Gamma = gamma::Gamma,
    /// A straight line over distance.
    LinearOfDistance = linear_of_distance::LinearOfDistance,
    /// A decaying exponential over distance.
    ExponentialOfDistance = exponential_of_distance::ExponentialOfDistance,
    /// A Gaussian bell over distance.
    GaussianOfDistance = gaussian_of_distance::GaussianOfDistance,
}

/// Parameters stay below this, so that no draw overflows.
const LARGEST: f64 = 1e100;

impl Distribution {
    /// The unit of what is drawn.
    pub fn dimension(&self) -> Dimension {
        let first = self.describe().quantities().first().map(|(_, quantity)| quantity.unit);
        first.map_or(Dimension::Number, |unit| unit.dimension)
    }

    /// The law in base units; what is wrong goes to the findings.
    pub fn lower(&self, dimension: Dimension, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        let name = self.entry().name;
        let mut fits = true;
        findings.within(name, |findings| {
            for (key, quantity) in self.describe().quantities() {
                if quantity.unit.dimension != dimension {
                    let found = quantity.unit.dimension.name();
                    let message = format!("this is {found}, expected {}", dimension.name());
                    findings.wrong("wrong-unit", key, message, unit_help(dimension));
                    fits = false;
                } else if !quantity.in_base().is_finite() || quantity.in_base().abs() >= LARGEST {
                    let message = format!("`{key}` is {}", quantity.value);
                    let help = format!("give a finite number below {LARGEST:e}");
                    findings.wrong("not-finite", key, message, help);
                    fits = false;
                }
            }
            if fits { self.describe().law(findings) } else { None }
        })
    }
}

/// What to do about a wrong unit.
pub(crate) fn unit_help(dimension: Dimension) -> String {
    match dimension {
        Dimension::Number => "write a plain number".to_string(),
        other => format!("give it a unit, for example \"1 {}\"", other.base_unit()),
    }
}

/// Reports a number that is not above zero (or, where zero is allowed, below it).
fn check_positive(findings: &mut Findings<'_>, key: &str, value: f64, zero_allowed: bool) -> bool {
    let fits = value.is_finite() && (value > 0.0 || (zero_allowed && value == 0.0));
    if !fits {
        let allowed = if zero_allowed { "zero or above" } else { "above zero" };
        let message = format!("`{key}` is {value}");
        findings.wrong("out-of-range", key, message, format!("it must be {allowed}"));
    }
    fits
}

#[cfg(test)]
mod tests;
