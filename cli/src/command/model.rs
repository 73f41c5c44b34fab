//! Arguments of commands that take a trained network or a network description.

use spikeloom::conversion::ConvertConfig;
use spikeloom::data::Scaling;
use spikeloom::error::Error;
use spikeloom::exports::DEFAULT_STEPS;
use std::path::PathBuf;

/// How a trained network is converted.
#[derive(Debug, Clone, clap::Args)]
pub struct Conversion {
    /// Samples to calibrate on: npz with `x` (or `images`), for trained networks
    #[arg(long, value_name = "C.npz")]
    pub calibrate: Option<PathBuf>,

    /// Conversion method (see `spikeloom list methods`)
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,

    /// Rule that chooses what a spike stands for (see `spikeloom list thresholds`)
    #[arg(long, value_name = "NAME")]
    pub threshold: Option<String>,

    /// How samples are put in (see `spikeloom list codes`); by default the first the method takes
    #[arg(long, value_name = "NAME")]
    pub code: Option<String>,

    /// What stored sample values are divided by [default: 255 for bytes, else 1]
    #[arg(long, value_name = "S")]
    pub input_scale: Option<f32>,
}

impl Conversion {
    /// How stored numbers become the network's input.
    pub fn scaling(&self) -> Scaling {
        Scaling { divisor: self.input_scale }
    }

    /// The configuration, for a number of steps; none without samples to calibrate on.
    pub fn config(&self, steps: Option<u32>) -> Result<Option<ConvertConfig>, Error> {
        let Some(calibrate) = self.calibrate.clone() else {
            let needs = [
                ("--method", self.method.is_some()),
                ("--threshold", self.threshold.is_some()),
                ("--code", self.code.is_some()),
                ("--input-scale", self.input_scale.is_some()),
            ];
            return match needs.iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(Error::Usage(format!(
                    "{name} is about converting a trained network, which needs samples: give \
                     --calibrate too"
                ))),
                None => Ok(None),
            };
        };
        Ok(Some(ConvertConfig {
            calibrate,
            scaling: self.scaling(),
            method: self.method.clone(),
            threshold: self.threshold.clone(),
            code: self.code.clone(),
            steps: steps.unwrap_or(DEFAULT_STEPS),
        }))
    }
}

/// A chip by name or file.
#[derive(Debug, Clone, clap::Args)]
pub struct Chip {
    /// Chip (see `spikeloom list chips`)
    #[arg(long, value_name = "NAME", default_value = "loihi2", conflicts_with = "chip_file")]
    pub chip: String,

    /// A chip description of your own (TOML)
    #[arg(long, value_name = "FILE.toml")]
    pub chip_file: Option<PathBuf>,
}
