//! The operators of a trained network, one a file.
//!
//! To add one: write `operator/<name>.rs` with a struct that implements [`Operation`], and add
//! its line to the list at the end of this file. Shape inference, evaluation, error messages,
//! the printed plan and every generic test then know it. A front end that reads it from a file
//! is a file and a line of its own (`source/<format>/operator`).

mod add;
mod affine;
mod arg_max;
mod average_pool;
mod batch_normalization;
mod clip;
mod concat;
mod convolution;
mod dense;
mod dropout;
mod flatten;
mod global_average_pool;
mod identity;
mod input;
mod leaky_relu;
mod linear_part;
mod log_softmax;
mod max_pool;
mod mean;
mod pad;
mod parametric_relu;
mod pick;
mod relu;
mod reshape;
mod sigmoid;
mod softmax;
mod transpose;
pub mod window;

use super::error::Misfit;
use super::shape::SampleShape;
use crate::linear::LinearMap;

/// The values of one operand during evaluation.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// The operand's shape.
    pub shape: &'a SampleShape,
    /// Its values in C order.
    pub values: &'a [f32],
}

/// The part an operator plays when a network is converted to spikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where samples come in.
    Input,
    /// An affine map with trained weights (dense, convolution): becomes a projection.
    Weighted,
    /// An affine map without trained weights of its own (pooling by mean, add, batch norm,
    /// concatenation, padding, transposition).
    Linear,
    /// A pointwise non-linear function (ReLU, clip, leaky ReLU): becomes a spiking population.
    Activation,
    /// A maximum over a window: neither linear nor pointwise.
    Maximum,
    /// Values stay as they are and in their order, perhaps with other extents (flatten, identity).
    Arrangement,
    /// A function of the finished scores (softmax, sigmoid, the class).
    Readout,
}

/// What every operator can do.
pub trait Operation {
    /// The operator's name in plans and error messages.
    fn name(&self) -> &'static str;

    /// The part it plays in a conversion.
    fn role(&self) -> Role;

    /// How many operands it reads.
    fn arity(&self) -> usize {
        1
    }

    /// Checks parameters, weights and operand shapes, and gives the result's shape.
    ///
    /// # Errors
    /// [`Misfit`] with what is wrong and what would fit.
    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit>;

    /// Computes the result of one sample in `f32`.
    ///
    /// `output` has the size of the inferred shape and is zero; the operands have the shapes
    /// that [`Operation::infer_shape`] accepted.
    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]);

    /// The linear part as a map of one operand, where the result is an affine function of the
    /// operands; `None` for all other operators. What it adds to them is its value at zero.
    ///
    /// # Errors
    /// [`Misfit`] where the operands' shapes are not those that [`Operation::infer_shape`]
    /// accepts.
    fn linear_map(
        &self,
        operand: usize,
        inputs: &[&SampleShape],
    ) -> Result<Option<LinearMap>, Misfit> {
        let kept = matches!(self.role(), Role::Arrangement | Role::Linear);
        let size = inputs.get(operand).map_or(0, |input| input.size());
        Ok(kept.then_some(LinearMap::Identity { size }))
    }

    /// The numbers that training gave, with their names; empty for most operators.
    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        Vec::new()
    }
}

/// The first operand's values; empty where there is none, which `arity` excludes.
fn first<'a>(inputs: &[TensorView<'a>]) -> &'a [f32] {
    inputs.first().map(|input| input.values).unwrap_or_default()
}

/// The first operand's shape.
fn first_shape<'a>(inputs: &[&'a SampleShape]) -> Result<&'a SampleShape, Misfit> {
    inputs.first().copied().ok_or(Misfit::Arity { needed: 1, got: 0 })
}

/// Copies the first operand to the result.
fn copy(inputs: &[TensorView<'_>], output: &mut [f32]) {
    output.iter_mut().zip(first(inputs)).for_each(|(target, source)| *target = *source);
}

macro_rules! operators {
    ($($module:ident :: $name:ident,)*) => {
        $(pub use $module::$name;)*

        /// One operator of a network.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant holds the struct of its name")]
        pub enum Operator {
            $($name($name),)*
        }

        impl Operator {
            /// The operator behind the variants.
            pub fn operation(&self) -> &dyn Operation {
                match self {
                    $(Self::$name(operation) => operation,)*
                }
            }
        }

        $(impl From<$name> for Operator {
            fn from(operation: $name) -> Self {
                Self::$name(operation)
            }
        })*
    };
}

// The registry: one line an operator.
operators! {
    input::Input,
    dense::Dense,
    convolution::Convolution,
    relu::Relu,
    clip::Clip,
    average_pool::AveragePool,
    max_pool::MaxPool,
    global_average_pool::GlobalAveragePool,
    batch_normalization::BatchNormalization,
    add::Add,
    affine::Affine,
    flatten::Flatten,
    reshape::Reshape,
    dropout::Dropout,
    identity::Identity,
    softmax::Softmax,
    leaky_relu::LeakyRelu,
    parametric_relu::ParametricRelu,
    concat::Concat,
    pad::Pad,
    transpose::Transpose,
    pick::Pick,
    mean::Mean,
    log_softmax::LogSoftmax,
    sigmoid::Sigmoid,
    arg_max::ArgMax,
}

impl Operator {
    /// The operator's name in plans and error messages.
    pub fn name(&self) -> &'static str {
        self.operation().name()
    }

    /// The part it plays in a conversion.
    pub fn role(&self) -> Role {
        self.operation().role()
    }

    /// How many operands it reads.
    pub fn arity(&self) -> usize {
        self.operation().arity()
    }

    /// Checks parameters, weights and operand shapes, and gives the result's shape.
    ///
    /// # Errors
    /// [`Misfit`] with what is wrong and what would fit.
    pub fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        self.operation().infer_shape(inputs)
    }

    /// Computes the result of one sample, see [`Operation::evaluate`].
    pub fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        self.operation().evaluate(inputs, output);
    }

    /// What a rectifier multiplies negative values by, one factor a channel: 0 for ReLU and
    /// clips that start at 0; `None` for all other operators.
    pub fn negative_slopes(&self, channels: usize) -> Option<Vec<f64>> {
        match self {
            Operator::Relu(_) => Some(vec![0.0; channels]),
            Operator::Clip(clip) if clip.minimum == 0.0 => Some(vec![0.0; channels]),
            Operator::LeakyRelu(leaky) => Some(vec![f64::from(leaky.slope); channels]),
            Operator::ParametricRelu(trained) => Some(linear_part::wide(&trained.slope)),
            _ => None,
        }
    }

    /// The linear part as a map of one operand, see [`Operation::linear_map`].
    ///
    /// # Errors
    /// [`Misfit`] where the operands' shapes do not fit.
    pub fn linear_map(
        &self,
        operand: usize,
        inputs: &[&SampleShape],
    ) -> Result<Option<LinearMap>, Misfit> {
        self.operation().linear_map(operand, inputs)
    }

    /// The numbers that training gave, with their names.
    pub fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        self.operation().parameters()
    }
}

#[cfg(test)]
mod tests;
