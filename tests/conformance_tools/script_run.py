#!/usr/bin/env python3
"""Runs a Lava script that was exported from a .net file, and compares its spikes with a recording.

    python script_run.py SCRIPT.py RECORDING.npz OUT.npz     (exit 1 where they differ)

RECORDING holds the input x and layerK_s of every layer in netx's layout ([T, neurons] or
[T, width, height, channels]); scripts count neurons by channel, row, column.
"""
import re, subprocess, sys
import numpy as np

script, recording, out = sys.argv[1:]


def flat(rows):
    return rows.transpose(0, *range(rows.ndim - 1, 0, -1)).reshape(len(rows), -1)


given = np.load(recording)
name, = re.search(r'^INPUTS = \["(\w+)"\]$', open(script).read(), re.M).groups()
np.savez(out + ".in.npz", **{name: flat(given["x"])})
subprocess.run([sys.executable, script, out + ".in.npz", out], check=True, stdout=subprocess.DEVNULL)
found = np.load(out)
bad = not found.files
for layer in found.files:
    expected = flat(given[layer + "_s"])
    if (expected != found[layer]).any():
        print("DIFFERS %s at %s" % (layer, np.argwhere(expected != found[layer])[0].tolist()))
        bad = True
print("%s: %s" % (out, "different" if bad else "equal, %d layers" % len(found.files)))
sys.exit(bad)
