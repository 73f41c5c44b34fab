//! Tables with a tag: which keys an entry of a registry takes, and enums made from registries.
//!
//! serde reads a tagged enum through a buffer in which the places of errors are lost. Here the
//! table is read into `Table` first; what is then wrong with a key is said with the key's path, so
//! that a file reader finds its place again ([`KEY_PREFIX`]).

use indexmap::IndexMap;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};

/// Messages about a key inside a table begin with this and the key's path in backquotes, then `: `.
pub const KEY_PREFIX: &str = "in the key ";

/// A value of any type that files can hold.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Flag(bool),
    Signed(i64),
    Unsigned(u64),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Table(IndexMap<String, Value>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text, a number, true or false, a list or a table")
    }
    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Signed(number))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(number))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_string()))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut table = IndexMap::new();
        while let Some((key, value)) = map.next_entry()? {
            table.insert(key, value);
        }
        Ok(Value::Table(table))
    }
}

/// What is wrong inside a table, with the path of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyError {
    /// Keys from the outside in.
    path: Vec<String>,
    message: String,
}

impl KeyError {
    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_string());
        self
    }
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{KEY_PREFIX}`{}`: ", self.path.join("/"))?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for KeyError {}

impl de::Error for KeyError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        KeyError { path: Vec::new(), message: message.to_string() }
    }
}

impl<'de> IntoDeserializer<'de, KeyError> for Value {
    type Deserializer = Value;

    fn into_deserializer(self) -> Value {
        self
    }
}

/// Hands out the entries of a table; errors in a value say its key.
struct Entries {
    entries: indexmap::map::IntoIter<String, Value>,
    value: Option<(String, Value)>,
}

impl<'de> de::MapAccess<'de> for Entries {
    type Error = KeyError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, KeyError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(key.as_str().into_deserializer())?;
        self.value = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, KeyError> {
        let (key, value) =
            self.value.take().ok_or_else(|| de::Error::custom("a key without a value"))?;
        seed.deserialize(value).map_err(|error| error.within(&key))
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = KeyError;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        match self {
            Value::Flag(flag) => visitor.visit_bool(flag),
            Value::Signed(number) => visitor.visit_i64(number),
            Value::Unsigned(number) => visitor.visit_u64(number),
            Value::Number(number) => visitor.visit_f64(number),
            Value::Text(text) => visitor.visit_string(text),
            Value::List(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter())),
            Value::Table(table) => {
                visitor.visit_map(Entries { entries: table.into_iter(), value: None })
            }
        }
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        match self {
            Value::Text(text) => visitor.visit_enum(text.into_deserializer()),
            Value::Table(table) => {
                let inner = table.keys().next().cloned().unwrap_or_default();
                let map = MapDeserializer::new(table.into_iter());
                let access = de::value::MapAccessDeserializer::new(map);
                let read: Result<_, KeyError> = access.deserialize_enum(name, variants, visitor);
                read.map_err(|error| match error.message.starts_with("unknown variant") {
                    true => error,
                    false => error.within(&inner),
                })
            }
            other => other.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A table as it stands in a file, its tag taken out.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    keys: IndexMap<String, Value>,
}

/// One entry of a registry as the reader of tables sees it: its name and keys.
pub(crate) type Keys = (&'static str, &'static [&'static str]);

impl Table {
    /// Reads a table and takes out its tag, the key of this name.
    pub(crate) fn with_tag<'de, D: Deserializer<'de>>(
        deserializer: D,
        tag: &'static str,
        example: &'static str,
    ) -> Result<(String, Table), D::Error> {
        struct Keyed(&'static str);
        impl<'de> de::Visitor<'de> for Keyed {
            type Value = IndexMap<String, Value>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                match ValueVisitor.visit_map(map)? {
                    Value::Table(table) => Ok(table),
                    _ => Err(de::Error::custom("not a table")),
                }
            }
        }
        let mut keys = deserializer.deserialize_map(Keyed(example))?;
        let value = keys.shift_remove(tag).ok_or_else(|| de::Error::missing_field(tag))?;
        let name =
            String::deserialize(value).map_err(|error| de::Error::custom(error.within(tag)))?;
        Ok((name, Table { keys }))
    }

    /// Reads the table as the entry of a registry that has this name.
    ///
    /// `all` are the entries; a key that only others take is told apart from one that none takes.
    pub(crate) fn read<T: DeserializeOwned>(
        self,
        tag: &'static str,
        name: &str,
        own: &[&str],
        all: &[Keys],
    ) -> Result<T, KeyError> {
        let foreign = self.keys.keys().find(|key| !own.contains(&key.as_str()));
        if let Some(key) = foreign {
            let elsewhere = all.iter().any(|(_, keys)| keys.contains(&key.as_str()));
            let message = match elsewhere {
                true => {
                    let takes = match own {
                        [] => String::new(),
                        own => format!("; known are: {}", own.join(", ")),
                    };
                    format!(
                        "`{name}` does not take the key `{key}`; remove it, or choose another \
                         {tag}{takes}"
                    )
                }
                false => {
                    let mut known = vec![tag];
                    known.extend(own);
                    let listed: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
                    format!("unknown field `{key}`, expected one of {}", listed.join(", "))
                }
            };
            return Err(KeyError { path: Vec::new(), message });
        }
        T::deserialize(Value::Table(self.keys))
    }
}

/// The message about a tag that no entry of a registry has.
pub(crate) fn unknown_tag(tag: &'static str, name: &str, all: &[Keys]) -> KeyError {
    let names: Vec<String> = all.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("unknown variant `{name}`, expected one of {}", names.join(", "));
    KeyError { path: vec![tag.to_string()], message }
}

/// Makes an enum and a registry from a list of entries, one line each: `Variant = module::Type`.
///
/// Each module has a static `ENTRY` with the fields `name` and `keys`, and a type that implements
/// the trait. Files hold the type's fields in a table whose tag is the entry's name.
macro_rules! tagged_registry {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident: $behaviour:path, tagged $tag:literal, like $example:literal;
        $(#[$list_attribute:meta])*
        pub static $list:ident: [$entry:ty];
        $($(#[$variant_attribute:meta])* $variant:ident = $module:ident::$type:ident,)*
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(tag = $tag, rename_all = "snake_case")]
        #[allow(clippy::large_enum_variant, reason = "a description holds a handful of them")]
        pub enum $name {
            $($(#[$variant_attribute])* $variant($module::$type),)*
        }

        $(#[$list_attribute])*
        pub static $list: &[&$entry] = &[$(&$module::ENTRY,)*];

        impl $name {
            /// What the entry does.
            pub fn behaviour(&self) -> &dyn $behaviour {
                match self {
                    $($name::$variant(entry) => entry,)*
                }
            }

            /// Its entry in the registry.
            pub fn entry(&self) -> &'static $entry {
                match self {
                    $($name::$variant(_) => &$module::ENTRY,)*
                }
            }

            /// Its name in files and messages.
            pub fn name(&self) -> &'static str {
                self.entry().name
            }
        }

        $(impl From<$module::$type> for $name {
            fn from(entry: $module::$type) -> Self {
                $name::$variant(entry)
            }
        })*

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                use serde::de::Error;
                let (name, table) =
                    $crate::tagged::Table::with_tag(deserializer, $tag, $example)?;
                let all: Vec<$crate::tagged::Keys> =
                    $list.iter().map(|entry| (entry.name, entry.keys)).collect();
                $(if name == $module::ENTRY.name {
                    let read = table.read::<$module::$type>($tag, &name, $module::ENTRY.keys, &all);
                    return read.map($name::$variant).map_err(D::Error::custom);
                })*
                Err(D::Error::custom($crate::tagged::unknown_tag($tag, &name, &all)))
            }
        }
    };
}

/// Reads an entry without keys: what stands in its table was looked at before.
macro_rules! empty_table {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::de::IgnoredAny::deserialize(deserializer).map(|_| $name)
            }
        }
    };
}

pub(crate) use {empty_table, tagged_registry};
