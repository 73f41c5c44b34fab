//! `BatchNormalization` with fixed statistics.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::BatchNormalization;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "BatchNormalization", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.integer("training_mode").unwrap_or(0) != 0 {
        return unsupported("training_mode = 0: call `model.eval()` before the export");
    }
    // Before operator set 14 the other outputs, statistics of the batch, were those of training.
    if context.proto.output.iter().skip(1).any(|name| !name.is_empty()) {
        return unsupported("one output: call `model.eval()` before the export");
    }
    let values = |index: usize| context.weight(index).map(|(_, values)| values.to_vec());
    let norm = BatchNormalization {
        scale: values(1)?,
        offset: values(2)?,
        mean: values(3)?,
        variance: values(4)?,
        epsilon: context.float("epsilon").unwrap_or(1e-5),
    };
    Ok(Reading::Node(norm.into(), vec![context.activation(0)?]))
}
