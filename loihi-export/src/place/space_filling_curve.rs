//! `space_filling_curve`: routers along Hilbert's curve, so that cores close in number are close on
//! the mesh.
//!
//! References: D. Hilbert, Math. Annalen 38 (1891); as the first placement of spiking networks in
//! O. Jin et al., ASPLOS 2023.

use super::{PlaceTask, Placer, along};
use crate::mapping::CorePosition;

pub(super) const SPACE_FILLING_CURVE: Placer = Placer {
    name: "space_filling_curve",
    summary: "routers along Hilbert's curve; neighbours in number are neighbours on the mesh",
    by_traffic: false,
    run,
};

fn run(task: &PlaceTask<'_>) -> Vec<CorePosition> {
    along(task, order)
}

/// Hilbert's curve over the enclosing square, without the points off the mesh.
///
/// The curve's first two quarters lie along the mesh's longer side, so that a mesh of 2:1 is
/// passed without a jump.
pub(super) fn order(columns: u32, rows: u32) -> Vec<(u32, u32)> {
    let side = columns.max(rows);
    // A mesh much longer than wide would need a square far larger than itself.
    if u64::from(side) * u64::from(side) > 4 * super::MAX_ROUTERS {
        return serpentine(columns, rows);
    }
    let mut points = vec![(0u32, 0u32)];
    let mut extent = 1;
    while extent < side {
        points = double(&points, extent);
        extent *= 2;
    }
    // `double` puts the first and second quarter one above the other
    let turn = |(x, y)| if columns > rows { (y, x) } else { (x, y) };
    points.into_iter().map(turn).filter(|&(x, y)| x < columns && y < rows).collect()
}

/// The curve of twice the extent from four copies, of which the first and the last are mirrored.
fn double(points: &[(u32, u32)], extent: u32) -> Vec<(u32, u32)> {
    let first = points.iter().map(|&(x, y)| (y, x));
    let second = points.iter().map(|&(x, y)| (x, y + extent));
    let third = points.iter().map(|&(x, y)| (x + extent, y + extent));
    let last = points.iter().map(|&(x, y)| (2 * extent - 1 - y, extent - 1 - x));
    first.chain(second).chain(third).chain(last).collect()
}

/// Lines back and forth.
fn serpentine(columns: u32, rows: u32) -> Vec<(u32, u32)> {
    let line =
        |y| (0..columns).map(move |x| if y % 2 == 0 { (x, y) } else { (columns - 1 - x, y) });
    (0..rows).flat_map(line).collect()
}
