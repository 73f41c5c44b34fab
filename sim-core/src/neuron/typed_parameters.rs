//! One table a model from which its typed parameters, their specification and the plain numbers
//! behind validation are made, so that a default is written once.

use super::model::{Combine, LoweredNeurons, ReceptorSpec, VariableSpec};
use crate::units::Dimension;

/// The dimension of a typed quantity.
macro_rules! dimension {
    (Number) => {
        $crate::units::Dimension::Number
    };
    (Milliseconds) => {
        $crate::units::Dimension::Time
    };
    (Millivolts) => {
        $crate::units::Dimension::Potential
    };
    (Picoamperes) => {
        $crate::units::Dimension::Current
    };
    (Nanosiemens) => {
        $crate::units::Dimension::Conductance
    };
    (Picofarads) => {
        $crate::units::Dimension::Capacitance
    };
}

/// The type of a field; plain numbers are `f64`.
macro_rules! typed {
    (Number) => {
        f64
    };
    ($unit:ident) => {
        $crate::units::$unit
    };
}

/// A value of such a type.
macro_rules! quantity {
    (Number, $value:expr) => {
        $value
    };
    ($unit:ident, $value:expr) => {
        $crate::units::$unit($value)
    };
}

/// Makes the typed struct of a model, `PARAMETERS` and the plain `Constants` of one neuron.
///
/// A line is `field: unit = default, symbol, range, meaning;`. A model with a reset names its
/// default [mV] first, `reset to -60.0`; one without does not spike by a threshold and a reset.
macro_rules! typed_parameters {
    (
        $(#[$attribute:meta])*
        $name:ident of $model:literal $(, reset to $reset:expr)?,
        input in the refractory time: $refractory:expr;
        $($field:ident: $unit:ident = $default:expr, $symbol:literal, $range:ident, $meaning:literal;)*
    ) => {
        const PARAMETERS: &[$crate::neuron::ParameterSpec] = &[
            $($crate::neuron::ParameterSpec {
                name: stringify!($field),
                symbol: $symbol,
                dimension: $crate::neuron::typed_parameters::dimension!($unit),
                default: $default,
                range: $crate::neuron::Range::$range,
                meaning: $meaning,
            },)*
        ];

        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(
                #[doc = concat!("Potential after a spike; by default ", stringify!($reset), " mV.")]
                pub reset: $crate::units::Millivolts,
            )?
            $(
                #[doc = concat!($meaning, " (", $symbol, ").")]
                pub $field: $crate::neuron::typed_parameters::typed!($unit),
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    $(reset: $crate::units::Millivolts($reset),)?
                    $($field: $crate::neuron::typed_parameters::quantity!($unit, $default),)*
                }
            }
        }

        impl From<$name> for $crate::network::Neuron {
            fn from(typed: $name) -> $crate::network::Neuron {
                let mut neuron = $crate::network::Neuron::new($model);
                $(
                    // Evaluated where the model has a reset.
                    let _: f64 = $reset;
                    neuron = neuron.rules(
                        $crate::network::SpikeCondition::AtOrAbove,
                        $crate::network::Reset::To(typed.reset.into()),
                    );
                )?
                $(
                    neuron = neuron.parameter(
                        stringify!($field),
                        $crate::units::Quantity::from(typed.$field),
                    );
                )*
                neuron.refractory_input = $refractory;
                neuron
            }
        }

        /// The parameters of one neuron as plain numbers in the base units.
        #[derive(Debug, Clone, Copy)]
        struct Constants {
            $(
                #[doc = concat!("Set after a spike [mV]; ", stringify!($reset), " by default.")]
                reset: f64,
            )?
            $(
                #[doc = $meaning]
                $field: f64,
            )*
        }

        impl Constants {
            /// Those of neuron `index`.
            fn of(neurons: &$crate::neuron::LoweredNeurons, index: usize) -> Self {
                let mut columns = neurons.parameters.iter();
                let mut next = || columns.next().map_or(f64::NAN, |column| column.get(index));
                Constants {
                    $(
                        // Validation offers no subtraction for these models.
                        reset: neurons.reset.value(index).unwrap_or($reset),
                    )?
                    $($field: next(),)*
                }
            }
        }
    };
}

pub(super) use {dimension, quantity, typed, typed_parameters};

/// The initial value of a state variable, `otherwise` where none is given.
pub(super) fn initial_or(
    neurons: &LoweredNeurons,
    variable: usize,
    neuron: usize,
    otherwise: f64,
) -> f64 {
    let column = neurons.initial.get(variable).and_then(|column| column.as_ref());
    column.map_or(otherwise, |column| column.get(neuron))
}

/// The two receptors of models with excitatory and inhibitory synapses.
pub(super) const fn two_receptors(
    weight: Dimension,
    excitatory: &'static str,
    inhibitory: &'static str,
) -> [ReceptorSpec; 2] {
    let combine = Combine::Sum;
    [
        ReceptorSpec { name: "excitatory", weight, combine, meaning: excitatory },
        ReceptorSpec { name: "inhibitory", weight, combine, meaning: inhibitory },
    ]
}

/// A state variable.
pub(super) const fn variable(
    name: &'static str,
    dimension: Dimension,
    initial: Option<f64>,
    meaning: &'static str,
) -> VariableSpec {
    VariableSpec { name, dimension, initial, meaning }
}
