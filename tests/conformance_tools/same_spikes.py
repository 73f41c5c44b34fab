#!/usr/bin/env python3
"""Compares two recordings:  python same_spikes.py EXPECTED.npz FOUND.npz   (exit 1 where they differ)

Every array of FOUND must be in EXPECTED with the same values; the input x is left out.
"""
import sys
import numpy as np

expected, found = np.load(sys.argv[1]), np.load(sys.argv[2])
names = [name for name in found.files if name != "x"]
bad = not names
for name in names:
    a, b = expected[name], found[name]
    if a.shape != b.shape or (a != b).any():
        place = np.argwhere(a != b)[0].tolist() if a.shape == b.shape else (a.shape, b.shape)
        print("DIFFERS %s at %s" % (name, place))
        bad = True
print("%s: %s" % (sys.argv[2], "different" if bad else "equal, %d arrays" % len(names)))
sys.exit(bad)
