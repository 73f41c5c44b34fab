//! Choosing a core of the mesh for every logical core.
//!
//! A placer gives each logical core a place; chips are filled one after the other, and inputs live
//! on the host and take no place. Afterwards logical cores are numbered anew, chip by chip, so that
//! logical core `i` lies on chip `i / cores`, as Lava numbers them. To add a placer: one file and
//! one line in [`PLACERS`].

mod force_directed;
mod row_major;
mod simulated_annealing;
mod space_filling_curve;
mod traffic;

use serde::{Deserialize, Serialize};

use crate::mapping::limits::CoreLimits;
use crate::mapping::{CorePosition, RouterPosition};
use crate::partition::Partition;
use crate::quantise::network::QuantisedNetwork;
pub use traffic::{Traffic, distance};

/// Routers that a chip's mesh may have here; keeps its table small.
pub const MAX_ROUTERS: u64 = 1 << 22;

/// A way to place cores.
pub struct Placer {
    /// Registry name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// Whether it looks at the packets between cores, which are counted for it then.
    by_traffic: bool,
    /// A place for each core.
    run: fn(&PlaceTask<'_>) -> Vec<CorePosition>,
}

/// What a placer is given; the mesh has places for all cores.
struct PlaceTask<'a> {
    limits: &'a CoreLimits,
    /// Cores to place.
    cores: u32,
    /// Empty for placers that do not look at it.
    traffic: Traffic,
    seed: u64,
}

impl PlaceTask<'_> {
    /// Chips that the cores need.
    fn chips(&self) -> u32 {
        self.cores.div_ceil(self.limits.cores.max(1)).max(1)
    }

    /// Whether a core may go from one chip to a free place of another: never, so that every chip
    /// keeps its number of cores; exchanges between chips are free.
    fn may_move_to(&self, to: u32, from: u32) -> bool {
        to == from
    }
}

/// Cores in the order of their numbers along an order of a mesh's routers.
fn along(task: &PlaceTask<'_>, order: fn(u32, u32) -> Vec<(u32, u32)>) -> Vec<CorePosition> {
    let limits = task.limits;
    let order = order(limits.mesh_columns, limits.mesh_rows);
    let per_router = limits.cores_per_router.max(1);
    let position = |core: u32| {
        let (chip, on_chip) = (core / limits.cores.max(1), core % limits.cores.max(1));
        let (x, y) = *order.get((on_chip / per_router) as usize)?;
        Some(CorePosition { router: RouterPosition { chip, x, y }, core: on_chip % per_router })
    };
    (0..task.cores).filter_map(position).collect()
}

/// The places at a router.
fn places_of(limits: &CoreLimits, router: RouterPosition) -> impl Iterator<Item = CorePosition> {
    (0..limits.cores_per_router).map(move |core| CorePosition { router, core })
}

/// All placers; the first is the default.
pub static PLACERS: &[Placer] = &[
    space_filling_curve::SPACE_FILLING_CURVE,
    row_major::ROW_MAJOR,
    force_directed::FORCE_DIRECTED,
    simulated_annealing::SIMULATED_ANNEALING,
];

/// What to place with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceConfig {
    /// Registry name of the placer.
    pub algorithm: String,
    /// Seed of algorithms that draw; the same seed gives the same placement.
    pub seed: u64,
    /// Spikes of a neuron of each population in a million steps: what weighs its packets. Empty
    /// where all populations are taken to be equally active.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spikes_per_million: Vec<u32>,
}

impl Default for PlaceConfig {
    fn default() -> Self {
        Self { algorithm: PLACERS[0].name.to_owned(), seed: 1, spikes_per_million: Vec::new() }
    }
}

impl PlaceConfig {
    /// The same with packets weighed by rates: spikes of a neuron in a step, one a population.
    #[must_use]
    pub fn weighed(mut self, rates: &[f64]) -> Self {
        // a float becomes the nearest integer of the range
        self.spikes_per_million = rates.iter().map(|rate| (rate * 1e6).round() as u32).collect();
        self
    }
}

/// The position of each logical core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// One position a logical core.
    pub cores: Vec<CorePosition>,
}

/// Why cores cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No placer has this name.
    #[error("unknown placer `{name}`; known: {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The chip description has fewer places than cores, or too many routers for a table.
    #[error(
        "{chip}: a mesh of {columns}×{rows} routers with {cores_per_router} core(s) each does not \
         give places for {cores} cores (at most {MAX_ROUTERS} routers); correct the chip description"
    )]
    Mesh {
        /// Name of the chip.
        chip: String,
        /// Columns of the mesh.
        columns: u32,
        /// Rows of the mesh.
        rows: u32,
        /// Cores at a router.
        cores_per_router: u32,
        /// Cores of a chip.
        cores: u32,
    },
}

/// Gives each logical core a place on a chip's mesh; returns the partition with its cores numbered
/// chip by chip.
///
/// # Errors
/// [`PlaceError`]: an unknown algorithm or a mesh smaller than the chip's number of cores.
pub fn place(
    network: &QuantisedNetwork,
    partition: Partition,
    limits: &CoreLimits,
    config: &PlaceConfig,
) -> Result<(Partition, Placement), PlaceError> {
    let algorithm =
        PLACERS.iter().find(|p| p.name == config.algorithm).ok_or_else(|| PlaceError::Unknown {
            name: config.algorithm.clone(),
            known: PLACERS.iter().map(|p| p.name).collect(),
        })?;
    let (columns, rows, per_router) =
        (limits.mesh_columns, limits.mesh_rows, limits.cores_per_router);
    let routers = u64::from(columns) * u64::from(rows);
    let places = routers.saturating_mul(per_router.into());
    if routers > MAX_ROUTERS || places < limits.cores.into() || limits.cores == 0 {
        return Err(PlaceError::Mesh {
            chip: limits.chip.clone(),
            columns,
            rows,
            cores_per_router: per_router,
            cores: limits.cores,
        });
    }
    let traffic = match algorithm.by_traffic {
        true => Traffic::of(network, &partition, limits, &config.spikes_per_million),
        false => Traffic::default(),
    };
    let task = PlaceTask { limits, cores: partition.cores, traffic, seed: config.seed };
    Ok(numbered_by_chip(partition, (algorithm.run)(&task)))
}

/// Numbers cores by chip, else in the order they had.
fn numbered_by_chip(mut partition: Partition, places: Vec<CorePosition>) -> (Partition, Placement) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&core| (places[core].router.chip, core));
    let mut number = vec![0u32; places.len()];
    (0u32..).zip(&order).for_each(|(new, &old)| number[old] = new);
    for slice in &mut partition.slices {
        slice.core = number.get(slice.core as usize).copied().unwrap_or(slice.core);
    }
    (partition, Placement { cores: order.into_iter().map(|core| places[core]).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of cores with packets between neighbours.
    fn ring(limits: &CoreLimits, cores: u32) -> PlaceTask<'_> {
        let beside = |core: u32| vec![((core + 1) % cores, 5), ((core + cores - 1) % cores, 5)];
        let traffic = Traffic { with: (0..cores).map(beside).collect() };
        PlaceTask { limits, cores, traffic, seed: 3 }
    }

    fn limits(columns: u32, rows: u32, cores_per_router: u32, cores: u32) -> CoreLimits {
        let chip = crate::chip::ChipSpec::built_in("loihi2").unwrap();
        CoreLimits {
            mesh_columns: columns,
            mesh_rows: rows,
            cores_per_router,
            cores,
            ..CoreLimits::of_chip(&chip).unwrap()
        }
    }

    #[test]
    fn every_placer_gives_each_core_a_place_of_its_own_and_chips_their_share() {
        for placer in PLACERS {
            for (columns, rows, per_router, on_chip, cores) in
                [(1, 1, 1, 1, 1), (8, 4, 4, 120, 37), (5, 3, 2, 29, 70), (16, 16, 1, 256, 200)]
            {
                let limits = limits(columns, rows, per_router, on_chip);
                let places = (placer.run)(&ring(&limits, cores));
                assert_eq!(places, (placer.run)(&ring(&limits, cores)), "{}", placer.name);
                let mut sorted = places.clone();
                sorted.sort_unstable();
                sorted.dedup();
                assert_eq!(sorted.len() as u32, cores, "{}", placer.name);
                for chip in 0..cores.div_ceil(on_chip) {
                    let here = places.iter().filter(|place| place.router.chip == chip).count();
                    assert_eq!(here as u32, on_chip.min(cores - chip * on_chip));
                }
                let on_mesh = |place: &CorePosition| {
                    place.router.x < columns && place.router.y < rows && place.core < per_router
                };
                assert!(places.iter().all(on_mesh));
            }
        }
    }

    #[test]
    fn forces_and_annealing_only_shorten_the_ways_of_packets() {
        let limits = limits(6, 6, 1, 36);
        let mut task = ring(&limits, 36);
        // scattered partners, so that the curve is far from the best
        task.traffic =
            Traffic { with: (0..36u32).map(|core| vec![((core * 7 + 18) % 36, 3)]).collect() };
        for core in 0..36u32 {
            let to = task.traffic.with[core as usize][0].0;
            task.traffic.with[to as usize].push((core, 3));
        }
        let cost =
            |placer: &Placer| traffic::Board::new(&task.traffic, 6, (placer.run)(&task)).cost();
        let costs: Vec<u128> = PLACERS.iter().map(cost).collect();
        assert!(costs[2] < costs[0] && costs[3] <= costs[2], "{costs:?}");
    }

    #[test]
    fn the_curve_steps_to_a_neighbour_on_two_to_one_meshes() {
        for (columns, rows) in [(2, 2), (8, 4), (4, 8), (8, 8), (16, 8), (32, 32)] {
            let routers = space_filling_curve::order(columns, rows);
            for pair in routers.windows(2) {
                let distance = pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1);
                assert_eq!(distance, 1, "{columns}×{rows}: {pair:?}");
            }
        }
    }
}
