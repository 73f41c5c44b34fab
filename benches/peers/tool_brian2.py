"""One run of a network in Brian2's C++ standalone mode, in a process of its own: prints one JSON object as the last line.

Brian compiles each network; that time is reported apart from building and running it.
"""

import json
import os
import tempfile
import time

import brian2 as b2
import networks
import one_run
import numpy as np

EQUATIONS = {
    "delta": "dv/dt = (rest - v + current_effect) / tau : volt (unless refractory)",
    "exponential": """dv/dt = (rest - v) / tau + (i_excitatory + i_inhibitory + current) / capacitance : volt (unless refractory)
        di_excitatory/dt = -i_excitatory / tau_excitatory : amp
        di_inhibitory/dt = -i_inhibitory / tau_inhibitory : amp""",
    "conductance": """dv/dt = (leak * (rest - v) + g_excitatory * (reversal_excitatory - v)
            + g_inhibitory * (reversal_inhibitory - v)) / capacitance : volt (unless refractory)
        dg_excitatory/dt = -g_excitatory / tau_excitatory : siemens
        dg_inhibitory/dt = -g_inhibitory / tau_inhibitory : siemens""",
}
# Runge-Kutta 4 is what Spikeloom uses, and in Brian2 faster here than exponential Euler.
METHODS = {"delta": "exact", "exponential": "exact", "conductance": "rk4"}
WEIGHT_UNITS = {"delta": b2.mV, "exponential": b2.pA, "conductance": b2.nS}
UNITS = {"tau": b2.ms, "tau_excitatory": b2.ms, "tau_inhibitory": b2.ms, "refractory": b2.ms, "capacitance": b2.pF,
         "rest": b2.mV, "threshold": b2.mV, "reset": b2.mV, "reversal_excitatory": b2.mV, "reversal_inhibitory": b2.mV}


def receptor(model, weight):
    """The variable that input of this sign goes to."""
    prefix = {"exponential": "i_", "conductance": "g_"}.get(model)
    return "v" if prefix is None else prefix + ("inhibitory" if weight < 0 else "excitatory")


def drawn(random, law, size):
    if isinstance(law, networks.Uniform):
        return random.uniform(law.low, law.high, size)
    values = random.normal(law.mean, law.std, size)
    outside = (values < law.low) | (values > law.high)
    while outside.any():
        values[outside] = random.normal(law.mean, law.std, int(outside.sum()))
        outside = (values < law.low) | (values > law.high)
    return values


def create(population, random, parts):
    names = {key: value * UNITS[key] for key, value in population.constants.items()}
    names["current"] = population.current * b2.pA
    names["current_effect"] = names["current"] * names["tau"] / names["capacitance"]
    names["leak"] = names["capacitance"] / names["tau"]
    group = b2.NeuronGroup(population.size, EQUATIONS[population.model], method=METHODS[population.model],
                           threshold="v > threshold", reset="v = reset", refractory="refractory", namespace=names)
    group.v = names["rest"]
    for name, law in population.initial.items():
        if name == "potential":
            group.v = drawn(random, law, population.size) * b2.mV
        else:
            setattr(group, "g_" + name, drawn(random, law, population.size) * b2.nS)
    parts.append(group)
    if population.inputs:
        unit = WEIGHT_UNITS[population.model]
        parts.append(b2.PoissonInput(group, receptor(population.model, 1.0), population.inputs,
                                     population.input_rate * b2.Hz, population.input_weight * unit))
    return group


def connect(projection, groups, populations, random, parts):
    model = populations[projection.target].model
    unit = WEIGHT_UNITS[model]
    varied = isinstance(projection.weight, networks.Normal)
    mean = projection.weight.mean if varied else projection.weight
    # Conductances grow with inhibition, too.
    sign = -1.0 if model == "conductance" and mean < 0 else 1.0
    target = receptor(model, mean)
    namespace = {} if varied else {"w": sign * mean * unit}
    synapses = b2.Synapses(groups[projection.source], groups[projection.target],
                           f"w : {'volt' if model == 'delta' else 'amp'}" if varied else "",
                           on_pre=f"{target}_post += w", namespace=namespace,
                           delay=None if isinstance(projection.delay, networks.Normal) else projection.delay * b2.ms)
    kind, number = projection.rule
    if kind == "pairwise":
        synapses.connect(p=number)
    else:
        sizes = [populations[name].size for name in (projection.source, projection.target)]
        synapses.connect(i=random.integers(0, sizes[0], number), j=random.integers(0, sizes[1], number))
    if varied:
        synapses.w = drawn(random, projection.weight, number) * unit
        synapses.delay = np.maximum(np.round(drawn(random, projection.delay, number), 1), 0.1) * b2.ms
    parts.append(synapses)
    return synapses


def main():
    options = one_run.options("brian2")
    network = networks.NETWORKS[options.workload](options.scale)
    duration = options.simulate or network.duration
    if network.plasticity or network.exact_times:
        raise SystemExit("not written for Brian2")
    with tempfile.TemporaryDirectory() as folder:
        b2.set_device("cpp_standalone", build_on_run=False, directory=folder)
        b2.prefs.devices.cpp_standalone.openmp_threads = options.threads if options.threads > 1 else 0
        # Brian would start as many compilers as there are files.
        b2.prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{os.cpu_count()}"]
        b2.defaultclock.dt = network.dt * b2.ms
        b2.seed(options.seed)
        random = np.random.default_rng(options.seed)
        started, parts = time.perf_counter(), []
        populations = {p.name: p for p in network.populations}
        groups = {p.name: create(p, random, parts) for p in network.populations}
        synapses = [connect(p, groups, populations, random, parts) for p in network.projections]
        monitors = {name: b2.SpikeMonitor(group) for name, group in groups.items()}
        whole = b2.Network(*parts, *monitors.values())
        if network.warm_up:
            whole.run(network.warm_up * b2.ms)
        whole.run(duration * b2.ms)
        python_s = time.perf_counter() - started
        started = time.perf_counter()
        b2.device.build(directory=folder, compile=True, run=False, debug=False)
        compile_s = time.perf_counter() - started
        started = time.perf_counter()
        b2.device.run(directory=folder, with_output=False, run_args=[])
        whole_s, sim_s = time.perf_counter() - started, b2.device._last_run_time
        spikes = {name: int((np.asarray(m.t / b2.ms) > network.warm_up).sum()) for name, m in monitors.items()}
        count = sum(len(s) for s in synapses)
    report = one_run.report(network, options, duration, python_s + whole_s - sim_s, sim_s, None, count, spikes, None)
    print(json.dumps(report | {"compile_s": compile_s}))


if __name__ == "__main__":
    main()
