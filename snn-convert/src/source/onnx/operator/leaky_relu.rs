//! `LeakyRelu`, `PRelu`.

use super::broadcast::constant;
use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::{LeakyRelu, ParametricRelu};

/// `LeakyRelu`: one slope, an attribute.
pub static LEAKY: OperatorReader = OperatorReader { name: "LeakyRelu", read: leaky };

/// `PRelu`: trained slopes.
pub static TRAINED: OperatorReader = OperatorReader { name: "PRelu", read: trained };

fn leaky(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let slope = context.float("alpha").unwrap_or(0.01);
    Ok(Reading::Node(LeakyRelu { slope }.into(), vec![context.activation(0)?]))
}

fn trained(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let slope = match constant(context, 0, 1)? {
        slope if slope.len() == 1 => vec![slope[0]; shape.channels()],
        slope if slope.len() == shape.channels() => slope,
        slope => {
            let first = slope.iter().step_by(shape.per_channel()).copied();
            let expanded = first.clone().flat_map(|s| vec![s; shape.per_channel()]);
            if !expanded.eq(slope.iter().copied()) {
                return unsupported("one slope, or one a channel");
            }
            first.collect()
        }
    };
    Ok(Reading::Node(ParametricRelu { slope }.into(), vec![input]))
}
