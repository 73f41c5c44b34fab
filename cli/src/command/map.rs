//! `spikeloom map`.

use super::{Outcome, Run, Session, model};
use crate::output;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::exports::{chip, chip_network, map_config, quantised, write_core_map};
use spikeloom::pipeline::map_to_chip;
use std::path::PathBuf;

/// Map a network to a chip's cores: what is used, what is available, what binds
#[derive(Debug, clap::Args)]
pub struct Map {
    /// Trained network or network description
    #[arg(value_name = "MODEL.onnx|NETWORK.toml")]
    network: PathBuf,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Number of steps that a conversion is made for [default: 8]
    #[arg(long, value_name = "T", requires = "calibrate",
          value_parser = clap::value_parser!(u32).range(1..))]
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

    /// Let populations share cores
    #[arg(long)]
    share_cores: bool,

    /// Exit with 1 where more cores are needed
    #[arg(long, value_name = "N")]
    max_cores: Option<u64>,

    /// Write the core map
    #[arg(long, value_name = "core_map.json")]
    out: Option<PathBuf>,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Map {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(self.out.as_deref(), self.force)?;
        let chip = chip(&self.chip.chip, self.chip.chip_file.as_deref())?;
        let (partitioner, placer) = (self.partitioner.as_deref(), self.placer.as_deref());
        let router = self.router.as_deref();
        let config = map_config(partitioner, placer, router, self.share_cores, self.chips)?;
        let conversion = self.conversion.config(self.steps)?;
        let network = chip_network(&self.network, conversion.as_ref())?;
        let quantised = quantised(&network, &chip)?;
        let mapped = map_to_chip(&quantised.network, &chip, &config)?;
        if let Some(path) = &self.out {
            write_core_map(&mapped, path, self.force)?;
        }
        let budget = &mapped.budget;
        let over = self.max_cores.is_some_and(|most| budget.cores_used > most);
        let json = json!({
            "network": quantised.network.name,
            "chip": chip.name,
            "cores_used": budget.cores_used,
            "chips_needed": budget.chips_needed,
            "max_cores": self.max_cores,
            "over_budget": over,
            "binding_resource": budget.binding().map(|binding| binding.resource.key()),
            "budget": budget,
            "out": self.out.as_ref().map(|path| path.to_string_lossy()),
        });
        let mut text = budget.to_string();
        if let (true, Some(most)) = (over, self.max_cores) {
            let used = budget.cores_used;
            text.push_str(&format!(
                "\nOVER BUDGET: {used} cores are used, --max-cores allows {most}\n"
            ));
        }
        Ok(Outcome::fine(json, text).with_finding(over))
    }
}
