//! A large sheet of neurons with local synapses, mapped to as many chips as it needs.

use super::{BenchConfig, BenchReport, Workload, machine};
use crate::error::Error;
use crate::loihi_export::check::check;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::mapping::{CoreLimits, MapConfig, map};
use crate::loihi_export::quantise::network::{
    Connection, DelaySteps, QuantisedNetwork, QuantisedPopulation, QuantisedProjection, SignMode,
};
use crate::progress::Progress;
use crate::sim_core::engine::Instructions;
use crate::sim_core::network::Shape;
use crate::sim_core::random::{Purpose, draw};
use indexmap::IndexMap;
use rayon::prelude::*;
use std::time::Instant;

/// The workload.
pub(super) static WORKLOAD: Workload = Workload {
    name: "mapping",
    summary: "1,000,000 neurons with 100,000,000 listed synapses cut, placed, routed and checked for Loihi 2",
    run,
};

/// Neurons at scale 1; synapses of each.
const NEURONS: u32 = 1_000_000;
const SYNAPSES: u32 = 100;
/// Sources lie at most so far away, in rows and columns.
const REACH: u32 = 8;
/// Chips that may be used.
const CHIPS: u32 = 1152;

/// The network of a scale.
pub(super) fn network(config: &BenchConfig) -> Result<QuantisedNetwork, Error> {
    let side = f64::from(config.neurons(NEURONS)?).sqrt().round().max(f64::from(2 * REACH + 1));
    Ok(sheet(side as u32, config.seed))
}

/// Algorithms that are timed by the other workload, and as many chips as are needed.
pub(super) fn map_config(partitioner: &str) -> MapConfig {
    let mut config = MapConfig::default();
    config.partition.algorithm = partitioner.to_string();
    config.partition.chips = CHIPS;
    config
}

fn run(config: &BenchConfig, progress: &dyn Progress) -> Result<BenchReport, Error> {
    let started = Instant::now();
    let network = network(config)?;
    let build_s = started.elapsed().as_secs_f64();
    let limits = CoreLimits::of_chip(&ChipSpec::built_in("loihi2")?)?;
    let map_config = map_config("greedy_overlap");
    let (started, cpu) = (Instant::now(), machine::processor_seconds());
    let mapping = map(&network, &limits, &map_config)?;
    let mapped_s = started.elapsed().as_secs_f64();
    let checked = check(&network, &limits, mapping)?;
    let sim_s = started.elapsed().as_secs_f64();
    let cpu_s = machine::processor_seconds().zip(cpu).map(|(after, before)| after - before);
    let mapping = checked.mapping();
    progress.note(&format!(
        "{} cores on {} chips; mapped in {mapped_s:.1} s, checked in {:.1} s",
        mapping.cores.len(),
        mapping.cores.iter().map(|core| core.router.chip + 1).max().unwrap_or(0),
        sim_s - mapped_s
    ));
    let words = mapping.slices.iter().flat_map(|slice| {
        let runs = slice.runs.iter().flat_map(|run| [run.first, run.length]);
        runs.chain([slice.core])
    });
    let hash = words.fold(0xcbf2_9ce4_8422_2325u64, |hash, word| {
        (hash ^ u64::from(word)).wrapping_mul(0x100_0000_01b3)
    });
    Ok(report(WORKLOAD.name, config, &network, [build_s, sim_s], cpu_s, format!("{hash:016x}")))
}

/// The report of a mapping: seconds to build and to map, and a digest of what came out.
pub(super) fn report(
    workload: &'static str,
    config: &BenchConfig,
    network: &QuantisedNetwork,
    [build_s, sim_s]: [f64; 2],
    cpu_s: Option<f64>,
    spike_hash: String,
) -> BenchReport {
    let n_synapses = match &network.projections[0].connection {
        Connection::Sparse { weights, .. } => weights.len() as u64,
        _ => 0,
    };
    BenchReport {
        workload,
        scale: config.scale,
        threads: config.threads,
        seed: config.seed,
        simulated_ms: None,
        build_s,
        sim_s,
        cpu_s,
        rtf: None,
        peak_rss_mb: machine::peak_resident_megabytes(),
        bytes_per_synapse: None,
        n_neurons: network.populations[1].shape.size(),
        n_synapses,
        mean_rate_hz: None,
        rates_hz: IndexMap::new(),
        warm_up_ms: None,
        interval_cv: IndexMap::new(),
        correlation: IndexMap::new(),
        synaptic_events_per_s: 0.0,
        ns_per_neuron_step: None,
        milliseconds_per_image: None,
        spike_hash,
        instructions: Instructions::widest().name(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// A sheet of neurons; each has synapses from neurons at drawn places near it, at its edges from
/// the other side.
fn sheet(side: u32, seed: u64) -> QuantisedNetwork {
    let size = side * side;
    let rows: Vec<Vec<u32>> = (0..size)
        .into_par_iter()
        .map(|target| {
            let (y, x) = (target / side, target % side);
            let mut sources: Vec<u32> = (0..SYNAPSES)
                .map(|index| {
                    let words = draw(seed, Purpose::Example, target, u64::from(index), 7);
                    let at = |word: u32, here: u32| {
                        (here + side + word % (2 * REACH + 1) - REACH) % side
                    };
                    at(words[0], y) * side + at(words[1], x)
                })
                .collect();
            sources.sort_unstable();
            sources
        })
        .collect();
    let targets = (0..size).flat_map(|target| std::iter::repeat_n(target, SYNAPSES as usize));
    let count = size as usize * SYNAPSES as usize;
    let connection = Connection::Sparse {
        targets: targets.collect(),
        sources: rows.into_iter().flatten().collect(),
        weights: vec![2; count],
        sign_mode: SignMode::Excitatory,
        weight_bits: 8,
        weight_exponent: 0,
    };
    let population = |name: &str, process: &str, neurons: u32| QuantisedPopulation {
        name: name.to_string(),
        shape: Shape::List(neurons),
        process: process.to_string(),
        parameters: IndexMap::new(),
    };
    QuantisedNetwork {
        name: "sheet".to_string(),
        chip: "loihi2".to_string(),
        populations: vec![population("input", "input", 1), population("sheet", "lif", size)],
        projections: vec![QuantisedProjection {
            connection,
            name: "local".to_string(),
            source: 1,
            target: 1,
            delay: DelaySteps::One(0),
            message_bits: 0,
            port: 0,
            learning: None,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_small_sheet_maps_the_same_way_on_any_number_of_threads() {
        let config = BenchConfig { scale: 0.004, threads: 1, simulate: None, seed: 1, model: None };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&config, &Silent)).unwrap()
        };
        let (one, three) = (on(1), on(3));
        assert_eq!(one.spike_hash, three.spike_hash);
        assert_eq!(one.n_synapses, one.n_neurons * u64::from(SYNAPSES));
        assert!((3900..4100).contains(&one.n_neurons), "{}", one.n_neurons);
    }
}
