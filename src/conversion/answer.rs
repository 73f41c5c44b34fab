//! Where a trained network's scores are, and which class they mean.

use crate::snn_convert::ann::operator::ArgMax;
use crate::snn_convert::ann::{AnnGraph, NodeId, Operator, Role};
use crate::snn_convert::fidelity::{class_of, largest};

/// How a network is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The node whose values are the scores: the output, or what the choice of the class at the end
    /// reads.
    pub node: NodeId,
    /// Number of scores.
    pub scores: usize,
    /// What a single score lies above where the class is 1: ½ for a probability, else 0.
    boundary: f64,
}

impl Answer {
    /// How this network is read.
    pub fn of(graph: &AnnGraph) -> Self {
        let mut node = graph.output();
        while let ([operand], Role::Arrangement) = (graph.producers(node), graph.node(node).role())
        {
            node = *operand;
        }
        let shape = |id: NodeId| &graph.node(id).shape;
        match (&graph.node(node).operator, graph.producers(node)) {
            // An index for each of several places is no class of the sample.
            (Operator::ArgMax(ArgMax { axis, .. }), &[operand])
                if shape(operand).extents().get(*axis) == Some(&shape(operand).size()) =>
            {
                Answer { node: operand, scores: shape(operand).size(), boundary: 0.0 }
            }
            (operator, _) => {
                let probability = matches!(operator, Operator::Sigmoid(_));
                let boundary = if probability { 0.5 } else { 0.0 };
                let output = graph.output();
                Answer { node: output, scores: shape(output).size(), boundary }
            }
        }
    }

    /// Number of classes: a single score decides between two.
    pub fn classes(&self) -> usize {
        self.scores.max(2)
    }

    /// The class of the scores, and how far they are from another one.
    pub fn read(&self, scores: &[f64]) -> (usize, f64) {
        match scores {
            &[score] => one_score(score - self.boundary),
            _ => class_and_margin(scores),
        }
    }
}

/// The class of scores that a spiking network gives, and how far they are from another one; a
/// sigmoid at the end is not a part of them.
pub fn class_and_margin(scores: &[f64]) -> (usize, f64) {
    if let &[score] = scores {
        return one_score(score);
    }
    let best = largest(scores);
    let next = scores.iter().enumerate().filter(|(index, _)| *index != best);
    let next = next.map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
    match scores.get(best) {
        Some(score) if next.is_finite() => (best, score - next),
        _ => (best, 0.0),
    }
}

fn one_score(score: f64) -> (usize, f64) {
    (class_of(&[score]), score.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snn_convert::ann::operator::{Dense, Sigmoid};
    use crate::snn_convert::ann::{AnnGraphBuilder, SampleShape};

    fn ending(outputs: usize, end: Operator) -> AnnGraph {
        let mut builder = AnnGraphBuilder::default();
        let input = builder.input("in", SampleShape::new([2]).unwrap()).unwrap();
        let weight = vec![1.0; 2 * outputs];
        let dense = Dense { weight, bias: None, outputs, inputs: 2 };
        let dense = builder.add("scores", Operator::Dense(dense), &[input]).unwrap();
        let last = builder.add("end", end, &[dense]).unwrap();
        builder.finish(&[last]).unwrap()
    }

    #[test]
    fn a_choice_of_the_class_is_read_by_its_scores() {
        for keep_axis in [false, true] {
            let graph = ending(3, Operator::ArgMax(ArgMax { axis: 0, keep_axis }));
            let answer = Answer::of(&graph);
            assert_eq!(graph.node(answer.node).name, "scores");
            assert_eq!([answer.scores, answer.classes()], [3, 3]);
            assert_eq!(answer.read(&[0.5, 2.0, 1.25]), (1, 0.75));
        }
    }

    #[test]
    fn one_score_decides_between_two_classes() {
        let answer = Answer::of(&ending(1, Operator::Sigmoid(Sigmoid)));
        assert_eq!([answer.scores, answer.classes()], [1, 2]);
        assert_eq!([0.25, 0.75].map(|score| answer.read(&[score])), [(0, 0.25), (1, 0.25)]);
        assert_eq!([-0.5, 0.0, 0.5].map(|score| class_and_margin(&[score]).0), [0, 0, 1]);
    }
}
