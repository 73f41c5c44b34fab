//! Neurons that are given as factors of a step, as nodes.
//!
//! The factors become the time constants under which the specification's exact steps keep the same:
//! τ = -dt / ln β, r = g / (1 - β), v_leak = λ / (1 - β); the current likewise.

use super::neurons::{all, parameter, reset_values, with_rules};
use super::{NotInNir, array, extents, narrow, note, refuse};
use crate::array::Array;
use crate::nir::{CubaLi, CubaLif, I, If, Li, Lif, NirNode, Output, Primitive, Threshold};
use sim_core::network::ValidPopulation;
use sim_core::neuron::LoweredReset;
use sim_core::neuron::multispike_integrate_and_fire::NO_FLOOR;

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

/// The node of a population of `lif_stepwise`, `leaky_integrator_stepwise`,
/// `leaky_integrator_analogue` or `multispike_integrate_and_fire`, in steps of `step` ms, on a clock that starts `start` steps behind the input's.
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
    let several = population.model.spec().name == "multispike_integrate_and_fire";
    let spikes = population.model.spec().spikes || several;
    // A potential that only shows the current is that of a layer without one.
    let sends = population.model.sends_values();
    let shows = !spikes && !sends && is_all(&kept, 0.0) && is_all(&leak, 0.0);
    let (kept, current_kept) = match shows {
        true => (current_kept, vec![0.0; gain.len()]),
        false => (kept, current_kept),
    };
    if shows && is_all(&kept, 0.0) && is_all(&gain, 1.0) {
        return Ok(Output { shape }.into());
    }
    let threshold = array(&shape, narrow(&own("threshold")));
    let plain = is_all(&current_kept, 0.0) && is_all(&leak, 0.0);
    if spikes && !several && plain && is_all(&kept, 0.0) && is_all(&gain, 1.0) {
        return Ok(Threshold { threshold }.into());
    }
    if !spikes && plain && is_all(&kept, 1.0) {
        return Ok(I { r: array(&shape, narrow(&gain)) }.into());
    }
    let v_reset = match several {
        true => all(&shape, 0.0),
        false => array(&shape, narrow(&reset_values(population))),
    };
    if spikes && plain && is_all(&kept, 1.0) {
        let r = array(&shape, narrow(&gain));
        return ruled(name, If { r, v_threshold: threshold, v_reset }.into(), population);
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
        return ruled(name, node, population);
    }
    Ok(node)
}

/// The node of neurons that spike, with what NIR cannot say of their resets beside it.
fn ruled(name: &str, node: NirNode, population: &ValidPopulation) -> Result<NirNode, NotInNir> {
    let shape = extents(population.shape);
    let own = |name: &str| parameter(population, name);
    let mut node = with_rules(node, population, &shape);
    if population.model.spec().spikes {
        let any = |name: &str| own(name).iter().any(|&number| number != 0.0);
        let subtracts = population.neurons.reset == LoweredReset::Subtract;
        let rule = if subtracts { "subtract" } else { "to v_reset" };
        if subtracts && !any("subtracted") {
            note(&mut node.metadata, "reset", "none");
        } else if any("reset_delay") {
            let rule = format!("{rule}, in the next step, behind its decay and input");
            note(&mut node.metadata, "reset", &rule);
        } else if any("held") {
            let rule = format!("{rule}; above v_threshold still, the next step needs it twice");
            note(&mut node.metadata, "reset", &rule);
        }
        return Ok(node);
    }
    let bounded = matches!(node.primitive, Primitive::If(_));
    let (threshold, deepest) = (own("threshold"), own("deepest"));
    let fits = match bounded {
        true => threshold == deepest,
        false => deepest.iter().all(|&deepest| deepest >= NO_FLOOR),
    };
    if !fits {
        let problem = "its potential goes down to another value than its node's: minus the threshold \
                       of an IF, without a bound of the others";
        let remedy =
            "set deepest to the threshold of neurons that keep everything, to 1e300 for others";
        return Err(refuse(format!("populations/{name}"), problem, remedy));
    }
    let most = own("most").into_iter().fold(f64::INFINITY, f64::min);
    let rule = match most < f64::from(i32::MAX) {
        true => format!("subtract, as often as the threshold fits in, at most {most} times a step"),
        false => "subtract, as often as the threshold fits in".to_owned(),
    };
    note(&mut node.metadata, "reset", &rule);
    Ok(node)
}
