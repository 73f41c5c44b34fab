"""Runs a mapped network in an installed SANA-FE and compares with what Spikeloom models.

    sana_fe.py NETWORK.yaml MAP.json [RECORD.json]

NETWORK.yaml is written by `spikeloom export --format sana_fe`, MAP.json is the answer of
`spikeloom map --json --profile sanafe_fit` for the same network and chip with the rates that it
really has. Energies must agree to the order of SANA-FE's sums, times of its simple timing model
too. RECORD.json keeps SANA-FE's numbers. Needs sanafe 2.2.9.
"""

import json
import pathlib
import sys

import sanafe

SUMMATION = 1e-9
KEPT = ("timesteps_executed", "energy", "sim_time", "spikes", "packets_sent", "neurons_updated", "neurons_fired")


def run(path, steps, timing):
    arch = sanafe.load_loihi()
    chip = sanafe.SpikingChip(arch)
    chip.load(sanafe.load_net(str(path), arch))
    result = chip.sim(steps, timing_model=timing)
    return {key: dict(result[key]) if key == "energy" else result[key] for key in KEPT}


def main():
    network, map_json, *record = map(pathlib.Path, sys.argv[1:])
    modelled = json.loads(map_json.read_text())
    energy = modelled["energy"]
    steps = modelled["activity"]["steps"]
    runs = {timing: run(network, steps, timing) for timing in ("simple", "detailed")}
    pairs = [
        ("synapse energy", energy["synapse_j"], runs["simple"]["energy"]["synapse"]),
        ("soma energy", energy["neuron_j"], runs["simple"]["energy"]["soma"]),
        ("network energy", energy["hop_j"], runs["simple"]["energy"]["network"]),
        ("time", energy["latency_s"], runs["simple"]["sim_time"]),
    ]
    wrong = 0
    for name, ours, theirs in pairs:
        equal = abs(ours - theirs) <= SUMMATION * max(abs(ours), abs(theirs))
        wrong += not equal
        print(f"{name}: {ours:.6e} modelled, {theirs:.6e} in SANA-FE{'' if equal else '  DIFFERS'}")
    detailed = runs["detailed"]["sim_time"]
    print(f"time of its detailed timing model: {detailed:.6e} ({energy['latency_s'] / detailed - 1:+.2%} modelled)")
    if record:
        record[0].write_text(json.dumps({"sanafe": "2.2.9", "cores": modelled["cores_used"], "runs": runs}, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
