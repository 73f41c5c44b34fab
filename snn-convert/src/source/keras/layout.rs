//! Values in Keras' order and in ours.

use super::config::Refusal;
use crate::ann::operator::{Operator, Reshape, Transpose};
use crate::ann::{AnnError, AnnGraphBuilder, NodeId, SampleShape};

/// The network under construction.
pub struct Network<'a> {
    /// The graph so far; values lie with the channels first.
    pub graph: AnnGraphBuilder,
    /// The layer that is being added.
    pub layer: &'a str,
    /// Which of several uses of the layer this is.
    pub uses: usize,
}

impl Network<'_> {
    /// Adds operators one after the other; the last takes the layer's name.
    pub fn chain(
        &mut self,
        input: NodeId,
        operators: impl IntoIterator<Item = Operator>,
    ) -> Result<NodeId, Refusal> {
        let operators: Vec<Operator> = operators.into_iter().collect();
        let count = operators.len();
        let mut last = input;
        for (number, operator) in operators.into_iter().enumerate() {
            let part = (number + 1 < count).then_some(number + 1);
            last = self.add(part, operator, &[last])?;
        }
        Ok(last)
    }

    /// Adds one operator of the layer: a part of it, or the last.
    pub fn add(
        &mut self,
        part: Option<usize>,
        operator: Operator,
        inputs: &[NodeId],
    ) -> Result<NodeId, AnnError> {
        let mut name = self.layer.to_owned();
        if self.uses > 1 {
            name = format!("{name}#{}", self.uses);
        }
        if let Some(part) = part {
            name = format!("{name} [{part}]");
        }
        while self.graph.contains(&name) {
            name.push('\'');
        }
        self.graph.add(name, operator, inputs)
    }

    /// The shape of a value, channels first.
    pub fn shape(&self, id: NodeId) -> Result<SampleShape, Refusal> {
        match self.graph.shape(id) {
            Some(shape) => Ok(shape.clone()),
            None => Err(Refusal::Unsupported("a value that exists".to_owned())),
        }
    }
}

/// The operators that bring values from the channels-first order to Keras' order.
pub fn to_keras(shape: &SampleShape) -> Vec<Operator> {
    match shape.rank() {
        0 | 1 => Vec::new(),
        rank => vec![Transpose::channels_last(rank).into()],
    }
}

/// The operators that bring values in Keras' order to the channels-first order.
pub fn from_keras(shape: &SampleShape) -> Vec<Operator> {
    match shape.rank() {
        0 | 1 => Vec::new(),
        rank => vec![Transpose::channels_first(rank).into()],
    }
}

/// Extents in Keras' order.
pub fn keras_extents(shape: &SampleShape) -> Vec<usize> {
    match shape.extents().split_first() {
        Some((&channels, rest)) => rest.iter().copied().chain([channels]).collect(),
        None => Vec::new(),
    }
}

/// Our axis for an axis of Keras, which counts the batch (0); negative ones count from the end.
pub fn our_axis(axis: i64, rank: usize) -> Option<usize> {
    let positive = if axis < 0 { axis.checked_add(rank as i64 + 1)? } else { axis };
    let keras = usize::try_from(positive).ok()?.checked_sub(1).filter(|&axis| axis < rank)?;
    Some(if keras + 1 == rank { 0 } else { keras + 1 })
}

/// Other extents, in Keras' order.
pub fn reshaped(from: &SampleShape, to: &SampleShape) -> Vec<Operator> {
    let mut operators = to_keras(from);
    operators.push(Reshape { shape: to.clone() }.into());
    operators.extend(from_keras(to));
    operators
}
