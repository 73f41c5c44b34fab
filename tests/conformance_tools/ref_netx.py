#!/usr/bin/env python3
"""What lava-dl 0.6.0 netx and lava-nc 0.10.0 (CPU, fixed_pt) compute for a netx file, restated with numpy and h5py.

    python ref_netx.py FOLDER [NAME ...]

Runs NAME.net on the input `x` of NAME.npz (`[T, x, y, c]` or `[T, n]`) and compares each layer's spikes with `layer0_s`,
`layer1_s`, ... there. Without names: all pairs in the folder. The exit code is 0 only if something was compared and all is equal.
"""
import os, re, sys, h5py, numpy as np
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ref_lava import LIFFixed, weights, sign_mode, shl
i64 = np.int64
def opt(w):
    """netx.utils.optimize_weight_bits -> (stored weight, num_weight_bits, weight_exp)"""
    w = w.astype(i64); mx, mn = w.max(), w.min()
    if mx > 254 and mn < 0: w = np.clip(w, -256, 254); mx = w.max()
    if mn < -256 and mx > 0: w = np.clip(w, -256, 254); mn = w.min()
    inh, exc = mx < 0, mn >= 0; mixed = not inh and not exc
    with np.errstate(divide="ignore"):
        sc = -256 / mn if inh else 255 / mx if exc else np.min([127 / mx if mx != 0 else np.inf, -128 / mn])
    sb = int(np.floor(np.log2(sc)) + mixed)
    n = 8
    while n > 0 and np.any(w % (1 << n)): n -= 1
    n -= mixed
    return w << sb, 8 - sb - n, -sb
def scal(d):
    a = np.asarray(d[()]).reshape(-1); return int(a[0])
def number(d):
    """What netx does not cut: decays and thresholds of RF and SDNN neurons."""
    return float(np.asarray(d[()]).reshape(-1)[0])
def neuron(g, n, bias, reset):
    return LIFFixed(n, scal(g["iDecay"]) - 1, scal(g["vDecay"]), bias, 6, vth=scal(g["vThMant"]), **reset)
class SDN:
    """Delta (input layer) / SigmaDelta (ReLU) as netx configures them: spike_exp 6, state_exp 6"""
    def __init__(s, n, vth, bias, delta, se=6, st=6):
        s.vth, s.b, s.delta, s.se, s.st = vth * (1 << (se + st)), np.asarray(bias, i64) << (se + st), delta, se, st; s.sig = np.zeros(n, i64); s.act = s.sig.copy(); s.res = s.sig.copy()
    def step(s, a):
        if s.delta: x = np.asarray(a, i64) << (s.se + s.st)
        else: s.sig = s.sig + a; x = np.maximum(s.sig + s.b, 0)
        d = x - s.act + s.res; o = np.where(np.abs(d) >= s.vth, d, 0); s.res = d - o; s.act = x; return o >> s.st
class RFn:
    def __init__(s, n, g, izh):
        sd, cd = number(g["sinDecay"]) / 4096, number(g["cosDecay"]) / 4096; al = 1 - np.sqrt(sd ** 2 + cd ** 2); per = 1 / (np.arctan2(sd, cd) / 2 / np.pi)
        s.sd = int((1 - al) * np.sin(np.pi * 2 * 1 / per) * 4096); s.cd = int((1 - al) * np.cos(np.pi * 2 * 1 / per) * 4096); s.vth = int(number(g["vThMant"]) * 64); s.izh = izh; s.re = np.zeros(n, i64); s.im = np.zeros(n, i64)
    def step(s, ab):
        from ref_lava import trunc_shift as tr, M
        a, b = np.asarray(ab[0], i64) << 6, np.asarray(ab[1], i64) << 6
        re = np.clip(tr(s.cd * s.re, 12) - tr(s.sd * s.im, 12) + a, -M + 1, M - 1); im = np.clip(tr(s.sd * s.re, 12) + tr(s.cd * s.im, 12) + b, -M + 1, M - 1)
        if s.izh: o = (im >= s.vth).astype(i64); s.re, s.im = re * (1 - o), np.where(o > 0, s.vth - 1, im)
        else: o = ((re >= s.vth) & (im >= 0) & (s.im < 0)).astype(i64); s.re, s.im = re, im
        return o
def ntype(g):
    t = g["neuron/type"][()] if "neuron" in g else b"CUBA"; t = t[0] if np.ndim(t) else t
    return t.decode() if isinstance(t, bytes) else t
def sim(fn, x, reset_interval=None):
    T = len(x); f = h5py.File(fn); L = f["layer"]; sig = np.asarray(x, i64); shape = None; outs = []; flat = False; k = 1; graded = False
    for i in range(len(L)):
        g = L[str(i)]; ty = g["type"][()]; ty = (ty[0] if np.ndim(ty) else ty); ty = ty.decode() if isinstance(ty, bytes) else ty
        if ty == "flatten": flat = True; continue
        if ty == "input" and "neuron" not in g: continue
        if ty not in ("input", "dense", "dense_rec", "conv"): continue          # netx silently skips unknown types
        rs = dict(reset_interval=reset_interval, reset_offset=k) if reset_interval else {}
        k += 1
        act = None
        if ty == "input": n = int(np.prod(g["shape"][()])); cur = sig.reshape(T, n); oshape = tuple(g["shape"][()][::-1])
        elif ty == "conv":
            w = g["weight"][()].astype(i64); w = w.reshape(w.shape[:4])          # out, in/g, kH, kW  (plain correlation)
            O, CI, KH, KW = w.shape; gr = scal(g["groups"]); two = lambda d: (lambda a: (int(a[0]), int(a[-1])))(np.asarray(d[()]).reshape(-1))
            (sh, sw), (ph, pw), (dh, dw) = two(g["stride"]), two(g["padding"]), two(g["dilation"])
            X = sig.transpose(0, 3, 2, 1)                                        # T,C,H(y),W(x) from T,x,y,c
            X = np.pad((X != 0).astype(i64), ((0, 0), (0, 0), (ph, ph), (pw, pw))); H = (X.shape[2] - dh * (KH - 1) - 1) // sh + 1; Wd = (X.shape[3] - dw * (KW - 1) - 1) // sw + 1
            A = np.zeros((T, O, H, Wd), i64)
            for o in range(O):
                c0 = (o // (O // gr)) * CI
                for a in range(KH):
                    for b in range(KW): A[:, o] += np.einsum("tchw,c->thw", X[:, c0:c0 + CI, a * dh:a * dh + sh * (H - 1) + 1:sh, b * dw:b * dw + sw * (Wd - 1) + 1:sw], w[o, :, a, b])
            A = A.transpose(0, 3, 2, 1); oshape = A.shape[1:]; n = int(np.prod(oshape))
            cur = np.vstack([np.zeros((1, n), i64), A.reshape(T, n)[:-1]])        # weight_exp / bit width are not applied to conv
        else:
            n = int(np.prod(g["shape"][()])); oshape = (n,); cplx = isinstance(g["weight"], h5py.Group); w = (g["weight/real"] if cplx else g["weight"])[()].astype(i64).reshape(n, -1)
            if flat: sig = sig.transpose(0, 3, 2, 1).reshape(T, -1); flat = False
            s = sig.reshape(T, -1) if graded else (sig.reshape(T, -1) != 0).astype(i64)
            if ty == "dense_rec":
                wr = g["weight_rec"][()].astype(i64).reshape(n, -1); wc, nwb, we = opt(np.hstack([w, wr])); w0, wr0 = wc[:, :w.shape[1]], wc[:, w.shape[1]:]
                W, WR = weights(w0, sign_mode(w0), nwb), weights(wr0, sign_mode(wr0), nwb); act = lambda sp: shl(WR @ sp, we)
            else: W, nwb, we = opt(w); W = weights(W, sign_mode(W), nwb)
            if "delay" in g:
                d = np.asarray(g["delay"][()]); d = np.clip(d, 0, 62) if d.max() > 62 else d
                D = d * np.ones_like(W) if d.ndim == 0 else (np.repeat(d[:, None], W.shape[1], 1) if len(d) == W.shape[0] else np.repeat(d[None], W.shape[0], 0)) if d.ndim == 1 else d
                D = D.astype(i64); cur = np.zeros((T + 80, n), i64)
                for t in range(T):
                    for q in np.unique(D): cur[t + 1 + q] += shl(np.where(D == q, W, 0) @ s[t], we)
                cur = cur[:T]
            else: cur = np.vstack([np.zeros((1, n), i64), shl(s @ W.T, we)[:-1]])
            if cplx:
                WI, nb, wi = opt(g["weight/imag"][()].astype(i64).reshape(n, -1)); WI = weights(WI, sign_mode(WI), nb)
                cur = np.stack([cur, np.vstack([np.zeros((1, n), i64), shl(s @ WI.T, wi)[:-1]])], 1)
        b = np.zeros(oshape, i64)
        if "bias" in g and ty != "input":
            bb = g["bias"][()].astype(i64); b[...] = bb if bb.shape == tuple(oshape) or len(oshape) == 1 else bb.reshape(-1)
        nu = g["neuron"] if "neuron" in g else None
        m = (None if "iDecay" not in nu else neuron(nu, n, b.reshape(-1), rs)) if nu is not None else LIFFixed(n, -1, 4096, 0, 6, vth=1 << 17, **rs)
        nt = ntype(g); graded = nt == "SDNN"
        if nt == "SDNN": m = SDN(n, number(nu["vThMant"]) if "vThMant" in nu else 0, b.reshape(-1), ty == "input")
        elif "RF" in nt: m = RFn(n, nu, "PHASE" not in nt)
        S = np.zeros((T, n), i64); rec = np.zeros(n, i64)
        for t in range(T):
            S[t] = m.step(cur[t] + rec)
            if act is not None: rec = act(S[t])
        sig = S.reshape((T,) + tuple(oshape)); outs.append(sig)
    return outs
# Spikes of all layers seen so far: a run in which nothing spikes compares nothing.
SPIKES = []
# Files of a folder that are left out, with the reason.
LEFT_OUT = {"ref_rec_delay": "what netx makes of recurrence with delays is not restated here"}


def check(folder, name):
    """Layers of NAME.net that spike other than NAME.npz recorded: a list of counts, or why it cannot be told."""
    net, npz = os.path.join(folder, name + ".net"), os.path.join(folder, name + ".npz")
    for path in (net, npz):
        if not os.path.exists(path): return "there is no " + path
    z = np.load(npz)
    if "x" not in z: return npz + " has no input `x`"
    try: outs = sim(net, z["x"], 8 if name == "hand_reset" else None)
    except Exception as e: return "%s: %s" % (type(e).__name__, e)
    expected = sorted(k for k in z.files if re.fullmatch(r"layer\d+_s", k))
    if len(expected) != len(outs): return "%d layers computed, %d recorded" % (len(outs), len(expected))
    wrong = []
    for i, a in enumerate(outs):
        b = z["layer%d_s" % i]
        if a.shape != b.shape: return "layer %d is %s here and %s in %s" % (i, a.shape, b.shape, npz)
        wrong.append(int((a != b).sum()))
    spikes = [int((a != 0).sum()) for a in outs]
    SPIKES.extend(spikes)
    print("%s %s: spikes of the layers %s, different %s" % ("FAIL" if any(wrong) else "ok  ", name, spikes, wrong))
    return wrong


if __name__ == "__main__":
    if len(sys.argv) < 2: sys.exit(__doc__)
    folder, names = sys.argv[1], sys.argv[2:]
    names = names or sorted(f[:-4] for f in os.listdir(folder) if f.endswith(".net") and os.path.exists(os.path.join(folder, f[:-4] + ".npz")))
    for name in [name for name in names if name in LEFT_OUT and not sys.argv[2:]]:
        print("left out %s: %s" % (name, LEFT_OUT[name]))
        names.remove(name)
    results = {name: check(folder, name) for name in names}
    if not any(SPIKES): results["all files"] = "no layer spikes, so nothing is compared"
    for name, result in results.items():
        if isinstance(result, str): print("FAIL %s: %s" % (name, result))
    good = bool(results) and all(isinstance(r, list) and not any(r) for r in results.values())
    print("%d of %d files have the recorded spikes" % (sum(isinstance(r, list) and not any(r) for r in results.values()), len(results)))
    sys.exit(0 if good else 1)
