//! The samples of a test: read as they are needed, with what the file recorded of the network.

use super::{Answer, ConvertedModel, TestConfig};
use crate::data::{DataError, Preparation, SampleStream, Samples, check_labels, noise};
use crate::error::Error;
use crate::model_io::npz::NpzFile;
use std::path::Path;

/// Bytes that recorded logits may take.
const LOGIT_BYTES: u64 = 1 << 30;

/// Test samples from the first to the last, as the network takes them.
pub(super) struct TestSamples {
    stream: SampleStream,
    input: Vec<usize>,
    preparation: Preparation,
    /// Scores of all samples that the file has, and their number a sample.
    logits: Option<(Vec<f64>, usize)>,
    taken: usize,
    classes: usize,
}

impl TestSamples {
    /// Opens the samples that a test asks for; noise where it names none.
    pub(super) fn open(
        model: &ConvertedModel,
        config: &TestConfig,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let (shape, answer) = (model.graph.input_shape(), Answer::of(&model.stages.whole));
        let (outputs, classes) = (answer.scores, answer.classes());
        let input = shape.extents().to_vec();
        let Some(path) = &config.test else {
            warnings.push(
                "no test samples were given: noise is shown, so that only agreement with the \
                 trained network means something; give --test"
                    .to_string(),
            );
            let samples = noise::samples(&input, config.limit.unwrap_or(100).min(1000), 2);
            let stream = SampleStream::of_samples(samples);
            let preparation = Preparation::default();
            return Ok(TestSamples { stream, input, preparation, logits: None, taken: 0, classes });
        };
        let channels = shape.picture().map(|[channels, _, _]| channels);
        let scaling = config.preparation.scaling;
        let mut stream = SampleStream::open(path, config.labels.as_deref(), channels, scaling)?;
        check_labels(stream.labels(), classes).map_err(|error| Error::from(error).in_file(path))?;
        if let Some(limit) = config.limit {
            stream.limit(limit);
        }
        // What a network that ends in the choice of the class gave may be classes, too.
        let ends_in_class = answer.node != model.stages.whole.output();
        let logits = recorded_logits(path, outputs, stream.len(), ends_in_class)?;
        let logits = logits.map(|logits| (logits, outputs));
        Ok(TestSamples {
            stream,
            input,
            preparation: config.preparation.clone(),
            logits,
            taken: 0,
            classes,
        })
    }

    /// Number of all samples.
    pub(super) fn len(&self) -> usize {
        self.stream.len()
    }

    /// Values of one sample.
    pub(super) fn size(&self) -> usize {
        self.input.iter().product()
    }

    /// Number of classes.
    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// The largest recorded score, without its sign; 0 where there are none.
    pub(super) fn largest_logit(&self) -> f64 {
        let recorded = self.logits.iter().flat_map(|(logits, _)| logits);
        recorded.fold(0.0, |most, score| score.abs().max(most))
    }

    /// Whether the classes are known.
    pub(super) fn are_labelled(&self) -> bool {
        !self.stream.labels().is_empty()
    }

    /// The next samples, at most `count`.
    pub(super) fn take(&mut self, count: usize) -> Result<Samples, Error> {
        // Before anything is read: a shape that does not fit may be of any size.
        let stored = self.stream.shape();
        if stored.iter().try_fold(1_usize, |size, &n| size.checked_mul(n)) != Some(self.size()) {
            let (stored, needed) = (stored.to_vec(), self.input.clone());
            return Err(self.stream.locate(DataError::Shape { stored, needed }));
        }
        let samples = self.stream.take(count)?;
        let (taken, first) = (samples.len(), self.taken);
        let fitted = samples.fit(&self.input, &self.preparation).map_err(|error| match error {
            DataError::NotFinite { sample, position, value } => {
                DataError::NotFinite { sample: first + sample, position, value }
            }
            other => other,
        });
        self.taken += taken;
        fitted.map_err(|error| self.stream.locate(error))
    }

    /// Passes over samples that were shown before.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.taken += count;
        self.stream.skip(count)
    }

    /// The recorded scores of some samples.
    pub(super) fn logits(&self, first: usize, count: usize) -> Option<&[f64]> {
        let (logits, outputs) = self.logits.as_ref()?;
        logits.get(first * outputs..(first + count) * outputs)
    }
}

/// The array `logits` of an npz file; none where it has no such array.
fn recorded_logits(
    path: &Path,
    outputs: usize,
    samples: usize,
    ends_in_class: bool,
) -> Result<Option<Vec<f64>>, Error> {
    let Some(archive) = NpzFile::open(path).ok().filter(|archive| archive.contains("logits"))
    else {
        return Ok(None);
    };
    let logits = archive.array("logits", LOGIT_BYTES);
    let logits = logits.map_err(|error| Error::from(error).in_file(path))?;
    let mut recorded = logits.values.to_f64().unwrap_or_default();
    let needed = samples.saturating_mul(outputs);
    if ends_in_class && logits.shape.last() != Some(&outputs) {
        return Ok(None);
    }
    if recorded.len() < needed || logits.shape.last() != Some(&outputs) {
        let shape = &logits.shape;
        let message =
            format!("`logits` has the shape {shape:?}; the network gives {outputs} values");
        return Err(Error::Usage(message).in_file(path));
    }
    recorded.truncate(needed);
    Ok(Some(recorded))
}
