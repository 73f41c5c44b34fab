//! `xy`: first along the row, then along the column (dimension order), which cannot deadlock.
//!
//! Chips lie side by side: the last column of a chip neighbours the first column of the next.

use super::Router;
use crate::mapping::{Casting, RouterPosition};

pub(super) const XY: Router = Router {
    name: "xy",
    summary: "first along the row, then along the column, a packet for each axon",
    casting: Casting::Unicast,
    paths,
};

fn paths(from: RouterPosition, to: &[RouterPosition], columns: u32) -> Vec<Vec<RouterPosition>> {
    to.iter().map(|&to| path(from, to, columns)).collect()
}

/// The shortest way that goes along the row first.
pub(super) fn path(from: RouterPosition, to: RouterPosition, columns: u32) -> Vec<RouterPosition> {
    let columns = u64::from(columns.max(1));
    let global = |router: RouterPosition| u64::from(router.chip) * columns + u64::from(router.x);
    let local =
        |x: u64, y: u32| RouterPosition { chip: (x / columns) as u32, x: (x % columns) as u32, y };
    let (mut x, mut y) = (global(from), from.y);
    let (end_x, end_y) = (global(to), to.y);
    let mut path = vec![local(x, y)];
    while x != end_x {
        x = if x < end_x { x + 1 } else { x - 1 };
        path.push(local(x, y));
    }
    while y != end_y {
        y = if y < end_y { y + 1 } else { y - 1 };
        path.push(local(x, y));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(chip: u32, x: u32, y: u32) -> RouterPosition {
        RouterPosition { chip, x, y }
    }

    #[test]
    fn a_path_goes_along_the_row_first_and_crosses_chips_at_their_border() {
        assert_eq!(path(at(0, 2, 1), at(0, 2, 1), 8), [at(0, 2, 1)]);
        assert_eq!(path(at(0, 1, 1), at(0, 2, 0), 8), [at(0, 1, 1), at(0, 2, 1), at(0, 2, 0)]);
        assert_eq!(
            path(at(1, 1, 0), at(0, 3, 1), 4),
            [at(1, 1, 0), at(1, 0, 0), at(0, 3, 0), at(0, 3, 1)]
        );
    }
}
