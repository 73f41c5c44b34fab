//! Changing synapses against their closed forms, in networks and on both engines.

use super::{samples, spike_list};
use sim_core::engine::ENGINES;
use sim_core::network::{
    Network, Neuron, OneToOne, Plasticity, Population, Probe, Projection, RefractoryInput, Reset,
    SpikeCondition,
};
use sim_core::units::{Milliseconds, Millivolts};
use test_support::closed_form::{stationary_release, stationary_release_of_three_states};
use test_support::suite::{advance, compile, simulate, start};

/// Weight of a synapse without plasticity [mV].
const WEIGHT: f64 = 2.0;

/// What the last of many spikes at equal intervals lets a membrane jump by.
fn last_jump(engine: &str, rule: Plasticity, interval: f64) -> f64 {
    let (tau, dt, spikes) = (10.0_f64, 0.5_f64, 400_u32);
    let cell = Neuron::new("leaky_integrator").parameter("tau_membrane", Milliseconds(tau));
    let mut network = Network::new("release", Milliseconds(dt));
    network.add_population("cell", Population::new(1, cell));
    let times: Vec<f64> = (1..=spikes).map(|k| f64::from(k) * interval).collect();
    let last = f64::from(spikes) * interval;
    spike_list(&mut network, "input", vec![0; times.len()], times);
    let synapse = Projection::new("input", "cell", OneToOne)
        .weight(Millivolts(WEIGHT))
        .delay(Milliseconds(1.0))
        .short_term(rule);
    network.add_projection("synapse", synapse);
    network.add_probe("v", Probe::variable("cell", "membrane_potential"));
    let recording = simulate(&compile(&network), engine, 1, last + 2.0);
    let at = |time: f64| {
        let mut found = samples(&recording.traces[0]).filter(|(t, _)| (t - time).abs() < 1e-6);
        found.next().unwrap().1
    };
    // −70 mV is the rest.
    at(last + 1.0) + 70.0 - (at(last + 1.0 - dt) + 70.0) * (-dt / tau).exp()
}

#[test]
fn regular_trains_bring_short_term_plasticity_to_its_stationary_state() {
    for (usage, recovery, facilitation) in
        [(0.5, 800.0, 0.0), (0.05, 130.0, 530.0), (0.9, 20.0, 5.0)]
    {
        for interval in [5.0, 20.0, 100.0] {
            let rule = |name: &str| {
                Plasticity::new(name)
                    .parameter("use", usage)
                    .parameter("tau_recovery", Milliseconds(recovery))
                    .parameter("tau_facilitation", Milliseconds(facilitation))
            };
            let two = stationary_release(usage, recovery, facilitation, interval);
            let three =
                stationary_release_of_three_states(usage, recovery, facilitation, 3.0, interval);
            for engine in ENGINES {
                for (rule, closed) in [
                    (rule("tsodyks_markram_two"), two),
                    (rule("tsodyks_markram").parameter("tau_synapse", Milliseconds(3.0)), three),
                ] {
                    let name = rule.rule.clone();
                    let jump = last_jump(engine.name, rule, interval) / WEIGHT;
                    assert!(
                        (jump - closed).abs() < 1e-9,
                        "{name}, {}, U {usage}, every {interval} ms: {jump}, not {closed}",
                        engine.name
                    );
                }
            }
        }
    }
}

/// The change of a weight when a spike of the target comes `difference` ms behind that of the source
/// (at the synapse; the delay is dendritic), told by the source's next spike.
fn change(engine: &str, rule: &Plasticity, difference: f64) -> f64 {
    let (dt, delay) = (0.1, 1.0);
    let mut cell = Neuron::new("lif_delta")
        .parameter("refractory_period", Milliseconds(0.0))
        .rules(SpikeCondition::AtOrAbove, Reset::To(Millivolts(-70.0).into()));
    cell.refractory_input = Some(RefractoryInput::Lost);
    let mut network = Network::new("pair", Milliseconds(dt));
    network.add_population("cell", Population::new(1, cell));
    spike_list(&mut network, "pre", vec![0, 0], vec![100.0, 900.0]);
    // A spike of the target reaches the synapse a dendritic delay later.
    let post = 100.0 + difference - delay;
    spike_list(&mut network, "forcing", vec![0], vec![((post - dt) * 1e6).round() / 1e6]);
    let plastic = Projection::new("pre", "cell", OneToOne)
        .weight(Millivolts(1e-9))
        .delay(Milliseconds(delay))
        .plasticity(rule.clone());
    network.add_projection("plastic", plastic);
    let forcing = Projection::new("forcing", "cell", OneToOne)
        .weight(Millivolts(1000.0))
        .delay(Milliseconds(dt));
    network.add_projection("forcing", forcing);
    let mut engine = start(&compile(&network), engine, 1);
    advance(engine.as_mut(), 950.0);
    engine.weights(0).unwrap()[0].3 * 1e9 - 1.0
}

#[test]
fn one_pair_of_spikes_changes_a_weight_by_the_rules_window() {
    let (rate, asymmetry, plus, minus, largest) = (0.01, 1.3, 17.0, 34.0, 2.0);
    let rule = |name: &str| {
        Plasticity::new(name)
            .parameter("learning_rate", rate)
            .parameter("asymmetry", asymmetry)
            .parameter("tau_plus", Milliseconds(plus))
            .parameter("tau_minus", Milliseconds(minus))
            .parameter("largest_weight", Millivolts(largest * 1e-9))
    };
    let additive = rule("stdp_additive");
    let multiplicative = rule("stdp_multiplicative");
    for engine in ENGINES {
        for difference in [1.0, 5.0, 20.0, 60.0, -2.0, -10.0, -40.0] {
            // What is left of the pair when the second source spike pairs with it, too.
            let second = (-(800.0 - difference) / minus).exp();
            let (up, down) = match difference > 0.0 {
                true => ((-difference / plus).exp(), second),
                false => (0.0, (difference / minus).exp() + second),
            };
            let found = change(engine.name, &additive, difference);
            let closed = rate * largest * (up - asymmetry * down);
            assert!(
                (found - closed).abs() < 1e-9,
                "{}: {difference} ms: {found}, not {closed}",
                engine.name
            );
            // Towards the largest weight in proportion to what is missing, down to the weight itself;
            // one event after the other.
            let mut weight = 1.0_f64;
            if difference < 0.0 {
                weight -= rate * asymmetry * weight * (difference / minus).exp();
            } else {
                weight += rate * (largest - weight) * up;
            }
            weight -= rate * asymmetry * weight * second;
            let found = change(engine.name, &multiplicative, difference);
            assert!(
                (found - (weight - 1.0)).abs() < 1e-9,
                "multiplicative, {}: {difference} ms: {found}, not {}",
                engine.name,
                weight - 1.0
            );
        }
    }
}
