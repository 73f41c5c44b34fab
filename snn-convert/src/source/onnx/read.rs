//! From bytes to the graph.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use prost::Message;

use super::error::{OnnxError, UnsupportedNode};
use super::external::{ExternalData, NoExternalData};
use super::fold;
use super::message::{GraphProto, ModelProto, NodeProto, ValueInfoProto, element_type};
use super::node::{NodeContext, ReadInput, Reading, Refusal, Value};
use super::operator;
use super::order::{label, order};
use super::tensor::Tensor;
use crate::ann::{AnnGraph, AnnGraphBuilder, NodeId, Operator, SampleShape};

/// The oldest operator set that can be read.
pub const MINIMUM_OPSET: i64 = 9;

/// The newest operator set that can be read.
pub const MAXIMUM_OPSET: i64 = 23;

/// What a model's bytes do not say.
pub struct OnnxOptions<'a> {
    /// Where weights in other files come from.
    pub external: &'a dyn ExternalData,
    /// Shape of one sample, for models whose input leaves it free.
    pub input_shape: Option<&'a [usize]>,
    /// Elements that all constants may have together that are filled with one number while reading
    /// (`ConstantOfShape`): a few bytes of a file may ask for any number of them.
    pub filled: usize,
}

impl Default for OnnxOptions<'_> {
    fn default() -> Self {
        Self { external: &NoExternalData, input_shape: None, filled: 1 << 20 }
    }
}

/// Reads an ONNX model from the bytes of its file.
///
/// # Errors
/// [`OnnxError`]; nodes that cannot be converted are all reported together.
pub fn read(bytes: &[u8]) -> Result<AnnGraph, OnnxError> {
    read_with(bytes, &OnnxOptions::default())
}

/// As [`read`], with what the bytes do not say.
///
/// # Errors
/// As [`read`].
pub fn read_with(bytes: &[u8], options: &OnnxOptions<'_>) -> Result<AnnGraph, OnnxError> {
    let model = ModelProto::decode(bytes)
        .map_err(|error| OnnxError::Decode { bytes: bytes.len(), reason: error.to_string() })?;
    read_model(&model, options)
}

/// Reads an ONNX model from its decoded message.
///
/// # Errors
/// As [`read`].
pub fn read_model(model: &ModelProto, options: &OnnxOptions<'_>) -> Result<AnnGraph, OnnxError> {
    let graph = model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
    let opset = opset(model)?;
    if graph.output.is_empty() {
        return Err(OnnxError::NoOutput);
    }
    let weights: HashSet<&str> =
        graph.initializer.iter().filter_map(|t| t.name.as_deref()).collect();
    let input = input(graph, &weights)?;
    let input_name = input.name.as_deref().unwrap_or_default();
    let mut given = weights.clone();
    given.insert(input_name);
    let sorted = order(graph, &given)?;

    let (batch, shape) = input_shape(input, options.input_shape)?;
    let mut builder = AnnGraphBuilder::default();
    let input_id = builder.input(input_name, shape)?;
    let mut values = constants(graph, &sorted, options.external)?;
    values.insert(input_name, Value::Activation(input_id));
    let mut walk = Walk {
        opset,
        batch,
        external: options.external,
        filled: options.filled,
        builder,
        values,
        unsupported: Vec::new(),
        first_error: None,
        last_number: HashMap::new(),
    };
    let read_names = read_names(graph, &sorted);
    for &index in &sorted {
        walk.node(&graph.node[index], &read_names);
    }
    walk.finish(graph)
}

fn opset(model: &ModelProto) -> Result<i64, OnnxError> {
    let standard = model.opset_import.iter().find(|set| is_standard(set.domain.as_deref()));
    let found = standard.map(|set| set.version.unwrap_or(0));
    match found {
        Some(version) if (MINIMUM_OPSET..=MAXIMUM_OPSET).contains(&version) => Ok(version),
        _ => Err(OnnxError::Opset { found }),
    }
}

fn is_standard(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

/// The one input that is no weight.
fn input<'a>(
    graph: &'a GraphProto,
    weights: &HashSet<&str>,
) -> Result<&'a ValueInfoProto, OnnxError> {
    let name = |input: &ValueInfoProto| input.name.clone().unwrap_or_default();
    let inputs: Vec<&ValueInfoProto> =
        graph.input.iter().filter(|input| !weights.contains(name(input).as_str())).collect();
    match inputs.as_slice() {
        [input] if !name(input).is_empty() => Ok(input),
        others => Err(OnnxError::Inputs { names: others.iter().map(|i| name(i)).collect() }),
    }
}

/// The batch extent, if fixed, and the shape of one sample.
fn input_shape(
    input: &ValueInfoProto,
    given: Option<&[usize]>,
) -> Result<(Option<i64>, SampleShape), OnnxError> {
    let name = input.name.clone().unwrap_or_default();
    let fail = |problem: String| Err(OnnxError::Input { name: name.clone(), problem });
    let Some(tensor) = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()) else {
        return fail("it is no tensor".to_owned());
    };
    let element = tensor.elem_type.unwrap_or(0);
    if ![element_type::FLOAT, element_type::DOUBLE].contains(&element) {
        let kind = element_type::name(element);
        return fail(format!("its elements are {kind}; export the model with a float32 input"));
    }
    let axes = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let Some((batch, rest)) = axes.split_first() else {
        return fail("its shape is not stated; export the model with a sample input".to_owned());
    };
    let mut extents = Vec::with_capacity(rest.len().min(16));
    for (axis, dimension) in rest.iter().enumerate() {
        let stated = dimension.dim_value.and_then(|extent| usize::try_from(extent).ok());
        let given = given.filter(|given| given.len() == rest.len()).and_then(|g| g.get(axis));
        match stated.or(given.copied()) {
            Some(extent) => extents.push(extent),
            None => {
                let axis = axis + 1;
                let called = dimension.dim_param.as_deref().unwrap_or("?");
                return fail(format!(
                    "axis {axis} (`{called}`) has no fixed extent; only the batch axis 0 may be \
                     free: give the shape of a sample (`--input-shape`), or export the model with \
                     a fixed image size"
                ));
            }
        }
    }
    match SampleShape::new(extents) {
        Ok(shape) => Ok((batch.dim_value.filter(|&extent| extent > 0), shape)),
        Err(problem) => fail(format!("of the axes after the batch axis: {problem}")),
    }
}

/// The weights that nodes in use read (or outputs name), by name.
fn constants<'a>(
    graph: &'a GraphProto,
    sorted: &[usize],
    external: &dyn ExternalData,
) -> Result<HashMap<&'a str, Value>, OnnxError> {
    let mut used: HashSet<&str> = HashSet::new();
    for &index in sorted {
        used.extend(graph.node[index].input.iter().map(String::as_str));
    }
    let mut values = HashMap::new();
    for proto in &graph.initializer {
        let Some(name) = proto.name.as_deref().filter(|name| used.contains(name)) else { continue };
        let tensor = Tensor::read(proto, name, external)?;
        values.insert(name, Value::Constant(Arc::new(tensor)));
    }
    Ok(values)
}

/// The names that nodes read.
fn read_names<'a>(graph: &'a GraphProto, sorted: &[usize]) -> HashSet<&'a str> {
    sorted.iter().flat_map(|&index| &graph.node[index].input).map(String::as_str).collect()
}

/// The state while the nodes are read one after the other.
struct Walk<'a> {
    opset: i64,
    batch: Option<i64>,
    external: &'a dyn ExternalData,
    /// Elements that constants may still be filled with.
    filled: usize,
    builder: AnnGraphBuilder,
    values: HashMap<&'a str, Value>,
    unsupported: Vec<UnsupportedNode>,
    first_error: Option<OnnxError>,
    last_number: HashMap<String, u64>,
}

impl<'a> Walk<'a> {
    /// Reads one node; what is wrong with it is noted, and the walk goes on to find the rest.
    fn node(&mut self, proto: &'a NodeProto, read_names: &HashSet<&str>) {
        let operator = proto.op_type.as_deref().unwrap_or_default();
        let value = match self.reading(proto, operator) {
            Ok(Reading::Node(kind, inputs)) => {
                let inputs = inputs.into_iter().map(ReadInput::Node).collect();
                self.add(label(proto), vec![(kind, inputs)])
            }
            Ok(Reading::Steps(steps)) => self.add(label(proto), steps),
            Ok(Reading::Constant(tensor)) => {
                if operator == fold::FILL {
                    self.filled = self.filled.saturating_sub(tensor.elements.len());
                }
                Ok(Value::Constant(Arc::new(tensor)))
            }
            Ok(Reading::SameConstant(tensor)) => Ok(Value::Constant(tensor)),
            Err(refusal) => Err(refusal),
        };
        let value = value.unwrap_or_else(|refusal| {
            self.note(proto, operator, refusal);
            Value::Unknown
        });
        // Only the first output carries the result. Others (a dropout's mask, a pooling's
        // indices) cannot be used by anything that is supported.
        let mut outputs = proto.output.iter().filter(|name| !name.is_empty());
        if let Some(first) = outputs.next() {
            self.values.insert(first, value);
        }
        for other in outputs {
            self.values.insert(other, Value::Unknown);
            if read_names.contains(other.as_str()) {
                let needed = format!("only its first output to be used; `{other}` is read too");
                self.note(proto, operator, Refusal::Unsupported(needed));
            }
        }
    }

    /// Adds the nodes that an operator becomes.
    fn add(
        &mut self,
        label: &str,
        steps: Vec<(Operator, Vec<ReadInput>)>,
    ) -> Result<Value, Refusal> {
        let mut added: Vec<NodeId> = Vec::with_capacity(steps.len());
        let count = steps.len();
        for (number, (operator, inputs)) in steps.into_iter().enumerate() {
            let name = match number + 1 == count {
                true => self.unique(label),
                false => self.unique(&format!("{label} [{}]", number + 1)),
            };
            let input = |input: ReadInput| match input {
                ReadInput::Node(id) => Some(id),
                ReadInput::Step(step) => added.get(step).copied(),
            };
            let inputs: Vec<NodeId> = inputs.into_iter().filter_map(input).collect();
            match self.builder.add(name, operator, &inputs) {
                Ok(id) => added.push(id),
                Err(error) => return Err(Refusal::Other(error.into())),
            }
        }
        added.pop().map(Value::Activation).ok_or(Refusal::Blocked)
    }

    fn reading(&self, proto: &NodeProto, operator: &str) -> Result<Reading, Refusal> {
        if !is_standard(proto.domain.as_deref()) {
            let domain = proto.domain.as_deref().unwrap_or_default();
            let needed = format!("an operator of the standard set; this one is from `{domain}`");
            return Err(Refusal::Unsupported(needed));
        }
        let look_up = |name: &String| {
            let known = || self.values.get(name.as_str()).cloned().unwrap_or(Value::Unknown);
            (!name.is_empty()).then(known)
        };
        let context = NodeContext {
            proto,
            opset: self.opset,
            batch: self.batch,
            external: self.external,
            filled: self.filled,
            inputs: proto.input.iter().map(look_up).collect(),
            builder: &self.builder,
        };
        if let Some(tensor) = fold::fold(&context, operator)? {
            return Ok(Reading::Constant(tensor));
        }
        match operator::find(operator) {
            Some(reader) => (reader.read)(&context),
            // It would be computed, were its operands known.
            None if fold::names().any(|name| name == operator) && context.has_unknown() => {
                Err(Refusal::Blocked)
            }
            None => Err(Refusal::Unsupported(operator::what_is_needed(operator))),
        }
    }

    fn note(&mut self, proto: &NodeProto, operator: &str, refusal: Refusal) {
        let (node, operator) = (label(proto).to_owned(), operator.to_owned());
        let error = match refusal {
            Refusal::Blocked => return,
            Refusal::Unsupported(needed) => {
                self.unsupported.push(UnsupportedNode { node, operator, needed });
                return;
            }
            Refusal::Invalid(problem) => OnnxError::Node { node, operator, problem },
            Refusal::Other(error) => error,
        };
        self.first_error.get_or_insert(error);
    }

    /// The label, with a number behind it where another node has it already.
    fn unique(&mut self, label: &str) -> String {
        let mut name = label.to_owned();
        while self.builder.contains(&name) {
            // Counting on from the last number keeps many nodes of one name from taking
            // quadratic time.
            let number = self.last_number.entry(label.to_owned()).or_insert(1);
            *number += 1;
            name = format!("{label}#{number}");
        }
        name
    }

    fn finish(self, graph: &GraphProto) -> Result<AnnGraph, OnnxError> {
        if !self.unsupported.is_empty() {
            return Err(OnnxError::Unsupported(self.unsupported));
        }
        if let Some(error) = self.first_error {
            return Err(error);
        }
        let mut outputs: Vec<NodeId> = Vec::new();
        for output in &graph.output {
            let name = output.name.as_deref().unwrap_or_default();
            match self.values.get(name) {
                Some(Value::Activation(id)) => outputs.push(*id),
                _ => {
                    let reader = "the graph's output list".to_owned();
                    let value = format!("{name} (which does not depend on the input)");
                    return Err(OnnxError::MissingValue { value, reader });
                }
            }
        }
        Ok(self.builder.finish(&outputs)?)
    }
}
