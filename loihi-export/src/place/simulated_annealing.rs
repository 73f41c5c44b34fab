//! `simulated_annealing`: random exchanges of cores, worse ones allowed less and less.
//!
//! A fixed number of chains with seeds of their own run in parallel from the force-directed
//! placement; the best end wins, the first at a tie, so that the result depends on the seed and not
//! on threads. The best placement that a chain saw is kept, never one worse than the start.
//!
//! Reference: S. Kirkpatrick, C. Gelatt, M. Vecchi, Science 220 (1983).

use rayon::prelude::*;
use sim_core::random::{Purpose, Stream, uniform};

use super::traffic::Board;
use super::{PlaceTask, Placer};
use crate::mapping::{CorePosition, RouterPosition};

pub(super) const SIMULATED_ANNEALING: Placer = Placer {
    name: "simulated_annealing",
    summary: "from the force-directed placement on, random exchanges that cool down (seeded)",
    by_traffic: true,
    run,
};

/// Chains with different seeds.
const CHAINS: u32 = 4;
/// Exchanges tried for each core, and in all.
const TRIES_PER_CORE: u64 = 400;
const MOST_TRIES: u64 = 400_000;
/// Temperatures from the first to the last, each this times the one before.
const COOLING: f64 = 0.92;
const TEMPERATURES: u64 = 60;

fn run(task: &PlaceTask<'_>) -> Vec<CorePosition> {
    let start = (super::force_directed::FORCE_DIRECTED.run)(task);
    if start.len() < 2 {
        return start;
    }
    let chain = |chain: u32| anneal(task, start.clone(), chain);
    let ends: Vec<_> = (0..CHAINS).into_par_iter().map(chain).collect();
    ends.into_iter().min_by_key(|(cost, _)| *cost).map_or(start, |(_, cores)| cores)
}

fn anneal(task: &PlaceTask<'_>, start: Vec<CorePosition>, chain: u32) -> (u128, Vec<CorePosition>) {
    let limits = task.limits;
    let cores = start.len() as u64;
    let mut board = Board::new(&task.traffic, limits.mesh_columns, start);
    let mut cost = board.cost() as i128;
    let (mut best, mut best_cost) = (board.cores.clone(), cost);
    let tries = (cores * TRIES_PER_CORE).min(MOST_TRIES) / TEMPERATURES;
    // The first temperature takes a step that costs a core's usual share with fair probability.
    let mut temperature = (cost as f64 / cores as f64 / 4.0).max(1.0);
    let mut draws = Stream::new(task.seed, Purpose::Placement, chain, 0);
    for _ in 0..TEMPERATURES {
        for _ in 0..tries.max(1) {
            let words = draws.next_words();
            let below = |word: usize, bound: u32| words[word] % bound.max(1);
            let core = below(0, cores as u32);
            let here = board.cores[core as usize];
            let at = below(1, limits.mesh_columns.saturating_mul(limits.mesh_rows));
            let router = RouterPosition {
                chip: below(2, task.chips()),
                x: at % limits.mesh_columns.max(1),
                y: at / limits.mesh_columns.max(1),
            };
            let place = CorePosition { router, core: below(3, limits.cores_per_router) };
            let free = board.holder(place).is_none();
            if place == here || (free && !task.may_move_to(router.chip, here.router.chip)) {
                continue;
            }
            let saving = board.saving(core, place);
            if saving >= 0 || uniform(draws.next_words()) < (saving as f64 / temperature).exp() {
                board.exchange(core, place);
                cost -= saving;
                if cost < best_cost {
                    best_cost = cost;
                    best.clone_from(&board.cores);
                }
            }
        }
        temperature *= COOLING;
    }
    (best_cost as u128, best)
}
