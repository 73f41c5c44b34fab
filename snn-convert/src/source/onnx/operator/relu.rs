//! `Relu`.

use super::{NodeContext, OperatorReader, Reading, Refusal};
use crate::ann::operator::Relu;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Relu", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    Ok(Reading::Node(Relu.into(), vec![context.activation(0)?]))
}
