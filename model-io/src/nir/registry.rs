//! The list of known node types: one line each.

use super::primitive::PrimitiveType;
use super::{NirError, NirGraph, some_names};
use crate::hdf5::{Group, GroupWriter};

macro_rules! registry {
    ($($module:ident::$name:ident,)*) => {
        $(pub use super::$module::$name;)*

        /// What a node computes.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Primitive {
            /// A graph inside the graph.
            Graph(NirGraph),
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        /// The names of all known node types.
        pub const TYPES: &[&str] = &["NIRGraph", $($name::TYPE,)*];

        impl Primitive {
            /// The node type's name in files.
            pub fn type_name(&self) -> &'static str {
                match self {
                    Primitive::Graph(_) => "NIRGraph",
                    $(Primitive::$name(_) => $name::TYPE,)*
                }
            }

            /// Checks the fields of a node that is no graph.
            pub(super) fn check(&self) -> Result<(), String> {
                match self {
                    Primitive::Graph(_) => Ok(()),
                    $(Primitive::$name(node) => node.check(),)*
                }
            }

            /// The type and the fields of a node that is no graph; `None` where it is unknown.
            pub(super) fn fields(
                found: &str,
            ) -> Option<(&'static str, &'static [&'static str])> {
                let known = [$(($name::TYPE, $name::FIELDS),)*];
                known.into_iter().find(|(name, _)| *name == found)
            }

            /// Reads a node that is no graph.
            pub(super) fn read(found: &str, group: &Group) -> Result<Self, NirError> {
                $(if found == $name::TYPE {
                    return $name::read(group).map(Primitive::$name);
                })*
                Err(NirError::UnknownType {
                    place: group.place().to_owned(),
                    found: found.chars().take(60).collect(),
                    known: some_names(TYPES.iter().copied()),
                })
            }

            /// Writes the fields of a node that is no graph.
            pub(super) fn write(&self, group: &GroupWriter) -> Result<(), NirError> {
                match self {
                    Primitive::Graph(_) => Ok(()),
                    $(Primitive::$name(node) => node.write(group),)*
                }
            }
        }

        $(impl From<$name> for Primitive {
            fn from(node: $name) -> Self {
                Primitive::$name(node)
            }
        })*

        impl From<NirGraph> for Primitive {
            fn from(graph: NirGraph) -> Self {
                Primitive::Graph(graph)
            }
        }
    };
}

registry! {
    input::Input,
    output::Output,
    affine::Affine,
    linear::Linear,
    scale::Scale,
    conv_1d::Conv1d,
    conv_2d::Conv2d,
    sum_pool_2d::SumPool2d,
    avg_pool_2d::AvgPool2d,
    flatten::Flatten,
    delay::Delay,
    threshold::Threshold,
    i::I,
    if_neuron::If,
    li::Li,
    lif::Lif,
    cuba_li::CubaLi,
    cuba_lif::CubaLif,
}
