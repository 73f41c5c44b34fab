//! What one element is, how many there are, and their values (file format, IV.A.2.b, IV.A.2.d).

use super::heap::Heap;
use super::source::{Cursor, Source, text};
use crate::array::Values;

/// The type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Integer { width: usize, signed: bool, big_endian: bool },
    Float { width: usize, big_endian: bool },
    Bool,
    FixedText { width: usize },
    HeapText,
}

impl Element {
    /// Bytes of a stored element.
    pub(super) fn width(self) -> usize {
        match self {
            Element::Integer { width, .. }
            | Element::Float { width, .. }
            | Element::FixedText { width } => width,
            Element::Bool => 1,
            Element::HeapText => 16,
        }
    }

    /// Reads a datatype message.
    pub(super) fn read(message: &[u8]) -> Result<Self, String> {
        let mut cursor = Cursor::new(message);
        Self::parse(&mut cursor)
    }

    fn parse(cursor: &mut Cursor) -> Result<Self, String> {
        let class_and_version = cursor.u8()?;
        let bits = cursor.number(3)?;
        let width = cursor.u32()? as usize;
        let big_endian = bits & 1 != 0;
        match class_and_version & 15 {
            0 => {
                let (offset, precision) = (cursor.u16()?, usize::from(cursor.u16()?));
                if offset != 0 || precision != width * 8 || !matches!(width, 1 | 2 | 4 | 8) {
                    return Err(format!("integers of {precision} bits in {width} bytes"));
                }
                Ok(Element::Integer { width, signed: bits & 8 != 0, big_endian })
            }
            1 => Self::parse_float(cursor, bits, width),
            3 if width > 0 => Ok(Element::FixedText { width }),
            8 => Self::parse_enumeration(cursor, class_and_version >> 4, bits & 0xffff),
            9 if bits & 15 == 1 && width == 16 => Ok(Element::HeapText),
            class => {
                let names = [
                    "integer",
                    "float",
                    "time",
                    "text",
                    "bit field",
                    "opaque",
                    "compound",
                    "reference",
                    "enumeration",
                    "variable-length",
                    "array",
                ];
                let name = names.get(usize::from(class)).copied().unwrap_or("unknown");
                Err(format!("elements of type {name} ({width} bytes) are not supported"))
            }
        }
    }

    /// Only the IEEE formats of 2, 4 and 8 bytes.
    fn parse_float(cursor: &mut Cursor, bits: u64, width: usize) -> Result<Self, String> {
        let fields = cursor.take(12)?;
        let sign = (bits >> 8) & 0xff;
        let expected: (u64, [u8; 12]) = match width {
            2 => (15, [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]),
            4 => (31, [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]),
            8 => (63, [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]),
            _ => return Err(format!("floats of {width} bytes are not supported")),
        };
        if (sign, fields) != (expected.0, &expected.1[..]) || bits & 0x40 != 0 {
            return Err(format!("floats of {width} bytes that are not IEEE 754"));
        }
        Ok(Element::Float { width, big_endian: bits & 1 != 0 })
    }

    /// Enumerations are their integers, except h5py's truth values.
    fn parse_enumeration(cursor: &mut Cursor, version: u8, members: u64) -> Result<Self, String> {
        let base = Self::parse(cursor)?;
        let Element::Integer { width, .. } = base else {
            return Err("an enumeration of something else than integers".into());
        };
        let rest = cursor.rest();
        // Names are padded to eight bytes before version 3; FALSE and TRUE fit in eight.
        let truth: &[u8] =
            if version < 3 { b"FALSE\0\0\0TRUE\0\0\0\0\0\x01" } else { b"FALSE\0TRUE\0\0\x01" };
        let is_bool = width == 1 && members == 2 && rest.starts_with(truth);
        Ok(if is_bool { Element::Bool } else { base })
    }

    /// The values of `bytes`, a whole number of elements.
    pub(super) fn decode(self, source: &Source, bytes: &[u8]) -> Result<Values, String> {
        macro_rules! numbers {
            ($type:ty, $big_endian:expr) => {{
                const WIDTH: usize = size_of::<$type>();
                let pieces = bytes.chunks_exact(WIDTH).map(|piece| {
                    let mut bytes = [0; WIDTH];
                    bytes.copy_from_slice(piece);
                    if $big_endian {
                        <$type>::from_be_bytes(bytes)
                    } else {
                        <$type>::from_le_bytes(bytes)
                    }
                });
                pieces.collect::<Vec<$type>>()
            }};
        }
        use Element::{Float, Integer};
        Ok(match self {
            Integer { width: 1, signed: true, .. } => numbers!(i8, false).into(),
            Integer { width: 1, .. } => bytes.to_vec().into(),
            Integer { width: 2, signed: true, big_endian } => numbers!(i16, big_endian).into(),
            Integer { width: 2, big_endian, .. } => numbers!(u16, big_endian).into(),
            Integer { width: 4, signed: true, big_endian } => numbers!(i32, big_endian).into(),
            Integer { width: 4, big_endian, .. } => numbers!(u32, big_endian).into(),
            Integer { signed: true, big_endian, .. } => numbers!(i64, big_endian).into(),
            Integer { big_endian, .. } => numbers!(u64, big_endian).into(),
            Float { width: 2, big_endian } => {
                let halves = numbers!(u16, big_endian);
                halves.into_iter().map(widen_half).collect::<Vec<_>>().into()
            }
            Float { width: 4, big_endian } => numbers!(f32, big_endian).into(),
            Float { big_endian, .. } => numbers!(f64, big_endian).into(),
            Element::Bool => bytes.iter().map(|&b| b != 0).collect::<Vec<_>>().into(),
            Element::FixedText { width } => {
                let texts = bytes.chunks_exact(width).map(text);
                texts.collect::<Result<Vec<_>, _>>()?.into()
            }
            Element::HeapText => Heap::new(source).texts(bytes)?.into(),
        })
    }
}

/// Half precision to single precision, exactly.
fn widen_half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// Reads a dataspace message: the extents, empty for a scalar.
pub(super) fn extents(message: &[u8]) -> Result<Vec<u64>, String> {
    let mut cursor = Cursor::new(message);
    let (version, rank, _flags) = (cursor.u8()?, usize::from(cursor.u8()?), cursor.u8()?);
    match version {
        1 => cursor.skip(5)?,
        2 => {
            // Kind 2 has no elements at all.
            if cursor.u8()? == 2 {
                return Ok(vec![0]);
            }
        }
        other => return Err(format!("its extents have the unknown version {other}")),
    }
    if rank > 32 {
        return Err(format!("it has {rank} axes; at most 32 are possible"));
    }
    (0..rank).map(|_| cursor.u64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_widened_exactly() {
        let cases = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0x8000, -0.0),
            (0x7c00, f32::INFINITY),
        ];
        for (bits, expected) in cases {
            assert_eq!(widen_half(bits).to_bits(), f32::to_bits(expected), "{bits:#x}");
        }
        assert!(widen_half(0x7e00).is_nan());
    }
}
