#!/bin/sh
# Opens the demo's report and a mapping's in a real browser and tests them; skipped with its reason where there is
# no browser.
set -eu
cd "$(dirname "$0")/.."
. scripts/browser.sh

missing=$(browser_missing)
if [ -n "$missing" ]; then
    echo "browser test SKIPPED: $missing"
    exit 0
fi
.venv/bin/python -B tests/browser/test_report.py out/demo/report.html out/screenshots

# two small chips, so that the page has several meshes
echo "==> browser test of out/mapping/mapping.html"
mkdir -p out/mapping
cargo run --quiet --release --package spikeloom-cli -- map tests/data/mapping/sanafe_export/network.toml \
    --chip loihi1 --chips 2 --chip-set neurons_per_core_max=5 --chip-set neurons_per_chip_max=unknown \
    --chip-set cores_per_chip_max=8 --chip-set "mesh={ columns = 2, rows = 1, cores_per_router = 4 }" \
    --compare --sweep "weight-bits=1..8,steps=4|8|16" --rate 0.3 --force \
    --out out/mapping/core_map.json --html out/mapping/mapping.html >out/mapping/mapping.txt
exec .venv/bin/python -B tests/browser/test_report.py out/mapping/mapping.html out/screenshots/mapping \
    --require core_map,table,key_figures,bar_chart
