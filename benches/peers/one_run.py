"""What the scripts of all tools share: their arguments, and the report of one run."""

import argparse

import networks


def options(tool):
    parser = argparse.ArgumentParser(description=f"One run in {tool}; prints one JSON object as the last line.")
    parser.add_argument("workload", choices=networks.NETWORKS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--simulate", type=float, help="milliseconds")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def report(network, chosen, duration, build_s, sim_s, cpu_s, synapses, spikes, peak_rss_mb):
    """The fields that `spikeloom bench --json` has under the same names."""
    neurons = sum(p.size for p in network.populations)
    sizes = {p.name: p.size for p in network.populations}
    # Synapses of a neuron in the mean, by the population that it belongs to.
    fan_out = dict.fromkeys(sizes, 0.0)
    for projection in network.projections:
        kind, number = projection.rule
        fan_out[projection.source] += {
            "pairwise": lambda: sizes[projection.target] * number,
            "in_degree": lambda: number * sizes[projection.target] / sizes[projection.source],
            "total": lambda: number / sizes[projection.source],
        }[kind]()
    events = sum(count * fan_out[name] for name, count in spikes.items())
    seconds = duration / 1000.0
    return {
        "workload": chosen.workload, "scale": chosen.scale, "threads": chosen.threads, "seed": chosen.seed,
        "simulated_ms": duration, "build_s": build_s, "sim_s": sim_s, "cpu_s": cpu_s, "rtf": sim_s / seconds,
        "peak_rss_mb": peak_rss_mb, "n_neurons": neurons, "n_synapses": synapses,
        "mean_rate_hz": sum(spikes.values()) / neurons / seconds,
        "rates_hz": {name: count / sizes[name] / seconds for name, count in spikes.items()},
        "synaptic_events_per_s": events / sim_s,
    }
