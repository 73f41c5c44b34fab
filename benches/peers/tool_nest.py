"""One run of a network in NEST, in a process of its own: prints one JSON object as the last line."""

import json
import math
import resource
import time

import nest
import networks
import one_run

MODELS = {"delta": "iaf_psc_delta", "exponential": "iaf_psc_exp", "alpha": "iaf_psc_alpha",
          "conductance": "iaf_cond_exp"}
KEYS = {"tau": "tau_m", "capacitance": "C_m", "rest": "E_L", "threshold": "V_th", "reset": "V_reset",
        "refractory": "t_ref", "tau_excitatory": "tau_syn_ex", "tau_inhibitory": "tau_syn_in",
        "reversal_excitatory": "E_ex", "reversal_inhibitory": "E_in"}
INITIAL = {"potential": "V_m", "excitatory": "g_ex", "inhibitory": "g_in"}
# Above this, NEST's ordinary synapses (72 bytes) are not worth their memory.
COMPACT_ABOVE = 30_000_000
# NEST counts the synapses of a model on a thread in 27 bits: large networks need a copy a source.
MOST_OF_A_MODEL = 2**27


def drawn(law):
    if isinstance(law, networks.Normal):
        normal = nest.random.normal(law.mean, law.std)
        if law.low == -math.inf and law.high == math.inf:
            return normal
        return nest.math.redraw(normal, min=max(law.low, -1e10), max=min(law.high, 1e10))
    if isinstance(law, networks.Uniform):
        return nest.random.uniform(law.low, law.high)
    return law


def rule_of(projection):
    kind, number = projection.rule
    common = {"allow_autapses": projection.autapses, "allow_multapses": kind != "pairwise"}
    return {
        "pairwise": {"rule": "pairwise_bernoulli", "p": number},
        "in_degree": {"rule": "fixed_indegree", "indegree": number},
        "total": {"rule": "fixed_total_number", "N": number},
    }[kind] | common


def create(population, network):
    constants = dict(population.constants)
    if population.model == "conductance":
        # NEST states the leak as a conductance.
        constants.pop("tau")
        extra = {"g_L": population.constants["capacitance"] / population.constants["tau"]}
    else:
        extra = {"I_e": population.current}
    if network.plasticity:
        extra["tau_minus"] = network.plasticity["tau_minus"]
    model = MODELS[population.model] + ("_ps" if network.exact_times else "")
    cells = nest.Create(model, population.size, params={KEYS[k]: v for k, v in constants.items()} | extra)
    for name, law in population.initial.items():
        cells.set({INITIAL[name]: drawn(law)})
    if population.inputs:
        generator = nest.Create("poisson_generator" + ("_ps" if network.exact_times else ""),
                                params={"rate": population.inputs * population.input_rate})
        nest.Connect(generator, cells, syn_spec={"weight": population.input_weight, "delay": network.dt})
    return cells


def build(network):
    cells = {population.name: create(population, network) for population in network.populations}
    sizes = {population.name: population.size for population in network.populations}
    expected = sum(
        {"pairwise": sizes[p.source] * sizes[p.target] * p.rule[1], "in_degree": sizes[p.target] * p.rule[1],
         "total": p.rule[1]}[p.rule[0]]
        for p in network.projections
    )
    compact = "_hpc" if expected > COMPACT_ABOVE else ""
    if network.plasticity:
        rule = network.plasticity
        nest.CopyModel("stdp_pl_synapse_hom" + compact, "plastic", {
            "tau_plus": rule["tau_plus"], "lambda": rule["learning_rate"], "alpha": rule["asymmetry"],
            "mu": rule["exponent"],
        })
    copies = {}
    for projection in network.projections:
        model = "plastic" if projection.plastic else "static_synapse" + compact
        if not projection.plastic and expected > MOST_OF_A_MODEL:
            copy = f"static_from_{projection.source}"
            if copy not in copies:
                nest.CopyModel(model, copy)
            copies[copy] = model = copy
        nest.Connect(cells[projection.source], cells[projection.target], rule_of(projection), {
            "synapse_model": model, "weight": drawn(projection.weight), "delay": drawn(projection.delay),
        })
    recorders = {}
    for name, own in cells.items():
        recorders[name] = nest.Create("spike_recorder", params={"start": network.warm_up})
        nest.Connect(own, recorders[name])
    return recorders


def main():
    options = one_run.options("nest")
    network = networks.NETWORKS[options.workload](options.scale)
    duration = options.simulate or network.duration
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=network.dt, local_num_threads=options.threads, rng_seed=options.seed,
             overwrite_files=True)
    started = time.perf_counter()
    recorders = build(network)
    nest.Prepare()
    build_s = time.perf_counter() - started
    if network.warm_up:
        nest.Run(network.warm_up)
    started, cpu = time.perf_counter(), time.process_time()
    nest.Run(duration)
    sim_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    nest.Cleanup()
    neurons = sum(p.size for p in network.populations)
    # Inputs and recorders are connections, too.
    synapses = nest.num_connections - 2 * neurons if any(p.inputs for p in network.populations) \
        else nest.num_connections - neurons
    spikes = {name: recorder.n_events for name, recorder in recorders.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(one_run.report(network, options, duration, build_s, sim_s, cpu_s, synapses, spikes, peak)))


if __name__ == "__main__":
    main()
