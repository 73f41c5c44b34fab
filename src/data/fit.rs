//! Stored samples as a network's input: order of the axes, mean and deviation.

use super::{DataError, Samples, Scaling};

/// How stored numbers become the network's input: (x / divisor − mean) / deviation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preparation {
    /// What stored numbers are divided by.
    pub scaling: Scaling,
    /// Subtracted after the division: none, one number, or one a channel.
    pub mean: Vec<f32>,
    /// Divided by after that: none, one number, or one a channel.
    pub deviation: Vec<f32>,
    /// Shape of a stored sample, where the data does not say (or says it wrongly).
    pub shape: Option<Vec<usize>>,
}

impl From<Scaling> for Preparation {
    fn from(scaling: Scaling) -> Self {
        Preparation { scaling, ..Preparation::default() }
    }
}

impl Samples {
    /// The samples as a network with this input shape takes them. Pictures that are stored with their
    /// channels last (`[height, width, channels]`) are rearranged where the network has them first.
    ///
    /// # Errors
    /// [`DataError`] naming both shapes where they do not fit, or what is wrong with the numbers.
    pub fn fit(mut self, input: &[usize], preparation: &Preparation) -> Result<Samples, DataError> {
        if let Some(shape) = &preparation.shape {
            if shape.iter().product::<usize>() != self.size {
                let (stored, needed) = (self.shape, shape.clone());
                return Err(DataError::Shape { stored, needed });
            }
            self.shape.clone_from(shape);
        }
        let needed = input.iter().product::<usize>();
        if self.size != needed {
            return Err(DataError::Shape { stored: self.shape, needed: input.to_vec() });
        }
        if let [height, width, channels] = self.shape[..]
            && input == [channels, height, width]
            && input != self.shape
        {
            self.channels_first(channels);
        }
        self.shape = input.to_vec();
        self.normalise(input, preparation)?;
        match self.values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let (sample, position, value) = (at / needed, at % needed, self.values[at]);
                Err(DataError::NotFinite { sample, position, value })
            }
            None => Ok(self),
        }
    }

    fn channels_first(&mut self, channels: usize) {
        let mut rearranged = Vec::with_capacity(self.values.len());
        for sample in self.values.chunks_exact(self.size.max(1)) {
            for channel in 0..channels {
                rearranged.extend(sample.iter().skip(channel).step_by(channels.max(1)));
            }
        }
        self.values = rearranged;
    }

    fn normalise(&mut self, input: &[usize], preparation: &Preparation) -> Result<(), DataError> {
        let Preparation { mean, deviation, .. } = preparation;
        if mean.is_empty() && deviation.is_empty() {
            return Ok(());
        }
        // Without axes of its own a channel is one value.
        let channels = input.first().copied().unwrap_or(1).max(1);
        for (what, values, nonzero) in
            [("--input-mean", mean, false), ("--input-std", deviation, true)]
        {
            if values.len() > 1 && values.len() != channels {
                return Err(DataError::Channels { what, got: values.len(), channels });
            }
            if let Some(&value) =
                values.iter().find(|value| !value.is_finite() || (nonzero && **value == 0.0))
            {
                return Err(DataError::Scale { what, value, nonzero });
            }
        }
        let of = |values: &[f32], channel: usize, without: f32| {
            values.get(channel).or(values.first()).copied().unwrap_or(without)
        };
        let per_channel = (self.size / channels).max(1);
        for (index, value) in self.values.iter_mut().enumerate() {
            let channel = index % self.size / per_channel;
            *value = (*value - of(mean, channel, 0.0)) / of(deviation, channel, 1.0);
        }
        Ok(())
    }
}

/// Checks that every label is one of the network's outputs.
///
/// # Errors
/// [`DataError::LabelRange`] with the first that is not.
pub fn check_labels(labels: &[usize], classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|&label| label >= classes) {
        Some(sample) => Err(DataError::LabelRange { sample, label: labels[sample], classes }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shape: &[usize], values: Vec<f32>) -> Samples {
        let size = shape.iter().product();
        Samples { values, size, shape: shape.to_vec(), labels: Vec::new() }
    }

    #[test]
    fn channels_that_come_last_are_put_first_but_flat_values_stay() {
        let picture: Vec<f32> = (0..12).map(|n| n as f32).collect();
        let fitted = stored(&[2, 2, 3], picture.clone()).fit(&[3, 2, 2], &Preparation::default());
        let expected = [0.0, 3.0, 6.0, 9.0, 1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0];
        assert_eq!(fitted.unwrap().values, expected);
        let flat = stored(&[12], picture.clone()).fit(&[3, 2, 2], &Preparation::default()).unwrap();
        assert_eq!(flat.values, picture);
        let said = Preparation { shape: Some(vec![2, 2, 3]), ..Preparation::default() };
        assert_eq!(stored(&[12], picture).fit(&[3, 2, 2], &said).unwrap().values, expected);
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_channel() {
        let preparation = Preparation {
            mean: vec![1.0, 2.0],
            deviation: vec![0.5, 2.0],
            ..Preparation::default()
        };
        let samples = stored(&[2, 1, 2], vec![1.0, 2.0, 2.0, 6.0, 0.0, 1.0, 0.0, 2.0]);
        let fitted = samples.fit(&[2, 1, 2], &preparation).unwrap();
        // Values below 0 and above 1 are as good as any: normalised pictures have them.
        assert_eq!(fitted.values, [0.0, 2.0, 0.0, 2.0, -2.0, 0.0, -1.0, 0.0]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_both_shapes() {
        let samples = || stored(&[2, 3], vec![0.0; 12]);
        let message = |result: Result<Samples, DataError>| result.unwrap_err().to_string();
        let shapes = message(samples().fit(&[1, 28, 28], &Preparation::default()));
        assert!(shapes.contains("[2, 3] (6 values)") && shapes.contains("[1, 28, 28]"), "{shapes}");
        let three = Preparation { mean: vec![0.0; 3], ..Preparation::default() };
        assert!(message(samples().fit(&[2, 3], &three)).contains("2 channels"));
        let zero = Preparation { deviation: vec![0.0], ..Preparation::default() };
        assert!(message(samples().fit(&[2, 3], &zero)).contains("--input-std of 0"));
        let mut infinite = samples();
        infinite.values[8] = f32::NAN;
        assert!(message(infinite.fit(&[2, 3], &Preparation::default())).contains("sample 1"));
        let message = check_labels(&[3, 10], 10).unwrap_err().to_string();
        assert!(message.contains("sample 1 has the label 10") && message.contains("0 to 9"));
    }
}
