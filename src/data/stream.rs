//! Samples that are read a part at a time, in their order: memory is that of a part.

use super::{DataError, Samples, Scaling, class_numbers, folder, idx, idx_labels, labels_from};
use crate::error::Error;
use crate::model_io::array::{Array, Values};
use crate::model_io::npz::{NPY_SIGNATURE, NpyStream, NpzFile};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes that the labels may take.
const LABEL_BYTES: u64 = 1 << 30;

/// Where samples come from.
enum Source {
    Npy(NpyStream),
    Idx(idx::IdxStream),
    Pictures {
        files: Vec<PathBuf>,
        channels: usize,
    },
    /// Data that cannot be read in parts.
    Whole(Samples),
}

/// Samples of a file or folder from the first to the last; the formats are those of
/// [`Samples::read`].
pub struct SampleStream {
    path: PathBuf,
    source: Source,
    shape: Vec<usize>,
    count: usize,
    labels: Vec<usize>,
    scaling: Scaling,
    /// Samples that were taken or passed over.
    at: usize,
}

impl SampleStream {
    /// Opens samples and reads their labels; `channels` are those of the network, for pictures.
    ///
    /// # Errors
    /// As [`Samples::read_with`].
    pub fn open(
        path: &Path,
        labels: Option<&Path>,
        channels: Option<usize>,
        scaling: Scaling,
    ) -> Result<Self, Error> {
        let located = |error: Error| match error.located().0 {
            Some(_) => error,
            None => error.in_file(path),
        };
        let (source, shape, own) = open_source(path, channels, scaling).map_err(located)?;
        let count = shape.first().copied().unwrap_or(0);
        let size = shape.iter().skip(1).try_fold(1_usize, |size, &n| size.checked_mul(n));
        if count == 0 || size.is_none_or(|size| size == 0) {
            return Err(located(DataError::Empty.into()));
        }
        let mut stream = SampleStream {
            path: path.into(),
            source,
            shape: shape[1..].to_vec(),
            count,
            labels: own,
            scaling,
            at: 0,
        };
        let beside = || idx_labels(path).filter(|_| stream.labels.is_empty());
        let mut blamed = path.to_path_buf();
        if let Some(file) = labels.map(PathBuf::from).or_else(beside) {
            let read = super::bytes_of(&file).and_then(|bytes| labels_from(&bytes));
            stream.labels = read.map_err(|error| match error.located().0 {
                Some(_) => error,
                None => error.in_file(file.as_path()),
            })?;
            blamed = file;
        }
        let (samples, labels) = (stream.count, stream.labels.len());
        match labels == 0 || labels == samples {
            true => Ok(stream),
            false => {
                let error = DataError::LabelCount { samples, labels };
                Err(Error::from(error).in_file(blamed))
            }
        }
    }

    /// The samples of a set that is in memory.
    pub fn of_samples(samples: Samples) -> Self {
        SampleStream {
            path: PathBuf::new(),
            shape: samples.shape.clone(),
            count: samples.len(),
            labels: samples.labels.clone(),
            scaling: Scaling::default(),
            source: Source::Whole(samples),
            at: 0,
        }
    }

    /// Number of all samples.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Shape of one sample as it is stored.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Class of each of all samples; empty where the data has none.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// An error with the name of the file or folder.
    pub fn locate(&self, error: DataError) -> Error {
        match self.path.as_os_str().is_empty() {
            true => error.into(),
            false => Error::from(error).in_file(self.path.as_path()),
        }
    }

    /// Leaves out all samples behind the first `count`.
    pub fn limit(&mut self, count: usize) {
        self.count = self.count.min(count);
        self.labels.truncate(self.count);
    }

    /// The next samples, at most `count` of them; none at the end.
    ///
    /// # Errors
    /// [`Error`] naming the file that is shorter than it says, or the picture that does not fit.
    pub fn take(&mut self, count: usize) -> Result<Samples, Error> {
        let range = self.at..self.count.min(self.at.saturating_add(count));
        let size = self.shape.iter().product::<usize>();
        let elements = range.len() * size;
        let values = match &mut self.source {
            Source::Npy(stream) => stream.take(elements).map_err(Error::from),
            Source::Idx(stream) => stream.take(elements).map_err(Error::from),
            Source::Pictures { files, channels } => {
                let shape = [*channels, self.shape[1], self.shape[2]];
                folder::decode_all(&files[range.clone()], shape).map(Values::U8)
            }
            Source::Whole(samples) => {
                self.at = range.end;
                return Ok(samples.select(range));
            }
        };
        let values = values.map_err(|error| match error.located().0 {
            Some(_) => error,
            None => error.in_file(self.path.as_path()),
        })?;
        self.at = range.end;
        if range.is_empty() {
            let (size, shape) = (size, self.shape.clone());
            return Ok(Samples { values: Vec::new(), size, shape, labels: Vec::new() });
        }
        let labels = self.labels.get(range.clone()).unwrap_or_default().to_vec();
        let mut shape = vec![range.len()];
        shape.extend(&self.shape);
        Samples::new(&Array { shape, values }, labels, self.scaling)
            .map_err(|error| error.in_file(self.path.as_path()))
    }

    /// Passes over the next samples.
    ///
    /// # Errors
    /// [`Error`] where the file is shorter than it says.
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        let passed = count.min(self.count - self.at);
        let elements = passed * self.shape.iter().product::<usize>();
        let skipped = match &mut self.source {
            Source::Npy(stream) => stream.skip(elements).map_err(Error::from),
            Source::Idx(stream) => stream.skip(elements).map_err(Error::from),
            Source::Pictures { .. } | Source::Whole(_) => Ok(()),
        };
        skipped.map_err(|error| error.in_file(self.path.as_path()))?;
        self.at += passed;
        Ok(())
    }
}

/// The source with the shape of all samples together, and labels that lie in the same place.
fn open_source(
    path: &Path,
    channels: Option<usize>,
    scaling: Scaling,
) -> Result<(Source, Vec<usize>, Vec<usize>), Error> {
    if path.is_dir() {
        let list = folder::List::new(path, channels.filter(|channels| [1, 3].contains(channels)))?;
        let [channels, height, width] = list.shape;
        let shape = vec![list.files.len(), channels, height, width];
        return Ok((Source::Pictures { files: list.files, channels }, shape, list.labels));
    }
    let unreadable =
        |error: std::io::Error| Error::Read { path: path.into(), reason: error.to_string() };
    let mut head = Vec::new();
    File::open(path).map_err(unreadable)?.take(16).read_to_end(&mut head).map_err(unreadable)?;
    let whole = || -> Result<(Source, Vec<usize>, Vec<usize>), Error> {
        let samples = Samples::read(path, scaling)?;
        let mut shape = vec![samples.len()];
        shape.extend(&samples.shape);
        let labels = samples.labels.clone();
        Ok((Source::Whole(samples), shape, labels))
    };
    if head.starts_with(&NPY_SIGNATURE) {
        let stream = NpyStream::open(path)?;
        let shape = stream.shape().to_vec();
        return match stream.is_in_c_order() {
            true => Ok((Source::Npy(stream), shape, Vec::new())),
            false => whole(),
        };
    }
    if idx::looks_like_idx(&head) {
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        let stream = idx::IdxStream::new(Box::new(file), &head)?;
        let shape = stream.shape().to_vec();
        return Ok((Source::Idx(stream), shape, Vec::new()));
    }
    let archive = NpzFile::open(path)?;
    let name = |names: [&'static str; 2]| {
        names.into_iter().find(|name| archive.contains(name)).unwrap_or(names[0])
    };
    let stream = archive.stream(name(["x", "images"]))?;
    if !stream.is_in_c_order() {
        return whole();
    }
    let labels = name(["y", "labels"]);
    let labels = match archive.contains(labels) {
        true => class_numbers(&archive.array(labels, LABEL_BYTES)?)?,
        false => Vec::new(),
    };
    let shape = stream.shape().to_vec();
    Ok((Source::Npy(stream), shape, labels))
}
