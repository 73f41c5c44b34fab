//! `AveragePool`, `MaxPool`, `GlobalAveragePool`, `GlobalMaxPool`, `ReduceMax`.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported, window};
use crate::ann::SampleShape;
use crate::ann::operator::window::Window;
use crate::ann::operator::{AveragePool, Flatten, GlobalAveragePool, MaxPool, Operator};

/// `AveragePool`.
pub static AVERAGE_POOL: OperatorReader = OperatorReader { name: "AveragePool", read: average };

/// `MaxPool`; its second output, the indices, is not read.
pub static MAX_POOL: OperatorReader = OperatorReader { name: "MaxPool", read: maximum };

/// `GlobalAveragePool`.
pub static GLOBAL_AVERAGE_POOL: OperatorReader =
    OperatorReader { name: "GlobalAveragePool", read: global };

/// `GlobalMaxPool`.
pub static GLOBAL_MAX_POOL: OperatorReader =
    OperatorReader { name: "GlobalMaxPool", read: global_maximum };

/// `ReduceMax` over all axes but batch and channels.
pub static REDUCE_MAX: OperatorReader = OperatorReader { name: "ReduceMax", read: reduce_maximum };

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

/// The window that covers a whole picture or sequence.
fn whole(shape: &SampleShape) -> Result<Operator, Refusal> {
    match shape.rows_and_columns() {
        Some([_, height, width]) => {
            Ok(MaxPool { window: Window::new([height, width], [1, 1]) }.into())
        }
        None => unsupported(format!("a picture or a sequence; a sample is {shape}")),
    }
}

fn global_maximum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    Ok(Reading::Node(whole(context.shape(0)?)?, vec![context.activation(0)?]))
}

fn reduce_maximum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let mut axes = context.sample_axes(context.axes(1)?, shape.rank() + 1)?;
    axes.sort_unstable();
    if !axes.iter().copied().eq(1..shape.rank()) {
        return unsupported("a maximum over all axes but batch and channels");
    }
    let keep = context.integer("keepdims").unwrap_or(1) != 0;
    let flatten = (!keep).then(|| Flatten.into());
    Ok(Reading::chain(input, std::iter::once(whole(shape)?).chain(flatten)))
}
