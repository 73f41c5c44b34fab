//! Recurrent layers: written, read back, and the spikes that both networks compute.

use super::*;
use crate::chip::ChipSpec;
use crate::emulator::{Emulator, Spike, SpikeTrain};

/// 6 inputs → 9 recurrent neurons → 4 neurons, delayed.
fn looped(recurrent: &[i64]) -> QuantisedNetwork {
    let lif = [("du", 2047), ("dv", 256), ("vth", 120), ("bias_exp", 6)];
    let [hidden, out] =
        [("hidden", 9), ("out", 4)].map(|(name, size)| population(name, Shape::List(size), &lif));
    let mut projections = vec![
        projection(0, 1, dense(&pattern(54), 9, 6)),
        projection(1, 1, dense(recurrent, 9, 9)),
        projection(1, 2, dense(&pattern(36), 4, 9)),
    ];
    projections[2].delay = DelaySteps::PerSynapse((0..36).map(|k| k % 11).collect());
    QuantisedNetwork {
        name: "looped".into(),
        chip: "loihi2".into(),
        populations: vec![population("input", Shape::List(6), &[]), hidden, out],
        projections,
    }
}

fn spikes(network: &QuantisedNetwork, input: &SpikeTrain) -> Vec<Vec<Vec<Spike>>> {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let recording =
        Emulator::new(network, &chip).unwrap().run(60, std::slice::from_ref(input)).unwrap();
    let layers = recording.spikes.iter().skip(1);
    layers.map(|train| (0..60).map(|step| train.at(step).to_vec()).collect()).collect()
}

#[test]
fn a_recurrent_layer_comes_back_and_computes_the_same_spikes() {
    let recurrent: Vec<i64> = (0..81).map(|k| (k * 29 % 67 - 33) * 2).collect();
    let network = looped(&recurrent);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("looped.net");
    write_netx(&path, &network, false).unwrap();
    let layers = read_netx_layers(&path).unwrap();
    let types: Vec<_> = layers.iter().map(|l| l.layer_type.as_str()).collect();
    assert_eq!(types, ["input", "dense_rec", "dense"]);
    assert!(layers.iter().all(|l| l.warnings.is_empty()), "{layers:?}");
    let stored = layers[1].recurrent_weights.as_ref().unwrap();
    assert_eq!(stored.values.to_i64().unwrap(), recurrent);
    let read = read_netx_network(&path, &NetxOptions::default()).unwrap();
    let mut input = SpikeTrain::new();
    for step in 0..60_u32 {
        let row: Vec<_> =
            (0..6).filter(|n| (step * 7 + n * 5) % 4 == 0).map(Spike::plain).collect();
        input.push_step(&row);
    }
    let ours = spikes(&network, &input);
    assert_eq!(ours, spikes(&read.network, &input));
    let without = spikes(&looped(&pattern(81)), &input);
    assert_ne!(ours, without, "the recurrent weights matter");
}
