//! The sum of two branches.

use super::{Misfit, Operation, Role, SampleShape, TensorView};

/// `y = a + b`, of equal shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add;

impl Operation for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn arity(&self) -> usize {
        2
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        match inputs {
            [a, b] if a == b => Ok((*a).clone()),
            _ => {
                let needed = "two inputs of equal shape (a value that depends on the sample is not \
                              spread over others; of layer normalisation: use batch \
                              normalisation instead)";
                Err(Misfit::Shape { needed: needed.to_owned() })
            }
        }
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        if let [a, b] = inputs {
            let sums = a.values.iter().zip(b.values).map(|(a, b)| a + b);
            output.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum);
        }
    }
}
