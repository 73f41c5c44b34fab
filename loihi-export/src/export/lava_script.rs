//! A readable Lava program: one process a core slice, in Python.
//!
//! Lava's compiler places processes, not neurons, so a process for each slice keeps the slices
//! apart; it does not pin them to cores. The script computes what the emulator computes for the
//! same cut network ([`super::sliced`]). Weights and other long lists lie in an npz file beside it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use model_io::array::Array;
use model_io::npz::{NpzError, write_npz};

use crate::emulator::process::find;
use crate::quantise::network::{
    Connection, DelaySteps, QuantisedPopulation, QuantisedProjection, SignMode,
};

use super::sliced::SlicedNetwork;

mod learning;
mod processes;

use learning::{learned, write_learning};
use processes::{PROCESSES, is_driven, write_population};

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
        PROCESSES.map(|known| known.process).join(", ")
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
    /// What Lava's sparse learning does not compute.
    #[error(
        "projection '{projection}' is sparse and learns, and {what}, which Lava's LearningSparse does not \
         compute; make the projection dense"
    )]
    Sparse {
        /// Projection.
        projection: String,
        /// What it has.
        what: &'static str,
    },
    /// Lists of a projection do not fit an array.
    #[error(transparent)]
    Arrays(#[from] NpzError),
}

const HEAD: &str = r#"
import os, sys
import numpy as np
from scipy.sparse import csr_matrix
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.atrlif.process import ATRLIF
from lava.proc.graded.process import GradedReluVec, GradedVec, NormVecDelay
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.proc.dense.process import LearningDense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from lava.proc.prodneuron.process import ProdNeuron
from lava.proc.resfire.process import RFZero
from lava.proc.rf.process import RF
from lava.proc.rf_iz.process import RF_IZ
from lava.proc.sdn.process import ActivationMode, Delta, Sigma, SigmaDelta
from lava.proc.sparse.process import DelaySparse, LearningSparse, Sparse
from lava.utils.weightutils import SignMode

ARRAYS = np.load(os.path.splitext(os.path.abspath(__file__))[0] + ".npz")


def matrix(name, shape, values="weights"):
    """The sparse matrix [target, source] of a projection."""
    rows, columns = ARRAYS[name + "_targets"], ARRAYS[name + "_sources"]
    return csr_matrix((ARRAYS[name + "_" + values].astype(int), (rows, columns)), shape=shape)


def with_values(process, **values):
    """Sets variables that a constructor would scale or compute."""
    for name, value in values.items():
        getattr(process, name).init = value
    return process


def build(inputs, steps):
    """Makes all processes; `inputs` are [steps, neurons] for each input population."""
    pieces, sinks, learned = {}, {}, {}

    def add(key, process):
        pieces[key] = process
        if not key.startswith("input "):
            sinks[key] = Sink(shape=process.s_out.shape, buffer=steps)
            process.s_out.connect(sinks[key].a_in)

    def drive(key, name):
        """Gives neurons their synaptic input itself, without the step of a synapse."""
        Source(data=inputs[name][:, ARRAYS[NEURONS[key]]].T).s_out.connect(pieces[key].a_in)

    def connect(source, target, synapses, port="a_in"):
        pieces[source].s_out.connect(synapses.s_in)
        synapses.a_out.connect(getattr(pieces[target], port))

    def learn(name, source, target, synapses, port="a_in", post=None, **factors):
        """Connects synapses that learn, which hear of their targets' spikes and of other factors."""
        connect(source, target, synapses, port)
        pieces[post or target].s_out.connect(synapses.s_in_bap)
        for factor, population in factors.items():
            pieces[population].s_out.connect(getattr(synapses, "s_in_" + factor))
        learned[name] = synapses

"#;

const TAIL: &str = r#"    return pieces, sinks, learned


def main():
    given, written = np.load(sys.argv[1]), sys.argv[2]
    steps = min(len(given[name]) for name in INPUTS)
    inputs = {name: given[name][:steps].reshape(steps, -1).astype(np.int32) for name in INPUTS}
    pieces, sinks, learned = build(inputs, steps)
    started = []
    try:
        for sink in sinks.values():
            if sink.runtime is None:  # Lava runs what is joined to a process, and nothing else
                started.append(sink)
                sink.run(condition=RunSteps(steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        found = {key: np.asarray(sink.data.get()).T for key, sink in sinks.items()}
        weights = {name: synapses.weights.get() for name, synapses in learned.items()}
    finally:
        for sink in started:
            sink.stop()
    spikes = {}
    for name, (size, keys) in POPULATIONS.items():
        spikes[name] = np.zeros((steps, size), np.int32)
        for key in keys:
            spikes[name][:, ARRAYS[NEURONS[key]]] = found[key]
    for name, (shape, parts) in LEARNED.items():
        spikes["weights of " + name] = np.zeros(shape, np.int32)
        for part, rows, columns in parts:
            own = weights[part].toarray() if hasattr(weights[part], "toarray") else weights[part]
            rows = ARRAYS[NEURONS[rows]] if rows in NEURONS else np.arange(shape[0])
            columns = ARRAYS[NEURONS[columns]] if columns in NEURONS else np.arange(shape[1])
            spikes["weights of " + name][np.ix_(rows, columns)] = own
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
         each of INPUTS: spikes, or what drives the\nneurons of a population themselves; the spikes of \
         every other population are written,\nand the weights [target, source] of what learns.\nNeeds lava-nc 0.10 (CPU, fixed point).\n\"\"\"",
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
        write_projection(&mut script, &mut arrays, index, projection, &keys, sliced)?;
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

fn write_projection(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    index: usize,
    projection: &QuantisedProjection,
    keys: &[String],
    sliced: &SlicedNetwork,
) -> Result<(), LavaScriptError> {
    if let Some(rule) = &projection.learning {
        return write_learning(script, arrays, (index, projection, rule), keys, sliced);
    }
    // What does not learn is listed in a cut network.
    let Connection::Sparse { targets, sources, weights, sign_mode, weight_bits, weight_exponent } =
        &projection.connection
    else {
        return Ok(());
    };
    let name = format!("c{index}");
    let small = |values: &[u32]| values.iter().map(|&n| n as i32).collect::<Vec<_>>();
    arrays.insert(format!("{name}_targets"), Array::vector(small(targets)));
    arrays.insert(format!("{name}_sources"), Array::vector(small(sources)));
    let narrow: Vec<i16> = weights.iter().map(|&weight| weight as i16).collect();
    arrays.insert(format!("{name}_weights"), Array::vector(narrow));
    let size = |piece: usize| sliced.network.populations[piece].shape.size();
    let shape = format!("({}, {})", size(projection.target), size(projection.source));
    let rest = arguments(projection, (*sign_mode, *weight_bits, *weight_exponent));
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
    let port = port(projection, sliced);
    let _ = writeln!(script, "    connect(\"{source}\", \"{target}\", {process}{port})");
    Ok(())
}

/// What Lava's synapses take besides weights, delays and a rule.
fn arguments(
    projection: &QuantisedProjection,
    (sign, bits, exponent): (SignMode, u8, i8),
) -> String {
    let sign = match sign {
        SignMode::Mixed => "MIXED",
        SignMode::Excitatory => "EXCITATORY",
        SignMode::Inhibitory => "INHIBITORY",
    };
    format!(
        "weight_exp={exponent}, num_weight_bits={bits}, sign_mode=SignMode.{sign}, num_message_bits={}",
        projection.message_bits
    )
}

/// The port of the target, where it is not its first.
fn port(projection: &QuantisedProjection, sliced: &SlicedNetwork) -> String {
    let ports = find(&sliced.network.populations[projection.target]).map(|info| info.ports);
    match ports.ok().and_then(|ports| ports.get(usize::from(projection.port))) {
        None | Some(&"a_in") => String::new(),
        Some(port) => format!(", \"{port}\""),
    }
}

/// The tables that put the slices' spikes together again.
fn write_index(
    script: &mut String,
    arrays: &mut IndexMap<String, Array>,
    sliced: &SlicedNetwork,
    originals: &[QuantisedPopulation],
    keys: &[String],
) {
    let learned = learned(sliced, originals, keys);
    let mut inputs = Vec::new();
    let mut populations = String::new();
    let mut neurons = String::new();
    for (index, original) in originals.iter().enumerate() {
        let name = printable(&original.name);
        let is_input = original.process == "input";
        if is_input || is_driven(original) {
            inputs.push(format!("\"{name}\""));
        }
        if is_input {
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
         {{\n{neurons}}}\nLEARNED = {{\n{learned}}}\n\n\n{after}",
        inputs.join(", ")
    );
}
