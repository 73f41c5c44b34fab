//! `ReduceMean` over height and width: global average pooling.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::GlobalAveragePool;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "ReduceMean", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    // Operator set 18 turned the axes from an attribute into an operand.
    let axes = if context.opset < 18 || !context.has(1) {
        context.integers("axes").unwrap_or_default()
    } else {
        context.index_list(1)?
    };
    let keep_axes = context.integer("keepdims").unwrap_or(1) != 0;
    let input = context.activation(0)?;
    let rank = context.shape(0)?.rank() as i64 + 1;
    let mut positive: Vec<i64> =
        axes.iter().map(|&axis| if axis < 0 { axis.saturating_add(rank) } else { axis }).collect();
    positive.sort_unstable();
    if rank != 4 || positive != [2, 3] {
        return unsupported(format!(
            "the mean over height and width of a picture (axes 2 and 3 of 4); it has axes {axes:?} \
             of {rank}"
        ));
    }
    Ok(Reading::Node(GlobalAveragePool { keep_axes }.into(), vec![input]))
}
