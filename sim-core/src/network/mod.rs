//! **The description**: what a network is, without a word on engines, chips or file formats.
//!
//! A [`Network`] holds named populations of neurons, projections (synapses) between them, stimuli
//! and probes. It is plain data: build it in Rust, write it by hand in TOML, or let a converter
//! make it. Names connect the parts; nothing is checked until [`validate`](Network::validate), which
//! returns **all** problems or a [`ValidNetwork`] that every later stage relies on.
//!
//! # What the description says that other tools leave open
//! * **Spike condition**: at or above the threshold (NEST, Arbor) or strictly above (NIR, Lava).
//! * **Reset**: to a stated value, or by subtracting the threshold (soft reset).
//! * **Input in the refractory time**: lost or integrated.
//! * **Time**: a model lives in continuous time, or stepwise: its threshold is checked once a step,
//!   at the step's end, after the input of that step has been added.
//! * **Units**: every quantity carries one; the model says what it expects. A weight has the unit of
//!   the receptor it acts on: mV (jump of the potential), pA (jump of the current) or none.
//! * **Delay**: a spike dated t acts at t + delay; delays are whole steps, at least one.
//!
//! ```
//! use sim_core::network::{Network, Neuron, OneToOne, Population, Projection};
//! use sim_core::neuron::lif_delta::LifDelta;
//! use sim_core::units::{Milliseconds, Millivolts};
//!
//! let mut network = Network::new("pair", Milliseconds(0.1));
//! network.add_population("sender", Population::new(1, Neuron::spike_source()));
//! network.add_population("receiver", Population::new(1, LifDelta::default()));
//! network.add_projection(
//!     "wire",
//!     Projection::new("sender", "receiver", OneToOne)
//!         .weight(Millivolts(16.0))
//!         .delay(Milliseconds(1.5)),
//! );
//! let valid = network.validate().unwrap();
//! assert_eq!(valid.neuron_count(), 2);
//! ```

pub mod convolution;
mod hash;
mod plasticity;
mod population;
pub mod positions;
mod precision;
mod probe;
mod projection;
pub mod shape;
mod validate;

pub use convolution::{Convolution, ConvolutionSynapse};
pub use hash::NetworkHash;
pub use plasticity::Plasticity;
pub use population::{Neuron, Population, RefractoryInput, Reset, SpikeCondition};
pub use positions::{GridPositions, ListPositions, Positions, RandomPositions};
pub use precision::Precision;
pub use probe::Probe;
pub use projection::Projection;
pub use shape::Shape;
pub use validate::{
    Context, ValidDelays, ValidNetwork, ValidPlasticity, ValidPopulation, ValidProbe,
    ValidProjection, ValidStimulus, ValidWeightProbe, ValidWeights, Validated,
};

pub use crate::stimulus::{
    AlternatingCurrent, ConstantCurrent, GammaTrain, Modulation, NoiseCurrent, Poisson,
    PoissonDrive, RegularTrain, SpikeFile, SpikeList, StepCurrent, Stimulus,
};

pub use crate::connectivity::{
    AllToAll, Connectivity, Csr, Dense, EdgeFile, FixedInDegree, FixedOutDegree, FixedProbability,
    FixedTotal, List, Mask, OneToOne, SmallWorld, Spatial,
};

use crate::diagnostics::Problems;
use crate::units::Quantity;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A network: populations, projections, stimuli and probes by name, in the order they were given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Name of the network, for reports.
    #[serde(default)]
    pub name: String,
    /// The step of the time grid: delays are whole steps, stepwise models advance by one.
    pub dt: Quantity,
    /// Seed of every random draw (connectivity, Poisson sources).
    #[serde(default)]
    pub seed: u64,
    /// How accurately it is to be computed; none: as the engine does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Populations of neurons.
    #[serde(default)]
    pub populations: IndexMap<String, Population>,
    /// Synapses from one population to another.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub projections: IndexMap<String, Projection>,
    /// What drives the network from outside.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub stimuli: IndexMap<String, Stimulus>,
    /// What is recorded.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub probes: IndexMap<String, Probe>,
}

impl Network {
    /// An empty network with a time step.
    pub fn new(name: impl Into<String>, dt: impl Into<Quantity>) -> Self {
        Network {
            name: name.into(),
            dt: dt.into(),
            seed: 0,
            precision: None,
            populations: IndexMap::new(),
            projections: IndexMap::new(),
            stimuli: IndexMap::new(),
            probes: IndexMap::new(),
        }
    }

    /// Adds a population; one of the same name is replaced.
    pub fn add_population(&mut self, name: impl Into<String>, population: Population) {
        self.populations.insert(name.into(), population);
    }

    /// Adds a projection; one of the same name is replaced.
    pub fn add_projection(&mut self, name: impl Into<String>, projection: Projection) {
        self.projections.insert(name.into(), projection);
    }

    /// Adds a stimulus; one of the same name is replaced.
    pub fn add_stimulus(&mut self, name: impl Into<String>, stimulus: Stimulus) {
        self.stimuli.insert(name.into(), stimulus);
    }

    /// Adds a probe; one of the same name is replaced.
    pub fn add_probe(&mut self, name: impl Into<String>, probe: Probe) {
        self.probes.insert(name.into(), probe);
    }

    /// Checks everything and resolves names, units and rules.
    ///
    /// # Errors
    /// All [`Problems`] of the network at once, warnings included, if any of them is an error.
    pub fn validate(&self) -> Result<ValidNetwork, Problems> {
        validate::validate(self)
    }
}
