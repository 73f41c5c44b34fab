//! Constants that are combined with values of a sample.

use super::{NodeContext, Refusal, unsupported};

/// The most values that a constant is spread to.
const MAXIMUM_SPREAD: usize = 1 << 24;

/// A constant operand as one number, one a channel of the activation, or one a value.
///
/// Extents align at their ends (numpy's rule).
///
/// # Errors
/// [`Refusal`] where the constant has values for several samples, or would enlarge the activation.
pub fn constant(
    context: &NodeContext<'_>,
    activation: usize,
    constant: usize,
) -> Result<Vec<f32>, Refusal> {
    let (extents, values) = context.weight(constant)?;
    let shape = context.shape(activation)?;
    if values.len() == 1 && extents.len() <= shape.rank() + 1 {
        return Ok(values.to_vec());
    }
    // The constant's extents with the sample's rank, 1 where it has none.
    let mut own = vec![1; shape.rank() + 1];
    let fits = extents.len() <= own.len() && {
        let start = own.len() - extents.len();
        own[start..].copy_from_slice(extents);
        own[0] == 1 && own[1..].iter().zip(shape.extents()).all(|(&a, &b)| a == 1 || a == b)
    };
    if !fits || shape.size() > MAXIMUM_SPREAD {
        return unsupported(format!(
            "a constant that is one number, one a channel ({} of them) or one a value of a sample; \
             its extents are {extents:?}, for samples of {shape}",
            shape.channels()
        ));
    }
    let own = &own[1..];
    if own.iter().skip(1).all(|&extent| extent == 1) {
        return Ok(values.to_vec());
    }
    let place = |index: usize| {
        let (mut rest, mut place, mut stride) = (index, 0, 1);
        for axis in (0..own.len()).rev() {
            let position = rest % shape.extents()[axis];
            rest /= shape.extents()[axis];
            place += if own[axis] == 1 { 0 } else { position * stride };
            stride *= own[axis];
        }
        place
    };
    Ok((0..shape.size()).map(|index| values.get(place(index)).copied().unwrap_or(0.0)).collect())
}
