//! `spikeloom convert`.

use super::{Outcome, Run, Session, model};
use crate::provenance::on_page;
use crate::table::{facts, table};
use crate::{interrupt, output};
use serde_json::{Value, json};
use spikeloom::conversion::plan::ASSUMED_ACTIVITY;
use spikeloom::conversion::{self, ConversionPlan, ConvertedModel, TestConfig, TestReport};
use spikeloom::error::Error;
use spikeloom::exports::DEFAULT_STEPS;
use spikeloom::listing::Listing;
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::network_files;
use spikeloom::progress::Progress;
use std::path::PathBuf;

/// Turn a trained network into a spiking one and measure what it keeps
#[derive(Debug, clap::Args)]
pub struct Convert {
    /// Trained network
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Samples to test on, with labels: npz with `x` (or `images`), `y` (or `labels`) and perhaps
    /// `logits`, npy, IDX (plain or .gz), or a folder of pictures by class
    #[arg(long, value_name = "T.npz|DATA")]
    test: Option<PathBuf>,

    /// Labels of the test samples, where they lie in a file of their own (npy, IDX)
    #[arg(long, value_name = "FILE", requires = "test")]
    test_labels: Option<PathBuf>,

    /// List every node and what becomes of it; needs no samples
    #[arg(long)]
    plan: bool,

    /// Keep everything up to and with this node in float
    #[arg(long, value_name = "NODE")]
    float_front: Option<String>,

    /// Keep everything from this node on in float
    #[arg(long, value_name = "NODE")]
    float_head: Option<String>,

    /// How the answer is read (see `spikeloom list readouts`) [default: the method's own]
    #[arg(long, value_name = "NAME")]
    readout: Option<String>,

    /// Numbers of steps (phases, slots) at which the class is read
    #[arg(long, value_name = "T,…", value_delimiter = ',', default_value = "1,2,4,8,16,32")]
    steps: Vec<u32>,

    /// Number of steps that thresholds and code are made for [default: 8, or what is nearest to it in
    /// the range of --steps]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..))]
    made_for: Option<u32>,

    /// Stop an image at the first of the steps at which its best score leads by this much
    #[arg(long, value_name = "MARGIN", requires = "test")]
    early_stop: Option<f64>,

    /// Engine (see `spikeloom list engines`) [default: the one that suits the method]
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,

    /// Seed of random input codes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// At most so many test samples
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Compare activations layer by layer on so many test samples
    #[arg(long, value_name = "N", default_value_t = 20)]
    layer_images: usize,

    /// Keep the result of every image in this file, line by line
    #[arg(long, value_name = "FILE.jsonl", requires = "test")]
    results: Option<PathBuf>,

    /// Go on with the results of a run that was stopped
    #[arg(long, requires = "test")]
    resume: bool,

    /// Write the report as a page
    #[arg(long, value_name = "REPORT.html")]
    html: Option<PathBuf>,

    /// Write the spiking network as a description
    #[arg(long, value_name = "NETWORK.toml")]
    out: Option<PathBuf>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Convert {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        self.check()?;
        let only_plan = self.plan
            && self.conversion.calibrate.is_none()
            && self.test.is_none()
            && self.out.is_none();
        if only_plan {
            return self.plan_alone();
        }
        let mut config = self.conversion.any_config(Some(self.made_for()));
        config.float_front.clone_from(&self.float_front);
        config.float_head.clone_from(&self.float_head);
        config.readout.clone_from(&self.readout);
        let converted = conversion::convert_watched(&self.model, &config, &session.terminal)?;
        for warning in &converted.warnings {
            output::print_error(&format!("warning: {warning}"));
        }
        session.terminal.note(&self.conversion_text(&converted));
        let report = match &self.test {
            Some(test) => Some(self.test(test, &converted, session)?),
            None => None,
        };
        if let Some(path) = &self.out {
            network_files::write(&converted.conversion.network, path, self.force)?;
        }
        if let Some(path) = &self.html {
            let title = self.model.file_name().unwrap_or_default().to_string_lossy();
            let page = conversion::page(&title, &converted, report.as_ref());
            let page = on_page(page).to_html()?;
            write_bytes_atomically(path, self.force, page.as_bytes())?;
        }
        let json = self.json(&converted, report.as_ref())?;
        let text = report.as_ref().map_or_else(String::new, report_text);
        let mut outcome = Outcome::fine(json, text);
        if report.is_some_and(|report| report.images < report.images_wanted) {
            outcome.code = interrupt::INTERRUPTED;
        }
        Ok(outcome)
    }
}

impl Convert {
    /// What would fail after long work is refused before it.
    fn check(&self) -> Result<(), Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        output::check_target(self.html.as_deref(), self.force)?;
        if let Some(engine) = &self.engine {
            spikeloom::pipeline::engine(engine)?;
        }
        if !self.steps.is_sorted_by(|a, b| a < b) || self.steps.first().is_none_or(|&t| t == 0) {
            let message = "--steps: give ascending numbers of steps, each at least 1".to_string();
            return Err(Error::Usage(message));
        }
        match self.early_stop {
            Some(margin) if margin.is_nan() || margin < 0.0 => {
                Err(Error::Usage(format!("--early-stop {margin}: give a lead of 0 or more")))
            }
            _ => Ok(()),
        }
    }

    /// What the network is made for: as said, or the usual number of steps, if that is among those
    /// asked for.
    fn made_for(&self) -> u32 {
        let asked = self.steps.first().zip(self.steps.last());
        let usual = asked.map_or(DEFAULT_STEPS, |(&low, &high)| DEFAULT_STEPS.clamp(low, high));
        self.made_for.unwrap_or(usual)
    }

    fn plan_alone(&self) -> Result<Outcome, Error> {
        let (front, head) = (self.float_front.as_deref(), self.float_head.as_deref());
        let plan = conversion::plan(&self.model, &self.conversion.load(), front, head)?;
        let mut json = plan_json(&plan, &self.steps)?;
        json["model"] = json!(self.model.to_string_lossy());
        json["plan"] = json!(plan.nodes);
        let text = format!("{}{}", plan_text(&plan, &self.steps), refusals_text(&plan));
        Ok(Outcome::fine(json, text).with_finding(plan.refused > 0))
    }

    fn test(
        &self,
        test: &std::path::Path,
        converted: &ConvertedModel,
        session: &Session,
    ) -> Result<TestReport, Error> {
        let config = TestConfig {
            test: Some(test.into()),
            labels: self.test_labels.clone(),
            preparation: self.conversion.preparation(),
            steps: self.steps.clone(),
            engine: self.engine.clone(),
            limit: self.limit.map(|limit| limit as usize),
            seed: self.seed,
            early_stop: self.early_stop,
            results: self.results.clone(),
            resume: self.resume,
            layer_images: self.layer_images,
        };
        interrupt::watch()?;
        let report = conversion::test(converted, &config, &session.terminal, &interrupt::asked)?;
        for warning in &report.warnings {
            output::print_error(&format!("warning: {warning}"));
        }
        if report.images < report.images_wanted {
            let kept = report.results.as_ref().map_or_else(String::new, |path| {
                format!("; they are kept in {}: --resume goes on", path.display())
            });
            let (images, wanted) = (report.images, report.images_wanted);
            output::print_error(&format!("stopped after {images} of {wanted} images{kept}"));
        }
        Ok(report)
    }

    fn json(&self, model: &ConvertedModel, report: Option<&TestReport>) -> Result<Value, Error> {
        let [method, threshold, code] = model.choices;
        let mut json = plan_json(&model.plan, &self.steps)?;
        let tested = match report {
            Some(report) => serde_json::to_value(report)?,
            None => json!({}),
        };
        for (name, value) in tested.as_object().into_iter().flatten() {
            json[name] = value.clone();
        }
        let mut warnings = model.warnings.clone();
        warnings.extend(report.iter().flat_map(|report| report.warnings.clone()));
        json["warnings"] = json!(warnings);
        json["model"] = json!(self.model.to_string_lossy());
        json["method"] = json!(method);
        json["threshold"] = json!(threshold);
        json["code"] = json!(code);
        json["readout"] = json!(model.conversion.readout);
        json["parameters"] = json!(model.graph.parameter_count());
        json["layers"] = layers(model).to_json();
        json["notes"] = json!(model.conversion.notes);
        json["made_for"] = json!(model.made_for_steps());
        json["candidates"] = json!(model.conversion.candidates);
        json["plan"] = json!(model.plan.nodes);
        json["out"] = json!(self.out.as_ref().map(|path| path.to_string_lossy()));
        json["html"] = json!(self.html.as_ref().map(|path| path.to_string_lossy()));
        Ok(json)
    }

    fn conversion_text(&self, model: &ConvertedModel) -> String {
        let [method, threshold, code] = model.choices;
        let plan = if self.plan { plan_text(&model.plan, &self.steps) } else { String::new() };
        let layers = table(&layers(model));
        let tried = match model.conversion.candidates.is_empty() {
            true => String::new(),
            false => format!("\n{}", table(&candidates(model))),
        };
        let notes: String =
            model.conversion.notes.iter().map(|note| format!("note: {note}\n")).collect();
        let chosen = format!("method {method}, threshold rule {threshold}, input code {code}");
        format!("{plan}{layers}\n{chosen}\n{tried}{notes}")
    }
}

fn plan_json(plan: &ConversionPlan, steps: &[u32]) -> Result<Value, Error> {
    let predicted = steps.iter().map(|&steps| {
        let operations = plan.predicted_synaptic_operations_per_step.saturating_mul(steps.into());
        (steps.to_string(), json!(operations))
    });
    Ok(json!({
        "populations": plan.populations,
        "neurons": plan.neurons,
        "synapses": plan.synapses,
        "macs": plan.macs,
        "input_macs": plan.input_macs,
        "predicted_synaptic_operations": predicted.collect::<serde_json::Map<_, _>>(),
        "assumed_spikes_per_neuron_and_step": ASSUMED_ACTIVITY,
        "refused": plan.refused,
        "convertible": plan.refused == 0,
    }))
}

fn plan_text(plan: &ConversionPlan, steps: &[u32]) -> String {
    let last = steps.last().copied().unwrap_or(1);
    let operations = plan.predicted_synaptic_operations_per_step.saturating_mul(last.into());
    let totals = json!({
        "neurons": plan.neurons,
        "synapses": plan.synapses,
        "multiplications_of_the_trained_network": plan.macs,
        "multiplications_of_the_input": plan.input_macs,
        "predicted_synaptic_operations": format!(
            "{operations} at {last} steps and {ASSUMED_ACTIVITY} spikes a neuron and step"
        ),
    });
    let totals = totals.as_object().map_or_else(String::new, facts);
    let populations = match plan.populations.is_empty() {
        true => String::new(),
        false => table(&plan.population_listing()) + "\n",
    };
    format!("{}\n{populations}{totals}\n", table(&plan.node_listing()))
}

fn refusals_text(plan: &ConversionPlan) -> String {
    match plan.refusal() {
        Some(refusal) => format!(
            "{} of the network's nodes cannot be converted:\n{refusal}\nKeep a part in float with \
             --float-front NODE or --float-head NODE, or change the network as said.\n",
            plan.refused
        ),
        None => "Every node can be converted.\n".to_string(),
    }
}

/// What a search tried on the calibration samples.
fn candidates(model: &ConvertedModel) -> Listing {
    let columns = [
        "chosen",
        "steps",
        "neurons",
        "threshold",
        "scale",
        "right_%",
        "agreement_%",
        "expected_loss",
        "divergence",
        "spikes",
    ];
    let rows = model.conversion.candidates.iter().map(|candidate| {
        [
            json!(if candidate.chosen { "yes" } else { "" }),
            json!(candidate.steps),
            json!(candidate.neurons),
            json!(candidate.threshold),
            json!(candidate.scale),
            json!(candidate.accuracy),
            json!(candidate.agreement),
            json!(candidate.expected_loss),
            json!(candidate.divergence),
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
    let columns =
        ["steps", "accuracy_%", "95_%_interval", "agreement_%", "spikes", "synaptic_operations"];
    let rows = report.agreement.iter().map(|(steps, agreement)| {
        let interval = report.accuracy_interval.as_ref().and_then(|all| all.get(steps));
        [
            json!(steps),
            json!(report.accuracy.as_ref().and_then(|accuracy| accuracy.get(steps))),
            json!(interval.map(|[low, high]| format!("{low:.1} to {high:.1}"))),
            json!(agreement),
            json!(report.spikes_per_image_by_steps.get(steps)),
            json!(report.synaptic_operations_per_image_by_steps.get(steps)),
        ]
    });
    let title = format!("{} test samples, {} engine", report.images, report.engine);
    let listing = Listing::new(title, &columns).with_rows(rows);
    let mut totals = json!({
        "accuracy_of_the_trained_network": report.ann_accuracy.map(|value| format!("{value:.2} %")),
        "its_multiplications_per_sample": report.ann_macs_per_image,
        "disagreements": report.disagreement_count,
        "largest_difference_to_recorded_logits": report.max_logit_difference,
        "milliseconds_per_sample": format!("{:.3}", report.milliseconds_per_image),
    });
    if let Some(stop) = &report.early_stop {
        let accuracy = stop.accuracy.map_or_else(String::new, |value| format!(", {value:.2} %"));
        totals["stopping_early"] = json!(format!(
            "{:.1} steps, {:.0} spikes{accuracy}",
            stop.steps, stop.spikes_per_image
        ));
    }
    let totals = totals.as_object().map_or_else(String::new, facts);
    format!("{}\n{}{}{totals}", table(&listing), layer_text(report), disagreement_text(report))
}

fn layer_text(report: &TestReport) -> String {
    if report.layer_errors.is_empty() {
        return String::new();
    }
    let columns = ["population", "mean_activation", "mean_error", "relative_%", "spikes_a_neuron"];
    let rows = report.layer_errors.iter().map(|layer| {
        [
            json!(layer.population),
            json!(layer.mean_activation),
            json!(layer.mean_absolute_error),
            json!(layer.relative_error_percent),
            json!(layer.spikes_per_neuron),
        ]
    });
    let listing = Listing::new("Activations against the trained network's", &columns);
    table(&listing.with_rows(rows)) + "\n"
}

/// More disagreements than this are left to `--json` and `--html`.
const DISAGREEMENTS_SHOWN: usize = 10;

fn disagreement_text(report: &TestReport) -> String {
    if report.disagreements.is_empty() {
        return String::new();
    }
    let columns = ["image", "label", "trained", "its_margin", "spiking", "margin"];
    let rows = report.disagreements.iter().take(DISAGREEMENTS_SHOWN).map(|image| {
        [
            json!(image.image),
            json!(image.label),
            json!(image.ann_class),
            json!(image.ann_margin),
            json!(image.class),
            json!(image.margin),
        ]
    });
    let count = report.disagreement_count;
    let title = format!("Disagreements, {} of {count}", count.min(DISAGREEMENTS_SHOWN));
    table(&Listing::new(title, &columns).with_rows(rows)) + "\n"
}
