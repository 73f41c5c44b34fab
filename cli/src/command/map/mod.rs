//! `spikeloom map`: arguments, stages and gates.

mod show;

use super::{Outcome, Run, Session, model};
use crate::output;
use crate::provenance::on_page;
use serde_json::json;
use show::{Findings, capacity_only, swept_only};
use spikeloom::error::Error;
use spikeloom::exports::{
    DEFAULT_STEPS, chip_source, is_trained_network, map_config, write_core_map,
};
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::energy::{Activity, Estimate, estimate, quantity, workload};
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig};
use spikeloom::loihi_export::metrics::{compare::compare, metrics};
use spikeloom::loihi_export::quantise::network::QuantisedNetwork;
use spikeloom::loihi_export::sweep::{Change, Sweep, parse};
use spikeloom::mapping_plan::{Capacity, activity, capacity, costs, profile};
use spikeloom::mapping_report::{MappingFindings, mapping_report};
use spikeloom::model_io::atomic::write_bytes_atomically;
use spikeloom::pipeline::map_to_chip;
use std::path::PathBuf;

/// Map a network to a chip's cores: what is used, what binds, energy, latency, what-if
#[derive(Debug, clap::Args)]
pub struct Map {
    /// Trained network, network description or netx file
    #[arg(value_name = "MODEL|NETWORK.toml|FILE.net")]
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

    /// Read a netx file on which netx stops where only one meaning is likely, and say so
    #[arg(long)]
    lenient: bool,

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
    #[arg(long, alias = "report", value_name = "mapping.html")]
    html: Option<PathBuf>,

    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

/// Told where a trained network is mapped without samples.
const WITHOUT_SAMPLES: &str = "converted without samples (--calibrate): thresholds come from noise, \
     which cores hardly depend on; rates are assumed";

/// Told of chips without the figures that a mapping needs.
const UNPUBLISHED: &str =
    "too little is published to map to its cores; what is known of the chip, not measured";
/// Told where a mapper made for Loihi does not get a network onto another chip.
const LIKE_LOIHI: &str = "its own mapper is not modelled, and one made for Loihi finds no mapping";

/// What was found besides the mapping itself.
struct Context<'a> {
    network: &'a QuantisedNetwork,
    chip: &'a ChipSpec,
    limits: CoreLimits,
    config: MapConfig,
    activity: Activity,
    changes: Vec<Change>,
    /// Needs against the chip's totals; none where the mapper is made for the chip.
    capacity: Vec<Capacity>,
    /// What a reader has to know, one line each.
    notes: Vec<String>,
}

impl Run for Map {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        output::check_target(self.html.as_deref(), self.force)?;
        let chip = self.chip.spec()?;
        let mut config = self.map_config()?;
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
        let mut notes: Vec<String> = chip.mapping_note.iter().cloned().collect();
        let trained = is_trained_network(&self.network)?;
        let conversion = match self.conversion.config(self.steps)? {
            None if trained => {
                notes.push(WITHOUT_SAMPLES.to_string());
                Some(self.conversion.any_config(self.steps))
            }
            given => given,
        };
        let source = chip_source(&self.network, conversion.as_ref(), self.lenient)?;
        let quantised = source.quantised(&chip)?;
        notes.extend(quantised.notes.iter().cloned());
        let rows = capacity(&quantised.network, &chip);
        let Ok(limits) = CoreLimits::of_chip(&chip) else {
            let rows = (rows.as_slice(), self.chips);
            return Ok(capacity_only(&quantised.network, &chip, rows, UNPUBLISHED));
        };
        let is_loihi = chip.mapping_note.is_none();
        let capacity = if is_loihi { Vec::new() } else { rows };
        let steps = self.steps.unwrap_or(DEFAULT_STEPS);
        let activity = activity(
            &self.network,
            &quantised.network,
            &chip,
            conversion.as_ref(),
            steps,
            self.rate,
        )?;
        config.place = config.place.weighed(&activity.rates);
        let network = &quantised.network;
        self.mapped(&Context {
            network,
            chip: &chip,
            limits,
            config,
            activity,
            changes,
            capacity,
            notes,
        })
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

    fn mapped(&self, context: &Context<'_>) -> Result<Outcome, Error> {
        let Context { network, chip, limits, config, activity, changes, capacity, notes } = context;
        let chosen = profile(chip, self.profile.as_deref())?;
        let sweep = Sweep { network, limits, config, profile: chosen, activity };
        let mapped = match map_to_chip(network, chip, config) {
            Ok(mapped) => mapped,
            Err(error) if !capacity.is_empty() && changes.is_empty() => {
                let reason =
                    format!("{LIKE_LOIHI} ({error}); what is known of the chip, not measured");
                let rows = (capacity.as_slice(), self.chips);
                return Ok(capacity_only(network, chip, rows, &reason));
            }
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
        if let Some(path) = &self.html {
            let page = mapping_report(&MappingFindings {
                checked: &mapped.checked,
                budget: &mapped.budget,
                chip,
                activity,
                estimate: estimated.as_ref(),
                metrics: &found,
                compared: &compared,
                costs,
                swept: &swept,
                notes,
                algorithms: [
                    config.partition.algorithm.clone(),
                    config.place.algorithm.clone(),
                    config.route.algorithm.clone(),
                ],
                seed: self.seed,
            });
            write_bytes_atomically(path, self.force, on_page(page).to_html()?.as_bytes())?;
        }
        let over = self.over(mapped.budget.cores_used, estimated.as_ref());
        let findings = Findings {
            network: &network.name,
            chip,
            budget: &mapped.budget,
            activity,
            estimate: estimated.as_ref(),
            metrics: &found,
            costs,
            compared: self.compare.then_some(compared.as_slice()),
            swept: &swept,
            capacity: (capacity.as_slice(), self.chips),
            over: &over,
            notes,
            limits: [
                ("max_cores", json!(self.max_cores)),
                ("max_energy_j", json!(self.max_energy)),
            ],
            files: [("out", self.out.as_deref()), ("html", self.html.as_deref())],
        };
        Ok(Outcome::fine(findings.json(), findings.text()).with_finding(!over.is_empty()))
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
