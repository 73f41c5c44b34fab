//! Folds batch normalisation into the layer before it.
//!
//! `W' = g W`, `b' = g (b − mean) + offset` a channel, with `g = scale / √(variance + epsilon)`.

use super::fold::fold_backward;
use super::{Findings, Pass};
use crate::ann::{AnnGraph, Operator};

/// The pass.
pub static PASS: Pass = Pass {
    name: "fold batch normalisation",
    summary: "folds batch normalisation into the dense or convolution layer before it",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    fold_backward(&PASS, graph, |operator| matches!(operator, Operator::BatchNormalization(_)))
}
