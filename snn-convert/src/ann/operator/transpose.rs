//! The axes of a sample in another order.

use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// Axis n of the result is axis `permutation[n]` of the operand (batch axis not counted).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transpose {
    /// Every axis of a sample once.
    pub permutation: Vec<usize>,
}

impl Transpose {
    /// Channels last to channels first.
    pub fn channels_first(rank: usize) -> Self {
        let last = rank.saturating_sub(1);
        Self { permutation: std::iter::once(last).chain(0..last).collect() }
    }

    /// Channels first to channels last.
    pub fn channels_last(rank: usize) -> Self {
        Self { permutation: (1..rank).chain([0]).collect() }
    }

    /// The steps in the operand for one step along each axis of the result.
    fn strides(&self, source: &SampleShape) -> Vec<usize> {
        let stride = |&axis: &usize| source.extents().iter().skip(axis + 1).product();
        self.permutation.iter().map(stride).collect()
    }

    /// Calls `visit(result index, operand index)` for every value.
    fn for_each(&self, source: &SampleShape, mut visit: impl FnMut(usize, usize)) {
        let strides = self.strides(source);
        let extents: Vec<usize> = self.permutation.iter().map(|&a| source.extents()[a]).collect();
        let mut index = vec![0; extents.len()];
        let mut from = 0;
        for to in 0..source.size() {
            visit(to, from);
            for axis in (0..extents.len()).rev() {
                index[axis] += 1;
                from += strides[axis];
                if index[axis] < extents[axis] {
                    break;
                }
                from -= strides[axis] * extents[axis];
                index[axis] = 0;
            }
        }
    }
}

impl Operation for Transpose {
    fn name(&self) -> &'static str {
        "Transpose"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        let mut sorted = self.permutation.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..input.rank()) {
            let got = format!("{:?}", self.permutation);
            let allowed = "every axis of the sample must occur once";
            return Err(Misfit::Parameter { parameter: "permutation", got, allowed });
        }
        let extents: Vec<usize> = self.permutation.iter().map(|&a| input.extents()[a]).collect();
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        let values = first(inputs);
        self.for_each(input.shape, |to, from| output[to] = values[from]);
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let input = first_shape(inputs)?;
        let mut places = vec![0; input.size()];
        self.for_each(input, |to, from| places[from] = to);
        let place = |source: usize| Some(places[source]);
        Ok(Some(linear_part::places(input.size(), input.size(), place)))
    }
}
