"""Checks core maps against their schema: core_map.py SCHEMA.json CORE_MAP.json...

Besides the schema: every reference of an axon leads to an entry, and what is sent is what arrives.
"""

import json
import pathlib
import sys

import jsonschema


def problems(core_map):
    """References that lead nowhere and sums that differ, core by core."""
    place = lambda address: (address["logical_chip_id"], address["logical_core_id"])
    cores = {place(core["address"]): core for core in core_map["cores"]}
    sent, received = {}, {}
    for address, core in cores.items():
        entries = {entry["syn_entry_id"] for entry in core["syn_entries"]}
        groups = {group["neuron_group_id"]: group["length"] for group in core["neuron_groups"]}
        if sum(groups.values()) != core["usage"]["neurons"]:
            yield f"core {address}: its groups do not hold its neurons"
        if sum(axons["length"] for axons in core["in_axons"]) != core["usage"]["input_axons"]:
            yield f"core {address}: its input axons do not add up"
        if sum(entry["memory_bits"] for entry in core["syn_entries"]) != core["usage"]["synapse_memory"]:
            yield f"core {address}: its synapse memory does not add up"
        for axons in core["in_axons"]:
            if axons["syn_entry_id"] not in entries:
                yield f"core {address}: no entry {axons['syn_entry_id']}"
            if axons["source"]["kind"] == "core":
                way = place(axons["source"]), address
                received[way] = received.get(way, 0) + axons["length"]
        for axons in core["out_axons"]:
            if axons["neuron_group_id"] not in groups:
                yield f"core {address}: no group {axons['neuron_group_id']}"
            way = address, place(axons["target"])
            sent[way] = sent.get(way, 0) + axons["length"]
    routed = {(place(route["source"]), place(route["target"])): route["axons"] for route in core_map["routes"]}
    for name, other in (("received", received), ("routed", routed)):
        for way in sorted(set(sent) | set(other)):
            if sent.get(way) != other.get(way):
                yield f"{way}: {sent.get(way)} axons sent, {other.get(way)} {name}"


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for path in sys.argv[2:]:
        core_map = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(core_map)]
        found = found or list(problems(core_map))
        for line in found[:20]:
            print(f"{path}: {line}")
        wrong += bool(found)
        if not found:
            print(f"{path}: keeps its schema, {len(core_map['cores'])} cores")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
