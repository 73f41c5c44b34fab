"""Records feed-forward networks in SANA-FE 2.2.9: record_sana_fe.py OUT.json SEED STEPS INPUTS LAYER...

Layers are dense to the next, thresholds 900, leak 0.9, hard reset; each network is run on four
placements with two timing models.
"""

import json
import random
import sys

import sanafe

KEPT = ("timestep_start", "timesteps_executed", "energy", "sim_time", "spikes", "packets_sent", "neurons_updated")
NEURON = {"threshold": 900, "leak_decay": 0.9, "reset_mode": "hard"}


def run(sizes, weights, inputs, steps, cores, timing):
    arch = sanafe.load_loihi()
    network = sanafe.Network()
    groups = [network.create_neuron_group("L0", sizes[0], soma_hw_name="loihi_inputs")]
    for index, size in enumerate(sizes[1:], 1):
        groups.append(
            network.create_neuron_group(
                f"L{index}",
                size,
                model_attributes=NEURON,
                soma_hw_name="loihi_lif",
                default_synapse_hw_name="loihi_dense_synapse",
            )
        )
    for index in range(1, len(sizes)):
        matrix = weights[f"W{index}"]
        for source in range(sizes[index - 1]):
            for target in range(sizes[index]):
                neuron = groups[index].neurons[target]
                groups[index - 1].neurons[source].connect_to_neuron(neuron, {"weight": matrix[target][source]})
    for index, (group, (tile, core)) in enumerate(zip(groups, cores)):
        for number, neuron in enumerate(group.neurons):
            if index == 0:
                unit = f"loihi_inputs[{number}]"
                neuron.set_attributes(soma_hw_name=unit, model_attributes={"spikes": inputs[number]})
            neuron.map_to_core(arch.tiles[tile].cores[core])
    chip = sanafe.SpikingChip(arch)
    chip.load(network)
    result = chip.sim(steps, timing_model=timing)
    kept = {key: dict(result[key]) if key == "energy" else result[key] for key in KEPT}
    return {**kept, "neurons_fired": result["neurons_fired"]}


def main():
    out, seed, steps, *sizes = sys.argv[1:]
    steps, sizes = int(steps), [int(size) for size in sizes]
    draw = random.Random(int(seed))
    layers = range(1, len(sizes))
    weights = {
        f"W{i}": [[draw.randrange(-20, 60) for _ in range(sizes[i - 1])] for _ in range(sizes[i])] for i in layers
    }
    inputs = [[int(draw.random() < 0.2) for _ in range(steps)] for _ in range(sizes[0])]
    count = len(sizes)
    placements = {
        "same_core": [[0, 0]] * count,
        "same_tile": [[0, i % 4] for i in range(count)],
        "far": [[i * (31 // (count - 1)), i % 4] for i in range(count)],
        "mixed": [[draw.randrange(32), draw.randrange(4)] for _ in range(count)],
    }
    runs = {
        f"{name}/{timing}": {"cores": cores, "result": run(sizes, weights, inputs, steps, cores, timing)}
        for name, cores in placements.items()
        for timing in ("simple", "detailed")
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"sanafe": "2.2.9", "weights": weights, "x": inputs, "T": steps, "runs": runs}, file)


main()
