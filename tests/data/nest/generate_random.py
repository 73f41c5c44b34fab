"""Records neurons and synapses with drawn parameters: python generate_random.py OUT FIRST_SEED COUNT [KIND...]

Writes COUNT cases of each kind (all where none is named) in the form of generate.py, whose helpers it uses. A
case depends on its kind and seed alone: parameters far from the usual ones, delays of odd lengths, refractory times
off the grid, lower bounds of the potential, short-term plasticity that starts anywhere.
"""

import sys
import zlib

import numpy as np

from generate import neuron, plastic, precise, transmitter


class Draw:
    """Drawn numbers, rounded so that a recording holds few digits."""

    def __init__(self, kind, seed):
        self.random = np.random.default_rng([seed, zlib.crc32(kind.encode())])

    def uniform(self, low, high, digits=3):
        return round(float(self.random.uniform(low, high)), digits)

    def spread(self, low, high):
        """Evenly over orders of magnitude."""
        return float("%.4g" % np.exp(self.random.uniform(np.log(low), np.log(high))))

    def one_of(self, *choices):
        return choices[self.random.integers(len(choices))]

    def steps(self, low, high, dt):
        return round(int(self.random.integers(low, high + 1)) * dt, 6)

    def chance(self, probability):
        return bool(self.random.random() < probability)


def leaky(draw):
    rest = draw.uniform(-75, -60)
    return {"tau_m": draw.spread(2, 60), "C_m": draw.spread(50, 500), "E_L": rest, "V_th": round(rest + draw.uniform(8, 20), 3),
            "V_reset": round(rest + draw.uniform(-8, 6), 3), "V_m": round(rest + draw.uniform(-10, 7), 3),
            "t_ref": draw.one_of(0.1, 0.5, 2.0, draw.uniform(0.1, 4.0), draw.uniform(0.1, 4.0, 4))}


def currents(draw, params):
    excitatory = draw.one_of(draw.spread(0.05, 1), draw.spread(1, 10), draw.spread(10, 80), params["tau_m"])
    inhibitory = draw.one_of(draw.spread(0.2, 5), draw.spread(5, 50), excitatory, params["tau_m"])
    return {**params, "tau_syn_ex": excitatory, "tau_syn_in": inhibitory}


def jump(params, tau, height, alpha=False):
    """The weight [pA] whose potential peaks about `height` [mV] above rest."""
    fast, slow = sorted((tau, params["tau_m"] * 1.0001))
    peak = (fast / slow) ** (fast / (slow - fast)) if slow > fast else 0.37
    return round(height * params["C_m"] / (tau * peak) / (2.0 if alpha else 1.0), 2)


def grid_of(draw):
    return draw.one_of(0.1, 0.1, 0.1, 0.25, 0.5, 0.05)


def threshold_current(draw, params):
    return round(params["C_m"] / params["tau_m"] * (params["V_th"] - params["E_L"]) * draw.uniform(0.5, 1.3), 1)


def plan(draw, dt):
    """What the run itself is made of."""
    return {"dt": dt, "delay": draw.steps(1, 60, dt), "interval": dt * draw.one_of(1, 2, 3), "until": 120.0,
            "seed": int(draw.random.integers(1, 2**31 - 2000))}


def bound(draw, params, low=0.5, high=6.0):
    return {"V_min": round(min(params["E_L"], params["V_reset"], params["V_m"]) - draw.uniform(low, high), 3)} if draw.chance(0.5) else {}


def linear(model):
    def record(name, draw):
        dt = grid_of(draw)
        params = leaky(draw)
        if model == "iaf_psc_delta":
            params.update(bound(draw, params), refractory_input=draw.chance(0.4))
            weights, record = (draw.uniform(1, 8), -draw.uniform(1, 8)), ("V_m",)
        else:
            params = currents(draw, params)
            alpha = model == "iaf_psc_alpha"
            if alpha:
                params.update(bound(draw, params))
            weights = (jump(params, params["tau_syn_ex"], draw.uniform(1, 8), alpha), -jump(params, params["tau_syn_in"], draw.uniform(1, 8), alpha))
            record = ("V_m", "I_syn_ex", "I_syn_in")
        neuron(name, model, params, *weights, dc=threshold_current(draw, params), record=record, **plan(draw, dt))
    return record


def conducting(model):
    def record(name, draw):
        dt = grid_of(draw)
        params = leaky(draw)
        params["g_L"] = round(params["C_m"] / params.pop("tau_m"), 4)
        params.update(E_ex=draw.uniform(-10, 20), E_in=round(params["E_L"] - draw.uniform(2, 25), 3), tau_syn_ex=draw.spread(0.2, 20),
                      tau_syn_in=draw.spread(0.5, 50), g_ex=draw.uniform(0, 3), g_in=draw.uniform(0, 3))
        span, amount = params["V_th"] - params["E_L"], 1.0
        if model.startswith("aeif"):
            params.update(Delta_T=draw.one_of(draw.uniform(0.3, 5), 2.0, 0.0 if draw.chance(0.2) else 1.0), a=draw.uniform(-1, 8),
                          b=draw.spread(5, 200), tau_w=draw.spread(20, 400), w=draw.uniform(0, 50), V_peak=draw.uniform(-20, 30),
                          gsl_error_tol=draw.one_of(1e-6, 1e-9))
            if params["Delta_T"] == 0.0:
                params["V_peak"] = params["V_th"]
            params["V_reset"] = min(params["V_reset"], round(params["V_th"] - 1.0, 3))
            params["t_ref"] = draw.one_of(0.0, params["t_ref"])
        weights = (round(amount * draw.uniform(0.5, 4) * params["C_m"] / params["tau_syn_ex"] / 60, 3),
                   -round(amount * draw.uniform(0.5, 4) * params["C_m"] / params["tau_syn_in"] / 30, 3))
        record = ("V_m", "w", "g_ex", "g_in") if model.startswith("aeif") else ("V_m", "g_ex", "g_in")
        neuron(name, model, params, *weights, dc=round(params["g_L"] * span * draw.uniform(0.4, 1.5), 1), record=record, **plan(draw, dt))
    return record


def izhikevich(name, draw):
    params = {"a": draw.spread(0.01, 0.15), "b": draw.uniform(0.1, 0.27), "c": draw.uniform(-68, -45), "d": draw.uniform(0.5, 9),
              "V_th": draw.uniform(20, 40), "V_m": draw.uniform(-75, -55), "U_m": draw.uniform(-18, -8), "I_e": draw.uniform(-3, 6),
              "consistent_integration": draw.chance(0.7)}
    if draw.chance(0.5):
        params["V_min"] = draw.uniform(-90, -75)
    dt = draw.one_of(0.1, 0.1, 0.25, 0.5, 1.0)
    neuron(name, "izhikevich", params, draw.uniform(1, 8), -draw.uniform(1, 8), dc=draw.uniform(0, 15), record=("V_m", "U_m"), **plan(draw, dt))


def channels(name, draw):
    params = {"C_m": draw.uniform(60, 200), "g_Na": draw.uniform(8000, 16000), "g_K": draw.uniform(2500, 5000), "g_L": draw.uniform(15, 50),
              "E_Na": draw.uniform(40, 60), "E_K": draw.uniform(-90, -70), "E_L": draw.uniform(-62, -50), "tau_syn_ex": draw.spread(0.2, 10),
              "tau_syn_in": draw.spread(0.5, 20), "t_ref": draw.uniform(0.5, 4), "V_m": draw.uniform(-72, -55),
              "Act_m": draw.uniform(0.01, 0.2), "Act_n": draw.uniform(0.2, 0.5), "Inact_h": draw.uniform(0.3, 0.8)}
    neuron(name, "hh_psc_alpha", params, draw.uniform(100, 400), -draw.uniform(50, 300), dc=draw.uniform(0, 900),
           record=("V_m", "Act_m", "Inact_h", "Act_n"), **plan(draw, draw.one_of(0.1, 0.1, 0.25, 0.5)))


def exact(model):
    def record(name, draw):
        params = leaky(draw)
        params["t_ref"] = draw.one_of(0.1, 0.7, 1.234, draw.uniform(0.1, 4))
        params["V_reset"] = min(params["V_reset"], round(params["V_th"] - 2.0, 3))
        if model == "iaf_psc_delta_ps":
            weights = (draw.uniform(1, 8), -draw.uniform(1, 8))
        else:
            params = currents(draw, params)
            alpha = "alpha" in model
            if "lossless" in model:
                params["tau_syn_in"] = params["tau_syn_ex"]
            weights = (jump(params, params["tau_syn_ex"], draw.uniform(1, 8), alpha), -jump(params, params["tau_syn_in"], draw.uniform(1, 8), alpha))
        params.update({} if "lossless" in model and draw.chance(0.5) else bound(draw, params))
        precise(name, model, params, *weights, threshold_current(draw, params), seed=int(draw.random.integers(1, 2**31)),
                resolutions=(0.1, 0.01, 0.001) if draw.chance(0.3) else (0.1, 0.01))
    return record


def where(draw, dt):
    return {"dt": dt, "delay": draw.steps(1, 60, dt), "seed": int(draw.random.integers(1, 2**31 - 5000))}


def pairs(rule, alike=False, pre_first=False):
    def record(name, draw):
        dt = draw.one_of(0.1, 0.1, 0.25, 0.5)
        plus = draw.one_of(0.0, 1.0, draw.uniform(0, 1))
        sign = draw.one_of(1.0, 1.0, -1.0)
        largest = draw.spread(1, 200)
        params = {"Wmax": sign * largest, "mu_plus": plus, "mu_minus": plus if alike else draw.one_of(0.0, 1.0, draw.uniform(0, 1)),
                  "lambda": draw.spread(1e-3, 0.4), "alpha": draw.spread(0.1, 4), "tau_plus": draw.spread(0.5, 100)}
        plastic(name, rule, params, sign * round(largest * draw.one_of(1.0, 0.0, draw.uniform(0.05, 0.95)), 4), tau_minus=draw.spread(0.5, 100),
                pre_first=pre_first, **where(draw, dt))
    return record


def power_law(name, draw):
    params = {"lambda": draw.spread(0.01, 0.3), "alpha": draw.spread(0.005, 0.3), "mu": draw.uniform(0, 1), "tau_plus": draw.spread(1, 80)}
    plastic(name, "stdp_pl_synapse_hom", params, draw.spread(0.1, 100), tau_minus=draw.spread(1, 80), **where(draw, draw.one_of(0.1, 0.25)))


def triplet(name, draw):
    fast, slow = draw.spread(1, 40), draw.spread(1, 40)
    params = {"Wmax": draw.spread(1, 50), "tau_plus": fast, "tau_plus_triplet": round(fast * draw.uniform(1.1, 10), 3), "Aplus": draw.uniform(0, 0.2),
              "Aplus_triplet": draw.uniform(0, 0.2), "Aminus": draw.uniform(0, 0.2), "Aminus_triplet": draw.uniform(0, 0.2)}
    plastic(name, "stdp_triplet_synapse", params, round(params["Wmax"] * draw.uniform(0, 1), 4), tau_minus=slow,
            tau_minus_triplet=round(slow * draw.uniform(1.1, 10), 3), **where(draw, draw.one_of(0.1, 0.25)))


def balance(name, draw):
    tau = draw.spread(1, 80)
    largest = draw.spread(1, 100)
    sign = draw.one_of(-1.0, -1.0, 1.0)
    params = {"eta": draw.spread(0.001, 2), "alpha": draw.uniform(0, 1), "Wmax": sign * largest, "tau": tau}
    plastic(name, "vogels_sprekeler_synapse", params, sign * round(largest * draw.one_of(1.0, 0.0, draw.uniform(0, 1)), 4),
            tau_minus=draw.one_of(tau, draw.spread(1, 80)), **where(draw, draw.one_of(0.1, 0.25)))


def dopamine(name, draw):
    largest = draw.spread(2, 200)
    lowest = draw.one_of(0.0, round(largest * draw.uniform(0, 0.5), 4), -round(largest * draw.uniform(0, 0.5), 4) if draw.chance(0.3) else 0.0)
    params = {"A_plus": draw.uniform(0, 3), "A_minus": draw.uniform(0, 3), "tau_plus": draw.spread(2, 80), "tau_c": draw.spread(20, 2000),
              "tau_n": draw.spread(20, 1000), "b": draw.one_of(0.0, draw.uniform(0, 0.05), draw.uniform(-0.02, 0.0)), "Wmin": lowest, "Wmax": largest}
    plastic(name, "stdp_dopamine_synapse", params, round(lowest + (largest - lowest) * draw.uniform(0, 1), 4), tau_minus=draw.spread(2, 80),
            dopamine=True, **where(draw, draw.one_of(0.1, 0.1, 0.25)))


def short_term(rule):
    def record(name, draw):
        dt = draw.one_of(0.1, 0.1, 0.25, 0.5)
        post = {"tau_syn_ex": draw.spread(0.5, 20), "tau_syn_in": draw.spread(0.5, 20), "tau_m": draw.spread(3, 50), "C_m": draw.spread(60, 400),
                "I_e": draw.uniform(-50, 80)}
        weight = draw.one_of(1, -1) * draw.spread(50, 1000)
        values = {"U": draw.uniform(0.02, 1), "tau_rec": draw.spread(5, 900), "tau_fac": draw.one_of(0.0, draw.spread(5, 900))}
        if rule == "tsodyks2_synapse":
            values.update(u=draw.uniform(0.01, 1), x=draw.uniform(0, 1))
        else:
            full = draw.uniform(0, 1)
            values.update(x=full, y=draw.uniform(0, 1.0 - full), u=draw.uniform(0, 1) if values["tau_fac"] else 0.0, tau_psc=draw.spread(0.5, 30))
        transmitter(name, rule, values, weight, post, seed=int(draw.random.integers(1, 2**31)), dt=dt, delay=draw.steps(1, 20, dt))
    return record


KINDS = {model: linear(model) for model in ("iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha")}
KINDS.update({model: conducting(model) for model in ("iaf_cond_exp", "iaf_cond_alpha", "aeif_cond_exp", "aeif_cond_alpha")})
KINDS.update(izhikevich=izhikevich, hh_psc_alpha=channels)
KINDS.update({model: exact(model) for model in ("iaf_psc_delta_ps", "iaf_psc_exp_ps", "iaf_psc_alpha_ps", "iaf_psc_exp_ps_lossless")})
KINDS.update(stdp_synapse=pairs("stdp_synapse"), stdp_synapse_hom=pairs("stdp_synapse_hom"))
KINDS.update({rule: pairs(rule, pre_first=True) for rule in ("stdp_nn_symm_synapse", "stdp_nn_restr_synapse", "stdp_nn_pre_centered_synapse")})
KINDS.update(stdp_pl_synapse_hom=power_law, stdp_triplet_synapse=triplet, vogels_sprekeler_synapse=balance, stdp_dopamine_synapse=dopamine)
KINDS.update({rule: short_term(rule) for rule in ("tsodyks_synapse", "tsodyks2_synapse")})

first, count = int(sys.argv[2]), int(sys.argv[3])
for kind in sys.argv[4:] or KINDS:
    for seed in range(first, first + count):
        try:
            KINDS[kind]("%s_drawn_%d" % (kind, seed), Draw(kind, seed))
        except Exception as error:  # what NEST refuses is another case of what it takes
            print(kind, seed, "not recorded:", type(error).__name__, str(error)[:200])
