//! Recording of weights: which steps, and what is put down.

use super::Compiled;
use super::plastic::PlasticSynapses;
use crate::network::ValidWeightProbe;
use crate::recording::WeightTrace;
use crate::time::Time;

/// Traces of the network's probes of weights, without a sample.
pub(super) fn traces(compiled: &Compiled) -> Vec<WeightTrace> {
    let probes = compiled.network.weight_probes().iter();
    let trace = |(name, probe): (&String, &ValidWeightProbe)| WeightTrace {
        probe: name.clone(),
        projection: probe.projection,
        times: Vec::new(),
        values: Vec::new(),
    };
    probes.map(trace).collect()
}

/// The first step after `step` at whose end weights are recorded.
pub(super) fn next_sample(compiled: &Compiled, step: u64) -> Option<u64> {
    let probes = compiled.network.weight_probes().values();
    probes.map(|probe| (step / probe.interval + 1).saturating_mul(probe.interval)).min()
}

/// Probes whose samples are due at the end of `step`: (index of the trace, projection).
pub(super) fn due(compiled: &Compiled, step: u64) -> Vec<(usize, usize)> {
    let probes = compiled.network.weight_probes().values().enumerate();
    let due = probes.filter(|(_, probe)| step > 0 && step.is_multiple_of(probe.interval));
    due.map(|(index, probe)| (index, probe.projection)).collect()
}

/// Records the weights of a projection now, from its changing synapses of all parts. They are caught
/// up first, so that they do not depend on when they were last brought up to date.
pub(super) fn sample(trace: &mut WeightTrace, now: Time, mut parts: Vec<&mut PlasticSynapses>) {
    parts.iter_mut().for_each(|part| part.catch_up(now));
    let count = parts.iter().map(|part| part.synapse_count()).sum();
    // Many synapses: neither list grows by doubling.
    let mut weights = Vec::with_capacity(count);
    weights.extend(parts.iter().flat_map(|part| part.weights()));
    weights.sort_by_key(|&(source, delay, target, _)| (source, delay, target));
    trace.times.push(now);
    trace.values.reserve_exact(count);
    trace.values.extend(weights.into_iter().map(|synapse| synapse.3));
}
