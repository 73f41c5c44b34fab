//! SANA-FE 2: energies of a feed-forward network on Loihi, from its counters and constants.
//!
//! Inputs cost nothing there: neurons that are counted are those of the layers. Every mapped neuron
//! is accessed in every step; updates and spikes are the recorded ones without the inputs'. Hops
//! follow the recorded cores: tile `t` lies in column `t / rows` and row `t % rows`.

use serde_json::Value;

use super::{Checked, Comparison, Stop, count, matrix, missing, number};
use crate::chip::ChipSpec;
use crate::energy::{Operations, Workload, estimate};
use crate::mapping::RouterPosition;

/// SANA-FE adds small numbers one by one: sums agree to this share.
const SUMMATION: f64 = 1e-9;

pub(super) fn verify(case: &Value) -> Checked<u64> {
    let chip = ChipSpec::built_in("loihi1").map_err(|e| Stop::NotCovered(e.to_string()))?;
    let profile = chip.profiles.get("sanafe_fit").ok_or_else(|| missing("sanafe_fit"))?;
    let mesh = chip.mesh.as_ref().ok_or_else(|| missing("mesh"))?.value;
    let steps = count(case, "T")? as f64;
    let inputs = matrix(case, "x")?;
    let input_spikes: f64 = inputs.iter().flatten().sum();
    let mut sizes = vec![inputs.first().map_or(0, Vec::len)];
    for layer in 1.. {
        let field = format!("W{layer}");
        if case["weights"].get(&field).is_none() {
            break;
        }
        let weights = matrix(&case["weights"], &field)?;
        if weights.first().map_or(0, Vec::len) != sizes[layer - 1] {
            return Err(missing(&format!("weights/{field}")));
        }
        sizes.push(weights.len());
    }
    let runs = case["runs"].as_object().ok_or_else(|| missing("runs"))?;
    let mut comparison = Comparison::default();
    for (index, (name, run)) in runs.iter().enumerate() {
        let result = &run["result"];
        let packets = count(result, "packets_sent")? as f64;
        let events = count(result, "spikes")? as f64;
        let spikes = count(result, "neurons_fired")? as f64 - input_spikes;
        if sizes.len() == 3 {
            let expected =
                input_spikes * sizes[1] as f64 + (packets - input_spikes) * sizes[2] as f64;
            comparison.equal(&format!("{name}: synaptic events"), [0, index], expected, events)?;
        }
        let (hops_ew, hops_ns) = hops(run, &sizes, input_spikes, packets, mesh.rows)?;
        let total = Operations {
            neuron_steps: sizes[1..].iter().sum::<usize>() as f64 * steps,
            neuron_updates: count(result, "neurons_updated")? as f64 - input_spikes,
            spikes,
            dense_events: events,
            packets_out: packets,
            hops_ew,
            hops_ns,
            ..Operations::default()
        };
        let workload = Workload { steps, chips: 1, total, ..Workload::default() };
        let ours = estimate(&chip.name, "sanafe_fit", profile, &workload);
        for (term, energy) in
            [("synapse", ours.synapse_j), ("soma", ours.neuron_j), ("network", ours.hop_j)]
        {
            let energy = energy.ok_or_else(|| missing(term))?;
            let theirs = number(&result["energy"], term)?;
            let variable = format!("{name}: {term} energy");
            comparison.close(&variable, [0, index], energy, theirs, SUMMATION)?;
        }
        let theirs = number(&result["energy"], "total")?;
        let variable = format!("{name}: total energy");
        comparison.close(&variable, [0, index], ours.total_j, theirs, SUMMATION)?;
    }
    Ok(comparison.values)
}

/// Hops of all packets along rows and columns; two layers of weights at most can be told apart.
fn hops(
    run: &Value,
    sizes: &[usize],
    input_spikes: f64,
    packets: f64,
    rows: u32,
) -> Checked<(f64, f64)> {
    let cores = matrix(run, "cores")?;
    if cores.len() != sizes.len() || cores.iter().any(|core| core.len() != 2) {
        return Err(missing("cores"));
    }
    let router = |core: &Vec<f64>| {
        let tile = core[0] as u32;
        RouterPosition { chip: 0, x: tile / rows.max(1), y: tile % rows.max(1) }
    };
    let places: Vec<RouterPosition> = cores.iter().map(router).collect();
    if sizes.len() > 3 && places.windows(2).any(|pair| pair[0] != pair[1]) {
        let reason = "packets of more than two layers of weights on different tiles".to_owned();
        return Err(Stop::NotCovered(reason));
    }
    let each = [input_spikes, packets - input_spikes];
    let mut hops = (0.0, 0.0);
    for (pair, packets) in places.windows(2).zip(each) {
        hops.0 += packets * f64::from(pair[0].x.abs_diff(pair[1].x));
        hops.1 += packets * f64::from(pair[0].y.abs_diff(pair[1].y));
    }
    Ok(hops)
}
