"""Compares how many instructions small fixed workloads take with what they took before.

Question: did a change make the simulator do more work? Wall time says little on shared cores; the number of
instructions, counted by valgrind's callgrind, is the same on an idle and on a busy machine.
Varied: the workload. Held: its size, seed, one thread, the release build. Metric: instructions of the whole
process, reading, building and running.

Counts are recorded for each instruction set that the program chooses (valgrind has at most AVX2) and each version of the
compiler. A workload fails where it takes more than 3 % above its record; where it takes 3 % less, the record
is worth a renewal: check.py --update.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECORD = HERE / "counts.json"
OUT = ROOT / "out/instructions"
# Allowed above the record: more than what a system library adds or takes, less than what anyone would notice.
ALLOWED = 0.03
# Workload, scale and milliseconds: some hundred million instructions each, most of them in the part that is named.
CASES = {
    "pd14": ("0.02", "60 ms"),
    "brunel": ("0.1", "60 ms"),
    "cuba": ("0.25", "300 ms"),
    "coba": ("0.25", "100 ms"),
    "stdp": ("0.02", "60 ms"),
    "event-brunel": ("0.1", "20 ms"),
    "silent": ("0.05", "20 ms"),
}


def count(case, binary):
    """(instruction set, instructions) of one workload."""
    scale, simulate = CASES[case]
    profile = OUT / f"{case}.callgrind"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", binary, "bench", case, "--scale", scale,
               "--simulate", simulate, "--threads", "1", "--seed", "1", "--json"]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout)["instructions"], int(found.group(1))


def compiler():
    said = subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split()[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--update", action="store_true", help="record what is counted now")
    parser.add_argument("--spikeloom", default=ROOT / "target/release/spikeloom")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        # Only where no package can be installed: scripts/setup.sh installs it.
        print("instructions: skipped: valgrind is missing: apt-get install valgrind (Debian)")
        return 0
    if not pathlib.Path(options.spikeloom).exists():
        sys.exit(f"{options.spikeloom} is missing: cargo build --release --package spikeloom-cli")
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = dict(zip(CASES, pool.map(lambda case: count(case, options.spikeloom), CASES)))
    sets = {instructions for instructions, _ in counted.values()}
    key = f"{sets.pop()}, {compiler()}"
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if options.update:
        record[key] = {case: instructions for case, (_, instructions) in counted.items()}
        RECORD.write_text(json.dumps(record, indent=2) + "\n")
        print(f"instructions: recorded for {key}")
        return 0
    if key not in record:
        print(f"instructions: not compared: nothing is recorded for {key}, only for {'; '.join(record) or 'nothing'}; "
              "record it with benches/instructions/check.py --update")
        return 0
    worse = []
    for case, (_, instructions) in counted.items():
        before = record[key].get(case)
        change = (instructions / before - 1.0) if before else 0.0
        note = "new: record it with --update" if before is None else f"{change:+.2%}"
        if change > ALLOWED:
            worse.append(case)
            note += f"  MORE THAN {ALLOWED:.0%}"
        elif change < -ALLOWED:
            note += "  fewer: record it with --update"
        print(f"instructions: {case:14}{instructions / 1e6:10.1f} M  {note}")
    print(f"instructions: {len(counted)} workloads ({key}) in {time.monotonic() - started:.0f} s")
    if worse:
        profiles = " ".join(str((OUT / f"{case}.callgrind").relative_to(ROOT)) for case in worse)
        print(f"instructions: more work than before in {', '.join(worse)}. Where: callgrind_annotate {profiles}. If it is "
              "meant, record it: benches/instructions/check.py --update", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
