//! Energy and time of an inference as a section.

use super::MappingFindings;
use crate::loihi_export::chip::profile::percent_band;
use crate::loihi_export::energy::quantity;
use crate::report::{Axis, Bar, BarChart, Cell, Column, Section, Table};

pub(super) fn energy(findings: &MappingFindings<'_>) -> Section {
    let Some(estimate) = findings.estimate else {
        let words = format!(
            "No energy or time of an operation has been published for {}: unknown, and not zero.",
            findings.chip.title
        );
        return Section::new("energy", "Energy and time", &words);
    };
    let words = format!(
        "Modelled from counted operations with the profile {} ({}; {}). {}",
        estimate.profile,
        estimate.profile_basis,
        estimate.source,
        match (&estimate.error_band, &estimate.error_band_source) {
            (Some(band), Some(source)) => {
                format!("A measurement is expected within {} ({source}).", percent_band(*band))
            }
            _ => "The profile states no error band.".to_string(),
        }
    );
    let terms = [
        ("static", estimate.static_j),
        ("neuron", estimate.neuron_j),
        ("synapse", estimate.synapse_j),
        ("hop", estimate.hop_j),
        ("barrier", estimate.barrier_j),
        ("reset", estimate.reset_j),
    ];
    let bars = terms.iter().enumerate().filter_map(|(index, (name, joules))| {
        joules.map(|joules| Bar::new(name, joules * 1e6).coloured(index))
    });
    let row = |(name, joules): &(&str, Option<f64>)| {
        let share = joules.map(|joules| 100.0 * joules / estimate.total_j.max(f64::MIN_POSITIVE));
        let shown = joules.map_or("unknown".to_string(), |joules| quantity(joules, "J"));
        vec![(*name).into(), shown.into(), share.map_or(Cell::Missing, Cell::from)]
    };
    let shown = |value: Option<f64>, unit: &str| {
        value.map_or("unknown".to_string(), |value| quantity(value, unit))
    };
    let mut rows: Vec<Vec<Cell>> = terms.iter().map(row).collect();
    rows.push(vec![
        "total of the known terms".into(),
        quantity(estimate.total_j, "J").into(),
        100.0.into(),
    ]);
    for (name, text) in [
        ("step", shown(estimate.step_s, "s")),
        ("latency", shown(estimate.latency_s, "s")),
        (
            "throughput",
            estimate.throughput_per_s.map_or("unknown".into(), |n| format!("{n:.1} /s")),
        ),
        ("power", shown(estimate.power_w, "W")),
    ] {
        rows.push(vec![name.into(), text.into(), Cell::Missing]);
    }
    Section::new("energy", "Energy and time", &words)
        .with(BarChart {
            title: "Energy of an inference by term".into(),
            description: "known terms; modelled, not measured".into(),
            value: Axis::new("energy", "µJ").from_zero(),
            bars: bars.collect(),
        })
        .with(Table {
            title: "Energy and time of an inference".into(),
            description: format!("{} steps; {}", findings.activity.steps, findings.activity.basis),
            columns: vec![
                Column::words("term"),
                Column::words("value"),
                Column::numbers("share", "%", Some(1)).with_bars(100.0),
            ],
            rows,
        })
}
