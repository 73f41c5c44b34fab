//! Trained networks from both of PyTorch's exporters give PyTorch's scores, before and after
//! decluttering.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod golden;

use snn_convert::ann::{AnnGraph, Keep, Operator, Role, evaluate, evaluate_batch};
use snn_convert::declutter::{Outcome, declutter};
use snn_convert::source::onnx;

/// Scores are about 10 in size and sums of up to 784 products of `f32` values, in another order
/// than PyTorch's: rounding of a few 1e-5.
const SCORE_TOLERANCE: f32 = 1e-4;

fn check_scores(name: &str, graph: &AnnGraph, golden: &golden::Golden) {
    let all = evaluate_batch(graph, &golden.samples, Keep::Outputs).unwrap();
    assert_eq!(all.len() * 10, golden.logits.len(), "{name}");
    for (index, (got, expected)) in all.iter().zip(golden.logits.chunks(10)).enumerate() {
        for (got, expected) in got.output().iter().zip(expected) {
            let difference = (got - expected).abs();
            assert!(difference < SCORE_TOLERANCE, "{name}, image {index}: {got} ≠ {expected}");
        }
    }
    let correct = all.iter().zip(&golden.labels).filter(|(a, b)| a.class() == usize::from(**b));
    assert!(correct.count() >= 180, "{name}: every network has at least 90 % on these images");
}

#[test]
fn every_network_gives_the_scores_of_its_framework() {
    let all = golden::all();
    assert!(all.len() >= 7, "the networks are missing: {}", all.len());
    for golden in &all {
        let graph = onnx::read(&golden.onnx).unwrap();
        check_scores(&golden.name, &graph, golden);
        let clean = declutter(&graph).unwrap();
        check_scores(&format!("{} decluttered", golden.name), &clean.graph, golden);
        assert_eq!(clean.plan.lines.len(), graph.len(), "every node has its line in the plan");
        let kept = clean.plan.lines.iter().filter(|line| line.outcome == Outcome::Kept);
        assert_eq!(kept.count(), clean.graph.len(), "{}", clean.plan);
        let left = |(_, node): (_, &snn_convert::ann::Node)| {
            matches!(node.operator, Operator::BatchNormalization(_) | Operator::Affine(_))
        };
        assert!(!clean.graph.nodes().any(left), "{}:\n{}", golden.name, clean.graph);
    }
}

#[test]
fn the_digits_network_has_the_stated_layers() {
    for file in ["digits_cnn/model_ts.onnx", "digits_cnn/model_dynamo.onnx"] {
        let graph = onnx::read(&golden::onnx(file)).unwrap();
        let layers: Vec<String> = graph
            .nodes()
            .map(|(_, node)| format!("{} {}", node.operator.name(), node.shape))
            .collect();
        let expected = [
            "Input 1×8×8",
            "Convolution 12×8×8",
            "Relu 12×8×8",
            "Convolution 24×6×6",
            "Relu 24×6×6",
            "AveragePool 24×3×3",
            "Flatten 216",
            "Dense 10",
        ];
        assert_eq!(layers, expected, "{file}");
        assert_eq!(graph.parameter_count(), 4906);
        assert_eq!(graph.weighted().count(), 3);
        assert_eq!(graph.activations().count(), 2);
        assert_eq!(graph.node(graph.output()).role(), Role::Weighted);
    }
    let graph = onnx::read(&golden::onnx("digits_cnn/model_ts.onnx")).unwrap();
    let convolution = graph.find("/2/Conv").unwrap();
    assert_eq!(graph.activation_after(convolution), graph.find("/3/Relu"));
}

#[test]
fn activations_before_and_after_a_relu_are_there() {
    let golden = &golden::all()[0];
    let graph = onnx::read(&golden.onnx).unwrap();
    let sample = &golden.samples[..graph.input_shape().size()];
    let activations = evaluate(&graph, sample).unwrap();
    for (id, node) in graph.activations() {
        let before = activations.of(graph.producers(id)[0]).unwrap();
        let after = activations.of(id).unwrap();
        assert_eq!(after.len(), node.shape.size());
        assert!(before.iter().any(|&value| value < 0.0));
        assert!(before.iter().zip(after).all(|(before, after)| before.max(0.0) == *after));
    }
}

#[test]
fn results_do_not_depend_on_threads_or_on_the_batch() {
    let golden = &golden::all()[0];
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let samples = &golden.samples[..40 * size];
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| evaluate_batch(&graph, samples, Keep::All)).unwrap();
    let three = pool(3).install(|| evaluate_batch(&graph, samples, Keep::All)).unwrap();
    assert_eq!(one, three);
    for (sample, batched) in samples.chunks(size).zip(&one) {
        assert_eq!(&evaluate(&graph, sample).unwrap(), batched);
    }
    let relu = graph.activations().next().unwrap().0;
    let some = evaluate_batch(&graph, samples, Keep::Nodes(&[relu])).unwrap();
    assert_eq!(some[7].of(relu), one[7].of(relu));
    assert_eq!(some[7].output(), one[7].output());
    assert_eq!(some[7].of(graph.input()), None);
}

#[test]
fn batch_norms_of_the_residual_network_are_folded_by_name() {
    let graph = onnx::read(&golden::onnx("resnet_fashion/model_ts.onnx")).unwrap();
    let clean = declutter(&graph).unwrap();
    let folded = clean.plan.lines.iter().filter(|line| line.operator == "BatchNormalization");
    assert_eq!(folded.clone().count(), 11);
    assert!(folded.clone().all(|line| matches!(line.outcome, Outcome::FoldedInto(_))));
    let line = clean.plan.line("/3/bn1/BatchNormalization").unwrap();
    assert_eq!(line.outcome, Outcome::FoldedInto("/3/conv1/Conv".to_owned()));
    assert!(clean.plan.to_string().contains("folded into `/3/conv1/Conv`"));
}

#[test]
fn samples_of_the_wrong_length_or_with_nan_are_refused() {
    let graph = onnx::read(&golden::onnx("digits_cnn/model_ts.onnx")).unwrap();
    let message = evaluate(&graph, &[0.0; 63]).unwrap_err().to_string();
    assert!(message.contains("63 values") && message.contains("1×8×8 = 64"), "{message}");
    assert!(evaluate_batch(&graph, &[0.0; 65], Keep::Outputs).is_err());
    let mut sample = [0.0; 64];
    sample[5] = f32::NAN;
    let message = evaluate(&graph, &sample).unwrap_err().to_string();
    assert!(message.contains("value 5"), "{message}");
}
