//! `Softmax`, only as the last operator.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::Softmax;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Softmax", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_last {
        return unsupported(
            "to be the network's last operator: inside a network (attention), spikes cannot carry \
             it",
        );
    }
    let default = if context.opset < 13 { 1 } else { -1 };
    let axis = context.integer("axis").unwrap_or(default);
    let input = context.activation(0)?;
    if context.shape(0)?.rank() == 1 && axis != 1 && axis != -1 {
        return unsupported(format!("axis 1 or -1, the scores of a sample; it is {axis}"));
    }
    Ok(Reading::Node(Softmax { axis: 0 }.into(), vec![input]))
}
