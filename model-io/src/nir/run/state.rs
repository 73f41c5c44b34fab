//! What a node holds between steps, and its step.

use std::collections::VecDeque;

use crate::array::Array;
use crate::nir::dialect::Convention;
use crate::nir::{Padding, Primitive};

use super::Signal;
use super::linear::{Correlation, Matrix, Pool, elementwise, flatten};
use super::neurons::Neurons;

/// Steps of delay at most.
const DELAY_LIMIT: f64 = 65536.0;

/// A node's parameters and state.
#[derive(Debug)]
pub(super) struct NodeState {
    kind: Kind,
    /// Values that have not come out yet, for conventions with slow synapses or spikes.
    late: VecDeque<Signal>,
    late_steps: usize,
}

#[derive(Debug)]
enum Kind {
    Pass,
    Matrix(Matrix),
    Correlation(Correlation),
    Pool(Pool),
    Scale(Vec<f64>),
    Threshold(Vec<f64>),
    Flatten { start: i64, end: i64 },
    Delay { steps: Vec<usize>, past: VecDeque<Vec<f64>> },
    Neurons(Neurons),
}

/// Numbers of a parameter.
pub(super) fn numbers(name: &str, array: &Array) -> Result<Vec<f64>, String> {
    array.values.to_f64().ok_or_else(|| format!("{name} holds no numbers"))
}

impl NodeState {
    pub(super) fn new(primitive: &Primitive, convention: &Convention) -> Result<Self, String> {
        let kind = match primitive {
            Primitive::Graph(_) | Primitive::Input(_) | Primitive::Output(_) => Kind::Pass,
            Primitive::Affine(node) => Kind::Matrix(Matrix::new(&node.weight, Some(&node.bias))?),
            Primitive::Linear(node) => Kind::Matrix(Matrix::new(&node.weight, None)?),
            Primitive::Scale(node) => Kind::Scale(numbers("scale", &node.scale)?),
            Primitive::Conv1d(node) => Kind::Correlation(Correlation::new(
                (&node.weight, &node.bias),
                [1, node.stride],
                [1, node.dilation],
                match node.padding {
                    Padding::Zeros([zeros]) => Padding::Zeros([0, zeros]),
                    Padding::Same => Padding::Same,
                    Padding::Valid => Padding::Valid,
                },
                node.groups,
            )?),
            Primitive::Conv2d(node) => Kind::Correlation(Correlation::new(
                (&node.weight, &node.bias),
                node.stride,
                node.dilation,
                node.padding,
                node.groups,
            )?),
            Primitive::SumPool2d(node) => {
                Kind::Pool(Pool::new(node.kernel_size, node.stride, node.padding, false))
            }
            Primitive::AvgPool2d(node) => {
                Kind::Pool(Pool::new(node.kernel_size, node.stride, node.padding, true))
            }
            Primitive::Flatten(node) => Kind::Flatten { start: node.start_dim, end: node.end_dim },
            Primitive::Delay(node) => delay(&node.delay, convention)?,
            Primitive::Threshold(node) => Kind::Threshold(numbers("threshold", &node.threshold)?),
            Primitive::I(_)
            | Primitive::If(_)
            | Primitive::Li(_)
            | Primitive::Lif(_)
            | Primitive::CubaLi(_)
            | Primitive::CubaLif(_) => Kind::Neurons(Neurons::new(primitive, convention)?),
        };
        let late_steps = match &kind {
            Kind::Matrix(_) | Kind::Correlation(_) => convention.synapse_steps,
            Kind::Neurons(neurons) if neurons.spikes() => convention.spike_steps,
            _ => 0,
        };
        Ok(Self { kind, late: VecDeque::new(), late_steps: late_steps as usize })
    }

    /// Potentials of neurons after the last step.
    pub(super) fn potential(&self) -> Option<&[f64]> {
        match &self.kind {
            Kind::Neurons(neurons) => Some(neurons.potential()),
            _ => None,
        }
    }

    /// What leaves the node in the next step, where it leaves late.
    pub(super) fn next_out(&self) -> Option<&Signal> {
        (self.late_steps > 0 && self.late.len() == self.late_steps).then(|| self.late.front())?
    }

    /// One step; without input a node sees zeros.
    pub(super) fn step(
        &mut self,
        primitive: &Primitive,
        input: Option<Signal>,
    ) -> Result<Signal, String> {
        let silent = input.is_none();
        let input = input.unwrap_or_else(|| silence(primitive));
        let output = match &mut self.kind {
            Kind::Pass => match primitive {
                Primitive::Output(output) if output.shape.len() == 1 => {
                    Signal { shape: vec![input.values.len()], values: input.values }
                }
                _ => input,
            },
            Kind::Matrix(matrix) => matrix.apply(&input)?,
            Kind::Correlation(correlation) if silent => correlation.silent()?,
            Kind::Correlation(correlation) => correlation.apply(&input)?,
            Kind::Pool(pool) => pool.apply(&input)?,
            Kind::Scale(scale) => elementwise("scale", &input, scale, |x, scale| x * scale)?,
            Kind::Threshold(threshold) => {
                elementwise("threshold", &input, threshold, |x, t| f64::from(u8::from(x > t)))?
            }
            Kind::Flatten { start, end } => flatten(input, *start, *end)?,
            Kind::Delay { steps, past } => delayed(&input, steps, past)?,
            Kind::Neurons(neurons) => neurons.step(&input)?,
        };
        if self.late_steps == 0 {
            return Ok(output);
        }
        let silence =
            Signal { shape: output.shape.clone(), values: vec![0.0; output.values.len()] };
        self.late.push_back(output);
        Ok(if self.late.len() > self.late_steps {
            self.late.pop_front().unwrap_or(silence)
        } else {
            silence
        })
    }
}

/// What a node sees before anything has reached it, as in the first step of a loop: zeros, where its
/// parameters say how many.
fn silence(primitive: &Primitive) -> Signal {
    let parameter = match primitive {
        Primitive::Scale(node) => &node.scale,
        Primitive::Threshold(node) => &node.threshold,
        _ => return Signal::default(),
    };
    let zeros = vec![0.0; parameter.len()];
    Signal { shape: super::without_batch(&parameter.shape), values: zeros }
}

fn delay(delay: &Array, convention: &Convention) -> Result<Kind, String> {
    let mut steps = Vec::new();
    for delay in numbers("delay", delay)? {
        let exact = delay * convention.tau_scale / convention.dt;
        if !(0.0..=DELAY_LIMIT).contains(&exact) {
            return Err(format!(
                "a delay of {delay} is {exact} steps of {}; 0 to {DELAY_LIMIT} are run",
                convention.dt
            ));
        }
        steps.push(exact.round() as usize);
    }
    Ok(Kind::Delay { steps, past: VecDeque::new() })
}

fn delayed(
    input: &Signal,
    steps: &[usize],
    past: &mut VecDeque<Vec<f64>>,
) -> Result<Signal, String> {
    let size = steps.len();
    if !input.values.is_empty() && input.values.len() != size && size != 1 {
        return Err(format!("{} delays for {} values", size, input.values.len()));
    }
    let longest = steps.iter().copied().max().unwrap_or(0);
    past.push_front(input.values.clone());
    past.truncate(longest + 1);
    let count = if size == 1 { input.values.len() } else { size };
    let value = |index: usize| {
        let steps = steps.get(index).or(steps.first()).copied().unwrap_or(0);
        past.get(steps).and_then(|row| row.get(index)).copied().unwrap_or(0.0)
    };
    let shape = if input.shape.is_empty() { vec![count] } else { input.shape.clone() };
    Ok(Signal { shape, values: (0..count).map(value).collect() })
}
