//! The geometry of a stored convolution.

use sim_core::network::Convolution;

use super::NetxError;
use super::read::NetxConvolution;
use super::runnable::Layer;

/// The geometry without its source.
pub(super) fn geometry(
    layer: &Layer<'_>,
    target: [u32; 3],
    moves: NetxConvolution,
    weights: &[usize],
) -> Result<Convolution, NetxError> {
    let small = |numbers: [u64; 2]| -> Result<[u32; 2], NetxError> {
        match numbers.map(u32::try_from) {
            [Ok(first), Ok(second)] => Ok([first, second]),
            _ => Err(layer.wrong(format!("{numbers:?} is beyond any picture"))),
        }
    };
    let kernel = match weights {
        [_, _, height, width, ..] => small([*height as u64, *width as u64])?,
        _ => return Err(layer.wrong(format!("weight has shape {weights:?}"))),
    };
    let [top, left] = small(moves.padding)?;
    let [groups, _] = small([moves.groups, 0])?;
    Ok(Convolution {
        source: [0; 3],
        target,
        kernel,
        stride: small(moves.stride)?,
        padding: [top, left, top, left],
        dilation: small(moves.dilation)?,
        groups,
    })
}

/// The smallest picture that gives the target's extents.
pub(super) fn smallest_source(geometry: &Convolution, weights: &[usize]) -> [u32; 3] {
    let channels = weights.get(1).copied().unwrap_or(0) as u32;
    let axis = |axis: usize| {
        let moved =
            geometry.target[axis + 1].saturating_sub(1).saturating_mul(geometry.stride[axis]);
        let reach = geometry.kernel[axis].saturating_sub(1).saturating_mul(geometry.dilation[axis]);
        let padded = moved.saturating_add(reach).saturating_add(1);
        padded.saturating_sub(geometry.padding[axis].saturating_mul(2))
    };
    [channels.saturating_mul(geometry.groups), axis(0), axis(1)]
}
