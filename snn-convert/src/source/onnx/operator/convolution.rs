//! `Conv` with one or two spatial axes.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported, window};
use crate::ann::operator::Convolution;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Conv", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (extents, values) = context.weight(1)?;
    let (channels, kernel) = match *extents {
        [channels, _, length] => (channels, [1, length]),
        [channels, _, height, width] => (channels, [height, width]),
        _ => {
            return unsupported(format!(
                "a convolution over a picture or a sequence (weight with 4 or 3 axes); its weight \
                 has extents {extents:?}"
            ));
        }
    };
    if context.shape(0)?.rank() + 1 != extents.len() {
        let shape = context.shape(0)?;
        return invalid(format!("its weight has extents {extents:?}, for samples of {shape}"));
    }
    let window = window::read(context, Some(kernel))?;
    let groups = context.integer("group").unwrap_or(1);
    let Ok(groups) = usize::try_from(groups) else {
        return invalid(format!("group is {groups}; it must be at least 1"));
    };
    let bias = context.optional_weight(2)?.map(|(_, values)| values.to_vec());
    let weight = values.to_vec();
    let convolution = Convolution { weight, bias, channels, window, groups };
    Ok(Reading::Node(convolution.into(), vec![context.activation(0)?]))
}
