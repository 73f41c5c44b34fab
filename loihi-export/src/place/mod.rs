//! Choosing a core of the mesh for every logical core.
//!
//! Logical core `i` lies on chip `i / cores`, as Lava numbers them; a placer orders the routers of
//! a chip and cores fill them in that order. Inputs live on the host and take no place. To add a
//! placer: one file and one line in [`PLACERS`].

mod row_major;
mod space_filling_curve;

use serde::{Deserialize, Serialize};

use crate::mapping::limits::CoreLimits;
use crate::mapping::{CorePosition, RouterPosition};
use crate::partition::Partition;

/// Routers that a chip's mesh may have here; keeps its table small.
pub const MAX_ROUTERS: u64 = 1 << 22;

/// A way to order the routers of a chip.
pub struct Placer {
    /// Registry name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// All routers `(x, y)` of a mesh of (columns, rows), each once.
    order: fn(u32, u32) -> Vec<(u32, u32)>,
}

/// All placers; the first is the default.
pub static PLACERS: &[Placer] = &[space_filling_curve::SPACE_FILLING_CURVE, row_major::ROW_MAJOR];

/// What to place with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceConfig {
    /// Registry name of the placer.
    pub algorithm: String,
}

impl Default for PlaceConfig {
    fn default() -> Self {
        Self { algorithm: PLACERS[0].name.to_owned() }
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

/// Gives each logical core a place on a chip's mesh.
///
/// # Errors
/// [`PlaceError`]: an unknown algorithm or a mesh smaller than the chip's number of cores.
pub fn place(
    partition: &Partition,
    limits: &CoreLimits,
    config: &PlaceConfig,
) -> Result<Placement, PlaceError> {
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
    let order = (algorithm.order)(columns, rows);
    let position = |core: u32| {
        let (chip, on_chip) = (core / limits.cores, core % limits.cores);
        let (x, y) = *order.get((on_chip / per_router) as usize)?;
        Some(CorePosition { router: RouterPosition { chip, x, y }, core: on_chip % per_router })
    };
    Ok(Placement { cores: (0..partition.cores).filter_map(position).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placer_lists_each_router_once() {
        for placer in PLACERS {
            for (columns, rows) in [(1, 1), (8, 4), (4, 8), (8, 16), (5, 3), (16, 16), (1, 7)] {
                let mut routers = (placer.order)(columns, rows);
                assert_eq!(routers.len() as u32, columns * rows, "{}", placer.name);
                routers.sort_unstable();
                routers.dedup();
                assert_eq!(routers.len() as u32, columns * rows, "{}", placer.name);
                assert!(routers.iter().all(|&(x, y)| x < columns && y < rows));
            }
        }
    }

    #[test]
    fn the_curve_steps_to_a_neighbour_on_two_to_one_meshes() {
        let curve = PLACERS.iter().find(|p| p.name == "space_filling_curve").unwrap();
        for (columns, rows) in [(2, 2), (8, 4), (4, 8), (8, 8), (16, 8), (32, 32)] {
            let routers = (curve.order)(columns, rows);
            for pair in routers.windows(2) {
                let distance = pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1);
                assert_eq!(distance, 1, "{columns}×{rows}: {pair:?}");
            }
        }
    }
}
