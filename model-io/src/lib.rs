//! Readers and writers of the files that spiking networks live in.
//!
//! * [`hdf5`]: typed, bounded access to HDF5 containers (the only module that names the library);
//! * [`nir`]: graphs of the Neuromorphic Intermediate Representation;
//! * [`sonata`]: spike recordings in the SONATA layout;
//! * [`edges`]: synapses and spikes from SONATA, npz and CSV files;
//! * [`npz`]: numpy arrays and archives;
//! * [`network_file`]: networks written by hand in TOML, with errors that point into the file;
//! * [`checkpoint`]: everything that a run needs to go on, whole and checksummed;
//! * [`spool`]: recordings in progress; [`recording`]: the files that are made from them;
//! * [`sniff`]: what a file is, by its content;
//! * [`atomic`]: output files that are written whole or not at all.
//!
//! Every reader takes files from strangers: sizes are checked before memory is asked for, and what
//! is wrong is named with its place inside the file.
pub mod array;
pub mod atomic;
pub mod checkpoint;
pub mod edges;
pub mod hdf5;
pub mod network_file;
pub mod nir;
pub mod npz;
pub mod recording;
pub mod sniff;
pub mod sonata;
pub mod spool;
