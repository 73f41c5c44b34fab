//! `spikeloom convert`.

use super::{Outcome, Run, Session, model};
use crate::output;
use crate::table::{facts, table};
use serde_json::{Value, json};
use spikeloom::conversion::{self, ConvertedModel, TestConfig, TestReport};
use spikeloom::error::Error;
use spikeloom::listing::Listing;
use spikeloom::network_files;
use spikeloom::progress::Progress;
use std::path::PathBuf;

/// Turn a trained network (ONNX) into a spiking one and measure what it keeps
#[derive(Debug, clap::Args)]
pub struct Convert {
    /// Trained network
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Samples to test on: npz with `x` (or `images`), `y` (or `labels`), and perhaps `logits`
    #[arg(long, value_name = "T.npz", requires = "calibrate")]
    test: Option<PathBuf>,

    /// List every node and what becomes of it; needs no samples
    #[arg(long)]
    plan: bool,

    /// Numbers of steps at which the class is read
    #[arg(long, value_name = "T,…", value_delimiter = ',', default_value = "1,2,4,8,16,32")]
    steps: Vec<u32>,

    /// Number of steps that thresholds and code are made for [default: 8]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..))]
    made_for: Option<u32>,

    /// Engine (see `spikeloom list engines`)
    #[arg(long, value_name = "NAME", default_value = "clock")]
    engine: String,

    /// Seed of random input codes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// At most so many test samples
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Write the spiking network as a description
    #[arg(long, value_name = "NETWORK.toml", requires = "calibrate")]
    out: Option<PathBuf>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Convert {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        spikeloom::pipeline::engine(&self.engine)?;
        if !self.steps.is_sorted_by(|a, b| a < b) || self.steps.first().is_none_or(|&t| t == 0) {
            let message = "--steps: give ascending numbers of steps, each at least 1".to_string();
            return Err(Error::Usage(message));
        }
        let Some(config) = self.conversion.config(self.made_for)? else {
            if !self.plan {
                return Err(Error::Usage(
                    "a conversion needs samples to calibrate on: give --calibrate C.npz, or \
                     --plan to see only what would become of every node"
                        .to_string(),
                ));
            }
            let plan = conversion::plan(&self.model)?;
            let json = json!({ "model": self.model.to_string_lossy(), "plan": plan.lines });
            return Ok(Outcome::fine(json, plan.to_string()));
        };
        let converted = conversion::convert(&self.model, &config)?;
        session.terminal.note(&self.conversion_text(&converted));
        let report = match &self.test {
            Some(test) => {
                let config = TestConfig {
                    test: test.clone(),
                    scaling: self.conversion.scaling(),
                    steps: self.steps.clone(),
                    engine: self.engine.clone(),
                    limit: self.limit.map(|limit| limit as usize),
                    seed: self.seed,
                };
                Some(conversion::test(&converted, &config, &session.terminal)?)
            }
            None => None,
        };
        if let Some(path) = &self.out {
            network_files::write(&converted.conversion.network, path, self.force)?;
        }
        let json = self.json(&converted, report.as_ref())?;
        Ok(Outcome::fine(json, report.map_or_else(String::new, |report| report_text(&report))))
    }
}

impl Convert {
    fn json(&self, model: &ConvertedModel, report: Option<&TestReport>) -> Result<Value, Error> {
        let [method, threshold, code] = model.choices;
        let mut json = match report {
            Some(report) => serde_json::to_value(report)?,
            None => json!({}),
        };
        json["model"] = json!(self.model.to_string_lossy());
        json["method"] = json!(method);
        json["threshold"] = json!(threshold);
        json["code"] = json!(code);
        json["parameters"] = json!(model.graph.parameter_count());
        json["layers"] = layers(model).to_json();
        json["notes"] = json!(model.conversion.notes);
        json["candidates"] = json!(model.conversion.candidates);
        json["plan"] = json!(model.plan.lines);
        json["out"] = json!(self.out.as_ref().map(|path| path.to_string_lossy()));
        Ok(json)
    }

    fn conversion_text(&self, model: &ConvertedModel) -> String {
        let [method, threshold, code] = model.choices;
        let plan = if self.plan { format!("{}\n", model.plan) } else { String::new() };
        let layers = table(&layers(model));
        let tried = match model.conversion.candidates.is_empty() {
            true => String::new(),
            false => format!("\n{}", table(&candidates(model))),
        };
        let notes: String =
            model.conversion.notes.iter().map(|note| format!("note: {note}\n")).collect();
        format!(
            "{plan}{layers}\nmethod {method}, threshold rule {threshold}, input code {code}\n{tried}{notes}"
        )
    }
}

/// What a search tried on the calibration samples.
fn candidates(model: &ConvertedModel) -> Listing {
    let columns =
        ["chosen", "neurons", "threshold", "scale", "agreement_%", "expected_loss", "spikes"];
    let rows = model.conversion.candidates.iter().map(|candidate| {
        [
            json!(if candidate.chosen { "yes" } else { "" }),
            json!(candidate.neurons),
            json!(candidate.threshold),
            json!(candidate.scale),
            json!(candidate.agreement),
            json!(candidate.expected_loss),
            json!(candidate.spikes),
        ]
    });
    Listing::new("Tried on the calibration samples", &columns).with_rows(rows)
}

fn layers(model: &ConvertedModel) -> Listing {
    let columns = [
        "population",
        "model",
        "shape",
        "neurons",
        "lowest_threshold",
        "highest_threshold",
        "dead_channels",
        "nodes",
    ];
    let rows = model.conversion.layers.iter().map(|layer| {
        [
            json!(layer.population),
            json!(layer.model),
            json!(layer.shape.to_string()),
            json!(layer.shape.size()),
            json!(layer.thresholds[0]),
            json!(layer.thresholds[1]),
            json!(layer.dead_channels),
            json!(layer.nodes),
        ]
    });
    Listing::new("Layers of the spiking network", &columns).with_rows(rows)
}

fn report_text(report: &TestReport) -> String {
    let columns = ["steps", "accuracy_%", "agreement_%", "spikes", "synaptic_operations"];
    let rows = report.agreement.iter().map(|(steps, agreement)| {
        [
            json!(steps),
            json!(report.accuracy.as_ref().and_then(|accuracy| accuracy.get(steps))),
            json!(agreement),
            json!(report.spikes_per_image_by_steps.get(steps)),
            json!(report.synaptic_operations_per_image_by_steps.get(steps)),
        ]
    });
    let title = format!("{} test samples, {} engine", report.images, report.engine);
    let listing = Listing::new(title, &columns).with_rows(rows);
    let totals = json!({
        "accuracy_of_the_trained_network": report.ann_accuracy.map(|value| format!("{value:.2} %")),
        "largest_difference_to_recorded_logits": report.max_logit_difference,
        "milliseconds_per_sample": format!("{:.3}", report.milliseconds_per_image),
    });
    table(&listing) + "\n" + &totals.as_object().map_or_else(String::new, facts)
}
