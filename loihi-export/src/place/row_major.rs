//! `row_major`: routers line by line, the baseline.

use super::{PlaceTask, Placer, along};
use crate::mapping::CorePosition;

pub(super) const ROW_MAJOR: Placer =
    Placer { name: "row_major", summary: "routers line by line", by_traffic: false, run };

fn run(task: &PlaceTask<'_>) -> Vec<CorePosition> {
    along(task, order)
}

pub(super) fn order(columns: u32, rows: u32) -> Vec<(u32, u32)> {
    (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).collect()
}
