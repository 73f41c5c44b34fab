//! What `spikeloom map` shows, for people and for machines.

use super::super::Outcome;
use serde_json::{Map, Value, json};
use spikeloom::error::Error;
use spikeloom::loihi_export::budget::Budget;
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::energy::{Activity, Estimate};
use spikeloom::loihi_export::metrics::compare::Row;
use spikeloom::loihi_export::metrics::{Costs, Metrics};
use spikeloom::loihi_export::quantise::network::QuantisedNetwork;
use spikeloom::loihi_export::sweep::{Change, Sweep};
use spikeloom::mapping_plan::Capacity;
use spikeloom::mapping_report::{SWEEP_NOTE, compare_table, sweep_table};
use spikeloom::report::{Block, Table};
use std::path::Path;

/// Tables are at most this wide.
const WIDTH: usize = 160;

/// All that was found of a mapping.
pub struct Findings<'a> {
    pub network: &'a str,
    pub chip: &'a ChipSpec,
    pub budget: &'a Budget,
    pub activity: &'a Activity,
    pub estimate: Option<&'a Estimate>,
    pub metrics: &'a Metrics,
    pub costs: &'a Costs,
    /// Where all algorithms were asked for.
    pub compared: Option<&'a [Row]>,
    pub swept: &'a [spikeloom::loihi_export::sweep::Outcome],
    /// Needs against the chip's totals, for chips that are not of the Loihi family, and how many chips
    /// may be used.
    pub capacity: (&'a [Capacity], u32),
    /// What is above its limit, one line each.
    pub over: &'a [String],
    pub notes: &'a [String],
    /// Gates by their name in JSON.
    pub limits: [(&'static str, Value); 2],
    /// Files that were written, by their name in JSON.
    pub files: [(&'static str, Option<&'a Path>); 2],
}

impl Findings<'_> {
    /// For machines: one object.
    pub fn json(&self) -> Value {
        let budget = self.budget;
        let systems = systems(self.chip, budget.chips_needed);
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| {
            object.insert(name.to_string(), value);
        };
        put("network", json!(self.network));
        put("chip", json!(self.chip.name));
        put("mapped", json!(true));
        put("cores_used", json!(budget.cores_used));
        put("chips_needed", json!(budget.chips_needed));
        for (name, limit) in &self.limits {
            put(name, limit.clone());
        }
        put("over_budget", json!(!self.over.is_empty()));
        put("binding_resource", json!(budget.binding().map(|row| row.resource.key())));
        put("next_resource", json!(budget.next_binding().map(|row| row.resource.key())));
        put("budget", json!(budget));
        put("capacity", json!((!self.capacity.0.is_empty()).then_some(self.capacity.0)));
        let system = |(name, chips, spare): &(String, u64, u64)| json!({ "name": name, "chips": chips, "spare_chips": spare });
        put("systems", systems.iter().map(system).collect());
        put("activity", json!(self.activity));
        put("energy", json!(self.estimate));
        put("metrics", json!(self.metrics));
        put("metric_costs", json!(self.costs));
        put("compare", json!(self.compared));
        put("sweep", json!((!self.swept.is_empty()).then_some(self.swept)));
        put("notes", json!(self.notes));
        for (name, path) in self.files {
            put(name, json!(path.map(|path| path.to_string_lossy())));
        }
        Value::Object(object)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let (rows, chips) = self.capacity;
        if !rows.is_empty() {
            text.push_str(&format!(
                "{} on {}: what is known of the chip, not measured\n{}\nmapped as to Loihi, since \
                 its own mapper is not modelled:\n",
                self.network,
                self.chip.title,
                capacity_lines(rows, chips).0
            ));
        }
        text.push_str(&format!("{} on {}", self.network, self.budget));
        for (name, chips, spare) in systems(self.chip, self.budget.chips_needed) {
            let plural = if chips == 1 { "chip" } else { "chips" };
            text.push_str(&format!("fits {name} ({chips} {plural}, {spare} spare)\n"));
        }
        for note in self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push('\n');
        match self.estimate {
            Some(estimate) => {
                text.push_str(&estimate.to_string());
                let Activity { basis, steps, .. } = self.activity;
                text.push_str(&format!("  activity: {basis} ({steps} steps)\n"));
            }
            None => text.push_str(&format!(
                "energy and time: unknown; none has been published for {}\n",
                self.chip.title
            )),
        }
        if let Some(compared) = self.compared {
            text.push_str(&show(compare_table(compared, self.costs)));
            for row in compared.iter().filter(|row| row.error.is_some()) {
                let error = row.error.as_deref().unwrap_or_default();
                let line = format!("{} {} {}: {error}\n", row.partitioner, row.placer, row.router);
                text.push_str(&line);
            }
            text.push_str(&format!("costs: {} ({})\n", self.costs.name, self.costs.source));
        }
        if !self.swept.is_empty() {
            text.push_str(&show(sweep_table(self.swept)));
            text.push_str(&format!("{SWEEP_NOTE}\n"));
        }
        for line in self.over {
            text.push_str(&format!("\nOVER BUDGET: {line}\n"));
        }
        text
    }
}

/// Needs against a chip's totals, one line each, and whether something is over.
fn capacity_lines(rows: &[Capacity], chips: u32) -> (String, bool) {
    let over = |row: &Capacity| {
        row.fits == Some(false) || row.chips.is_some_and(|needed| needed > u64::from(chips))
    };
    let line = |row: &Capacity| {
        let available = row.available.map_or("unknown".to_string(), |n| n.to_string());
        let needs = row.chips.map_or(String::new(), |n| format!(", {n} chip(s)"));
        let mark = if over(row) { "  <- over" } else { "" };
        format!("  {:<18} {} of {available}{needs}{mark}\n", row.quantity, row.needed)
    };
    (rows.iter().map(line).collect(), rows.iter().any(over))
}

/// Chips that are not mapped to: totals only. `reason` says why.
pub fn capacity_only(
    network: &QuantisedNetwork,
    chip: &ChipSpec,
    (rows, chips): (&[Capacity], u32),
    reason: &str,
) -> Outcome {
    let (lines, over) = capacity_lines(rows, chips);
    let mut text = format!("{} on {}: {reason}\n{lines}", network.name, chip.title);
    if let Some(note) = &chip.mapping_note {
        text.push_str(&format!("note: {note}\n"));
    }
    let json = json!({
        "network": network.name, "chip": chip.name, "mapped": false, "capacity": rows,
        "reason": reason, "over_budget": over,
        "notes": chip.mapping_note.iter().collect::<Vec<_>>(),
    });
    Outcome::fine(json, text).with_finding(over)
}

/// A sweep of a network that does not fit as it is.
pub fn swept_only(sweep: &Sweep<'_>, changes: &[Change], error: &Error) -> Result<Outcome, Error> {
    let swept = sweep.run(changes);
    let json = json!({
        "network": sweep.network.name, "chip": sweep.limits.chip, "mapped": false,
        "error": error.to_string(), "over_budget": true, "sweep": swept,
    });
    let text = format!("{error}\n{}{SWEEP_NOTE}\n", show(sweep_table(&swept)));
    Ok(Outcome::fine(json, text).with_finding(true))
}

/// The smallest board or machine with at least so many chips: name, chips, spare ones.
fn systems(chip: &ChipSpec, chips: u64) -> Vec<(String, u64, u64)> {
    let all = chip.systems.as_ref().map(|figure| figure.value.as_slice()).unwrap_or_default();
    let mut fitting: Vec<(String, u64, u64)> = all
        .iter()
        .map(|system| (system.name.clone(), u64::from(system.chips)))
        .filter_map(|(name, has)| Some((name, has, has.checked_sub(chips)?)))
        .collect();
    fitting.sort_by_key(|system| system.1);
    fitting.truncate(1);
    fitting
}

fn show(table: Table) -> String {
    format!("\n{}", Block::from(table).to_text(WIDTH))
}
