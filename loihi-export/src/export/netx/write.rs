//! Writing a plan as a netx file, with the members that lava-dl's own exporter writes.

use std::path::Path;

use model_io::array::Array;
use model_io::atomic::write_atomically;
use model_io::hdf5::{self, GroupWriter, Hdf5Error, Storage};

use super::{NetxError, NetxPlan, PlannedLayer, PlannedNeuron, integers, plan};
use crate::quantise::network::QuantisedNetwork;

/// Checks a network and writes it, whole or not at all; equal networks give equal bytes.
///
/// # Errors
/// [`NetxError::Violations`] with everything that netx would not run exactly, or why the file could
/// not be written.
pub fn write_netx(
    path: &Path,
    network: &QuantisedNetwork,
    overwrite: bool,
) -> Result<NetxPlan, NetxError> {
    let plan = plan(network).map_err(NetxError::Violations)?;
    write_atomically(path, overwrite, |temporary| write_plan(temporary, &plan))?;
    Ok(plan)
}

fn write_plan(path: &Path, plan: &NetxPlan) -> Result<(), Hdf5Error> {
    let root = hdf5::create(path)?;
    let text = |text: &str| Array::scalar(text.to_owned());
    root.write_attribute("generator", &text(concat!("spikeloom ", env!("CARGO_PKG_VERSION"))))?;
    root.write_attribute("network", &text(&plan.network))?;
    root.write_attribute("chip", &text(&plan.chip))?;
    let layers = root.create_group("layer")?;
    for (index, layer) in plan.layers.iter().enumerate() {
        write_layer(&layers.create_group(&index.to_string())?, layer)?;
    }
    root.flush()
}

fn write_layer(group: &GroupWriter, layer: &PlannedLayer) -> Result<(), Hdf5Error> {
    let list = |name: &str, values: &[u32]| {
        let values: Vec<i64> = values.iter().map(|&n| n.into()).collect();
        group.write(name, &Array::vector(values), Storage::Plain)
    };
    let scalar = |name: &str, value: u32| {
        group.write(name, &Array::scalar(i64::from(value)), Storage::Plain)
    };
    match layer {
        PlannedLayer::Input { shape, neuron } => {
            group.write_short_text("type", "input")?;
            list("shape", shape)?;
            neuron.as_ref().map_or(Ok(()), |neuron| write_neuron(group, neuron))
        }
        PlannedLayer::Flatten { size } => {
            group.write_short_text("type", "flatten")?;
            list("shape", &[*size])
        }
        PlannedLayer::Dense {
            weights,
            imaginary,
            recurrent,
            sources,
            neurons,
            delays,
            bias,
            neuron,
        } => {
            let is_recurrent = !recurrent.is_empty();
            group.write_short_text("type", if is_recurrent { "dense_rec" } else { "dense" })?;
            list("shape", &[*neurons])?;
            scalar("inFeatures", *sources)?;
            scalar("outFeatures", *neurons)?;
            let matrix = vec![*neurons as usize, *sources as usize];
            if imaginary.is_empty() {
                write_weights(group, "weight", matrix.clone(), weights)?;
            } else {
                let complex = group.create_group("weight")?;
                write_weights(&complex, "real", matrix.clone(), weights)?;
                write_weights(&complex, "imag", matrix.clone(), imaginary)?;
            }
            if is_recurrent {
                let square = vec![*neurons as usize; 2];
                write_weights(group, "weight_rec", square, recurrent)?;
            }
            let delays: Vec<i64> = delays.iter().map(|&d| d.into()).collect();
            match delays.as_slice() {
                [] => {}
                [one] => group.write("delay", &Array::scalar(*one), Storage::Plain)?,
                _ => group.write("delay", &integers(matrix, &delays), Storage::Compressed)?,
            }
            write_bias(group, bias)?;
            write_neuron(group, neuron)
        }
        PlannedLayer::Conv { weights, geometry, bias, neuron } => {
            group.write_short_text("type", "conv")?;
            list("shape", &geometry.target)?;
            scalar("inChannels", geometry.source[0])?;
            scalar("outChannels", geometry.target[0])?;
            list("kernelSize", &geometry.kernel)?;
            list("stride", &geometry.stride)?;
            list("padding", &geometry.padding[..2])?;
            list("dilation", &geometry.dilation)?;
            scalar("groups", geometry.groups)?;
            let shape = geometry.weight_shape().map(|n| n as usize).to_vec();
            write_weights(group, "weight", shape, weights)?;
            write_bias(group, bias)?;
            write_neuron(group, neuron)
        }
    }
}

/// Weights are single-precision numbers in lava-dl's files; these integers are exact in them.
fn write_weights(
    group: &GroupWriter,
    name: &str,
    shape: Vec<usize>,
    weights: &[i64],
) -> Result<(), Hdf5Error> {
    let values: Vec<f32> = weights.iter().map(|&w| w as f32).collect();
    group.write(name, &Array { shape, values: values.into() }, Storage::Compressed)
}

fn write_bias(group: &GroupWriter, bias: &[i64]) -> Result<(), Hdf5Error> {
    if bias.is_empty() {
        return Ok(());
    }
    group.write("bias", &Array::vector(bias.to_vec()), Storage::Plain)
}

fn write_neuron(group: &GroupWriter, neuron: &PlannedNeuron) -> Result<(), Hdf5Error> {
    let group = group.create_group("neuron")?;
    let whole = |name: &str, value: i64| group.write(name, &Array::scalar(value), Storage::Plain);
    // Whole numbers are integers in lava-dl's own files.
    let number = |name: &str, value: f64| match value.fract() == 0.0 {
        true => whole(name, value as i64),
        false => group.write(name, &Array::scalar(value), Storage::Plain),
    };
    let graded = match neuron {
        PlannedNeuron::Lif(lif) => {
            group.write_text("type", "CUBA")?;
            whole("iDecay", lif.current_decay)?;
            whole("vDecay", lif.voltage_decay)?;
            whole("vThMant", lif.threshold)?;
            whole("refDelay", 1)?;
            false
        }
        PlannedNeuron::Resonator { is_phase, decays: [sine, cosine], threshold } => {
            group.write_text("type", if *is_phase { "RF_PHASE" } else { "RF_IZHIKEVICH" })?;
            number("sinDecay", *sine)?;
            number("cosDecay", *cosine)?;
            number("vThMant", *threshold)?;
            false
        }
        PlannedNeuron::SigmaDelta { threshold } => {
            group.write_text("type", "SDNN")?;
            number("vThMant", *threshold)?;
            true
        }
        PlannedNeuron::Sigma => {
            group.write_text("type", "SDNN")?;
            whole("sigma_output", 1)?;
            true
        }
    };
    group.write("gradedSpike", &Array::scalar(graded), Storage::Plain)
}
