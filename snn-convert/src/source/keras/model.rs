//! Sequential and functional models, also inside each other.

use std::collections::HashMap;

use serde_json::Value;

use super::LayerWeights;
use super::config::{LayerConfig, Refusal};
use super::layer;
use super::layout::{Network, from_keras};
use crate::ann::{AnnGraph, AnnGraphBuilder, NodeId, SampleShape};
use crate::source::SourceError;
use crate::source::onnx::UnsupportedNode;
use crate::source::weights::WeightTensor;

/// How deep models may lie inside each other.
const MAXIMUM_DEPTH: usize = 8;
/// Calls of layers; the limit keeps hostile files from taking quadratic time.
const MAXIMUM_CALLS: usize = 10_000;

/// Reads a model.
pub fn read(config: &str, weights: &LayerWeights) -> Result<AnnGraph, SourceError> {
    let model: Value = serde_json::from_str(config)
        .map_err(|error| damaged(format!("its model_config is no JSON: {error}")))?;
    let mut reader = Reader {
        network: Network { graph: AnnGraphBuilder::default(), layer: "", uses: 1 },
        weights,
        input: None,
        uses: HashMap::new(),
        unsupported: Vec::new(),
        calls: 0,
    };
    let outputs = reader.model(&model, None, None, 0)?;
    if !reader.unsupported.is_empty() {
        return Err(SourceError::Unsupported(reader.unsupported));
    }
    let outputs: Option<Vec<NodeId>> = outputs.into_iter().collect();
    let outputs = outputs.ok_or_else(|| damaged("its output is made by no layer"))?;
    Ok(reader.network.graph.finish(&outputs)?)
}

fn damaged(problem: impl Into<String>) -> SourceError {
    SourceError::Damaged { format: "Keras file", problem: problem.into() }
}

/// A value; `None` where a layer before it could not be read.
type Made = Option<NodeId>;

struct Reader<'a> {
    network: Network<'a>,
    weights: &'a LayerWeights,
    input: Option<NodeId>,
    uses: HashMap<&'a str, usize>,
    unsupported: Vec<UnsupportedNode>,
    calls: usize,
}

/// The parts of a layer's entry.
#[derive(Clone, Copy)]
struct Entry<'a> {
    value: &'a Value,
    class: &'a str,
    name: &'a str,
    config: &'a Value,
    inbound: Option<&'a Value>,
}

fn entry(value: &Value) -> Result<Entry<'_>, SourceError> {
    let config = value.get("config").unwrap_or(&Value::Null);
    let name = value.get("name").or_else(|| config.get("name")).and_then(Value::as_str);
    let class = value.get("class_name").and_then(Value::as_str);
    let class = class.ok_or_else(|| damaged("a layer has no class_name"))?;
    let inbound = value.get("inbound_nodes");
    Ok(Entry { value, class, name: name.unwrap_or(class), config, inbound })
}

fn is_model(class: &str) -> bool {
    matches!(class, "Sequential" | "Functional" | "Model")
}

/// A call of a layer that waits for its operands.
struct Call<'a> {
    entry: Entry<'a>,
    number: u64,
    operands: Vec<Reference<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads a model; `inputs` are what it is called with where it lies inside another, whose
    /// group of weights is `group`.
    fn model(
        &mut self,
        model: &'a Value,
        inputs: Option<&[Made]>,
        group: Option<&'a str>,
        depth: usize,
    ) -> Result<Vec<Made>, SourceError> {
        if depth > MAXIMUM_DEPTH {
            return Err(damaged("models lie too deep inside each other"));
        }
        let found = entry(model)?;
        // Old sequential models are a list of layers.
        let layers = found.config.get("layers").unwrap_or(found.config).as_array();
        let layers = layers.ok_or_else(|| damaged("its model_config has no layers"))?;
        match found.class {
            "Sequential" => self.sequential(layers, inputs, group, depth),
            "Functional" | "Model" => self.functional(found.config, layers, inputs, group, depth),
            other => Err(SourceError::Layer {
                layer: found.name.to_owned(),
                kind: other.to_owned(),
                problem: "only Sequential and Functional models say how they are built; build the \
                          model as one of these, or export to ONNX"
                    .to_owned(),
            }),
        }
    }

    fn sequential(
        &mut self,
        layers: &'a [Value],
        inputs: Option<&[Made]>,
        group: Option<&'a str>,
        depth: usize,
    ) -> Result<Vec<Made>, SourceError> {
        let mut last: Option<Vec<Made>> = inputs.map(<[Made]>::to_vec);
        for value in layers {
            let found = entry(value)?;
            let is_input = found.class == "InputLayer";
            let current = match last.take() {
                Some(current) => current,
                None => vec![Some(self.input_layer(&found)?)],
            };
            last = Some(match is_input {
                true => current,
                false => self.layer(&found, &current, group, depth)?,
            });
        }
        Ok(last.unwrap_or_default())
    }

    fn functional(
        &mut self,
        config: &'a Value,
        layers: &'a [Value],
        inputs: Option<&[Made]>,
        group: Option<&'a str>,
        depth: usize,
    ) -> Result<Vec<Made>, SourceError> {
        let stated = references(config.get("input_layers"));
        let mut values: HashMap<(&str, u64), Vec<Made>> = HashMap::new();
        let mut waiting: Vec<Call<'a>> = Vec::new();
        for value in layers {
            let found = entry(value)?;
            if found.class == "InputLayer" {
                let position = stated.iter().position(|reference| reference.layer == found.name);
                let made = match inputs {
                    Some(inputs) => inputs.get(position.unwrap_or(0)).copied().flatten(),
                    None => Some(self.input_layer(&found)?),
                };
                values.insert((found.name, 0), vec![made]);
                continue;
            }
            for (number, operands) in calls(found.inbound).into_iter().enumerate() {
                waiting.push(Call { entry: found, number: number as u64, operands });
            }
            if waiting.len() > MAXIMUM_CALLS {
                return Err(damaged(format!(
                    "its layers are called more than {MAXIMUM_CALLS} times"
                )));
            }
        }
        // Keras counts the calls of a model from 1 where it was called to build it.
        let outputs = references(config.get("output_layers"));
        let mut counted: HashMap<&str, (u64, u64)> = HashMap::new();
        for call in &waiting {
            counted.entry(call.entry.name).or_insert((0, 0)).0 += 1;
        }
        let read = waiting.iter().flat_map(|call| &call.operands).chain(&outputs);
        for reference in read {
            if let Some((_, most)) = counted.get_mut(reference.layer) {
                *most = reference.call.saturating_add(1).max(*most);
            }
        }
        for call in &mut waiting {
            if let (true, Some((calls, most))) =
                (is_model(call.entry.class), counted.get(call.entry.name))
            {
                call.number = call.number.saturating_add(most.saturating_sub(*calls));
            }
        }
        // A sweep over what waits makes progress, or there is a circle.
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut left = Vec::new();
            for call in waiting {
                let made = |reference: &Reference<'_>| {
                    let results = values.get(&(reference.layer, reference.call))?;
                    Some(results.get(reference.result as usize).copied().flatten())
                };
                let ready: Option<Vec<Made>> = call.operands.iter().map(made).collect();
                match ready {
                    Some(ready) => {
                        let made = self.layer(&call.entry, &ready, group, depth)?;
                        values.insert((call.entry.name, call.number), made);
                    }
                    None => left.push(call),
                }
            }
            if left.len() == before {
                let names: Vec<&str> = left.iter().take(8).map(|call| call.entry.name).collect();
                return Err(damaged(format!(
                    "these layers read what no layer makes, or each other in a circle: {}",
                    names.join(", ")
                )));
            }
            waiting = left;
        }
        let result = |reference: &Reference<'_>| {
            let made = values.get(&(reference.layer, reference.call));
            made.and_then(|made| made.get(reference.result as usize)).copied().flatten()
        };
        Ok(outputs.iter().map(result).collect())
    }

    /// The network's input, in the order of the file, then with the channels first.
    fn input_layer(&mut self, found: &Entry<'a>) -> Result<NodeId, SourceError> {
        let fail = |problem: String| SourceError::Layer {
            layer: found.name.to_owned(),
            kind: found.class.to_owned(),
            problem,
        };
        if self.input.is_some() {
            return Err(fail("networks with one input can be converted".to_owned()));
        }
        let keys = ["batch_input_shape", "batch_shape"];
        let stated = keys.iter().find_map(|key| found.config.get(key)?.as_array());
        let stated = stated.ok_or_else(|| {
            fail("it states no input shape; build the model before saving it".to_owned())
        })?;
        let extent = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let extents: Option<Vec<usize>> = stated.iter().skip(1).take(16).map(extent).collect();
        let extents = extents.ok_or_else(|| {
            fail("its input has a free extent; build the model with a fixed input shape".to_owned())
        })?;
        let shape = SampleShape::new(extents).map_err(|problem| fail(problem.to_string()))?;
        let name = if found.class == "InputLayer" { found.name } else { "input" };
        let operators = from_keras(&shape);
        let input = self.network.graph.input(name, shape)?;
        self.input = Some(input);
        (self.network.layer, self.network.uses) = (name, 1);
        self.network.chain(input, operators).map_err(|refusal| match refusal {
            Refusal::Other(error) => error,
            Refusal::Unsupported(problem) => fail(problem),
        })
    }

    /// One call of a layer.
    fn layer(
        &mut self,
        found: &Entry<'a>,
        inputs: &[Made],
        group: Option<&'a str>,
        depth: usize,
    ) -> Result<Vec<Made>, SourceError> {
        self.calls += 1;
        if self.calls > MAXIMUM_CALLS {
            return Err(damaged(format!("its layers are called more than {MAXIMUM_CALLS} times")));
        }
        if is_model(found.class) {
            return self.model(
                found.value,
                Some(inputs),
                Some(group.unwrap_or(found.name)),
                depth + 1,
            );
        }
        let Some(read) = layer::find(found.class) else {
            self.refuse(found, layer::what_is_needed(found.class));
            return Ok(vec![None]);
        };
        let ready: Option<Vec<NodeId>> = inputs.iter().copied().collect();
        let Some(ready) = ready else { return Ok(vec![None]) };
        let config = LayerConfig {
            name: found.name,
            class: found.class,
            config: found.config,
            weights: self.weights_of(found.name, group),
        };
        let uses = self.uses.entry(found.name).or_insert(0);
        *uses += 1;
        (self.network.layer, self.network.uses) = (found.name, *uses);
        match read(&config, &mut self.network, &ready) {
            Ok(id) => Ok(vec![Some(id)]),
            Err(Refusal::Unsupported(needed)) => {
                self.refuse(found, needed);
                Ok(vec![None])
            }
            Err(Refusal::Other(error)) => Err(error),
        }
    }

    fn refuse(&mut self, found: &Entry<'_>, needed: String) {
        let (node, operator) = (found.name.to_owned(), found.class.to_owned());
        self.unsupported.push(UnsupportedNode { node, operator, needed });
    }

    /// A layer's tensors; those of a layer inside another model lie in that model's group, with
    /// the layer's name in their paths.
    fn weights_of(&self, name: &str, group: Option<&str>) -> Vec<&'a (String, WeightTensor)> {
        let all = self.weights.get(group.unwrap_or(name)).map(Vec::as_slice).unwrap_or_default();
        let inside = |path: &str| path.split('/').any(|part| part == name);
        all.iter().filter(|(path, _)| group.is_none() || inside(path)).collect()
    }
}

/// A result of a call of a layer.
struct Reference<'a> {
    layer: &'a str,
    call: u64,
    result: u64,
}

fn reference(value: &Value) -> Option<Reference<'_>> {
    let parts = value.as_array()?;
    Some(Reference {
        layer: parts.first()?.as_str()?,
        call: parts.get(1).and_then(Value::as_u64).unwrap_or(0),
        result: parts.get(2).and_then(Value::as_u64).unwrap_or(0),
    })
}

/// `[["name", 0, 0], …]`, or `["name", 0, 0]` for a single one.
fn references(value: Option<&Value>) -> Vec<Reference<'_>> {
    let Some(value) = value else { return Vec::new() };
    match reference(value) {
        Some(single) => vec![single],
        None => value.as_array().into_iter().flatten().filter_map(reference).collect(),
    }
}

/// The operands of each call of a layer.
fn calls(inbound: Option<&Value>) -> Vec<Vec<Reference<'_>>> {
    let calls = inbound.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let operands = |call| match Value::get(call, "args") {
        // Keras 3: tensors inside the arguments, with their history.
        Some(arguments) => histories(arguments),
        None => references(Some(call)),
    };
    calls.iter().map(operands).collect()
}

/// The tensors among arguments, in order.
fn histories(arguments: &Value) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut pending = vec![arguments];
    while let Some(value) = pending.pop() {
        if let Some(list) = value.as_array() {
            pending.extend(list.iter().rev());
        } else if let Some(history) = value.get("config").and_then(|c| c.get("keras_history")) {
            found.extend(reference(history));
        }
    }
    found
}
