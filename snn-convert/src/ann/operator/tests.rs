//! Each operator against a tiny case computed by hand.

use super::window::Window;
use super::*;
use crate::ann::{AnnError, AnnGraph, AnnGraphBuilder, evaluate_output};

fn shape(extents: &[usize]) -> SampleShape {
    SampleShape::new(extents).unwrap()
}

fn single(extents: &[usize], operator: impl Into<Operator>) -> Result<AnnGraph, AnnError> {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", shape(extents))?;
    let node = builder.add("node", operator, &[input])?;
    builder.finish(&[node])
}

fn apply(extents: &[usize], operator: impl Into<Operator>, values: &[f32]) -> (String, Vec<f32>) {
    let graph = single(extents, operator).unwrap();
    let output = evaluate_output(&graph, values).unwrap();
    (graph.node(graph.output()).shape.to_string(), output)
}

fn refusal(extents: &[usize], operator: impl Into<Operator>) -> String {
    single(extents, operator).unwrap_err().to_string()
}

fn picture() -> Vec<f32> {
    (1..=9).map(|n| n as f32).collect()
}

#[test]
fn dense_multiplies_rows_and_adds_the_bias() {
    let weight = vec![1.0, 2.0, 3.0, -1.0, 0.5, 0.0];
    let dense = Dense { weight, bias: Some(vec![10.0, -1.0]), outputs: 2, inputs: 3 };
    assert_eq!(apply(&[3], dense, &[1.0, 2.0, 4.0]), ("2".into(), vec![27.0, -1.0]));
}

#[test]
fn dense_of_more_than_one_vector_width_sums_all_products() {
    let dense = Dense { weight: vec![1.0; 21], bias: None, outputs: 1, inputs: 21 };
    let values: Vec<f32> = (0..21).map(|n| n as f32).collect();
    assert_eq!(apply(&[21], dense, &values).1, [210.0]);
}

#[test]
fn dense_says_what_would_fit() {
    let dense = |n| Dense { weight: vec![0.0; n], bias: None, outputs: 2, inputs: 3 };
    let message = refusal(&[1, 3, 1], dense(6));
    assert!(message.contains("node `node` (Dense, input 1×3×1)"), "{message}");
    assert!(message.contains("list of 3 features") && message.contains("flatten"), "{message}");
    let message = refusal(&[3], dense(5));
    assert!(message.contains("weight has 5 elements; 6 are needed"), "{message}");
}

#[test]
fn weights_that_are_not_finite_are_reported_with_their_place() {
    let mut weight = vec![0.0; 6];
    weight[4] = f32::NAN;
    let message = refusal(&[3], Dense { weight, bias: None, outputs: 2, inputs: 3 });
    assert!(message.contains("weight holds NaN at element 4"), "{message}");
}

fn convolution(weight: Vec<f32>, channels: usize, window: Window, groups: usize) -> Convolution {
    Convolution { weight, bias: None, channels, window, groups }
}

#[test]
fn convolution_with_stride_padding_and_bias() {
    let mut window = Window::new([2, 2], [2, 2]);
    window.padding = [1, 1, 0, 0];
    let mut layer = convolution(vec![1.0, 10.0, 100.0, 1000.0], 1, window, 1);
    layer.bias = Some(vec![0.5]);
    // Windows of the picture 1..9 with a row and column of zeros before it.
    let expected = vec![1000.5, 3200.5, 7040.5, 9865.5];
    assert_eq!(apply(&[1, 3, 3], layer, &picture()), ("1×2×2".into(), expected));
}

#[test]
fn convolution_equals_its_definition_for_groups_and_dilation() {
    let window = Window {
        kernel: [3, 2],
        stride: [1, 2],
        padding: [1, 0, 2, 1],
        dilation: [1, 2],
        round_up: false,
    };
    let weight: Vec<f32> = (0..6 * 2 * 6).map(|n| ((n * 7) % 11) as f32 - 5.0).collect();
    let layer = convolution(weight.clone(), 6, window, 2);
    let input = shape(&[4, 5, 6]);
    let geometry = layer.geometry(&input).unwrap();
    let values: Vec<f32> = (0..120).map(|n| ((n * 5) % 13) as f32 - 6.0).collect();
    let mut expected = vec![0.0_f32; 6 * 6 * 3];
    for (source, value) in values.iter().enumerate() {
        geometry.for_each_target(source as u32, |synapse| {
            expected[synapse.target as usize] += value * weight[synapse.weight as usize];
        });
    }
    // Small integers: all sums are exact, whatever their order.
    assert_eq!(apply(&[4, 5, 6], layer, &values), ("6×6×3".into(), expected));
}

#[test]
fn convolution_says_what_would_fit() {
    let message = refusal(&[9], convolution(vec![0.0; 4], 1, Window::new([2, 2], [1, 1]), 1));
    assert!(message.contains("a picture"), "{message}");
    let message =
        refusal(&[1, 3, 3], convolution(vec![0.0; 16], 1, Window::new([4, 4], [1; 2]), 1));
    assert!(message.contains("at least 4 rows"), "{message}");
    let message = refusal(&[3, 3, 3], convolution(vec![0.0; 4], 2, Window::new([1, 1], [1; 2]), 2));
    assert!(message.contains("3 source channels cannot be cut into 2 groups"), "{message}");
    let message = refusal(&[1, 3, 3], convolution(vec![0.0; 4], 1, Window::new([2, 2], [0, 1]), 1));
    assert!(message.contains("stride is [0, 1]"), "{message}");
    let message = refusal(&[1, 3, 3], convolution(vec![0.0; 3], 1, Window::new([2, 2], [1; 2]), 1));
    assert!(message.contains("weight has 3 elements; 4 are needed"), "{message}");
}

#[test]
fn relu_and_clip_limit_each_value() {
    let values = [-2.0, 0.5, 7.0];
    assert_eq!(apply(&[3], Relu, &values).1, [0.0, 0.5, 7.0]);
    assert_eq!(apply(&[3], Clip { minimum: 0.0, maximum: 6.0 }, &values).1, [0.0, 0.5, 6.0]);
    let message = refusal(&[3], Clip { minimum: 1.0, maximum: 0.0 });
    assert!(message.contains("range is 1 to 0"), "{message}");
    assert!(single(&[3], Clip { minimum: f32::NAN, maximum: 0.0 }).is_err());
}

#[test]
fn average_pool_drops_what_does_not_fill_a_window() {
    let pool = AveragePool { window: Window::new([2, 2], [2, 2]), count_padding: true };
    assert_eq!(apply(&[1, 3, 3], pool, &picture()), ("1×1×1".into(), vec![3.0]));
}

#[test]
fn average_pool_counts_padding_or_not() {
    let mut window = Window::new([2, 2], [2, 2]);
    window.padding = [1, 1, 0, 0];
    let counted = AveragePool { window: window.clone(), count_padding: true };
    let expected = vec![0.25, 1.25, 2.75, 7.0];
    assert_eq!(apply(&[1, 3, 3], counted, &picture()).1, expected);
    let ignored = AveragePool { window, count_padding: false };
    assert_eq!(apply(&[1, 3, 3], ignored, &picture()).1, [1.0, 2.5, 5.5, 7.0]);
}

#[test]
fn average_pool_that_rounds_up_divides_by_real_cells() {
    let window = Window { round_up: true, ..Window::new([2, 2], [2, 2]) };
    let pool = AveragePool { window, count_padding: true };
    assert_eq!(apply(&[1, 3, 3], pool, &picture()).1, [3.0, 4.5, 7.5, 9.0]);
}

#[test]
fn max_pool_never_lets_padding_win() {
    let mut window = Window::new([2, 2], [2, 2]);
    window.padding = [1, 1, 0, 0];
    let values: Vec<f32> = picture().iter().map(|value| -value).collect();
    let pool = MaxPool { window: window.clone() };
    assert_eq!(apply(&[1, 3, 3], pool, &values).1, [-1.0, -2.0, -4.0, -5.0]);
    window.padding = [2, 1, 0, 0];
    let message = refusal(&[1, 3, 3], MaxPool { window });
    assert!(message.contains("smaller than its kernel"), "{message}");
}

#[test]
fn global_average_pool_gives_channel_means() {
    let values = [1.0, 2.0, 3.0, 6.0, -1.0, -1.0, -1.0, 1.0];
    let pool = |keep_axes| GlobalAveragePool { keep_axes };
    assert_eq!(apply(&[2, 2, 2], pool(true), &values), ("2×1×1".into(), vec![3.0, -0.5]));
    assert_eq!(apply(&[2, 2, 2], pool(false), &values).0, "2");
    assert!(refusal(&[8], pool(true)).contains("a picture"));
}

#[test]
fn batch_normalization_follows_its_equation() {
    let mut norm = BatchNormalization {
        scale: vec![2.0, -1.0],
        offset: vec![1.0, 0.0],
        mean: vec![3.0, 1.0],
        variance: vec![3.75, 0.0],
        epsilon: 0.25,
    };
    // √(3.75 + 0.25) = 2 and √0.25 = 0.5.
    let values = [3.0, 5.0, 1.0, 2.0];
    assert_eq!(apply(&[2, 1, 2], norm.clone(), &values).1, [1.0, 3.0, 0.0, -2.0]);
    norm.variance[1] = -1.0;
    assert!(refusal(&[2, 1, 2], norm.clone()).contains("variance + epsilon"));
    norm.mean.pop();
    assert!(refusal(&[2, 1, 2], norm).contains("mean has 1 elements; 2 are needed"));
}

#[test]
fn affine_takes_one_constant_or_one_a_channel() {
    let values = [1.0, 2.0, 3.0, 4.0];
    let affine = Affine { gain: vec![2.0], shift: vec![0.0, 10.0] };
    assert_eq!(apply(&[2, 1, 2], affine, &values).1, [2.0, 4.0, 16.0, 18.0]);
    let each = Affine::add(vec![0.5, 1.5, 2.5, 3.5]);
    assert_eq!(apply(&[2, 1, 2], each, &values).1, [1.5, 3.5, 5.5, 7.5]);
    assert!(refusal(&[2, 1, 2], Affine::add(vec![0.0; 3])).contains("shift has 3 elements"));
}

#[test]
fn leaky_rectifiers_scale_negative_values() {
    assert_eq!(apply(&[3], LeakyRelu { slope: 0.5 }, &[-2.0, 0.0, 3.0]).1, [-1.0, 0.0, 3.0]);
    let trained = ParametricRelu { slope: vec![0.5, -1.0] };
    assert_eq!(apply(&[2, 2], trained, &[-2.0, 1.0, -2.0, 1.0]).1, [-1.0, 1.0, 2.0, 1.0]);
    assert!(refusal(&[3], ParametricRelu { slope: vec![0.1] }).contains("3 are needed"));
    assert!(refusal(&[3], LeakyRelu { slope: f32::NAN }).contains("finite"));
}

#[test]
fn windows_move_over_sequences_as_over_pictures_of_one_row() {
    let values = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0];
    let layer = convolution(vec![1.0, 2.0, 0.1, 0.2], 1, Window::new([1, 2], [1, 1]), 1);
    // 1·1 + 2·2 + 0.1·10 + 0.2·20, and so on.
    assert_eq!(apply(&[2, 4], layer, &values), ("1×3".into(), vec![10.0, 16.0, 22.0]));
    let pool = MaxPool { window: Window::new([1, 2], [1, 2]) };
    assert_eq!(apply(&[2, 4], pool, &values), ("2×2".into(), vec![2.0, 4.0, 20.0, 40.0]));
    let pool = GlobalAveragePool { keep_axes: false };
    assert_eq!(apply(&[2, 4], pool, &values), ("2".into(), vec![2.5, 25.0]));
    let mut tall = Window::new([1, 2], [1, 2]);
    tall.padding = [0, 0, 1, 0];
    let message = refusal(&[2, 4], convolution(vec![0.0; 4], 1, tall, 1));
    assert!(message.contains("window of one row"), "{message}");
}

#[test]
fn axes_are_transposed_padded_joined_and_averaged() {
    let values: Vec<f32> = (0..6).map(|n| n as f32).collect();
    let transpose = Transpose { permutation: vec![2, 0, 1] };
    assert_eq!(
        apply(&[1, 2, 3], transpose, &values),
        ("3×1×2".into(), vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0])
    );
    assert!(refusal(&[2, 3], Transpose { permutation: vec![0, 0] }).contains("occur once"));
    let pad = |before: &[i64], after: &[i64]| Pad {
        before: before.to_vec(),
        after: after.to_vec(),
        value: 9.0,
    };
    assert_eq!(
        apply(&[2, 3], pad(&[0, 1], &[0, -1]), &values),
        ("2×3".into(), vec![9.0, 0.0, 1.0, 9.0, 3.0, 4.0])
    );
    assert!(refusal(&[2, 3], pad(&[0, -2], &[0, -1])).contains("extent 0"));
    assert!(refusal(&[2, 3], pad(&[0, i64::MAX], &[0, 0])).contains("2^20"));
    let mean = Mean { axes: vec![0], keep_axes: true };
    assert_eq!(apply(&[2, 3], mean, &values), ("1×3".into(), vec![1.5, 2.5, 3.5]));
    let pick = Pick { shape: shape(&[3]), indices: vec![5, 0, 5] };
    assert_eq!(apply(&[2, 3], pick, &values), ("3".into(), vec![5.0, 0.0, 5.0]));
    let outside = Pick { shape: shape(&[1]), indices: vec![6] };
    assert!(refusal(&[2, 3], outside).contains("more than 6 values"));
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", shape(&[2, 3])).unwrap();
    let double = builder.add("double", Affine::multiply(vec![2.0]), &[input]).unwrap();
    let concat = Concat { axis: 1, operands: 2 };
    let joined = builder.add("joined", concat, &[input, double]).unwrap();
    let graph = builder.finish(&[joined]).unwrap();
    let expected = [0.0, 1.0, 2.0, 0.0, 2.0, 4.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    assert_eq!(evaluate_output(&graph, &values).unwrap(), expected);
}

#[test]
fn readouts_work_on_finished_scores() {
    let (_, values) = apply(&[2], LogSoftmax { axis: 0 }, &[1000.0, 1000.0]);
    assert!(values.iter().all(|value| (value + 2.0_f32.ln()).abs() < 1e-6));
    assert_eq!(apply(&[2], Sigmoid, &[0.0, -1000.0]).1, [0.5, 0.0]);
    let class = |keep_axis| ArgMax { axis: 0, keep_axis };
    assert_eq!(apply(&[3], class(false), &[1.0, 5.0, 5.0]), ("1".into(), vec![1.0]));
    assert_eq!(apply(&[2, 2], class(false), &[1.0, 5.0, 2.0, 4.0]), ("2".into(), vec![1.0, 0.0]));
}

/// Every operator that is linear says so with the same map that it evaluates.
#[test]
fn linear_maps_are_what_operators_compute() {
    let mut padded = Window::new([2, 3], [1, 2]);
    padded.padding = [1, 1, 0, 1];
    let up = Window { round_up: true, ..Window::new([2, 2], [2, 2]) };
    let cases: Vec<(&[usize], Operator)> = vec![
        (&[2, 3, 4], convolution((0..24).map(|n| n as f32).collect(), 2, padded.clone(), 1).into()),
        (&[2, 3, 3], AveragePool { window: padded, count_padding: false }.into()),
        (&[2, 3, 3], AveragePool { window: up, count_padding: true }.into()),
        (&[3, 2, 2], GlobalAveragePool { keep_axes: false }.into()),
        (&[3, 5], GlobalAveragePool { keep_axes: true }.into()),
        (&[2, 3, 4], Transpose { permutation: vec![1, 2, 0] }.into()),
        (&[2, 3], Pad { before: vec![1, -1], after: vec![0, 2], value: 0.0 }.into()),
        (&[2, 3], Pick { shape: shape(&[3]), indices: vec![5, 0, 5] }.into()),
        (&[2, 3, 4], Mean { axes: vec![0, 2], keep_axes: false }.into()),
        (&[2, 2], Affine::multiply(vec![1.0, 2.0, 3.0, 4.0]).into()),
        (&[2, 2], Affine::multiply(vec![3.0, 4.0]).into()),
        (&[2, 2], Affine::multiply(vec![3.0]).into()),
        (&[6], Flatten.into()),
        (&[6], Concat { axis: 0, operands: 1 }.into()),
    ];
    for (extents, operator) in cases {
        let input = shape(extents);
        let values: Vec<f32> = (0..input.size()).map(|n| (n as f32 * 1.7).sin()).collect();
        let map = operator.linear_map(0, &[&input]).unwrap().unwrap();
        let (name, found) = (operator.name(), apply(extents, operator, &values).1);
        let mut expected = vec![0.0; map.targets()];
        map.apply(&values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), &mut expected);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (a, b) in found.iter().zip(expected) {
            assert!((f64::from(*a) - b).abs() < 1e-5 * b.abs().max(1.0), "{name}: {a} {b}");
        }
    }
    assert_eq!(Operator::from(Relu).linear_map(0, &[&shape(&[2])]).unwrap(), None);
}

#[test]
fn arrangement_keeps_values() {
    let values = picture();
    assert_eq!(apply(&[1, 3, 3], Flatten, &values), ("9".into(), values.clone()));
    let reshape = Reshape { shape: shape(&[9, 1, 1]) };
    assert_eq!(apply(&[1, 3, 3], reshape, &values), ("9×1×1".into(), values.clone()));
    assert_eq!(apply(&[1, 3, 3], Dropout, &values).1, values);
    assert_eq!(apply(&[1, 3, 3], Identity, &values).1, values);
    assert!(refusal(&[8], Reshape { shape: shape(&[9]) }).contains("9 values"));
}

#[test]
fn softmax_survives_large_scores() {
    let (_, values) = apply(&[2], Softmax::SCORES, &[1000.0, 1000.0]);
    assert_eq!(values, [0.5, 0.5]);
    let middle = Softmax { axis: 1 };
    assert_eq!(apply(&[1, 2, 1], middle, &[3.0, 3.0]).1, [0.5, 0.5]);
    assert!(refusal(&[2], middle).contains("an axis 1"));
}

#[test]
fn add_needs_equal_shapes() {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", shape(&[2])).unwrap();
    let twice = builder.add("twice", Add, &[input, input]).unwrap();
    let gain = builder.add("gain", Affine::multiply(vec![3.0]), &[twice]).unwrap();
    let sum = builder.add("sum", Add, &[gain, input]).unwrap();
    let wide = builder.add("wide", Reshape { shape: shape(&[2, 1, 1]) }, &[sum]).unwrap();
    let message = builder.add("odd", Add, &[sum, wide]).unwrap_err().to_string();
    assert!(message.contains("`odd`") && message.contains("2 and 2×1×1"), "{message}");
    let message = builder.add("few", Add, &[sum]).unwrap_err().to_string();
    assert!(message.contains("reads 2 inputs and got 1"), "{message}");
    let graph = builder.finish(&[sum]).unwrap();
    assert_eq!(evaluate_output(&graph, &[1.0, -2.0]).unwrap(), [7.0, -14.0]);
    assert_eq!(graph.find("wide"), None, "what no output needs is left out");
    assert_eq!(graph.consumers(graph.input()).len(), 3);
}
