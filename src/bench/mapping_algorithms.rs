//! Every partitioner, placer and router on the sheet of the workload `mapping`, each stage timed.

use super::mapping::{map_config, network, report};
use super::{BenchConfig, BenchReport, Workload, machine};
use crate::error::Error;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::mapping::CoreLimits;
use crate::loihi_export::partition::{PARTITIONERS, Partition, partition};
use crate::loihi_export::place::{PLACERS, PlaceConfig, place};
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::loihi_export::route::{ROUTERS, RouteConfig, route};
use crate::progress::Progress;
use std::time::Instant;

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "mapping_algorithms",
    summary: "the network of `mapping` with every partitioner, placer and router, one note a stage",
    run,
};

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let started = Instant::now();
    let network = network(config)?;
    let build_s = started.elapsed().as_secs_f64();
    let limits = CoreLimits::of_chip(&ChipSpec::built_in("loihi2")?)?;
    let (started, cpu) = (Instant::now(), machine::processor_seconds());
    let mut sums: Vec<u64> = Vec::new();
    for entry in PARTITIONERS {
        let (stage, before) = (Instant::now(), machine::processor_seconds());
        match partition(&network, &limits, &map_config(entry.name).partition) {
            Ok(cut) => {
                let seconds = stage.elapsed().as_secs_f64();
                let (name, cores) = (entry.name, cut.cores);
                let after = machine::processor_seconds();
                let cpu = after.zip(before).map_or(f64::NAN, |(after, before)| after - before);
                progress.note(&format!(
                    "partitioner {name}: {seconds:.1} s, {cpu:.1} s of processor time, {cores} cores"
                ));
                sums.push(u64::from(cores));
                if entry.name == "greedy_overlap" {
                    place_and_route(&network, &cut, &limits, progress, &mut sums)?;
                }
            }
            Err(error) => progress.note(&format!("partitioner {}: {error}", entry.name)),
        }
    }
    let sim_s = started.elapsed().as_secs_f64();
    let cpu_s = machine::processor_seconds().zip(cpu).map(|(after, before)| after - before);
    let hash = sums
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, word| (hash ^ word).wrapping_mul(0x100_0000_01b3));
    Ok(report(WORKLOAD.name, config, &network, [build_s, sim_s], cpu_s, format!("{hash:016x}")))
}

fn place_and_route(
    network: &QuantisedNetwork,
    cut: &Partition,
    limits: &CoreLimits,
    progress: &dyn Progress,
    sums: &mut Vec<u64>,
) -> Result<(), Error> {
    use crate::loihi_export::mapping::MapError;
    for placer in PLACERS {
        let stage = Instant::now();
        let place_config =
            PlaceConfig { algorithm: placer.name.to_string(), ..PlaceConfig::default() };
        let (cut, places) =
            place(network, cut.clone(), limits, &place_config).map_err(MapError::from)?;
        let placed = stage.elapsed().as_secs_f64();
        for router in ROUTERS {
            let stage = Instant::now();
            let route_config = RouteConfig { algorithm: router.name.to_string() };
            let routes =
                route(network, &cut, &places, limits, &route_config).map_err(MapError::from)?;
            let load = routes.links.iter().fold(0u64, |sum, link| sum.saturating_add(link.axons));
            let routed = stage.elapsed().as_secs_f64();
            let (placer, router) = (placer.name, router.name);
            progress.note(&format!(
                "placer {placer}: {placed:.1} s; router {router}: {routed:.1} s, {load} packets \
                 over links"
            ));
            sums.push(load);
        }
    }
    Ok(())
}
