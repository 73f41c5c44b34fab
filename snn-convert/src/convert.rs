//! From a trained network to a spiking one, in one call.

use crate::ann::{AnnError, AnnGraph};
use crate::calibrate::{Calibration, CalibrationError, calibrate};
use crate::coding::InputCode;
use crate::coding::population::{self, Tuning};
use crate::declutter::{Decluttered, declutter};
use crate::lower::Conversion;
use crate::method::{FloatHead, Method, MethodConfig, MethodError, Prepared, Watch};
use crate::structure::{Structure, StructureError, structure};

/// A trained network that is known to be convertible, with its calibration.
#[derive(Debug, Clone)]
pub struct Convertible {
    /// Name of the network.
    pub name: String,
    /// The graph as it was read.
    pub original: AnnGraph,
    /// The graph in normal form and what became of every node.
    pub decluttered: Decluttered,
    /// Its units.
    pub structure: Structure,
    /// Their activations on the calibration samples.
    pub calibration: Calibration,
    /// The calibration samples, one after the other.
    pub samples: Vec<f32>,
    /// Their classes; empty where they are not known.
    pub labels: Vec<usize>,
    /// What stays float behind it.
    pub head: Option<FloatHead>,
}

/// Why a network is not converted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConvertError {
    /// Folding failed.
    #[error(transparent)]
    Ann(#[from] AnnError),
    /// Nodes without a spiking counterpart.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// No or wrong calibration samples.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The method refuses.
    #[error(transparent)]
    Method(#[from] MethodError),
}

impl Convertible {
    /// Normalises a graph, finds its units and calibrates them. Everything that cannot be converted
    /// is refused before any sample is evaluated.
    ///
    /// # Errors
    /// [`ConvertError`], naming the nodes concerned.
    pub fn new(name: &str, graph: &AnnGraph, samples: &[f32]) -> Result<Self, ConvertError> {
        let decluttered = declutter(graph)?;
        let structure = structure(&decluttered.graph)?;
        let calibration = calibrate(&decluttered.graph, &structure, samples)?;
        let (name, samples, original) = (name.to_string(), samples.to_vec(), graph.clone());
        let (labels, head) = (Vec::new(), None);
        Ok(Convertible {
            name,
            original,
            decluttered,
            structure,
            calibration,
            samples,
            labels,
            head,
        })
    }

    /// The same, with the class of each calibration sample.
    #[must_use]
    pub fn with_labels(self, labels: &[usize]) -> Self {
        Convertible { labels: labels.to_vec(), ..self }
    }

    /// The same, with a part that stays float behind it: methods that search then ask what that part
    /// makes of a candidate's read-out.
    ///
    /// # Errors
    /// [`ConvertError::Ann`] where folding fails.
    pub fn with_head(self, head: Option<&AnnGraph>) -> Result<Self, ConvertError> {
        Ok(Convertible { head: head.map(FloatHead::new).transpose()?, ..self })
    }

    /// Converts with a method.
    ///
    /// # Errors
    /// [`ConvertError::Method`].
    pub fn convert(
        &self,
        method: &Method,
        config: &MethodConfig,
    ) -> Result<Conversion, ConvertError> {
        self.convert_watched(method, config, &|_, _| ())
    }

    /// Converts with a method that tells `watch` how far its search is.
    ///
    /// # Errors
    /// [`ConvertError::Method`].
    pub fn convert_watched(
        &self,
        method: &Method,
        config: &MethodConfig,
        watch: Watch<'_>,
    ) -> Result<Conversion, ConvertError> {
        let prepared = Prepared {
            name: &self.name,
            original: &self.original,
            graph: &self.decluttered.graph,
            structure: &self.structure,
            calibration: &self.calibration,
            samples: &self.samples,
            labels: &self.labels,
            head: self.head.as_ref(),
            watch,
        };
        // Two codes dress up another: the method converts for that one.
        let inner = match config.code {
            InputCode::Population => InputCode::DeterministicRate,
            InputCode::SigmaDelta => InputCode::ConstantCurrent,
            code => code,
        };
        let mut conversion = (method.convert)(&prepared, &MethodConfig { code: inner, ..*config })?;
        match config.code {
            InputCode::Population => {
                let start = (f64::INFINITY, f64::NEG_INFINITY);
                let (low, high) = self.samples.iter().fold(start, |(low, high), &value| {
                    (low.min(f64::from(value)), high.max(f64::from(value)))
                });
                let tuning = Tuning::new(low, high, population::NEURONS);
                Ok(population::drive(conversion, tuning))
            }
            code => {
                conversion.input.code = code;
                Ok(conversion)
            }
        }
    }
}
