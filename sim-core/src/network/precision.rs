//! How accurately a network is computed.

use serde::{Deserialize, Serialize};

/// How synapses are stored and how the clock-driven engine computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 64-bit floats throughout.
    #[default]
    Double,
    /// Neurons in 32-bit floats and weights as 16-bit integers, where the model has such a form and
    /// all its synapses do; else as in double precision.
    Single,
}

impl Precision {
    /// Both, the faster one first.
    pub const ALL: [Precision; 2] = [Precision::Single, Precision::Double];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Double => "double",
            Precision::Single => "single",
        }
    }
}
