//! What is on its way: deliveries by the window that they arrive in.
//!
//! A window is as long as the shortest delay, so what is sent in one arrives in a later one and a
//! window's deliveries are complete when it begins. They are sorted once, when they are due.

use crate::time::Time;
use std::collections::BTreeMap;

/// Something that arrives at a time; see the module.
pub(super) trait Arrives: Ord + Copy {
    /// When.
    fn time(&self) -> Time;
}

#[derive(Debug)]
pub(super) struct Calendar<E> {
    /// Length of a window; above zero.
    window: Time,
    /// Entries by the number of the window (start, end] that they arrive in.
    windows: BTreeMap<i64, Vec<E>>,
    spare: Vec<Vec<E>>,
}

/// Empty lists that are kept for use again.
const MOST_SPARE: usize = 256;

impl<E: Arrives> Calendar<E> {
    pub(super) fn new(window: Time) -> Self {
        Calendar { window: window.max(Time(1)), windows: BTreeMap::new(), spare: Vec::new() }
    }

    fn number(&self, time: Time) -> i64 {
        (time.0.max(1) - 1) / self.window.0
    }

    /// The end of the window that `time` lies in.
    pub(super) fn end_of_window(&self, time: Time) -> Time {
        Time((self.number(time) + 1).saturating_mul(self.window.0))
    }

    /// Adds an entry; one at [`Time::NEVER`] does not arrive.
    pub(super) fn push(&mut self, entry: E) {
        if entry.time() < Time::NEVER {
            let list = self.windows.entry(self.number(entry.time()));
            list.or_insert_with(|| self.spare.pop().unwrap_or_default()).push(entry);
        }
    }

    /// When the next entry arrives.
    pub(super) fn next_time(&self) -> Option<Time> {
        let (_, entries) = self.windows.first_key_value()?;
        entries.iter().map(Arrives::time).min()
    }

    /// Moves the entries of the first window that arrive not later than `until` to `due`, sorted.
    pub(super) fn take(&mut self, until: Time, due: &mut Vec<E>) {
        due.clear();
        let Some(mut first) = self.windows.first_entry() else {
            return;
        };
        let entries = first.get_mut();
        entries.sort_unstable();
        let count = entries.partition_point(|entry| entry.time() <= until);
        if count == entries.len() {
            let mut list = first.remove();
            due.append(&mut list);
            if self.spare.len() < MOST_SPARE {
                self.spare.push(list);
            }
        } else {
            due.extend(entries.drain(..count));
        }
    }

    /// All that is on its way, in no order that matters.
    pub(super) fn entries(&self) -> impl Iterator<Item = &E> {
        self.windows.values().flatten()
    }

    pub(super) fn clear(&mut self) {
        self.windows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Arrives for (i64, u32) {
        fn time(&self) -> Time {
            Time(self.0)
        }
    }

    #[test]
    fn entries_come_by_window_in_order_and_a_cut_window_keeps_its_rest() {
        let mut calendar = Calendar::new(Time(10));
        for entry in [(25, 1), (7, 3), (10, 2), (11, 0), (7, 1), (i64::MAX, 9)] {
            calendar.push(entry);
        }
        let mut due = Vec::new();
        assert_eq!(calendar.next_time(), Some(Time(7)));
        assert_eq!(calendar.end_of_window(Time(10)), Time(10));
        assert_eq!(calendar.end_of_window(Time(11)), Time(20));
        calendar.take(Time(7), &mut due);
        assert_eq!(due, [(7, 1), (7, 3)]);
        calendar.take(Time(10), &mut due);
        assert_eq!(due, [(10, 2)]);
        calendar.take(Time(20), &mut due);
        assert_eq!(due, [(11, 0)]);
        calendar.take(Time(30), &mut due);
        assert_eq!((due.as_slice(), calendar.next_time()), (&[(25, 1)][..], None));
    }
}
