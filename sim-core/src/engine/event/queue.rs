//! The queue of the event-driven engine: what happens, by time.
//!
//! Many events share a time (input on the grid, stepwise models), so a time is found once and its
//! events lie in one list: a million spikes on a grid cost a list push each instead of a sift
//! through a heap of a million. Lists are used again when their time has passed.

use crate::time::Time;
use std::collections::BTreeMap;

/// Events by time; within a time they are handed out in ascending order.
#[derive(Debug)]
pub(super) struct Queue<E> {
    times: BTreeMap<Time, Vec<E>>,
    spare: Vec<Vec<E>>,
}

/// Empty lists that are kept for use again.
const MOST_SPARE: usize = 1024;

impl<E: Ord> Queue<E> {
    pub(super) fn new() -> Self {
        Queue { times: BTreeMap::new(), spare: Vec::new() }
    }

    /// Adds an event; one at [`Time::NEVER`] does not happen.
    pub(super) fn push(&mut self, time: Time, event: E) {
        if time < Time::NEVER {
            let list = self.times.entry(time);
            list.or_insert_with(|| self.spare.pop().unwrap_or_default()).push(event);
        }
    }

    /// The earliest time at which something happens.
    pub(super) fn next_time(&self) -> Option<Time> {
        self.times.first_key_value().map(|(time, _)| *time)
    }

    /// Takes all events of a time, ascending.
    pub(super) fn take(&mut self, time: Time) -> Option<Vec<E>> {
        let mut events = self.times.remove(&time)?;
        events.sort_unstable();
        Some(events)
    }

    /// Gives an emptied list back for use again.
    pub(super) fn give_back(&mut self, mut list: Vec<E>) {
        list.clear();
        if self.spare.len() < MOST_SPARE {
            self.spare.push(list);
        }
    }

    pub(super) fn clear(&mut self) {
        self.times.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_within_a_time_in_order() {
        let mut queue = Queue::new();
        for (time, event) in [(5, 3), (2, 9), (5, 1), (i64::MAX, 7), (2, 8), (9, 0)] {
            queue.push(Time(time), event);
        }
        let mut seen = Vec::new();
        while let Some(time) = queue.next_time() {
            let events = queue.take(time).unwrap();
            seen.push((time.0, events.clone()));
            queue.give_back(events);
        }
        assert_eq!(seen, [(2, vec![8, 9]), (5, vec![1, 3]), (9, vec![0])]);
    }
}
