"""Records what nengo-loihi says of cores: record_nengo_loihi.py OUT.json

Python 3.9 with "numpy<1.24" "scipy<1.11" "setuptools<66" nengo==3.2.0 nengo-loihi==1.1.0.
"""

import json
import sys

import nengo
import nengo_loihi
import numpy as np

DENSE = [(100, 50, 10), (400, 300, 10), (1024, 512), (700, 65, 33), (2000, 100, 10), (300, 1500, 64), (128, 2200)]
SPARSE = [((500, 500), 0.05), ((300, 700), 0.3)]


def perceptron(sizes, density=None):
    random = np.random.RandomState(0)
    with nengo.Network(seed=0) as network:
        nengo_loihi.add_params(network)
        before = None
        for index, size in enumerate(sizes):
            bias = np.full(size, 40.0 if index == 0 else 0.0)
            kind = nengo_loihi.neurons.LoihiSpikingRectifiedLinear()
            layer = nengo.Ensemble(size, 1, label=f"L{index}", neuron_type=kind, gain=np.ones(size), bias=bias)
            network.config[layer].on_chip = True
            if before is not None:
                weights = random.uniform(-1, 1, size=(size, before.n_neurons))
                if density is None:
                    transform = nengo.Dense(weights.shape, init=weights)
                else:
                    mask = random.rand(*weights.shape) < density
                    transform = nengo.transforms.Sparse(weights.shape, indices=np.argwhere(mask), init=weights[mask])
                nengo.Connection(before.neurons, layer.neurons, transform=transform, synapse=0.005)
            before = layer
    return network


def synapse(synapse):
    code = synapse.synapse_cfg
    first = len(synapse.weights[0][0])
    return {
        "label": synapse.label,
        "n_axons": synapse.n_axons,
        "size": int(synapse.size()),
        "weight_bits": code.real_weight_bits,
        "idx_bits": code.real_idx_bits,
        "compression": code.compression,
        "weight_exp": int(code.weight_exp),
        "bits": int(synapse.bits()),
        "bits_of_first_axon": int(code.bits_per_axon(first)),
        "weights_per_axon_first": first,
        "fanout_type": int(code.fanout_type),
    }


def record(network):
    try:
        simulator = nengo_loihi.Simulator(network, target="sim", progress_bar=False)
    except nengo.exceptions.BuildError as error:
        return f"BuildError: {error}"
    blocks = []
    for block in simulator.model.blocks:
        used = {name: {"used": int(n), "max": int(most)} for name, (n, most) in block.utilization().items()}
        lists = [synapse(s) for s in block.synapses]
        blocks.append({"label": str(block), "n": block.n_neurons, **used, "synapses_detail": lists})
    return {"blocks": blocks, "utilization_summary": simulator.model.utilization_summary()}


def main():
    networks = {"mlp_" + "_".join(map(str, sizes)): perceptron(sizes) for sizes in DENSE}
    networks.update({"sparse_" + "_".join(map(str, sizes)): perceptron(sizes, density) for sizes, density in SPARSE})
    limits = {"compartments": 1024, "in_axons": 4096, "out_axons": 4096, "synapse_bits": 16384 * 64}
    recorded = {name: record(network) for name, network in networks.items()}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"limits": limits, "nets": recorded}, file)


main()
