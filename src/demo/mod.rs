//! The whole line on a real network: handwritten digits from ONNX to spikes to a chip's cores.
//!
//! Everything that the demo uses is in the repository (`examples/data/digits`): the trained network,
//! the data, and the script that trained it. Calibration uses 200 images of the training part; all
//! accuracies are on 500 test images that neither training nor calibration has seen.

mod files;
mod page;

use crate::data::{Samples, Scaling};
use crate::error::Error;
use crate::fixed_point::{FixedPointRun, FixedPointRunner};
use crate::loihi_export::budget::Budget;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::emulator::EmulatorRecording;
use crate::loihi_export::mapping::MapConfig;
use crate::loihi_export::quantise::float_to_fixed::LayerError;
use crate::loihi_export::quantise::{QuantiseConfig, Quantised, quantise};
use crate::memory;
use crate::model_io::npz::{self, NpzLimits};
use crate::pipeline::{Evaluation, Mapped, accuracy, ann_classes, engine, evaluate, map_to_chip};
use crate::progress::Progress;
use crate::sim_core::engine::EngineConfig;
use crate::sim_core::recording::Recording;
use crate::snn_convert::ann::AnnGraph;
use crate::snn_convert::coding::InputCode;
use crate::snn_convert::convert::Convertible;
use crate::snn_convert::fidelity::{FidelityConfig, Presenter};
use crate::snn_convert::lower::Conversion;
use crate::snn_convert::method::{MethodConfig, find_method};
use crate::snn_convert::source::onnx;
use crate::snn_convert::threshold::RULES;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

const MODEL: &[u8] = include_bytes!("../../examples/data/digits/digits_cnn.onnx");
const DATA: &[u8] = include_bytes!("../../examples/data/digits/digits.npz");
/// Pixels are whole numbers from 0 to 16.
const SCALING: Scaling = Scaling { divisor: Some(16.0) };

/// Numbers of steps at which the spiking network is read.
pub const STEPS: [u32; 6] = [1, 2, 4, 8, 16, 32];
/// Numbers of steps of the fixed-point network.
pub const FIXED_POINT_STEPS: [u32; 3] = [8, 16, 32];
/// Number of steps that headline numbers are given for, on both networks.
pub const REFERENCE_STEPS: u32 = 8;

/// What the demo does.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoConfig {
    /// Folder for all files.
    pub out: PathBuf,
    /// Whether files that exist are overwritten.
    pub overwrite: bool,
    /// Name of the chip.
    pub chip: String,
    /// At most so many test images.
    pub limit: Option<usize>,
}

/// The demo's numbers; accuracies in per cent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoSummary {
    /// Accuracy of the trained network.
    pub ann_accuracy: f64,
    /// Accuracy of the spiking network by number of steps.
    pub spiking_accuracy: BTreeMap<u32, f64>,
    /// Whether both engines gave the same spikes on every image.
    pub engines_equal: bool,
    /// Accuracy of the fixed-point network at [`REFERENCE_STEPS`].
    pub fixed_point_accuracy: f64,
    /// Accuracy of the fixed-point network by number of steps.
    pub fixed_point_accuracy_by_steps: BTreeMap<u32, f64>,
    /// Steps of `fixed_point_accuracy`, `spikes_per_image` and `synaptic_operations_per_image`.
    pub reference_steps: u32,
    /// Spikes per image of the spiking network.
    pub spikes_per_image: f64,
    /// Spikes per image by number of steps.
    pub spikes_per_image_by_steps: BTreeMap<u32, f64>,
    /// Synaptic operations per image of the spiking network.
    pub synaptic_operations_per_image: f64,
    /// Synaptic operations per image by number of steps.
    pub synaptic_operations_per_image_by_steps: BTreeMap<u32, f64>,
    /// Cores used.
    pub cores_used: u64,
    /// The resource that binds first.
    pub binding_resource: String,
    /// Test images.
    pub test_images: usize,
    /// Wraps and clips in the fixed-point network, all images together.
    pub fixed_point_overflows: u64,
    /// Version of Spikeloom.
    pub version: &'static str,
}

/// Everything that the demo found out.
struct Findings<'a> {
    summary: DemoSummary,
    calibration_images: usize,
    test: &'a Samples,
    ann_classes: Vec<usize>,
    conversion: &'a Conversion,
    clock: Evaluation,
    event: Evaluation,
    /// Spikes of the first test image on the clock-driven engine.
    example: Recording,
    quantised: &'a Quantised,
    fixed: Vec<FixedPointRun>,
    fixed_example: EmulatorRecording,
    errors: &'a [LayerError],
    mapped: &'a Mapped<'a>,
    chip: &'a ChipSpec,
}

/// Runs the demo and writes its files.
///
/// # Errors
/// [`Error`] of the stage that failed. Files are written whole or not at all.
pub fn demo(config: &DemoConfig, progress: &dyn Progress) -> Result<DemoSummary, Error> {
    files::prepare(config)?;
    progress.stage("Trained network and data");
    let (graph, calibration, test) = load(config)?;
    let ann_classes = ann_classes(&graph, &test)?;
    let ann_accuracy = accuracy(&ann_classes, &test.labels);
    progress.note(&format!(
        "digits_cnn.onnx: {} parameters; {} calibration and {} test images; accuracy {ann_accuracy:.1} %",
        graph.parameter_count(),
        calibration.len(),
        test.len()
    ));

    progress.stage("Conversion to spikes (rate code, soft reset)");
    let convertible = Convertible::new("digits_cnn", &graph, &calibration.values)?;
    progress.note(&convertible.decluttered.plan.to_string());
    let conversion = convert(&convertible, "rate_plain", InputCode::ConstantCurrent)?;
    progress.note(&page::layer_table(&conversion));

    progress.stage("Spiking network on both engines");
    let fidelity = FidelityConfig { steps: STEPS.to_vec(), seed: 1, compile: memory::available() };
    let clock = evaluate(&conversion, &test, engine("clock")?, &fidelity, progress)?;
    let event = evaluate(&conversion, &test, engine("event")?, &fidelity, progress)?;
    let example = record_first(&conversion, &test, &fidelity)?;
    progress.note(&page::accuracy_table(ann_accuracy, &clock, &event));

    progress.stage("Fixed-point network for the chip");
    let chip = ChipSpec::built_in(&config.chip)?;
    let hard = convert(&convertible, "hard_reset", InputCode::DeterministicRate)?;
    let quantised = quantise(&hard.network.validate()?, &chip, &QuantiseConfig::default())?;
    let (fixed, by_steps) = run_fixed(&convertible, &quantised, &chip, &test, progress)?;
    let runner = FixedPointRunner::new(&quantised.network, &chip, REFERENCE_STEPS)?;
    let fixed_example = runner.record(test.iter().next().unwrap_or_default())?;
    progress.note(&page::fixed_point_table(ann_accuracy, &by_steps, &chip));
    progress.note(&page::error_table(&quantised.errors));

    progress.stage("Mapping to cores");
    // Each layer on cores of its own, as Lava's compiler groups them.
    let mut map_config = MapConfig::default();
    map_config.partition.share_cores = false;
    let mapped = map_to_chip(&quantised.network, &chip, &map_config)?;
    progress.note(&mapped.budget.to_string());

    let summary = summary(ann_accuracy, &clock, &event, &by_steps, &fixed, &mapped.budget, &test);
    let findings = Findings {
        summary,
        calibration_images: calibration.len(),
        test: &test,
        ann_classes,
        conversion: &conversion,
        clock,
        event,
        example,
        quantised: &quantised,
        fixed,
        fixed_example,
        errors: &quantised.errors,
        mapped: &mapped,
        chip: &chip,
    };
    progress.stage("Files");
    for line in files::write(config, &findings, &hard, &runner)? {
        progress.note(&line);
    }
    Ok(findings.summary)
}

fn load(config: &DemoConfig) -> Result<(AnnGraph, Samples, Samples), Error> {
    let graph = onnx::read(MODEL)?;
    let all = Samples::from_npz(DATA, SCALING)?;
    let mut arrays = npz::read_npz(DATA, NpzLimits::default())?;
    let mut part = |name: &str| -> Result<Samples, Error> {
        let positions = npz::take(&mut arrays, name)?.values.to_i64().unwrap_or_default();
        Ok(all.select(positions.into_iter().filter_map(|p| usize::try_from(p).ok())))
    };
    let calibration = part("calib_idx")?;
    let test = part("test_idx")?;
    let test = match config.limit {
        Some(limit) => test.first(limit.max(1)),
        None => test,
    };
    Ok((graph, calibration, test))
}

fn convert(convertible: &Convertible, method: &str, code: InputCode) -> Result<Conversion, Error> {
    convert_for(convertible, method, code, REFERENCE_STEPS)
}

fn convert_for(
    convertible: &Convertible,
    method: &str,
    code: InputCode,
    steps: u32,
) -> Result<Conversion, Error> {
    let method = find_method(method).ok_or_else(|| Error::Unknown {
        what: "method",
        name: method.to_string(),
        known: String::new(),
    })?;
    Ok(convertible.convert(method, &MethodConfig::new(RULES[0], code, steps))?)
}

fn record_first(
    conversion: &Conversion,
    test: &Samples,
    fidelity: &FidelityConfig,
) -> Result<Recording, Error> {
    let presenter = Presenter::new(conversion, fidelity.clone())?;
    let start = engine("clock")?.start;
    let mut running = start(presenter.compiled().clone(), EngineConfig::default())?;
    presenter.show_one(running.as_mut(), 0, test.iter().next().unwrap_or_default())?;
    Ok(running.recording().clone())
}

/// The fixed-point network at all its numbers of steps; each is calibrated for its own. Gives the
/// runs at [`REFERENCE_STEPS`] and the accuracies.
fn run_fixed(
    convertible: &Convertible,
    reference: &Quantised,
    chip: &ChipSpec,
    test: &Samples,
    progress: &dyn Progress,
) -> Result<(Vec<FixedPointRun>, BTreeMap<u32, f64>), Error> {
    let mut at_reference = Vec::new();
    let mut by_steps = BTreeMap::new();
    for steps in FIXED_POINT_STEPS {
        let own;
        let network = if steps == REFERENCE_STEPS {
            &reference.network
        } else {
            let code = InputCode::DeterministicRate;
            let hard = convert_for(convertible, "hard_reset", code, steps)?;
            own = quantise(&hard.network.validate()?, chip, &QuantiseConfig::default())?;
            &own.network
        };
        let runs = FixedPointRunner::new(network, chip, steps)?.run(test, progress)?;
        let classes: Vec<usize> = runs.iter().map(|run| run.class).collect();
        by_steps.insert(steps, accuracy(&classes, &test.labels));
        if steps == REFERENCE_STEPS {
            at_reference = runs;
        }
    }
    Ok((at_reference, by_steps))
}

fn summary(
    ann_accuracy: f64,
    clock: &Evaluation,
    event: &Evaluation,
    fixed_by_steps: &BTreeMap<u32, f64>,
    fixed: &[FixedPointRun],
    budget: &Budget,
    test: &Samples,
) -> DemoSummary {
    let by_steps = |values: &[f64]| -> BTreeMap<u32, f64> {
        STEPS.iter().copied().zip(values.iter().copied()).collect()
    };
    let digests = |evaluation: &Evaluation| -> Vec<u64> {
        evaluation.runs.iter().map(|run| run.digest).collect()
    };
    let spikes = by_steps(&clock.summary.spikes);
    let operations = by_steps(&clock.summary.synaptic_operations);
    let at_reference = |map: &BTreeMap<u32, f64>| map.get(&REFERENCE_STEPS).copied().unwrap_or(0.0);
    DemoSummary {
        ann_accuracy,
        spiking_accuracy: by_steps(&clock.summary.accuracy),
        engines_equal: digests(clock) == digests(event),
        fixed_point_accuracy: at_reference(fixed_by_steps),
        fixed_point_accuracy_by_steps: fixed_by_steps.clone(),
        reference_steps: REFERENCE_STEPS,
        spikes_per_image: at_reference(&spikes),
        spikes_per_image_by_steps: spikes,
        synaptic_operations_per_image: at_reference(&operations),
        synaptic_operations_per_image_by_steps: operations,
        cores_used: budget.cores_used,
        binding_resource: budget
            .binding()
            .map_or_else(|| "none".to_string(), |binding| binding.resource.name().to_string()),
        test_images: test.len(),
        fixed_point_overflows: fixed.iter().map(|run| run.overflows).sum(),
        version: env!("CARGO_PKG_VERSION"),
    }
}
