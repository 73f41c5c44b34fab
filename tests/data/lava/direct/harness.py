"""Runs Lava's Python models without Lava's runtime: the same classes, the same casts, given ports."""
import numpy as np
from scipy.sparse import csr_matrix
from lava.magma.core.process.process import AbstractProcess

class InPort:
    def __init__(self, shape, d_type): self.shape, self.d_type, self.now = shape, d_type, None
    def recv(self):
        return np.zeros(self.shape, self.d_type) + self.now

class OutPort:
    def __init__(self, shape, d_type): self.shape, self.d_type, self.last = shape, d_type, None
    def send(self, data):
        a = np.zeros(self.shape, self.d_type); a[:] = data; self.last = a

def build(process, model):
    pm = model(process.proc_params)
    for port in process.in_ports:
        lt = getattr(model, port.name)
        setattr(pm, port.name, InPort(port.shape, lt.d_type))
    for port in process.out_ports:
        lt = getattr(model, port.name)
        setattr(pm, port.name, OutPort(port.shape, lt.d_type))
    for v in process.vars:
        lt = getattr(model, v.name)
        if issubclass(lt.cls, np.ndarray):
            var = lt.cls(v.shape, lt.d_type); var[:] = v.init
        elif issubclass(lt.cls, (int, float, str)):
            var = v.init
        else:
            if isinstance(v.init, int):
                var = csr_matrix(v.shape, dtype=lt.d_type); var[:] = v.init
            else:
                var = v.init
        setattr(pm, v.name, var)
    return pm

def read(value):
    if hasattr(value, "toarray"): value = value.toarray()
    return np.array(value).tolist()

def run(process, model, inputs, output, variables, dtype):
    pm = build(process, model)
    steps = len(next(iter(inputs.values())))
    rows, out = {n: [] for n in variables}, []
    for t in range(steps):
        pm.time_step = t + 1
        for name, data in inputs.items():
            getattr(pm, name).now = np.asarray(data[t]).astype(dtype)
        for port in process.in_ports:
            p = getattr(pm, port.name)
            if p.now is None: p.now = np.zeros(p.shape, dtype)
        pm.run_spk()
        if hasattr(pm, "lrn_guard") and hasattr(pm, "run_lrn") and hasattr(pm, "_learning_rule"):
            if pm.lrn_guard(): pm.run_lrn()
        for n in variables:
            rows[n].append(read(getattr(pm, n)))
        out.append(np.asarray(getattr(pm, output).last).astype(dtype).tolist())
    return rows, out
