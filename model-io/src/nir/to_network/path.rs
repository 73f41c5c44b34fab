//! What lies between two layers of neurons, as one set of weights.

use sim_core::network::{Convolution, convolution::output_extent};

use crate::array::{Array, element_count};
use crate::nir::run::Flat;
use crate::nir::{AvgPool2d, Conv2d, Padding, Primitive, SumPool2d};

use super::product::{Before, product};
use super::{NotFromNir, refuse};

/// Paths of a graph at most.
const PATH_LIMIT: usize = 1 << 16;

/// Values of a layer or weights of a kernel at most.
const VALUE_LIMIT: usize = 1 << 27;

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
    /// One a target neuron, or none.
    pub(super) bias: Vec<f64>,
    /// Steps of Delay nodes: one for all targets, or one each.
    pub(super) delays: Vec<u64>,
    /// Nodes with weights on the way.
    pub(super) linear: u32,
    /// Those into which the weights before them were multiplied.
    pub(super) multiplied: Vec<String>,
    /// Whether it leads back to a layer before it, or to its own.
    pub(super) looped: bool,
}

/// Weights of a path.
#[derive(Debug, Clone)]
pub(super) enum Weights {
    /// Neuron i reaches neuron i.
    Direct,
    /// `[target, source]`.
    Matrix { columns: usize, weights: Vec<f64> },
    /// A shared kernel.
    Kernel { geometry: Convolution, weights: Vec<f64> },
}

/// A path under way: extents of its values, and a pooling that waits for its convolution.
struct Way {
    path: Path,
    shape: Vec<usize>,
    pool: Option<(usize, f64)>,
    at: usize,
    passed: Vec<usize>,
}

fn is_layer(primitive: &Primitive) -> bool {
    matches!(primitive, Primitive::If(_) | Primitive::Lif(_))
}

/// All paths, in the order of their sources.
pub(super) fn paths(flat: &Flat, steps_per_unit: f64) -> Result<Vec<Path>, NotFromNir> {
    let mut found = Vec::new();
    let mut ways = Vec::new();
    for (index, (name, primitive)) in flat.nodes.iter().enumerate() {
        let shape = match primitive {
            Primitive::Input(input) if !name.contains('/') => input.shape.clone(),
            Primitive::If(node) => node.r.shape.clone(),
            Primitive::Lif(node) => node.r.shape.clone(),
            _ => continue,
        };
        let path = Path {
            source: index,
            target: index,
            name: name.clone(),
            weights: Weights::Direct,
            bias: Vec::new(),
            delays: vec![0],
            linear: 0,
            multiplied: Vec::new(),
            looped: false,
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
                Step::End => {}
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
    End,
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
    let heavy = |way: &Way| match way.path.linear {
        0 => Ok(()),
        _ => {
            let problem = "two nodes with weights follow each other";
            Err(refuse(node, problem, "multiply them into one node"))
        }
    };
    match &node.1 {
        primitive if is_layer(primitive) => {
            finish_pool(node, &mut on)?;
            on.path.target = to;
            return Ok(Step::Layer(on.path));
        }
        Primitive::Output(_) if !node.0.contains('/') => return Ok(Step::End),
        Primitive::Input(_) | Primitive::Output(_) => {}
        Primitive::Affine(affine) => {
            matrix(node, &mut on, &affine.weight, Some(&affine.bias))?;
        }
        Primitive::Linear(linear) => {
            matrix(node, &mut on, &linear.weight, None)?;
        }
        Primitive::Conv2d(conv) => {
            heavy(way)?;
            kernel(node, &mut on, conv)?;
        }
        Primitive::SumPool2d(SumPool2d { kernel_size, stride, padding })
        | Primitive::AvgPool2d(AvgPool2d { kernel_size, stride, padding }) => {
            heavy(way)?;
            let mean = matches!(node.1, Primitive::AvgPool2d(_));
            pool(node, &mut on, (*kernel_size, *stride, *padding), mean)?;
        }
        Primitive::Flatten(_) => {
            finish_pool(node, &mut on)?;
            on.shape = vec![on.shape.iter().product()];
        }
        Primitive::Delay(delay) => {
            let steps = numbers(node, "delay", &delay.delay)?;
            on.path.delays = delay_steps(&way.path.delays, &steps, steps_per_unit)
                .map_err(|problem| refuse(node, problem, "delays are 0 to 1000000 steps"))?;
        }
        _ => {
            let problem = "it does not lie between layers of IF and LIF neurons in descriptions";
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

/// Delays before the weights are those of the sources; they must be one.
fn one_delay(node: &(String, Primitive), way: &mut Way) -> Result<(), NotFromNir> {
    let first = way.path.delays.first().copied().unwrap_or(0);
    if way.path.delays.iter().any(|delay| *delay != first) {
        let problem = "delays that differ lie before its weights";
        return Err(refuse(
            node,
            problem,
            "put the Delay behind the weights, or give it one value",
        ));
    }
    way.path.delays = vec![first];
    Ok(())
}

fn numbers(node: &(String, Primitive), name: &str, array: &Array) -> Result<Vec<f64>, NotFromNir> {
    let found = array.values.to_f64().filter(|values| values.iter().all(|v| v.is_finite()));
    found.ok_or_else(|| {
        refuse(node, format!("{name} holds values that are no finite numbers"), "repair the file")
    })
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
    let bias = match bias {
        Some(bias) => numbers(node, "bias", bias)?,
        None => Vec::new(),
    };
    if way.path.linear == 0 {
        way.path.weights = Weights::Matrix { columns, weights: own };
        way.path.bias = bias;
    } else {
        let before = Before { weights: &way.path.weights, bias: &way.path.bias };
        let (columns, weights, added) =
            product(&before, (columns, &own), VALUE_LIMIT).map_err(|size| {
                let problem = format!("with the weights before it it takes {size} values");
                refuse(node, problem, "put a layer between them")
            })?;
        way.path.bias = match (bias.is_empty(), added.is_empty()) {
            (_, true) => bias,
            (true, _) => added,
            _ => bias.iter().zip(&added).map(|(own, added)| own + added).collect(),
        };
        way.path.weights = Weights::Matrix { columns, weights };
        way.path.multiplied.push(node.0.clone());
    }
    one_delay(node, way)?;
    way.path.linear += 1;
    way.path.name = node.0.clone();
    way.shape = vec![rows];
    Ok(())
}

fn kernel(node: &(String, Primitive), way: &mut Way, conv: &Conv2d) -> Result<(), NotFromNir> {
    let [channels, mut height, mut width] = way.shape[..] else {
        return Err(refuse(node, "its input is no picture", "state [channels, height, width]"));
    };
    let padding = match conv.padding {
        Padding::Zeros(zeros) => zeros,
        Padding::Valid => [0, 0],
        Padding::Same => {
            let problem = "its padding is `same`";
            return Err(refuse(node, problem, "state the zeros in numbers"));
        }
    };
    let mut weights = numbers(node, "weight", &conv.weight)?;
    let [out, ins, rows, columns] = conv.weight.shape[..] else {
        return Err(refuse(node, "its weight has not four axes", "repair the file"));
    };
    let (mut extents, mut stride, mut padding) = ([rows, columns], conv.stride, padding);
    // A sum over k × k pixels before the kernel is a kernel whose taps are k × k wide.
    if let Some((k, scale)) = way.pool.take() {
        if element_count(&[out, ins, rows, columns, k, k]).is_none_or(|size| size > VALUE_LIMIT) {
            let problem =
                format!("with the pooling before it its kernel has over {VALUE_LIMIT} taps");
            return Err(refuse(node, problem, "put a layer between them"));
        }
        if conv.dilation != [1, 1] {
            let problem = "a dilated convolution follows a pooling";
            return Err(refuse(node, problem, "put a layer between them"));
        }
        let taps = (0..out * ins).flat_map(|filter| {
            (0..rows * k).flat_map(move |y| {
                (0..columns * k).map(move |x| (filter * rows + y / k) * columns + x / k)
            })
        });
        weights = taps.map(|tap| weights[tap] * scale).collect();
        (height, width) = (height * k, width * k);
        extents = extents.map(|extent| extent * k);
        stride = stride.map(|step| step * k);
        padding = padding.map(|zeros| zeros * k);
    }
    geometry(
        node,
        way,
        (channels, height, width),
        (out, conv.groups),
        (extents, stride, padding, conv.dilation),
        weights,
    )?;
    let plane = way.shape[1] * way.shape[2];
    let bias = numbers(node, "bias", &conv.bias)?;
    way.path.bias = bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, plane)).collect();
    Ok(())
}

type Window = ([usize; 2], [usize; 2], [usize; 2], [usize; 2]);

fn geometry(
    node: &(String, Primitive),
    way: &mut Way,
    (channels, height, width): (usize, usize, usize),
    (out, groups): (usize, usize),
    (kernel, stride, padding, dilation): Window,
    weights: Vec<f64>,
) -> Result<(), NotFromNir> {
    let small = |numbers: [usize; 2]| numbers.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let (kernel, stride, zeros, dilation) =
        (small(kernel), small(stride), small(padding), small(dilation));
    let axis = |size: usize, a: usize| {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        output_extent(size, kernel[a], stride[a], 2 * u64::from(zeros[a]), dilation[a])
    };
    let (rows, columns) = (axis(height, 0), axis(width, 1));
    let output = [out as u64, rows, columns].iter().try_fold(1_u64, |n, &m| n.checked_mul(m));
    if output.is_none_or(|size| size > VALUE_LIMIT as u64) {
        let problem = format!("puts out more than {VALUE_LIMIT} values");
        return Err(refuse(node, problem, "use less padding or a larger stride"));
    }
    let geometry = Convolution {
        source: [channels, height, width].map(|n| n as u32),
        target: [out as u32, rows as u32, columns as u32],
        kernel,
        stride,
        padding: [zeros[0], zeros[1], zeros[0], zeros[1]],
        dilation,
        groups: groups as u32,
    };
    geometry.check().map_err(|error| refuse(node, error.to_string(), "repair the file"))?;
    one_delay(node, way)?;
    way.path.weights = Weights::Kernel { geometry, weights };
    way.path.linear += 1;
    way.path.name = node.0.clone();
    way.shape = vec![out, rows as usize, columns as usize];
    Ok(())
}

fn pool(
    node: &(String, Primitive),
    way: &mut Way,
    (kernel, stride, padding): ([usize; 2], [usize; 2], [usize; 2]),
    mean: bool,
) -> Result<(), NotFromNir> {
    let [channels, height, width] = way.shape[..] else {
        return Err(refuse(node, "its input is no picture", "state [channels, height, width]"));
    };
    let k = kernel[0];
    let plain = kernel == [k, k] && stride == kernel && padding == [0, 0];
    let fits = k > 0 && height.is_multiple_of(k) && width.is_multiple_of(k);
    if !plain || !fits || way.pool.is_some() {
        let problem = "its windows overlap, leave pixels out, or are not square";
        return Err(refuse(node, problem, "only windows side by side are read"));
    }
    way.pool = Some((k, if mean { 1.0 / (k * k) as f64 } else { 1.0 }));
    way.shape = vec![channels, height / k, width / k];
    Ok(())
}

/// A pooling that no convolution follows becomes a convolution of its own.
fn finish_pool(node: &(String, Primitive), way: &mut Way) -> Result<(), NotFromNir> {
    let Some((k, scale)) = way.pool.take() else { return Ok(()) };
    let [channels, height, width] = way.shape[..] else { return Ok(()) };
    if element_count(&[channels, k, k]).is_none_or(|size| size > VALUE_LIMIT) {
        return Err(refuse(node, "the pooling before it is too large", "pool in two steps"));
    }
    let weights = vec![scale; channels * k * k];
    let window = ([k, k], [k, k], [0, 0], [1, 1]);
    let before = (channels, height * k, width * k);
    geometry(node, way, before, (channels, channels), window, weights)
}
