"""Records neurons and synapses with NEST, one JSON file a case: python generate.py OUT [PART...]

Needs nest-simulator 3.10 (pip) and numpy. Every file holds all parameters as NEST has them before the run, its
inputs, and what came out; inputs come from fixed seeds, so a second run writes the same files. PART is neurons,
precise_spikes, synapses, unusual or edges; all where none is named.
"""

import json
import os
import sys

import nest
import numpy as np

OUT = sys.argv[1]
TOOL = "NEST " + nest.__version__
DELAY = 1.0


def number(value):
    """Twelve digits, as the older recordings beside these."""
    return float("%.12g" % value)


def write(name, case):
    with open(os.path.join(OUT, name + ".json"), "w") as file:
        json.dump(case, file, separators=(",", ":"))
        file.write("\n")


def reset(dt):
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = dt


def state(neuron, model):
    """All numbers and switches of a neuron that NEST lets one set."""
    settable = nest.GetDefaults(model)
    skipped = ("global_id", "node_uses_wfr", "thread", "vp", "local", "frozen", "instantiations", "type_id", "thread_local_id")
    found = {}
    for key, value in neuron.get().items():
        if key in skipped or key not in settable or isinstance(value, str):
            continue
        if isinstance(value, bool):
            found[key] = value
        elif isinstance(value, (int, float)):
            found[key] = "-inf" if value == -np.inf else value
    for bookkeeping in ("t_spike", "Ca", "beta_Ca", "tau_Ca", "post_trace", "archiver_length", "model_id", "is_refractory",
                        "ignore_and_spike", "ignore_and_spike_interval", "ignore_and_spike_offset"):
        found.pop(bookkeeping, None)
    return found


def train(seed, rate, until, step):
    """A random train (rate in 1/s) on a grid, at most one spike a step."""
    random = np.random.RandomState(seed)
    steps = int(round(until / step))
    hits = np.nonzero(random.rand(steps) < rate * step / 1000.0)[0] + 1
    return [round(float(k) * step, 6) for k in hits]


def neuron(name, model, params, excitatory, inhibitory, dc=300.0, dt=0.1, delay=DELAY, interval=0.5, until=150.0,
           record=("V_m",), seed=1):
    reset(dt)
    cell = nest.Create(model, params=params)
    given = state(cell, model)
    grid = max(dt, 0.1)
    inputs = {}
    for key, weight, train_seed, rate in (("input_ex", excitatory, seed, 300.0), ("input_in", inhibitory, seed + 1000, 80.0)):
        times = train(train_seed, rate, until - 5.0, grid)
        source = nest.Create("spike_generator", params={"spike_times": times})
        nest.Connect(source, cell, syn_spec={"weight": weight, "delay": delay})
        inputs[key] = {"times": times, "weight": weight}
    generator = {"amplitude": dc, "start": 20.0, "stop": until - 20.0}
    current = nest.Create("dc_generator", params=generator)
    nest.Connect(current, cell, syn_spec={"weight": 1.0, "delay": delay})
    meter = nest.Create("multimeter", params={"record_from": list(record), "interval": interval})
    nest.Connect(meter, cell)
    spikes = nest.Create("spike_recorder")
    nest.Connect(cell, spikes)
    # A slice of the shortest delay is recorded as a whole, or not yet.
    nest.Simulate(until + delay + 2 * dt)
    samples = int(round(until / interval))
    case = {"model": model, "tool": TOOL, "dt_ms": dt, "params": given, **inputs, "dc": generator, "delay_ms": delay,
            "t0_ms": interval, "n_samples": samples}
    times = spikes.get("events", "times")
    case["spikes"] = [number(t) for t in sorted(times) if t <= until + dt / 2]
    events = meter.get("events")
    for variable in record:
        case[variable] = [number(v) for v in events[variable][:samples]]
    write(name, case)
    print(name, len(case["spikes"]), "spikes")


def precise(name, model, params, excitatory, inhibitory, current, seed=1, until=120.0, resolutions=(0.1, 0.01), times=None):
    random = np.random.RandomState(seed)
    times = times or [np.sort(np.round(random.uniform(1.0, until - 5.0, n), 4)) for n in (50, 14)]
    times = [sorted(set(float(t) for t in train)) for train in times]
    found, given = {}, None
    for dt in resolutions:
        reset(dt)
        cell = nest.Create(model, params={**params, "I_e": current})
        given = state(cell, model)
        for train, weight in zip(times, (excitatory, inhibitory)):
            source = nest.Create("spike_generator", params={"precise_times": True, "spike_times": train})
            nest.Connect(source, cell, syn_spec={"weight": weight, "delay": DELAY})
        spikes = nest.Create("spike_recorder")
        nest.Connect(cell, spikes)
        nest.Simulate(until)
        found[str(dt)] = [float("%.15g" % t) for t in sorted(spikes.get("events", "times"))]
    write(name, {"model": model, "tool": TOOL, "params": given, "delay_ms": DELAY, "duration_ms": until,
                 "input_ex": {"times": times[0], "weight": excitatory},
                 "input_in": {"times": times[1], "weight": inhibitory}, "spikes_by_dt": found})
    print(name, [len(v) for v in found.values()], "spikes")


def separated(seed, count, until, dt, least):
    random = np.random.RandomState(seed)
    steps = sorted(random.choice(np.arange(int(5 / dt), int(until / dt)), count, replace=False))
    kept = [steps[0]]
    for step in steps[1:]:
        if (step - kept[-1]) * dt >= least - 1e-9:
            kept.append(step)
    return [round(float(k) * dt, 6) for k in kept]


def plastic(name, rule, params, weight, tau_minus=20.0, tau_minus_triplet=110.0, seed=1, dt=0.1, delay=DELAY,
            dopamine=False, pre_first=False):
    reset(dt)
    pre_times, post_times = separated(seed, 45, 500.0, dt, dt), separated(seed + 1000, 45, 500.0, dt, dt)
    if pre_first:
        post_times = [t for t in post_times if t > pre_times[0] + delay]
    pre, post = nest.Create("parrot_neuron"), nest.Create("parrot_neuron")
    post.set({"tau_minus": tau_minus})
    if rule == "stdp_triplet_synapse":
        post.set({"tau_minus_triplet": tau_minus_triplet})
    for cell, times in ((pre, pre_times), (post, post_times)):
        source = nest.Create("spike_generator", params={"spike_times": [round(t - dt, 6) for t in times]})
        nest.Connect(source, cell, syn_spec={"delay": dt})
    recorder = nest.Create("weight_recorder")
    defaults = {"weight_recorder": recorder}
    case = {}
    if dopamine:
        dopamine_times = separated(seed + 2000, 15, 500.0, dt, dt)
        cell, transmitter = nest.Create("parrot_neuron"), nest.Create("volume_transmitter")
        source = nest.Create("spike_generator", params={"spike_times": [round(t - dt, 6) for t in dopamine_times]})
        nest.Connect(source, cell, syn_spec={"delay": dt})
        nest.Connect(cell, transmitter, syn_spec={"delay": delay})
        defaults["volume_transmitter"] = transmitter
        case = {"dopa_spikes": dopamine_times, "dopa_delay_ms": delay}
    shared = {k: params[k] for k in params if k in ("A_plus", "A_minus", "tau_c", "tau_n", "b", "Wmin") or
              (rule in ("stdp_dopamine_synapse", "stdp_pl_synapse_hom", "stdp_synapse_hom") and
               k in ("tau_plus", "Wmax", "lambda", "alpha", "mu", "mu_plus", "mu_minus"))}
    nest.CopyModel(rule, "recorded", {**defaults, **shared})
    own = {k: params[k] for k in params if k not in shared}
    nest.Connect(pre, post, syn_spec={"synapse_model": "recorded", "weight": weight, "delay": delay, "receptor_type": 1, **own})
    given = {"weight_initial": weight, "delay": delay, **params}
    nest.Simulate(520.0)
    events = recorder.get("events")
    times = [number(t) for t in events["times"]]
    assert times == pre_times, (times[:5], pre_times[:5])
    write(name, {"model": rule, "tool": TOOL, "dt_ms": dt, "params": given, "tau_minus": tau_minus,
                 "tau_minus_triplet": tau_minus_triplet if rule == "stdp_triplet_synapse" else None, "delay_ms": delay,
                 "note": "delay is dendritic; the weight is listed at each presynaptic spike, after the update",
                 "pre_spikes": pre_times, "post_spikes": post_times, **case, "weight_times": times,
                 "weights": [number(w) for w in events["weights"]]})
    print(name, weight, "->", number(events["weights"][-1]))


def transmitter(name, rule, params, weight, post=None, seed=1, dt=0.1, delay=DELAY):
    reset(dt)
    times = separated(seed, 20, 380.0, dt, 3.0)
    pre = nest.Create("parrot_neuron")
    target = nest.Create("iaf_psc_exp", params={"V_th": 1000.0, **(post or {})})
    described = state(target, "iaf_psc_exp")
    source = nest.Create("spike_generator", params={"spike_times": [round(t - dt, 6) for t in times]})
    nest.Connect(source, pre, syn_spec={"delay": dt})
    nest.Connect(pre, target, syn_spec={"synapse_model": rule, "weight": weight, "delay": delay, **params})
    meter = nest.Create("multimeter", params={"record_from": ["V_m", "I_syn_ex", "I_syn_in"], "interval": 0.5})
    nest.Connect(meter, target)
    synapse = nest.GetConnections(pre, target)
    names = ("x", "u", "y") if rule == "tsodyks_synapse" else ("x", "u")
    given = {k: synapse.get(k) for k in ("U", "x", "u", "tau_rec", "tau_fac")}
    if rule == "tsodyks_synapse":
        given.update({k: synapse.get(k) for k in ("y", "tau_psc")})
    states, now = [], 0.0
    for time in times:
        # Behind the spike, before the next: what a synapse sends it has sent with the next slice.
        nest.Simulate(round(time + DELAY + dt - now, 6))
        now = time + DELAY + dt
        states.append({k: number(synapse.get(k)) for k in names})
    nest.Simulate(round(401.0 - now, 6))
    events = meter.get("events")
    samples = 800
    write(name, {"model": rule, "tool": TOOL, "dt_ms": dt, "params": {"weight": weight, **given},
                 "post": {"model": "iaf_psc_exp", "params": described}, "pre_spikes": times, "delay_ms": delay,
                 "state_after_spike": states, "sample_every_ms": 0.5, "t0_ms": 0.5,
                 **{v: [number(n) for n in events[v][:samples]] for v in ("V_m", "I_syn_ex", "I_syn_in")}})
    print(name, states[-1])


LEAKY = {"tau_m": 14.0, "C_m": 180.0, "E_L": -67.0, "V_th": -52.0, "V_reset": -63.0, "t_ref": 0.7, "I_e": 60.0, "V_m": -60.0}


def neurons():
    for model, weights in (("iaf_psc_delta", (4.0, -3.0)), ("iaf_psc_exp", (350.0, -250.0)), ("iaf_psc_alpha", (260.0, -180.0))):
        synapses = {} if model == "iaf_psc_delta" else {"tau_syn_ex": 1.3, "tau_syn_in": 7.0}
        equal = {} if model == "iaf_psc_delta" else {"tau_syn_ex": 14.0, "tau_syn_in": 14.0}
        record = ("V_m",) if model == "iaf_psc_delta" else ("V_m", "I_syn_ex", "I_syn_in")
        neuron(model + "_other", model, {**LEAKY, **synapses}, *weights, seed=11, record=record, delay=1.7)
        neuron(model + "_equal_times", model, {**LEAKY, **equal}, weights[0] / 3, weights[1] / 3, seed=12)
        neuron(model + "_coarse", model, {**LEAKY, **synapses, "t_ref": 3.0}, *weights, dt=0.5, seed=13, dc=450.0)
        neuron(model + "_fine", model, {**LEAKY, **synapses, "t_ref": 0.0}, *weights, dt=0.01, until=60.0, seed=14)
        neuron(model + "_swapped", model, {**LEAKY, **synapses}, weights[1], weights[0], seed=15, dc=700.0)
    neuron("iaf_psc_delta_refractory_input", "iaf_psc_delta", {**LEAKY, "t_ref": 4.0, "refractory_input": True}, 5.0, -2.0, seed=16,
           dc=420.0)
    neuron("iaf_psc_delta_refractory_input_coarse", "iaf_psc_delta", {**LEAKY, "t_ref": 5.0, "refractory_input": True}, 6.0, -2.0,
           seed=17, dt=0.5)
    conductances = {"C_m": 200.0, "g_L": 12.0, "E_L": -66.0, "V_th": -51.0, "V_reset": -62.0, "t_ref": 1.4, "E_ex": 5.0, "E_in": -78.0,
                    "tau_syn_ex": 2.2, "tau_syn_in": 6.0, "I_e": 40.0, "V_m": -61.0}
    for model, weights in (("iaf_cond_exp", (9.0, -7.0)), ("iaf_cond_alpha", (6.0, -5.0))):
        record = ("V_m", "g_ex", "g_in")
        neuron(model + "_other", model, conductances, *weights, seed=21, record=record, dc=120.0)
        neuron(model + "_coarse", model, {**conductances, "t_ref": 2.0}, *weights, dt=0.5, seed=22, dc=150.0)
        neuron(model + "_fine", model, {**conductances, "t_ref": 0.0}, *weights, dt=0.01, until=60.0, seed=23, dc=150.0)
        neuron(model + "_swapped", model, {**conductances, "g_ex": 3.0, "g_in": 2.0}, weights[1], weights[0], seed=24, dc=500.0,
               record=record)
    adex = {"C_m": 200.0, "g_L": 12.0, "E_L": -70.0, "V_th": -50.0, "V_reset": -58.0, "Delta_T": 3.0, "V_peak": 20.0, "a": 2.0, "b": 60.0,
            "tau_w": 100.0, "t_ref": 1.5, "tau_syn_ex": 2.0, "tau_syn_in": 5.0, "E_ex": 3.0, "E_in": -80.0, "I_e": 30.0, "V_m": -65.0,
            "w": 10.0}
    for model, weights in (("aeif_cond_exp", (12.0, -8.0)), ("aeif_cond_alpha", (8.0, -5.0))):
        record = ("V_m", "w", "g_ex", "g_in")
        neuron(model + "_other", model, {**adex, "gsl_error_tol": 1e-9}, *weights, seed=31, record=record, dc=400.0)
        neuron(model + "_default_tolerance", model, {**adex, "t_ref": 0.0}, *weights, seed=32, dc=350.0)
        neuron(model + "_coarse", model, {**adex, "t_ref": 2.0, "gsl_error_tol": 1e-8}, *weights, dt=0.5, seed=33, dc=400.0)
        neuron(model + "_bursting", model, {**adex, "V_reset": -47.0, "b": 100.0, "a": -0.5, "t_ref": 0.0, "gsl_error_tol": 1e-9},
               *weights, seed=34, dc=400.0)
    for name, kind in (("regular", {}), ("fast", {"a": 0.1, "d": 2.0}), ("chattering", {"c": -50.0, "d": 2.0}),
                       ("rebound", {"b": 0.25, "a": 0.03, "c": -60.0, "d": 4.0, "V_m": -64.0, "U_m": -16.0})):
        neuron("izhikevich_" + name, "izhikevich", {"I_e": 3.0, **kind}, 5.0, -4.0, dc=8.0, record=("V_m", "U_m"), seed=41)
    neuron("izhikevich_coarse", "izhikevich", {"V_th": 35.0}, 5.0, -4.0, dc=10.0, dt=0.5, record=("V_m", "U_m"), seed=42)
    channels = {"C_m": 120.0, "g_Na": 11000.0, "g_K": 3500.0, "g_L": 25.0, "E_Na": 52.0, "E_K": -75.0, "E_L": -55.0, "tau_syn_ex": 1.5,
                "tau_syn_in": 4.0, "t_ref": 1.0, "I_e": 100.0, "V_m": -66.0}
    record = ("V_m", "Act_m", "Inact_h", "Act_n")
    neuron("hh_psc_alpha_other", "hh_psc_alpha", channels, 250.0, -150.0, seed=51, dc=500.0, record=record)
    neuron("hh_psc_alpha_coarse", "hh_psc_alpha", channels, 250.0, -150.0, seed=52, dc=500.0, dt=0.5)
    neuron("hh_psc_alpha_driven", "hh_psc_alpha", {"Act_m": 0.1, "Act_n": 0.4, "Inact_h": 0.5}, 100.0, -50.0, seed=53, dc=900.0)


def precise_spikes():
    leaky = {k: v for k, v in LEAKY.items() if k != "I_e"}
    leaky["t_ref"] = 1.5
    precise("iaf_psc_delta_ps_other", "iaf_psc_delta_ps", leaky, 4.0, -3.0, 120.0, seed=61)
    # NEST 3.10 shows `refractory_input` of iaf_psc_delta_ps, but does not let one set it.
    precise("iaf_psc_delta_ps_inhibited", "iaf_psc_delta_ps", {**leaky, "t_ref": 4.0}, 4.0, -1.0, 150.0, seed=62)
    precise("iaf_psc_delta_ps_driven", "iaf_psc_delta_ps", leaky, 1.0, -2.0, 420.0, seed=63)
    for model, weight in (("iaf_psc_exp_ps", 350.0), ("iaf_psc_alpha_ps", 250.0)):
        precise(model + "_other", model, {**leaky, "tau_syn_ex": 1.3, "tau_syn_in": 6.0}, weight, -200.0, 150.0, seed=64)
        precise(model + "_equal_times", model, {**leaky, "tau_syn_ex": 14.0, "tau_syn_in": 14.0}, weight / 3, -100.0, 150.0, seed=65)
        precise(model + "_driven", model, {**leaky, "tau_syn_ex": 3.0, "tau_syn_in": 2.0, "t_ref": 3.0}, 60.0, -80.0, 450.0, seed=66)
    for number_, tau in enumerate((1.3, 5.0, 9.0)):
        name = "iaf_psc_exp_ps_lossless_%d" % number_
        precise(name, "iaf_psc_exp_ps_lossless", {**leaky, "tau_syn_ex": tau, "tau_syn_in": tau}, 700.0 / tau, -250.0 / tau, 120.0,
                seed=67 + number_)


def synapses():
    for name, mu, values in (("additive", (0.0, 0.0), {"lambda": 0.02, "alpha": 0.9, "tau_plus": 12.0}),
                             ("multiplicative", (1.0, 1.0), {"lambda": 0.05, "alpha": 1.2, "tau_plus": 25.0}),
                             ("guetig", (0.2, 0.7), {"lambda": 0.03, "alpha": 0.8, "tau_plus": 16.8})):
        params = {"Wmax": 80.0, "mu_plus": mu[0], "mu_minus": mu[1], **values}
        for variant in range(3):
            plastic("stdp_synapse_%s_%d" % (name, variant), "stdp_synapse", params, (30.0, 79.0, 2.0)[variant],
                    tau_minus=(20.0, 33.7, 10.0)[variant], seed=71 + variant, delay=(1.0, 2.3, 0.5)[variant], dt=(0.1, 0.1, 0.5)[variant])
    params = {"Wmax": -80.0, "mu_plus": 0.3, "mu_minus": 0.3, "lambda": 0.03, "alpha": 0.8, "tau_plus": 16.8}
    plastic("stdp_synapse_inhibitory", "stdp_synapse", params, -30.0, seed=75)
    pair = {"Wmax": 80.0, "mu_plus": 0.4, "mu_minus": 0.4, "lambda": 0.05, "alpha": 0.9, "tau_plus": 18.0}
    for rule in ("stdp_nn_symm_synapse", "stdp_nn_restr_synapse"):
        for variant in range(3):
            mu = (0.4, 0.0, 1.0)[variant]
            plastic("%s_%d" % (rule, variant), rule, {**pair, "mu_plus": mu, "mu_minus": mu}, 40.0, seed=81 + variant, pre_first=True,
                    delay=(1.0, 2.0, 0.4)[variant])
    for variant in range(3):
        plastic("stdp_pl_synapse_hom_%d" % variant, "stdp_pl_synapse_hom",
                {"lambda": (0.1, 0.05, 0.2)[variant], "alpha": (0.1, 0.06, 0.02)[variant], "mu": (0.4, 0.6, 0.2)[variant],
                 "tau_plus": 15.0}, (45.0, 20.0, 5.0)[variant], tau_minus=25.0, seed=91 + variant)
        plastic("stdp_triplet_synapse_%d" % variant, "stdp_triplet_synapse",
                {"Wmax": 5.0, "tau_plus": (16.8, 10.0, 20.0)[variant], "tau_plus_triplet": (101.0, 700.0, 60.0)[variant],
                 "Aplus": (0.05, 0.0, 0.02)[variant], "Aplus_triplet": (0.01, 0.05, 0.03)[variant],
                 "Aminus": (0.04, 0.05, 0.02)[variant], "Aminus_triplet": (0.0, 0.01, 0.02)[variant]}, (1.0, 4.9, 0.3)[variant],
                tau_minus=(33.7, 20.0, 15.0)[variant], tau_minus_triplet=(125.0, 48.0, 80.0)[variant], seed=94 + variant)
        plastic("vogels_sprekeler_synapse_%d" % variant, "vogels_sprekeler_synapse",
                {"eta": (0.1, 0.5, 0.02)[variant], "alpha": (0.12, 0.4, 0.2)[variant], "Wmax": -30.0, "tau": (20.0, 15.0, 30.0)[variant]},
                (-5.0, -20.0, -1.0)[variant], tau_minus=(20.0, 15.0, 30.0)[variant], seed=97 + variant)
        plastic("stdp_dopamine_synapse_%d" % variant, "stdp_dopamine_synapse",
                {"A_plus": (1.0, 0.5, 2.0)[variant], "A_minus": (1.5, 0.4, 1.0)[variant], "tau_plus": (20.0, 15.0, 30.0)[variant],
                 "tau_c": (1000.0, 200.0, 100.0)[variant], "tau_n": (200.0, 50.0, 400.0)[variant], "b": (0.0, 0.005, 0.02)[variant],
                 "Wmin": 0.0, "Wmax": 40.0}, 20.0, tau_minus=20.0, seed=101 + variant, dopamine=True)
    for variant in range(3):
        values = {"U": (0.25, 0.6, 0.05)[variant], "tau_rec": (300.0, 60.0, 130.0)[variant], "tau_fac": (0.0, 200.0, 530.0)[variant]}
        post = {"tau_syn_ex": 4.0, "tau_syn_in": 2.5, "tau_m": 15.0, "C_m": 200.0, "I_e": (0.0, 50.0, 0.0)[variant]}
        weight = (400.0, -300.0, 900.0)[variant]
        psc = 2.5 if weight < 0 else 4.0
        transmitter("tsodyks_synapse_%d" % variant, "tsodyks_synapse", {**values, "tau_psc": psc}, weight, post, seed=111 + variant)
        transmitter("tsodyks2_synapse_%d" % variant, "tsodyks2_synapse", {**values, "u": values["U"], "x": 1.0}, weight, post,
                    seed=114 + variant, dt=(0.1, 0.1, 0.5)[variant])


def unusual():
    """What is rarely tried: nearly equal time constants, refractory times off the grid, long delays, no spikes, other numerics."""
    for model, weights in (("iaf_psc_exp", (350.0, -250.0)), ("iaf_psc_alpha", (260.0, -180.0))):
        scale = 1.0 / 3.0
        neuron(model + "_nearly_equal", model, {**LEAKY, "tau_syn_ex": 14.000001, "tau_syn_in": 13.99}, weights[0] * scale,
               weights[1] * scale, seed=201)
        neuron(model + "_refractory_off_grid", model, {**LEAKY, "t_ref": 0.26}, *weights, seed=203, dc=500.0)
    adex = {"C_m": 200.0, "g_L": 12.0, "E_L": -70.0, "V_th": -50.0, "V_reset": -58.0, "Delta_T": 0.0, "V_peak": -50.0, "a": 2.0, "b": 60.0,
            "tau_w": 100.0, "t_ref": 1.5, "tau_syn_ex": 2.0, "tau_syn_in": 5.0, "E_ex": 3.0, "E_in": -80.0, "I_e": 30.0, "V_m": -65.0,
            "w": 10.0, "gsl_error_tol": 1e-9}
    for model, weights in (("aeif_cond_exp", (12.0, -8.0)), ("aeif_cond_alpha", (8.0, -5.0))):
        neuron(model + "_no_width", model, adex, *weights, seed=231, dc=400.0)
    for name, values in (("depressing", {"U": 0.4, "tau_rec": 200.0, "tau_fac": 0.0}),
                         ("facilitating", {"U": 0.15, "tau_rec": 90.0, "tau_fac": 600.0})):
        transmitter("tsodyks2_synapse_unused_%s" % name, "tsodyks2_synapse", {**values, "u": 0.0, "x": 1.0}, 350.0,
                    {"tau_syn_ex": 3.0, "C_m": 200.0}, seed=291)
    record = ("V_m", "U_m")
    neuron("izhikevich_two_thousand_and_three", "izhikevich", {"consistent_integration": False}, 5.0, -4.0, dc=6.0, record=record,
           seed=241)
    neuron("izhikevich_one_ms", "izhikevich", {"consistent_integration": False}, 5.0, -4.0, dc=6.0, record=record, seed=242, dt=1.0,
           interval=1.0)
    leaky = {k: v for k, v in LEAKY.items() if k != "I_e"}
    precise("iaf_psc_exp_ps_silent", "iaf_psc_exp_ps", {**leaky, "tau_syn_ex": 1.3, "tau_syn_in": 6.0, "t_ref": 1.0}, 87.5, -200.0,
            192.8, seed=264)
    precise("iaf_psc_alpha_ps_nearly_equal", "iaf_psc_alpha_ps", {**leaky, "tau_syn_ex": 14.00001, "tau_syn_in": 13.9, "t_ref": 1.0},
            83.0, -100.0, 150.0, seed=265)
    pair = {"Wmax": 80.0, "mu_plus": 0.4, "mu_minus": 0.4, "lambda": 0.05, "alpha": 0.9, "tau_plus": 18.0}
    plastic("stdp_synapse_long_delay", "stdp_synapse", pair, 40.0, tau_minus=40.0, seed=271, delay=15.0)


def drawn_times(seed, count, until, dt=0.1):
    """Times on the grid; some stand twice."""
    steps = np.sort(np.random.default_rng(seed).integers(1, int(until / dt), count))
    return [round(float(step) * dt, 6) for step in steps]


def several(name, model, params, inputs, currents=(), dt=0.1, delay=DELAY, until=100.0, record=("V_m",)):
    """A neuron with any number of inputs (times, weight, delay) and of currents (amplitude, start, stop)."""
    reset(dt)
    cell = nest.Create(model, params=params)
    case = {"model": model, "tool": TOOL, "dt_ms": dt, "params": state(cell, model)}
    for index, (times, weight, own_delay) in enumerate(inputs):
        source = nest.Create("spike_generator", params={"spike_times": times})
        nest.Connect(source, cell, syn_spec={"weight": weight, "delay": own_delay})
        case["input_%d" % index] = {"times": times, "weight": weight, "delay_ms": own_delay}
    for index, (amplitude, start, stop) in enumerate(currents):
        generator = {"amplitude": amplitude, "start": start, "stop": stop}
        current = nest.Create("dc_generator", params=generator)
        nest.Connect(current, cell, syn_spec={"weight": 1.0, "delay": delay})
        case["dc_%d" % index] = generator
    meter = nest.Create("multimeter", params={"record_from": list(record), "interval": dt})
    nest.Connect(meter, cell)
    spikes = nest.Create("spike_recorder")
    nest.Connect(cell, spikes)
    nest.Simulate(until + 30.0)
    samples = int(round(until / dt))
    found = sorted(t for t in spikes.get("events", "times") if t <= until + dt / 2)
    case.update(delay_ms=delay, t0_ms=dt, n_samples=samples, spikes=[number(t) for t in found])
    events = meter.get("events")
    case.update({variable: [number(v) for v in events[variable][:samples]] for variable in record})
    write(name, case)
    print(name, len(found), "spikes")


def edges():
    """Currents from the very beginning, several at once, several inputs, potentials beyond a volt, and input that arrives with
    the end of the refractory time."""
    leaky = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0}
    ports = [(drawn_times(10 + i, 30, 60.0), weight, delay) for i, (weight, delay) in
             enumerate(((5.0, 0.1), (-4.0, 0.2), (3.0, 7.3), (6.0, 25.0), (-1.0, 1.0)))]
    currents = [(600.0, 0.0, 50.0), (-400.0, 20.0, 30.0), (900.0, 55.0, 55.1), (300.0, 0.0, 0.1)]
    for model, scale in (("iaf_psc_exp", 80.0), ("iaf_psc_alpha", 60.0)):
        times = {"tau_syn_ex": 2.0, "tau_syn_in": 5.0, "I_e": -80.0, "V_m": -58.0}
        several(model + "_several", model, {**leaky, **times}, [(t, w * scale, d) for t, w, d in ports], currents, until=60.0)
    conductances = {"C_m": 250.0, "g_L": 16.6667, "E_L": -70.0, "V_th": -55.0, "V_reset": -60.0, "t_ref": 2.0, "tau_syn_ex": 1.5,
                    "tau_syn_in": 4.0, "I_e": -80.0, "V_m": -58.0, "g_ex": 5.0, "g_in": 1.0}
    several("iaf_cond_exp_several", "iaf_cond_exp", conductances, [(t, 2.0 * w, d) for t, w, d in ports], currents, until=60.0)
    huge = [(drawn_times(5, 40, 60.0), 400.0, 1.0), (drawn_times(6, 15, 60.0), -700.0, 1.0)]
    several("iaf_psc_delta_huge", "iaf_psc_delta", {**leaky, "t_ref": 0.1}, huge, [(-300.0, 0.0, 1000.0)], until=60.0)
    random = np.random.RandomState(301)
    whole = [[float(t) for t in np.sort(random.choice(np.arange(1, 110), count, replace=False))] for count in (60, 20)]
    precise("iaf_psc_delta_ps_whole_milliseconds", "iaf_psc_delta_ps", leaky, 5.0, -2.0, 200.0, times=whole)


PARTS = {"neurons": neurons, "precise_spikes": precise_spikes, "synapses": synapses, "unusual": unusual, "edges": edges}
if __name__ == "__main__":
    for part in sys.argv[2:] or PARTS:
        PARTS[part]()
