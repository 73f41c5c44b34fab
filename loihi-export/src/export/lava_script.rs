//! A readable Lava program: one process a core slice, in Python.
//!
//! Lava's compiler places processes, not neurons, so a process for each slice keeps the slices
//! apart; it does not pin them to cores. The script computes what the emulator computes for the
//! same cut network ([`super::sliced`]). Weights and other long lists lie in an npz file beside it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use model_io::array::Array;
use model_io::npz::{NpzError, write_npz};

use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedPopulation, QuantisedProjection, SignMode,
};

use super::sliced::SlicedNetwork;

/// A script and its arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LavaScript {
    /// The Python program.
    pub script: String,
    /// The bytes of the npz file that it loads.
    pub arrays: Vec<u8>,
}

/// Why a network has no script.
#[derive(Debug, thiserror::Error)]
pub enum LavaScriptError {
    /// A process that is not written.
    #[error(
        "population '{population}': process '{process}' is not written as a script; written are {}",
        PROCESSES.map(|known| known.0).join(", ")
    )]
    Process {
        /// Population.
        population: String,
        /// Its process.
        process: String,
    },
    /// A parameter that Lava's process does not have.
    #[error("population '{population}': its parameter '{parameter}' has no counterpart in Lava")]
    Parameter {
        /// Population.
        population: String,
        /// Its parameter.
        parameter: String,
    },
    /// Lists of a projection do not fit an array.
    #[error(transparent)]
    Arrays(#[from] NpzError),
}

/// Our processes, Lava's classes, and the parameters with the same name and unit in both.
const PROCESSES: [(&str, &str, &[&str]); 5] = [
    ("input", "Source", &[]),
    ("lif", "LIF", &["du", "dv", "vth", "bias_mant", "bias_exp", "reset_interval", "reset_offset"]),
    ("ternary_lif", "TernaryLIF", &["du", "dv", "vth_hi", "vth_lo", "bias_mant", "bias_exp"]),
    ("graded_vec", "GradedVec", &["vth"]),
    ("graded_relu_vec", "GradedReluVec", &["vth"]),
];

const HEAD: &str = r#"
import os, sys
import numpy as np
from scipy.sparse import csr_matrix
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.graded.process import GradedReluVec, GradedVec
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode

ARRAYS = np.load(os.path.splitext(os.path.abspath(__file__))[0] + ".npz")


def matrix(name, shape, values="weights"):
    """The sparse matrix [target, source] of a projection."""
    rows, columns = ARRAYS[name + "_targets"], ARRAYS[name + "_sources"]
    return csr_matrix((ARRAYS[name + "_" + values].astype(int), (rows, columns)), shape=shape)


def build(inputs, steps):
    """Makes all processes; `inputs` are [steps, neurons] for each input population."""
    pieces, sinks = {}, {}

    def add(key, process):
        pieces[key] = process
        if not key.startswith("input "):
            sinks[key] = Sink(shape=process.s_out.shape, buffer=steps)
            process.s_out.connect(sinks[key].a_in)

    def connect(source, target, synapses):
        pieces[source].s_out.connect(synapses.s_in)
        synapses.a_out.connect(pieces[target].a_in)

"#;

const TAIL: &str = r#"    return pieces, sinks


def main():
    given, written = np.load(sys.argv[1]), sys.argv[2]
    steps = min(len(given[name]) for name in INPUTS)
    inputs = {name: given[name][:steps].reshape(steps, -1).astype(np.int32) for name in INPUTS}
    pieces, sinks = build(inputs, steps)
    some = next(iter(sinks.values()))
    try:
        some.run(condition=RunSteps(steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        found = {key: np.asarray(sink.data.get()).T for key, sink in sinks.items()}
    finally:
        some.stop()
    spikes = {}
    for name, (size, keys) in POPULATIONS.items():
        spikes[name] = np.zeros((steps, size), np.int32)
        for key in keys:
            spikes[name][:, ARRAYS[NEURONS[key]]] = found[key]
    np.savez_compressed(written, **spikes)
    print({name: int((rows != 0).sum()) for name, rows in spikes.items()})


if __name__ == "__main__":
    main()
"#;

/// Writes the script of a cut network.
///
/// # Errors
/// [`LavaScriptError`] for processes and parameters without a counterpart.
pub fn lava_script(
    sliced: &SlicedNetwork,
    originals: &[QuantisedPopulation],
) -> Result<LavaScript, LavaScriptError> {
    let network = &sliced.network;
    let mut arrays: IndexMap<String, Array> = IndexMap::new();
    let mut script = format!(
        "#!/usr/bin/env python3\n\"\"\"{} for {}: one Lava process a core slice (spikeloom {}).\n\n\
         \x20   python {{this file}} INPUT.npz SPIKES.npz\n\nINPUT.npz holds [steps, neurons] for \
         each input population; the spikes of every other population are written.\nNeeds lava-nc \
         0.10 (CPU, fixed point).\n\"\"\"",
        printable(&network.name),
        printable(&network.chip),
        env!("CARGO_PKG_VERSION")
    );
    script.push_str(HEAD);
    let keys = keys(sliced);
    for (index, population) in network.populations.iter().enumerate() {
        let name = &originals[sliced.pieces[index].population].name;
        write_population(&mut script, &mut arrays, (index, &keys[index]), population, name)?;
    }
    script.push('\n');
    for (index, projection) in network.projections.iter().enumerate() {
        write_projection(&mut script, &mut arrays, index, projection, &keys, sliced);
    }
    write_index(&mut script, &mut arrays, sliced, originals, &keys);
    let bytes = write_npz(arrays.iter().map(|(name, array)| (name.as_str(), array)))?;
    Ok(LavaScript { script, arrays: bytes })
}

/// Names of the pieces inside the script.
fn keys(sliced: &SlicedNetwork) -> Vec<String> {
    let names = sliced.network.populations.iter();
    names
        .map(|population| match population.process.as_str() {
            "input" => format!("input {}", printable(&population.name)),
            _ => printable(&population.name),
        })
        .collect()
}

/// A name without what would end a Python text.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || "\"\\'".contains(c) { '_' } else { c }).collect()
}

fn write_population(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    (index, key): (usize, &str),
    population: &QuantisedPopulation,
    original: &str,
) -> Result<(), LavaScriptError> {
    let known = PROCESSES.iter().find(|known| known.0 == population.process);
    let Some((_, class, parameters)) = known else {
        let (name, process) = (population.name.clone(), population.process.clone());
        return Err(LavaScriptError::Process { population: name, process });
    };
    if population.process == "input" {
        let original = printable(original);
        let _ = writeln!(script, "    add(\"{key}\", Source(data=inputs[\"{original}\"].T))");
        return Ok(());
    }
    let mut arguments = format!("shape=({},)", population.shape.size());
    let resets = matches!(
        population.parameters.get("reset_interval"),
        Some(IntegerValues::One(interval)) if *interval > 0
    );
    for (name, values) in &population.parameters {
        let unused = name.starts_with("reset_") && !resets;
        if unused || matches!(values, IntegerValues::One(0)) && !parameters.contains(&name.as_str())
        {
            continue;
        }
        if !parameters.contains(&name.as_str()) {
            let (population, parameter) = (population.name.clone(), name.clone());
            return Err(LavaScriptError::Parameter { population, parameter });
        }
        match values {
            IntegerValues::One(value) => {
                let _ = write!(arguments, ", {name}={value}");
            }
            IntegerValues::PerNeuron(values) => {
                let array = format!("p{index}_{name}");
                let _ = write!(arguments, ", {name}=ARRAYS[\"{array}\"]");
                arrays.insert(array, Array::vector(values.clone()));
            }
        }
    }
    let class = if resets { "LIFReset" } else { class };
    let _ = writeln!(script, "    add(\"{key}\", {class}({arguments}))");
    Ok(())
}

fn write_projection(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    index: usize,
    projection: &QuantisedProjection,
    keys: &[String],
    sliced: &SlicedNetwork,
) {
    // A cut network has listed synapses only.
    let Connection::Sparse { targets, sources, weights, sign_mode, weight_bits, weight_exponent } =
        &projection.connection
    else {
        return;
    };
    let name = format!("c{index}");
    let small = |values: &[u32]| values.iter().map(|&n| n as i32).collect::<Vec<_>>();
    arrays.insert(format!("{name}_targets"), Array::vector(small(targets)));
    arrays.insert(format!("{name}_sources"), Array::vector(small(sources)));
    let narrow: Vec<i16> = weights.iter().map(|&weight| weight as i16).collect();
    arrays.insert(format!("{name}_weights"), Array::vector(narrow));
    let size = |piece: usize| sliced.network.populations[piece].shape.size();
    let shape = format!("({}, {})", size(projection.target), size(projection.source));
    let sign = match sign_mode {
        SignMode::Mixed => "MIXED",
        SignMode::Excitatory => "EXCITATORY",
        SignMode::Inhibitory => "INHIBITORY",
    };
    let rest = format!(
        "weight_exp={weight_exponent}, num_weight_bits={weight_bits}, \
         sign_mode=SignMode.{sign}, num_message_bits={}",
        projection.message_bits
    );
    let process = match &projection.delay {
        DelaySteps::One(0) => format!("Sparse(weights=matrix(\"{name}\", {shape}), {rest})"),
        delay => {
            let delays = match delay {
                DelaySteps::One(delay) => vec![*delay; targets.len()],
                DelaySteps::PerSynapse(delays) => delays.clone(),
            };
            arrays.insert(format!("{name}_delays"), Array::vector(delays));
            format!(
                "DelaySparse(weights=matrix(\"{name}\", {shape}), \
                 delays=matrix(\"{name}\", {shape}, \"delays\"), {rest})"
            )
        }
    };
    let (source, target) = (&keys[projection.source], &keys[projection.target]);
    let _ = writeln!(script, "    connect(\"{source}\", \"{target}\", {process})");
}

/// The tables that put the slices' spikes together again.
fn write_index(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    sliced: &SlicedNetwork,
    originals: &[QuantisedPopulation],
    keys: &[String],
) {
    let mut inputs = Vec::new();
    let mut populations = String::new();
    let mut neurons = String::new();
    for (index, original) in originals.iter().enumerate() {
        let name = printable(&original.name);
        if original.process == "input" {
            inputs.push(format!("\"{name}\""));
            continue;
        }
        let pieces = sliced.pieces.iter().enumerate().filter(|(_, p)| p.population == index);
        let mut own = Vec::new();
        for (piece, found) in pieces {
            let array = format!("n{piece}");
            let _ = writeln!(neurons, "    \"{}\": \"{array}\",", keys[piece]);
            let list: Vec<i32> = found.neurons.iter().map(|&n| n as i32).collect();
            arrays.insert(array, Array::vector(list));
            own.push(format!("\"{}\"", keys[piece]));
        }
        let size = original.shape.size();
        let _ = writeln!(populations, "    \"{name}\": ({size}, [{}]),", own.join(", "));
    }
    let (before, after) = TAIL.split_once("\n\n\n").unwrap_or((TAIL, ""));
    let _ = write!(
        script,
        "{before}\n\n\nINPUTS = [{}]\nPOPULATIONS = {{\n{populations}}}\nNEURONS = \
         {{\n{neurons}}}\n\n\n{after}",
        inputs.join(", ")
    );
}
