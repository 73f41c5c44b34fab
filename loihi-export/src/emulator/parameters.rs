//! Parameters of a population, checked against what its process documents and the chip holds.

use serde::Serialize;

use crate::{
    chip::{ChipSpec, CurrentOverflow, Sourced},
    quantise::network::{IntegerValues, QuantisedPopulation},
};

use super::{
    error::{EmulatorError, ParameterProblem},
    process::{ChipField, ParameterInfo, ProcessInfo},
};

/// A value that Lava runs but the chip's field is too narrow for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldWarning {
    /// Population.
    pub population: String,
    /// Parameter.
    pub parameter: &'static str,
    /// First neuron with such a value.
    pub neuron: usize,
    /// The value.
    pub value: i64,
    /// Smallest value of the field.
    pub minimum: i64,
    /// Largest value of the field.
    pub maximum: i64,
}

impl std::fmt::Display for FieldWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "population '{}', parameter '{}' is {} at neuron {}; Lava accepts it, the chip's field \
             holds {} to {}",
            self.population, self.parameter, self.value, self.neuron, self.minimum, self.maximum
        )
    }
}

/// The parameters of one population.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a> {
    population: &'a QuantisedPopulation,
    process: &'static ProcessInfo,
    current_overflow: CurrentOverflow,
}

impl<'a> Parameters<'a> {
    /// Checks names, lengths and ranges.
    ///
    /// # Errors
    /// [`EmulatorError::Parameter`] for the first problem.
    pub fn check(
        population: &'a QuantisedPopulation,
        process: &'static ProcessInfo,
        neurons: usize,
    ) -> Result<Self, EmulatorError> {
        let current_overflow = CurrentOverflow::default();
        let found = Self { population, process, current_overflow };
        for name in population.parameters.keys() {
            if !process.parameters.iter().any(|info| info.name == name) {
                let known = process.parameters.iter().map(|info| info.name).collect();
                let problem = ParameterProblem::Unknown { process: process.name, known };
                return Err(found.problem(name, problem));
            }
        }
        for info in process.parameters {
            found.check_one(info, neurons).map_err(|problem| found.problem(info.name, problem))?;
        }
        Ok(found)
    }

    /// The same under the arithmetic of a chip; without it, Lava's.
    #[must_use]
    pub fn on(self, chip: &ChipSpec) -> Self {
        Self { current_overflow: chip.arithmetic.current_overflow(), ..self }
    }

    /// What becomes of a synaptic current beyond its 24 bits.
    pub fn current_overflow(&self) -> CurrentOverflow {
        self.current_overflow
    }

    fn problem(&self, parameter: &str, problem: ParameterProblem) -> EmulatorError {
        let population = self.population.name.clone();
        EmulatorError::Parameter { population, parameter: parameter.to_owned(), problem }
    }

    fn check_one(&self, info: &ParameterInfo, neurons: usize) -> Result<(), ParameterProblem> {
        let Some(values) = self.population.parameters.get(info.name) else {
            return match info.default {
                Some(_) => Ok(()),
                None => Err(ParameterProblem::Missing { meaning: info.meaning }),
            };
        };
        if let IntegerValues::PerNeuron(values) = values {
            if !info.per_neuron {
                return Err(ParameterProblem::OneForAll { got: values.len() });
            }
            if values.len() != neurons {
                return Err(ParameterProblem::Length { got: values.len(), neurons });
            }
        }
        let (minimum, maximum) = (info.minimum, info.maximum);
        match outside(values, minimum, maximum) {
            Some((neuron, value)) => {
                Err(ParameterProblem::OutOfRange { neuron, value, minimum, maximum })
            }
            None => Ok(()),
        }
    }

    /// The value of a parameter that is one for the population.
    ///
    /// # Errors
    /// [`EmulatorError::Parameter`] for a name that the process does not document.
    pub fn one(&self, name: &str) -> Result<i64, EmulatorError> {
        match self.population.parameters.get(name) {
            Some(IntegerValues::One(value)) => Ok(*value),
            Some(IntegerValues::PerNeuron(values)) => {
                Err(self.problem(name, ParameterProblem::OneForAll { got: values.len() }))
            }
            None => self.default(name),
        }
    }

    /// One value a neuron, repeated where the population has one for all.
    ///
    /// # Errors
    /// [`EmulatorError::Parameter`] for a name that the process does not document.
    pub fn each(
        &self,
        name: &str,
        neurons: usize,
    ) -> Result<impl Iterator<Item = i64> + use<'a>, EmulatorError> {
        let (one, listed) = match self.population.parameters.get(name) {
            Some(IntegerValues::PerNeuron(values)) => (0, Some(values)),
            Some(IntegerValues::One(value)) => (*value, None),
            None => (self.default(name)?, None),
        };
        Ok((0..neurons).map(move |neuron| match listed {
            Some(values) => values.get(neuron).copied().unwrap_or_default(),
            None => one,
        }))
    }

    fn default(&self, name: &str) -> Result<i64, EmulatorError> {
        let info = self.process.parameters.iter().find(|info| info.name == name);
        info.and_then(|info| info.default).ok_or_else(|| {
            let meaning = info.map_or("no such parameter", |info| info.meaning);
            self.problem(name, ParameterProblem::Missing { meaning })
        })
    }

    /// Values that the chip's fields are too narrow for.
    pub fn field_warnings(&self, chip: &ChipSpec) -> Vec<FieldWarning> {
        let mut warnings = Vec::new();
        for info in self.process.parameters {
            let range = info.field.and_then(|field| field_range(field, chip));
            let values = self.population.parameters.get(info.name);
            if let (Some((minimum, maximum)), Some(values)) = (range, values)
                && let Some((neuron, value)) = outside(values, minimum, maximum)
            {
                warnings.push(FieldWarning {
                    population: self.population.name.clone(),
                    parameter: info.name,
                    neuron,
                    value,
                    minimum,
                    maximum,
                });
            }
        }
        warnings
    }
}

/// The first value outside a range, with its neuron.
fn outside(values: &IntegerValues, minimum: i64, maximum: i64) -> Option<(usize, i64)> {
    let values = match values {
        IntegerValues::One(value) => std::slice::from_ref(value),
        IntegerValues::PerNeuron(values) => values,
    };
    let found = values.iter().enumerate().find(|(_, value)| !(minimum..=maximum).contains(value));
    found.map(|(neuron, &value)| (neuron, value))
}

/// What a field of the chip holds; `None` where its width is unknown.
fn field_range(field: ChipField, chip: &ChipSpec) -> Option<(i64, i64)> {
    let widths = &chip.neuron_fields;
    let power = |bits: &Option<Sourced<u8>>, less: u8| {
        bits.as_ref().map(|bits| 1_i64 << bits.value.saturating_sub(less).min(62))
    };
    Some(match field {
        // The chip adds 1 to the decay, which a flag can turn off: -1 stands for that.
        ChipField::CurrentDecay => (-1, power(&widths.current_decay_bits, 0)? - 1),
        // The same flag on the membrane's side reaches a decay of all 4096 parts.
        ChipField::VoltageDecay => (0, power(&widths.voltage_decay_bits, 0)?),
        ChipField::Threshold => (0, power(&widths.threshold_bits, 0)? - 1),
        ChipField::SignedThreshold => {
            let bound = power(&widths.threshold_bits, 0)?;
            (-bound, bound - 1)
        }
        ChipField::BiasMantissa => {
            let bound = power(&widths.bias_mantissa_bits, 1)?;
            (-bound, bound - 1)
        }
        ChipField::BiasExponent => (0, power(&widths.bias_exponent_bits, 0)? - 1),
    })
}
