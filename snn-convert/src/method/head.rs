//! A part of the trained network that stays in float behind the part that becomes spikes.
//!
//! What the spiking part's last layer says are then no scores of classes yet: searches must ask what
//! the head makes of it.

use super::sensitivity::walk_back;
use crate::ann::{AnnError, AnnGraph, Keep, NodeId, evaluate_keeping, evaluate_output};
use crate::declutter::declutter;
use crate::structure::{Origin, Structure, Unit, structure};

/// Step of differences, as a part of the largest value.
const STEP: f32 = 1e-2;

/// The float part behind a network that is converted.
#[derive(Debug, Clone)]
pub struct FloatHead {
    /// The head in normal form, without a softmax or the choice of a class at its end.
    graph: AnnGraph,
    /// Its units; a head may have nodes that have none.
    structure: Option<Structure>,
}

impl FloatHead {
    /// A head; its input is what the part before it reads out.
    ///
    /// # Errors
    /// [`AnnError`] where folding fails, naming the node.
    pub fn new(graph: &AnnGraph) -> Result<Self, AnnError> {
        let graph = declutter(graph)?.graph;
        let structure = structure(&graph).ok();
        Ok(FloatHead { graph, structure })
    }

    /// The scores of the classes for what the part before reads out.
    ///
    /// # Errors
    /// [`AnnError`] where the values are not finite or not as many as the head takes.
    pub fn scores(&self, values: &[f32]) -> Result<Vec<f32>, AnnError> {
        evaluate_output(&self.graph, values)
    }

    /// Number of scores.
    pub fn outputs(&self) -> usize {
        self.graph.node(self.graph.output()).shape.size()
    }

    /// Derivatives of the sum of scores times `signs` by each of the values.
    ///
    /// Exact where all of the head has units; else differences, one evaluation a value. Zero where
    /// the head does not evaluate.
    pub(super) fn slopes(&self, values: &[f32], signs: &[f64]) -> Vec<f64> {
        let slopes = match &self.structure {
            Some(structure) => self.walked(&structure.units, values, signs),
            None => self.differences(values, signs),
        };
        slopes.unwrap_or_else(|_| vec![0.0; values.len()])
    }

    fn walked(&self, units: &[Unit], values: &[f32], signs: &[f64]) -> Result<Vec<f64>, AnnError> {
        let nodes: Vec<NodeId> = units.iter().map(|unit| unit.node).collect();
        let kept = evaluate_keeping(&self.graph, values, Keep::Nodes(&nodes))?;
        let of = |node: &NodeId| kept.of(*node).unwrap_or_default();
        let activations: Vec<&[f32]> = nodes.iter().map(of).collect();
        let mut slopes: Vec<Vec<f64>> =
            units.iter().map(|unit| vec![0.0; unit.shape.size()]).collect();
        if let Some(last) = slopes.last_mut() {
            *last = signs.to_vec();
        }
        let mut input = vec![0.0; values.len()];
        for (index, unit) in units.iter().enumerate().rev() {
            let own = std::mem::take(&mut slopes[index]);
            for branch in &unit.branches {
                let (inputs, sums) = match branch.origin {
                    Origin::Input => (values, &mut input),
                    Origin::Unit(source) => (activations[source], &mut slopes[source]),
                };
                walk_back(unit, branch, &own, [activations[index], inputs], sums);
            }
        }
        Ok(input)
    }

    fn differences(&self, values: &[f32], signs: &[f64]) -> Result<Vec<f64>, AnnError> {
        let sum = |values: &[f32]| -> Result<f64, AnnError> {
            let scores = evaluate_output(&self.graph, values)?;
            Ok(scores.iter().zip(signs).map(|(&score, sign)| f64::from(score) * sign).sum())
        };
        let largest = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let step = if largest > 0.0 { STEP * largest } else { STEP };
        let mut moved = values.to_vec();
        let mut slopes = Vec::with_capacity(values.len());
        for (place, &value) in values.iter().enumerate() {
            moved[place] = value + step;
            let above = sum(&moved)?;
            moved[place] = value - step;
            let below = sum(&moved)?;
            moved[place] = value;
            slopes.push((above - below) / f64::from(2.0 * step));
        }
        Ok(slopes)
    }

    /// Whether derivatives take an evaluation for each value.
    pub(super) fn has_costly_slopes(&self) -> bool {
        self.structure.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::FloatHead;
    use crate::ann::operator::{Dense, Relu};
    use crate::ann::{AnnGraphBuilder, Operator, SampleShape};

    #[test]
    fn slopes_by_units_and_by_differences_agree() {
        let mut builder = AnnGraphBuilder::default();
        let input = builder.input("in", SampleShape::new([3]).unwrap()).unwrap();
        let weight = vec![1.0, -2.0, 0.5, 0.25, 1.0, -1.0];
        let first = Dense { weight, bias: Some(vec![0.1, -0.2]), outputs: 2, inputs: 3 };
        let hidden = builder.add("a", Operator::Dense(first), &[input]).unwrap();
        let relu = builder.add("r", Operator::Relu(Relu), &[hidden]).unwrap();
        let last = Dense { weight: vec![1.0, 2.0, -1.0, 0.5], bias: None, outputs: 2, inputs: 2 };
        let last = builder.add("b", Operator::Dense(last), &[relu]).unwrap();
        let head = FloatHead::new(&builder.finish(&[last]).unwrap()).unwrap();
        let (values, signs) = ([0.9, 0.2, 0.3], [1.0, -1.0]);
        assert_eq!(head.outputs(), 2);
        let walked = head.slopes(&values, &signs);
        let differences = head.differences(&values, &signs).unwrap();
        // The first hidden value is 0.75, the second −0.075: only the first passes on.
        for ((walked, differed), by_hand) in walked.iter().zip(&differences).zip([2.0, -4.0, 1.0]) {
            assert!((walked - by_hand).abs() < 1e-12, "{walked} {by_hand}");
            assert!((differed - by_hand).abs() < 1e-3, "{differed} {by_hand}");
        }
    }
}
