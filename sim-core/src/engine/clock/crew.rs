//! Threads that advance their parts together: they meet after every epoch.
//!
//! A thread that waits looks for a moment whether the others have come, and then sleeps, so that on a busy
//! machine the core goes to those that have work. Going to sleep and being woken takes longer than a step of
//! most networks, so the moment is longer where those who slept were woken soon.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a waiting thread looks before it sleeps: fewest and most times (some microseconds, and the time
/// of a step of a large network).
const LOOKS: (u32, u32) = (400, 6400);

/// A thread that was woken within this time would have done better to look on.
const SHORT: Duration = Duration::from_micros(300);

/// A place where all threads meet.
#[derive(Debug)]
pub(super) struct Meeting {
    threads: usize,
    arrived: AtomicUsize,
    /// Counts meetings.
    round: AtomicUsize,
    /// A thread has ended early: nobody waits any more.
    broken: AtomicBool,
    /// How often a waiting thread looks now: doubled where the others came soon after, halved where they
    /// stayed away for long, as on a machine that has other work.
    looks: AtomicU32,
    /// How many sleep.
    sleepers: Mutex<usize>,
    wake: Condvar,
}

impl Meeting {
    pub(super) fn new(threads: usize) -> Self {
        Meeting {
            threads,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            looks: AtomicU32::new(LOOKS.0),
            sleepers: Mutex::new(0),
            wake: Condvar::new(),
        }
    }

    /// Tells the others that this thread has come; gives the round to [`wait`](Self::wait) for, before which
    /// the thread may do other work.
    pub(super) fn arrive(&self) -> usize {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.open(round);
        }
        round
    }

    /// Waits until all have come to a round; false where one never will.
    pub(super) fn wait(&self, round: usize) -> bool {
        let waits =
            || self.round.load(Ordering::Acquire) == round && !self.broken.load(Ordering::Acquire);
        let looks = self.looks.load(Ordering::Relaxed);
        for _ in 0..looks {
            if !waits() {
                return !self.broken.load(Ordering::Acquire);
            }
            std::hint::spin_loop();
        }
        let asleep = Instant::now();
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        *sleepers += 1;
        while waits() {
            sleepers = self.wake.wait(sleepers).unwrap_or_else(PoisonError::into_inner);
        }
        *sleepers -= 1;
        drop(sleepers);
        let soon = asleep.elapsed() < SHORT;
        let looks = if soon { (2 * looks).min(LOOKS.1) } else { (looks / 2).max(LOOKS.0) };
        self.looks.store(looks, Ordering::Relaxed);
        !self.broken.load(Ordering::Acquire)
    }

    fn open(&self, round: usize) {
        let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        self.round.store(round.wrapping_add(1), Ordering::Release);
        // To wake is a call of the system, even where nobody sleeps.
        if *sleepers > 0 {
            self.wake.notify_all();
        }
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
                        assert!(meeting.wait(meeting.arrive()));
                        assert_eq!(counter.load(Ordering::Acquire), 3 * round);
                        assert!(meeting.wait(meeting.arrive()));
                    }
                });
            }
        });
    }

    #[test]
    fn a_thread_that_breaks_off_lets_the_others_go() {
        let meeting = Meeting::new(2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| meeting.wait(meeting.arrive()));
            drop(meeting.attend());
            assert!(!waiting.join().unwrap());
        });
    }
}
