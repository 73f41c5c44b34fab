//! The typed graph of a trained network, its shapes and its float reference evaluation.
//!
//! A graph describes what happens to **one sample**: the batch axis of the file it came from is
//! gone. Nodes lie in topological order, so a loop over [`AnnGraph::nodes`] always meets a node
//! after everything it reads. Shapes are inferred and checked once, when a node is added; a graph
//! that exists fits together.
//!
//! # Example
//! ```
//! use snn_convert::ann::operator::{Dense, Relu};
//! use snn_convert::ann::{AnnGraphBuilder, SampleShape, evaluate};
//!
//! let mut builder = AnnGraphBuilder::default();
//! let input = builder.input("pixels", SampleShape::new([2])?)?;
//! let weight = vec![1.0, 2.0, 3.0, -4.0];
//! let layer = Dense { weight, bias: Some(vec![0.5, 0.0]), outputs: 2, inputs: 2 };
//! let dense = builder.add("hidden", layer, &[input])?;
//! let relu = builder.add("rectified", Relu, &[dense])?;
//! let graph = builder.finish(&[relu])?;
//!
//! let activations = evaluate(&graph, &[1.0, 1.0])?;
//! assert_eq!(activations.output(), [3.5, 0.0]);
//! assert_eq!(activations.of(dense), Some(&[3.5, -1.0][..]));
//! assert_eq!(graph.activation_after(dense), Some(relu));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
pub mod error;
pub mod evaluate;
pub mod graph;
pub mod operator;
pub mod shape;

pub use error::{AnnError, Misfit};
pub use evaluate::{
    Activations, Keep, evaluate, evaluate_batch, evaluate_keeping, evaluate_output, map_batch,
};
pub use graph::{AnnGraph, AnnGraphBuilder, Edit, Node, NodeId, Step, StepInput};
pub use operator::{Operation, Operator, Role};
pub use shape::SampleShape;
