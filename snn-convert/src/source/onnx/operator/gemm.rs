//! `Gemm`: a dense layer.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::ann::operator::Dense;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Gemm", read };

/// `alpha A' B' + beta C` with the activation as A; the factors go into weight and bias.
fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.integer("transA").unwrap_or(0) != 0 {
        return unsupported("transA = 0: the batch axis must stay the first");
    }
    let alpha = context.float("alpha").unwrap_or(1.0);
    let beta = context.float("beta").unwrap_or(1.0);
    let transposed = context.integer("transB").unwrap_or(0) != 0;
    let (extents, values) = context.weight(1)?;
    let (outputs, inputs, mut weight) = matrix(extents, values, transposed)?;
    weight.iter_mut().for_each(|value| *value *= alpha);
    let bias = match context.optional_weight(2)? {
        Some((extents, values)) => Some(bias(extents, values, outputs, beta)?),
        None => None,
    };
    let dense = Dense { weight, bias, outputs, inputs };
    Ok(Reading::Node(dense.into(), vec![context.activation(0)?]))
}

/// `(outputs, inputs, weight [out, in])` from a matrix that is `[out, in]` or `[in, out]`.
pub(super) fn matrix(
    extents: &[usize],
    values: &[f32],
    output_first: bool,
) -> Result<(usize, usize, Vec<f32>), Refusal> {
    let &[rows, columns] = extents else {
        return invalid(format!("the weight must have two axes; its extents are {extents:?}"));
    };
    // Without elements the extents could be anything: nothing in the file backs them.
    if values.is_empty() {
        return invalid(format!("the weight is empty; its extents are {extents:?}"));
    }
    if output_first {
        return Ok((rows, columns, values.to_vec()));
    }
    let mut weight = Vec::with_capacity(values.len());
    for column in 0..columns {
        weight.extend(values.iter().skip(column).step_by(columns));
    }
    Ok((columns, rows, weight))
}

fn bias(extents: &[usize], values: &[f32], outputs: usize, beta: f32) -> Result<Vec<f32>, Refusal> {
    let fits = match extents {
        [] | [1] | [1, 1] => values.len() == 1,
        [n] | [1, n] => *n == outputs,
        _ => false,
    };
    match values {
        // One number for all outputs; their count is bounded by the weight's extents, which the
        // file's bytes back.
        [one] if fits => Ok(vec![one * beta; outputs]),
        _ if fits => Ok(values.iter().map(|value| value * beta).collect()),
        _ => invalid(format!("the bias must have {outputs} elements; its extents are {extents:?}")),
    }
}
