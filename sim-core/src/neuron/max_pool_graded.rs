//! Stepwise maximum of its inputs' running sums: exact max pooling of bursts and signed spikes.
//!
//! # Equations
//! The window has up to 4 × `places` inputs; S_j is the sum of all payloads that input j has sent.
//! - `rule` 0, difference of running maxima: the payload is max S_j − (max S_j before this step), so
//!   the sum of what was sent is the largest sum of the inputs after every step;
//! - `rule` 1, gate by the running sum: the payload of the input whose S_j is largest (the first of
//!   equals) passes, all others are held back.
//!
//! # Coding
//! Inputs that arrive in one step are added up, so each input writes into a place of its own: input
//! j of a receptor has the weight B^j with B = 2^`bits`, and payloads from −B/2 to B/2 − 1 can be
//! read off the sum. Whole numbers below 2^53 are exact.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `places` | 4 | – | | whole: inputs of a receptor; `places` × `bits` at most 52 |
//! | `bits` | 4 | – | | whole, 2 to 16: bits of a payload with its sign |
//! | `rule` | 0 | – | | 0 or 1 |
//!
//! Places without an input count as 0, which never beats the sum of a rectifier's spikes.
//!
//! # State
//! `largest_sum`, initially 0.
//!
//! # Numerics
//! Exact (whole numbers).
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.3.4 (gating by the running rate).

use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::network::Neuron;
use crate::time::Time;
use crate::units::Dimension;

/// The model.
pub struct Model;

/// Receptors of a neuron; each reads a part of the window.
pub const RECEPTORS: [&str; 4] = ["first", "second", "third", "fourth"];

/// Bits that the places of one receptor may take together.
pub const MOST_BITS: u32 = 52;

const fn receptor(name: &'static str) -> ReceptorSpec {
    ReceptorSpec {
        name,
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "payloads, one a place",
    }
}

const fn number(name: &'static str, default: f64, meaning: &'static str) -> ParameterSpec {
    ParameterSpec {
        name,
        symbol: "",
        dimension: Dimension::Number,
        default,
        range: Range::NonNegative,
        meaning,
    }
}

static SPEC: ModelSpec = ModelSpec {
    name: "max_pool_graded",
    summary: "stepwise maximum of running sums (exact max pooling of bursts and signed spikes)",
    time: ModelTime::Stepwise,
    parameters: &[
        number("places", 4.0, "inputs of a receptor"),
        number("bits", 4.0, "bits of a payload with its sign"),
        number("rule", 0.0, "0: difference of running maxima; 1: gate by the running sum"),
    ],
    receptors: &[
        receptor(RECEPTORS[0]),
        receptor(RECEPTORS[1]),
        receptor(RECEPTORS[2]),
        receptor(RECEPTORS[3]),
    ],
    variables: &[VariableSpec {
        name: "largest_sum",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "largest running sum of the inputs",
    }],
    current: None,
    spikes: false,
    subtracting_reset: false,
    graded: true,
    refractory_input: &[],
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.3.4",
};

/// How a maximum is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoolRule {
    /// The change of the largest running sum.
    Difference,
    /// The spikes of the input with the largest running sum.
    Gate,
}

/// Typed parameters of the model; see the module.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxPoolGraded {
    /// Inputs of a receptor.
    pub places: u32,
    /// Bits of a payload with its sign.
    pub bits: u32,
    /// How a maximum is sent on.
    pub rule: PoolRule,
}

impl From<MaxPoolGraded> for Neuron {
    fn from(typed: MaxPoolGraded) -> Neuron {
        Neuron::new(SPEC.name)
            .parameter("places", f64::from(typed.places))
            .parameter("bits", f64::from(typed.bits))
            .parameter("rule", f64::from(u8::from(typed.rule == PoolRule::Gate)))
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let one = |index: usize| neurons.parameters[index].get(0);
        for (index, name) in [(0, "places"), (1, "bits"), (2, "rule")] {
            if neurons.parameters[index].numbers().iter().any(|&value| value != one(index)) {
                problems.push((name, "it must be one number for the whole population".to_string()));
            }
        }
        let (places, bits, rule) = (one(0), one(1), one(2));
        let whole = |value: f64, least: f64| value.fract() == 0.0 && value >= least;
        if !whole(places, 1.0) || places * bits > f64::from(MOST_BITS) {
            let message = format!("{places} places of {bits} bits; at least 1, and 52 bits in all");
            problems.push(("places", message));
        }
        if !whole(bits, 2.0) || bits > 16.0 {
            problems.push(("bits", format!("{bits} is not a whole number 2 to 16")));
        }
        if rule != 0.0 && rule != 1.0 {
            problems.push(("rule", format!("{rule} is neither 0 (difference) nor 1 (gate)")));
        }
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

struct State {
    places: usize,
    bits: u32,
    gate: bool,
    /// Running sums `[receptor × places + place][neuron]`.
    sums: Vec<Vec<f64>>,
    largest: Vec<f64>,
    /// Places of each receptor up to the last that has ever had a payload: the sums of the others are 0.
    used: [usize; RECEPTORS.len()],
    /// Payloads of one receptor in one step, for reuse.
    scratch: Vec<i32>,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (places, size) = (neurons.parameters[0].get(0) as usize, neurons.size);
        State {
            places,
            bits: neurons.parameters[1].get(0) as u32,
            gate: neurons.parameters[2].get(0) == 1.0,
            sums: vec![vec![0.0; size]; RECEPTORS.len() * places],
            largest: vec![0.0; size],
            used: [0; RECEPTORS.len()],
            scratch: vec![0; places],
        }
    }

    /// Adds what arrives for a neuron; gives the payload to send, 0 for none.
    fn add(&mut self, neuron: usize, inputs: impl Iterator<Item = f64> + Clone) -> i32 {
        if inputs.clone().all(|input| input == 0.0) {
            return 0;
        }
        let mut best: Option<(f64, i32)> = None;
        let mut consider = |sum: f64, payload: i32| {
            if best.is_none_or(|(largest, _)| sum > largest) {
                best = Some((sum, payload));
            }
        };
        for (receptor, input) in inputs.enumerate() {
            let read = read_places(input, self.bits, &mut self.scratch);
            let used = &mut self.used[receptor];
            *used = read.max(*used);
            let own = &mut self.sums[receptor * self.places..][..*used];
            for (place, sums) in own.iter_mut().enumerate() {
                let payload = if place < read { self.scratch[place] } else { 0 };
                sums[neuron] += f64::from(payload);
                consider(sums[neuron], payload);
            }
            if *used < self.places {
                // All that follow are alike: no payload ever.
                consider(0.0, 0);
            }
        }
        let Some((largest, payload)) = best else { return 0 };
        let change = largest - std::mem::replace(&mut self.largest[neuron], largest);
        if self.gate { payload } else { change as i32 }
    }

    fn restart(&mut self) {
        self.sums.iter_mut().for_each(|sums| sums.fill(0.0));
        self.largest.fill(0.0);
    }
}

/// Reads balanced digits of base 2^bits off a whole number, the lowest first, and gives how many there
/// are up to the last that is not 0.
fn read_places(input: f64, bits: u32, digits: &mut [i32]) -> usize {
    let mut rest = input as i64;
    let (half, mask) = (1_i64 << (bits - 1), (1_i64 << bits) - 1);
    let mut read = 0;
    while rest != 0 && read < digits.len() {
        let low = ((rest + half) & mask) - half;
        digits[read] = low as i32;
        rest = (rest - low) >> bits;
        read += 1;
    }
    read
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for neuron in 0..self.largest.len() {
            let payload = self.add(neuron, drive.inputs.iter().map(|input| input[neuron]));
            if payload != 0 {
                spikes.push_graded(neuron as u32, payload);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        EventNeurons::visit_state(self, visitor);
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.largest.clone()
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        self.sums.iter().map(|sums| bytes_of(sums)).sum::<u64>()
            + bytes_of(&self.largest)
            + bytes_of(&self.scratch)
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        _time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        Some(self.add(neuron, inputs.iter().copied())).filter(|&payload| payload != 0)
    }

    fn set_current(&mut self, _neuron: usize, _time: Time, _current: f64) {}

    fn next_spike(&self, _neuron: usize) -> Option<Time> {
        None
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.sums.iter_mut().for_each(|sums| visitor.reals(&mut sums.iter_mut()));
        visitor.reals(&mut self.largest.iter_mut());
        // What is put back may have payloads in any place.
        self.used = [self.places; RECEPTORS.len()];
    }

    fn variable(&self, _index: usize, neuron: usize, _time: Time) -> f64 {
        self.largest[neuron]
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_every_place_can_be_read_off_their_sum() {
        for bits in [2, 3, 5] {
            let half = 1_i32 << (bits - 1);
            let places = (MOST_BITS / bits) as usize;
            for seed in 0..50_i32 {
                let payload = |j: usize| (seed * 7 + j as i32 * 5).rem_euclid(2 * half) - half;
                let written: Vec<i32> = (0..places).map(payload).collect();
                let sum: f64 = written
                    .iter()
                    .enumerate()
                    .map(|(j, &n)| f64::from(n) * (j as f64 * f64::from(bits)).exp2())
                    .sum();
                let mut read = vec![0; places];
                let last = written.iter().rposition(|&payload| payload != 0);
                assert_eq!(read_places(sum, bits, &mut read), last.map_or(0, |last| last + 1));
                assert_eq!(read, written, "{bits} bits");
            }
        }
    }
}
