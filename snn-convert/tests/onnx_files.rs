//! Hand-made ONNX files: operators and their variants, refusals, damaged and hostile files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use prost::Message;
use snn_convert::ann::{AnnGraph, evaluate_output};
use snn_convert::declutter::declutter;
use snn_convert::source::onnx::message::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};
use snn_convert::source::onnx::{OnnxError, OnnxOptions, read, read_model, supported_operators};

static DIGITS: &[u8] = include_bytes!("../../tests/data/models/digits_cnn/model_ts.onnx");

fn dimension(extent: Option<i64>) -> DimensionProto {
    DimensionProto { dim_value: extent, dim_param: extent.is_none().then(|| "n".to_owned()) }
}

fn value(name: &str, extents: &[Option<i64>]) -> ValueInfoProto {
    let dim = extents.iter().map(|&extent| dimension(extent)).collect();
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(1), shape });
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type }) }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: dims.to_vec(),
        data_type: Some(1),
        float_data: values.to_vec(),
        name: Some(name.to_owned()),
        ..Default::default()
    }
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(7),
        int64_data: values.to_vec(),
        name: Some(name.to_owned()),
        ..Default::default()
    }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(format!("{operator}_{output}")),
        op_type: Some(operator.to_owned()),
        ..Default::default()
    }
}

fn attribute(name: &str) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), ..Default::default() }
}

trait With: Sized {
    fn with(self, attribute: AttributeProto) -> Self;

    fn integer(self, name: &str, value: i64) -> Self {
        self.with(AttributeProto { i: Some(value), ..attribute(name) })
    }

    fn integers(self, name: &str, values: &[i64]) -> Self {
        self.with(AttributeProto { ints: values.to_vec(), ..attribute(name) })
    }

    fn float(self, name: &str, value: f32) -> Self {
        self.with(AttributeProto { f: Some(value), ..attribute(name) })
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.with(AttributeProto { s: Some(value.into()), ..attribute(name) })
    }
}

impl With for NodeProto {
    fn with(mut self, attribute: AttributeProto) -> Self {
        self.attribute.push(attribute);
        self
    }
}

/// A model with input `x` (batch axis free) and output `y`.
fn model(sample: &[i64], nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let extents: Vec<Option<i64>> =
        std::iter::once(None).chain(sample.iter().map(|&extent| Some(extent))).collect();
    let graph = GraphProto {
        node: nodes,
        initializer,
        input: vec![value("x", &extents)],
        output: vec![value("y", &[])],
        ..Default::default()
    };
    let opset = OperatorSetIdProto { domain: None, version: Some(17) };
    ModelProto { opset_import: vec![opset], graph: Some(graph), ..Default::default() }
}

fn graph_of(model: &ModelProto) -> AnnGraph {
    read(&model.encode_to_vec()).unwrap()
}

fn answer(model: &ModelProto, sample: &[f32]) -> Vec<f32> {
    evaluate_output(&graph_of(model), sample).unwrap()
}

fn refusal(model: &ModelProto) -> String {
    read(&model.encode_to_vec()).unwrap_err().to_string()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn gemm_honours_factors_and_transposition() {
    // B is [in, out] = [[1, 2], [3, 4]], y = 2 x B + 0.5 C.
    let gemm = |weight: &[f32]| {
        let n = node("Gemm", &["x", "b", "c"], "y").float("alpha", 2.0).float("beta", 0.5);
        (n, vec![floats("b", &[2, 2], weight), floats("c", &[1, 2], &[10.0, 20.0])])
    };
    let (plain, weights) = gemm(&[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(answer(&model(&[2], vec![plain], weights), &[1.0, 10.0]), [67.0, 94.0]);
    let (transposed, weights) = gemm(&[1.0, 3.0, 2.0, 4.0]);
    let transposed = transposed.integer("transB", 1);
    assert_eq!(answer(&model(&[2], vec![transposed], weights), &[1.0, 10.0]), [67.0, 94.0]);
    let (wrong, weights) = gemm(&[0.0; 4]);
    let wrong = wrong.integer("transA", 1);
    assert_says(&refusal(&model(&[2], vec![wrong], weights)), &["Gemm_y", "transA = 0"]);
}

#[test]
fn matrix_product_and_constant_add_become_one_layer() {
    let nodes = vec![node("MatMul", &["x", "w"], "m"), node("Add", &["c", "m"], "y")];
    let weights = vec![
        floats("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        floats("c", &[3], &[0.5, 0.0, -0.5]),
    ];
    let model = model(&[2], nodes, weights);
    assert_eq!(answer(&model, &[1.0, 10.0]), [41.5, 52.0, 62.5]);
    let clean = declutter(&graph_of(&model)).unwrap();
    assert_eq!(clean.graph.len(), 2);
    assert_eq!(evaluate_output(&clean.graph, &[1.0, 10.0]).unwrap(), [41.5, 52.0, 62.5]);
}

#[test]
fn constants_are_added_subtracted_multiplied_and_divided() {
    let one = |operator: &str, inputs: &[&str], dims: &[i64], c: &[f32]| {
        let nodes = vec![node(operator, inputs, "y")];
        answer(&model(&[2, 1, 2], nodes, vec![floats("c", dims, c)]), &[1.0, 2.0, 3.0, 4.0])
    };
    assert_eq!(one("Add", &["x", "c"], &[2, 1, 1], &[10.0, 20.0]), [11.0, 12.0, 23.0, 24.0]);
    assert_eq!(one("Sub", &["x", "c"], &[1, 2, 1, 1], &[1.0, 2.0]), [0.0, 1.0, 1.0, 2.0]);
    assert_eq!(one("Sub", &["c", "x"], &[], &[1.0]), [0.0, -1.0, -2.0, -3.0]);
    assert_eq!(one("Mul", &["c", "x"], &[1], &[2.0]), [2.0, 4.0, 6.0, 8.0]);
    assert_eq!(one("Div", &["x", "c"], &[2, 1, 1], &[2.0, 4.0]), [0.5, 1.0, 0.75, 1.0]);
    let refused = |operator: &str, inputs: &[&str], dims: &[i64], c: &[f32]| {
        let nodes = vec![node(operator, inputs, "y")];
        refusal(&model(&[2, 1, 2], nodes, vec![floats("c", dims, c)]))
    };
    // Along the columns, not the channels.
    assert_eq!(one("Add", &["x", "c"], &[2], &[10.0, 20.0]), [11.0, 22.0, 13.0, 24.0]);
    assert_eq!(one("Neg", &["x"], &[], &[1.0]), [-1.0, -2.0, -3.0, -4.0]);
    assert_eq!(one("Sub", &["x", "x"], &[], &[1.0]), [0.0; 4]);
    assert_eq!(one("Sum", &["x", "x", "x"], &[], &[1.0]), [3.0, 6.0, 9.0, 12.0]);
    assert_says(&refused("Add", &["x", "c"], &[3], &[1.0; 3]), &["one a channel (2"]);
    assert_says(&refused("Div", &["x", "c"], &[1], &[0.0]), &["divisor is 0"]);
    assert_says(&refused("Mul", &["x", "x"], &[1], &[0.0]), &["products"]);
    assert_says(&refused("Add", &["x", "c"], &[2, 1, 1, 1], &[1.0, 2.0]), &["a sample"]);
}

#[test]
fn clip_takes_limits_as_attributes_or_operands() {
    let sample = [-1.0, 3.0, 9.0];
    let limits = vec![floats("low", &[], &[0.0]), floats("high", &[], &[6.0])];
    let new = model(&[3], vec![node("Clip", &["x", "low", "high"], "y")], limits.clone());
    assert_eq!(answer(&new, &sample), [0.0, 3.0, 6.0]);
    let low = model(&[3], vec![node("Clip", &["x", "low"], "y")], limits.clone());
    assert_eq!(answer(&low, &sample), [0.0, 3.0, 9.0]);
    assert_eq!(graph_of(&low).nodes().last().unwrap().1.operator.name(), "Relu");
    let high = model(&[3], vec![node("Clip", &["x", "", "high"], "y")], limits);
    assert_eq!(answer(&high, &sample), [-1.0, 3.0, 6.0]);
    let clip = node("Clip", &["x"], "y").float("min", 0.0).float("max", 6.0);
    let mut old = model(&[3], vec![clip], vec![]);
    old.opset_import[0].version = Some(10);
    assert_eq!(answer(&old, &sample), [0.0, 3.0, 6.0]);
}

#[test]
fn padding_can_be_worked_out_from_auto_pad() {
    let ones = floats("w", &[1, 1, 2, 2], &[1.0; 4]);
    let conv = |pad: &str| {
        let node =
            node("Conv", &["x", "w"], "y").text("auto_pad", pad).integers("strides", &[2, 2]);
        model(&[1, 3, 3], vec![node], vec![ones.clone()])
    };
    let sample: Vec<f32> = (1..=9).map(|n| n as f32).collect();
    assert_eq!(answer(&conv("VALID"), &sample), [12.0]);
    assert_eq!(answer(&conv("SAME_UPPER"), &sample), [12.0, 9.0, 15.0, 9.0]);
    assert_eq!(answer(&conv("SAME_LOWER"), &sample), [1.0, 5.0, 11.0, 28.0]);
    assert_says(&refusal(&conv("SIDEWAYS")), &["SIDEWAYS", "SAME_UPPER"]);
}

#[test]
fn reshape_keeps_samples_apart() {
    let reshape = |target: &[i64]| {
        model(&[2, 3, 4], vec![node("Reshape", &["x", "s"], "y")], vec![integers("s", target)])
    };
    let shape = |target: &[i64]| {
        let graph = graph_of(&reshape(target));
        graph.node(graph.output()).shape.to_string()
    };
    assert_eq!(shape(&[-1, 24]), "24");
    assert_eq!(shape(&[1, 24]), "24");
    assert_eq!(shape(&[0, -1]), "24");
    assert_eq!(shape(&[1, -1]), "24");
    assert_eq!(shape(&[0, 0, -1]), "2×12");
    for wrong in
        [&[-1, 12][..], &[0, 5, -1], &[0, -1, -1], &[0, i64::MAX, 3], &[0, -2], &[1, 0, 0, 0, 0]]
    {
        assert_says(&refusal(&reshape(wrong)), &["cannot be arranged"]);
    }
    for wrong in [&[24][..], &[2, 24], &[]] {
        assert_says(&refusal(&reshape(wrong)), &["Reshape_y", "batch"]);
    }
    // A batch that was fixed at export may be baked in.
    let mut fixed = reshape(&[8, 24]);
    let graph = fixed.graph.as_mut().unwrap();
    graph.input = vec![value("x", &[Some(8), Some(2), Some(3), Some(4)])];
    assert_eq!(graph_of(&fixed).output().index(), 1);
}

#[test]
fn the_view_idiom_of_the_exporter_is_a_flatten() {
    let index = TensorProto { dims: vec![], ..integers("zero", &[0]) };
    let nodes = vec![
        node("Shape", &["x"], "shape"),
        node("Gather", &["shape", "zero"], "batch"),
        node("Unsqueeze", &["batch", "axes"], "list"),
        node("Concat", &["list", "rest"], "target").integer("axis", 0),
        node("Reshape", &["x", "target"], "y"),
    ];
    let weights = vec![index, integers("axes", &[0]), integers("rest", &[-1])];
    let graph = graph_of(&model(&[2, 3, 4], nodes, weights));
    assert_eq!(graph.node(graph.output()).shape.to_string(), "24");
}

#[test]
fn means_over_pixels_are_global_pooling() {
    let attribute =
        node("ReduceMean", &["x"], "y").integers("axes", &[-1, 2]).integer("keepdims", 0);
    let sample = [1.0, 3.0, 5.0, 7.0];
    assert_eq!(answer(&model(&[2, 1, 2], vec![attribute], vec![]), &sample), [2.0, 6.0]);
    let operand = node("ReduceMean", &["x", "a"], "y");
    let mut new = model(&[2, 1, 2], vec![operand], vec![integers("a", &[2, 3])]);
    new.opset_import[0].version = Some(18);
    assert_eq!(answer(&new, &sample), [2.0, 6.0]);
    let channels = node("ReduceMean", &["x"], "y").integers("axes", &[1]);
    assert_eq!(answer(&model(&[2, 1, 2], vec![channels], vec![]), &sample), [3.0, 5.0]);
    let sum = node("ReduceSum", &["x"], "y").integers("axes", &[3]);
    assert_eq!(answer(&model(&[2, 1, 2], vec![sum], vec![]), &sample), [4.0, 12.0]);
    let wrong = node("ReduceMean", &["x"], "y").integers("axes", &[0]);
    assert_says(&refusal(&model(&[2, 1, 2], vec![wrong], vec![])), &["batch axis 0"]);
    let most = node("ReduceMax", &["x"], "y").integers("axes", &[2, 3]).integer("keepdims", 0);
    assert_eq!(answer(&model(&[2, 1, 2], vec![most], vec![]), &sample), [3.0, 7.0]);
    let most = node("GlobalMaxPool", &["x"], "y");
    assert_eq!(answer(&model(&[2, 1, 2], vec![most], vec![]), &sample), [3.0, 7.0]);
}

#[test]
fn constants_and_names_through_identity_are_weights() {
    let limit = AttributeProto { t: Some(floats("", &[], &[2.0])), ..attribute("value") };
    let nodes = vec![
        // The order of the file is not that of the computation.
        node("Clip", &["d", "", "limit"], "y"),
        node("Dropout", &["i"], "d"),
        node("Identity", &["x"], "i"),
        node("Identity", &["constant"], "limit"),
        node("Constant", &[], "constant").with(limit),
    ];
    assert_eq!(answer(&model(&[2], nodes, vec![]), &[1.0, 3.0]), [1.0, 2.0]);
}

#[test]
fn all_unsupported_nodes_are_reported_together() {
    let mut strange = node("Magic", &["c"], "y");
    strange.domain = Some("com.example".to_owned());
    let nodes = vec![
        node("Tanh", &["x"], "a"),
        node("Relu", &["a"], "r"),
        node("LSTM", &["r"], "b"),
        node("Softmax", &["b"], "s"),
        node("Frobnicate", &["s"], "c"),
        strange,
    ];
    let error = read_model(&model(&[3], nodes, vec![]), &OnnxOptions::default()).unwrap_err();
    let OnnxError::Unsupported(list) = &error else { panic!("{error}") };
    let names: Vec<&str> = list.iter().map(|n| n.node.as_str()).collect();
    assert_eq!(names, ["Tanh_a", "LSTM_b", "Frobnicate_c", "Magic_y"]);
    let parts =
        ["4 nodes", "`Tanh_a` (Tanh): needs", "ReLU6", "recurrence", "AveragePool", "com.example"];
    assert_says(&error.to_string(), &parts);
    assert!(supported_operators().is_sorted());
}

#[test]
fn a_mask_or_an_index_output_cannot_be_used() {
    let mut pool = node("MaxPool", &["x"], "p").integers("kernel_shape", &[2, 2]);
    pool.output.push("indices".to_owned());
    let unused = model(&[1, 2, 2], vec![pool.clone(), node("Relu", &["p"], "y")], vec![]);
    assert_eq!(answer(&unused, &[1.0, 4.0, 2.0, 3.0]), [4.0]);
    let used = model(&[1, 2, 2], vec![pool, node("Relu", &["indices"], "y")], vec![]);
    assert_says(&refusal(&used), &["MaxPool_p", "`indices` is read too"]);
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let nodes = vec![node("Gemm", &["x", "w"], "g"), node("Relu", &["g"], "y")];
    let weights = vec![floats("w", &[3, 2], &[0.0; 6])];
    let message = refusal(&model(&[4], nodes.clone(), weights));
    assert_says(&message, &["`Gemm_g` (Dense, input 4)", "list of 3 features"]);
    let weights = vec![floats("w", &[3], &[0.0; 3])];
    assert_says(&refusal(&model(&[3], nodes, weights)), &["Gemm_g", "two axes"]);
    let nodes = vec![node("Add", &["x", "f"], "y"), node("Flatten", &["x"], "f")];
    assert_says(&refusal(&model(&[1, 2, 2], nodes, vec![])), &["Add_y", "1×2×2 and 4"]);
    let conv = vec![node("Conv", &["x", "w"], "y")];
    let weights = vec![floats("w", &[1, 1, 3], &[0.0; 3])];
    assert_says(&refusal(&model(&[1, 3, 3], conv, weights)), &["Conv_y", "[1, 1, 3]", "1×3×3"]);
}

#[test]
fn damaged_tensors_are_named() {
    let with = |tensor: TensorProto| {
        let nodes = vec![node("Gemm", &["x", "w"], "y")];
        refusal(&model(&[2], nodes, vec![TensorProto { name: Some("w".into()), ..tensor }]))
    };
    assert_says(&with(floats("", &[2, 2], &[0.0; 3])), &["`w`", "3 elements", "need 4"]);
    assert_says(&with(floats("", &[-2, 2], &[0.0; 4])), &["`w`", "extent -2"]);
    assert_says(&with(floats("", &[i64::MAX, 4], &[0.0; 4])), &["`w`", "overflow"]);
    assert_says(&with(floats("", &[1 << 40, 1 << 10], &[])), &["`w`", "0 elements"]);
    assert_says(&with(floats("", &[1 << 40, 0], &[])), &["Gemm_y", "empty"]);
    assert_says(&with(floats("", &[2, 1], &[0.0, f32::NAN])), &["`w`", "element 1 is NaN"]);
    assert_says(&with(floats("", &[2, 1], &[f32::INFINITY, 0.0])), &["element 0 is inf"]);
    let text = TensorProto { data_type: Some(8), ..floats("", &[2, 1], &[]) };
    assert_says(&with(text), &["string", "float32"]);
    let unknown = TensorProto { data_type: Some(99), ..floats("", &[2, 1], &[]) };
    assert_says(&with(unknown), &["number 99"]);
    let raw = TensorProto { raw_data: Some(vec![0; 7]), ..floats("", &[2, 1], &[]) };
    assert_says(&with(raw), &["7 bytes"]);
    let place = StringStringEntryProto {
        key: Some("location".to_owned()),
        value: Some("weights.bin".to_owned()),
    };
    let outside = TensorProto { external_data: vec![place], ..floats("", &[2, 1], &[]) };
    assert_says(&with(outside), &["`w`", "weights.bin", "external_data=False"]);
    let whole = TensorProto { dims: vec![2, 1], ..integers("", &[1, 2]) };
    assert_says(&with(whole), &["whole numbers where weights"]);
}

#[test]
fn damaged_graphs_are_explained() {
    let relu = |input: &str, output: &str| node("Relu", &[input], output);
    let circle = model(&[2], vec![relu("b", "a"), relu("a", "b"), relu("a", "y")], vec![]);
    assert_says(&refusal(&circle), &["circle", "Relu_a", "Relu_b"]);
    let missing = model(&[2], vec![relu("nowhere", "y")], vec![]);
    assert_says(&refusal(&missing), &["`Relu_y` reads `nowhere`"]);
    let absent = model(&[2], vec![relu("x", "z")], vec![]);
    assert_says(&refusal(&absent), &["output list reads `y`"]);
    let twice = model(&[2], vec![relu("x", "y"), relu("x", "y")], vec![]);
    assert_says(&refusal(&twice), &["`y` is made twice"]);
    let constant =
        model(&[2], vec![node("Identity", &["w"], "y")], vec![floats("w", &[1], &[0.0])]);
    assert_says(&refusal(&constant), &["does not depend on the input"]);
    let operand = model(&[2], vec![node("Relu", &[], "y")], vec![]);
    assert_says(&refusal(&operand), &["Relu_y", "operand 0 is missing"]);
    let weight = model(&[2], vec![node("MatMul", &["x", "x"], "y")], vec![]);
    assert_says(&refusal(&weight), &["MatMul_y", "to be a constant"]);
}

#[test]
fn wrong_headers_are_explained() {
    let good = model(&[2], vec![node("Relu", &["x"], "y")], vec![]);
    let changed = |change: fn(&mut ModelProto)| {
        let mut model = good.clone();
        change(&mut model);
        refusal(&model)
    };
    assert_says(&changed(|m| m.graph = None), &["no graph"]);
    assert_says(&changed(|m| m.opset_import.clear()), &["none stated", "9 to 23"]);
    assert_says(&changed(|m| m.opset_import[0].version = Some(8)), &["operator set 8"]);
    assert_says(&changed(|m| m.opset_import[0].version = Some(99)), &["operator set 99"]);
    fn graph(model: &mut ModelProto) -> &mut GraphProto {
        model.graph.as_mut().unwrap()
    }
    assert_says(&changed(|m| graph(m).output.clear()), &["no output"]);
    assert_says(&changed(|m| graph(m).input.clear()), &["0 inputs"]);
    let second = |m: &mut ModelProto| graph(m).input.push(value("z", &[None, Some(1)]));
    assert_says(&changed(second), &["2 inputs (x, z)"]);
    let free = |m: &mut ModelProto| graph(m).input = vec![value("x", &[None, Some(1), None, None])];
    assert_says(&changed(free), &["axis 2 (`n`)", "fixed image size"]);
    let flat = |m: &mut ModelProto| graph(m).input = vec![value("x", &[None])];
    assert_says(&changed(flat), &["input `x`", "0 axes"]);
    let negative = |m: &mut ModelProto| graph(m).input = vec![value("x", &[None, Some(-4)])];
    assert_says(&changed(negative), &["axis 1"]);
    let huge = |m: &mut ModelProto| graph(m).input = vec![value("x", &[None, Some(i64::MAX)])];
    assert_says(&changed(huge), &["more than"]);
    assert_says(&read(b"\xff\xff not a model").unwrap_err().to_string(), &["no ONNX file"]);
    assert_says(&read(b"").unwrap_err().to_string(), &["no graph"]);
}

#[test]
fn huge_results_are_refused_before_they_are_computed() {
    let padded = |pads: &[i64]| {
        let conv = node("Conv", &["x", "w"], "y").integers("pads", pads);
        model(&[1, 4, 4], vec![conv], vec![floats("w", &[1, 1, 1, 1], &[1.0])])
    };
    assert_says(&refusal(&padded(&[1 << 20; 4])), &["Conv_y", "more than"]);
    assert_says(&refusal(&padded(&[i64::MAX; 4])), &["Conv_y", "2^20"]);
    assert_says(&refusal(&padded(&[-1; 4])), &["Conv_y", "pads"]);
    // Many nodes that are each allowed, but not together.
    let mut nodes: Vec<NodeProto> =
        (0..20).map(|n| node("Relu", &[&format!("v{n}")], &format!("v{}", n + 1))).collect();
    nodes.push(node("Relu", &["x"], "v0"));
    nodes.push(node("Relu", &["v20"], "y"));
    assert_says(&refusal(&model(&[1 << 25], nodes, vec![])), &["too large"]);
}

#[test]
fn constants_are_filled_up_to_a_limit_of_all_together() {
    // Two weights of 32 numbers each, all 0 as the value is left out.
    let nodes = vec![
        node("ConstantOfShape", &["s"], "w"),
        node("ConstantOfShape", &["s"], "v"),
        node("MatMul", &["x", "w"], "a"),
        node("MatMul", &["x", "v"], "b"),
        node("Add", &["a", "b"], "y"),
    ];
    let model = model(&[4], nodes, vec![integers("s", &[4, 8])]);
    let read = |filled| read_model(&model, &OnnxOptions { filled, ..OnnxOptions::default() });
    assert_eq!(evaluate_output(&read(64).unwrap(), &[1.0; 4]).unwrap(), [0.0; 8]);
    let parts = ["ConstantOfShape_v", "[4, 8]", "31 more elements"];
    assert_says(&read(63).unwrap_err().to_string(), &parts);
}

#[test]
fn a_deep_graph_does_not_exhaust_the_stack() {
    let count = 100_000;
    let mut nodes: Vec<NodeProto> =
        (0..count).map(|n| node("Identity", &[&format!("v{n}")], &format!("v{}", n + 1))).collect();
    nodes.reverse();
    nodes.push(node("Relu", &["x"], "v0"));
    nodes.push(node("Relu", &[&format!("v{count}")], "y"));
    // All nodes have one name: they are told apart by numbers.
    nodes.iter_mut().for_each(|node| node.name = Some("same".to_owned()));
    let graph = graph_of(&model(&[1], nodes, vec![]));
    assert_eq!(graph.len(), count + 3);
    assert_eq!(declutter(&graph).unwrap().graph.len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn damaged_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        near_the_structure in any::<bool>(),
    ) {
        let mut bytes = DIGITS.to_vec();
        // The nodes come before the weights: half of the cases change only them.
        let reach = if near_the_structure { 1500 } else { bytes.len() };
        for (index, value) in changes {
            let position = index.index(reach);
            bytes[position] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match read(&bytes) {
            Ok(graph) => {
                let clean = declutter(&graph);
                prop_assert!(clean.is_err() || clean.is_ok_and(|c| c.graph.len() <= graph.len()));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn damaged_messages_never_panic(
        extents in prop::collection::vec(any::<i64>(), 0..5),
        numbers in prop::collection::vec(-3_i64..6, 0..5),
        group in any::<i64>(),
        operator in prop::sample::select(supported_operators()),
    ) {
        // Every operator meets attributes and operands that were made for another.
        let n = node(operator, &["x", "w", "s"], "y")
            .integers("kernel_shape", &numbers)
            .integers("pads", &extents)
            .integers("strides", &numbers)
            .integers("axes", &numbers)
            .integer("group", group)
            .integer("axis", group)
            .text("auto_pad", if group > 0 { "SAME_UPPER" } else { "NOTSET" });
        let weights = vec![
            TensorProto { dims: numbers.clone(), ..floats("w", &[], &[1.0; 16]) },
            integers("s", &numbers),
        ];
        let sample: Vec<i64> = numbers.iter().map(|n| n.abs()).collect();
        if let Ok(graph) = read_model(&model(&sample, vec![n.clone()], weights.clone()), &OnnxOptions::default()) {
            // The input, and at most the five operators of a product along the last axis.
            prop_assert!(graph.len() <= 6);
        }
        let wild = ModelProto { ..model(&extents, vec![n], weights) };
        if let Err(error) = read_model(&wild, &OnnxOptions::default()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
