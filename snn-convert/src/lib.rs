//! Spikeloom's converter: trained networks in, spiking networks out.
//!
//! One way, each stage a type: a [front end](source) reads a file into an [`ann::AnnGraph`];
//! [`declutter`] brings it into normal form; [`structure`] finds what will spike; [`calibrate`]
//! looks at it on samples; a [`method`] chooses scales; [`lower`] writes the description;
//! [`fidelity`] measures what came out.
pub mod ann;
pub mod calibrate;
pub mod coding;
pub mod convert;
pub mod declutter;
pub mod fidelity;
pub mod layerwise;
pub mod linear;
pub mod lower;
pub mod method;
pub mod source;
pub mod structure;
pub mod threshold;
