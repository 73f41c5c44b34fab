//! The attributes that convolutions and poolings share.

use super::{NodeContext, Refusal, invalid, unsupported};
use crate::ann::operator::window::{MAXIMUM_WINDOW, Window};

/// Reads kernel, strides, padding and dilation; `kernel` is known from a weight, or the
/// attribute `kernel_shape` states it.
pub fn read(context: &NodeContext<'_>, kernel: Option<[usize; 2]>) -> Result<Window, Refusal> {
    let axes = context.shape(0)?.rank().saturating_sub(1);
    let stated = match context.integers("kernel_shape") {
        Some(values) => Some(pair("kernel_shape", values, axes)?),
        None => None,
    };
    let kernel = match (kernel, stated) {
        (Some(kernel), Some(stated)) if kernel != stated => {
            let problem = format!("kernel_shape is {stated:?}, but the weight has {kernel:?}");
            return invalid(problem);
        }
        (Some(kernel), _) | (None, Some(kernel)) => kernel,
        (None, None) => return invalid("the attribute kernel_shape is missing"),
    };
    let steps = |name: &'static str| match context.integers(name) {
        Some(values) if !values.is_empty() => pair(name, values, axes),
        _ => Ok([1, 1]),
    };
    let mut window = Window {
        kernel,
        stride: steps("strides")?,
        padding: [0; 4],
        dilation: steps("dilations")?,
        round_up: context.integer("ceil_mode").unwrap_or(0) != 0,
    };
    match context.text("auto_pad").as_deref() {
        None | Some("NOTSET" | "") => {
            if let Some(values) = context.integers("pads").filter(|values| !values.is_empty()) {
                window.padding = match (axes, values) {
                    (1, &[before, after]) => numbers("pads", &[0, before, 0, after])?,
                    _ => numbers("pads", values)?,
                };
            }
        }
        Some("VALID") => {}
        Some("SAME_UPPER") => window.padding = same(context, &window, false)?,
        Some("SAME_LOWER") => window.padding = same(context, &window, true)?,
        Some(other) => {
            return invalid(format!(
                "auto_pad is `{other}`; it can be NOTSET, VALID, SAME_UPPER or SAME_LOWER"
            ));
        }
    }
    Ok(window)
}

/// The padding with which the result has `⌈extent / stride⌉` rows and columns.
fn same(context: &NodeContext<'_>, window: &Window, lower: bool) -> Result<[usize; 4], Refusal> {
    let Some([_, height, width]) = context.shape(0)?.rows_and_columns() else {
        return unsupported("a picture or a sequence as its input");
    };
    let mut padding = [0; 4];
    for (axis, extent) in [height, width].into_iter().enumerate() {
        let stride = window.stride[axis].max(1);
        let reach = window.dilation[axis] * window.kernel[axis].saturating_sub(1) + 1;
        let covered = (extent.div_ceil(stride) - 1) * stride + reach;
        let total = covered.saturating_sub(extent);
        let small = total / 2;
        let (before, after) = if lower { (total - small, small) } else { (small, total - small) };
        (padding[axis], padding[axis + 2]) = (before, after);
    }
    Ok(padding)
}

/// One number for each spatial axis; a sequence is a picture of one row.
fn pair(name: &str, values: &[i64], axes: usize) -> Result<[usize; 2], Refusal> {
    match (axes, values) {
        (1, &[value]) => numbers(name, &[1, value]),
        _ => numbers(name, values),
    }
}

/// Exactly `N` numbers, none negative, none absurdly large.
fn numbers<const N: usize>(name: &str, values: &[i64]) -> Result<[usize; N], Refusal> {
    let mut result = [0; N];
    if values.len() != N {
        let axes = if N == 4 { values.len() / 2 } else { values.len() };
        return unsupported(format!(
            "a window over a picture or a sequence; `{name}` is for {axes} axes"
        ));
    }
    for (result, &value) in result.iter_mut().zip(values) {
        match usize::try_from(value) {
            Ok(value) if value <= MAXIMUM_WINDOW => *result = value,
            _ => return invalid(format!("`{name}` is {values:?}; 0 to 2^20 each are allowed")),
        }
    }
    Ok(result)
}
