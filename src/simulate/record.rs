//! What a run records while it runs: spikes and samples into a recording in progress, and the files
//! made from it.

use crate::error::Error;
use crate::model_io::atomic::remove_leftovers;
use crate::model_io::checkpoint::Facts;
use crate::model_io::recording::{Content, OutputFormat, write};
use crate::model_io::spool::{SpoolHeader, SpoolReader, SpoolWriter, Stream};
use crate::sim_core::engine::{Compiled, Engine};
use crate::sim_core::network::ValidNetwork;
use crate::sim_core::recording::{Recording, Trace};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// What a run records, and where to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordConfig {
    /// A file for spikes; its ending gives the format.
    pub spikes: Option<PathBuf>,
    /// A folder for all that probes record, a file each.
    pub folder: Option<PathBuf>,
    /// Format of the files in the folder.
    pub format: Option<OutputFormat>,
    /// Whether files that exist are replaced.
    pub overwrite: bool,
}

impl RecordConfig {
    /// Whether anything goes to files.
    pub fn is_wanted(&self) -> bool {
        self.spikes.is_some() || self.folder.is_some()
    }

    /// Where the recording in progress lies where no checkpoint says so: beside what is made of it.
    pub(super) fn place(&self) -> Option<PathBuf> {
        match (&self.folder, &self.spikes) {
            (Some(folder), _) => Some(folder.join("run.recording")),
            (None, Some(spikes)) => Some(beside(spikes)),
            (None, None) => None,
        }
    }
}

/// The recording that belongs to a file.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".recording");
    PathBuf::from(name)
}

/// A recording in progress, and what becomes of it.
#[derive(Debug)]
pub(super) struct Recorder {
    writer: SpoolWriter,
    path: PathBuf,
    outputs: Vec<Output>,
    overwrite: bool,
}

impl Recorder {
    /// Begins a recording, or goes on at a position.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Usage`] for endings that are no format, or where the recording to
    /// go on from is another.
    pub(super) fn start(
        config: &RecordConfig,
        path: &Path,
        facts: Facts,
        engine: &dyn Engine,
        compiled: &Compiled,
        position: Option<u64>,
    ) -> Result<Self, Error> {
        let header = header(compiled, engine.recording(), facts);
        // The files of a run that goes on may be there already.
        let overwrite = config.overwrite || position.is_some();
        let outputs = outputs(config, &header, overwrite)?;
        config.folder.as_deref().map_or(Ok(()), create_folder)?;
        let failed = |reason: String| Error::Write(format!("{}: {reason}", path.display()));
        let writer = match position {
            None => SpoolWriter::create(path, &header).map_err(|e| failed(e.to_string()))?,
            Some(position) => {
                let begun = open(path)?;
                if begun.header().streams != header.streams
                    || begun.header().spikes != header.spikes
                {
                    return Err(Error::Usage(format!(
                        "{} records other probes than this run would: go on with the probes and \
                         options that the run began with",
                        path.display()
                    )));
                }
                SpoolWriter::resume(path, position).map_err(|e| failed(e.to_string()))?
            }
        };
        // Whoever records into this file makes the files of it, and nobody else.
        outputs.iter().for_each(|output| remove_leftovers(&output.2));
        let path = path.to_path_buf();
        let mut recorder = Recorder { writer, path, outputs, overwrite };
        if position.is_none() {
            recorder.name_synapses(engine)?;
        }
        Ok(recorder)
    }

    fn name_synapses(&mut self, engine: &dyn Engine) -> Result<(), Error> {
        let traces = engine.recording().traces.len() as u32;
        for (stream, trace) in (traces + 1..).zip(&engine.recording().weights) {
            let synapses = engine.weights(trace.projection).unwrap_or_default();
            let named = self.writer.synapses(stream, &synapses);
            named.map_err(|e| Error::Write(format!("{}: {e}", self.path.display())))?;
        }
        Ok(())
    }

    /// Appends what was recorded last.
    ///
    /// # Errors
    /// [`Error::Write`] with the reason, and what can be done with what is there.
    pub(super) fn record(&mut self, recorded: &Recording) -> Result<(), Error> {
        self.writer.record(recorded).map_err(|error| {
            let path = self.path.display();
            Error::Write(format!(
                "the run stopped before {}, as it could not be recorded: {error}. {path} holds what \
                 was recorded before; `spikeloom analyse {path}` reads it, and makes files of it with \
                 --record FOLDER. A run with a checkpoint goes on with --resume once there is room",
                recorded.duration
            ))
        })
    }

    /// Brings what is recorded to the disk; gives the position to go on from.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(super) fn sync(&mut self) -> Result<u64, Error> {
        let failed = |e| Error::Write(format!("{}: {e}", self.path.display()));
        self.writer.sync().map_err(failed)?;
        Ok(self.writer.position())
    }

    /// Makes the files; gives their names.
    ///
    /// # Errors
    /// [`Error::Write`] naming the file, and where the recording still is.
    pub(super) fn finish(&mut self) -> Result<Vec<PathBuf>, Error> {
        make(&self.path, &self.outputs, self.overwrite)
    }

    /// Removes the recording in progress: its files are made.
    pub(super) fn discard(self) {
        // What cannot be removed does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes the files of a recording in progress that a run would have made at its end.
///
/// # Errors
/// [`Error`] naming the recording where it cannot be read; [`Error::Write`] naming the file that cannot be
/// written.
pub fn make_files(recording: &Path, config: &RecordConfig) -> Result<Vec<PathBuf>, Error> {
    let outputs = outputs(config, open(recording)?.header(), config.overwrite)?;
    config.folder.as_deref().map_or(Ok(()), create_folder)?;
    make(recording, &outputs, config.overwrite)
}

/// A file to make: content, format, path.
type Output = (Content, OutputFormat, PathBuf);

fn make(recording: &Path, outputs: &[Output], overwrite: bool) -> Result<Vec<PathBuf>, Error> {
    let mut spool = open(recording)?;
    for (content, format, path) in outputs {
        write(&mut spool, *content, *format, path, overwrite).map_err(|error| {
            let (path, spool) = (path.display().to_string(), recording.display());
            let error = error.to_string();
            let error = if error.starts_with(&path) { error } else { format!("{path}: {error}") };
            Error::Write(format!(
                "{error}. The recording itself is whole; `spikeloom analyse {spool} --record FOLDER` \
                 makes files of it"
            ))
        })?;
    }
    Ok(outputs.iter().map(|output| output.2.clone()).collect())
}

fn create_folder(folder: &Path) -> Result<(), Error> {
    let failed = |e| Error::Write(format!("cannot create {}: {e}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)
}

/// Opens a recording in progress.
///
/// # Errors
/// [`Error`] naming the file.
pub fn open(path: &Path) -> Result<SpoolReader<BufReader<File>>, Error> {
    let unreadable = |reason: String| Error::Read { path: path.into(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    SpoolReader::new(BufReader::new(file)).map_err(|error| unreadable(error.to_string()))
}

/// The unit of a state variable.
pub(super) fn unit_of_trace(network: &ValidNetwork, trace: &Trace) -> &'static str {
    let spec = network.populations()[trace.population].model.spec();
    let variable = spec.variables.iter().find(|variable| variable.name == trace.variable);
    variable.map_or("1", |variable| variable.dimension.base_unit())
}

/// The unit of the weights of a projection (by index).
pub(super) fn unit_of_weights(network: &ValidNetwork, projection: usize) -> &'static str {
    let projection = network.projections().get_index(projection).map(|(_, projection)| projection);
    projection.map_or("1", |projection| {
        let receptors = network.populations()[projection.target].model.spec().receptors;
        receptors[projection.receptor].weight.base_unit()
    })
}

fn header(compiled: &Compiled, recording: &Recording, facts: Facts) -> SpoolHeader {
    let network = compiled.network();
    let recorded = |index: usize| {
        network.probes().values().any(|p| p.population == index && p.variable.is_none())
    };
    let variables = recording.traces.iter().map(|trace| Stream::Variable {
        probe: trace.probe.clone(),
        population: trace.population,
        variable: trace.variable.to_string(),
        unit: unit_of_trace(network, trace).to_string(),
    });
    let weights = recording.weights.iter().map(|trace| {
        let name = network.projections().get_index(trace.projection).map(|(name, _)| name.clone());
        let unit = unit_of_weights(network, trace.projection).to_string();
        Stream::Weights { probe: trace.probe.clone(), projection: name.unwrap_or_default(), unit }
    });
    SpoolHeader {
        dt: network.grid().dt(),
        populations: recording.populations.iter().map(|p| (p.name.clone(), p.size)).collect(),
        spikes: (0..recording.populations.len()).map(recorded).collect(),
        streams: variables.chain(weights).collect(),
        facts,
    }
}

/// Which files are made.
fn outputs(
    config: &RecordConfig,
    header: &SpoolHeader,
    overwrite: bool,
) -> Result<Vec<Output>, Error> {
    let mut outputs = Vec::new();
    if let Some(path) = &config.spikes {
        let format = OutputFormat::of_path(path).ok_or_else(|| {
            let path = path.display();
            Error::Usage(format!("{path}: the ending says no format; give .h5, .npz or .csv"))
        })?;
        outputs.push((Content::Spikes, format, path.clone()));
    }
    if let Some(folder) = &config.folder {
        let format = config.format.unwrap_or(OutputFormat::Sonata);
        let mut taken: Vec<String> = Vec::new();
        let mut name = |probe: &str| {
            let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
            let mut name: String = probe.chars().map(plain).collect();
            while taken.contains(&name) || name.starts_with('.') || name.is_empty() {
                name.insert(0, '_');
            }
            taken.push(name.clone());
            folder.join(format!("{name}.{}", format.ending()))
        };
        if header.spikes.contains(&true) {
            outputs.push((Content::Spikes, format, name("spikes")));
        }
        for (index, stream) in header.streams.iter().enumerate() {
            let (Stream::Variable { probe, .. } | Stream::Weights { probe, .. }) = stream;
            outputs.push((Content::Stream(index), format, name(probe)));
        }
    }
    let existing = outputs.iter().find(|output| output.2.symlink_metadata().is_ok());
    match existing.filter(|_| !overwrite) {
        Some((_, _, path)) => Err(Error::Write(format!(
            "{} exists; pass --force to overwrite it, or choose another name",
            path.display()
        ))),
        None => Ok(outputs),
    }
}
