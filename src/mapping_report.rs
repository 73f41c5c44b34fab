//! A mapping as a page: the mesh with its heat maps, the budget, energy and time, all cores.

use crate::loihi_export::budget::Budget;
use crate::loihi_export::check::CheckedMapping;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::chip::profile::percent_band;
use crate::loihi_export::energy::{Activity, Estimate, quantity};
use crate::loihi_export::mapping::{Resource, RouterPosition};
use crate::loihi_export::metrics::compare::Row;
use crate::loihi_export::metrics::flows::flows;
use crate::loihi_export::metrics::{Metrics, router_traffic};
use crate::loihi_export::sweep::Outcome;
use crate::report::{
    Axis, Bar, BarChart, Cell, Column, Core, CoreMap, CorePopulation, KeyFigure, KeyFigures,
    Report, Section, Table, Tone,
};
use std::collections::BTreeMap;

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
    /// What-if, where asked for.
    pub swept: &'a [Outcome],
    /// Names of partitioner, placer and router.
    pub algorithms: [String; 3],
    /// Seed of algorithms that draw.
    pub seed: u64,
}

/// Chips that are drawn; further ones are in the table of cores.
const MOST_CHIPS: u32 = 8;
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
        sections.push(
            Section::new("algorithms", "Algorithms", "").with(compare_table(findings.compared)),
        );
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

/// What a sweep does not say.
pub const SWEEP_NOTE: &str = "Each row changes one thing and maps again. What fewer bits or \
     synapses do to the network's answers is not part of this: convert and test it.";

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
    figures.push(figure("Latency", estimate.and_then(|e| e.latency_s), "s", "modelled"));
    figures.push(KeyFigure::new(
        "Hops of a packet",
        &format!("{:.2}", findings.metrics.mean_hops),
        "",
        "on average",
    ));
    Section::new("overview", "Overview", "").with(KeyFigures { figures })
}

/// For each core: mean hops of what it sends.
fn hops_of_cores(findings: &MappingFindings<'_>) -> BTreeMap<u32, f64> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for route in &findings.checked.mapping().routes {
        let entry = sums.entry(route.source_core).or_default();
        entry.0 += route.axons as f64 * route.hops() as f64;
        entry.1 += route.axons as f64;
    }
    sums.into_iter().map(|(core, (hops, axons))| (core, hops / axons.max(1.0))).collect()
}

fn mesh(findings: &MappingFindings<'_>) -> Section {
    let checked = findings.checked;
    let (limits, mapping) = (checked.limits(), checked.mapping());
    let flows = flows(checked, &findings.activity.rates);
    let traffic = router_traffic(checked, &flows);
    let busiest = traffic.values().copied().fold(0.0, f64::max);
    let hops = hops_of_cores(findings);
    let longest = hops.values().copied().fold(0.0, f64::max);
    let known: Vec<Resource> =
        Resource::ALL.into_iter().filter(|&r| limits.limit(r).is_some()).collect();
    let share = |value: f64, most: f64| if most > 0.0 { value / most } else { 0.0 };
    let mut section = Section::new(
        "mesh",
        "Mesh",
        "Cores on the mesh of routers. The first map shows how full each core is, the second the \
         traffic of its router and the ways of its packets, relative to the busiest router and the \
         longest way.",
    );
    let chips = mapping.cores.iter().map(|core| core.router.chip + 1).max().unwrap_or(0);
    for chip in 0..chips.min(MOST_CHIPS) {
        let of_chip =
            || mapping.cores.iter().enumerate().filter(move |(_, c)| c.router.chip == chip);
        let core = |index: usize, utilisation: Vec<f64>| {
            let position = mapping.cores[index];
            let own = mapping.slices.iter().filter(|slice| slice.core as usize == index);
            Core {
                column: position.router.x,
                row: position.router.y,
                core: position.core,
                label: format!("core {index}"),
                populations: own
                    .map(|slice| CorePopulation {
                        name: checked.network().populations[slice.population].name.clone(),
                        neurons: u64::from(slice.length()),
                    })
                    .collect(),
                utilisation,
            }
        };
        let name = if chips > 1 { format!(", chip {chip}") } else { String::new() };
        let filled = of_chip().map(|(index, _)| {
            let usage = &findings.budget.cores[index];
            let fill = |&resource: &Resource| {
                share(usage.amount(resource) as f64, limits.limit(resource).unwrap_or(1) as f64)
            };
            core(index, known.iter().map(fill).collect())
        });
        let of_router = |router: RouterPosition| traffic.get(&router).copied().unwrap_or(0.0);
        let busy = of_chip().map(|(index, position)| {
            let way = hops.get(&(index as u32)).copied().unwrap_or(0.0);
            core(index, vec![share(of_router(position.router), busiest), share(way, longest)])
        });
        let map = |title: String, description: String, resources: Vec<String>, cores: Vec<Core>| {
            CoreMap {
                title,
                description,
                columns: limits.mesh_columns,
                rows: limits.mesh_rows,
                cores_per_router: limits.cores_per_router,
                resources,
                cores,
            }
        };
        section = section
            .with(map(
                format!("Utilisation{name}"),
                "share of each resource of a core that is used".into(),
                known.iter().map(|resource| resource.name().to_string()).collect(),
                filled.collect(),
            ))
            .with(map(
                format!("Congestion and hops{name}"),
                format!(
                    "100 % congestion are {busiest:.2} packets in a step through the busiest \
                     router; 100 % hops are {longest:.2} for a packet"
                ),
                vec!["congestion".into(), "hops".into()],
                busy.collect(),
            ));
    }
    if chips > MOST_CHIPS {
        section.text.push_str(&format!("\n\nThe first {MOST_CHIPS} of {chips} chips are drawn."));
    }
    section
}

/// Used and available resources as a table.
pub fn resource_table(budget: &Budget) -> Table {
    let rows = budget.resources.iter().enumerate().map(|(index, row)| {
        let note = ["binds first", "binds next"].get(index).copied();
        vec![
            row.resource.name().into(),
            row.worst_used.into(),
            row.available.into(),
            (100.0 * row.fill).into(),
            u64::from(row.worst_core).into(),
            (100.0 * row.total_used as f64 / row.total_available.max(1) as f64).into(),
            note.map_or(Cell::Missing, Cell::from),
        ]
    });
    let unknown = budget.unknown.iter().map(|row| {
        let (name, used) = (row.resource.name().into(), row.worst_used.into());
        let missing = [Cell::Missing, Cell::Missing, Cell::Missing, Cell::Missing];
        [name, used].into_iter().chain(missing).chain(["limit unknown".into()]).collect()
    });
    Table {
        title: "Resources".into(),
        description: "of the fullest core, and on average over the cores in use; modelled".into(),
        columns: vec![
            Column::words("resource"),
            Column::numbers("used", "", Some(0)),
            Column::numbers("available", "", Some(0)),
            Column::numbers("full", "%", Some(1)).with_bars(100.0),
            Column::numbers("core", "", Some(0)),
            Column::numbers("average", "%", Some(1)),
            Column::words("note"),
        ],
        rows: rows.chain(unknown).collect(),
    }
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
    Section::new("budget", "Budget", &words).with(resource_table(budget))
}

fn energy(findings: &MappingFindings<'_>) -> Section {
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

/// All algorithms side by side.
pub fn compare_table(rows: &[Row]) -> Table {
    let row = |row: &Row| {
        let mut cells: Vec<Cell> =
            vec![row.partitioner.into(), row.placer.into(), row.router.into()];
        match &row.metrics {
            Some(m) => cells.extend([
                m.cores.into(),
                m.input_axons.into(),
                m.connectivity.into(),
                m.energy.into(),
                m.mean_latency.into(),
                m.max_latency.into(),
                m.mean_congestion.into(),
                m.max_congestion.into(),
            ]),
            None => cells.extend(vec![Cell::Missing; 8]),
        }
        cells
    };
    Table {
        title: "Mapping algorithms side by side".into(),
        description:
            "packets of a step in routers and on wires; costs and rates as stated; modelled".into(),
        columns: vec![
            Column::words("partitioner"),
            Column::words("placer"),
            Column::words("router"),
            Column::numbers("cores", "", Some(0)),
            Column::numbers("input axons", "", Some(0)),
            Column::numbers("connectivity", "", None),
            Column::numbers("energy", "", None),
            Column::numbers("mean latency", "", Some(2)),
            Column::numbers("max latency", "", Some(1)),
            Column::numbers("mean link", "", None),
            Column::numbers("max link", "", None),
        ],
        rows: rows.iter().map(row).collect(),
    }
}

/// What-if as a table.
pub fn sweep_table(outcomes: &[Outcome]) -> Table {
    let row = |outcome: &Outcome| {
        let (name, value) = match &outcome.change {
            Some(change) => (change.parameter.clone(), Cell::from(change.value)),
            None => ("as it is".to_string(), Cell::Missing),
        };
        let whole = |value: Option<u64>| value.map_or(Cell::Missing, Cell::from);
        vec![
            name.into(),
            value,
            if outcome.fits { "yes" } else { "no" }.into(),
            whole(outcome.cores),
            whole(outcome.chips),
            outcome.binds.map_or(Cell::Missing, Cell::from),
            outcome.fill.map_or(Cell::Missing, |fill| (100.0 * fill).into()),
            outcome.energy_j.map_or("unknown".into(), |joules| quantity(joules, "J").into()),
            outcome.latency_s.map_or("unknown".into(), |seconds| quantity(seconds, "s").into()),
        ]
    };
    Table {
        title: "What if".into(),
        description: "one change at a time; modelled".into(),
        columns: vec![
            Column::words("change"),
            Column::numbers("value", "", None),
            Column::words("fits"),
            Column::numbers("cores", "", Some(0)),
            Column::numbers("chips", "", Some(0)),
            Column::words("binds"),
            Column::numbers("full", "%", Some(1)),
            Column::words("energy"),
            Column::words("latency"),
        ],
        rows: outcomes.iter().map(row).collect(),
    }
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
    Section::new("cores", "Cores", "").with(Table {
        title: "All cores".into(),
        description: "what each takes; modelled".into(),
        columns,
        rows: rows.collect(),
    })
}
