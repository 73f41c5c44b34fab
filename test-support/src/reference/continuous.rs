//! Exact spike times of `lif_exponential` and `lif_alpha` networks, by scanning and bisecting the closed
//! form.
//!
//! Between two events (arrival of a spike, change of a current, spike) every neuron's potential is
//! known in closed form. The reference samples it finely, looks closer where a peak comes near the
//! threshold, and bisects the first crossing. Times are plain milliseconds.

use super::synapse::{PlainSynapse, expand};
use super::{initial, parameter};
use crate::closed_form::{alpha_postsynaptic_potential, postsynaptic_potential};
use sim_core::engine::Compiled;
use sim_core::network::{ValidPopulation, ValidStimulus};
use sim_core::neuron::LoweredReset;

/// Distance of the samples in which a crossing is sought (ms).
const SCAN_STEP_MS: f64 = 0.02;

/// A peak this far below the threshold (mV) may still cross it between two samples: with slopes
/// below 50 mV/ms² · step it rises by at most 0.02 mV.
const NEAR_THRESHOLD_MV: f64 = 0.1;

/// A spike (time in ms, global index).
pub type TimedSpike = (f64, u32);

#[derive(Clone)]
struct Cell {
    tau: f64,
    capacitance: f64,
    rest: f64,
    theta: f64,
    refractory: f64,
    reset: f64,
    tau_synapse: [f64; 2],
    /// State at `since`.
    v: f64,
    synapse: [f64; 2],
    /// What leads to the peak of alpha-shaped currents; zero where they are exponential.
    rise: [f64; 2],
    kind: Kind,
    since: f64,
    held_until: f64,
    current: f64,
}

/// What input does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Lets a current jump.
    Exponential,
    /// Lets a current rise and fall.
    Alpha,
    /// Lets the potential jump, which never spikes.
    Integrator,
}

impl Cell {
    fn new(population: &ValidPopulation, neuron: usize) -> Cell {
        let get = |name: &str| parameter(population, name, neuron);
        let kind = match population.model.spec().name {
            "lif_exponential" => Kind::Exponential,
            "lif_alpha" => Kind::Alpha,
            "leaky_integrator" => Kind::Integrator,
            other => panic!("the reference does not know `{other}`"),
        };
        let spikes = kind != Kind::Integrator;
        let of_spiking = |name: &str, otherwise: f64| if spikes { get(name) } else { otherwise };
        let reset = match &population.neurons.reset {
            LoweredReset::To(reset) => reset.get(neuron),
            LoweredReset::Subtract => get("resting_potential"),
        };
        Cell {
            tau: get("tau_membrane"),
            capacitance: get("capacitance"),
            rest: get("resting_potential"),
            theta: of_spiking("threshold", f64::INFINITY),
            refractory: of_spiking("refractory_period", 0.0),
            reset,
            tau_synapse: ["tau_excitatory", "tau_inhibitory"].map(|name| of_spiking(name, 1.0)),
            v: initial(population, 0, neuron, get("resting_potential")),
            synapse: match spikes {
                true => [1, 2].map(|variable| initial(population, variable, neuron, 0.0)),
                false => [0.0; 2],
            },
            rise: [0.0; 2],
            kind,
            since: 0.0,
            held_until: 0.0,
            current: 0.0,
        }
    }

    fn synapse_at(&self, receptor: usize, t: f64) -> f64 {
        let (tau, since) = (self.tau_synapse[receptor], t - self.since);
        let driven = std::f64::consts::E * self.rise[receptor] * since / tau;
        (self.synapse[receptor] + driven) * (-since / tau).exp()
    }

    fn rise_at(&self, receptor: usize, t: f64) -> f64 {
        self.rise[receptor] * (-(t - self.since) / self.tau_synapse[receptor]).exp()
    }

    fn receive(&mut self, receptor: usize, weight: f64) {
        match self.kind {
            Kind::Exponential => self.synapse[receptor] += weight,
            Kind::Alpha => self.rise[receptor] += weight,
            Kind::Integrator => self.v += weight,
        }
    }

    fn potential(&self, t: f64) -> f64 {
        let from = self.since.max(self.held_until);
        if t <= from {
            return self.v;
        }
        let free = t - from;
        let limit = self.rest + self.current * self.tau / self.capacitance;
        let mut v = limit + (self.v - limit) * (-free / self.tau).exp();
        for receptor in 0..2 {
            let tau = self.tau_synapse[receptor];
            v += self.synapse_at(receptor, from)
                * postsynaptic_potential(self.tau, tau, self.capacitance, free);
            v += self.rise_at(receptor, from)
                * alpha_postsynaptic_potential(self.tau, tau, self.capacitance, free);
        }
        v
    }

    fn move_to(&mut self, t: f64) {
        self.v = self.potential(t);
        let synapse = [0, 1].map(|receptor| self.synapse_at(receptor, t));
        self.rise = [0, 1].map(|receptor| self.rise_at(receptor, t));
        self.synapse = synapse;
        self.since = t;
    }

    /// The first t in (from, to] at which the potential has risen to the threshold.
    fn crossing(&self, from: f64, to: f64) -> Option<f64> {
        let from = from.max(self.held_until);
        if from >= to {
            return None;
        }
        let samples = ((to - from) / SCAN_STEP_MS).ceil().max(8.0) as u32;
        let at = |k: u32| from + (to - from) * f64::from(k) / f64::from(samples);
        let mut below = from;
        for k in 1..=samples {
            let t = at(k);
            let v = self.potential(t);
            if v >= self.theta {
                return Some(self.bisect(below, t));
            }
            let near = v > self.theta - NEAR_THRESHOLD_MV;
            if near && k < samples && self.potential(below) <= v && self.potential(at(k + 1)) <= v {
                let peak = self.peak(below, at(k + 1));
                if self.potential(peak) >= self.theta {
                    return Some(self.bisect(below, peak));
                }
            }
            below = t;
        }
        None
    }

    /// Where the potential peaks between two times, by thirds.
    fn peak(&self, mut low: f64, mut high: f64) -> f64 {
        for _ in 0..80 {
            let (first, second) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if self.potential(first) < self.potential(second) {
                low = first;
            } else {
                high = second;
            }
        }
        0.5 * (low + high)
    }

    fn bisect(&self, mut low: f64, mut high: f64) -> f64 {
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if self.potential(middle) >= self.theta {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

/// An input on its way.
struct Arrival {
    time: f64,
    synapse: PlainSynapse,
}

/// The spikes of all neurons in (0, duration], sources included, by time.
///
/// # Panics
/// Where a neuron's model is unknown here, or a source is driven at random.
pub fn simulate(compiled: &Compiled, duration: f64) -> Vec<TimedSpike> {
    let network = compiled.network();
    let dt = network.grid().dt();
    let synapses = expand(compiled);
    let mut cells: Vec<Option<Cell>> = Vec::new();
    for population in network.populations().values() {
        let source = population.model.spec().name == "spike_source";
        let make = |n: u32| (!source).then(|| Cell::new(population, n as usize));
        cells.extend((0..population.size()).map(make));
    }
    let mut spikes: Vec<TimedSpike> = source_spikes(compiled, duration);
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut changes = current_changes(compiled);
    changes.retain(|&change| change < duration);
    changes.push(duration);
    for &(time, neuron) in &spikes {
        send(&mut arrivals, &synapses, dt, time, neuron);
    }
    let mut now = 0.0;
    set_currents(compiled, &mut cells, now);
    while now < duration {
        let next_change = changes.iter().copied().filter(|&t| t > now);
        let next_arrival = arrivals.iter().map(|arrival| arrival.time);
        let boundary = next_change.chain(next_arrival).fold(duration, f64::min);
        let first = cells
            .iter()
            .enumerate()
            .filter_map(|(n, cell)| Some((cell.as_ref()?.crossing(now, boundary)?, n)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let until = first.map_or(boundary, |(time, _)| time);
        cells.iter_mut().flatten().for_each(|cell| cell.move_to(until));
        now = until;
        if let Some((time, n)) = first {
            spikes.push((time, n as u32));
            send(&mut arrivals, &synapses, dt, time, n as u32);
            if let Some(cell) = &mut cells[n] {
                cell.v = cell.reset;
                cell.held_until = time + cell.refractory;
            }
            continue;
        }
        for arrival in arrivals.extract_if(.., |arrival| arrival.time <= now) {
            if let Some(cell) = &mut cells[arrival.synapse.target as usize] {
                cell.receive(arrival.synapse.receptor, arrival.synapse.weight);
            }
        }
        set_currents(compiled, &mut cells, now);
    }
    spikes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    spikes
}

fn send(arrivals: &mut Vec<Arrival>, synapses: &[PlainSynapse], dt: f64, time: f64, neuron: u32) {
    for synapse in synapses.iter().filter(|synapse| synapse.source == neuron) {
        arrivals.push(Arrival { time: time + synapse.delay as f64 * dt, synapse: *synapse });
    }
}

fn source_spikes(compiled: &Compiled, duration: f64) -> Vec<TimedSpike> {
    let network = compiled.network();
    let mut all = Vec::new();
    for (index, stimulus) in network.stimuli().values().enumerate() {
        match stimulus {
            ValidStimulus::SpikeList { population, spikes } => {
                let first = network.populations()[*population].first;
                let timed = spikes.iter().map(|(t, n)| (t.milliseconds(), first + n));
                all.extend(timed.filter(|&(time, _)| time <= duration));
            }
            ValidStimulus::Poisson { .. } => panic!("a Poisson source is no exact input"),
            ValidStimulus::Train { population, train } => {
                let first = network.populations()[*population].first;
                let end = sim_core::time::Time::from_milliseconds(duration).unwrap();
                let seed = network.stimulus_seeds(network.seed())[index];
                let mut spikes = Vec::new();
                train.start(seed).take(end, &mut spikes);
                all.extend(spikes.iter().map(|(t, n)| (t.milliseconds(), first + n)));
            }
            ValidStimulus::ConstantCurrent { .. } => {}
            ValidStimulus::VaryingCurrent { .. } | ValidStimulus::Drive { .. } => {
                panic!("the continuous reference knows constant currents only")
            }
        }
    }
    // Several stimuli may drive one source; it still spikes at most once at a time.
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.dedup();
    all
}

/// Times at which a current sets in or ends (ms).
fn current_changes(compiled: &Compiled) -> Vec<f64> {
    let grid = compiled.network().grid();
    let stimuli = compiled.network().stimuli().values();
    let steps = stimuli.flat_map(|stimulus| match stimulus {
        ValidStimulus::ConstantCurrent { start_step, stop_step, .. } => {
            vec![*start_step, *stop_step]
        }
        _ => Vec::new(),
    });
    steps.map(|step| grid.time_of(step).milliseconds()).collect()
}

/// Sets the currents that flow after `now`.
fn set_currents(compiled: &Compiled, cells: &mut [Option<Cell>], now: f64) {
    let network = compiled.network();
    cells.iter_mut().flatten().for_each(|cell| cell.current = 0.0);
    for stimulus in network.stimuli().values() {
        let ValidStimulus::ConstantCurrent { population, amplitude, start_step, stop_step } =
            stimulus
        else {
            continue;
        };
        let time = |step: &u64| network.grid().time_of(*step).milliseconds();
        if now < time(start_step) || now >= time(stop_step) {
            continue;
        }
        for (local, global) in network.populations()[*population].range().enumerate() {
            if let Some(cell) = &mut cells[global as usize] {
                cell.current += amplitude.get(local);
            }
        }
    }
}
