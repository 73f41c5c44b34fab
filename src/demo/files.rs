//! The files that the demo leaves behind.

use super::{DemoConfig, Findings, page};
use crate::error::Error;
use crate::fixed_point::FixedPointRunner;
use crate::loihi_export::emulator::{EmulatorRecording, SpikeTrain};
use crate::loihi_export::export::{core_map, netx};
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::model_io::array::Array;
use crate::model_io::atomic::write_bytes_atomically;
use crate::model_io::{nir, npz, sonata};
use crate::recordings;
use crate::sim_core::network::Shape;
use crate::snn_convert::lower::Conversion;

/// Names of all files, with what each is.
const FILES: [(&str, &str); 7] = [
    ("report.html", "everything above as a page that opens offline"),
    ("network.net", "the fixed-point network for Lava (netx)"),
    ("network.npz", "one image as input spikes, and the spikes of every layer"),
    ("network.nir", "the spiking network before quantising (NIR)"),
    ("core_map.json", "which neurons lie on which core"),
    ("spikes.h5", "all spikes of the first test image (SONATA)"),
    ("summary.json", "the numbers above"),
];

/// Makes the folder and refuses early where files would be overwritten.
pub(super) fn prepare(config: &DemoConfig) -> Result<(), Error> {
    std::fs::create_dir_all(&config.out)
        .map_err(|error| Error::Write(format!("cannot make {}: {error}", config.out.display())))?;
    for (name, _) in FILES {
        let path = config.out.join(name);
        if !config.overwrite && path.symlink_metadata().is_ok() {
            return Err(Error::Write(format!(
                "{} exists; pass --force to overwrite it, or choose another folder with --out",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Writes all files; gives one line each.
pub(super) fn write(
    config: &DemoConfig,
    findings: &Findings<'_>,
    hard: &Conversion,
    runner: &FixedPointRunner,
) -> Result<Vec<String>, Error> {
    let force = config.overwrite;
    let path = |name: &str| config.out.join(name);
    let report = page::report(findings).to_html()?;
    write_bytes_atomically(&path("report.html"), force, report.as_bytes())?;
    netx::write_netx(&path("network.net"), &findings.quantised.network, force)?;
    let archive = layer_archive(&findings.quantised.network, &findings.fixed_example, runner)?;
    write_bytes_atomically(&path("network.npz"), force, &archive)?;
    let graph = nir::from_network(&hard.network.validate()?)?;
    nir::write(&path("network.nir"), &graph, force)?;
    let map = core_map::to_json(&core_map::core_map(&findings.mapped.checked))?;
    write_bytes_atomically(&path("core_map.json"), force, map.as_bytes())?;
    let spikes = recordings::to_sonata(&findings.example);
    sonata::write_spikes(&path("spikes.h5"), &spikes, force)?;
    let summary = serde_json::to_string_pretty(&findings.summary)?;
    write_bytes_atomically(&path("summary.json"), force, summary.as_bytes())?;
    let line = |(name, what): (&str, &str)| format!("{}: {what}", path(name).display());
    Ok(FILES.map(line).to_vec())
}

/// Input and spikes of every layer as netx numbers them: `x` and `layerK_s`, pictures as
/// `[step, column, row, channel]`.
fn layer_archive(
    network: &QuantisedNetwork,
    recording: &EmulatorRecording,
    runner: &FixedPointRunner,
) -> Result<Vec<u8>, Error> {
    let steps = runner.total_steps() as usize;
    let arrays: Vec<(String, Array)> = network
        .populations
        .iter()
        .zip(&recording.spikes)
        .enumerate()
        .map(|(index, (population, train))| {
            let name = match index {
                0 => "x".to_string(),
                layer => format!("layer{}_s", layer - 1),
            };
            (name, spike_array(population.shape, train, steps))
        })
        .collect();
    Ok(npz::write_npz(arrays.iter().map(|(name, array)| (name.as_str(), array)))?)
}

fn spike_array(shape: Shape, train: &SpikeTrain, steps: usize) -> Array {
    let size = shape.size() as usize;
    let mut values = vec![0_i32; steps * size];
    let [channels, height, width] = shape.picture().map(|n| n as usize);
    for step in 0..steps.min(train.steps()) {
        for spike in train.at(step) {
            let neuron = spike.neuron as usize;
            let (column, rest) = (neuron % width, neuron / width);
            let (row, channel) = (rest % height, rest / height);
            let place = match shape {
                Shape::List(_) => neuron,
                Shape::Picture(_) => (column * height + row) * channels + channel,
            };
            values[step * size + place] = spike.payload;
        }
    }
    let shape = match shape {
        Shape::List(size) => vec![steps, size as usize],
        Shape::Picture(_) => vec![steps, width, height, channels],
    };
    Array { shape, values: values.into() }
}
