"""Records currents, potentials and spikes of one layer: record_brian2_loihi.py OUT.json [SEED]

Python 3.9 with "setuptools<66" "numpy<1.24" brian2==2.4.2 brian2-loihi==0.5.2 "jinja2<3.1".
"""

import json
import sys

import numpy as np
from brian2 import prefs
from brian2_loihi import LoihiNetwork, LoihiNeuronGroup, LoihiSpikeGeneratorGroup, LoihiSpikeMonitor, LoihiStateMonitor, LoihiSynapses

prefs.codegen.target = "numpy"
STEPS = 60


def case(weights, spikes, sign_mode, decay_I, decay_v, threshold, refractory):
    times, indices = np.nonzero(spikes)
    source = LoihiSpikeGeneratorGroup(weights.shape[0], indices, times)
    layer = LoihiNeuronGroup(
        weights.shape[1], refractory=refractory, threshold_v_mant=threshold, decay_v=decay_v, decay_I=decay_I
    )
    wires = LoihiSynapses(source, layer, sign_mode=sign_mode)
    wires.connect()
    wires.w = weights.flatten()
    current, potential = LoihiStateMonitor(layer, "I"), LoihiStateMonitor(layer, "v")
    emitted = LoihiSpikeMonitor(layer)
    LoihiNetwork(source, layer, wires, current, potential, emitted).run(STEPS)
    return {
        "decay_I": decay_I, "decay_v": decay_v, "threshold_v_mant": threshold, "refractory": refractory,
        "I": np.array(current.I).T.tolist(), "v": np.array(potential.v).T.tolist(),
        "spike_i": np.array(emitted.i).tolist(), "spike_t": np.array(emitted.t).tolist(),
    }


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    random = np.random.RandomState(seed)
    sign_mode = [1, 1, 2, 3][seed % 4]
    low, high = {1: (-256, 255), 2: (0, 256), 3: (-256, 1)}[sign_mode]
    sources, targets = random.randint(3, 9), random.randint(2, 7)
    weights = random.randint(low, high, size=(sources, targets))
    spikes = (random.rand(STEPS, sources) < 0.35).astype(int)
    cases = []
    for _ in range(4):
        cases.append(case(weights, spikes, sign_mode, int(random.choice([0, 1, 200, 1024, 3000, 4095, 4096])),
                          int(random.choice([0, 1, 128, 400, 2048, 4096])), int(random.choice([10, 60, 120, 500, 4000])),
                          int(random.choice([1, 1, 2, 3, 10, 64]))))
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"W": weights.tolist(), "spikes": spikes.tolist(), "cases": cases}, file)


main()
