//! From a file to a chip and to files for others.
//!
//! To add an export format: a function below and its line in [`EXPORTS`].

use crate::conversion::{ConvertConfig, convert};
use crate::error::Error;
use crate::lists::named;
use crate::loihi_export::chip::{ARITHMETICS, ChipCatalogue, ChipSpec};
use crate::loihi_export::emulator::Emulator;
use crate::loihi_export::export::lava_script::lava_script;
use crate::loihi_export::export::netx::NetxOptions;
use crate::loihi_export::export::sana_fe::sana_fe;
use crate::loihi_export::export::sliced::slice_network;
use crate::loihi_export::export::{core_map, netx};
use crate::loihi_export::mapping::MapConfig;
use crate::loihi_export::partition::PARTITIONERS;
use crate::loihi_export::place::PLACERS;
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::loihi_export::quantise::{QuantiseConfig, Quantised, quantise};
use crate::loihi_export::route::ROUTERS;
use crate::model_io::atomic::write_bytes_atomically;
use crate::model_io::nir;
use crate::model_io::sniff::{self, Format};
use crate::network_files::{self, read_text, unreadable};
use crate::pipeline::{Mapped, map_to_chip};
use crate::sim_core::network::ValidNetwork;
use std::path::Path;

/// Steps that a conversion for a chip is made for, unless something else is said.
pub const DEFAULT_STEPS: u32 = 8;

/// Where a network goes, and what it is mapped to on the way.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The chip.
    pub chip: &'a ChipSpec,
    /// Chips that may be used.
    pub chips: u32,
    /// The file.
    pub path: &'a Path,
    /// Whether a file that exists is replaced.
    pub overwrite: bool,
}

impl Destination<'_> {
    /// A network on its chips.
    fn mapped<'n>(&self, network: &'n QuantisedNetwork) -> Result<Mapped<'n>, Error> {
        map_to_chip(network, self.chip, &map_config(None, None, None, false, self.chips)?)
    }

    /// Why a network has no such file.
    fn refused(&self, error: &impl ToString) -> Error {
        Error::Usage(format!("{}: {}", self.path.display(), error.to_string()))
    }
}

/// Writes a network and tells what the file leaves out.
pub type WriteExport = fn(&ChipSource, &Destination<'_>) -> Result<Vec<String>, Error>;

/// An export format.
pub struct ExportFormat {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Writes a network and tells what the file leaves out.
    pub write: WriteExport,
}

/// What is brought to a chip.
#[derive(Debug, Clone)]
pub enum ChipSource {
    /// A description, quantised when it is known for which chip.
    Description {
        /// The network.
        network: Box<ValidNetwork>,
        /// Its name; its file's where it states none.
        name: String,
    },
    /// The integers of a netx file, and what netx does to them without saying so.
    Integers {
        /// The network.
        network: QuantisedNetwork,
        /// One line each.
        notes: Vec<String>,
    },
}

impl ChipSource {
    /// Name of the network.
    pub fn name(&self) -> &str {
        match self {
            ChipSource::Description { name, .. } => name,
            ChipSource::Integers { network, .. } => &network.name,
        }
    }

    /// Its integers for a chip, with what rounding changed and what they leave out.
    ///
    /// # Errors
    /// [`Error::Quantise`].
    pub fn quantised(&self, chip: &ChipSpec) -> Result<Quantised, Error> {
        match self {
            ChipSource::Description { network, name } => {
                let mut made = quantised(network, chip)?;
                made.network.name.clone_from(name);
                Ok(made)
            }
            ChipSource::Integers { network, notes } => {
                let (network, notes) = (network.clone(), notes.clone());
                Ok(Quantised { network, errors: Vec::new(), notes })
            }
        }
    }
}

/// What a file brings to a chip: a netx file its integers, any other what [`chip_network`] reads.
/// `lenient` gives a meaning to netx files on which netx stops, where only one is likely.
///
/// # Errors
/// As [`chip_network`]; [`Error::Netx`] in the file.
pub fn chip_source(
    path: &Path,
    config: Option<&ConvertConfig>,
    lenient: bool,
) -> Result<ChipSource, Error> {
    let format = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    if format == Format::OtherJson && config.is_none() {
        return integers(path);
    }
    // A file of that name that is none is refused as what it should be.
    let is_netx = format == Format::Netx || path.extension().is_some_and(|ending| ending == "net");
    if !is_netx || config.is_some() {
        let network = Box::new(chip_network(path, config)?);
        let name = match network.name() {
            "" => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            own => own.to_owned(),
        };
        return Ok(ChipSource::Description { network, name });
    }
    let options = NetxOptions { lenient, ..NetxOptions::default() };
    let read = netx::read_netx_network(path, &options)
        .map_err(|error| Error::from(error).in_file(path))?;
    Ok(ChipSource::Integers { network: read.network, notes: read.warnings })
}

/// The integer network of a JSON file, as [`write_integers`] makes it; it is checked whole.
fn integers(path: &Path) -> Result<ChipSource, Error> {
    let failed = |reason: String| Error::Read { path: path.into(), reason };
    let text = read_text(path)?;
    let network: QuantisedNetwork = serde_json::from_str(&text).map_err(|error| {
        failed(format!(
            "it is no integer network: {error}; `spikeloom export NETWORK --format integers` writes one"
        ))
    })?;
    // Of a chip of one's own the file has only the name; its networks are checked as those of Loihi 2.
    let chip = ChipSpec::built_in(&network.chip).or_else(|_| ChipSpec::built_in("loihi2"))?;
    Emulator::new(&network, &chip).map_err(|error| failed(error.to_string()))?;
    Ok(ChipSource::Integers { network, notes: Vec::new() })
}

/// All export formats.
pub static EXPORTS: &[ExportFormat] = &[
    ExportFormat {
        name: "netx",
        summary: "the integer network for Lava (.net): chains of dense and convolution layers",
        write: write_netx,
    },
    ExportFormat {
        name: "nir",
        summary: "the network before quantising, in the Neuromorphic Intermediate Representation",
        write: write_nir,
    },
    ExportFormat {
        name: "lava_script",
        summary: "a Python program of Lava processes, one a core slice, with its arrays beside it",
        write: write_lava_script,
    },
    ExportFormat {
        name: "sana_fe",
        summary: "the mapped network for the simulator SANA-FE (YAML): energy and latency",
        write: write_sana_fe,
    },
    ExportFormat {
        name: "integers",
        summary: "the integer network (JSON), which map and export read again: a rule makes it learn",
        write: write_integers,
    },
    ExportFormat {
        name: "core_map",
        summary: "which neurons, axons and synapse lists lie on which core (JSON)",
        write: map_and_write,
    },
];

/// The export format of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_export(name: &str) -> Result<&'static ExportFormat, Error> {
    let found = EXPORTS.iter().find(|entry| entry.name == name);
    named("export format", name, found, EXPORTS.iter().map(|entry| entry.name))
}

/// A network for a chip from a file: a description as it is, a trained network converted.
///
/// Without a method in `config`, trained networks are converted with `hard_reset`.
///
/// # Errors
/// [`Error`] naming the file; [`Error::Usage`] for a trained network without calibration samples
/// and for a description with them.
pub fn chip_network(path: &Path, config: Option<&ConvertConfig>) -> Result<ValidNetwork, Error> {
    let format = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    match (is_trained_network(path)?, config) {
        (true, Some(config)) => {
            let mut config = config.clone();
            config.method.get_or_insert_with(|| "hard_reset".to_string());
            Ok(convert(path, &config)?.conversion.network.validate()?)
        }
        (true, None) => Err(Error::Usage(format!(
            "{} is a trained network: give samples to calibrate on with --calibrate",
            path.display()
        ))),
        (false, Some(_)) => Err(Error::Usage(format!(
            "{} is {}; calibration is for trained networks: leave --calibrate out",
            path.display(),
            format.description()
        ))),
        (false, None) => match format {
            Format::Toml | Format::Unknown => Ok(network_files::read(path)?.valid),
            other => Err(Error::WrongFormat {
                path: path.into(),
                found: other.description().to_string(),
                needed: "a trained network (ONNX, PyTorch, safetensors or Keras), a network \
                         description (TOML) or a netx file is needed here; `spikeloom import` makes \
                         a description of a NIR graph",
            }),
        },
    }
}

/// Whether a file holds a trained network, by its content; a damaged ONNX model by its name.
///
/// # Errors
/// [`Error::Read`].
pub fn is_trained_network(path: &Path) -> Result<bool, Error> {
    let format = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    let trained = [Format::Onnx, Format::PyTorch, Format::Safetensors, Format::Keras];
    Ok(trained.contains(&format) || path.extension().is_some_and(|ending| ending == "onnx"))
}

/// The chip of this name, or the one that a file describes (a name that ends in `.toml` is a file); with the named arithmetic in place of its
/// own, where one is named.
///
/// # Errors
/// [`Error::Unknown`] with the known names, or [`Error`] naming the file.
pub fn chip(name: &str, file: Option<&Path>, arithmetic: Option<&str>) -> Result<ChipSpec, Error> {
    let mut chip = described(name, file)?;
    if let Some(name) = arithmetic {
        let found = ARITHMETICS.iter().find(|named| named.name == name);
        let known = ARITHMETICS.iter().map(|named| named.name);
        chip.arithmetic = named("arithmetic", name, found, known)?.choices();
    }
    Ok(chip)
}

fn described(name: &str, file: Option<&Path>) -> Result<ChipSpec, Error> {
    let file = file.or_else(|| Some(Path::new(name)).filter(|path| is_toml(path)));
    if let Some(path) = file {
        return ChipSpec::from_toml(&read_text(path)?)
            .map_err(|error| Error::from(error).in_file(path));
    }
    let chips = ChipCatalogue::built_in()?;
    let names = crate::loihi_export::chip::registry::BUILT_IN.iter().map(|chip| chip.name);
    named("chip", name, chips.get(name).ok().cloned(), names)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

/// A chip as [`chip`] finds it, with figures set as `name=value`.
///
/// # Errors
/// As [`chip`]; [`Error::Chip`] for a figure that cannot be set.
pub fn chip_with(
    name: &str,
    file: Option<&Path>,
    set: &[String],
    arithmetic: Option<&str>,
) -> Result<ChipSpec, Error> {
    let figures: Result<Vec<(&str, &str)>, Error> = set
        .iter()
        .map(|assignment| {
            let (figure, value) = assignment.split_once('=').ok_or_else(|| {
                Error::Usage(format!(
                    "--chip-set {assignment}: write FIGURE=VALUE or FIGURE=unknown"
                ))
            })?;
            Ok((figure.trim(), value.trim()))
        })
        .collect();
    let (figures, chip) = (figures?, chip(name, file, arithmetic)?);
    if figures.is_empty() { Ok(chip) } else { Ok(chip.with_figures(&figures)?) }
}

/// Integers of a network for a chip.
///
/// # Errors
/// [`Error::Quantise`].
pub fn quantised(network: &ValidNetwork, chip: &ChipSpec) -> Result<Quantised, Error> {
    Ok(quantise(network, chip, &QuantiseConfig::default())?)
}

/// Algorithms to map with, by name; the registries' first where none is given.
///
/// # Errors
/// [`Error::Unknown`] with the known names.
pub fn map_config(
    partitioner: Option<&str>,
    placer: Option<&str>,
    router: Option<&str>,
    share_cores: bool,
    chips: u32,
) -> Result<MapConfig, Error> {
    let mut config = MapConfig::default();
    config.partition.share_cores = share_cores;
    config.partition.chips = chips;
    if let Some(name) = partitioner {
        let found = PARTITIONERS.iter().find(|entry| entry.name == name);
        let entry = named("partitioner", name, found, PARTITIONERS.iter().map(|e| e.name))?;
        config.partition.algorithm = entry.name.to_string();
    }
    if let Some(name) = placer {
        let found = PLACERS.iter().find(|entry| entry.name == name);
        let entry = named("placer", name, found, PLACERS.iter().map(|e| e.name))?;
        config.place.algorithm = entry.name.to_string();
    }
    if let Some(name) = router {
        let found = ROUTERS.iter().find(|entry| entry.name == name);
        let entry = named("router", name, found, ROUTERS.iter().map(|e| e.name))?;
        config.route.algorithm = entry.name.to_string();
    }
    Ok(config)
}

fn write_netx(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    let quantised = source.quantised(to.chip)?;
    netx::write_netx(to.path, &quantised.network, to.overwrite)?;
    Ok(quantised.notes)
}

fn write_nir(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    match source {
        ChipSource::Description { network, .. } => {
            nir::write(to.path, &nir::from_network(network)?, to.overwrite)?;
            Ok(Vec::new())
        }
        ChipSource::Integers { .. } => Err(Error::Usage(
            "a netx file holds integers of a chip, and NIR holds networks before quantising: \
             export the network that it was made from"
                .to_string(),
        )),
    }
}

fn map_and_write(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    let quantised = source.quantised(to.chip)?;
    write_core_map(&to.mapped(&quantised.network)?, to.path, to.overwrite)?;
    Ok(quantised.notes)
}

/// Writes the integers, to be read again by [`chip_source`].
fn write_integers(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    let quantised = source.quantised(to.chip)?;
    let text = serde_json::to_string(&quantised.network)
        .map_err(|error| Error::Write(error.to_string()))?;
    write_bytes_atomically(to.path, to.overwrite, text.as_bytes())?;
    Ok(quantised.notes)
}

/// Writes the script, and its arrays under the same name with the ending `npz`.
fn write_lava_script(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    let quantised = source.quantised(to.chip)?;
    let mapped = to.mapped(&quantised.network)?;
    let sliced = slice_network(&quantised.network, mapped.checked.mapping())
        .map_err(|error| to.refused(&error))?;
    let written =
        lava_script(&sliced, &quantised.network.populations).map_err(|error| to.refused(&error))?;
    write_bytes_atomically(&to.path.with_extension("npz"), to.overwrite, &written.arrays)?;
    write_bytes_atomically(to.path, to.overwrite, written.script.as_bytes())?;
    Ok(quantised.notes)
}

fn write_sana_fe(source: &ChipSource, to: &Destination<'_>) -> Result<Vec<String>, Error> {
    let quantised = source.quantised(to.chip)?;
    let mapped = to.mapped(&quantised.network)?;
    let (mapping, limits) = (mapped.checked.mapping(), mapped.checked.limits());
    let yaml = sana_fe(&quantised.network, mapping, limits.mesh_rows)
        .map_err(|error| to.refused(&error))?;
    write_bytes_atomically(to.path, to.overwrite, yaml.as_bytes())?;
    Ok(quantised.notes)
}

/// Writes the core map of a mapping, whole or not at all.
///
/// # Errors
/// [`Error::Write`].
pub fn write_core_map(mapped: &Mapped<'_>, path: &Path, overwrite: bool) -> Result<(), Error> {
    let text = core_map::to_json(&core_map::core_map(&mapped.checked))?;
    write_bytes_atomically(path, overwrite, text.as_bytes())?;
    Ok(())
}
