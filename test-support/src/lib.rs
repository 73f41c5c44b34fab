//! Generators, slow obvious reference simulators, closed forms and named tolerances for
//! Spikeloom's tests.
//!
//! Nothing here shares code with the engines: the references restate each model from its
//! documentation with plain loops, so that agreement means something.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code: a failed expectation is a failed test"
)]

pub mod closed_form;
pub mod generate;
pub mod reference;
pub mod suite;
pub mod tolerance;
