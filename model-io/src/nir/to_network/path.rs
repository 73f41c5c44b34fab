//! What lies between two layers of neurons, as one set of weights.

use sim_core::network::Convolution;

use crate::array::{Array, element_count};
use crate::nir::run::{Flat, extents};
use crate::nir::{AvgPool2d, Primitive, SumPool2d};

use super::kernel::{conv_1d, conv_2d, finish_pool, pool};
use super::layer::numbers;
use super::listed::{Synapse, behind, delays_differ};
use super::product::{applied, product};
use super::{NotFromNir, refuse, scale};

/// Paths of a graph at most.
const PATH_LIMIT: usize = 1 << 16;

/// Values of a layer or weights of a kernel at most.
pub(super) const VALUE_LIMIT: usize = 1 << 27;

/// Values of an output behind weights at most: no array of a file stands behind them.
const OUTPUT_LIMIT: usize = 1 << 18;

/// A way from a layer to the next one.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// Index of the layer that sends.
    pub(super) source: usize,
    /// Index of the layer that receives.
    pub(super) target: usize,
    /// Name of the node with the weights.
    pub(super) name: String,
    pub(super) weights: Weights,
    pub(super) biases: Vec<Bias>,
    /// Steps of Delay nodes: one for all targets, or one each.
    pub(super) delays: Vec<u64>,
    /// Nodes with weights on the way.
    pub(super) linear: u32,
    /// Those into which the weights before them were multiplied.
    pub(super) multiplied: Vec<String>,
    /// Whether it leads back to a layer before it, or to its own.
    pub(super) looped: bool,
    /// Extents of the values that arrive.
    pub(super) extents: Vec<usize>,
}

impl Path {
    /// Whether values arrive as they were sent.
    pub(super) fn is_plain(&self) -> bool {
        let direct = matches!(self.weights, Weights::Direct);
        direct && self.biases.is_empty() && self.delays.iter().all(|&delay| delay == 0)
    }
}

/// What a node on a path adds to every value.
#[derive(Debug, Clone)]
pub(super) struct Bias {
    /// One a target neuron, or one a channel of which each stands for `repeat` neurons.
    pub(super) values: Vec<f64>,
    /// Neurons of a value: what a file states of them may be more than it holds.
    pub(super) repeat: usize,
    /// Steps of the Delay nodes behind it: one for all targets, or one each.
    pub(super) delays: Vec<u64>,
    /// Nodes with weights that it passes, its own among them.
    pub(super) linear: u32,
}

/// Weights of a path.
#[derive(Debug, Clone)]
pub(super) enum Weights {
    /// Neuron i reaches neuron i.
    Direct,
    /// The same, with one weight for all or one each.
    Diagonal(Vec<f64>),
    /// `[target, source]`.
    Matrix { columns: usize, weights: Vec<f64> },
    /// A shared kernel.
    Kernel { geometry: Convolution, weights: Vec<f64> },
    /// Synapses one by one, from so many sources.
    Listed { sources: usize, synapses: Vec<Synapse> },
}

/// A path under way: extents of its values, and a pooling that waits for its convolution.
pub(super) struct Way {
    pub(super) path: Path,
    pub(super) shape: Vec<usize>,
    pub(super) pool: Option<(usize, f64)>,
    at: usize,
    passed: Vec<usize>,
}

impl Way {
    /// Notes what the node at hand adds.
    pub(super) fn add_bias(&mut self, values: Vec<f64>, repeat: usize) {
        if values.iter().any(|&value| value != 0.0) {
            self.path.biases.push(Bias { values, repeat, delays: vec![0], linear: 0 });
        }
    }

    /// Gives every neuron its own bias, once the file has as many numbers.
    pub(super) fn spread_biases(&mut self) {
        for bias in self.path.biases.iter_mut().filter(|bias| bias.repeat != 1) {
            let values = bias.values.iter().flat_map(|&v| std::iter::repeat_n(v, bias.repeat));
            (bias.values, bias.repeat) = (values.collect(), 1);
        }
    }

    /// The path to the node at which it ends.
    fn arrived(mut self, target: usize) -> Path {
        self.spread_biases();
        Path { target, extents: self.shape, ..self.path }
    }

    /// A path taken up again behind its target, where values of these extents are.
    pub(super) fn resumed(path: Path, shape: Vec<usize>) -> Self {
        Self { at: path.target, path, shape, pool: None, passed: Vec::new() }
    }

    /// Counts the node at hand among those with weights.
    pub(super) fn pass_weights(&mut self) {
        self.path.linear += 1;
        self.path.biases.iter_mut().for_each(|bias| bias.linear += 1);
    }
}

/// All paths, in the order of their sources.
pub(super) fn paths(flat: &Flat, steps_per_unit: f64) -> Result<Vec<Path>, NotFromNir> {
    let mut found = Vec::new();
    let mut ways = Vec::new();
    for (index, (name, primitive)) in flat.nodes.iter().enumerate() {
        let shape = match primitive {
            Primitive::Input(input) if !name.contains('/') => input.shape.clone(),
            layer => match extents(layer) {
                Some(extents) => extents,
                None => continue,
            },
        };
        let path = Path {
            source: index,
            target: index,
            name: name.clone(),
            weights: Weights::Direct,
            biases: Vec::new(),
            delays: vec![0],
            linear: 0,
            multiplied: Vec::new(),
            looped: false,
            extents: Vec::new(),
        };
        let shape = crate::nir::run::without_batch(&shape);
        if element_count(&shape).is_none_or(|size| size > VALUE_LIMIT) {
            let problem = format!("its shape {shape:?} has more than {VALUE_LIMIT} values");
            return Err(refuse(&flat.nodes[index], problem, "make the layer smaller"));
        }
        ways.push(Way { path, shape, pool: None, at: index, passed: Vec::new() });
    }
    while let Some(way) = ways.pop() {
        let next = flat.edges.iter().filter(|(from, _)| *from == way.at);
        for &(_, to) in next {
            if found.len() + ways.len() > PATH_LIMIT || way.passed.contains(&to) {
                let problem = "too many ways, or a loop without a layer, lead through it";
                return Err(refuse(&flat.nodes[to], problem, "simplify the graph"));
            }
            match step(flat, &way, to, steps_per_unit)? {
                Step::Layer(path) => found.push(path),
                Step::On(on) => ways.push(on),
            }
        }
    }
    mark_loops(flat.nodes.len(), &mut found);
    found.sort_by_key(|path| (path.target, path.source));
    Ok(found)
}

/// Paths inside a loop: those whose source can be reached from their target. As in
/// [`crate::nir::run`], all of them carry the previous step's spikes.
fn mark_loops(nodes: usize, paths: &mut [Path]) {
    let edges: Vec<(usize, usize)> = paths.iter().map(|path| (path.source, path.target)).collect();
    for path in paths.iter_mut() {
        let mut seen = vec![false; nodes];
        let mut stack = vec![path.target];
        while let Some(node) = stack.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                stack.extend(edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| *to));
            }
        }
        path.looped = seen[path.source];
    }
}

enum Step {
    Layer(Path),
    On(Way),
}

fn step(flat: &Flat, way: &Way, to: usize, steps_per_unit: f64) -> Result<Step, NotFromNir> {
    let node = &flat.nodes[to];
    let mut on = Way {
        path: way.path.clone(),
        shape: way.shape.clone(),
        pool: way.pool,
        at: to,
        passed: way.passed.iter().copied().chain([to]).collect(),
    };
    match &node.1 {
        primitive if extents(primitive).is_some() => {
            finish_pool(node, &mut on)?;
            let size = |shape: &[usize]| shape.iter().product::<usize>();
            let (own, got) = (extents(primitive).map_or(0, |own| size(&own)), size(&on.shape));
            if own != got {
                let problem = format!("it has {own} neurons, but {got} values reach it");
                return Err(refuse(node, problem, "give it one neuron a value"));
            }
            return Ok(Step::Layer(on.arrived(to)));
        }
        Primitive::Output(_) if !node.0.contains('/') => {
            finish_pool(node, &mut on)?;
            let size = on.shape.iter().product::<usize>();
            if size > OUTPUT_LIMIT && !on.path.is_plain() {
                let problem = format!("{size} values reach it through weights");
                return Err(refuse(node, problem, "put a layer of neurons before it"));
            }
            return Ok(Step::Layer(on.arrived(to)));
        }
        Primitive::Input(_) | Primitive::Output(_) => {}
        Primitive::Affine(affine) => {
            matrix(node, &mut on, &affine.weight, Some(&affine.bias))?;
        }
        Primitive::Linear(linear) => {
            matrix(node, &mut on, &linear.weight, None)?;
        }
        Primitive::Conv2d(conv) => {
            if conv.dilation != [1, 1] {
                finish_pool(node, &mut on)?;
            }
            scale::into_kernel(node, &mut on, |on| conv_2d(node, on, conv))?;
        }
        Primitive::Conv1d(conv) => {
            scale::into_kernel(node, &mut on, |on| conv_1d(node, on, conv))?;
        }
        Primitive::Scale(found) => {
            finish_pool(node, &mut on)?;
            scale::scaled(node, &mut on, &numbers(node, "scale", &found.scale)?)?;
        }
        Primitive::SumPool2d(SumPool2d { kernel_size, stride, padding })
        | Primitive::AvgPool2d(AvgPool2d { kernel_size, stride, padding }) => {
            let mean = matches!(node.1, Primitive::AvgPool2d(_));
            let window = (*kernel_size, *stride, *padding);
            finish_pool(node, &mut on)?;
            scale::into_kernel(node, &mut on, |on| pool(node, on, window, mean))?;
        }
        Primitive::Flatten(found) => {
            finish_pool(node, &mut on)?;
            on.shape = flattened(&on.shape, found.start_dim, found.end_dim)
                .map_err(|problem| refuse(node, problem, "give axes that the input has"))?;
        }
        Primitive::Delay(delay) => {
            let steps = numbers(node, "delay", &delay.delay)?;
            let size: usize = on.shape.iter().product();
            if steps.len() != 1 && steps.len() != size {
                let problem = format!("{} delays for {size} values", steps.len());
                return Err(refuse(node, problem, "give it one delay, or one a value"));
            }
            let add = |delays: &mut Vec<u64>| {
                *delays = delay_steps(delays, &steps, steps_per_unit)
                    .map_err(|problem| refuse(node, problem, "delays are 0 to 1000000 steps"))?;
                Ok::<_, NotFromNir>(())
            };
            add(&mut on.path.delays)?;
            on.path.biases.iter_mut().try_for_each(|bias| add(&mut bias.delays))?;
        }
        _ => {
            let problem = "it does not lie between layers of neurons in descriptions";
            return Err(refuse(node, problem, "check the graph with `spikeloom verify nir`"));
        }
    }
    Ok(Step::On(on))
}

fn delay_steps(before: &[u64], delays: &[f64], steps_per_unit: f64) -> Result<Vec<u64>, String> {
    let mut steps = Vec::with_capacity(delays.len());
    for (index, delay) in delays.iter().enumerate() {
        let exact = delay * steps_per_unit;
        if !(0.0..=1e6).contains(&exact) {
            return Err(format!("a delay of {delay} is {exact} steps"));
        }
        let own = before.get(index).or(before.first()).copied().unwrap_or(0);
        steps.push(own + exact.round() as u64);
    }
    Ok(steps)
}

/// Delays that do not differ, as one.
pub(super) fn one_delay(way: &mut Way) {
    let of_biases = way.path.biases.iter_mut().map(|bias| &mut bias.delays);
    of_biases.chain([&mut way.path.delays]).for_each(|delays| delays.truncate(1));
}

fn matrix(
    node: &(String, Primitive),
    way: &mut Way,
    weight: &Array,
    bias: Option<&Array>,
) -> Result<(), NotFromNir> {
    finish_pool(node, way)?;
    let [rows, columns] = weight.shape[..] else {
        return Err(refuse(node, "its weight is no matrix [out, in]", "give it two axes"));
    };
    if rows > VALUE_LIMIT {
        let problem = format!("its weight has {rows} rows, more than {VALUE_LIMIT}");
        return Err(refuse(node, problem, "repair the file"));
    }
    let size: usize = way.shape.iter().product();
    if size != columns {
        let problem = format!("{size} values reach its {columns} columns");
        return Err(refuse(node, problem, "give the matrix one column a value"));
    }
    let own = numbers(node, "weight", weight)?;
    multiplied(node, way, (columns, own))?;
    if let Some(bias) = bias {
        way.add_bias(numbers(node, "bias", bias)?, 1);
    }
    way.pass_weights();
    way.path.name = node.0.clone();
    way.shape = vec![rows];
    Ok(())
}

/// Multiplies the weights of a way, and what it adds, by a matrix `[rows, columns]` behind it.
pub(super) fn multiplied(
    node: &(String, Primitive),
    way: &mut Way,
    (columns, own): (usize, Vec<f64>),
) -> Result<(), NotFromNir> {
    let differ = delays_differ(&way.path.delays)
        || way.path.biases.iter().any(|bias| delays_differ(&bias.delays));
    if differ || matches!(way.path.weights, Weights::Listed { .. }) {
        let rows = own.len() / columns.max(1);
        return behind(node, way, (&Weights::Matrix { columns, weights: own }, rows));
    }
    if matches!(way.path.weights, Weights::Direct) && way.path.biases.is_empty() {
        way.path.weights = Weights::Matrix { columns, weights: own };
        one_delay(way);
        return Ok(());
    }
    let (before, weights) =
        product(&way.path.weights, (columns, &own), VALUE_LIMIT).map_err(|size| {
            let problem = format!("with the weights before it it takes {size} values");
            refuse(node, problem, "put a layer between them")
        })?;
    way.spread_biases();
    for bias in &mut way.path.biases {
        bias.values = applied((columns, &own), &bias.values);
    }
    if !matches!(way.path.weights, Weights::Direct) {
        way.path.multiplied.push(node.0.clone());
    }
    way.path.weights = Weights::Matrix { columns: before, weights };
    one_delay(way);
    Ok(())
}

/// A shape with the axes `start..=end` as one.
fn flattened(shape: &[usize], start: i64, end: i64) -> Result<Vec<usize>, String> {
    let axes = shape.len() as i64;
    let index = |axis: i64| if axis < 0 { axis + axes } else { axis };
    let (first, last) = (index(start), index(end));
    if first < 0 || last >= axes || first > last {
        return Err(format!(
            "axes {start} to {end} are not in the shape {shape:?} that reaches it"
        ));
    }
    let (first, last) = (first as usize, last as usize);
    let mut joined = shape[..first].to_vec();
    joined.push(shape[first..=last].iter().product());
    joined.extend_from_slice(&shape[last + 1..]);
    Ok(joined)
}
