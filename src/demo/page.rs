//! The demo's numbers as tables for a terminal and as a page.

use super::{Findings, REFERENCE_STEPS, STEPS};
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::mapping::Resource;
use crate::loihi_export::quantise::float_to_fixed::LayerError;
use crate::pipeline::Evaluation;
use crate::report::{
    Axis, Bar, BarChart, Block, Cell, Column, Core, CoreMap, CorePopulation, KeyFigure, KeyFigures,
    LineChart, Picture, PictureRow, Point, Raster, RasterLayer, ReferenceLine, Report, Section,
    Series, Spike, Table, Tone,
};
use crate::snn_convert::lower::Conversion;
use std::collections::BTreeMap;

/// Rendered tables are this wide on a terminal.
const WIDTH: usize = 110;

fn text(table: Table) -> String {
    format!("\n{}", Block::from(table).to_text(WIDTH))
}

/// Layers and what became of them.
pub(super) fn layer_table(conversion: &Conversion) -> String {
    text(layers(conversion))
}

fn layers(conversion: &Conversion) -> Table {
    let rows = conversion.layers.iter().map(|layer| {
        let [low, high] = layer.thresholds;
        vec![
            layer.population.as_str().into(),
            layer.model.as_str().into(),
            layer.shape.to_string().into(),
            (layer.shape.size()).into(),
            format!("{low:.3} to {high:.3}").into(),
            layer.dead_channels.into(),
            layer.nodes.join(", ").into(),
        ]
    });
    Table {
        title: "Layers of the spiking network".into(),
        description: "a spike stands for an activation of one threshold".into(),
        columns: vec![
            Column::words("population"),
            Column::words("model"),
            Column::words("shape"),
            Column::numbers("neurons", "", Some(0)),
            Column::words("thresholds"),
            Column::numbers("dead channels", "", Some(0)),
            Column::words("stands for"),
        ],
        rows: rows.collect(),
    }
}

/// Accuracy against steps on both engines.
pub(super) fn accuracy_table(ann: f64, clock: &Evaluation, event: &Evaluation) -> String {
    text(accuracies(ann, clock, event))
}

fn accuracies(ann: f64, clock: &Evaluation, event: &Evaluation) -> Table {
    let rows = STEPS.iter().enumerate().map(|(at, &steps)| {
        let [low, high] = clock.summary.interval[at];
        let mut row: Vec<Cell> = vec![u64::from(steps).into()];
        row.extend([clock.summary.accuracy[at], event.summary.accuracy[at], ann].map(Cell::from));
        row.push(format!("{low:.1} to {high:.1}").into());
        row.push(clock.summary.spikes[at].into());
        row.push(clock.summary.synaptic_operations[at].into());
        row
    });
    Table {
        title: "Accuracy against steps".into(),
        description: "of the spiking network on the clock-driven and the event-driven engine, and of the trained network; \
                      spikes and synaptic operations per image".into(),
        columns: vec![
            Column::numbers("T", "steps", Some(0)),
            Column::numbers("clock", "%", Some(1)),
            Column::numbers("event", "%", Some(1)),
            Column::numbers("trained", "%", Some(1)),
            Column::words("95 % interval"),
            Column::numbers("spikes", "", Some(0)),
            Column::numbers("synaptic operations", "", Some(0)),
        ],
        rows: rows.collect(),
    }
}

/// Accuracy of the fixed-point network.
pub(super) fn fixed_point_table(
    ann: f64,
    by_steps: &BTreeMap<u32, f64>,
    chip: &ChipSpec,
) -> String {
    text(fixed_points(ann, by_steps, chip))
}

fn fixed_points(ann: f64, by_steps: &BTreeMap<u32, f64>, chip: &ChipSpec) -> Table {
    let row = |(&steps, &accuracy): (&u32, &f64)| {
        vec![u64::from(steps).into(), accuracy.into(), ann.into(), (accuracy - ann).into()]
    };
    Table {
        title: format!("Fixed-point network for {}", chip.title),
        description: "reset to zero, 8-bit weights, one threshold a layer, input as evenly spaced \
                      spikes, class by spike count; calibrated for each T"
            .into(),
        columns: vec![
            Column::numbers("T", "steps", Some(0)),
            Column::numbers("fixed point", "%", Some(1)),
            Column::numbers("trained", "%", Some(1)),
            Column::numbers("difference", "points", Some(1)),
        ],
        rows: by_steps.iter().map(row).collect(),
    }
}

/// What quantising changed.
pub(super) fn error_table(errors: &[LayerError]) -> String {
    text(quantisation(errors))
}

fn quantisation(errors: &[LayerError]) -> Table {
    let row = |error: &LayerError| {
        vec![
            error.layer.as_str().into(),
            error.scale.into(),
            error.weight_error_rms.into(),
            error.weight_error_max.into(),
            error.weights_clipped.into(),
            error.threshold_error.into(),
        ]
    };
    Table {
        title: "What rounding to integers changed".into(),
        description: "errors in thresholds; the method hard_reset puts weights on the chip's grid \
                      itself, so that calibration sees them as they will be"
            .into(),
        columns: vec![
            Column::words("layer"),
            Column::numbers("integers per threshold", "", Some(1)),
            Column::numbers("weight error, rms", "", Some(5)),
            Column::numbers("largest", "", Some(5)),
            Column::numbers("clipped", "", Some(0)),
            Column::numbers("threshold error", "", Some(5)),
        ],
        rows: errors.iter().map(row).collect(),
    }
}

/// The whole page.
pub(super) fn report(findings: &Findings<'_>) -> Report {
    let summary = &findings.summary;
    let provenance = [
        ("Spikeloom", summary.version.to_string()),
        ("network", "digits_cnn.onnx (examples/data/digits)".to_string()),
        ("data", "UCI handwritten digits, E. Alpaydin, C. Kaynak, CC BY 4.0".to_string()),
        ("calibration", format!("{} images of the training part", findings.calibration_images)),
        ("test", format!("{} images, never seen before", summary.test_images)),
        ("chip description", format!("{} {}", findings.chip.name, findings.chip.revision)),
        ("seed", "1".to_string()),
    ];
    Report {
        title: "From a trained network to spikes to a chip".into(),
        subtitle: "Handwritten digits: converted, simulated on two engines, quantised and mapped"
            .into(),
        provenance: provenance.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
        sections: vec![
            overview(findings),
            accuracy_section(findings),
            activity(findings),
            fixed_point(findings),
            chip_section(findings),
            conversion_section(findings),
        ],
    }
}

fn overview(findings: &Findings<'_>) -> Section {
    let summary = &findings.summary;
    let at = format!("T = {REFERENCE_STEPS}");
    let per_image = format!("per image, {at}");
    let binds = format!("{} bind first", summary.binding_resource);
    let spiking = summary.spiking_accuracy.get(&REFERENCE_STEPS).copied().unwrap_or(0.0);
    let equal = if summary.engines_equal { "equal" } else { "different" };
    let tone = if summary.engines_equal { Tone::Good } else { Tone::Warning };
    let percent = |value: f64| format!("{value:.1}");
    let figures = vec![
        KeyFigure::new("Trained network", &percent(summary.ann_accuracy), "%", "accuracy"),
        KeyFigure::new("Spiking network", &percent(spiking), "%", &at),
        KeyFigure::new("Fixed point", &percent(summary.fixed_point_accuracy), "%", &at),
        KeyFigure::new("Spikes of both engines", equal, "", "on every image").toned(tone),
        KeyFigure::new("Spikes", &format!("{:.0}", summary.spikes_per_image), "", &per_image),
        KeyFigure::new("Cores", &summary.cores_used.to_string(), "", &binds),
    ];
    Section::new("overview", "Overview", "").with(KeyFigures { figures }).with(digits(findings))
}

/// The first test images with what was seen in them.
fn digits(findings: &Findings<'_>) -> PictureRow {
    let side = (findings.test.size as f64).sqrt().round() as usize;
    let at = STEPS.iter().position(|&steps| steps == REFERENCE_STEPS).unwrap_or(0);
    let shown = findings.test.iter().zip(&findings.clock.runs).take(12).enumerate();
    let pictures = shown.map(|(index, (sample, run))| Picture {
        width: side,
        height: side,
        pixels: sample.iter().map(|&pixel| f64::from(pixel)).collect(),
        label: findings.test.labels[index].to_string(),
        prediction: Some(run.classes[at].to_string()),
        note: format!(
            "trained network: {}; fixed point: {}",
            findings.ann_classes[index],
            findings.fixed.get(index).map_or(0, |run| run.class)
        ),
    });
    PictureRow {
        title: "First test images".into(),
        description: format!("label and class of the spiking network at T = {REFERENCE_STEPS}"),
        pictures: pictures.collect(),
    }
}

fn accuracy_section(findings: &Findings<'_>) -> Section {
    let summary = &findings.clock.summary;
    let points = STEPS.iter().enumerate().map(|(at, &steps)| Point {
        x: f64::from(steps),
        y: summary.accuracy[at],
        band: Some((summary.interval[at][0], summary.interval[at][1])),
    });
    let spiking = Series { name: "spiking network".into(), points: points.collect() };
    let by_steps = &findings.summary.fixed_point_accuracy_by_steps;
    let fixed = Series::new("fixed point", by_steps.iter().map(|(&t, &a)| (f64::from(t), a)));
    let ann = findings.summary.ann_accuracy;
    let chart = LineChart {
        title: "Accuracy against steps".into(),
        description: "the band is the 95 % interval of the spiking network's accuracy".into(),
        x: Axis::new("T", "steps").log2(),
        y: Axis::new("accuracy", "%"),
        series: vec![spiking, fixed],
        reference_lines: vec![ReferenceLine { label: "trained network".into(), value: ann }],
    };
    let table = accuracies(ann, &findings.clock, &findings.event);
    Section::new("accuracy", "Accuracy", "").with(chart).with(table)
}

fn activity(findings: &Findings<'_>) -> Section {
    let populations = &findings.example.populations;
    let layers = populations.iter().map(|population| {
        let range = population.first..population.first + population.size;
        let own = findings.example.spikes.iter().filter(|spike| range.contains(&spike.neuron));
        RasterLayer {
            name: population.name.clone(),
            neurons: u64::from(population.size),
            spikes: own
                .map(|spike| Spike {
                    neuron: u64::from(spike.neuron - population.first),
                    time: spike.time.milliseconds(),
                })
                .collect(),
        }
    });
    let raster = Raster {
        title: "Spikes of the first test image".into(),
        description: "each layer starts one step after the layer before".into(),
        time: Axis::new("step", ""),
        time_step: Some(1.0),
        layers: layers.collect(),
    };
    let bars = populations.iter().zip(&findings.clock.summary.rates).enumerate();
    let rates = BarChart {
        title: "Rate of each layer".into(),
        description: "mean over test images at the largest T".into(),
        value: Axis::new("spikes per neuron and step", "").from_zero(),
        bars: bars
            .map(|(index, (population, &rate))| Bar::new(&population.name, rate).coloured(index))
            .collect(),
    };
    Section::new("activity", "Activity", "").with(raster).with(rates)
}

fn fixed_point(findings: &Findings<'_>) -> Section {
    let overflows = findings.summary.fixed_point_overflows;
    let words = format!(
        "Integers of {}: neurons reset to zero and hold one threshold a layer, so the network is \
         converted for that (method hard_reset). {overflows} values wrapped or were clipped.",
        findings.chip.title
    );
    let by_steps = &findings.summary.fixed_point_accuracy_by_steps;
    Section::new("fixed-point", "Fixed point", &words)
        .with(fixed_points(findings.summary.ann_accuracy, by_steps, findings.chip))
        .with(quantisation(findings.errors))
}

fn chip_section(findings: &Findings<'_>) -> Section {
    let budget = &findings.mapped.budget;
    let rows = budget.resources.iter().map(|resource| {
        let binds = budget.binding().is_some_and(|b| b.resource == resource.resource);
        vec![
            resource.resource.name().into(),
            resource.worst_used.into(),
            resource.available.into(),
            (100.0 * resource.fill).into(),
            u64::from(resource.worst_core).into(),
            if binds { "binds first".into() } else { Cell::Missing },
        ]
    });
    let unknown = budget.unknown.iter().map(|resource| {
        let used = resource.worst_used.into();
        let name = resource.resource.name().into();
        vec![name, used, Cell::Missing, Cell::Missing, Cell::Missing, "limit unknown".into()]
    });
    let table = Table {
        title: "Budget of the fullest core".into(),
        description: format!("{}, not measured", budget.basis),
        columns: vec![
            Column::words("resource"),
            Column::numbers("used", "", Some(0)),
            Column::numbers("available", "", Some(0)),
            Column::numbers("full", "%", Some(1)).with_bars(100.0),
            Column::numbers("core", "", Some(0)),
            Column::words(""),
        ],
        rows: rows.chain(unknown).collect(),
    };
    let words = format!(
        "{} of {} cores, {} chip(s). The map is in core_map.json; the vendor's compiler makes the \
         final placement. Synapse memory by {}.",
        budget.cores_used, budget.cores_per_chip, budget.chips_needed, budget.synapse_memory_basis
    );
    Section::new("chip", "Cores", &words).with(core_map(findings)).with(table)
}

fn core_map(findings: &Findings<'_>) -> CoreMap {
    let checked = &findings.mapped.checked;
    let (limits, mapping) = (checked.limits(), checked.mapping());
    let resources: Vec<Resource> =
        Resource::ALL.into_iter().filter(|&r| limits.limit(r).is_some()).collect();
    let cores = mapping.cores.iter().enumerate().map(|(index, position)| {
        let own = mapping.slices.iter().filter(|slice| slice.core as usize == index);
        let populations = own.map(|slice| CorePopulation {
            name: checked.network().populations[slice.population].name.clone(),
            neurons: u64::from(slice.length()),
        });
        let usage = &findings.mapped.budget.cores[index];
        let share = |&resource: &Resource| {
            let limit = limits.limit(resource).unwrap_or(1).max(1);
            usage.amount(resource) as f64 / limit as f64
        };
        Core {
            column: position.router.x,
            row: position.router.y,
            core: position.core,
            label: format!("core {index}"),
            populations: populations.collect(),
            facts: Vec::new(),
            utilisation: resources.iter().map(share).collect(),
        }
    });
    CoreMap {
        title: format!("Cores of {}", findings.chip.title),
        description: "one square a core, four at a router".into(),
        columns: limits.mesh_columns,
        rows: limits.mesh_rows,
        largest: None,
        population_order: Vec::new(),
        cores_per_router: limits.cores_per_router,
        available: Some(limits.cores.into()),
        resources: resources.iter().map(|resource| resource.name().to_string()).collect(),
        cores: cores.collect(),
    }
}

fn conversion_section(findings: &Findings<'_>) -> Section {
    Section::new("conversion", "Conversion", "").with(layers(findings.conversion))
}
