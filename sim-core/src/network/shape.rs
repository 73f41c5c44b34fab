//! How the neurons of a population are arranged.

use serde::{Deserialize, Serialize};

/// The arrangement of a population's neurons: a plain list or channels of a picture.
///
/// Neuron indices run in C order: in a picture, neuron `(channel, row, column)` has the index
/// `(channel * height + row) * width + column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shape {
    /// `size` neurons without further order.
    List(u32),
    /// `[channels, height, width]` neurons.
    Picture([u32; 3]),
}

impl Shape {
    /// The number of neurons; saturates at `u64::MAX`, which `validate` refuses.
    pub fn size(&self) -> u64 {
        match *self {
            Shape::List(size) => u64::from(size),
            Shape::Picture([channels, height, width]) => u64::from(channels)
                .saturating_mul(u64::from(height))
                .saturating_mul(width.into()),
        }
    }

    /// The shape as `[channels, height, width]`; a list of n is n channels of one pixel.
    pub fn picture(&self) -> [u32; 3] {
        match *self {
            Shape::List(size) => [size, 1, 1],
            Shape::Picture(picture) => picture,
        }
    }

    /// The shape's extents: one number for a list, three for a picture.
    pub fn extents(&self) -> Vec<u32> {
        match *self {
            Shape::List(size) => vec![size],
            Shape::Picture(picture) => picture.to_vec(),
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Shape::List(size) => write!(f, "{size}"),
            Shape::Picture([c, h, w]) => write!(f, "{c}×{h}×{w}"),
        }
    }
}
