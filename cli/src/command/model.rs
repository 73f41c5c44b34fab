//! Arguments of commands that take a trained network or a network description.

use spikeloom::conversion::ConvertConfig;
use spikeloom::data::{Preparation, Scaling};
use spikeloom::error::Error;
use spikeloom::exports::{DEFAULT_STEPS, chip_with};
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::models::LoadOptions;
use std::path::PathBuf;

/// How a trained network is converted.
#[derive(Debug, Clone, clap::Args)]
pub struct Conversion {
    /// Samples to calibrate on: npz with `x` (or `images`), npy, IDX (plain or .gz), or a folder of
    /// pictures
    #[arg(long, value_name = "C.npz|DATA")]
    pub calibrate: Option<PathBuf>,

    /// Conversion method (see `spikeloom list methods`)
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,

    /// Accuracy in per cent that `auto` has to reach on the calibration samples, with the fewest
    /// steps and then the fewest spikes; without labels there, the trained network's answers count
    /// as right
    #[arg(long, value_name = "PERCENT")]
    pub target_accuracy: Option<f64>,

    /// Rule that chooses what a spike stands for (see `spikeloom list thresholds`)
    #[arg(long, value_name = "NAME")]
    pub threshold: Option<String>,

    /// How samples are put in (see `spikeloom list codes`); by default the first the method takes
    #[arg(long, value_name = "NAME")]
    pub code: Option<String>,

    /// What stored sample values are divided by [default: 255 for bytes, else 1]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub input_scale: Option<f32>,

    /// What is subtracted then: one number, or one a channel
    #[arg(long, value_name = "M,…", value_delimiter = ',', allow_negative_numbers = true)]
    pub input_mean: Vec<f32>,

    /// What is divided by after that: one number, or one a channel
    #[arg(long, value_name = "D,…", value_delimiter = ',')]
    pub input_std: Vec<f32>,

    /// Architecture file of a model that holds only tensors (.pt, .safetensors)
    #[arg(long, value_name = "FILE.toml")]
    pub architecture: Option<PathBuf>,

    /// Take the architecture that the tensors' names and shapes suggest
    #[arg(long)]
    pub accept_guess: bool,

    /// Shape of one sample, such as 1,28,28; pictures with their channels last are turned round
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub input_shape: Vec<usize>,
}

impl Conversion {
    /// How stored numbers become the network's input.
    pub fn preparation(&self) -> Preparation {
        Preparation {
            scaling: Scaling { divisor: self.input_scale },
            mean: self.input_mean.clone(),
            deviation: self.input_std.clone(),
            shape: (!self.input_shape.is_empty()).then(|| self.input_shape.clone()),
        }
    }

    /// What the model's file may not say.
    pub fn load(&self) -> LoadOptions {
        let input_shape = (!self.input_shape.is_empty()).then(|| self.input_shape.clone());
        let architecture = self.architecture.clone();
        LoadOptions { architecture, accept_guess: self.accept_guess, input_shape }
    }

    /// The configuration, for a number of steps; calibration on noise where no samples are given.
    pub fn any_config(&self, steps: Option<u32>) -> ConvertConfig {
        ConvertConfig {
            calibrate: self.calibrate.clone(),
            preparation: self.preparation(),
            method: self.method.clone(),
            threshold: self.threshold.clone(),
            code: self.code.clone(),
            steps: steps.unwrap_or(DEFAULT_STEPS),
            accuracy: self.target_accuracy,
            load: self.load(),
            ..ConvertConfig::default()
        }
    }

    /// The configuration, for a number of steps; none without samples to calibrate on.
    pub fn config(&self, steps: Option<u32>) -> Result<Option<ConvertConfig>, Error> {
        if self.calibrate.is_some() {
            return Ok(Some(self.any_config(steps)));
        }
        let needs = [
            ("--method", self.method.is_some()),
            ("--target-accuracy", self.target_accuracy.is_some()),
            ("--threshold", self.threshold.is_some()),
            ("--code", self.code.is_some()),
            ("--input-scale", self.input_scale.is_some()),
            ("--input-mean", !self.input_mean.is_empty()),
            ("--input-std", !self.input_std.is_empty()),
            ("--input-shape", !self.input_shape.is_empty()),
        ];
        match needs.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::Usage(format!(
                "{name} is about converting a trained network, which needs samples: give \
                 --calibrate too"
            ))),
            None => Ok(None),
        }
    }
}

/// A chip by name or file.
#[derive(Debug, Clone, clap::Args)]
pub struct Chip {
    /// Chip (see `spikeloom list chips`), or a description of your own
    #[arg(
        long,
        value_name = "NAME|FILE.toml",
        default_value = "loihi2",
        conflicts_with = "chip_file"
    )]
    chip: String,

    /// A chip description of your own (TOML); `base = "loihi2"` in it states only what differs
    #[arg(long, value_name = "FILE.toml")]
    chip_file: Option<PathBuf>,

    /// Set a figure of the chip, such as in_axons_per_core=2048 or =unknown; may be repeated
    #[arg(long, value_name = "FIGURE=VALUE")]
    chip_set: Vec<String>,

    /// Arithmetic in which emulators differ, in place of the chip's own (see `spikeloom list
    /// arithmetics`)
    #[arg(long, value_name = "NAME")]
    arithmetic: Option<String>,
}

impl Chip {
    /// The chip's description.
    pub fn spec(&self) -> Result<ChipSpec, Error> {
        let arithmetic = self.arithmetic.as_deref();
        chip_with(&self.chip, self.chip_file.as_deref(), &self.chip_set, arithmetic)
    }
}
