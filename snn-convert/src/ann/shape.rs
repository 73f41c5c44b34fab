//! The shape of one sample's values at a node.

use serde::Serialize;

/// The most elements one node may have for one sample (2^26, 256 MiB of `f32`).
///
/// The extents of a file are not trusted: without a limit a file of a few bytes could ask for
/// any amount of memory.
pub const MAXIMUM_ELEMENTS: usize = 1 << 26;

/// The most axes a shape may have.
pub const MAXIMUM_RANK: usize = 8;

/// Extents of one sample, batch axis removed: `[features]` or `[channels, height, width]`.
///
/// Every extent is at least 1, there are 1 to [`MAXIMUM_RANK`] of them and their product is at
/// most [`MAXIMUM_ELEMENTS`]. Values lie in C order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SampleShape(Vec<usize>);

/// Why a list of extents is no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeProblem {
    /// No axis, or too many.
    #[error("it has {rank} axes beside the batch axis; 1 to {MAXIMUM_RANK} are possible")]
    Rank {
        /// Axes given.
        rank: usize,
    },
    /// An axis without elements.
    #[error("axis {axis} has extent 0; every extent must be at least 1")]
    Empty {
        /// The axis, counted without the batch axis.
        axis: usize,
    },
    /// More elements than a node may have.
    #[error("{extents:?} has more than {MAXIMUM_ELEMENTS} elements, the most a node may have")]
    TooLarge {
        /// The extents given.
        extents: Vec<usize>,
    },
}

impl SampleShape {
    /// Checks extents and makes a shape of them.
    ///
    /// # Errors
    /// [`ShapeProblem`] where an extent is 0, or there are no, too many or too large extents.
    pub fn new(extents: impl Into<Vec<usize>>) -> Result<Self, ShapeProblem> {
        let extents = extents.into();
        if extents.is_empty() || extents.len() > MAXIMUM_RANK {
            return Err(ShapeProblem::Rank { rank: extents.len() });
        }
        if let Some(axis) = extents.iter().position(|&extent| extent == 0) {
            return Err(ShapeProblem::Empty { axis });
        }
        let size = extents.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent));
        match size {
            Some(size) if size <= MAXIMUM_ELEMENTS => Ok(Self(extents)),
            _ => Err(ShapeProblem::TooLarge { extents }),
        }
    }

    /// The extents.
    pub fn extents(&self) -> &[usize] {
        &self.0
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        self.0.iter().product()
    }

    /// The extent of the first axis: channels of a picture, features of a list.
    pub fn channels(&self) -> usize {
        self.0.first().copied().unwrap_or(1)
    }

    /// Elements that share a channel: height × width of a picture, 1 of a list.
    pub fn per_channel(&self) -> usize {
        self.0.iter().skip(1).product()
    }

    /// `[channels, height, width]` of a shape with three axes.
    pub fn picture(&self) -> Option<[usize; 3]> {
        <[usize; 3]>::try_from(self.0.as_slice()).ok()
    }

    /// What a window moves over: a picture, or a sequence `[channels, length]` as a picture of one
    /// row.
    pub fn rows_and_columns(&self) -> Option<[usize; 3]> {
        match *self.0.as_slice() {
            [channels, length] => Some([channels, 1, length]),
            [channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }

    /// The same arrangement as `sim_core` names it: a picture (a sequence is one of one row), or a
    /// list for all other ranks.
    pub fn arrangement(&self) -> sim_core::network::Shape {
        // Extents are at most MAXIMUM_ELEMENTS and thus fit.
        match self.rows_and_columns() {
            Some(picture) => sim_core::network::Shape::Picture(picture.map(|n| n as u32)),
            None => sim_core::network::Shape::List(self.size() as u32),
        }
    }
}

impl std::fmt::Display for SampleShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (axis, extent) in self.0.iter().enumerate() {
            if axis > 0 {
                f.write_str("×")?;
            }
            write!(f, "{extent}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_that_make_no_shape_are_refused() {
        assert_eq!(SampleShape::new(vec![]), Err(ShapeProblem::Rank { rank: 0 }));
        assert_eq!(SampleShape::new(vec![1; 9]), Err(ShapeProblem::Rank { rank: 9 }));
        assert_eq!(SampleShape::new(vec![3, 0]), Err(ShapeProblem::Empty { axis: 1 }));
        assert!(SampleShape::new(vec![usize::MAX, 2]).is_err());
        assert!(SampleShape::new(vec![MAXIMUM_ELEMENTS + 1]).is_err());
    }

    #[test]
    fn a_picture_has_channels_and_pixels() {
        let shape = SampleShape::new([12, 4, 5]).unwrap();
        assert_eq!((shape.size(), shape.channels(), shape.per_channel()), (240, 12, 20));
        assert_eq!(shape.to_string(), "12×4×5");
        assert_eq!(shape.arrangement(), sim_core::network::Shape::Picture([12, 4, 5]));
        let list = SampleShape::new([7]).unwrap();
        assert_eq!((list.channels(), list.per_channel(), list.picture()), (7, 1, None));
    }
}
