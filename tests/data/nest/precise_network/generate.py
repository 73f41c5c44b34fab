"""Records a network of NEST's iaf_psc_delta_ps with listed synapses and listed input: `python generate.py` with
NEST 3.10.0 (nest-simulator of PyPI, numpy). Writes delta.json beside this file.

Excitatory spikes make several of their targets spike at once, so that inputs of one time are frequent.
"""

import json
import pathlib

import nest
import numpy as np

NEURONS, EXCITATORY, DURATION, DELAY = 40, 32, 50.0, 1.5
WEIGHT, INPUT_WEIGHT, INPUT_RATE = 4.0, 0.5, 4.0  # mV, mV, spikes a millisecond

draw = np.random.default_rng(2007)
initial = np.round(draw.random(NEURONS) * 20.0, 6)
pairs = np.argwhere(draw.random((NEURONS, NEURONS)) < 0.2)
weights = np.where(pairs[:, 0] < EXCITATORY, WEIGHT, -5.0 * WEIGHT)
# Six decimals: NEST, too, takes times of spikes as they are written.
inputs = [
    np.unique(np.round(0.2 + draw.random(draw.poisson(INPUT_RATE * (DURATION - 1))) * (DURATION - 1), 6))
    for _ in range(NEURONS)
]

nest.verbosity = nest.VerbosityLevel.ERROR
nest.ResetKernel()
nest.set(resolution=0.1)
constants = dict(tau_m=20.0, C_m=250.0, E_L=0.0, V_th=20.0, V_reset=0.0, t_ref=2.0, I_e=0.0)
cells = nest.Create("iaf_psc_delta_ps", NEURONS, params=constants)
cells.V_m = list(initial)
generators = nest.Create(
    "spike_generator", NEURONS, params=[dict(spike_times=list(t), precise_times=True) for t in inputs]
)
nest.Connect(generators, cells, "one_to_one", dict(weight=INPUT_WEIGHT, delay=0.1))
nest.Connect(
    list(pairs[:, 0] + 1), list(pairs[:, 1] + 1), "one_to_one",
    dict(weight=weights, delay=np.full(len(pairs), DELAY)),
)
recorder = nest.Create("spike_recorder")
nest.Connect(cells, recorder)
nest.Simulate(DURATION)
times, senders = recorder.events["times"], recorder.events["senders"] - 1
order = np.lexsort((senders, times))
result = {
    "simulator": "NEST 3.10.0", "model": "iaf_psc_delta_ps", "params": constants, "duration_ms": DURATION,
    "delay_ms": DELAY, "initial_mV": initial.tolist(),
    "sources": pairs[:, 0].tolist(), "targets": pairs[:, 1].tolist(), "weights_mV": weights.tolist(),
    "input": {
        "delay_ms": 0.1, "weight_mV": INPUT_WEIGHT,
        "neurons": [n for n, own in enumerate(inputs) for _ in own],
        "times_ms": [float(t) for own in inputs for t in own],
    },
    "spikes": {"neurons": senders[order].tolist(), "times_ms": times[order].tolist()},
}
with (pathlib.Path(__file__).parent / "delta.json").open("w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
