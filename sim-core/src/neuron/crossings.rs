//! The next foretold spike of each neuron, and the earliest of all.
//!
//! A binary heap with one place a neuron. A crossing that moves later keeps its place until it
//! comes to the top: while input arrives faster than spikes, most are never moved at all.

use super::model::bytes_of;
use crate::time::Time;

/// See the module.
#[derive(Debug)]
pub(super) struct Crossings {
    /// The next crossing of each neuron; [`Time::NEVER`] where none is foretold.
    times: Vec<Time>,
    /// (a time not later than the neuron's crossing, neuron), a heap by time.
    heap: Vec<(Time, u32)>,
    /// Place of each neuron in the heap; [`OUTSIDE`] where it has none.
    places: Vec<u32>,
}

const OUTSIDE: u32 = u32::MAX;

impl Crossings {
    pub(super) fn new(size: usize) -> Self {
        Crossings { times: vec![Time::NEVER; size], heap: Vec::new(), places: vec![OUTSIDE; size] }
    }

    /// Bytes on the heap where all neurons have a crossing.
    pub(super) fn bytes(&self) -> u64 {
        let heap = self.times.len() * size_of::<(Time, u32)>();
        bytes_of(&self.times) + bytes_of(&self.places) + heap as u64
    }

    pub(super) fn clear(&mut self) {
        self.times.fill(Time::NEVER);
        self.places.fill(OUTSIDE);
        self.heap.clear();
    }

    /// Sets a neuron's next crossing.
    pub(super) fn set(&mut self, neuron: u32, time: Time) {
        self.times[neuron as usize] = time;
        let place = self.places[neuron as usize];
        if place == OUTSIDE {
            if time < Time::NEVER {
                self.heap.push((time, neuron));
                self.rise(self.heap.len() - 1);
            }
        } else if time < self.heap[place as usize].0 {
            self.heap[place as usize].0 = time;
            self.rise(place as usize);
        }
    }

    /// The earliest crossing; of simultaneous ones, any.
    pub(super) fn first(&mut self) -> Option<(Time, u32)> {
        loop {
            let &(key, neuron) = self.heap.first()?;
            let time = self.times[neuron as usize];
            if key == time {
                return Some((time, neuron));
            }
            if time == Time::NEVER {
                self.places[neuron as usize] = OUTSIDE;
                if let Some(last) = self.heap.pop()
                    && !self.heap.is_empty()
                {
                    self.heap[0] = last;
                    self.sink();
                }
            } else {
                self.heap[0].0 = time;
                self.sink();
            }
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].0 <= self.heap[place].0 {
                break;
            }
            self.heap.swap(parent, place);
            self.places[self.heap[place].1 as usize] = place as u32;
            place = parent;
        }
        self.places[self.heap[place].1 as usize] = place as u32;
    }

    fn sink(&mut self) {
        let mut place = 0;
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let earlier = |a: usize, b: usize| self.heap[a].0 < self.heap[b].0;
            let mut first = place;
            if left < self.heap.len() && earlier(left, first) {
                first = left;
            }
            if right < self.heap.len() && earlier(right, first) {
                first = right;
            }
            if first == place {
                break;
            }
            self.heap.swap(first, place);
            self.places[self.heap[place].1 as usize] = place as u32;
            place = first;
        }
        self.places[self.heap[place].1 as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn the_earliest_is_that_of_a_plain_search_after_any_changes() {
        const SIZE: usize = 50;
        let mut stream = Stream::new(3, Purpose::Example, 0, 0);
        let mut crossings = Crossings::new(SIZE);
        let mut plain = [Time::NEVER; SIZE];
        for _ in 0..5000 {
            let neuron = (stream.next_words()[0] as usize) % SIZE;
            let word = stream.next_words()[0];
            let time =
                if word.is_multiple_of(5) { Time::NEVER } else { Time(i64::from(word % 997)) };
            plain[neuron] = time;
            crossings.set(neuron as u32, time);
            if word.is_multiple_of(3) {
                let earliest = plain.iter().min().copied().filter(|&t| t < Time::NEVER);
                assert_eq!(crossings.first().map(|(time, _)| time), earliest);
                if let Some((time, neuron)) = crossings.first() {
                    assert_eq!(plain[neuron as usize], time);
                }
            }
        }
        crossings.clear();
        assert_eq!(crossings.first(), None);
    }
}
