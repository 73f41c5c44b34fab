//! Chosen values of a sample.

use super::{LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// Value n of the result is value `indices[n]` of the operand; values may be picked repeatedly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// The shape of the result.
    pub shape: SampleShape,
    /// For each value of the result the index of the operand's value, both in C order.
    pub indices: Vec<u32>,
}

impl Operation for Pick {
    fn name(&self) -> &'static str {
        "Pick"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let size = first_shape(inputs)?.size();
        if self.indices.len() != self.shape.size() {
            let (got, needed) = (self.indices.len(), self.shape.size());
            let why = "one a value of the result".to_owned();
            return Err(Misfit::Length { tensor: "indices", got, needed, why });
        }
        if let Some(index) = self.indices.iter().find(|&&index| index as usize >= size) {
            return Err(Misfit::Shape { needed: format!("more than {index} values") });
        }
        Ok(self.shape.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let values = first(inputs);
        let pairs = output.iter_mut().zip(&self.indices);
        pairs.for_each(|(target, &index)| *target = values[index as usize]);
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let mut rows = vec![Vec::new(); first_shape(inputs)?.size()];
        for (target, &source) in self.indices.iter().enumerate() {
            rows[source as usize].push((target as u32, 1.0));
        }
        Ok(Some(LinearMap::Sparse { targets: self.indices.len(), rows }))
    }
}
