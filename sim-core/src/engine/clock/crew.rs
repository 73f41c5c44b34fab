//! Threads that advance their parts together: they meet after every epoch.
//!
//! A thread that waits spins for a moment and then sleeps, so that on a busy machine the core goes to
//! those that have work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Turns of the loop in which a waiting thread looks again before it sleeps: some microseconds.
const SPINS: u32 = 400;

/// A place where all threads meet.
#[derive(Debug)]
pub(super) struct Meeting {
    threads: usize,
    arrived: AtomicUsize,
    /// Counts meetings.
    round: AtomicUsize,
    /// A thread has ended early: nobody waits any more.
    broken: AtomicBool,
    sleeping: Mutex<()>,
    wake: Condvar,
}

impl Meeting {
    pub(super) fn new(threads: usize) -> Self {
        Meeting {
            threads,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            sleeping: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Waits until all have come; false where one never will.
    pub(super) fn wait(&self) -> bool {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.open(round);
            return !self.broken.load(Ordering::Acquire);
        }
        let waits =
            || self.round.load(Ordering::Acquire) == round && !self.broken.load(Ordering::Acquire);
        for _ in 0..SPINS {
            if !waits() {
                return !self.broken.load(Ordering::Acquire);
            }
            std::hint::spin_loop();
        }
        let mut guard = self.sleeping.lock().unwrap_or_else(PoisonError::into_inner);
        while waits() {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        !self.broken.load(Ordering::Acquire)
    }

    fn open(&self, round: usize) {
        let guard = self.sleeping.lock().unwrap_or_else(PoisonError::into_inner);
        self.round.store(round.wrapping_add(1), Ordering::Release);
        drop(guard);
        self.wake.notify_all();
    }

    /// A guard that breaks the meeting unless it is told that the thread ends in order.
    pub(super) fn attend(&self) -> Attendance<'_> {
        Attendance { meeting: self, done: false }
    }
}

/// A thread's promise to come; a panic breaks it.
pub(super) struct Attendance<'a> {
    meeting: &'a Meeting,
    done: bool,
}

impl Attendance<'_> {
    /// The thread ends in order.
    pub(super) fn leave(mut self) {
        self.done = true;
    }
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.meeting.broken.store(true, Ordering::Release);
            self.meeting.open(self.meeting.round.load(Ordering::Acquire));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_goes_on_before_all_have_come() {
        let (meeting, counter) = (Meeting::new(3), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=200 {
                        counter.fetch_add(1, Ordering::AcqRel);
                        assert!(meeting.wait());
                        assert_eq!(counter.load(Ordering::Acquire), 3 * round);
                        assert!(meeting.wait());
                    }
                });
            }
        });
    }

    #[test]
    fn a_thread_that_breaks_off_lets_the_others_go() {
        let meeting = Meeting::new(2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| meeting.wait());
            drop(meeting.attend());
            assert!(!waiting.join().unwrap());
        });
    }
}
