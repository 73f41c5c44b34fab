//! `multicast_tree`: one packet a spike, copied where the ways to its target cores part.
//!
//! All spikes of a core use one tree: target cores are joined in the order of their distance, each
//! by the shortest way from the nearest router that is in the tree already (first along the row,
//! then along the column). A spike uses the part of the tree that leads to its own targets.

use std::collections::BTreeMap;

use super::{Router, xy};
use crate::mapping::{Casting, RouterPosition};
use crate::place::distance;

pub(super) const MULTICAST_TREE: Router = Router {
    name: "multicast_tree",
    summary: "one packet a spike over a tree, copied where the ways part",
    casting: Casting::Multicast,
    paths,
};

fn paths(from: RouterPosition, to: &[RouterPosition], columns: u32) -> Vec<Vec<RouterPosition>> {
    let mut order: Vec<RouterPosition> = to.to_vec();
    order.sort_by_key(|&router| (distance(from, router, columns), router));
    order.dedup();
    // the way from the source to every router of the tree
    let mut tree: BTreeMap<RouterPosition, Vec<RouterPosition>> = BTreeMap::new();
    tree.insert(from, vec![from]);
    for router in order {
        if tree.contains_key(&router) {
            continue;
        }
        let nearest =
            tree.keys().min_by_key(|&&joined| (distance(joined, router, columns), joined));
        let Some(way) = nearest.and_then(|nearest| tree.get(nearest)).cloned() else { continue };
        let mut way = way;
        let Some(&joint) = way.last() else { continue };
        for step in xy::path(joint, router, columns).into_iter().skip(1) {
            way.push(step);
            // The nearest router was chosen, so that no router of the tree lies on the way.
            tree.entry(step).or_insert_with(|| way.clone());
        }
    }
    to.iter().map(|router| tree.get(router).cloned().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ways_form_a_tree_that_is_no_longer_than_separate_ways() {
        let at = |x: u32, y: u32| RouterPosition { chip: 0, x, y };
        let targets = [at(3, 3), at(3, 1), at(0, 4), at(5, 3), at(2, 2), at(2, 2), at(1, 1)];
        let ways = paths(at(1, 1), &targets, 8);
        let mut parent = BTreeMap::new();
        let mut links = BTreeSet::new();
        let mut separate = BTreeSet::new();
        for (way, &target) in ways.iter().zip(&targets) {
            assert_eq!((way.first(), way.last()), (Some(&at(1, 1)), Some(&target)));
            for step in way.windows(2) {
                assert_eq!(distance(step[0], step[1], 8), 1);
                assert_eq!(*parent.entry(step[1]).or_insert(step[0]), step[0]);
                links.insert((step[0], step[1]));
            }
            separate.extend(xy::path(at(1, 1), target, 8).windows(2).map(|s| (s[0], s[1])));
        }
        assert!(links.len() <= separate.len(), "{} > {}", links.len(), separate.len());
    }
}
