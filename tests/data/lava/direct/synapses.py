import json, os, sys
import numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import build, run
from scipy.sparse import csr_matrix
from lava.proc.dense.process import Dense, DelayDense
from lava.proc.dense import models as dm
from lava.proc.sparse.process import Sparse, DelaySparse
from lava.proc.sparse import models as sp
from lava.proc.conv.process import Conv
from lava.proc.conv.models import PyConvModelFixed
from lava.utils.weightutils import SignMode
OUT, N = sys.argv[1], int(sys.argv[2]); os.makedirs(OUT, exist_ok=True)
def weights(rng, T, S):
    mode = rng.choice(["MIXED", "EXCITATORY", "INHIBITORY", "any"])
    big = 300 if rng.random() < .3 else 256
    lo, hi = {"MIXED": (-big, big), "EXCITATORY": (0, big), "INHIBITORY": (-big, 1), "any": (-big, big)}[mode]
    w = rng.integers(lo, hi, (T, S))
    if rng.random() < .3: w[rng.random(w.shape) < .5] = 0
    return w, (str(mode) if mode != "any" and rng.random() < .7 else None)
def one(rng, cls, fixed):
    T, S, steps = int(rng.integers(1, 8)), int(rng.integers(1, 9)), 25
    w, mode = weights(rng, T, S)
    msg = int(rng.choice([0, 0, 8, 16, 24])); 
    p = dict(weights=w.tolist() if fixed else (w / 7.).tolist(), num_message_bits=msg)
    if fixed:
        if rng.random() < .7: p["num_weight_bits"] = int(rng.integers(1, 9))
        if rng.random() < .7: p["weight_exp"] = int(rng.integers(-7, 8))
        if mode: p["sign_mode"] = mode
    x = rng.random((steps, S)) < .5
    x = x * (rng.integers(-(1 << (msg - 1)), 1 << (msg - 1), (steps, S)) if msg else rng.integers(1, 4, (steps, S)))
    a = {k: v for k, v in p.items()}; a["weights"] = np.array(p["weights"])
    if "Delay" in cls.__name__:
        d = rng.integers(0, int(rng.choice([3, 12, 64])), w.shape); p["delays"] = d.tolist(); a["delays"] = d
        if rng.random() < .3 and "Dense" in cls.__name__: v = int(rng.integers(0, 20)); p["delays"] = v; a["delays"] = v
    if mode and fixed: a["sign_mode"] = SignMode[mode]
    if "Sparse" in cls.__name__:
        a["weights"] = csr_matrix(a["weights"])
        if "delays" in a: a["delays"] = csr_matrix(a["delays"]) if not isinstance(a["delays"], int) else a["delays"]
    made = cls(**a)
    model = {Dense: (dm.PyDenseModelFloat, dm.PyDenseModelBitAcc), DelayDense: (dm.PyDelayDenseModelFloat, dm.PyDelayDenseModelBitAcc), Sparse: (sp.PySparseModelFloat, sp.PySparseModelBitAcc), DelaySparse: (sp.PyDelaySparseModelFloat, sp.PyDelaySparseModelBitAcc)}[cls][int(fixed)]
    rows, out = run(made, model, {"s_in": x}, "a_out", [], np.int32 if fixed else float)
    return dict(process=cls.__name__, tag="fixed_pt" if fixed else "floating_pt", params=p, inputs={"s_in": x.tolist()}, vars={}, outputs={"a_out": out})
def conv(rng):
    g = int(rng.choice([1, 1, 2])); ci, co = g * int(rng.integers(1, 3)), g * int(rng.integers(1, 4))
    X, Y = int(rng.integers(4, 9)), int(rng.integers(4, 9)); k = [int(rng.integers(1, 4)), int(rng.integers(1, 4))]
    st = [int(rng.integers(1, 3)) for _ in "ab"]; pd = [int(rng.integers(0, 2)) for _ in "ab"]; dl = [int(rng.integers(1, 3)) for _ in "ab"]
    if X + 2 * pd[0] < dl[0] * (k[0] - 1) + 1 or Y + 2 * pd[1] < dl[1] * (k[1] - 1) + 1: dl = [1, 1]
    w = rng.integers(-200, 201, (co, k[0], k[1], ci // g)); msg = int(rng.choice([0, 0, 16, 24]))
    x = (rng.random((15, X, Y, ci)) < .4) * (rng.integers(-(1 << (msg - 1)), 1 << (msg - 1), (15, X, Y, ci)) if msg else 1)
    p = dict(weight=w.tolist(), input_shape=[X, Y, ci], stride=st, padding=pd, dilation=dl, groups=g, num_message_bits=msg, weight_exp=int(rng.integers(-2, 3)))
    made = Conv(weight=w, input_shape=(X, Y, ci), stride=tuple(st), padding=tuple(pd), dilation=tuple(dl), groups=g, num_message_bits=msg, weight_exp=p["weight_exp"])
    rows, out = run(made, PyConvModelFixed, {"s_in": x}, "a_out", [], np.int32)
    return dict(process="Conv", tag="fixed_pt", params=p, inputs={"s_in": x.tolist()}, vars={}, outputs={"a_out": out})
kinds = {"conv_fixed": conv}
for cls in (Dense, Sparse, DelayDense, DelaySparse):
    for fixed in (True, False): kinds[f"{cls.__name__.lower()}_{'fixed' if fixed else 'float'}"] = lambda r, c=cls, f=fixed: one(r, c, f)
for name, make in kinds.items():
    bad = {}
    for k in range(N):
        rng = np.random.default_rng([k, sum(map(ord, name))])
        try: c = make(rng)
        except Exception as e: bad.setdefault(type(e).__name__ + str(e)[:100], []).append(k); continue
        json.dump(dict(case=f"{name}_{k}", **c), open(f"{OUT}/{name}_{k}.json", "w"))
    print(name, {k: len(v) for k, v in bad.items()}, flush=True)
