//! The window that convolutions and poolings move over a picture.

use std::ops::Range;

use sim_core::network::Convolution as Geometry;
use sim_core::network::convolution::output_extent;

use super::{Misfit, SampleShape};

/// The largest kernel, stride, padding or dilation. Larger ones occur in no real network and
/// would only serve to make sums overflow.
pub const MAXIMUM_WINDOW: usize = 1 << 20;

/// Kernel, stride, padding and dilation of a two-dimensional window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Extent `[height, width]`.
    pub kernel: [usize; 2],
    /// Step `[down, right]`.
    pub stride: [usize; 2],
    /// Cells around the picture `[top, left, bottom, right]`.
    pub padding: [usize; 4],
    /// Distance of neighbouring cells of the window `[down, right]`.
    pub dilation: [usize; 2],
    /// Whether a last window that reaches beyond the padded picture still counts, as long as it
    /// starts inside the picture or its leading padding (PyTorch's and ONNX's `ceil_mode`).
    pub round_up: bool,
}

impl Window {
    /// A window that moves by `stride`, without padding or dilation.
    pub fn new(kernel: [usize; 2], stride: [usize; 2]) -> Self {
        Self { kernel, stride, padding: [0; 4], dilation: [1; 2], round_up: false }
    }

    /// The geometry on a picture; without `channels` every channel for itself, as in pooling.
    ///
    /// Where [`Window::round_up`] makes room for another window, the geometry's trailing padding
    /// grows by the cells it needs.
    ///
    /// # Errors
    /// [`Misfit`] where the input is no picture, a number is 0 or too large, the kernel is larger
    /// than the padded picture, or the channels cannot be grouped.
    pub fn geometry(
        &self,
        input: &SampleShape,
        channels: Option<usize>,
        groups: usize,
    ) -> Result<Geometry, Misfit> {
        let Some(source) = input.rows_and_columns() else {
            let needed = "a picture (channels × height × width) or a sequence (channels × length)";
            return Err(Misfit::Shape { needed: needed.to_owned() });
        };
        self.check_numbers()?;
        let source = source.map(|n| n as u32);
        let (channels, groups) = match channels {
            Some(channels) => (small("output channels", channels)?, small("groups", groups)?),
            None => (source[0], source[0]),
        };
        let mut padding = self.padding.map(|n| n as u32);
        let mut target = [channels, 0, 0];
        for axis in 0..2 {
            let [kernel, stride, dilation] =
                [self.kernel[axis], self.stride[axis], self.dilation[axis]].map(|n| n as u32);
            if self.round_up {
                let before = padding[axis];
                let extra = self.extra(source[axis + 1], before, padding[axis + 2], axis);
                padding[axis + 2] += extra;
            }
            let around = u64::from(padding[axis]) + u64::from(padding[axis + 2]);
            let extent = output_extent(source[axis + 1], kernel, stride, around, dilation);
            if extent == 0 {
                let reach = u64::from(dilation) * u64::from(kernel - 1) + 1;
                let name = ["rows", "columns"][axis];
                let needed = format!("at least {reach} {name} with {around} of padding counted");
                return Err(Misfit::Shape { needed });
            }
            target[axis + 1] = u32::try_from(extent).unwrap_or(u32::MAX);
        }
        let kernel = self.kernel.map(|n| n as u32);
        let stride = self.stride.map(|n| n as u32);
        let dilation = self.dilation.map(|n| n as u32);
        let geometry = Geometry { source, target, kernel, stride, padding, dilation, groups };
        geometry.check().map_err(|error| Misfit::Shape {
            needed: format!("channels and window that fit together: {error}"),
        })?;
        Ok(geometry)
    }

    /// The shape of the result of a window on an input: a sequence stays a sequence.
    ///
    /// # Errors
    /// [`Misfit`] where the window makes several rows of a sequence, or the result is too large.
    pub(super) fn result(input: &SampleShape, geometry: &Geometry) -> Result<SampleShape, Misfit> {
        let target = geometry.target.map(|n| n as usize);
        match (input.rank(), target) {
            (2, [channels, 1, length]) => Ok(SampleShape::new([channels, length])?),
            (2, _) => {
                let needed = "a window of one row for a sequence (channels × length)".to_owned();
                Err(Misfit::Shape { needed })
            }
            _ => Ok(SampleShape::new(target)?),
        }
    }

    /// How many cells of the window at a target position lie in `begin..end` of the source axis.
    pub(super) fn cells_inside(
        &self,
        axis: usize,
        position: u32,
        padding: u32,
        range: std::ops::Range<i64>,
    ) -> u64 {
        let dilation = self.dilation[axis] as i64;
        let start = i64::from(position) * self.stride[axis] as i64 - i64::from(padding);
        // Cells `start + n · dilation` for n in 0..kernel.
        let before = |limit: i64| {
            (limit - start).div_euclid(dilation)
                + i64::from((limit - start).rem_euclid(dilation) > 0)
        };
        let kernel = self.kernel[axis] as i64;
        let (first, last) =
            (before(range.start).clamp(0, kernel), before(range.end).clamp(0, kernel));
        last.saturating_sub(first).max(0) as u64
    }

    /// Trailing cells to add so that rounding up gives one more window; 0 where it does not.
    fn extra(&self, source: u32, before: u32, after: u32, axis: usize) -> u32 {
        let stride = self.stride[axis] as u64;
        let reach = self.dilation[axis] as u64 * (self.kernel[axis] as u64 - 1) + 1;
        let padded = u64::from(source) + u64::from(before) + u64::from(after);
        if padded < reach {
            return 0;
        }
        let start = (padded - reach).div_ceil(stride) * stride;
        let starts_inside = start < u64::from(source) + u64::from(before);
        if starts_inside { (start + reach).saturating_sub(padded) as u32 } else { 0 }
    }

    fn check_numbers(&self) -> Result<(), Misfit> {
        let lists: [(&'static str, &[usize], usize); 4] = [
            ("kernel", &self.kernel, 1),
            ("stride", &self.stride, 1),
            ("padding", &self.padding, 0),
            ("dilation", &self.dilation, 1),
        ];
        for (parameter, values, least) in lists {
            if values.iter().any(|&value| value < least || value > MAXIMUM_WINDOW) {
                let allowed = if least == 0 { "0 to 2^20 each" } else { "1 to 2^20 each" };
                return Err(Misfit::Parameter { parameter, got: format!("{values:?}"), allowed });
            }
        }
        Ok(())
    }

    /// Checks that no window of a pooling lies wholly in the padding, where it has no value.
    pub(super) fn check_pooling(&self, geometry: &Geometry) -> Result<(), Misfit> {
        let empty = if self.dilation == [1, 1] {
            (0..4).any(|side| self.padding[side] >= self.kernel[side % 2])
        } else {
            (0..2).any(|axis| {
                let source = 0..i64::from(geometry.source[axis + 1]);
                let mut positions = 0..geometry.target[axis + 1];
                positions.any(|position| {
                    self.cells_inside(axis, position, geometry.padding[axis], source.clone()) == 0
                })
            })
        };
        if empty {
            return Err(Misfit::Parameter {
                parameter: "padding",
                got: format!("{:?}", self.padding),
                allowed: "a pooling's padding must be smaller than its kernel on each side, so that \
                          no window lies in the padding alone",
            });
        }
        Ok(())
    }
}

fn small(parameter: &'static str, value: usize) -> Result<u32, Misfit> {
    if value == 0 || value > MAXIMUM_WINDOW {
        let allowed = "1 to 2^20";
        return Err(Misfit::Parameter { parameter, got: value.to_string(), allowed });
    }
    Ok(value as u32)
}

/// The target positions for which `position · stride + offset` lies in `0..source`.
pub(super) fn valid(offset: i64, stride: u32, source: u32, target: u32) -> Range<usize> {
    let stride = i64::from(stride.max(1));
    let end = (i64::from(source) - offset + stride - 1).div_euclid(stride);
    let start = (-offset + stride - 1).div_euclid(stride).max(0);
    let end = end.clamp(0, i64::from(target));
    start.min(end) as usize..end as usize
}

/// Walks one source plane through the window, one kernel cell after the other.
///
/// Calls `visit(target row part, source row part, step)`: element `n` of the target part meets
/// element `n · step` of the source part. Cells in the padding are left out.
pub(super) fn for_each_tap(
    geometry: &Geometry,
    plane: &[f32],
    target: &mut [f32],
    mut visit: impl FnMut(&mut [f32], &[f32], usize),
) {
    for cell in 0..geometry.kernel[0] * geometry.kernel[1] {
        for_each_row(geometry, cell, plane, target, &mut visit);
    }
}

/// For each kernel cell, lays out what it meets at every target position and calls
/// `visit(kernel cell, values)`; what lies in the padding is 0.
///
/// `values` is the room for that, one value a target position.
pub(super) fn for_each_cell(
    geometry: &Geometry,
    plane: &[f32],
    values: &mut [f32],
    mut visit: impl FnMut(usize, &[f32]),
) {
    for cell in 0..geometry.kernel[0] * geometry.kernel[1] {
        values.fill(0.0);
        for_each_row(geometry, cell, plane, values, &mut |target, source, step| {
            if step == 1 {
                target.copy_from_slice(source);
            } else {
                target.iter_mut().zip(source.iter().step_by(step)).for_each(|(t, s)| *t = *s);
            }
        });
        visit(cell as usize, values);
    }
}

/// The rows that one kernel cell meets, see [`for_each_tap`].
fn for_each_row(
    geometry: &Geometry,
    cell: u32,
    plane: &[f32],
    target: &mut [f32],
    visit: &mut impl FnMut(&mut [f32], &[f32], usize),
) {
    let [_, _, width] = geometry.source.map(|n| n as usize);
    let [_, _, target_width] = geometry.target.map(|n| n as usize);
    let step = geometry.stride[1] as usize;
    let cell = [cell / geometry.kernel[1], cell % geometry.kernel[1]];
    let offset = |axis: usize| {
        let distance = i64::from(cell[axis]) * i64::from(geometry.dilation[axis]);
        distance - i64::from(geometry.padding[axis])
    };
    let range = |axis: usize| {
        let (source, target) = (geometry.source[axis + 1], geometry.target[axis + 1]);
        valid(offset(axis), geometry.stride[axis], source, target)
    };
    let columns = range(1);
    if columns.is_empty() {
        return;
    }
    // Positions in the source are not negative: `valid` gave only those that are inside.
    let column = (columns.start as i64 * step as i64 + offset(1)) as usize;
    let length = (columns.len() - 1) * step + 1;
    for row in range(0) {
        let source_row = (row as i64 * i64::from(geometry.stride[0]) + offset(0)) as usize;
        let from = source_row * width + column;
        let base = row * target_width;
        let part = &mut target[base + columns.start..base + columns.end];
        visit(part, &plane[from..from + length], step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_positions_are_those_of_the_definition() {
        for stride in 1..4_u32 {
            for source in 1..8_u32 {
                for offset in -9..9_i64 {
                    let all: Vec<usize> = (0..10)
                        .filter(|&t| {
                            let position = t * i64::from(stride) + offset;
                            position >= 0 && position < i64::from(source)
                        })
                        .map(|t| t as usize)
                        .collect();
                    let found: Vec<usize> = valid(offset, stride, source, 10).collect();
                    assert_eq!(found, all, "stride {stride} source {source} offset {offset}");
                }
            }
        }
    }

    #[test]
    fn rounding_up_adds_a_window_only_if_it_starts_inside() {
        let input = SampleShape::new([1, 5, 6]).unwrap();
        let up = Window { round_up: true, ..Window::new([2, 2], [2, 2]) };
        let geometry = up.geometry(&input, None, 1).unwrap();
        assert_eq!((geometry.target, geometry.padding), ([1, 3, 3], [0, 0, 1, 0]));
        // With a stride of 3 a third window would start at row 6, outside of 5 rows.
        let far = Window { round_up: true, ..Window::new([1, 1], [3, 3]) };
        assert_eq!(far.geometry(&input, None, 1).unwrap().target, [1, 2, 2]);
    }
}
