"""Spiking networks side by side: Spikeloom, NEST 3.10 and Brian2 (C++ standalone).

Question: how much faster is a network simulated than in another tool, at equal rates?
Varied: the tool. Held: the network (`networks.py`: sizes, constants, scaling), step, time simulated, threads, seed of
each turn. Metric: wall seconds of simulating, without building, compiling and warm-up; the tools run in turn, A B A B,
each turn with another seed, and the fastest turn of each counts. Rates are compared as means over the turns, by population;
where they do not agree the comparison fails and no ratio is printed.

NEST makes its results depend on the number of threads, so that rates agree only as those of two seeds do.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import tables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What each workload is run at unless something else is said (full size where that takes seconds in every tool), in
# which tools, how far the rate of a population may be from that in another tool, relative and in Hz, and how many turns
# that takes.
CASES = {
    "pd14": dict(scale=0.1, simulate=1000, tools=("nest", "brian2"), close=(0.08, 0.3)),
    # Over 300 ms rates of one network differ by a tenth from seed to seed.
    "brunel": dict(scale=1.0, simulate=1000, tools=("nest", "brian2"), close=(0.05, 0.3)),
    "cuba": dict(scale=1.0, simulate=2000, tools=("nest", "brian2"), close=(0.10, 0.3)),
    # Rates of this network differ by up to a fifth from seed to seed, whatever the tool.
    "coba": dict(scale=1.0, simulate=1000, tools=("nest", "brian2"), close=(0.10, 0.5), turns=6),
    "stdp": dict(scale=0.2, simulate=250, tools=("nest",), close=(0.25, 0.5)),
    # Smaller networks of this kind differ by a tenth from seed to seed, whatever the tool.
    "event-brunel": dict(scale=1.0, simulate=100, tools=("nest",), close=(0.05, 0.3)),
}


def run(command):
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def spikeloom(options, arguments):
    arguments = [*arguments, "--simulate", f"{options.simulate} ms"]
    return json.loads(run([options.spikeloom, "bench", *arguments, "--json"]))


def other(tool, options, arguments):
    arguments = [*arguments, "--simulate", options.simulate]
    output = run([sys.executable, "-B", HERE / f"tool_{tool}.py", *arguments])
    return json.loads(output.strip().splitlines()[-1])


def turns_of(tool, workload, options):
    """One report a turn, as they come."""
    for seed in range(1, options.turns + 1):
        arguments = [workload, "--scale", options.scale, "--threads", options.threads, "--seed", seed]
        yield spikeloom(options, arguments) if tool == "spikeloom" else other(tool, options, arguments)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def disagreements(workload, ours, theirs):
    """What is wrong with a tool's rates or sizes, beside ours."""
    relative, absolute = CASES[workload]["close"]
    found = []
    for name in ours[0]["rates_hz"]:
        a, b = (mean(turn["rates_hz"][name] for turn in turns) for turns in (ours, theirs))
        if abs(a - b) > max(absolute, relative * max(a, b)):
            found.append(f"{name}: {a:.2f} Hz here, {b:.2f} Hz there")
    for key in ("n_neurons", "n_synapses"):
        a, b = (mean(turn[key] for turn in turns) for turns in (ours, theirs))
        if abs(a - b) > 0.003 * max(a, b):
            found.append(f"{key}: {a:.0f} here, {b:.0f} there")
    return found


def compare(workload, options):
    """All turns of all tools, in turn."""
    tools = ["spikeloom", *[t for t in CASES[workload]["tools"] if t in options.tools]]
    running = {tool: turns_of(tool, workload, options) for tool in tools}
    turns = {tool: [] for tool in tools}
    for _ in range(options.turns):
        for tool in tools:
            print(f"==> {workload} in {tool}", file=sys.stderr, flush=True)
            turns[tool].append(next(running[tool]))
    rows = []
    for tool in tools:
        best = min(turns[tool], key=lambda turn: turn["sim_s"])
        rows.append({
            "tool": tool, "fastest": best, "turns": [turn["sim_s"] for turn in turns[tool]],
            "rates_hz": {n: mean(t["rates_hz"][n] for t in turns[tool]) for n in best["rates_hz"]},
            "times_ours": best["sim_s"] / rows[0]["fastest"]["sim_s"] if rows else 1.0,
            "disagreements": disagreements(workload, turns["spikeloom"], turns[tool]),
        })
    return {"workload": workload, "scale": options.scale, "threads": options.threads,
            "simulated_ms": options.simulate, "rows": rows}


def show(result):
    print(f"\n{result['workload']}, scale {result['scale']:g}, {result['threads']} thread(s), "
          f"{result['simulated_ms']:g} ms\n")
    header = ["tool", "simulating [s], fastest of the turns", "CPU [s]", "build [s]", "M events/s",
              "peak memory [MB]", "rates [Hz]", "times our time"]
    rows = []
    for own in result["rows"]:
        best = own["fastest"]
        rates = " ".join(f"{rate:.2f}" for rate in own["rates_hz"].values())
        ratio = "rates differ" if own["disagreements"] else tables.number(own["times_ours"], 1)
        rows.append([own["tool"], tables.number(best["sim_s"], 3), tables.number(best["cpu_s"]),
                     tables.number(best["build_s"]), tables.number(best["synaptic_events_per_s"] / 1e6, 1),
                     tables.number(best["peak_rss_mb"], 0), rates, ratio])
    print(tables.markdown(header, rows))


def main():
    parser = argparse.ArgumentParser("run.sh simulators", description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(CASES)}; all where none is named")
    parser.add_argument("--spikeloom", default=ROOT / "target/release/spikeloom")
    parser.add_argument("--tools", default="nest,brian2", type=lambda text: text.split(","))
    parser.add_argument("--scale", type=float, help="instead of the workload's own in this script")
    parser.add_argument("--simulate", type=float, help="milliseconds, instead of the workload's own in this script")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, help="runs of each tool, each with another seed; 2 or what the workload needs")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    given = parser.parse_args()
    for name in given.workloads:
        if name not in CASES:
            parser.error(f"unknown workload {name}: there are {', '.join(CASES)}")
    for tool in given.tools:
        if tool not in ("nest", "brian2"):
            parser.error(f"unknown tool {tool}: there are nest, brian2")
    if not pathlib.Path(given.spikeloom).exists():
        sys.exit(f"{given.spikeloom} is missing: cargo build --release --package spikeloom-cli")
    results = []
    for workload in given.workloads or CASES:
        options = argparse.Namespace(**vars(given))
        options.scale = given.scale or CASES[workload]["scale"]
        options.simulate = given.simulate or CASES[workload]["simulate"]
        options.turns = given.turns or CASES[workload].get("turns", 2)
        results.append(compare(workload, options))
        if not given.json:
            show(results[-1])
    if given.json:
        print(json.dumps({"results": results}))
    wrong = [(r["workload"], row["tool"], text) for r in results for row in r["rows"] for text in row["disagreements"]]
    for workload, tool, text in wrong:
        print(f"{workload}: {tool} does not simulate the same network: {text}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
