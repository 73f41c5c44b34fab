#!/bin/sh
# Opens the demo's report in a real browser and tests it; skipped with its reason where there is no browser.
set -eu
cd "$(dirname "$0")/.."
. scripts/browser.sh

missing=$(browser_missing)
if [ -n "$missing" ]; then
    echo "browser test SKIPPED: $missing"
    exit 0
fi
exec .venv/bin/python -B tests/browser/test_report.py out/demo/report.html out/screenshots
