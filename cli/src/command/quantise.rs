//! `spikeloom quantise`.

use super::{Outcome, Run, Session, model};
use crate::table::table;
use serde_json::{Value, json};
use spikeloom::error::Error;
use spikeloom::exports::DEFAULT_STEPS;
use spikeloom::listing::Listing;
use spikeloom::loihi_export::quantise::layer::Granularity;
use spikeloom::loihi_export::quantise::scale::ScaleRule;
use spikeloom::quantisation::{Study, StudyConfig, Variant, study};
use std::path::PathBuf;

/// Turn a network into a chip's integers: errors of every layer; accuracy by weight bits of trained ones
#[derive(Debug, clap::Args)]
pub struct Quantise {
    /// Trained network or network description
    #[arg(value_name = "MODEL|NETWORK.toml")]
    model: PathBuf,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Samples to test on, with labels (as `spikeloom convert --test`)
    #[arg(long, value_name = "T.npz|DATA")]
    test: Option<PathBuf>,

    /// Labels of the test samples from a file of their own
    #[arg(long, value_name = "FILE", requires = "test")]
    test_labels: Option<PathBuf>,

    /// Test on the first N samples only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Number of steps of a sample [default: 8]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,

    #[command(flatten)]
    chip: model::Chip,

    /// Rules by which scales are chosen: maximum, percentile[=SHARE], mse, trained (see `spikeloom
    /// list scales`)
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', default_value = "maximum")]
    scale: Vec<String>,

    /// What has a scale of its own: layer, channel, or both to compare
    #[arg(long, value_name = "layer|channel|both", default_value = "layer")]
    per: String,

    /// Bits of a weight: a number or a range such as 1..8
    #[arg(long, value_name = "N|A..B", default_value = "8")]
    weight_bits: String,

    /// Calibrate thresholds and biases against the float network, on the calibration samples
    #[arg(long, requires = "calibrate")]
    calibrate_thresholds: bool,
}

impl Run for Quantise {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let chip = self.chip.spec()?;
        let config = StudyConfig {
            conversion: self.conversion.any_config(Some(self.steps.unwrap_or(DEFAULT_STEPS))),
            test: self.test.clone(),
            labels: self.test_labels.clone(),
            limit: self.limit.map(|limit| limit as usize),
            scales: self.scales()?,
            granularities: self.granularities()?,
            weight_bits: bits(&self.weight_bits)?,
            calibrate: self.calibrate_thresholds,
        };
        let study = study(&self.model, &chip, &config, &session.terminal)?;
        Ok(Outcome::fine(serde_json::to_value(&study)?, text(&study)))
    }
}

impl Quantise {
    fn scales(&self) -> Result<Vec<(String, ScaleRule)>, Error> {
        let parse = |name: &String| {
            let rule = name.parse().map_err(|error| Error::Usage(format!("--scale: {error}")))?;
            Ok((name.clone(), rule))
        };
        self.scale.iter().map(parse).collect()
    }

    fn granularities(&self) -> Result<Vec<Granularity>, Error> {
        match self.per.as_str() {
            "layer" => Ok(vec![Granularity::Layer]),
            "channel" => Ok(vec![Granularity::Channel]),
            "both" => Ok(vec![Granularity::Layer, Granularity::Channel]),
            other => Err(Error::Usage(format!(
                "--per is `{other}`; what has a scale of its own is `layer`, `channel` or `both`"
            ))),
        }
    }
}

/// `8` or `1..8`.
fn bits(text: &str) -> Result<Vec<u8>, Error> {
    let wrong = || {
        Error::Usage(format!("--weight-bits is `{text}`; write 1 to 8, or a range such as 1..8"))
    };
    let number = |part: &str| part.parse().ok().filter(|bits| (1..=8).contains(bits));
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low..=high).collect()),
        _ => Err(wrong()),
    }
}

fn text(study: &Study) -> String {
    let known = |value: Option<f64>| value.map_or("unknown".to_string(), |v| format!("{v:.2} %"));
    let how = study.steps.map_or(String::new(), |steps| format!("hard reset, {steps} steps, "));
    let mut text = format!("{}: {how}in integers for {}\n", study.network, study.chip);
    if study.images > 0 {
        text.push_str(&format!(
            "trained network {}, hard-reset network in float {}, on {} test samples\n",
            known(study.ann_accuracy),
            known(study.float_accuracy),
            study.images
        ));
    }
    for warning in &study.warnings {
        text.push_str(&format!("  {warning}\n"));
    }
    text.push('\n');
    text.push_str(&table(&variants(study)));
    // Errors of every layer would drown a sweep.
    for variant in study.variants.iter().filter(|_| study.variants.len() <= 2) {
        text.push('\n');
        text.push_str(&table(&layers(variant)));
        for overflow in &variant.overflow_places {
            text.push_str(&format!("  {overflow}\n"));
        }
        if variant.calibrated.is_some() {
            text.push('\n');
            text.push_str(&table(&gaps(variant)));
        }
    }
    text
}

fn listing(title: String, columns: &[&'static str], rows: Vec<Vec<Value>>) -> Listing {
    Listing { title, columns: columns.to_vec(), rows }
}

fn rounded(value: Option<f64>, places: i32) -> Value {
    let unit = 10_f64.powi(places);
    value.map_or(Value::Null, |value| json!((value * unit).round() / unit))
}

fn variants(study: &Study) -> Listing {
    let columns = [
        "scale",
        "per",
        "weight_bits",
        "accuracy_%",
        "agreement_%",
        "spikes",
        "weight_error_rms",
        "clipped",
        "overflows",
        "refused",
    ];
    let row = |variant: &Variant| {
        let worst = variant.layers.iter().map(|layer| layer.weight_error_rms).fold(0.0, f64::max);
        let clipped: usize = variant.layers.iter().map(|layer| layer.weights_clipped).sum();
        let measured = variant.refused.is_none();
        vec![
            json!(variant.scale),
            json!(variant.granularity),
            json!(variant.weight_bits),
            rounded(variant.accuracy, 2),
            rounded(variant.agreement, 2),
            rounded(variant.spikes_per_sample, 0),
            if measured { rounded(Some(worst), 5) } else { Value::Null },
            if measured { json!(clipped) } else { Value::Null },
            json!(variant.overflows),
            json!(variant.refused),
        ]
    };
    let title = "Integer networks (worst layer's weight error)".to_string();
    listing(title, &columns, study.variants.iter().map(row).collect())
}

fn layers(variant: &Variant) -> Listing {
    let columns = [
        "layer",
        "integers_per_unit",
        "weight_error_max",
        "weight_error_rms",
        "clipped",
        "bias_error_max",
        "threshold_error",
        "decay_error",
    ];
    let rows = variant.layers.iter().map(|layer| {
        let scale = match layer.channel_scales {
            Some([low, high]) => json!(format!("{low:.1} to {high:.1}")),
            None => rounded(Some(layer.scale), 2),
        };
        vec![
            json!(layer.layer),
            scale,
            rounded(Some(layer.weight_error_max), 6),
            rounded(Some(layer.weight_error_rms), 6),
            json!(layer.weights_clipped + layer.biases_clipped),
            rounded(Some(layer.bias_error_max), 6),
            rounded(Some(layer.threshold_error), 6),
            rounded(Some(layer.decay_error), 6),
        ]
    });
    let title =
        format!("Layers with {} bits (errors in the network's own units)", variant.weight_bits);
    listing(title, &columns, rows.collect())
}

fn gaps(variant: &Variant) -> Listing {
    let columns =
        ["layer", "count_error_before", "count_error_after", "threshold_factor", "bias_change"];
    let calibrated = variant.calibrated.iter().flat_map(|calibrated| &calibrated.layers);
    let rows = calibrated.map(|gap| {
        vec![
            json!(gap.layer),
            rounded(Some(gap.before), 4),
            rounded(Some(gap.after), 4),
            rounded(Some(gap.threshold_factor), 4),
            rounded(Some(gap.bias_change), 2),
        ]
    });
    let images = variant.calibrated.as_ref().map_or(0, |calibrated| calibrated.images);
    let title = format!("Calibration on {images} samples (spikes of a channel a sample)");
    listing(title, &columns, rows.collect())
}
