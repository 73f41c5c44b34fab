//! `spikeloom map`.

use super::{Outcome, Run, Session, model};
use crate::output;
use serde_json::{Value, json};
use spikeloom::error::Error;
use spikeloom::exports::{chip_network, map_config, quantised, write_core_map};
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::energy::{Activity, Estimate, estimate, quantity, workload};
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig};
use spikeloom::loihi_export::metrics::{compare::compare, metrics};
use spikeloom::loihi_export::quantise::network::QuantisedNetwork;
use spikeloom::loihi_export::sweep::{Change, Sweep, parse};
use spikeloom::mapping_plan::{activity, capacity, costs, profile};
use spikeloom::mapping_report::{
    MappingFindings, SWEEP_NOTE, compare_table, mapping_report, sweep_table,
};
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::pipeline::map_to_chip;
use spikeloom::report::{Block, Table};
use std::path::PathBuf;

/// Map a network to a chip's cores: what is used, what binds, energy, latency, what-if
#[derive(Debug, clap::Args)]
pub struct Map {
    /// Trained network or network description
    #[arg(value_name = "MODEL.onnx|NETWORK.toml")]
    network: PathBuf,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Number of steps of an inference, and that a conversion is made for [default: 8]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,

    #[command(flatten)]
    chip: model::Chip,

    /// Chips that may be used
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..))]
    chips: u32,

    /// How populations are cut (see `spikeloom list partitioners`)
    #[arg(long, value_name = "NAME")]
    partitioner: Option<String>,

    /// How cores are chosen (see `spikeloom list placers`)
    #[arg(long, value_name = "NAME")]
    placer: Option<String>,

    /// How spikes travel (see `spikeloom list routers`)
    #[arg(long, value_name = "NAME")]
    router: Option<String>,

    /// Seed of algorithms that draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Let populations share cores
    #[arg(long)]
    share_cores: bool,

    /// Energy profile of the chip (see `spikeloom list chips`) [default: the chip's first]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Spikes of a neuron in a step, assumed for all populations [default: measured on calibration
    /// samples, else 0.05]
    #[arg(long, value_name = "R")]
    rate: Option<f64>,

    /// All partitioners, placers and routers side by side
    #[arg(long)]
    compare: bool,

    /// Costs of routers and wires for the comparison: loihi or jin2023
    #[arg(long, value_name = "NAME")]
    costs: Option<String>,

    /// What if: weight-bits=1..8,delays=0..62:31,pruning=0..0.9,steps=4|8|16,chips=1..4
    #[arg(long, value_name = "NAME=VALUES,…")]
    sweep: Option<String>,

    /// Exit with 1 where more cores are needed
    #[arg(long, value_name = "N")]
    max_cores: Option<u64>,

    /// Exit with 1 where the modelled energy of an inference is higher (J)
    #[arg(long, value_name = "J")]
    max_energy: Option<f64>,

    /// Write the core map
    #[arg(long, value_name = "core_map.json")]
    out: Option<PathBuf>,

    /// Write a page with the mesh, heat maps and all figures
    #[arg(long, value_name = "mapping.html")]
    report: Option<PathBuf>,

    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

/// Tables are at most this wide.
const WIDTH: usize = 140;

/// What was found besides the mapping itself.
struct Context<'a> {
    network: &'a QuantisedNetwork,
    chip: &'a ChipSpec,
    limits: CoreLimits,
    config: MapConfig,
    activity: Activity,
    changes: Vec<Change>,
}

impl Run for Map {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        output::check_target(self.report.as_deref(), self.force)?;
        let chip = self.chip.spec()?;
        let config = self.map_config()?;
        let changes = match &self.sweep {
            Some(text) => parse(text).map_err(|error| Error::Usage(error.to_string()))?,
            None => Vec::new(),
        };
        if self.max_energy.is_some_and(|most| !most.is_finite() || most < 0.0) {
            return Err(Error::Usage("--max-energy: give joules, 0 or more".to_string()));
        }
        let chosen = profile(&chip, self.profile.as_deref())?;
        if self.max_energy.is_some() && chosen.is_none() {
            return Err(Error::Usage(format!(
                "--max-energy: no energy of an operation has been published for {}, so that \
                 nothing can be compared; choose another chip or add a profile with --chip-file",
                chip.title
            )));
        }
        let conversion =
            self.conversion.config(self.conversion.calibrate.as_ref().and(self.steps))?;
        let network = chip_network(&self.network, conversion.as_ref())?;
        let quantised = quantised(&network, &chip)?;
        let Ok(limits) = CoreLimits::of_chip(&chip) else {
            return self.capacity_only(&quantised.network, &chip);
        };
        let steps = self.steps.unwrap_or(spikeloom::exports::DEFAULT_STEPS);
        let activity = activity(
            &self.network,
            &quantised.network,
            &chip,
            conversion.as_ref(),
            steps,
            self.rate,
        )?;
        let network = &quantised.network;
        self.mapped(&Context { network, chip: &chip, limits, config, activity, changes })
    }
}

impl Map {
    fn map_config(&self) -> Result<MapConfig, Error> {
        let (partitioner, placer) = (self.partitioner.as_deref(), self.placer.as_deref());
        let router = self.router.as_deref();
        let mut config = map_config(partitioner, placer, router, self.share_cores, self.chips)?;
        config.partition.seed = self.seed;
        config.place.seed = self.seed;
        Ok(config)
    }

    /// Chips without the figures that a mapping needs: totals only.
    fn capacity_only(&self, network: &QuantisedNetwork, chip: &ChipSpec) -> Result<Outcome, Error> {
        let rows = capacity(network, chip);
        let mut text = format!(
            "{}: too little is published to map to its cores; the chip's totals, not measured\n",
            chip.title
        );
        for row in &rows {
            let available = row.available.map_or("unknown".to_string(), |n| n.to_string());
            let chips = row.chips.map_or(String::new(), |n| format!(", {n} chip(s)"));
            let quantity = row.quantity;
            text.push_str(&format!("  {quantity:<10} {} of {available}{chips}\n", row.needed));
        }
        let over = rows.iter().any(|row| row.chips.is_some_and(|n| n > u64::from(self.chips)));
        let json = json!({
            "network": network.name, "chip": chip.name, "mapped": false, "capacity": rows,
            "over_budget": over,
        });
        Ok(Outcome::fine(json, text).with_finding(over))
    }

    fn mapped(&self, context: &Context<'_>) -> Result<Outcome, Error> {
        let Context { network, chip, limits, config, activity, changes } = context;
        let chosen = profile(chip, self.profile.as_deref())?;
        let sweep = Sweep { network, limits, config, profile: chosen, activity };
        let mapped = match map_to_chip(network, chip, config) {
            Ok(mapped) => mapped,
            Err(error) => {
                let error = self.with_remedies(error, &sweep);
                return if changes.is_empty() {
                    Err(error)
                } else {
                    swept_only(&sweep, changes, &error)
                };
            }
        };
        let swept = if changes.is_empty() { Vec::new() } else { sweep.run(changes) };
        let costs = costs(self.costs.as_deref())?;
        let compared = match self.compare {
            true => compare(network, limits, config, &activity.rates, costs),
            false => Vec::new(),
        };
        let found = metrics(&mapped.checked, &activity.rates, costs);
        let estimated = chosen.map(|(name, profile)| {
            estimate(&chip.name, name, profile, &workload(&mapped.checked, activity))
        });
        if let Some(path) = &self.out {
            write_core_map(&mapped, path, self.force)?;
        }
        if let Some(path) = &self.report {
            let page = mapping_report(&MappingFindings {
                checked: &mapped.checked,
                budget: &mapped.budget,
                chip,
                activity,
                estimate: estimated.as_ref(),
                metrics: &found,
                compared: &compared,
                swept: &swept,
                algorithms: [
                    config.partition.algorithm.clone(),
                    config.place.algorithm.clone(),
                    config.route.algorithm.clone(),
                ],
                seed: self.seed,
            });
            write_bytes_atomically(path, self.force, page.to_html()?.as_bytes())?;
        }
        let budget = &mapped.budget;
        let over = self.over(budget.cores_used, estimated.as_ref());
        let systems = systems(chip, budget.chips_needed);
        let json = json!({
            "network": network.name,
            "chip": chip.name,
            "mapped": true,
            "cores_used": budget.cores_used,
            "chips_needed": budget.chips_needed,
            "max_cores": self.max_cores,
            "max_energy_j": self.max_energy,
            "over_budget": !over.is_empty(),
            "binding_resource": budget.binding().map(|binding| binding.resource.key()),
            "next_resource": budget.next_binding().map(|binding| binding.resource.key()),
            "budget": budget,
            "systems": systems.iter().map(|(name, chips, spare)| {
                json!({ "name": name, "chips": chips, "spare_chips": spare })
            }).collect::<Vec<Value>>(),
            "activity": activity,
            "energy": estimated,
            "metrics": found,
            "metric_costs": costs,
            "compare": self.compare.then_some(&compared),
            "sweep": (!swept.is_empty()).then_some(&swept),
            "out": self.out.as_ref().map(|path| path.to_string_lossy()),
            "report": self.report.as_ref().map(|path| path.to_string_lossy()),
        });
        let mut text = budget.to_string();
        for (name, chips, spare) in &systems {
            text.push_str(&format!("fits {name} ({chips} chips, {spare} spare)\n"));
        }
        text.push('\n');
        match &estimated {
            Some(estimate) => {
                text.push_str(&estimate.to_string());
                text.push_str(&format!(
                    "  activity: {} ({} steps)\n",
                    activity.basis, activity.steps
                ));
            }
            None => text.push_str(&format!(
                "energy and time: unknown; none has been published for {}\n",
                chip.title
            )),
        }
        if self.compare {
            text.push_str(&show(compare_table(&compared)));
            for row in compared.iter().filter(|row| row.error.is_some()) {
                let error = row.error.as_deref().unwrap_or_default();
                let line = format!("{} {} {}: {error}\n", row.partitioner, row.placer, row.router);
                text.push_str(&line);
            }
            text.push_str(&format!("costs: {} ({})\n", costs.name, costs.source));
        }
        if !swept.is_empty() {
            text.push_str(&show(sweep_table(&swept)));
            text.push_str(&format!("{SWEEP_NOTE}\n"));
        }
        for line in &over {
            text.push_str(&format!("\nOVER BUDGET: {line}\n"));
        }
        Ok(Outcome::fine(json, text).with_finding(!over.is_empty()))
    }

    /// What is above its limit.
    fn over(&self, cores: u64, estimate: Option<&Estimate>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(most) = self.max_cores.filter(|&most| cores > most) {
            lines.push(format!("{cores} cores are used, --max-cores allows {most}"));
        }
        if let (Some(most), Some(estimate)) = (self.max_energy, estimate)
            && estimate.total_j > most
        {
            let (total, most) = (quantity(estimate.total_j, "J"), quantity(most, "J"));
            lines
                .push(format!("an inference takes {total} (modelled), --max-energy allows {most}"));
        }
        lines
    }

    /// An error with the smallest changes that would help.
    fn with_remedies(&self, error: Error, sweep: &Sweep<'_>) -> Error {
        let ways = sweep.smallest_changes();
        if ways.is_empty() {
            return error;
        }
        let each = ways.iter().filter_map(|outcome| {
            let change = outcome.change.as_ref()?;
            let (cores, chips) = (outcome.cores.unwrap_or(0), outcome.chips.unwrap_or(0));
            Some(format!(
                "{} = {} ({cores} cores, {chips} chip(s))",
                change.parameter, change.value
            ))
        });
        let each: Vec<String> = each.collect();
        Error::DoesNotFit {
            error: Box::new(error),
            remedies: format!(
                "the smallest change of each kind with which it fits: {}",
                each.join("; ")
            ),
        }
    }
}

/// A sweep of a network that does not fit as it is.
fn swept_only(sweep: &Sweep<'_>, changes: &[Change], error: &Error) -> Result<Outcome, Error> {
    let swept = sweep.run(changes);
    let json = json!({
        "network": sweep.network.name, "chip": sweep.limits.chip, "mapped": false,
        "error": error.to_string(), "over_budget": true, "sweep": swept,
    });
    let text = format!("{error}\n{}{SWEEP_NOTE}\n", show(sweep_table(&swept)));
    Ok(Outcome::fine(json, text).with_finding(true))
}

/// Boards and machines with at least so many chips: name, chips, spare ones; the smallest first.
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
