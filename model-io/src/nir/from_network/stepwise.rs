//! Neurons that are given as factors of a step, as nodes.
//!
//! The factors become the time constants under which the specification's exact steps keep the same:
//! τ = -dt / ln β, r = g / (1 - β), v_leak = λ / (1 - β); the current likewise.

use super::neurons::{all, parameter, reset_values, with_rules};
use super::{NotInNir, array, extents, narrow, note, refuse};
use crate::array::Array;
use crate::nir::{CubaLi, CubaLif, If, Li, Lif, MetadataEntry, NirNode, Output, Threshold};
use sim_core::network::ValidPopulation;

/// Milliseconds in the unit of time of graphs.
const SECOND: f64 = 1e-3;

/// A membrane's factors, one a neuron, as arrays of NIR.
struct Membrane {
    tau: Array,
    r: Array,
    v_leak: Array,
    /// Time constants of the current and factors of its input.
    synapse: Option<(Array, Array)>,
}

/// The node of a population of `lif_stepwise` or `leaky_integrator_stepwise`, in steps of `step` ms, on
/// a clock that starts `start` steps behind the input's.
pub(super) fn node(
    name: &str,
    population: &ValidPopulation,
    step: f64,
    start: u64,
) -> Result<NirNode, NotInNir> {
    let place = || format!("populations/{name}");
    let shape = extents(population.shape);
    let own = |name: &str| parameter(population, name);
    let (kept, leak) = (own("potential_kept"), own("leak"));
    let late = own("onset").iter().any(|&onset| onset != 0.0 && onset != start as f64);
    if late && leak.iter().any(|&leak| leak != 0.0) {
        let problem =
            format!("it begins to leak at another step than {start}, when input can come");
        return Err(refuse(place(), problem, "set onset to that step"));
    }
    let current = population.neurons.initial.get(1).and_then(Option::as_ref);
    if current.is_some_and(|column| column.numbers().iter().any(|&current| current != 0.0)) {
        let problem = "its currents begin at another value than 0, which NIR cannot say";
        return Err(refuse(place(), problem, "begin with synaptic_current 0"));
    }
    let gains = own("gain").into_iter().zip(own("input_gain"));
    let (current_kept, gain): (_, Vec<f64>) =
        (own("current_kept"), gains.map(|(gain, input)| gain * input).collect());
    let is_all = |values: &[f64], wanted: f64| values.iter().all(|&value| value == wanted);
    let spikes = population.model.spec().spikes;
    // A potential that only shows the current is that of a layer without one.
    let shows = !spikes && is_all(&kept, 0.0) && is_all(&leak, 0.0);
    let (kept, current_kept) = match shows {
        true => (current_kept, vec![0.0; gain.len()]),
        false => (kept, current_kept),
    };
    if shows && is_all(&kept, 0.0) && is_all(&gain, 1.0) {
        return Ok(Output { shape }.into());
    }
    let threshold = array(&shape, narrow(&own("threshold")));
    let plain = is_all(&current_kept, 0.0) && is_all(&leak, 0.0);
    if spikes && plain && is_all(&kept, 0.0) && is_all(&gain, 1.0) {
        return Ok(Threshold { threshold }.into());
    }
    let v_reset = array(&shape, narrow(&reset_values(population)));
    if spikes && plain && is_all(&kept, 1.0) {
        let r = array(&shape, narrow(&gain));
        return Ok(with_rules(
            If { r, v_threshold: threshold, v_reset }.into(),
            population,
            &shape,
        ));
    }
    let within = |values: &[f64]| values.iter().all(|kept| *kept > 0.0 && *kept < 1.0);
    if !within(&kept) || !(within(&current_kept) || is_all(&current_kept, 0.0)) {
        let problem =
            "a step keeps nothing or everything of its state, which no time constant says";
        return Err(refuse(
            place(),
            problem,
            "give potential_kept and current_kept between 0 and 1",
        ));
    }
    let by = |values: &[f64], kept: &[f64]| -> Array {
        let scaled = values.iter().zip(kept).map(|(value, kept)| value / (1.0 - kept));
        array(&shape, narrow(&scaled.collect::<Vec<_>>()))
    };
    let constants = |kept: &[f64]| -> Array {
        let taus = kept.iter().map(|kept| -step * SECOND / kept.ln()).collect::<Vec<_>>();
        array(&shape, narrow(&taus))
    };
    let synapse = within(&current_kept);
    let r = if synapse { own("gain") } else { gain };
    let membrane = Membrane {
        tau: constants(&kept),
        r: by(&r, &kept),
        v_leak: by(&leak, &kept),
        synapse: synapse.then(|| (constants(&current_kept), by(&own("input_gain"), &current_kept))),
    };
    let Membrane { tau, r, v_leak, synapse } = membrane;
    let node: NirNode = match (spikes, synapse) {
        (false, None) => Li { tau, r, v_leak }.into(),
        (false, Some((tau_syn, w_in))) => CubaLi { tau_syn, tau_mem: tau, r, v_leak, w_in }.into(),
        (true, None) => Lif { tau, r, v_leak, v_threshold: threshold, v_reset }.into(),
        (true, Some((tau_syn, w_in))) => {
            CubaLif { tau_syn, tau_mem: tau, r, v_leak, v_threshold: threshold, v_reset, w_in }
                .into()
        }
    };
    if spikes {
        return Ok(with_rules(node, population, &shape));
    }
    Ok(node)
}

/// The node of a population of `multispike_integrate_and_fire`.
pub(super) fn several(name: &str, population: &ValidPopulation) -> Result<NirNode, NotInNir> {
    let shape = extents(population.shape);
    let threshold = parameter(population, "threshold");
    if threshold != parameter(population, "deepest") {
        let problem = "its potential goes down to another value than minus the threshold";
        let remedy = "set deepest to the threshold, as frameworks do";
        return Err(refuse(format!("populations/{name}"), problem, remedy));
    }
    let v_threshold = array(&shape, narrow(&threshold));
    let r = array(&shape, narrow(&parameter(population, "gain")));
    let mut node: NirNode = If { r, v_threshold, v_reset: all(&shape, 0.0) }.into();
    note(&mut node.metadata, "reset", "subtract, as often as the threshold fits in");
    let initial = population.neurons.initial.first().and_then(Option::as_ref);
    let initial = initial.map(|column| column.expand(0..population.neurons.size));
    if let Some(initial) = initial.filter(|values| values.iter().any(|&value| value != 0.0)) {
        let initial = MetadataEntry::Value(array(&shape, narrow(&initial)));
        node.metadata.insert("v_initial".to_string(), initial);
    }
    Ok(node)
}
