//! How the neurons of a population are arranged.

use serde::{Deserialize, Deserializer, Serialize, de};

/// The arrangement of a population's neurons: a plain list or channels of a picture.
///
/// Neuron indices run in C order: in a picture, neuron `(channel, row, column)` has the index
/// `(channel * height + row) * width + column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
            Shape::Picture([channels, height, width]) => {
                u64::from(channels).saturating_mul(u64::from(height)).saturating_mul(width.into())
            }
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

/// Reads a [`Shape`]; says what is expected where something else is given.
struct ShapeVisitor;

impl<'de> de::Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number of neurons such as 800, or [channels, height, width]")
    }

    fn visit_u64<E: de::Error>(self, size: u64) -> Result<Shape, E> {
        let unexpected = de::Unexpected::Unsigned(size);
        u32::try_from(size).map(Shape::List).map_err(|_| E::invalid_value(unexpected, &self))
    }

    fn visit_i64<E: de::Error>(self, size: i64) -> Result<Shape, E> {
        let unexpected = de::Unexpected::Signed(size);
        u32::try_from(size).map(Shape::List).map_err(|_| E::invalid_value(unexpected, &self))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut picture = [0_u32; 3];
        for (index, extent) in picture.iter_mut().enumerate() {
            *extent =
                list.next_element()?.ok_or_else(|| de::Error::invalid_length(index, &self))?;
        }
        if list.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(
                "a picture has three extents; write [channels, height, width]",
            ));
        }
        Ok(Shape::Picture(picture))
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
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
