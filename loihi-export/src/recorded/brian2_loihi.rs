//! brian2-loihi: current, membrane potential and spikes of one layer on Loihi 1.
//!
//! That emulator's decay of the current is the factor 1 − δ / 4096 where ours is 1 − (δ + 1) / 4096,
//! it drops low bits of weights of mixed sign toward zero, and a spike acts in its own step where
//! ours acts in the next. It lets states leave their 24 bits, which no chip does: a neuron is
//! compared up to there, and the rest is named.

use serde_json::Value;

use super::{Checked, Comparison, Stop, count, matrix, missing, only_fields};
use crate::chip::ChipSpec;
use crate::emulator::arithmetic::STATE_BOUND;
use crate::emulator::{Emulator, SpikeTrain};
use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};
use sim_core::network::Shape;

/// Compares a recording; gives what is left out.
pub(super) fn verify(case: &Value, comparison: &mut Comparison) -> Checked<Vec<String>> {
    let mut left_out = Vec::new();
    let chip = ChipSpec::built_in("loihi1").map_err(|e| Stop::NotCovered(e.to_string()))?;
    let written = matrix(case, "W")?;
    let spikes = matrix(case, "spikes")?;
    let (sources, targets) = (written.len(), written.first().map_or(0, Vec::len));
    if spikes.first().map_or(0, Vec::len) != sources {
        return Err(missing("spikes"));
    }
    let mixed =
        written.iter().flatten().any(|&w| w < 0.0) && written.iter().flatten().any(|&w| w > 0.0);
    let truncation = chip.arithmetic.mixed_sign_truncation.value;
    let stored = |weight: f64| truncation.clear_low_bits(weight as i64, u32::from(mixed)) as i32;
    let mut weights = Vec::new();
    for target in 0..targets {
        weights.extend(written.iter().map(|row| stored(row[target])));
    }
    only_fields(case, "the file", &["W", "spikes", "cases"])?;
    for (index, part) in case["cases"].as_array().into_iter().flatten().enumerate() {
        let known = ["decay_I", "decay_v", "threshold_v_mant", "refractory", "I", "v"];
        only_fields(part, "cases", &[&known[..], &["spike_i", "spike_t"]].concat())?;
        let network = network(part, &weights, sources, targets, mixed)?;
        // one more step: input acts a step later here
        let mut rows: Vec<Vec<i32>> =
            spikes.iter().map(|row| row.iter().map(|&s| i32::from(s != 0.0)).collect()).collect();
        rows.push(vec![0; sources]);
        let input = SpikeTrain::from_rows(rows.iter().map(Vec::as_slice));
        let ours = Emulator::new(&network, &chip)
            .and_then(|mut emulator| emulator.run_traced(rows.len(), &[input], &[1]))
            .map_err(|error| Stop::NotCovered(format!("case {index}: {error}")))?;
        let trace = ours.traces.first().ok_or_else(|| missing("traces"))?;
        // the step in which a neuron's state leaves 24 bits in the tool
        let mut end = vec![usize::MAX; targets];
        for name in ["I", "v"] {
            for (step, row) in matrix(part, name)?.iter().enumerate() {
                for (end, _) in
                    end.iter_mut().zip(row).filter(|(_, state)| state.abs() >= STATE_BOUND as f64)
                {
                    *end = step.min(*end);
                }
            }
        }
        let cut = end.iter().filter(|end| **end != usize::MAX).count();
        if cut > 0 {
            left_out.push(format!("{cut} neurons of case {index} after leaving 24 bits"));
        }
        for (name, own) in [("I", &trace.current), ("v", &trace.membrane)] {
            for (step, theirs) in matrix(part, name)?.iter().enumerate() {
                let Some(row) = own.get(step + 1) else { return Err(missing(name)) };
                let compared = row.iter().zip(theirs).zip(&end).enumerate();
                for (neuron, ((&a, &b), _)) in compared.filter(|(_, (_, end))| step < **end) {
                    let variable = format!("case {index}: {name}");
                    comparison.equal(&variable, [step + 1, neuron], f64::from(a), b)?;
                }
            }
        }
        compare_spikes(part, index, &ours.spikes, &end, comparison)?;
    }
    Ok(left_out)
}

fn compare_spikes(
    part: &Value,
    index: usize,
    spikes: &[SpikeTrain],
    end: &[usize],
    comparison: &mut Comparison,
) -> Checked<()> {
    let before_end = |&(time, neuron): &(u64, u64)| {
        end.get(neuron as usize).is_none_or(|&end| time < end as u64)
    };
    let list = |field: &str| -> Checked<Vec<f64>> {
        let all = part[field].as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
        all.ok_or_else(|| missing(field))
    };
    let (neurons, times) = (list("spike_i")?, list("spike_t")?);
    let mut theirs: Vec<(u64, u64)> =
        times.iter().zip(&neurons).map(|(&t, &n)| (t as u64, n as u64)).collect();
    theirs.retain(before_end);
    theirs.sort_unstable();
    let train = spikes.get(1).ok_or_else(|| missing("spikes"))?;
    let mut ours = Vec::new();
    for step in 1..train.steps() {
        let mut own: Vec<u64> = train.at(step).iter().map(|s| u64::from(s.neuron)).collect();
        own.sort_unstable();
        ours.extend(own.into_iter().map(|neuron| (step as u64 - 1, neuron)));
    }
    ours.retain(before_end);
    let variable = format!("case {index}: number of spikes");
    comparison.equal(&variable, [0, 0], ours.len() as f64, theirs.len() as f64)?;
    for (own, other) in ours.iter().zip(&theirs) {
        let at = [own.0 as usize + 1, own.1 as usize];
        comparison.equal(&format!("case {index}: spike step"), at, own.0 as f64, other.0 as f64)?;
        comparison.equal(
            &format!("case {index}: spike neuron"),
            at,
            own.1 as f64,
            other.1 as f64,
        )?;
    }
    Ok(())
}

fn network(
    part: &Value,
    weights: &[i32],
    sources: usize,
    targets: usize,
    mixed: bool,
) -> Checked<QuantisedNetwork> {
    let population = |name: &str, process: &str, size: usize| QuantisedPopulation {
        name: name.to_owned(),
        shape: Shape::List(size as u32),
        process: process.to_owned(),
        parameters: indexmap::IndexMap::new(),
    };
    let mut layer = population("layer", "lif_refractory", targets);
    for (name, value) in [
        ("refractory", count(part, "refractory")? as i64),
        ("du", count(part, "decay_I")? as i64 - 1),
        ("dv", count(part, "decay_v")? as i64),
        ("vth", count(part, "threshold_v_mant")? as i64),
    ] {
        layer.parameters.insert(name.to_owned(), IntegerValues::One(value));
    }
    let negative = weights.iter().any(|&w| w < 0);
    let sign_mode = match (mixed, negative) {
        (true, _) => SignMode::Mixed,
        (false, true) => SignMode::Inhibitory,
        (false, false) => SignMode::Excitatory,
    };
    Ok(QuantisedNetwork {
        name: "recorded".to_owned(),
        chip: "loihi1".to_owned(),
        populations: vec![population("input", "input", sources), layer],
        projections: vec![QuantisedProjection {
            connection: Connection::Dense {
                weights: weights.to_vec(),
                sign_mode,
                weight_bits: 8,
                weight_exponent: 0,
            },
            name: "W".to_owned(),
            source: 0,
            target: 1,
            delay: DelaySteps::One(0),
            message_bits: 0,
            port: 0,
            learning: None,
        }],
    })
}
