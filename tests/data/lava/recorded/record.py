#!/usr/bin/env python3
"""Records cases from an installed Lava (lava-nc 0.10.0) for the tests of the fixed-point engine.

    python record.py FOLDER [NAME ...]      all cases whose name starts with a NAME

Install Lava as scripts/lava.sh does. Every case holds its parameters, the input of every step, and
all variables and outputs after it.
"""
import json, os, sys
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.proc.dense.process import Dense, DelayDense, LearningDense
from lava.proc.sparse.process import LearningSparse
from lava.proc.io.source import RingBuffer as Source
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.lif.process import LIF, LIFRefractory, TernaryLIF
from lava.proc.rf.process import RF
from lava.proc.rf_iz.process import RF_IZ
from lava.proc.sdn.process import ActivationMode, Delta, Sigma, SigmaDelta
from lava.proc.atrlif.process import ATRLIF
from lava.proc.graded.process import GradedReluVec
from lava.utils.weightutils import SignMode

VARIABLES = {"LearningDense": ["weights", "x1", "x2", "y1", "y2", "y3", "tag_1", "tag_2"]}


def drive(process, ports, output, variables, tag):
    """Runs step by step; returns rows of the variables and of the output."""
    steps = len(next(iter(ports.values())))
    for port, rows in ports.items():
        Source(data=np.asarray(rows).T).s_out.connect(getattr(process, port))
    sink = Sink(shape=getattr(process, output).shape, buffer=steps)
    getattr(process, output).connect(sink.a_in)
    rows = {name: [] for name in variables}
    try:
        for _ in range(steps):
            process.run(condition=RunSteps(1), run_cfg=Loihi2SimCfg(select_tag=tag))
            for name in variables:
                value = getattr(process, name).get()
                value = value.toarray() if hasattr(value, "toarray") else np.array(value)
                rows[name].append(value.tolist())
        out = np.asarray(sink.data.get()).T.tolist()
    finally:
        process.stop()
    return rows, out


def learning(seed, tag="fixed_pt", sparse=False, steps=40, sources=5, targets=4, third=False, low=-60, high=90,
             rate=0.3, payload=0, weight_exp=0, num_weight_bits=8, sign_mode="MIXED", graded=0, **rule):
    rng = np.random.default_rng(seed)
    weights = rng.integers(low, high, (targets, sources))
    if sparse:
        weights = weights * (rng.random(weights.shape) < 0.6)
    pre = (rng.random((steps, sources)) < rate).astype(int)
    if payload:
        pre = pre * rng.integers(1, payload, pre.shape)
    post = (rng.random((steps, targets)) < rate).astype(int)
    ports = {"s_in": pre, "s_in_bap": post}
    inputs = {"pre": pre.tolist(), "post": post.tolist()}
    kind = Loihi3FLearningRule if third else Loihi2FLearningRule
    if third:
        for k in (1, 2, 3):
            trace = rng.integers(-100 if k > 1 else 0, 100, (steps, targets))
            ports["s_in_y%d" % k] = trace
            inputs["y%d" % k] = trace.tolist()
    given = weights.astype(float) if tag == "floating_pt" else weights
    arguments = dict(weights=given, learning_rule=kind(**rule), weight_exp=weight_exp,
                     num_weight_bits=num_weight_bits, sign_mode=SignMode[sign_mode],
                     num_message_bits=8 if payload else 0, graded_spike_cfg=GradedSpikeCfg(graded))
    name = "LearningSparse" if sparse else "LearningDense"
    if sparse:
        from scipy.sparse import csr_matrix
        arguments["weights"] = csr_matrix(given)
    process = (LearningSparse if sparse else LearningDense)(**arguments)
    names = VARIABLES["LearningDense"]
    if tag == "floating_pt":                       # traces without a time constant are NaN in Lava
        names = [n for n in names if n[0] not in "xy" or rule.get(n + "_tau") or (third and n[0] == "y")]
    if sparse:                                     # Lava cannot read the sparse variables of this process
        names = [n for n in names if n[0] in "xy"]
    rows, out = drive(process, ports, "a_out", names, tag)
    params = dict(weights0=weights.tolist(), sign_mode=sign_mode, num_weight_bits=num_weight_bits, weight_exp=weight_exp,
                  num_message_bits=8 if payload else 0, graded_spike_cfg=graded, **rule)
    return dict(process=name, tag=tag, params=params, inputs=inputs, vars=rows, outputs={"a_out": out})


def neuron(process, tag, seed, ports=("a_in",), variables=(), low=-200, high=300, extra=(), steps=60, size=6, **params):
    rng = np.random.default_rng(seed)
    inputs = {}
    for port in ports:
        rows = rng.integers(low, high, (steps, size)) * (rng.random((steps, size)) < 0.6)
        inputs[port] = (rows if tag == "fixed_pt" else rows / 16.0).tolist()
    made = process(shape=(size,), **params)
    rows, out = drive(made, {port: np.array(rows) for port, rows in inputs.items()}, "s_out", variables, tag)
    params = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in params.items()}
    written = {"shape": [size], **params, **{name: np.asarray(getattr(made, var).init).reshape(-1)[0].item() for name, var in extra}}
    if "act_mode" in written:
        written["act_mode"] = ActivationMode(written["act_mode"]).name
    return dict(process=process.__name__, tag=tag, params=written, inputs=inputs, vars=rows, outputs={"s_out": out})


def recurrent(seed, wexp_rec, delayed, neurons=256, inputs=32, steps=100):
    """A random recurrent network of 256 neurons, with or without a delay of its own for every synapse."""
    rng = np.random.default_rng(seed)
    win = rng.integers(-60, 100, (neurons, inputs)) * (rng.random((neurons, inputs)) < 0.4)
    wrec = rng.integers(-90, 90, (neurons, neurons)) * (rng.random((neurons, neurons)) < 0.1)
    x = (rng.random((steps, inputs)) < 0.25).astype(int)
    bias = rng.integers(-200, 400, neurons)
    z = dict(du=512, dv=128, vth=400, bias_exp=2, wexp_in=1, wexp_rec=wexp_rec, num_weight_bits=8)
    lif = LIF(shape=(neurons,), du=z["du"], dv=z["dv"], vth=z["vth"], bias_mant=bias, bias_exp=z["bias_exp"])
    feed = Dense(weights=win, weight_exp=z["wexp_in"])
    Source(data=x.T).s_out.connect(feed.s_in)
    feed.a_out.connect(lif.a_in)
    delays = rng.integers(0, 12, wrec.shape) if delayed else np.zeros(0)
    loop = DelayDense(weights=wrec, delays=delays, weight_exp=wexp_rec) if delayed else Dense(weights=wrec, weight_exp=wexp_rec)
    lif.s_out.connect(loop.s_in)
    loop.a_out.connect(lif.a_in)
    sink = Sink(shape=(neurons,), buffer=steps)
    lif.s_out.connect(sink.a_in)
    u, v = [], []
    try:
        for _ in range(steps):
            lif.run(condition=RunSteps(1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
            u.append(lif.u.get().copy()); v.append(lif.v.get().copy())
        s = np.asarray(sink.data.get()).T
    finally:
        lif.stop()
    u, v = np.array(u), np.array(v)
    return dict(win=win.astype(np.int16), wrec=wrec.astype(np.int16), delays=delays.astype(np.int8), x=x.astype(np.uint8),
                bias_mant=bias.astype(np.int16), s=s.astype(np.uint8), v_last=v[-1].astype(float), u_last=u[-1].astype(float),
                v_sum=v.sum(1).astype(float), u_sum=u.sum(1).astype(float), v_n0=v[:, 0].astype(float), u_n0=u[:, 0].astype(float), **z)


TRACES = dict(x1_impulse=20.3, x1_tau=7, x2_impulse=9.75, x2_tau=15, y1_impulse=11.6, y1_tau=9, y2_impulse=30, y2_tau=4,
              y3_impulse=5.5, y3_tau=22)
STDP = "2^-2 * y0 * x1 - 2^-1 * x0 * y1"
ALL = "2^-4 * y0 * x1 * x2 - 3 * 2^-5 * x0 * y1 * (w - 7) + u1 * 2^-3 * y2 * sgn(t - 2) + 2^-1 * x0 * y0 * (5 - y3)"
REWARD = dict(dw="u0 * t * y2", dt="2^-1 * y0 * x1 - 2^-2 * x0 * y1 - u0 * t * 2^-3")
WALK = "2^1 * u1 * x1 - 2^-1 * u1 * d"
EACH = np.array([0.7, 1.5, 2.0, 3.1, 4.4, 5.9])  # parameters of a neuron each
CASES = {
    "learn_sparse_epoch2": lambda: learning(31, sparse=True, dw=STDP, t_epoch=2, rng_seed=7, **TRACES),
    "learn_sparse_bits": lambda: learning(32, sparse=True, dw="2^-1 * y0 * x1 * x2 - 3 * x0 * y1", t_epoch=3, rng_seed=9, weight_exp=-1, num_weight_bits=5, **TRACES),
    "lif_initial_fixed": lambda: neuron(LIF, "fixed_pt", 51, variables=("u", "v"), du=300, dv=77, vth=900, u=np.array([100, -5000, 7, 0, 123456, -3]), v=np.array([1, 2, -3, 40000, -500000, 6])),
    "lif_each_fixed": lambda: neuron(LIF, "fixed_pt", 52, variables=("u", "v"), du=np.array([0, 1, 4095, 300, 77, 2000]), dv=np.array([0, 4096, 128, 5, 77, 2000]), vth=np.array([1, 20, 300, 400, 5000, 600])),
    "learn_stdp_epoch3": lambda: learning(11, dw=STDP, t_epoch=3, rng_seed=5, rate=0.5, **TRACES),
    "learn_all_epoch2": lambda: learning(12, dw=ALL, dt="y0 * x2 - x0 * y2 + u1 * (t + 3)", dd=WALK, t_epoch=2, rng_seed=99, **TRACES),
    "learn_reward_epoch1": lambda: learning(13, **REWARD, t_epoch=1, rng_seed=2147483650, **TRACES),
    "learn_excitatory": lambda: learning(14, dw="2^-1 * y0 * x1 - 3 * x0 * y1", t_epoch=4, rng_seed=1, sign_mode="EXCITATORY", low=0, high=250, weight_exp=2, num_weight_bits=6, **TRACES),
    "learn_inhibitory": lambda: learning(15, dw="2^-1 * y0 * x1 - 3 * x0 * y1", t_epoch=2, rng_seed=3, sign_mode="INHIBITORY", low=-250, high=0, weight_exp=-2, **TRACES),
    "learn_overwrite": lambda: learning(16, dw="2^-2 * y0 * x1 - x0 * 3", t_epoch=2, rng_seed=8, payload=200, graded=1, **TRACES),
    "learn_add_saturate": lambda: learning(17, dw="2^-2 * y0 * x1 - x0 * 3", t_epoch=3, rng_seed=9, payload=255, graded=2, **TRACES),
    "learn_add_carry": lambda: learning(18, dw="2^-2 * y0 * x2 - x0 * 3", t_epoch=3, rng_seed=10, payload=255, graded=3, rate=0.6, **TRACES),
    "learn_third_factor": lambda: learning(19, third=True, dw="u0 * t * y2 * 2^-4", dt="x0 * y3 * 2^-1 + y0 * x1 - u0 * t * 2^-2", x1_impulse=16, x1_tau=10, t_epoch=2, rng_seed=4),
    "learn_all_float": lambda: learning(12, tag="floating_pt", dw=ALL.replace("x0 * y0 * (5 - y3)", "x0 * (5 - y3)"), dt="y0 * x2 - x0 * y2 + u1 * (t + 3)", dd=WALK, t_epoch=2, rng_seed=99, **TRACES),
    "learn_third_factor_float": lambda: learning(19, tag="floating_pt", third=True, dw="u0 * t * y2 * 2^-4", dt="x0 * y3 * 2^-1 + y0 * x1 - u0 * t * 2^-2", x1_impulse=16, x1_tau=10, t_epoch=2, rng_seed=4),
    "ternarylif_float": lambda: neuron(TernaryLIF, "floating_pt", 21, variables=("u", "v"), du=0.2, dv=0.1, vth_hi=9.5, vth_lo=-6.25, bias_mant=0.5, bias_exp=0),
    "rf_float": lambda: neuron(RF, "floating_pt", 22, ports=("a_real_in", "a_imag_in"), variables=("real", "imag"), extra=(("sin_decay", "sin_decay"), ("cos_decay", "cos_decay"), ("vth_effective", "vth")), period=7.0, alpha=0.07, vth=12),
    "rf_iz_float": lambda: neuron(RF_IZ, "floating_pt", 23, ports=("a_real_in", "a_imag_in"), variables=("real", "imag"), extra=(("sin_decay", "sin_decay"), ("cos_decay", "cos_decay"), ("vth_effective", "vth")), period=9.0, alpha=0.1, vth=12),
    "atrlif_float": lambda: neuron(ATRLIF, "floating_pt", 24, variables=("i", "v", "theta", "r"), delta_i=0.4, delta_v=0.3, delta_theta=0.2, delta_r=0.1, theta_0=5, theta_step=2),
    "sigma_float": lambda: neuron(Sigma, "floating_pt", 25, variables=("sigma",)),
    "delta_cum_float": lambda: neuron(Delta, "floating_pt", 26, variables=("act", "residue", "error"), vth=3.5, cum_error=True),
    "sigmadelta_relu_float": lambda: neuron(SigmaDelta, "floating_pt", 27, variables=("sigma", "act", "residue", "error"), vth=3.5, bias=1.25, act_mode=ActivationMode.RELU),
    "delta_cum_fixed": lambda: neuron(Delta, "fixed_pt", 28, variables=("act", "residue", "error"), vth=40, cum_error=True, spike_exp=1, state_exp=2),
    "sigmadelta_relu_cum_fixed": lambda: neuron(SigmaDelta, "fixed_pt", 29, variables=("sigma", "act", "residue", "error"), vth=30, bias=-4, act_mode=ActivationMode.RELU, cum_error=True, spike_exp=2, state_exp=1),
    "sigmadelta_unit_plain_fixed": lambda: neuron(SigmaDelta, "fixed_pt", 30, variables=("sigma", "act", "residue", "error"), vth=30, bias=5, act_mode=ActivationMode.UNIT, spike_exp=0, state_exp=6),
    "gradedrelu_fixed": lambda: neuron(GradedReluVec, "fixed_pt", 31, variables=("v",), vth=80, exp=0),
    "atrlif_decays_fixed": lambda: neuron(ATRLIF, "fixed_pt", 32, variables=("i", "v", "theta", "r"), delta_i=0.123, delta_v=0.77, delta_theta=0.051, delta_r=0.31, theta_0=30, theta_step=11),
    "lif_no_decay_fixed": lambda: neuron(LIF, "fixed_pt", 34, variables=("u", "v"), du=-1, dv=0, vth=2000, bias_mant=-3, bias_exp=7),
    "lif_each_float": lambda: neuron(LIF, "floating_pt", 61, variables=("u", "v"), du=EACH / 8, dv=EACH / 20, vth=EACH * 3, bias_mant=EACH - 2),
    "ternarylif_each_float": lambda: neuron(TernaryLIF, "floating_pt", 62, variables=("u", "v"), du=EACH / 8, dv=0.1, vth_hi=EACH * 2, vth_lo=-EACH),
    "lifrefractory_each_float": lambda: neuron(LIFRefractory, "floating_pt", 63, variables=("u", "v", "refractory_period_end"), du=EACH / 8, dv=0.1, vth=EACH * 3, refractory_period=3),
    "atrlif_each_float": lambda: neuron(ATRLIF, "floating_pt", 64, variables=("i", "v", "theta", "r"), delta_i=EACH / 9, delta_v=EACH / 30, delta_theta=0.1, delta_r=EACH / 7, theta_0=EACH, theta_step=2),
    "atrlif_each_fixed": lambda: neuron(ATRLIF, "fixed_pt", 65, variables=("i", "v", "theta", "r"), delta_i=EACH / 9, delta_v=EACH / 30, delta_theta=EACH / 11, delta_r=EACH / 7, theta_0=EACH * 5, theta_step=4),
    "rf_each_float": lambda: neuron(RF, "floating_pt", 66, ports=("a_real_in", "a_imag_in"), variables=("real", "imag"), period=EACH * 4, alpha=EACH / 40, vth=EACH * 2),
    "rf_iz_each_float": lambda: neuron(RF_IZ, "floating_pt", 67, ports=("a_real_in", "a_imag_in"), variables=("real", "imag"), period=EACH * 4, alpha=0.05, vth=EACH * 2),
    "rec_256_delays": lambda: recurrent(41, -2, True),
    "rec_256": lambda: recurrent(42, 1, False),
}

if __name__ == "__main__":
    folder, wanted = sys.argv[1], sys.argv[2:]
    for name, make in CASES.items():
        if wanted and not any(name.startswith(w) for w in wanted):
            continue
        try:
            case = make()
        except Exception as error:
            print("NOT RECORDED", name, type(error).__name__, error, flush=True)
            continue
        if name.startswith("rec_"):
            np.savez_compressed(os.path.join(folder, name + ".npz"), **case)
        else:
            case = dict(case=name, **case, lava="lava-nc 0.10.0, numpy " + np.__version__)
            with open(os.path.join(folder, name + ".json"), "w") as out:
                json.dump(case, out, separators=(",", ":"))
        print("recorded", name, flush=True)
