//! What is wrong with samples, labels and the files that hold them.

use std::path::PathBuf;

/// Why data cannot be shown to a network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DataError {
    /// There is nothing in it.
    #[error("the data holds no samples")]
    Empty,
    /// A folder without pictures.
    #[error("the folder and the folders of classes in it hold no pictures (.png, .jpg, .jpeg)")]
    NoPictures,
    /// Not one label a sample.
    #[error("{samples} samples but {labels} labels")]
    LabelCount {
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label that is no class of the network.
    #[error(
        "sample {sample} has the label {label}; the network has {classes} outputs, so labels go from \
         0 to {}: are they counted from 1, or do they belong to other data?", classes.saturating_sub(1)
    )]
    LabelRange {
        /// Index of the sample.
        sample: usize,
        /// Its label.
        label: usize,
        /// Outputs of the network.
        classes: usize,
    },
    /// Labels that are no classes.
    #[error("labels must be whole numbers from 0, one a sample; these are {found}")]
    LabelKind {
        /// What they are.
        found: String,
    },
    /// Samples that are no numbers.
    #[error("samples must be numbers; these are {found}")]
    Kind {
        /// What they are.
        found: &'static str,
    },
    /// A divisor, mean or deviation that makes no finite numbers.
    #[error("{what} of {value} is not possible; give a number{}", if *nonzero { " other than 0" } else { "" })]
    Scale {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f32,
        /// Whether it may not be zero either.
        nonzero: bool,
    },
    /// A number of means or deviations that is neither one nor one a channel.
    #[error("{what} has {got} values; give one, or one for each of the {channels} channels")]
    Channels {
        /// Which option.
        what: &'static str,
        /// How many values it has.
        got: usize,
        /// Channels of the network's input.
        channels: usize,
    },
    /// Samples of another size.
    #[error(
        "a sample has the shape {stored:?} ({} values); the network takes {needed:?} ({} values)",
        stored.iter().product::<usize>(), needed.iter().product::<usize>()
    )]
    Shape {
        /// Shape of a stored sample.
        stored: Vec<usize>,
        /// Shape of the network's input.
        needed: Vec<usize>,
    },
    /// A value that is not finite.
    #[error(
        "sample {sample} has the value {value} at {position}; only finite numbers can be shown"
    )]
    NotFinite {
        /// Index of the sample.
        sample: usize,
        /// Position of the value.
        position: usize,
        /// The value.
        value: f32,
    },
    /// A damaged or oversized IDX file.
    #[error("this is no whole IDX file: {reason}")]
    Idx {
        /// What is wrong.
        reason: String,
    },
    /// An image that cannot be used.
    #[error("image {}: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// More than is held in memory.
    #[error("the samples would take {claimed} bytes; the limit is {limit}: show fewer")]
    TooLarge {
        /// What they would take.
        claimed: u64,
        /// What is allowed.
        limit: u64,
    },
}
