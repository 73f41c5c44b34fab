//! Mean along some axes of a sample.

use super::{LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// Each value is the mean over all positions of the named axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mean {
    /// Axes of the sample (0: channels), ascending, each once.
    pub axes: Vec<usize>,
    /// Whether the axes stay with extent 1.
    pub keep_axes: bool,
}

impl Mean {
    /// The place of an operand's value in the result.
    fn place(&self, source: &SampleShape, index: usize) -> usize {
        let (mut rest, mut place, mut stride) = (index, 0, 1);
        for axis in (0..source.rank()).rev() {
            let extent = source.extents()[axis];
            if !self.axes.contains(&axis) {
                place += rest % extent * stride;
                stride *= extent;
            }
            rest /= extent;
        }
        place
    }

    /// How many values each mean is of.
    fn count(&self, source: &SampleShape) -> usize {
        self.axes.iter().map(|&axis| source.extents().get(axis).copied().unwrap_or(1)).product()
    }
}

impl Operation for Mean {
    fn name(&self) -> &'static str {
        "Mean"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        let ascending = self.axes.is_sorted_by(|a, b| a < b);
        if !ascending || self.axes.last().is_none_or(|&axis| axis >= input.rank()) {
            let got = format!("{:?}", self.axes);
            let allowed = "axes of the sample, at least one, each once";
            return Err(Misfit::Parameter { parameter: "axes", got, allowed });
        }
        let mut extents = Vec::new();
        for (axis, &extent) in input.extents().iter().enumerate() {
            match self.axes.contains(&axis) {
                true if self.keep_axes => extents.push(1),
                true => {}
                false => extents.push(extent),
            }
        }
        if extents.is_empty() {
            extents.push(1);
        }
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        let mut sums = vec![0.0_f64; output.len()];
        for (index, &value) in first(inputs).iter().enumerate() {
            sums[self.place(input.shape, index)] += f64::from(value);
        }
        let count = self.count(input.shape) as f64;
        output.iter_mut().zip(sums).for_each(|(target, sum)| *target = (sum / count) as f32);
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let input = first_shape(inputs)?;
        let targets = self.infer_shape(inputs)?.size();
        let weight = 1.0 / self.count(input) as f64;
        let row = |source| vec![(self.place(input, source) as u32, weight)];
        Ok(Some(LinearMap::Sparse { targets, rows: (0..input.size()).map(row).collect() }))
    }
}
