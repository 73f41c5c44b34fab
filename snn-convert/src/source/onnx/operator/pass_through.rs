//! Operators that change nothing: `Identity`, `Dropout`.

use super::{NodeContext, OperatorReader, Reading, Refusal};
use crate::ann::operator::{Dropout, Identity};

/// `Identity`; of a weight, another name for it.
pub static IDENTITY: OperatorReader = OperatorReader { name: "Identity", read: identity };

/// `Dropout`; its rate and its training switch do not matter to a finished network.
pub static DROPOUT: OperatorReader = OperatorReader { name: "Dropout", read: dropout };

fn identity(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) {
        return Ok(Reading::SameConstant(context.constant(0)?.clone()));
    }
    Ok(Reading::Node(Identity.into(), vec![context.activation(0)?]))
}

fn dropout(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    Ok(Reading::Node(Dropout.into(), vec![context.activation(0)?]))
}
