import json, os, sys
import numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import run
from scipy.sparse import csr_matrix
from lava.proc.dense.process import LearningDense
from lava.proc.dense.models import PyLearningDenseModelBitApproximate, PyLearningDenseModelFloat
from lava.proc.sparse.process import LearningSparse
from lava.proc.sparse.models import PyLearningSparseModelBitApproximate, PyLearningSparseModelFloat
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.utils.weightutils import SignMode
OUT, N = sys.argv[1], int(sys.argv[2]); only = sys.argv[3:]
os.makedirs(OUT, exist_ok=True)

def product(rng, k, syn):
    dep = rng.choice(["x0", "y0", f"u{k}"])
    traces = ["x1", "x2", "y1", "y2", "y3"]
    fs = []
    for _ in range(int(rng.integers(0, 3))):
        r = rng.random()
        if r < .5: fs.append(str(rng.choice(traces)))
        elif r < .65: fs.append(f"({rng.choice(traces)} {rng.choice(['+','-'])} {int(rng.integers(1,20))})")
        elif not syn: fs.append(str(rng.choice(traces)))
        elif r < .8: fs.append(str(rng.choice(["w", "t", "d"])))
        elif r < .9: fs.append(f"({rng.choice(['w','t','d'])} {rng.choice(['+','-'])} {int(rng.integers(1,20))})")
        else: fs.append(f"sgn({rng.choice(['w','t','d'])} {rng.choice(['+','-'])} {int(rng.integers(0,20))})")
    if rng.random() < .2: fs.append(str(rng.choice(["x0", "y0"])))
    m = int(rng.integers(1, 8)); e = int(rng.integers(-6, 3))
    scale = f"{m} * 2^{e}" if rng.random() < .7 else f"2^{e}" if rng.random() < .5 else str(m)
    if rng.random() < .3: fs.append(str(int(rng.integers(1, 3))))
    terms = [scale, dep] + fs
    return " * ".join(terms)

def rule(rng, syn=True):
    k = int(rng.integers(0, 3)); out = {}
    for name in ("dw", "dd", "dt"):
        if name == "dw" or rng.random() < .4:
            s = product(rng, k, syn)
            for _ in range(int(rng.integers(0, 3))): s += str(rng.choice([" + ", " - "])) + product(rng, k, syn)
            if rng.random() < .3: s = "-" + s
            out[name] = s
    return out

def case(rng, tag, sparse, third, syn=True):
    S, T, steps = int(rng.integers(1, 7)), int(rng.integers(1, 6)), int(rng.integers(20, 60))
    mode = str(rng.choice(["MIXED", "MIXED", "EXCITATORY", "INHIBITORY"])) if not sparse else "MIXED"
    lo, hi = {"MIXED": (-256, 256), "EXCITATORY": (0, 256), "INHIBITORY": (-256, 1)}[mode]
    w = rng.integers(lo, hi, (T, S))
    if rng.random() < .5: w = w // 4
    if sparse: w = w * (rng.random(w.shape) < .6)
    pars = dict(rule(rng, syn)); 
    for t in ("x1", "x2", "y1", "y2", "y3"):
        if third and t[0] == "y": continue
        if rng.random() < .85:
            pars[t + "_impulse"] = float(rng.choice([rng.integers(0, 128), round(rng.random() * 60, 3)]))
            tau = float(rng.choice([rng.integers(1, 60), 0 if tag == "fixed_pt" else 5, round(rng.random() * 30 + .5, 2)]))
            if tau != 0: pars[t + "_tau"] = tau
        elif tag == "floating_pt":
            pars[t + "_tau"] = 5.; pars[t + "_impulse"] = 1.
    if third and tag == "floating_pt": pass
    pars["t_epoch"] = int(rng.integers(1, 7)); pars["rng_seed"] = int(rng.integers(0, 1 << 40))
    graded = int(rng.integers(0, 4)) if rng.random() < .4 else 0
    bits = int(rng.choice([8, 8, 6, 4])); wexp = int(rng.choice([0, 0, 2, -2]))
    msg = 8 if graded or rng.random() < .2 else 0
    kind = Loihi3FLearningRule if third else Loihi2FLearningRule
    lr = kind(**pars)
    pre = (rng.random((steps, S)) < .4) * (rng.integers(1, 256, (steps, S)) if msg else 1)
    post = (rng.random((steps, T)) < .4).astype(int)
    ports = {"s_in": pre, "s_in_bap": post}; ins = {"pre": pre.tolist(), "post": post.tolist()}
    if third:
        for q in (1, 2, 3):
            tr = rng.integers(-100 if q > 1 else 0, 128, (steps, T)); ports[f"s_in_y{q}"] = tr; ins[f"y{q}"] = tr.tolist()
    given = w.astype(float) if tag == "floating_pt" else w
    args = dict(weights=csr_matrix(given) if sparse else given, learning_rule=lr, weight_exp=wexp, num_weight_bits=bits, sign_mode=SignMode[mode], num_message_bits=msg, graded_spike_cfg=GradedSpikeCfg(graded))
    extra = {}
    if rng.random() < .3 and not sparse:
        for t in ("tag_1", "tag_2"):
            v = rng.integers(0, 60, (T, S)); args[t] = v; extra[t] = v.tolist()
    elif rng.random() < .5 and sparse:
        for t in ("tag_1", "tag_2"):
            v = rng.integers(0, 60, (T, S)) * (w != 0); args[t] = csr_matrix(v); extra[t] = v.tolist()
    proc = (LearningSparse if sparse else LearningDense)(**args)
    model = {(0, 1): PyLearningDenseModelBitApproximate, (0, 0): PyLearningDenseModelFloat, (1, 1): PyLearningSparseModelBitApproximate, (1, 0): PyLearningSparseModelFloat}[(int(sparse), int(tag == "fixed_pt"))]
    names = ["weights", "x1", "x2", "y1", "y2", "y3", "tag_1", "tag_2"]
    rows, out = run(proc, model, ports, "a_out", names, np.int32 if tag == "fixed_pt" else float)
    if graded: pars["x1_impulse"] = 0
    p = dict(weights0=w.tolist(), sign_mode=mode, num_weight_bits=bits, weight_exp=wexp, num_message_bits=msg, graded_spike_cfg=graded, **extra, **pars)
    return dict(process="LearningSparse" if sparse else "LearningDense", tag=tag, params=p, inputs=ins, vars=rows, outputs={"a_out": out})
KINDS = {"learn_dense": ("fixed_pt", 0, 0), "learn_dense3": ("fixed_pt", 0, 1), "learn_float": ("floating_pt", 0, 0), "learn_sparse": ("fixed_pt", 1, 0), "learn_sparse3": ("fixed_pt", 1, 1), "learn_sparse_float": ("floating_pt", 1, 0)}
np.seterr(all="ignore")
for name, (tag, sparse, third) in KINDS.items():
    if only and not any(name == o for o in only): continue
    bad = {}
    for k in range(N):
        rng = np.random.default_rng([k, sum(map(ord, name))])
        try: c = case(rng, tag, bool(sparse), bool(third), syn=not sparse or k % 3 == 0)
        except Exception as e:
            key = type(e).__name__ + " " + str(e)[:110]; bad.setdefault(key, []).append(k); continue
        def clean(v):
            return v
        json.dump(dict(case=f"{name}_{k}", **c), open(f"{OUT}/{name}_{k}.json", "w"))
    print(name, "failed:", {k: len(v) for k, v in bad.items()}, flush=True)
