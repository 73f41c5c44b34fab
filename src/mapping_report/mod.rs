//! A mapping as a page: the mesh with its heat maps, the budget, energy and time, all cores.

mod energy;
mod mesh;
mod tables;

use crate::loihi_export::budget::Budget;
use crate::loihi_export::check::CheckedMapping;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::chip::profile::percent_band;
use crate::loihi_export::energy::{Activity, Estimate, quantity};
use crate::loihi_export::mapping::Resource;
use crate::loihi_export::metrics::compare::Row;
use crate::loihi_export::metrics::{Costs, Metrics};
use crate::loihi_export::sweep::Outcome;
use crate::report::{Cell, Column, KeyFigure, KeyFigures, Report, Section, Table, Tone};
use energy::energy;
use mesh::{hops_of_cores, mesh};

pub use tables::{SWEEP_NOTE, compare_table, resource_table, sweep_table};

/// What a page shows.
pub struct MappingFindings<'a> {
    /// The mapping.
    pub checked: &'a CheckedMapping<'a>,
    /// What it takes.
    pub budget: &'a Budget,
    /// The chip.
    pub chip: &'a ChipSpec,
    /// How active the network is.
    pub activity: &'a Activity,
    /// Energy and time; none where the chip has no profile.
    pub estimate: Option<&'a Estimate>,
    /// The metrics of the literature.
    pub metrics: &'a Metrics,
    /// All algorithms side by side, where asked for.
    pub compared: &'a [Row],
    /// What the metrics' routers and wires cost.
    pub costs: &'a Costs,
    /// What a reader has to know, one line each.
    pub notes: &'a [String],
    /// What-if, where asked for.
    pub swept: &'a [Outcome],
    /// Names of partitioner, placer and router.
    pub algorithms: [String; 3],
    /// Seed of algorithms that draw.
    pub seed: u64,
}

/// Cores in the table.
const MOST_CORES: usize = 1_500;

/// The page of a mapping.
pub fn mapping_report(findings: &MappingFindings<'_>) -> Report {
    let network = findings.checked.network();
    let [partitioner, placer, router] = &findings.algorithms;
    let provenance = [
        ("Spikeloom", env!("CARGO_PKG_VERSION").to_string()),
        ("network", network.name.clone()),
        ("chip description", format!("{} {}", findings.chip.name, findings.chip.revision)),
        ("partitioner", partitioner.clone()),
        ("placer", placer.clone()),
        ("router", router.clone()),
        ("seed", findings.seed.to_string()),
        ("activity", findings.activity.basis.clone()),
        ("steps", findings.activity.steps.to_string()),
        ("energy profile", profile_line(findings)),
        ("synapse memory", findings.budget.synapse_memory_basis.clone()),
        ("basis", "modelled, not measured".to_string()),
    ];
    let mut sections = vec![overview(findings), mesh(findings), resources(findings)];
    sections.push(energy(findings));
    if !findings.compared.is_empty() {
        let words = format!("Costs {}: {}.", findings.costs.name, findings.costs.source);
        let table = compare_table(findings.compared, findings.costs);
        sections.push(Section::new("algorithms", "Algorithms", &words).with(table));
    }
    if !findings.swept.is_empty() {
        sections
            .push(Section::new("what-if", "What if", SWEEP_NOTE).with(sweep_table(findings.swept)));
    }
    sections.push(cores(findings));
    Report {
        title: format!("{} on {}", network.name, findings.chip.title),
        subtitle: "Which neurons lie on which core, what they take, and where their spikes go; \
                   every figure is modelled, none is measured"
            .into(),
        provenance: provenance.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
        sections,
    }
}

fn profile_line(findings: &MappingFindings<'_>) -> String {
    match findings.estimate {
        Some(estimate) => format!("{} ({})", estimate.profile, estimate.source),
        None => "none: no figure has been published".to_string(),
    }
}

fn overview(findings: &MappingFindings<'_>) -> Section {
    let budget = findings.budget;
    let chips = format!("on {} chip(s), {} spare", budget.chips_needed, budget.cores_spare);
    let mut figures = vec![KeyFigure::new("Cores", &budget.cores_used.to_string(), "", &chips)];
    for (name, row) in [("Binds first", budget.binding()), ("Binds next", budget.next_binding())] {
        let Some(row) = row else { continue };
        let value = format!("{:.1}", 100.0 * row.fill);
        let tone = if row.fill > 0.95 { Tone::Warning } else { Tone::Neutral };
        figures.push(KeyFigure::new(name, &value, "%", row.resource.name()).toned(tone));
    }
    let figure = |name: &str, value: Option<f64>, unit: &str, note: &str| match value {
        Some(value) => {
            let text = quantity(value, unit);
            let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
            KeyFigure::new(name, number, unit, note)
        }
        None => KeyFigure::new(name, "unknown", "", "no figure has been published"),
    };
    let estimate = findings.estimate;
    let band = estimate.and_then(|e| e.error_band).map(percent_band);
    let band = band.map_or("no error band stated".to_string(), |band| format!("modelled, {band}"));
    figures.push(figure("Energy of an inference", estimate.map(|e| e.total_j), "J", &band));
    let pace = estimate.and_then(|e| Some((e.latency_band_in_words(), e.throughput_per_s?)));
    let pace = pace.map_or("modelled".to_string(), |(band, pace)| {
        format!("modelled, {band}; {pace:.1} inferences/s")
    });
    figures.push(figure("Latency", estimate.and_then(|e| e.latency_s), "s", &pace));
    figures.push(KeyFigure::new(
        "Hops of a packet",
        &format!("{:.2}", findings.metrics.mean_hops),
        "",
        "on average",
    ));
    let notes = findings.notes.iter().map(|note| format!("Note: {note}.")).collect::<Vec<_>>();
    Section::new("overview", "Overview", &notes.join("\n\n")).with(KeyFigures { figures })
}

fn resources(findings: &MappingFindings<'_>) -> Section {
    let budget = findings.budget;
    let words = format!(
        "{} of {} cores on {} chip(s) are used. Synapse memory by {}.",
        budget.cores_used,
        budget.chips_needed.saturating_mul(budget.cores_per_chip),
        budget.chips_needed,
        budget.synapse_memory_basis
    );
    Section::new("budget", "Budget", &words).with(resource_table(budget, findings.chip))
}

fn cores(findings: &MappingFindings<'_>) -> Section {
    let checked = findings.checked;
    let mapping = checked.mapping();
    let hops = hops_of_cores(findings);
    let mut content: Vec<Vec<String>> = vec![Vec::new(); mapping.cores.len()];
    for slice in &mapping.slices {
        if let Some(list) = content.get_mut(slice.core as usize) {
            let name = &checked.network().populations[slice.population].name;
            list.push(format!("{name} ({})", slice.length()));
        }
    }
    let words = match mapping.cores.len() {
        all if all > MOST_CORES => format!("The first {MOST_CORES} of {all} cores are listed."),
        _ => String::new(),
    };
    let rows = mapping.cores.iter().enumerate().take(MOST_CORES).map(|(index, place)| {
        let usage = &findings.budget.cores[index];
        let mut cells: Vec<Cell> = vec![
            index.into(),
            u64::from(place.router.chip).into(),
            format!("{}, {}", place.router.x, place.router.y).into(),
            content[index].join(", ").into(),
        ];
        cells.extend(Resource::ALL.map(|resource| Cell::from(usage.amount(resource))));
        cells.push(hops.get(&(index as u32)).map_or(Cell::Missing, |&hops| hops.into()));
        cells
    });
    let mut columns = vec![
        Column::numbers("core", "", Some(0)),
        Column::numbers("chip", "", Some(0)),
        Column::words("router"),
        Column::words("content"),
    ];
    columns.extend(Resource::ALL.map(|resource| Column::numbers(resource.name(), "", Some(0))));
    columns.push(Column::numbers("hops of a packet", "", Some(2)));
    Section::new("cores", "Cores", &words).with(Table {
        title: "All cores".into(),
        description: "what each takes; modelled".into(),
        columns,
        rows: rows.collect(),
    })
}
