//! scratch
use sim_core::network::*;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::neuron::lif_alpha::LifAlpha;
use sim_core::units::*;
use test_support::suite::{compile, simulate};
#[test]
fn silence() {
    let a: Neuron = LifExponential { tau_membrane: Milliseconds(1.0), tau_excitatory: Milliseconds(5.0), ..Default::default() }.into();
    let b: Neuron = LifAlpha { tau_membrane: Milliseconds(1.0), tau_excitatory: Milliseconds(5.0), ..Default::default() }.into();
    for neuron in [a, b] {
        let mut network = Network::new("x", Milliseconds(0.1));
        network.add_population("cell", Population::new(1, neuron));
        network.add_population("in", Population::new(1, Neuron::spike_source()));
        network.add_stimulus("in", Stimulus::SpikeList { population: "in".into(), neurons: vec![0; 2],
            times: Values::Each { values: vec![1.0, 2000.0], unit: find_unit("ms").unwrap() } });
        network.add_projection("p", Projection::new("in", "cell", Connectivity::OneToOne).weight(Picoamperes(8000.0)).delay(Milliseconds(1.0)));
        network.add_probe("spikes", Probe::spikes("cell"));
        for engine in ["clock", "event"] {
            let r = simulate(&compile(&network), engine, 1, 2100.0);
            println!("{engine} {:?}", r.spikes.iter().map(|s| s.time.milliseconds()).collect::<Vec<_>>());
        }
    }
}
