//! A netx file as a network that the emulator runs, built as netx 0.6.0 builds it.
//!
//! netx's silent changes are made here, too, each with a warning. On what makes netx stop this
//! stops as well; with [`NetxOptions::lenient`] it goes on where the file still has a meaning.

use std::path::Path;

use model_io::array::Array;
use sim_core::network::Shape;

use crate::quantise::network::{
    Connection, DelaySteps, QuantisedNetwork, QuantisedPopulation, QuantisedProjection,
};

use super::geometry::{geometry, smallest_source};
use super::neurons::{Neurons, neurons};
use super::read::{NO_WEIGHT, NetxLayer, read_netx_layers};
use super::synapses::{Synapse, synapses};
use super::weights::whole;
use super::{BUILT_TYPES, KERNEL_RANGE, NetxError};

/// What netx takes besides the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetxOptions {
    /// Extents of the input `[channels, height, width]`, where the file does not state them.
    pub input_shape: Option<[u32; 3]>,
    /// Steps between resets of u and v of CUBA neurons; none without.
    pub reset_interval: Option<u32>,
    /// Phase of the reset; each layer adds its position.
    pub reset_offset: u32,
    /// Fractional bits of graded spikes; 6 in netx unless stated.
    pub spike_exponent: u8,
    /// Bits of the input's spikes; 0 for plain ones.
    pub input_message_bits: u8,
    /// For sine and cosine decays of resonators that netx computes as next to a whole number:
    /// whether its cut keeps that number (true) or loses one unit, which depends on the last bits
    /// of the machine's functions; `None` for this machine's.
    pub resonator_keeps: Option<[bool; 2]>,
    /// Gives a meaning to files on which netx stops.
    pub lenient: bool,
}

impl Default for NetxOptions {
    fn default() -> Self {
        Self {
            input_shape: None,
            reset_interval: None,
            reset_offset: 0,
            spike_exponent: 6,
            input_message_bits: 0,
            resonator_keeps: None,
            lenient: false,
        }
    }
}

/// A netx file ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct NetxNetwork {
    /// The network; its only input is the file's.
    pub network: QuantisedNetwork,
    /// Populations of the layers that netx builds, in their order.
    pub layers: Vec<usize>,
    /// What netx does without saying so, with the layer.
    pub warnings: Vec<String>,
}

/// A layer while it is built.
pub(super) struct Layer<'a> {
    pub(super) stored: &'a NetxLayer,
    lenient: bool,
    warnings: &'a mut Vec<String>,
}

impl Layer<'_> {
    pub(super) fn wrong(&self, reason: String) -> NetxError {
        NetxError::Layer { place: format!("/layer/{}", self.stored.index), reason }
    }

    pub(super) fn warn(&mut self, problem: String) {
        self.warnings.push(format!("layer {}: {problem}", self.stored.index));
    }

    /// Something on which netx stops: an error, or a warning where reading is lenient.
    pub(super) fn stops(&mut self, problem: String) -> Result<(), NetxError> {
        if self.lenient {
            self.warn(format!("netx stops here, read leniently: {problem}"));
            return Ok(());
        }
        Err(self.wrong(format!("netx stops here: {problem}; --lenient goes on")))
    }
}

/// Reads a netx file as a network.
///
/// # Errors
/// [`NetxError::Container`] for damaged files, [`NetxError::Layer`] with the place for layers that
/// contradict themselves or on which netx stops.
pub fn read_netx_network(path: &Path, options: &NetxOptions) -> Result<NetxNetwork, NetxError> {
    let layers = read_netx_layers(path)?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let mut builder = Builder {
        options,
        network: QuantisedNetwork {
            name: name.unwrap_or_default(),
            chip: "loihi2".into(),
            populations: Vec::new(),
            projections: Vec::new(),
        },
        layers: Vec::new(),
        input_shape: options.input_shape,
        message_bits: options.input_message_bits,
        flatten: false,
    };
    let mut warnings = Vec::new();
    for stored in &layers {
        warnings.extend(stored.warnings.iter().map(|w| format!("layer {}: {w}", stored.index)));
        let mut layer = Layer { stored, lenient: options.lenient, warnings: &mut warnings };
        builder.layer(&mut layer)?;
    }
    if builder.layers.is_empty() {
        let reason = "the file has no layer that netx builds; built are input, flatten, dense, dense_rec, conv"
            .into();
        return Err(NetxError::Layer { place: "/layer".into(), reason });
    }
    Ok(NetxNetwork { network: builder.network, layers: builder.layers, warnings })
}

struct Builder<'a> {
    options: &'a NetxOptions,
    network: QuantisedNetwork,
    layers: Vec<usize>,
    input_shape: Option<[u32; 3]>,
    message_bits: u8,
    flatten: bool,
}

impl Builder<'_> {
    fn layer(&mut self, layer: &mut Layer<'_>) -> Result<(), NetxError> {
        match layer.stored.layer_type.as_str() {
            "input" if layer.stored.neuron.is_some() => self.input(layer),
            "input" => {
                if let Shape::Picture(shape) = shape_of(layer)? {
                    self.input_shape = Some(shape);
                }
                Ok(())
            }
            "flatten" => {
                self.flatten = true;
                Ok(())
            }
            "dense" | "dense_rec" => self.dense(layer),
            "conv" => self.convolution(layer),
            "average" | "concat" | "pool" | "convT" | "unpool" | "dense_comp" => {
                Err(layer.wrong(format!(
                    "netx stops here: type `{}` is not implemented; built are {}",
                    layer.stored.layer_type,
                    BUILT_TYPES.join(", ")
                )))
            }
            // netx skips any other type; the warning is among those of reading.
            _ => Ok(()),
        }
    }

    fn input(&mut self, layer: &mut Layer<'_>) -> Result<(), NetxError> {
        if !self.network.populations.is_empty() {
            return Err(layer.wrong("an input with neurons is not the first layer".into()));
        }
        let made = neurons(layer, shape_of(layer)?, 0, self.options)?;
        if made.complex {
            return Err(layer.wrong("netx stops here: resonators cannot be an input".into()));
        }
        self.push(made);
        Ok(())
    }

    fn push(&mut self, made: Neurons) -> usize {
        self.message_bits = made.message_bits;
        let index = self.network.populations.len();
        self.network.populations.push(made.population);
        self.layers.push(index);
        index
    }

    /// The population before the layer; an input of the given shape where there is none.
    fn source(&mut self, shape: Shape) -> (usize, Shape) {
        if let Some(last) = self.network.populations.last() {
            return (self.network.populations.len() - 1, last.shape);
        }
        self.network.populations.push(QuantisedPopulation {
            name: "input".into(),
            shape,
            process: "input".into(),
            parameters: indexmap::IndexMap::new(),
        });
        (0, shape)
    }

    fn project(&mut self, ends: (usize, usize), synapse: Synapse, name: String) {
        let (source, target) = ends;
        let Synapse { connection, delay, port, message_bits } = synapse;
        let projection = QuantisedProjection {
            name,
            source,
            target,
            connection,
            delay,
            message_bits,
            port,
            learning: None,
        };
        self.network.projections.push(projection);
    }

    fn dense(&mut self, layer: &mut Layer<'_>) -> Result<(), NetxError> {
        let size = shape_of(layer)?.size();
        let count = u32::try_from(size).map_err(|_| layer.wrong(format!("{size} neurons")))?;
        let rows = count as usize;
        let parts: Vec<&Array> = match (&layer.stored.weights, &layer.stored.complex_weights) {
            (_, Some([real, imaginary])) => vec![real, imaginary],
            (Some(weights), None) => vec![weights],
            (None, None) => {
                return Err(layer.wrong(NO_WEIGHT.into()));
            }
        };
        let mut matrices = Vec::new();
        for part in parts {
            matrices.push(whole(layer, "weight", part)?);
        }
        let entries = matrices.first().map_or(0, Vec::len);
        let whole_rows = rows > 0 && matrices.iter().all(|m| m.len() == entries);
        if !whole_rows || entries == 0 || entries % rows != 0 {
            return Err(layer.wrong(format!(
                "{entries} weights do not fill {rows} neurons; give each as many, or correct shape"
            )));
        }
        let columns = entries / rows;
        let (source, before) = self.source(Shape::List(columns as u32));
        if before.size() != columns as u64 {
            let reason = format!(
                "{columns} weights a neuron, but {} sources; give each neuron one weight a neuron of the \
                 layer before",
                before.size()
            );
            return Err(layer.wrong(reason));
        }
        let is_list = matches!(before, Shape::List(_));
        if !self.layers.is_empty() && self.flatten == is_list {
            let problem = if is_list {
                "it flattens a layer that has no rows and columns"
            } else {
                "a dense layer follows a picture without a flatten layer"
            };
            layer.stops(problem.into())?;
        }
        self.flatten = false;
        let bits = self.message_bits;
        let made = neurons(layer, Shape::List(count), self.layers.len(), self.options)?;
        if made.complex != (matrices.len() == 2) {
            let reason = "resonators need complex weights, and other neurons real ones";
            return Err(layer.wrong(format!("netx stops here: {reason}")));
        }
        let target = self.push(made);
        let name = format!("to layer{}", self.layers.len() - 1);
        for (synapse, part) in
            synapses(layer, &matrices, (rows, columns), bits)?.into_iter().zip(["", " imag", ""])
        {
            self.project((source, target), synapse, format!("{name}{part}"));
        }
        if layer.stored.layer_type == "dense_rec" {
            // Of two synapses the second is recurrent; it was coded together with the first.
            if let Some(last) = self.network.projections.last_mut() {
                (last.source, last.name) = (target, format!("{name} recurrent"));
            }
        }
        Ok(())
    }

    fn convolution(&mut self, layer: &mut Layer<'_>) -> Result<(), NetxError> {
        let Shape::Picture(target) = shape_of(layer)? else {
            return Err(layer.wrong("shape of a convolution is [channels, height, width]".into()));
        };
        let (Some(moves), Some(weights)) = (layer.stored.convolution, layer.stored.weights.clone())
        else {
            return Err(layer.wrong(NO_WEIGHT.into()));
        };
        let mut geometry = geometry(layer, target, moves, &weights.shape)?;
        let before = self.network.populations.last().map(|population| population.shape);
        geometry.source = match (before, self.input_shape) {
            (Some(Shape::Picture(source)), _) | (None, Some(source)) => source,
            (Some(_), _) => {
                return Err(layer.wrong("a convolution follows a layer without rows".into()));
            }
            (None, None) => {
                let smallest = smallest_source(&geometry, &weights.shape);
                let problem = "the file does not state the input's extents, on which netx stops \
                               without its argument input_shape";
                layer.warn(format!("{problem}; taken are {smallest:?}"));
                smallest
            }
        };
        geometry.check().map_err(|error| layer.wrong(error.to_string()))?;
        let kernel = whole(layer, "weight", &weights)?;
        if kernel.len() as u64 != geometry.weight_count() {
            let expected = geometry.weight_shape();
            let reason = format!("weight has shape {:?}; expected {expected:?}", weights.shape);
            return Err(layer.wrong(reason));
        }
        if let Some(wide) = kernel.iter().find(|&w| !KERNEL_RANGE.contains(w)) {
            layer.warn(format!(
                "netx runs the weight {wide} as it is, which no chip holds: {} to {} are stored",
                KERNEL_RANGE.start(),
                KERNEL_RANGE.end()
            ));
        }
        let kernel = kernel.into_iter().map(i32::try_from).collect::<Result<Vec<_>, _>>();
        let weights = kernel.map_err(|_| layer.wrong("a weight does not fit 32 bits".into()))?;
        let (source, _) = self.source(Shape::Picture(geometry.source));
        let bits = self.message_bits;
        let made = neurons(layer, Shape::Picture(target), self.layers.len(), self.options)?;
        if made.complex {
            return Err(layer.wrong("netx stops here: resonators need complex weights".into()));
        }
        let target = self.push(made);
        let name = format!("to layer{}", self.layers.len() - 1);
        let connection = Connection::Convolution { geometry, weights };
        let delay = DelaySteps::One(0);
        self.project(
            (source, target),
            Synapse { connection, delay, port: 0, message_bits: bits },
            name,
        );
        Ok(())
    }
}

/// A picture for three extents, a list otherwise.
fn shape_of(layer: &Layer<'_>) -> Result<Shape, NetxError> {
    let stored = &layer.stored.shape;
    let extents = stored.iter().map(|&n| u32::try_from(n)).collect::<Result<Vec<_>, _>>();
    let size = stored.iter().try_fold(1u64, |size, &extent| size.checked_mul(extent));
    match (extents, size.and_then(|size| u32::try_from(size).ok())) {
        (Ok(extents), Some(size)) if size > 0 && !extents.is_empty() => {
            Ok(<[u32; 3]>::try_from(extents).map_or(Shape::List(size), Shape::Picture))
        }
        _ => Err(layer.wrong(format!("shape {stored:?} is no shape of neurons"))),
    }
}
