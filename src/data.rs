//! Images (or other samples) with labels, from numpy archives.

use crate::error::Error;
use crate::model_io::array::{Array, Values};
use crate::model_io::npz::{self, NpzLimits};
use ndarray::ArrayView2;
use std::path::Path;

/// Samples in the form that a network takes, with the class of each where it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Values of all samples, one after the other, scaled.
    pub values: Vec<f32>,
    /// Values of one sample.
    pub size: usize,
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
    /// Reads `x` (or `images`) and `y` (or `labels`) from an npz archive.
    ///
    /// # Errors
    /// [`Error`] naming the file, where it cannot be read or the arrays do not fit each other.
    pub fn read(path: &Path, scaling: Scaling) -> Result<Self, Error> {
        let bytes = std::fs::read(path)
            .map_err(|error| Error::Read { path: path.into(), reason: error.to_string() })?;
        Self::from_npz(&bytes, scaling).map_err(|error| error.in_file(path))
    }

    /// As [`Samples::read`], from bytes.
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
    /// [`Error::Usage`] where array and labels do not fit each other.
    pub fn new(images: &Array, labels: Vec<usize>, scaling: Scaling) -> Result<Self, Error> {
        let count = images.shape.first().copied().unwrap_or(0);
        if count == 0 || images.is_empty() {
            return Err(Error::Usage("the data holds no samples".to_string()));
        }
        if !labels.is_empty() && labels.len() != count {
            let message = format!("{count} samples but {} labels", labels.len());
            return Err(Error::Usage(message));
        }
        let Some(mut values) = images.values.to_f32() else {
            let kind = images.values.type_name();
            return Err(Error::Usage(format!("samples must be numbers, these are {kind}")));
        };
        let bytes = matches!(images.values, Values::U8(_));
        let divisor = scaling.divisor.unwrap_or(if bytes { 255.0 } else { 1.0 });
        if !divisor.is_finite() || divisor == 0.0 {
            return Err(Error::Usage(format!("samples cannot be divided by {divisor}")));
        }
        if divisor != 1.0 {
            values.iter_mut().for_each(|value| *value /= divisor);
        }
        Ok(Samples { size: values.len() / count, values, labels })
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
        let mut chosen = Samples { values: Vec::new(), size: self.size, labels: Vec::new() };
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

fn class_numbers(array: &Array) -> Result<Vec<usize>, Error> {
    let numbers = array.values.to_i64().unwrap_or_default();
    let classes: Vec<usize> = numbers.iter().filter_map(|&n| usize::try_from(n).ok()).collect();
    if classes.len() != array.len() {
        let kind = array.values.type_name();
        let message = format!("labels must be whole numbers from 0, these are {kind}");
        return Err(Error::Usage(message));
    }
    Ok(classes)
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
