//! `AveragePool`, `MaxPool`, `GlobalAveragePool`.

use super::{NodeContext, OperatorReader, Reading, Refusal, window};
use crate::ann::operator::{AveragePool, GlobalAveragePool, MaxPool};

/// `AveragePool`.
pub static AVERAGE_POOL: OperatorReader = OperatorReader { name: "AveragePool", read: average };

/// `MaxPool`; its second output, the indices, is not read.
pub static MAX_POOL: OperatorReader = OperatorReader { name: "MaxPool", read: maximum };

/// `GlobalAveragePool`.
pub static GLOBAL_AVERAGE_POOL: OperatorReader =
    OperatorReader { name: "GlobalAveragePool", read: global };

fn average(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let window = window::read(context, None)?;
    let count_padding = context.integer("count_include_pad").unwrap_or(0) != 0;
    let pool = AveragePool { window, count_padding };
    Ok(Reading::Node(pool.into(), vec![context.activation(0)?]))
}

fn maximum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let pool = MaxPool { window: window::read(context, None)? };
    Ok(Reading::Node(pool.into(), vec![context.activation(0)?]))
}

fn global(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let pool = GlobalAveragePool { keep_axes: true };
    Ok(Reading::Node(pool.into(), vec![context.activation(0)?]))
}
