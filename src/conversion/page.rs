//! A conversion's numbers as a page.

use super::plan::{ConversionPlan, Fate};
use super::{ConvertedModel, TestReport};
use crate::report::{
    Alignment, Axis, Cell, Column, KeyFigure, KeyFigures, LineChart, Point, ReferenceLine, Report,
    Section, Series, Table, Tone,
};

/// The report of a conversion, tested or not.
pub fn page(title: &str, model: &ConvertedModel, test: Option<&TestReport>) -> Report {
    let [method, threshold, code] = model.choices;
    let mut sections = Vec::new();
    if let Some(test) = test {
        sections.push(accuracy(test));
        if !test.layer_errors.is_empty() {
            sections.push(layers(test));
        }
        sections.push(disagreements(test));
    }
    sections.push(plan(&model.plan));
    let warnings = model.warnings.iter().chain(test.iter().flat_map(|test| &test.warnings));
    let warnings: Vec<&str> = warnings.map(String::as_str).collect();
    if !warnings.is_empty() {
        sections.insert(0, Section::new("warnings", "Please note", &warnings.join("\n\n")));
    }
    let mut provenance = vec![
        ("version".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("model".to_string(), title.to_string()),
        ("method".to_string(), method.to_string()),
        ("threshold rule".to_string(), threshold.to_string()),
        ("input code".to_string(), code.to_string()),
    ];
    if let Some(test) = test {
        provenance.push(("engine".to_string(), test.engine.to_string()));
    }
    Report {
        title: format!("Conversion of {title}"),
        subtitle: format!("method {method}, threshold rule {threshold}, input code {code}"),
        provenance,
        sections,
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_string(), |value| format!("{value:.2}"))
}

fn figures(test: &TestReport) -> KeyFigures {
    let figure = |label: &str, value: String, unit: &str, note: String| KeyFigure {
        label: label.into(),
        value,
        unit: unit.into(),
        note,
        tone: Tone::Neutral,
    };
    let best = test.accuracy.as_ref().and_then(|accuracy| accuracy.last_key_value());
    let lost = best.zip(test.ann_accuracy).map(|((_, spiking), ann)| ann - spiking);
    let mut spiking = figure(
        "accuracy of the spiking network",
        percent(best.map(|(_, accuracy)| *accuracy)),
        "%",
        best.map_or_else(String::new, |(steps, _)| format!("at {steps} steps")),
    );
    if let Some(lost) = lost {
        spiking.tone = if lost > 1.0 { Tone::Warning } else { Tone::Good };
    }
    let operations = test.synaptic_operations_per_image;
    let share = operations / test.ann_macs_per_image.max(1) as f64;
    KeyFigures {
        figures: vec![
            figure(
                "accuracy of the trained network",
                percent(test.ann_accuracy),
                "%",
                format!("on {} images", test.images),
            ),
            spiking,
            figure("spikes per image", format!("{:.0}", test.spikes_per_image), "", String::new()),
            figure(
                "synaptic operations per image",
                format!("{operations:.0}"),
                "",
                format!(
                    "{share:.2} of the trained network's {} multiplications",
                    test.ann_macs_per_image
                ),
            ),
            figure(
                "time per image",
                format!("{:.2}", test.milliseconds_per_image),
                "ms",
                format!("{} engine", test.engine),
            ),
        ],
    }
}

fn accuracy(test: &TestReport) -> Section {
    let own = test.accuracy.as_ref().unwrap_or(&test.agreement);
    let points = own.iter().map(|(&steps, &value)| Point {
        x: f64::from(steps),
        y: value,
        band: test
            .accuracy_interval
            .as_ref()
            .and_then(|intervals| intervals.get(&steps))
            .map(|[low, high]| (*low, *high)),
    });
    let name = if test.accuracy.is_some() { "accuracy" } else { "agreement" };
    let ann = test.ann_accuracy;
    let line = ann.map(|value| ReferenceLine { label: "trained network".into(), value });
    let chart = LineChart {
        title: format!("{name} against steps"),
        description: "bands: 95 % confidence intervals (Wilson)".into(),
        x: Axis::new("steps", "").log2(),
        y: Axis::new(name, "%"),
        series: vec![Series { name: "spiking network".into(), points: points.collect() }],
        reference_lines: line.into_iter().collect(),
    };
    let cell = |value: Option<f64>| value.map_or(Cell::Missing, Cell::Number);
    let rows = test.agreement.iter().map(|(steps, &agreement)| {
        let interval = test.accuracy_interval.as_ref().and_then(|all| all.get(steps));
        vec![
            Cell::Number(f64::from(*steps)),
            cell(test.accuracy.as_ref().and_then(|all| all.get(steps)).copied()),
            interval.map_or(Cell::Missing, |[low, high]| format!("{low:.1} to {high:.1}").into()),
            agreement.into(),
            cell(test.spikes_per_image_by_steps.get(steps).copied()),
            cell(test.synaptic_operations_per_image_by_steps.get(steps).copied()),
        ]
    });
    let mut interval = Column::words("95 % interval");
    interval.alignment = Alignment::Right;
    let table = Table {
        title: "By number of steps".into(),
        description: String::new(),
        columns: vec![
            Column::numbers("steps", "", Some(0)),
            Column::numbers("accuracy", "%", Some(2)),
            interval,
            Column::numbers("agreement", "%", Some(2)),
            Column::numbers("spikes per image", "", Some(0)),
            Column::numbers("synaptic operations per image", "", Some(0)),
        ],
        rows: rows.collect(),
    };
    let text = match test.images < test.images_wanted {
        true => format!("Stopped after {} of {} images.", test.images, test.images_wanted),
        false => String::new(),
    };
    Section::new("accuracy", "What the conversion keeps", &text)
        .with(figures(test))
        .with(chart)
        .with(table)
}

fn layers(test: &TestReport) -> Section {
    let rows = test.layer_errors.iter().map(|layer| {
        vec![
            layer.population.as_str().into(),
            layer.neurons.into(),
            layer.mean_activation.into(),
            layer.mean_absolute_error.into(),
            layer.relative_error_percent.into(),
            layer.spikes_per_neuron.into(),
        ]
    });
    let table = Table {
        title: "Activations against the trained network's, layer by layer".into(),
        description: "at the largest number of steps".into(),
        columns: vec![
            Column::words("population"),
            Column::numbers("neurons", "", Some(0)),
            Column::numbers("mean activation", "", None),
            Column::numbers("mean absolute error", "", None),
            Column::numbers("relative error", "%", Some(2)).with_bars(100.0),
            Column::numbers("spikes per neuron", "", Some(2)),
        ],
        rows: rows.collect(),
    };
    Section::new("layers", "Where the difference arises", "").with(table)
}

fn disagreements(test: &TestReport) -> Section {
    let count = test.disagreement_count;
    let text = match count {
        0 => "The spiking network gave the trained network's class on every image.".to_string(),
        _ => format!(
            "On {count} of {} images the classes differ; {} are listed. Margins are the distance of \
             the best score from the next: small ones are images that the trained network is \
             unsure of itself.",
            test.images,
            test.disagreements.len()
        ),
    };
    let rows = test.disagreements.iter().map(|image| {
        vec![
            image.image.into(),
            image.label.map_or(Cell::Missing, Cell::from),
            image.ann_class.into(),
            image.ann_margin.into(),
            image.class.into(),
            image.margin.into(),
        ]
    });
    let table = Table {
        title: "Disagreements".into(),
        description: String::new(),
        columns: vec![
            Column::numbers("image", "", Some(0)),
            Column::numbers("label", "", Some(0)),
            Column::numbers("trained network", "", Some(0)),
            Column::numbers("its margin", "", None),
            Column::numbers("spiking network", "", Some(0)),
            Column::numbers("its margin", "", None),
        ],
        rows: rows.collect(),
    };
    let section = Section::new("disagreements", "Disagreements", &text);
    if count == 0 { section } else { section.with(table) }
}

fn plan(plan: &ConversionPlan) -> Section {
    let fate = |fate: Fate| match fate {
        Fate::Converted => "converted",
        Fate::Folded => "folded",
        Fate::Approximated => "approximated",
        Fate::Float => "float",
        Fate::Refused => "refused",
    };
    let rows = plan.nodes.iter().map(|node| {
        vec![
            node.node.as_str().into(),
            node.operator.as_str().into(),
            node.shape.as_str().into(),
            fate(node.outcome).into(),
            node.detail.as_str().into(),
            node.macs.into(),
        ]
    });
    let table = Table {
        title: "Every node of the trained network".into(),
        description: String::new(),
        columns: vec![
            Column::words("node"),
            Column::words("operator"),
            Column::words("shape"),
            Column::words("outcome"),
            Column::words("how"),
            Column::numbers("multiplications", "", Some(0)),
        ],
        rows: rows.collect(),
    };
    let text = format!(
        "{} neurons, {} synapses, {} multiplications in the trained network.",
        plan.neurons, plan.synapses, plan.macs
    );
    Section::new("plan", "Plan", &text).with(table)
}
