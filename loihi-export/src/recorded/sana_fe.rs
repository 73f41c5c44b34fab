//! SANA-FE 2: energies of a feed-forward network on Loihi, from its counters and constants.
//!
//! `weights/W1`, `W2`, … are `[target][source]`, `x` is `[input][step]`, and `cores` of a run gives
//! each layer `[tile, core]`, the inputs first. Inputs cost nothing there: neurons that are counted
//! are those of the layers. Every mapped neuron is accessed in every step; updates and spikes are
//! the recorded ones without the inputs'. A spike is one packet to the next layer's core and an
//! event for each of its neurons, so that packets and events say how much each layer spiked. Hops
//! follow the recorded cores: tile `t` lies in column `t / rows` and row `t % rows`.
//!
//! Thresholds are not recorded: spikes are counted from what is, and times are not compared.

use serde_json::Value;

use super::{Checked, Comparison, Stop, count, matrix, missing, number, only_fields};
use crate::chip::{ChipSpec, Profile};
use crate::energy::{Estimate, Operations, Workload, estimate};
use crate::mapping::RouterPosition;

/// SANA-FE adds small numbers one by one: sums agree to this share.
const SUMMATION: f64 = 1e-9;

const RESULT_FIELDS: [&str; 8] = [
    "timestep_start",
    "timesteps_executed",
    "energy",
    "sim_time",
    "spikes",
    "packets_sent",
    "neurons_updated",
    "neurons_fired",
];

/// Compares all runs; returns what was not compared besides times.
pub(super) fn verify(case: &Value, comparison: &mut Comparison) -> Checked<Vec<String>> {
    let chip = ChipSpec::built_in("loihi1").map_err(|e| Stop::NotCovered(e.to_string()))?;
    let profile = chip.profiles.get("sanafe_fit").ok_or_else(|| missing("sanafe_fit"))?;
    let mesh = chip.mesh.as_ref().ok_or_else(|| missing("mesh"))?.value;
    only_fields(case, "the file", &["sanafe", "weights", "x", "T", "runs"])?;
    let network = Layers::read(case)?;
    let runs = case["runs"].as_object().ok_or_else(|| missing("runs"))?;
    let mut not_compared = Vec::new();
    for (index, (name, run)) in runs.iter().enumerate() {
        let recorded = Recorded { name, index, run, profile, rows: mesh.rows };
        not_compared.extend(recorded.verify(&network, comparison)?);
    }
    Ok(not_compared)
}

/// What the runs of a file share.
struct Layers {
    /// Neurons of the inputs and of each layer.
    sizes: Vec<f64>,
    steps: f64,
    input_spikes: f64,
}

impl Layers {
    fn read(case: &Value) -> Checked<Self> {
        let steps = count(case, "T")?;
        let inputs = matrix(case, "x")?;
        let mut sizes = vec![inputs.len()];
        if inputs.first().map_or(0, Vec::len) as u64 != steps {
            return Err(missing("x"));
        }
        let stated = case["weights"].as_object().ok_or_else(|| missing("weights"))?;
        for layer in 1..=stated.len() {
            let field = format!("W{layer}");
            let weights = matrix(&case["weights"], &field)?;
            if weights.first().map_or(0, Vec::len) != sizes[layer - 1] {
                return Err(missing(&format!("weights/{field}")));
            }
            sizes.push(weights.len());
        }
        Ok(Self {
            sizes: sizes.into_iter().map(|size| size as f64).collect(),
            steps: steps as f64,
            input_spikes: inputs.iter().flatten().sum(),
        })
    }

    /// Spikes of the inputs and of each layer but the last, from what was counted over all of them;
    /// `None` where two counts do not tell them apart.
    fn senders(&self, packets: f64, events: f64) -> Option<Vec<f64>> {
        let (inputs, sizes) = (self.input_spikes, &self.sizes);
        match sizes.len() {
            2 => Some(vec![inputs]),
            3 => Some(vec![inputs, packets - inputs]),
            4 if sizes[2] != sizes[3] => {
                let (both, reached) = (packets - inputs, events - inputs * sizes[1]);
                let second = (reached - both * sizes[2]) / (sizes[3] - sizes[2]);
                Some(vec![inputs, both - second, second])
            }
            _ => None,
        }
    }
}

/// One run of a file.
struct Recorded<'a> {
    name: &'a str,
    index: usize,
    run: &'a Value,
    profile: &'a Profile,
    rows: u32,
}

impl Recorded<'_> {
    /// Returns what could not be compared.
    fn verify(&self, network: &Layers, comparison: &mut Comparison) -> Checked<Option<String>> {
        let result = &self.run["result"];
        only_fields(self.run, &format!("runs/{}", self.name), &["cores", "result"])?;
        only_fields(result, "result", &RESULT_FIELDS)?;
        let terms = ["total", "synapse", "dendrite", "soma", "network"];
        only_fields(&result["energy"], "energy", &terms)?;
        let packets = count(result, "packets_sent")? as f64;
        let events = count(result, "spikes")? as f64;
        let fired = count(result, "neurons_fired")? as f64;
        self.equal(
            comparison,
            "steps",
            network.steps,
            count(result, "timesteps_executed")? as f64,
        )?;
        self.equal(comparison, "first step", 1.0, count(result, "timestep_start")? as f64)?;
        let senders = network.senders(packets, events);
        if let Some(senders) = &senders {
            let sent: f64 = senders.iter().sum();
            self.equal(comparison, "packets", sent, packets)?;
            let reached = senders.iter().zip(&network.sizes[1..]).map(|(n, size)| n * size);
            self.equal(comparison, "synaptic events", reached.sum(), events)?;
        }
        let hops = self.hops(network, senders, packets)?;
        let (hops_ew, hops_ns) = hops.unwrap_or_default();
        let total = Operations {
            neuron_steps: network.sizes[1..].iter().sum::<f64>() * network.steps,
            neuron_updates: count(result, "neurons_updated")? as f64 - network.input_spikes,
            spikes: fired - network.input_spikes,
            dense_events: events,
            packets_out: packets,
            hops_ew,
            hops_ns,
            ..Operations::default()
        };
        let workload = Workload { steps: network.steps, chips: 1, total, ..Workload::default() };
        let ours = estimate("loihi1", "sanafe_fit", self.profile, &workload);
        self.energies(&ours, hops.is_some(), comparison)?;
        Ok(hops.is_none().then(|| format!("hops of {}", self.name)))
    }

    fn energies(&self, ours: &Estimate, whole: bool, comparison: &mut Comparison) -> Checked<()> {
        let theirs = &self.run["result"]["energy"];
        let mut terms = vec![
            ("synapse", ours.synapse_j),
            ("soma", ours.neuron_j),
            // Loihi's dendrites cost nothing in that profile
            ("dendrite", Some(0.0)),
        ];
        if whole {
            terms.extend([("network", ours.hop_j), ("total", Some(ours.total_j))]);
        }
        for (term, energy) in terms {
            let energy = energy.ok_or_else(|| missing(term))?;
            let variable = format!("{}: {term} energy", self.name);
            let at = [0, self.index];
            comparison.close(&variable, at, energy, number(theirs, term)?, SUMMATION)?;
        }
        Ok(())
    }

    fn equal(&self, into: &mut Comparison, what: &str, ours: f64, theirs: f64) -> Checked<()> {
        into.equal(&format!("{}: {what}", self.name), [0, self.index], ours, theirs)
    }

    /// Hops of all packets along rows and columns; `None` where it is not known which layer sent
    /// how many and their ways differ.
    fn hops(
        &self,
        network: &Layers,
        senders: Option<Vec<f64>>,
        packets: f64,
    ) -> Checked<Option<(f64, f64)>> {
        let cores = matrix(self.run, "cores")?;
        if cores.len() != network.sizes.len() || cores.iter().any(|core| core.len() != 2) {
            return Err(missing("cores"));
        }
        let router = |core: &Vec<f64>| {
            let tile = core[0] as u32;
            let rows = self.rows.max(1);
            RouterPosition { chip: 0, x: tile / rows, y: tile % rows }
        };
        let places: Vec<RouterPosition> = cores.iter().map(router).collect();
        let ways: Vec<(u32, u32)> = places
            .windows(2)
            .map(|pair| (pair[0].x.abs_diff(pair[1].x), pair[0].y.abs_diff(pair[1].y)))
            .collect();
        let alike = ways.iter().skip(1).all(|way| Some(way) == ways.get(1));
        let packets: Vec<f64> = match senders {
            Some(senders) => senders,
            // the layers together: all their packets go equally far
            None if alike => vec![network.input_spikes, packets - network.input_spikes],
            None => return Ok(None),
        };
        let sum = |axis: fn(&(u32, u32)) -> u32| {
            packets.iter().zip(&ways).map(|(packets, way)| packets * f64::from(axis(way))).sum()
        };
        Ok(Some((sum(|way| way.0), sum(|way| way.1))))
    }
}
