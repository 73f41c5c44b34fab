//! A number that tells networks apart.

use super::Network;
use serde::ser::{self, Serialize};
use std::fmt;

/// The digest of a network's description: equal for equal descriptions, whatever the file looked
/// like. Probes are left out, as they change nothing.
///
/// It is the 128-bit FNV-1a hash of the description's fields with their names, numbers in
/// little-endian bytes. It finds mistakes, not forgeries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NetworkHash(pub u128);

impl fmt::Display for NetworkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Network {
    /// Its digest.
    pub fn hash(&self) -> NetworkHash {
        let mut hasher = Hasher(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        let parts = (
            (&self.name, self.dt, self.seed),
            (&self.populations, &self.projections, &self.stimuli),
        );
        // Hashing itself cannot fail; a description has no part that refuses to be written.
        let hashed = parts.serialize(&mut hasher).is_ok();
        NetworkHash(if hashed { hasher.0 } else { 0 })
    }
}

/// FNV-1a with 128 bits (Fowler, Noll and Vo; RFC 9923).
struct Hasher(u128);

impl Hasher {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul((1 << 88) + 0x13b);
        }
    }

    /// A text with its length, so that texts one after another cannot be cut otherwise.
    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u64).to_le_bytes());
        self.bytes(text.as_bytes());
    }
}

/// Why a value cannot be hashed; only a type's own `Serialize` could say so.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Refused(message.to_string())
    }
}

type Done = Result<(), Refused>;

macro_rules! numbers {
    ($($name:ident $type:ty),*) => {
        $(fn $name(self, value: $type) -> Done {
            self.bytes(&value.to_le_bytes());
            Ok(())
        })*
    };
}

impl ser::Serializer for &mut Hasher {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64);
    numbers!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);
    numbers!(serialize_f32 f32, serialize_f64 f64);

    fn serialize_bool(self, value: bool) -> Done {
        self.serialize_u8(u8::from(value))
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_u32(u32::from(value))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.serialize_u64(value.len() as u64)?;
        self.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.serialize_u8(b'-')
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.bytes(b"+");
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.text(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self, Refused> {
        self.bytes(b"[");
        Ok(self)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self, Refused> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self, Refused> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Refused> {
        self.text(variant);
        self.serialize_seq(Some(length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Refused> {
        self.serialize_seq(length)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self, Refused> {
        self.serialize_seq(Some(length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Refused> {
        self.serialize_tuple_variant(name, index, variant, length)
    }
}

/// Elements one after another; the end is marked, as the beginning is.
macro_rules! elements {
    ($($trait:ident $method:ident),*) => {
        $(impl ser::$trait for &mut Hasher {
            type Ok = ();
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                value.serialize(&mut **self)
            }

            fn end(self) -> Done {
                self.bytes(b"]");
                Ok(())
            }
        })*
    };
}

elements!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// Values with the names of their fields.
macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl ser::$trait for &mut Hasher {
            type Ok = ();
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Done {
                self.text(name);
                value.serialize(&mut **self)
            }

            fn end(self) -> Done {
                self.bytes(b"]");
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut Hasher {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut **self)
    }

    fn end(self) -> Done {
        self.bytes(b"]");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{OneToOne, Population, Probe, Projection};
    use crate::neuron::lif_delta::LifDelta;
    use crate::units::{Milliseconds, Millivolts};

    fn network(weight: f64) -> Network {
        let mut network = Network::new("pair", Milliseconds(0.1));
        network.add_population("a", Population::new(2, LifDelta::default()));
        let wire = Projection::new("a", "a", OneToOne).weight(Millivolts(weight));
        network.add_projection("wire", wire);
        network
    }

    #[test]
    fn what_changes_results_changes_the_hash_and_probes_do_not() {
        let hash = network(1.0).hash();
        assert_eq!(network(1.0).hash(), hash);
        assert_ne!(network(1.0 + f64::EPSILON).hash(), hash);
        let mut other = network(1.0);
        other.seed = 1;
        assert_ne!(other.hash(), hash);
        let mut other = network(1.0);
        other.add_population("b", Population::new(2, LifDelta::default()));
        assert_ne!(other.hash(), hash);
        let mut probed = network(1.0);
        probed.add_probe("spikes", Probe::spikes("a"));
        assert_eq!(probed.hash(), hash);
        assert_eq!(hash.to_string().len(), 32);
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hasher = Hasher(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        hasher.bytes(b"a");
        // From the test vectors of RFC 9923.
        assert_eq!(hasher.0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
