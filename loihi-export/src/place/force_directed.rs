//! `force_directed`: cores pull each other with their packets, and neighbours change places while
//! that brings them closer.
//!
//! From the space-filling curve on, each sweep computes for every core what stepping to a
//! neighbouring router would save, in parallel and on the same placement, and then makes the steps
//! from the strongest pull down, each only while it still saves. It ends when nothing moves.
//!
//! Reference: the second stage of O. Jin et al., ASPLOS 2023.

use rayon::prelude::*;

use super::traffic::Board;
use super::{PlaceTask, Placer, along, places_of};
use crate::mapping::{CorePosition, RouterPosition};

pub(super) const FORCE_DIRECTED: Placer = Placer {
    name: "force_directed",
    summary: "from the space-filling curve on, neighbours change places while that shortens ways",
    by_traffic: true,
    run,
};

/// Sweeps at most.
const SWEEPS: usize = 200;

fn run(task: &PlaceTask<'_>) -> Vec<CorePosition> {
    let start = along(task, super::space_filling_curve::order);
    let mut board = Board::new(&task.traffic, task.limits.mesh_columns, start);
    for _ in 0..SWEEPS {
        let mut pulls: Vec<(i128, u32, CorePosition)> = (0..board.cores.len() as u32)
            .into_par_iter()
            .filter_map(|core| strongest(task, &board, core))
            .collect();
        if pulls.is_empty() {
            break;
        }
        pulls.sort_unstable_by_key(|&(saving, core, _)| (std::cmp::Reverse(saving), core));
        for (_, core, place) in pulls {
            if board.saving(core, place) > 0 {
                board.exchange(core, place);
            }
        }
    }
    board.cores
}

/// The step of one core that saves most.
fn strongest(
    task: &PlaceTask<'_>,
    board: &Board<'_>,
    core: u32,
) -> Option<(i128, u32, CorePosition)> {
    let here = board.cores[core as usize].router;
    let mut best: Option<(i128, CorePosition)> = None;
    for router in neighbours(task, here) {
        for place in places_of(task.limits, router) {
            if board.holder(place).is_none() && !task.may_move_to(router.chip, here.chip) {
                continue;
            }
            let saving = board.saving(core, place);
            if saving > 0 && best.is_none_or(|(most, _)| saving > most) {
                best = Some((saving, place));
            }
        }
    }
    best.map(|(saving, place)| (saving, core, place))
}

fn neighbours(task: &PlaceTask<'_>, at: RouterPosition) -> Vec<RouterPosition> {
    let (columns, rows) = (task.limits.mesh_columns, task.limits.mesh_rows);
    let mut found = Vec::with_capacity(4);
    if at.x > 0 {
        found.push(RouterPosition { x: at.x - 1, ..at });
    } else if at.chip > 0 {
        found.push(RouterPosition { chip: at.chip - 1, x: columns - 1, y: at.y });
    }
    if at.x + 1 < columns {
        found.push(RouterPosition { x: at.x + 1, ..at });
    } else if at.chip + 1 < task.chips() {
        found.push(RouterPosition { chip: at.chip + 1, x: 0, y: at.y });
    }
    if at.y > 0 {
        found.push(RouterPosition { y: at.y - 1, ..at });
    }
    if at.y + 1 < rows {
        found.push(RouterPosition { y: at.y + 1, ..at });
    }
    found
}
