//! What the event-driven engine keeps beside a population's neurons: input that waits to be
//! received, and the spikes that are foretold.
//!
//! Arrivals come in the order of time. The input of one time is summed where it waits; when later
//! input (or the end of a window) comes, the neuron first makes the crossings that lie before it,
//! then receives the sum. A neuron is therefore advanced once an input time, and its next crossing
//! is computed once a window, not once an input.

use super::crossings::Crossings;
use super::model::{Combine, EventNeurons, bytes_of};
use crate::time::Time;

/// Input that reaches some neurons of a population at one time.
#[derive(Debug, Clone, Copy)]
pub struct Arrivals<'a> {
    /// When; never before that of the arrivals told last.
    pub time: Time,
    /// Index of the receptor.
    pub receptor: usize,
    /// How it combines with other input of this time.
    pub combine: Combine,
    /// The neurons, local to the part.
    pub targets: &'a [u32],
    /// What each of them gets, in the receptor's base unit.
    pub amounts: &'a [f64],
}

/// A spike of a part's neuron: when, which neuron (local to the part), its payload.
pub type Sent = (Time, u32, i32);

/// No input waits.
const NONE: Time = Time(i64::MIN);

/// See the module.
#[derive(Debug)]
pub struct Inbox {
    receptors: usize,
    /// Time of the input that waits at each neuron.
    waiting: Vec<Time>,
    /// That input `[neuron, receptor]`.
    inputs: Vec<f64>,
    /// No input, one number a receptor.
    silence: Vec<f64>,
    /// Neurons that received input since the last window, or whose current changed.
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    /// Next crossings; those of touched neurons are out of date.
    crossings: Crossings,
    spikes: Vec<Sent>,
}

impl Inbox {
    /// An empty inbox of a part's neurons.
    pub fn new(size: usize, receptors: usize) -> Self {
        Inbox {
            receptors,
            waiting: vec![NONE; size],
            inputs: vec![0.0; size * receptors],
            silence: vec![0.0; receptors],
            touched: Vec::new(),
            is_touched: vec![false; size],
            crossings: Crossings::new(size),
            spikes: Vec::new(),
        }
    }

    /// Bytes that it takes on the heap where all neurons are touched at a time.
    pub fn bytes(&self) -> u64 {
        let touched = self.is_touched.len() * (size_of::<bool>() + size_of::<u32>());
        let inputs = bytes_of(&self.waiting) + bytes_of(&self.inputs);
        inputs + touched as u64 + self.crossings.bytes()
    }

    /// Says that a neuron's state was changed from outside: its next crossing is out of date.
    pub fn touch(&mut self, neuron: u32) {
        if !std::mem::replace(&mut self.is_touched[neuron as usize], true) {
            self.touched.push(neuron);
        }
    }

    /// A spike that was found outside, and a neuron that was touched by it.
    #[inline]
    pub fn spike(&mut self, time: Time, neuron: u32, payload: i32) {
        self.spikes.push((time, neuron, payload));
        self.touch(neuron);
    }

    /// The earliest foretold spike; up to date after [`EventNeurons::settle`].
    pub fn next_crossing(&mut self) -> Option<Time> {
        self.crossings.first().map(|(time, _)| time)
    }

    /// The spikes since the last call, in no particular order.
    pub fn take_spikes(&mut self, into: &mut Vec<Sent>) {
        into.append(&mut self.spikes);
    }

    /// Back to the beginning: nothing waits, every neuron's crossing is to be foretold.
    pub fn reset(&mut self) {
        self.waiting.fill(NONE);
        self.inputs.fill(0.0);
        self.is_touched.fill(true);
        self.touched.clear();
        self.touched.extend(0..self.waiting.len() as u32);
        self.crossings.clear();
        self.spikes.clear();
    }
}

/// See [`EventNeurons::arrive`].
pub(super) fn arrive<N: EventNeurons + ?Sized>(
    neurons: &mut N,
    inbox: &mut Inbox,
    arrivals: Arrivals<'_>,
) {
    let (time, receptors) = (arrivals.time, inbox.receptors);
    for (&target, &amount) in arrivals.targets.iter().zip(arrivals.amounts) {
        let neuron = target as usize;
        let waiting = inbox.waiting[neuron];
        if waiting != time {
            if waiting == NONE {
                inbox.touch(target);
            } else {
                accept(neurons, inbox, neuron, waiting);
            }
            inbox.waiting[neuron] = time;
        }
        let slot = &mut inbox.inputs[neuron * receptors + arrivals.receptor];
        match arrivals.combine {
            Combine::Sum => *slot += amount,
            Combine::LargestRunningCount => *slot = slot.max(amount),
        }
    }
}

/// Lets a neuron receive what waits at it since `time`.
fn accept<N: EventNeurons + ?Sized>(neurons: &mut N, inbox: &mut Inbox, neuron: usize, time: Time) {
    let crossing = cross_before(neurons, inbox, neuron, time);
    let receptors = inbox.receptors;
    let inputs = &mut inbox.inputs[neuron * receptors..(neuron + 1) * receptors];
    if let Some(payload) = neurons.receive(neuron, time, inputs, crossing) {
        inbox.spikes.push((time, neuron as u32, payload));
    }
    inputs.fill(0.0);
}

/// Lets a neuron with one receptor receive all its input of one time, behind the crossings before.
pub(super) fn accept_at<N: EventNeurons>(
    neurons: &mut N,
    inbox: &mut Inbox,
    neuron: usize,
    time: Time,
    input: f64,
) {
    let crossing = cross_before(neurons, inbox, neuron, time);
    if let Some(payload) = neurons.receive(neuron, time, &[input], crossing) {
        inbox.spikes.push((time, neuron as u32, payload));
    }
    inbox.touch(neuron as u32);
}

/// Makes the crossings before `time`; whether one lies exactly there.
fn cross_before<N: EventNeurons + ?Sized>(
    neurons: &mut N,
    inbox: &mut Inbox,
    neuron: usize,
    time: Time,
) -> bool {
    while let Some(crossing) = neurons.next_spike_until(neuron, time) {
        if crossing >= time {
            return crossing == time;
        }
        cross(neurons, inbox, neuron, crossing);
    }
    false
}

/// A foretold spike happens.
fn cross<N: EventNeurons + ?Sized>(neurons: &mut N, inbox: &mut Inbox, neuron: usize, time: Time) {
    if let Some(payload) = neurons.receive(neuron, time, &inbox.silence, true) {
        inbox.spikes.push((time, neuron as u32, payload));
    }
}

/// See [`EventNeurons::settle`].
pub(super) fn settle<N: EventNeurons + ?Sized>(neurons: &mut N, inbox: &mut Inbox, until: Time) {
    while let Some((_, neuron)) = inbox.crossings.first().filter(|(time, _)| *time <= until) {
        // Out of date or not, its crossings are made below.
        inbox.crossings.set(neuron, Time::NEVER);
        inbox.touch(neuron);
    }
    let mut touched = std::mem::take(&mut inbox.touched);
    for &target in &touched {
        let neuron = target as usize;
        let waiting = std::mem::replace(&mut inbox.waiting[neuron], NONE);
        if waiting != NONE {
            accept(neurons, inbox, neuron, waiting);
        }
        let mut next = neurons.next_spike(neuron);
        while let Some(crossing) = next.filter(|&time| time <= until) {
            cross(neurons, inbox, neuron, crossing);
            next = neurons.next_spike(neuron);
        }
        inbox.crossings.set(target, next.unwrap_or(Time::NEVER));
        inbox.is_touched[neuron] = false;
    }
    touched.clear();
    inbox.touched = touched;
}
