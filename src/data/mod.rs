//! Images (or other samples) with labels: numpy arrays and archives, IDX files, image folders, noise.

mod error;
mod fit;
pub mod folder;
pub mod idx;
pub mod noise;
mod stream;

pub use error::DataError;
pub use fit::{Preparation, check_labels};
pub use stream::SampleStream;

use crate::error::Error;
use crate::model_io::array::{Array, Values};
use crate::model_io::npz::{self, NPY_SIGNATURE, NpzLimits};
use ndarray::ArrayView2;
use std::path::{Path, PathBuf};

/// Samples in the form that a network takes, with the class of each where it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Values of all samples, one after the other, scaled.
    pub values: Vec<f32>,
    /// Values of one sample.
    pub size: usize,
    /// Shape of one sample as it was stored; its product is `size`.
    pub shape: Vec<usize>,
    /// Class of each sample; empty where the data has none.
    pub labels: Vec<usize>,
}

/// How stored numbers become the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scaling {
    /// What stored numbers are divided by; none means 255 for bytes and 1 for others.
    pub divisor: Option<f32>,
}

impl Samples {
    /// Reads samples and, where the file has them, labels: `x` (or `images`) and `y` (or `labels`) of
    /// an npz archive, a lone npy array, an IDX file (plain or gzip; its labels come from the file
    /// beside it with `labels-idx1` in its name) or a folder of pictures.
    ///
    /// # Errors
    /// [`Error`] naming the file, where it cannot be read or the arrays do not fit each other.
    pub fn read(path: &Path, scaling: Scaling) -> Result<Self, Error> {
        Self::read_with(path, None, None, scaling)
    }

    /// As [`Samples::read`], with labels from a file of their own (npy, IDX, or npz with `y`), and
    /// pictures of a folder with as many channels as the network takes.
    ///
    /// # Errors
    /// As [`Samples::read`].
    pub fn read_with(
        path: &Path,
        labels: Option<&Path>,
        channels: Option<usize>,
        scaling: Scaling,
    ) -> Result<Self, Error> {
        let located = |error: Error| match error.located().0 {
            Some(_) => error,
            None => error.in_file(path),
        };
        let mut samples = match path.is_dir() {
            true => Self::from_folder(path, channels, scaling).map_err(located)?,
            false => Self::from_bytes(&bytes_of(path)?, scaling).map_err(located)?,
        };
        let beside = || idx_labels(path).filter(|_| samples.labels.is_empty());
        if let Some(file) = labels.map(PathBuf::from).or_else(beside) {
            let read = bytes_of(&file).and_then(|bytes| labels_from(&bytes));
            samples.labels = read.map_err(|error| match error.located().0 {
                Some(_) => error,
                None => error.in_file(file.as_path()),
            })?;
            samples.check_label_count().map_err(|error| Error::from(error).in_file(file))?;
        }
        Ok(samples)
    }

    fn from_folder(path: &Path, channels: Option<usize>, scaling: Scaling) -> Result<Self, Error> {
        let pictures = folder::read(path, channels.filter(|channels| [1, 3].contains(channels)))?;
        let count = pictures.values.len() / pictures.shape.iter().product::<usize>().max(1);
        let mut shape = vec![count];
        shape.extend(pictures.shape);
        Self::new(&Array { shape, values: pictures.values.into() }, pictures.labels, scaling)
    }

    fn from_bytes(bytes: &[u8], scaling: Scaling) -> Result<Self, Error> {
        if bytes.starts_with(&NPY_SIGNATURE) {
            return Self::new(&npz::read_npy(bytes)?, Vec::new(), scaling);
        }
        if idx::looks_like_idx(bytes) {
            return Self::new(&idx::read(bytes)?, Vec::new(), scaling);
        }
        Self::from_npz(bytes, scaling)
    }

    /// Samples from the bytes of an npz archive.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_npz(bytes: &[u8], scaling: Scaling) -> Result<Self, Error> {
        let mut arrays = npz::read_npz(bytes, NpzLimits::default())?;
        let name = |names: [&'static str; 2]| {
            names.into_iter().find(|name| arrays.contains_key(*name)).unwrap_or(names[0])
        };
        let (images, labels) = (name(["x", "images"]), name(["y", "labels"]));
        let images = npz::take(&mut arrays, images)?;
        let labels = match arrays.contains_key(labels) {
            true => class_numbers(&npz::take(&mut arrays, labels)?)?,
            false => Vec::new(),
        };
        Self::new(&images, labels, scaling)
    }

    /// Samples along the first axis of an array.
    ///
    /// # Errors
    /// [`Error::Data`] where array and labels do not fit each other.
    pub fn new(images: &Array, labels: Vec<usize>, scaling: Scaling) -> Result<Self, Error> {
        let count = images.shape.first().copied().unwrap_or(0);
        if count == 0 || images.is_empty() {
            return Err(DataError::Empty.into());
        }
        let Some(mut values) = images.values.to_f32() else {
            return Err(DataError::Kind { found: images.values.type_name() }.into());
        };
        let bytes = matches!(images.values, Values::U8(_));
        let divisor = scaling.divisor.unwrap_or(if bytes { 255.0 } else { 1.0 });
        if !divisor.is_finite() || divisor == 0.0 {
            let what = "--input-scale";
            return Err(DataError::Scale { what, value: divisor, nonzero: true }.into());
        }
        if divisor != 1.0 {
            values.iter_mut().for_each(|value| *value /= divisor);
        }
        let shape = images.shape[1..].to_vec();
        let samples = Samples { size: values.len() / count, shape, values, labels };
        samples.check_label_count()?;
        Ok(samples)
    }

    fn check_label_count(&self) -> Result<(), DataError> {
        let (samples, labels) = (self.len(), self.labels.len());
        match labels == 0 || labels == samples {
            true => Ok(()),
            false => Err(DataError::LabelCount { samples, labels }),
        }
    }

    /// Samples that Rust code made, `[samples, values]`, taken as they are.
    ///
    /// # Errors
    /// [`Error::Usage`] without samples, or where labels do not fit them.
    pub fn from_array(samples: ArrayView2<'_, f32>, labels: Vec<usize>) -> Result<Self, Error> {
        let (count, size) = samples.dim();
        let array = Array {
            shape: vec![count, size],
            values: samples.iter().copied().collect::<Vec<f32>>().into(),
        };
        Self::new(&array, labels, Scaling::default())
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.size.max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The samples as slices.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.size.max(1))
    }

    /// The samples with these positions; positions beyond the end are left out.
    #[must_use]
    pub fn select(&self, positions: impl IntoIterator<Item = usize>) -> Samples {
        let (size, shape) = (self.size, self.shape.clone());
        let mut chosen = Samples { values: Vec::new(), size, shape, labels: Vec::new() };
        for position in positions.into_iter().filter(|&position| position < self.len()) {
            let range = position * self.size..(position + 1) * self.size;
            chosen.values.extend_from_slice(&self.values[range]);
            chosen.labels.extend(self.labels.get(position));
        }
        chosen
    }

    /// At most the first `count` samples.
    #[must_use]
    pub fn first(&self, count: usize) -> Samples {
        self.select(0..count.min(self.len()))
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| Error::Read { path: path.into(), reason: error.to_string() })
}

/// The file of labels that belongs to an IDX file of images, where it is there.
fn idx_labels(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let beside = name.replace("images", "labels").replace("idx3", "idx1");
    let beside = path.with_file_name(&beside);
    (name.contains("idx3") && beside != path && beside.is_file()).then_some(beside)
}

fn labels_from(bytes: &[u8]) -> Result<Vec<usize>, Error> {
    if bytes.starts_with(&NPY_SIGNATURE) {
        return Ok(class_numbers(&npz::read_npy(bytes)?)?);
    }
    if idx::looks_like_idx(bytes) {
        return Ok(class_numbers(&idx::read(bytes)?)?);
    }
    let mut arrays = npz::read_npz(bytes, NpzLimits::default())?;
    let name = if arrays.contains_key("y") { "y" } else { "labels" };
    Ok(class_numbers(&npz::take(&mut arrays, name)?)?)
}

fn class_numbers(array: &Array) -> Result<Vec<usize>, DataError> {
    let found = || match array.values.to_f64() {
        Some(values) => match values.iter().find(|value| value.fract() != 0.0 || **value < 0.0) {
            Some(value) => format!("{} such as {value}", array.values.type_name()),
            None => array.values.type_name().to_string(),
        },
        None => array.values.type_name().to_string(),
    };
    // One number a sample: a column will do, a table (one-hot rows, boxes) will not.
    if array.shape.iter().filter(|&&extent| extent > 1).count() > 1 {
        let found = format!("an array of the shape {:?}", array.shape);
        return Err(DataError::LabelKind { found });
    }
    let numbers = array.values.to_i64().unwrap_or_default();
    let classes: Vec<usize> = numbers.iter().filter_map(|&n| usize::try_from(n).ok()).collect();
    match classes.len() == array.len() {
        true => Ok(classes),
        false => Err(DataError::LabelKind { found: found() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_divided_by_255_and_parts_can_be_chosen() {
        let images = Array { shape: vec![3, 2], values: vec![0_u8, 255, 51, 102, 153, 204].into() };
        let samples = Samples::new(&images, vec![7, 8, 9], Scaling::default()).unwrap();
        assert_eq!((samples.len(), samples.size), (3, 2));
        let chosen = samples.select([2, 0, 5]);
        assert_eq!((chosen.labels.as_slice(), chosen.len()), ([9, 7].as_slice(), 2));
        assert!((chosen.values[0] - 0.6).abs() < 1e-6 && chosen.values[3] == 1.0);
        let sixteenths = Scaling { divisor: Some(16.0) };
        assert_eq!(Samples::new(&images, Vec::new(), sixteenths).unwrap().values[1], 255.0 / 16.0);
    }

    #[test]
    fn arrays_of_any_memory_order_become_samples() {
        let columns = ndarray::arr2(&[[1.0_f32, 3.0], [2.0, 4.0], [5.0, 6.0]]);
        let samples = Samples::from_array(columns.t(), vec![0, 1]).unwrap();
        assert_eq!(samples.values, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
        assert_eq!((samples.len(), samples.size), (2, 3));
        assert!(Samples::from_array(columns.view(), vec![0]).is_err());
    }

    #[test]
    fn data_that_does_not_fit_is_explained() {
        let images = Array { shape: vec![2, 2], values: vec![0_u8; 4].into() };
        let error = Samples::new(&images, vec![1], Scaling::default()).unwrap_err();
        assert!(error.to_string().contains("2 samples but 1 labels"), "{error}");
        let zero = Scaling { divisor: Some(0.0) };
        assert!(Samples::new(&images, Vec::new(), zero).is_err());
        assert!(Samples::from_npz(b"PK nonsense", Scaling::default()).is_err());
    }
}
