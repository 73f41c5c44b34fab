#!/bin/sh
# Installs SANA-FE into .venv-sanafe and compares its energies and times with what we model.
#   scripts/sanafe.sh [RECORD.json]   also keeps SANA-FE's numbers
set -eu
cd "$(dirname "$0")/.."
VENV=.venv-sanafe
OUT=out/sanafe
NETWORK=tests/data/mapping/sanafe_export/network.toml
PYTHON=${PYTHON:-python3}

if [ ! -x "$VENV/bin/python" ]; then
    echo "==> SANA-FE into $VENV"
    "$PYTHON" -m venv "$VENV"
    "$VENV/bin/pip" install --quiet sanafe==2.2.9 "numpy<2" pyyaml pandas
fi
mkdir -p "$OUT"
spikeloom() { cargo run --quiet --release --package spikeloom-cli -- "$@"; }
# small cores, so that spikes travel
CHIP="--chip loihi1 --chip-set neurons_per_core_max=5 --chip-set neurons_per_chip_max=unknown"
# shellcheck disable=SC2086
spikeloom export "$NETWORK" $CHIP --format sana_fe --out "$OUT/network.yaml" --force
# shellcheck disable=SC2086
spikeloom map "$NETWORK" $CHIP --profile sanafe_fit --rate 1 --steps 20 --json >"$OUT/map.json"
"$VENV/bin/python" -B tests/conformance_tools/sana_fe.py "$OUT/network.yaml" "$OUT/map.json" "$@"
