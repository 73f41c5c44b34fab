#!/usr/bin/env python3
"""Reads NIR files with the reference package `nir` and checks the graph: `python read_nir.py FILE ...`.

Every end of an edge must be a node, an input and an output must be there, all numbers must be finite and no node may
be cut off. The exit code is 0 only if all files pass.
"""
import sys

import nir
import numpy as np


def problems(graph):
    found = []
    names = set(graph.nodes)
    for source, target in graph.edges:
        found += [f"edge {source} -> {target}: there is no node {end}" for end in (source, target) if end not in names]
    if len(names) > 1:
        ends = {end for edge in graph.edges for end in edge}
        found += [f"node {name} is cut off" for name in sorted(names - ends)]
    for kind in (nir.Input, nir.Output):
        if not any(isinstance(node, kind) for node in graph.nodes.values()):
            found.append(f"there is no {kind.__name__}")
    for name, node in graph.nodes.items():
        for field, value in vars(node).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                found.append(f"node {name}: {field} is not finite")
    return found


def main(paths):
    if not paths:
        sys.exit(__doc__)
    bad = 0
    for path in paths:
        try:
            graph = nir.read(path)
            found = problems(graph)
            kinds = ", ".join(type(node).__name__ for node in graph.nodes.values())
        except Exception as error:  # whatever the package raises is the answer
            found, kinds = [f"{type(error).__name__}: {error}"], ""
        print(f"{'FAIL' if found else 'ok  '} {path}: {kinds}", *found, sep="\n     " if found else "")
        bad += bool(found)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
