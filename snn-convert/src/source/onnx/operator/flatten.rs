//! `Flatten`.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::Flatten;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Flatten", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let axis = context.integer("axis").unwrap_or(1);
    let input = context.activation(0)?;
    let rank = context.shape(0)?.rank() as i64 + 1;
    if axis != 1 && axis.checked_add(rank) != Some(1) {
        return unsupported(format!(
            "axis 1, which keeps the samples of a batch apart; it is {axis}"
        ));
    }
    Ok(Reading::Node(Flatten.into(), vec![input]))
}
