//! Folds constant factors and summands into the layer before them; `MatMul` and a constant `Add`
//! become one dense layer with a bias.

use super::fold::fold_backward;
use super::{Findings, Pass};
use crate::ann::{AnnGraph, Operator};

/// The pass.
pub static PASS: Pass = Pass {
    name: "fold constants",
    summary: "folds constant factors and summands into the dense or convolution layer before them",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    fold_backward(&PASS, graph, |operator| matches!(operator, Operator::Affine(_)))
}
