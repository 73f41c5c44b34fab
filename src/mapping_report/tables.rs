//! Tables of a mapping, for pages and for the command line.

use crate::loihi_export::budget::Budget;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::energy::quantity;
use crate::loihi_export::mapping::limit_source;
use crate::loihi_export::metrics::Costs;
use crate::loihi_export::metrics::compare::Row;
use crate::loihi_export::sweep::Outcome;
use crate::report::{Cell, Column, Table};

/// What a sweep does not say.
pub const SWEEP_NOTE: &str = "Each row changes one thing and maps again. Pruning takes the \
     smallest weights of dense and listed synapses; shared kernels stay whole. What fewer bits or \
     synapses do to the network's answers is not part of this: convert and test it.";

/// Used and available resources as a table, with where the chip's limits come from.
pub fn resource_table(budget: &Budget, chip: &ChipSpec) -> Table {
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
            limit_source(chip, row.resource).map_or(Cell::Missing, Cell::from),
        ]
    });
    let unknown = budget.unknown.iter().map(|row| {
        let (name, used) = (row.resource.name().into(), row.worst_used.into());
        let missing = [Cell::Missing, Cell::Missing, Cell::Missing, Cell::Missing];
        [name, used]
            .into_iter()
            .chain(missing)
            .chain(["limit unknown".into(), Cell::Missing])
            .collect()
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
            Column::words("source of the limit"),
        ],
        rows: rows.chain(unknown).collect(),
    }
}

/// All algorithms side by side.
pub fn compare_table(rows: &[Row], costs: &Costs) -> Table {
    let row = |row: &Row| {
        let mut cells: Vec<Cell> =
            vec![row.partitioner.into(), row.placer.into(), row.router.into()];
        match &row.metrics {
            Some(m) => cells.extend([
                m.cores.into(),
                m.input_axons.into(),
                m.mean_hops.into(),
                m.connectivity.into(),
                m.energy.into(),
                m.mean_latency.into(),
                m.max_latency.into(),
                m.mean_congestion.into(),
                m.max_congestion.into(),
            ]),
            None => cells.extend(vec![Cell::Missing; 9]),
        }
        cells
    };
    Table {
        title: "Mapping algorithms side by side".into(),
        description: "packets of a step in routers and on wires; link: packets in a step; modelled"
            .into(),
        columns: vec![
            Column::words("partitioner"),
            Column::words("placer"),
            Column::words("router"),
            Column::numbers("cores", "", Some(0)),
            Column::numbers("input axons", "", Some(0)),
            Column::numbers("mean hops", "", Some(2)),
            Column::numbers("connectivity", "", Some(1)),
            Column::numbers("energy", costs.energy_unit, Some(1)),
            Column::numbers("mean latency", costs.latency_unit, Some(2)),
            Column::numbers("max latency", costs.latency_unit, Some(1)),
            Column::numbers("mean link", "", Some(2)),
            Column::numbers("max link", "", Some(2)),
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
