//! **Spikeloom**: one description of a spiking network for simulation, conversion and chips.
//!
//! ```
//! use std::sync::Arc;
//! use spikeloom::sim_core::connectome::CompileConfig;
//! use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
//! use spikeloom::sim_core::network::{OneToOne, Network, Population, Probe, Projection, Stimulus};
//! use spikeloom::sim_core::neuron::lif_exponential::LifExponential;
//! use spikeloom::sim_core::time::Time;
//! use spikeloom::sim_core::units::{Milliseconds, Picoamperes};
//!
//! // 1. Describe.
//! let mut network = Network::new("two cells", Milliseconds(0.1));
//! network.add_population("first", Population::new(1, LifExponential::default()));
//! network.add_population("second", Population::new(1, LifExponential::default()));
//! network.add_projection(
//!     "first to second",
//!     Projection::new("first", "second", OneToOne)
//!         .weight(Picoamperes(3000.0))
//!         .delay(Milliseconds(1.5)),
//! );
//! let drive = Stimulus::constant_current("first", Picoamperes(500.0), Milliseconds(0.0));
//! network.add_stimulus("drive", drive);
//! network.add_probe("spikes", Probe::spikes("second"));
//!
//! // 2. Validate: all problems at once. 3. Compile. 4. Run, on either engine.
//! let valid = network.validate()?;
//! let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED)?);
//! for name in ["clock", "event"] {
//!     let start = find_engine(name).expect("both engines are in the list").start;
//!     let mut engine = start(compiled.clone(), EngineConfig::default())?;
//!     engine.run(Time::from_milliseconds(100.0).expect("within reach"), &mut |_| true)?;
//!     assert_eq!(engine.recording().spikes.len(), 6);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way from a trained network to a chip is in [`pipeline`]; [`demo`] walks all of it.
//! The crates behind this one: [`sim_core`] (description, connectome, engines), [`snn_convert`]
//! (trained networks to spiking ones), [`loihi_export`] (integers, cores, budgets), [`model_io`]
//! (files).

pub mod analysis;
pub mod bench;
pub mod conversion;
pub mod data;
pub mod demo;
pub mod error;
pub mod exports;
pub mod fixed_point;
pub mod imports;
pub mod inspect;
pub mod listing;
pub mod lists;
pub mod mapping_plan;
pub mod mapping_report;
pub mod memory;
pub mod models;
pub mod nest;
pub mod network_files;
pub mod pipeline;
pub mod prediction;
pub mod progress;
pub mod quantisation;
pub mod recordings;
pub mod report;
pub mod simulate;
pub mod synapses;
pub mod verify;
pub mod window;

pub use {loihi_export, model_io, sim_core, snn_convert};

/// The README's Rust example is tested too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
