//! Operators on constants, computed while reading.
//!
//! Exporters leave arithmetic on shapes (`x.view(x.size(0), -1)`) and on weights (transposition,
//! weight normalisation) in the graph. Results are never larger than the largest operand or
//! [`MAXIMUM_GROWTH`], and constants that are filled with one number no larger together than
//! [`OnnxOptions::filled`](super::OnnxOptions::filled), so a small file cannot ask for much memory.

mod arithmetic;
mod rearrange;

use super::node::{NodeContext, Refusal};
use super::tensor::{BATCH, Elements, Tensor};

/// Elements that a result may have beyond those of its operands.
const MAXIMUM_GROWTH: usize = 1 << 20;

/// The operator that fills a constant with one number.
pub const FILL: &str = "ConstantOfShape";

/// Computes one result from constant operands.
type Fold = fn(&NodeContext<'_>, &[&Tensor]) -> Result<Tensor, Refusal>;

/// The registry: operators that are computed where all operands are constants.
static FOLDS: &[(&str, Fold)] = &[
    ("Add", arithmetic::add),
    ("Sub", arithmetic::subtract),
    ("Mul", arithmetic::multiply),
    ("Div", arithmetic::divide),
    ("Pow", arithmetic::power),
    ("Neg", arithmetic::negate),
    ("Sqrt", arithmetic::root),
    ("Reciprocal", arithmetic::reciprocal),
    ("ReduceProd", arithmetic::product),
    ("ReduceL2", arithmetic::norm),
    ("Cast", arithmetic::cast),
    ("Concat", rearrange::concat),
    (FILL, rearrange::constant_of_shape),
    ("Expand", rearrange::expand),
    ("Flatten", rearrange::flatten),
    ("Gather", rearrange::gather),
    ("Reshape", rearrange::reshape),
    ("Shape", rearrange::shape),
    ("Slice", rearrange::slice),
    ("Squeeze", rearrange::squeeze),
    ("Transpose", rearrange::transpose),
    ("Unsqueeze", rearrange::unsqueeze),
];

pub use rearrange::shape_range;

/// The names of the operators that are computed.
pub fn names() -> impl Iterator<Item = &'static str> {
    FOLDS.iter().map(|(name, _)| *name)
}

/// The result of an operator whose operands are all constants; `None` where one is not, or the
/// operator is not computed in this way.
///
/// # Errors
/// [`Refusal`] where the operands break the operator's definition, or the result is too large.
pub fn fold(context: &NodeContext<'_>, operator: &str) -> Result<Option<Tensor>, Refusal> {
    let Some((_, fold)) = FOLDS.iter().find(|(name, _)| *name == operator) else {
        return Ok(None);
    };
    match context.all_constants() {
        Some(operands) if !operands.is_empty() => fold(context, &operands).map(Some),
        _ => Ok(None),
    }
}

fn invalid<T>(problem: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Invalid(problem.into()))
}

/// The operand of this number.
fn operand<'a>(operands: &[&'a Tensor], index: usize) -> Result<&'a Tensor, Refusal> {
    let missing = || Refusal::Invalid(format!("operand {index} is missing"));
    operands.get(index).copied().ok_or_else(missing)
}

/// Whole numbers of an operand; the batch extent is refused.
fn plain_integers<'a>(operands: &[&'a Tensor], index: usize) -> Result<&'a [i64], Refusal> {
    let tensor = operand(operands, index)?;
    match &tensor.elements {
        Elements::Integers(values) if !values.contains(&BATCH) => Ok(values),
        Elements::Integers(_) => Err(batch()),
        Elements::Floats(_) => invalid(format!("`{}` must hold whole numbers", tensor.name)),
    }
}

fn batch() -> Refusal {
    let needed = "a result that does not depend on the size of the batch";
    Refusal::Unsupported(needed.to_owned())
}

/// The number of elements of a result, if it may be computed.
fn checked_size(extents: &[usize], operands: &[&Tensor]) -> Result<usize, Refusal> {
    let size = Tensor::size(extents);
    let largest = operands.iter().map(|tensor| tensor.elements.len()).max().unwrap_or(0);
    match size {
        Some(size) if size <= largest.max(MAXIMUM_GROWTH) && extents.len() <= 16 => Ok(size),
        _ => invalid(format!(
            "a constant of extents {:?} would be computed; at most {MAXIMUM_GROWTH} elements more \
             than the operands have are allowed",
            &extents[..extents.len().min(16)]
        )),
    }
}

/// An axis of a tensor; negative ones count from the end.
fn axis_of(axis: i64, rank: usize) -> Result<usize, Refusal> {
    let positive = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    match usize::try_from(positive) {
        Ok(found) if found < rank => Ok(found),
        _ => invalid(format!("axis {axis} of a tensor with {rank} axes")),
    }
}

/// The elements of a tensor in another order.
fn pick(source: &Tensor, indices: impl Iterator<Item = usize>) -> Result<Elements, Refusal> {
    fn picked<T: Copy>(
        values: &[T],
        indices: impl Iterator<Item = usize>,
    ) -> Result<Vec<T>, Refusal> {
        let outside = || Refusal::Invalid("an index is outside of its tensor".to_owned());
        indices.map(|index| values.get(index).copied().ok_or_else(outside)).collect()
    }
    Ok(match &source.elements {
        Elements::Floats(values) => Elements::Floats(picked(values, indices)?),
        Elements::Integers(values) => Elements::Integers(picked(values, indices)?),
    })
}
