//! Every reader of files that strangers made, with the real files that are damaged for it.

use super::chips::{core_map_text, read_chip, read_core_map, read_lava_case, read_mapping_case};
use spikeloom::analysis::Trains;
use spikeloom::exports::{ChipSource, chip_source};
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::emulator::{Emulator, SpikeTrain};
use spikeloom::loihi_export::export::lava_script::lava_script;
use spikeloom::loihi_export::export::netx::{
    self, NetxOptions, read_netx_layers, read_netx_network,
};
use spikeloom::loihi_export::export::sliced::slice_network;
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig, map};
use spikeloom::loihi_export::quantise::network::QuantisedNetwork;
use spikeloom::model_io::nir::run::GraphRun;
use spikeloom::model_io::nir::to_network::{NirReading, to_network};
use spikeloom::model_io::npz::{self, NpzLimits};
use spikeloom::model_io::spool::{SpoolHeader, SpoolReader, SpoolWriter, Stream};
use spikeloom::model_io::{checkpoint, hdf5, network_file, nir};
use spikeloom::sim_core::checkpoint::{Checkpoint, Numbers, Section};
use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, ENGINES, EngineConfig, EngineEntry};
use spikeloom::sim_core::network::{
    FixedProbability, Network, Plasticity, PoissonDrive, Population, Projection, Stimulus,
};
use spikeloom::sim_core::neuron::lif_delta::LifDelta;
use spikeloom::sim_core::recording::{Recording, Spike, Trace};
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{Hertz, Milliseconds, Millivolts};
use spikeloom::snn_convert::ann::{AnnGraph, evaluate_output};
use spikeloom::snn_convert::declutter::declutter;
use spikeloom::snn_convert::source::keras::LayerWeights;
use spikeloom::snn_convert::source::pytorch::pickle;
use spikeloom::snn_convert::source::{architecture, keras, onnx, pytorch, safetensors};
use spikeloom::{data, models};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One reader.
pub struct Reader {
    pub name: &'static str,
    /// Folders or files beneath `tests/data` and `examples`, and the ending of the seeds.
    pub seeds: &'static [(&'static str, &'static str)],
    /// Whether the files are texts.
    pub text: bool,
    /// Reads; whatever it gives is dropped. `true` where the input was accepted.
    pub read: fn(&[u8], &Path) -> bool,
}

/// The registry: one entry a reader.
pub static READERS: &[Reader] = &[
    Reader { name: "onnx", seeds: &[("front_ends/onnx", "onnx")], text: false, read: read_onnx },
    Reader { name: "pt", seeds: &[("front_ends/weights", "pt")], text: false, read: read_pt },
    Reader {
        name: "pickle",
        seeds: &[("front_ends/weights", "pt")],
        text: false,
        read: read_pickle,
    },
    Reader {
        name: "safetensors",
        seeds: &[("front_ends/weights", "safetensors")],
        text: true,
        read: read_safetensors,
    },
    Reader { name: "keras", seeds: &[("front_ends/keras", "h5")], text: false, read: read_keras },
    Reader {
        name: "keras_config",
        seeds: &[("front_ends/keras", "h5")],
        text: true,
        read: read_keras_config,
    },
    Reader { name: "npz", seeds: &[("front_ends", "npz")], text: false, read: read_npz },
    Reader { name: "npy", seeds: &[("front_ends", "npz")], text: true, read: read_npy },
    Reader { name: "checkpoint", seeds: &[], text: false, read: read_checkpoint },
    Reader { name: "checkpoint_content", seeds: &[], text: false, read: read_checkpoint_content },
    Reader { name: "recording", seeds: &[], text: false, read: read_recording },
    Reader { name: "idx", seeds: &[], text: false, read: read_idx },
    Reader { name: "nir", seeds: &[("nir", "nir")], text: false, read: read_nir },
    Reader { name: "integers", seeds: &[("integers", "json")], text: true, read: read_integers },
    Reader {
        name: "chip",
        seeds: &[("../../loihi-export/src/chip", "toml")],
        text: true,
        read: read_chip,
    },
    Reader { name: "core_map", seeds: &[], text: true, read: read_core_map },
    Reader { name: "lava_case", seeds: &[("lava", "json")], text: true, read: read_lava_case },
    Reader {
        name: "mapping_case",
        seeds: &[("mapping", "json")],
        text: true,
        read: read_mapping_case,
    },
    Reader { name: "netx", seeds: &[("netx", "net")], text: false, read: read_netx },
    Reader {
        name: "network",
        seeds: &[("../../examples", "toml")],
        text: true,
        read: read_network,
    },
    Reader {
        name: "architecture",
        seeds: &[("front_ends/weights", "toml")],
        text: true,
        read: read_architecture,
    },
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The real files of a reader, smallest first, at most 24 of at most 64 kB.
pub fn seeds(reader: &Reader) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for (folder, ending) in reader.seeds {
        collect(&root().join(folder), ending, &mut paths);
    }
    paths.sort();
    let mut files: Vec<Vec<u8>> =
        paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    match reader.name {
        "pickle" => files = files.iter().filter_map(|file| member(file, "data.pkl")).collect(),
        "npy" => files = files.iter().filter_map(|file| member(file, "x.npy")).collect(),
        "keras_config" => {
            files =
                files.into_iter().filter_map(|f| Some(keras_parts(f)?.0.into_bytes())).collect();
        }
        "checkpoint" => files = checkpoints().iter().map(written).collect(),
        "checkpoint_content" => files = checkpoints().iter().map(content).collect(),
        "recording" => files = vec![recording()],
        "core_map" => files = vec![core_map_text().into_bytes()],
        "idx" => files = vec![idx(&[3, 4, 4], 0x08), idx(&[5], 0x08), idx(&[2, 3], 0x0d)],
        _ => {}
    }
    files.retain(|file| file.len() <= 1 << 16);
    files.sort_by_key(Vec::len);
    files.truncate(24);
    files
}

fn collect(folder: &Path, ending: &str, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, paths);
        } else if path.extension().is_some_and(|e| e == ending) {
            paths.push(path);
        }
    }
}

/// A stored or deflated member of a zip archive, by the end of its name.
fn member(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
    match name.strip_suffix(".npy") {
        Some(array) => {
            let mut arrays = npz::read_npz(bytes, NpzLimits::default()).ok()?;
            npz::write_npy(&npz::take(&mut arrays, array).ok()?).ok()
        }
        // PyTorch compresses nothing: the pickle lies between its opcodes PROTO and STOP.
        None => {
            let at = bytes.windows(name.len()).position(|window| window == name.as_bytes())?;
            let start = at + bytes[at..].windows(2).position(|window| window == b"\x80\x02")?;
            let end =
                start + bytes[start..].windows(4).position(|window| window == b"PK\x07\x08")?;
            Some(bytes[start..end].to_vec())
        }
    }
}

/// A network with learning synapses, for checkpoints.
fn learning() -> Arc<Compiled> {
    let mut network = Network::new("learning", Milliseconds(0.5));
    network.add_population("cells", Population::new(6, LifDelta::default()));
    let drive = PoissonDrive::new("cells", Hertz(900.0), Millivolts(4.0));
    network.add_stimulus("noise", Stimulus::PoissonDrive(drive));
    let stdp = Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(9.0));
    let pairs = FixedProbability { probability: 0.5, autapses: true };
    let learning = Projection::new("cells", "cells", pairs).weight(Millivolts(1.0));
    network.add_projection("learning", learning.delay(Milliseconds(1.5)).plasticity(stdp));
    Arc::new(Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap())
}

/// A checkpoint of each engine.
fn checkpoints() -> Vec<Checkpoint> {
    let compiled = learning();
    let save = |entry: &EngineEntry| {
        let mut engine = (entry.start)(compiled.clone(), EngineConfig::default()).unwrap();
        engine.run(Time::from_milliseconds(20.0).unwrap(), &mut |_| true).unwrap();
        engine.checkpoint()
    };
    ENGINES.iter().map(save).collect()
}

fn written(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = Vec::new();
    checkpoint::write(checkpoint, &Vec::new(), &mut bytes).unwrap();
    bytes
}

/// Runs a call with the elements of a section.
macro_rules! elements {
    ($numbers:expr, $n:ident => $call:expr) => {
        match $numbers {
            Numbers::F64($n) => $call,
            Numbers::F32($n) => $call,
            Numbers::U32($n) => $call,
            Numbers::U64($n) => $call,
            Numbers::I64($n) => $call,
            Numbers::I32($n) => $call,
        }
    };
}

/// The raw sections of a checkpoint, one behind the other.
fn content(checkpoint: &Checkpoint) -> Vec<u8> {
    let bytes = |section: &Section| -> Vec<u8> {
        elements!(&section.numbers, own => own.iter().flat_map(|n| n.to_le_bytes()).collect())
    };
    checkpoint.sections.iter().flat_map(bytes).collect()
}

/// Puts bytes into the elements of a section as far as they reach; gives those behind.
fn refill<'b, T, const N: usize>(
    elements: &mut [T],
    mut bytes: &'b [u8],
    made_of: fn([u8; N]) -> T,
) -> &'b [u8] {
    for element in elements {
        let Some((own, behind)) = bytes.split_first_chunk::<N>() else { return &[] };
        (*element, bytes) = (made_of(*own), behind);
    }
    bytes
}

/// Damaged sections behind checksums that fit, as only somebody who means harm makes them. What an
/// engine takes it has to stand running with.
fn read_checkpoint_content(bytes: &[u8], _: &Path) -> bool {
    static WHOLE: std::sync::OnceLock<(Arc<Compiled>, Vec<Checkpoint>)> =
        std::sync::OnceLock::new();
    let (compiled, checkpoints) = WHOLE.get_or_init(|| (learning(), checkpoints()));
    let mut taken = false;
    for (entry, whole) in ENGINES.iter().zip(checkpoints) {
        let mut damaged = whole.clone();
        let mut rest = bytes;
        for section in &mut damaged.sections {
            rest = match &mut section.numbers {
                Numbers::F64(own) => refill(own, rest, f64::from_le_bytes),
                Numbers::F32(own) => refill(own, rest, f32::from_le_bytes),
                Numbers::U32(own) => refill(own, rest, u32::from_le_bytes),
                Numbers::U64(own) => refill(own, rest, u64::from_le_bytes),
                Numbers::I64(own) => refill(own, rest, i64::from_le_bytes),
                Numbers::I32(own) => refill(own, rest, i32::from_le_bytes),
            };
        }
        let mut engine = (entry.start)(compiled.clone(), EngineConfig::default()).unwrap();
        if engine.restore(&damaged).is_ok() {
            taken = true;
            drop(engine.run(Time::from_milliseconds(5.0).unwrap(), &mut |_| true));
        }
    }
    taken
}

/// What the checksums let through goes to the engines, which check it again.
fn read_checkpoint(bytes: &[u8], _: &Path) -> bool {
    let Ok((checkpoint, _)) = checkpoint::read(&mut &*bytes, bytes.len() as u64) else {
        return false;
    };
    let compiled = learning();
    ENGINES.iter().any(|entry| {
        let mut engine = (entry.start)(compiled.clone(), EngineConfig::default()).unwrap();
        engine.restore(&checkpoint).is_ok()
    })
}

/// A recording in progress of spikes and samples.
fn recording() -> Vec<u8> {
    let header = SpoolHeader {
        dt: 0.5,
        populations: vec![("cells".into(), 6)],
        spikes: vec![true],
        streams: vec![Stream::Variable {
            probe: "v".into(),
            population: 0,
            variable: "membrane_potential".into(),
            unit: "mV".into(),
        }],
        facts: vec![("version".into(), "0".into())],
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = SpoolWriter::create(file.path(), &header).unwrap();
    let trace = Trace {
        probe: "v".into(),
        population: 0,
        variable: "membrane_potential",
        times: vec![Time(1), Time(2)],
        values: vec![0.5; 12],
    };
    let spikes = (0..6).map(|neuron| Spike { time: Time(5), neuron }).collect();
    let recording = Recording { spikes, traces: vec![trace], ..Recording::default() };
    writer.record(&recording).unwrap();
    std::fs::read(file.path()).unwrap()
}

fn read_recording(bytes: &[u8], _: &Path) -> bool {
    let Ok(mut spool) = SpoolReader::new(std::io::Cursor::new(bytes)) else {
        return false;
    };
    Trains::from_spool(&mut spool, 0.0, 1e3).is_ok()
}

fn idx(extents: &[u32], kind: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, extents.len() as u8];
    extents.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
    let width = if kind == 0x0d { 4 } else { 1 };
    let count = extents.iter().product::<u32>() * width;
    bytes.extend((0..count).map(|n| n as u8));
    bytes
}

/// The most values for which a network that was accepted is evaluated too.
const SMALL: usize = 1 << 16;

/// A network that was accepted must stand being decluttered and evaluated.
fn use_network(graph: &AnnGraph) -> bool {
    let size: usize = graph.nodes().map(|(_, node)| node.shape.size()).sum();
    let work = size.saturating_mul(graph.parameter_count().max(1));
    let clean = declutter(graph);
    if size <= SMALL && work <= 1 << 24 {
        let sample = vec![0.5; graph.input_shape().size()];
        drop(evaluate_output(graph, &sample));
        drop(clean.map(|clean| evaluate_output(&clean.graph, &sample)));
    }
    true
}

fn read_onnx(bytes: &[u8], _: &Path) -> bool {
    onnx::read(bytes).is_ok_and(|graph| use_network(&graph))
}

fn read_pt(bytes: &[u8], _: &Path) -> bool {
    pytorch::read(bytes).is_ok_and(|tensors| {
        let guess = architecture::guess(&tensors, None);
        let graph = guess.and_then(|guess| architecture::build(&guess.architecture, &tensors));
        graph.map_or(true, |graph| use_network(&graph))
    })
}

fn read_pickle(bytes: &[u8], _: &Path) -> bool {
    pickle::run(bytes).is_ok()
}

fn read_safetensors(bytes: &[u8], _: &Path) -> bool {
    safetensors::read(bytes).is_ok_and(|tensors| architecture::guess(&tensors, None).is_ok())
}

fn keras_parts(bytes: Vec<u8>) -> Option<(String, LayerWeights)> {
    let size = bytes.len() as u64;
    let root = hdf5::open_bytes(bytes).ok()?;
    models::layers_of(&root, size).ok()
}

fn read_keras(bytes: &[u8], _: &Path) -> bool {
    let Some((config, weights)) = keras_parts(bytes.to_vec()) else { return false };
    keras::read(&config, &weights).is_ok_and(|graph| use_network(&graph))
}

/// A damaged configuration meets the tensors of a real model.
fn read_keras_config(bytes: &[u8], _: &Path) -> bool {
    static WEIGHTS: std::sync::OnceLock<LayerWeights> = std::sync::OnceLock::new();
    let weights = WEIGHTS.get_or_init(|| {
        let mut all = LayerWeights::new();
        let mut paths = Vec::new();
        collect(&root().join("front_ends/keras"), "h5", &mut paths);
        for bytes in paths.iter().filter_map(|path| std::fs::read(path).ok()) {
            all.extend(keras_parts(bytes).map(|parts| parts.1).unwrap_or_default());
        }
        all
    });
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    keras::read(text, weights).is_ok_and(|graph| use_network(&graph))
}

fn read_npz(bytes: &[u8], _: &Path) -> bool {
    let limits = NpzLimits { array_bytes: 1 << 24, total_bytes: 1 << 25, arrays: 64 };
    npz::read_npz(bytes, limits).is_ok()
}

fn read_npy(bytes: &[u8], _: &Path) -> bool {
    npz::read_npy(bytes).is_ok()
}

fn read_idx(bytes: &[u8], _: &Path) -> bool {
    data::idx::read(bytes).is_ok()
}

fn read_nir(bytes: &[u8], file: &Path) -> bool {
    if std::fs::write(file, bytes).is_err() {
        return false;
    }
    if let Ok((graph, _)) = nir::read_leniently(file) {
        use_graph(&graph);
    }
    nir::read(file).is_ok()
}

/// A graph that was accepted, be it leniently, must stand being run and described.
fn use_graph(graph: &nir::NirGraph) {
    let dialect = &nir::dialect::DIALECTS[0];
    let convention = (dialect.convention)();
    if let Ok(run) = GraphRun::new(graph, &convention) {
        let size = run.input_shape().iter().try_fold(1usize, |size, &n| size.checked_mul(n));
        if let Some(size) = size.filter(|&size| size <= SMALL) {
            drop(nir::run::run(graph, &convention, &vec![vec![1.0; size]; 2], &[]));
        }
    }
    // Each dialect makes other neurons and delays of a node.
    for dialect in nir::dialect::DIALECTS {
        let reading = NirReading { convention: (dialect.convention)(), biases_from_start: false };
        drop(to_network(graph, "fuzzed", &reading).map(|(network, _)| network.validate()));
    }
}

fn read_netx(bytes: &[u8], file: &Path) -> bool {
    if std::fs::write(file, bytes).is_err() {
        return false;
    }
    let lenient = NetxOptions { lenient: true, ..NetxOptions::default() };
    if let Ok(read) = read_netx_network(file, &lenient) {
        let sizes = read.network.populations.iter().map(|p| p.shape.size() as usize);
        if sizes.sum::<usize>() <= SMALL {
            use_integers(&read.network);
        }
    }
    read_netx_layers(file).is_ok()
}

/// Integer networks, which may learn; what is accepted is run, mapped, cut and written as a script.
fn read_integers(bytes: &[u8], file: &Path) -> bool {
    let file = file.with_extension("json");
    if std::fs::write(&file, bytes).is_err() {
        return false;
    }
    let Ok(ChipSource::Integers { network, .. }) = chip_source(&file, None, false) else {
        return false;
    };
    let sizes = network.populations.iter().map(|p| p.shape.size() as usize);
    if sizes.sum::<usize>() > SMALL {
        return true;
    }
    use_integers(&network);
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let limits = CoreLimits { neurons_per_core: 7, ..CoreLimits::of_chip(&chip).unwrap() };
    if let Ok(mapping) = map(&network, &limits, &MapConfig::default())
        && let Ok(sliced) = slice_network(&network, &mapping)
    {
        drop(lava_script(&sliced, &network.populations));
    }
    true
}

/// A netx network that was accepted must stand being run, and written again where netx can hold it.
fn use_integers(network: &QuantisedNetwork) {
    drop(netx::plan(network));
    let chip = ChipSpec::built_in("loihi2").unwrap();
    if let Ok(mut emulator) = Emulator::new(network, &chip) {
        let inputs = vec![SpikeTrain::from_rows([[].as_slice(); 3]); emulator.inputs().len()];
        drop(emulator.run(3, &inputs));
    }
}

fn read_network(bytes: &[u8], _: &Path) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| network_file::read_and_validate(text).is_ok())
}

fn read_architecture(bytes: &[u8], _: &Path) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| architecture::parse(text).is_ok())
}
