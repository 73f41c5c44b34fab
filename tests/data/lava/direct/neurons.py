import json, os, sys, traceback
import numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import run
from lava.proc.lif.process import LIF, LIFReset, LIFRefractory, TernaryLIF, LearningLIF
from lava.proc.lif import models as lm
from lava.proc.rf.process import RF
from lava.proc.rf.models import PyRFModelFixed, PyRFModelFloat
from lava.proc.rf_iz.process import RF_IZ
from lava.proc.rf_iz.models import PyRF_IZModelFixed, PyRF_IZModelFloat
from lava.proc.resfire.process import RFZero
from lava.proc.resfire.models import PyRFZeroModelFixed
from lava.proc.atrlif.process import ATRLIF
from lava.proc.atrlif.models import PyATRLIFModelFixed, PyATRLIFModelFloat
from lava.proc.sdn.process import Sigma, Delta, SigmaDelta, ActivationMode
from lava.proc.sdn import models as sm
from lava.proc.graded.process import GradedVec, GradedReluVec, NormVecDelay
from lava.proc.graded import models as gm
from lava.proc.prodneuron.process import ProdNeuron
from lava.proc.prodneuron.models import PyProdNeuronModelFixed
OUT = sys.argv[1]; N = int(sys.argv[2]); only = sys.argv[3:] 
os.makedirs(OUT, exist_ok=True)

def drive(rng, steps, size, scale, p=0.7, fixed=True):
    rows = rng.integers(-scale, scale + 1, (steps, size)) * (rng.random((steps, size)) < p)
    return rows if fixed else rows / 16.0

def inits(rng, fixed, size, names, scale):
    """Initial values as Lava's constructors take them."""
    out = {}
    for n in names:
        r = rng.random()
        if r < 0.5: continue
        v = rng.integers(-scale, scale, size) if r < 0.8 else rng.integers(-scale, scale)
        v = v if fixed else v / 7.0
        out[n] = v.tolist() if hasattr(v, "tolist") else v
    return out

def bias(rng, fixed, size):
    p = {}
    r = rng.random()
    if r < 0.3: return p
    if fixed:
        wide = rng.random() < 0.15
        bound = 32767 if wide else 4096
        p["bias_mant"] = rng.integers(-bound, bound, size).tolist() if r < 0.7 else int(rng.integers(-bound, bound))
        p["bias_exp"] = rng.integers(-3, 8, size).tolist() if rng.random() < 0.5 else int(rng.integers(-3, 8))
    else:
        p["bias_mant"] = (rng.integers(-40, 40, size) / 13.).tolist() if r < 0.7 else float(rng.integers(-40, 40) / 13.)
        p["bias_exp"] = 0
    return p

def lif(rng, cls, fixed):
    size = int(rng.integers(1, 9)); shape = [size]
    if rng.random() < 0.2: shape = [2, size]; 
    n = int(np.prod(shape))
    p = {"shape": shape}
    b = bias(rng, fixed, n)
    for k, v in b.items():
        p[k] = np.array(v).reshape(shape).tolist() if isinstance(v, list) else v
    if fixed:
        p["du"] = int(rng.choice([0, 1, 4095, 4094, -1, 512, int(rng.integers(0, 4096))])); p["dv"] = int(rng.choice([0, 1, 4095, 4096, 128, int(rng.integers(0, 4097))]))
        if rng.random() < .05: p["du"] = 5000
        vth = lambda: int(rng.choice([0, 1, 131071, int(rng.integers(1, 2000)), int(rng.integers(1, 131072))]))
    else:
        p["du"] = float(rng.choice([0., 1., rng.random()])); p["dv"] = float(rng.choice([0., 1., rng.random()]))
        vth = lambda: float(rng.integers(1, 500) / 7.)
    if cls is TernaryLIF:
        a, c = vth(), vth()
        p["vth_hi"] = max(a, -c); p["vth_lo"] = -c if rng.random() < .8 else min(p["vth_hi"], c)
    else: p["vth"] = vth()
    if cls is LIFReset:
        p["reset_interval"] = int(rng.integers(1, 20)); p["reset_offset"] = int(rng.integers(0, 40))
    if cls is LIFRefractory: p["refractory_period"] = int(rng.integers(1, 9))
    for k, v in inits(rng, fixed, n, ["u", "v"], 1 << int(rng.choice([8, 20, 23]))).items():
        p[k] = np.array(v).reshape(shape).tolist() if isinstance(v, list) else v
    scale = int(rng.choice([20, 300, 3000, 131072, 1 << 20 if rng.random()<.3 else 500]))
    args = {k: (tuple(v) if k == "shape" else np.array(v) if isinstance(v, list) else v) for k, v in p.items()}
    made = cls(**args)
    model = {(LIF, 1): lm.PyLifModelBitAcc, (LIF, 0): lm.PyLifModelFloat, (LIFReset, 1): lm.PyLifResetModelBitAcc, (LIFReset, 0): lm.PyLifResetModelFloat,
             (LIFRefractory, 0): lm.PyLifRefractoryModelFloat, (TernaryLIF, 1): lm.PyTernLifModelFixed, (TernaryLIF, 0): lm.PyTernLifModelFloat}[(cls, int(fixed))]
    x = drive(rng, 60, n, scale, fixed=fixed).reshape([60] + shape)
    vars_ = ["u", "v"] + (["refractory_period_end"] if cls is LIFRefractory else [])
    rows, out = run(made, model, {"a_in": x}, "s_out", vars_, np.int32 if fixed else float)
    return case(cls.__name__, fixed, p, {"a_in": x.tolist()}, rows, out)

def case(name, fixed, p, inputs, rows, out, tag=None):
    return dict(process=name, tag=tag or ("fixed_pt" if fixed else "floating_pt"), params=p, inputs=inputs, vars=rows, outputs={"s_out": out}, lava="lava-nc 0.10.0, models run directly")

def rf(rng, cls, fixed):
    n = int(rng.integers(1, 9))
    p = dict(shape=[n], period=float(rng.choice([rng.uniform(2, 40), -rng.uniform(2, 30), rng.integers(2, 20)])), alpha=float(rng.random() * rng.choice([0.01, .2, 1])))
    p["vth"] = int(rng.integers(1, 200)) if fixed else float(rng.integers(1, 300) / 7.)
    if fixed or rng.random() < .5:
        p["state_exp"] = int(rng.integers(0, 9)); p["decay_bits"] = int(rng.choice([12, 12, 8, 4, 0, 15])) 
    if not fixed: p["state_exp"] = 0; p["decay_bits"] = 0
    made = cls(**{**p, "shape": (n,)})
    g = lambda v: np.asarray(getattr(made, v).init).reshape(-1)[0].item()
    q = dict(p)
    if rng.random() < .7: q.update(sin_decay=g("sin_decay"), cos_decay=g("cos_decay"), vth_effective=g("vth"))
    scale = int(rng.choice([50, 300, 5000, 100000 if rng.random()<.4 else 100]))
    a, b = drive(rng, 60, n, scale, fixed=fixed), drive(rng, 60, n, scale, fixed=fixed)
    model = {(RF, 1): PyRFModelFixed, (RF, 0): PyRFModelFloat, (RF_IZ, 1): PyRF_IZModelFixed, (RF_IZ, 0): PyRF_IZModelFloat}[(cls, int(fixed))]
    rows, out = run(made, model, {"a_real_in": a, "a_imag_in": b}, "s_out", ["real", "imag"], np.int32 if fixed else float)
    return case(cls.__name__, fixed, q, {"a_real_in": a.tolist(), "a_imag_in": b.tolist()}, rows, out)

def rfzero(rng):
    n = int(rng.integers(1, 9))
    p = dict(shape=[n], freqs=rng.uniform(1, 300, n).tolist(), decay_tau=rng.uniform(.001, 1, n).tolist(), dt=0.001, uth=int(rng.choice([1, 20, 5000, int(rng.integers(0, 300))])))
    made = RFZero(shape=(n,), freqs=np.array(p["freqs"]), decay_tau=np.array(p["decay_tau"]), dt=p["dt"], uth=p["uth"])
    if rng.random() < .7: p.update(lst=np.asarray(made.lst.init).tolist(), lct=np.asarray(made.lct.init).tolist())
    scale = int(rng.choice([50, 300, 5000, 1 << 22]))
    a, b = drive(rng, 60, n, scale), drive(rng, 60, n, scale)
    rows, out = run(made, PyRFZeroModelFixed, {"u_in": a, "v_in": b}, "s_out", ["u", "v"], np.int32)
    return case("RFZero", True, p, {"u_in": a.tolist(), "v_in": b.tolist()}, rows, out)

def atrlif(rng, fixed):
    n = int(rng.integers(1, 9))
    p = dict(shape=[n]); p.update(bias(rng, fixed, n))
    d = lambda: float(rng.choice([rng.random(), rng.random() * .1, 0., 1.]))
    p.update(delta_i=d(), delta_v=d(), delta_theta=d(), delta_r=d())
    if fixed: p.update(theta_0=int(rng.integers(1, 900)), theta_step=int(rng.integers(0, 200)))
    else: p.update(theta_0=float(rng.integers(1, 90) / 7), theta_step=float(rng.integers(0, 20) / 3))
    if rng.random() < .3:
        names = ["i", "v"] + (["theta", "r"] if rng.random() < .5 else [])
        for k, v in inits(rng, fixed, n, names, 4000).items(): p[k] = v
    made = ATRLIF(**{k: (tuple(v) if k == "shape" else np.array(v) if isinstance(v, list) else v) for k, v in p.items()})
    x = drive(rng, 60, n, int(rng.choice([50, 300, 5000, 131072])), fixed=fixed)
    rows, out = run(made, PyATRLIFModelFixed if fixed else PyATRLIFModelFloat, {"a_in": x}, "s_out", ["i", "v", "theta", "r"], np.int32 if fixed else float)
    return case("ATRLIF", fixed, p, {"a_in": x.tolist()}, rows, out)

def sdn(rng, cls, fixed):
    n = int(rng.integers(1, 9)); p = dict(shape=[n])
    if cls is not Sigma:
        p["vth"] = int(rng.integers(0, 90)) if fixed else float(rng.integers(0, 90) / 7)
        if rng.random() < .7: p["cum_error"] = bool(rng.random() < .5)
        if rng.random() < .8: p["spike_exp"] = int(rng.integers(0, 9)); p["state_exp"] = int(rng.integers(0, 9))
        if not fixed: p["spike_exp"] = 0; p["state_exp"] = 0
    if cls is SigmaDelta:
        r = rng.random()
        if r < .8: p["bias"] = int(rng.integers(-50, 50)) if r < .4 else rng.integers(-50, 50, n).tolist()
        if not fixed and "bias" in p: p["bias"] = (np.array(p["bias"]) / 7.).tolist()
        if rng.random() < .9: p["act_mode"] = str(rng.choice(["RELU", "UNIT"]))
    args = {k: (tuple(v) if k == "shape" else ActivationMode[v] if k == "act_mode" else np.array(v) if isinstance(v, list) else v) for k, v in p.items()}
    made = cls(**args)
    x = drive(rng, 60, n, int(rng.choice([40, 900, 60000, 1 << 22 if rng.random()<.5 else 10])), fixed=fixed)
    model = {Sigma: (sm.PySigmaModelFloat, sm.PySigmaModelFixed), Delta: (sm.PyDeltaModelFloat, sm.PyDeltaModelFixed), SigmaDelta: (sm.PySigmaDeltaModelFloat, sm.PySigmaDeltaModelFixed)}[cls][int(fixed)]
    vs = {Sigma: ["sigma"], Delta: ["act", "residue", "error"], SigmaDelta: ["sigma", "act", "residue", "error"]}[cls]
    rows, out = run(made, model, {"a_in": x}, "s_out", vs, np.int32 if fixed else float)
    return case(cls.__name__, fixed, p, {"a_in": x.tolist()}, rows, out)

def graded(rng, cls):
    n = int(rng.integers(1, 9)); p = dict(shape=[n])
    if rng.random() < .9: p["vth"] = int(rng.choice([0, 1, int(rng.integers(0, 3000))]))
    if rng.random() < .8: p["exp"] = int(rng.integers(0, 9))
    made = cls(**{**p, "shape": (n,)})
    scale = int(rng.choice([300, 40000, 1 << 22]))
    if cls in (ProdNeuron, NormVecDelay):
        ins = {"a_in1": drive(rng, 60, n, scale), "a_in2": drive(rng, 60, n, scale)}
    else: ins = {"a_in": drive(rng, 60, n, scale)}
    model = {GradedVec: gm.PyGradedVecModelFixed, GradedReluVec: gm.PyGradedReluVecModelFixed, ProdNeuron: PyProdNeuronModelFixed, NormVecDelay: gm.NormVecDelayModel}[cls]
    second = cls is NormVecDelay
    rows, out = run(made, model, ins, "s_out", ["v", "v2"] if second else ["v"], np.int32)
    if second:  # the same run once more for its second output
        squares = run(cls(**{**p, "shape": (n,)}), model, ins, "s2_out", ["v"], np.int32)[1]
        made_case = case(cls.__name__, True, p, {k: v.tolist() for k, v in ins.items()}, rows, out)
        made_case["outputs"]["s2_out"] = squares
        return made_case
    return case(cls.__name__, True, p, {k: v.tolist() for k, v in ins.items()}, rows, out)

KINDS = {
 "lif_fixed": lambda r: lif(r, LIF, True), "lif_float": lambda r: lif(r, LIF, False),
 "lifreset_fixed": lambda r: lif(r, LIFReset, True), "lifreset_float": lambda r: lif(r, LIFReset, False),
 "lifrefractory_float": lambda r: lif(r, LIFRefractory, False),
 "ternarylif_fixed": lambda r: lif(r, TernaryLIF, True), "ternarylif_float": lambda r: lif(r, TernaryLIF, False),
 "rf_fixed": lambda r: rf(r, RF, True), "rf_float": lambda r: rf(r, RF, False), "rf_iz_fixed": lambda r: rf(r, RF_IZ, True), "rf_iz_float": lambda r: rf(r, RF_IZ, False),
 "rfzero_fixed": rfzero, "atrlif_fixed": lambda r: atrlif(r, True), "atrlif_float": lambda r: atrlif(r, False),
 "sigma_fixed": lambda r: sdn(r, Sigma, True), "sigma_float": lambda r: sdn(r, Sigma, False), "delta_fixed": lambda r: sdn(r, Delta, True), "delta_float": lambda r: sdn(r, Delta, False),
 "sigmadelta_fixed": lambda r: sdn(r, SigmaDelta, True), "sigmadelta_float": lambda r: sdn(r, SigmaDelta, False),
 "gradedvec_fixed": lambda r: graded(r, GradedVec), "gradedreluvec_fixed": lambda r: graded(r, GradedReluVec), "prodneuron_fixed": lambda r: graded(r, ProdNeuron), "normvecdelay_fixed": lambda r: graded(r, NormVecDelay),
}
if __name__ == "__main__":
    np.seterr(all="ignore")
    for kind, make in KINDS.items():
        if only and not any(kind.startswith(o) for o in only): continue
        bad = 0
        for k in range(N):
            rng = np.random.default_rng([k, sum(map(ord, kind))])
            try: c = make(rng)
            except Exception as e:
                bad += 1
                if bad <= 2: print(kind, k, type(e).__name__, str(e)[:200])
                continue
            c = dict(case=f"{kind}_{k}", **c)
            json.dump(c, open(os.path.join(OUT, f"{kind}_{k}.json"), "w"))
        print(kind, "ok" if not bad else f"{bad} failed", flush=True)
