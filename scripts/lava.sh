#!/bin/sh
# Installs Lava into .venv-lava (Python 3.10) and runs our exports in it.
#   scripts/lava.sh            processes of the exported script (lava-nc)
#   scripts/lava.sh netx       and the recorded .net files through netx (lava-dl, needs PyTorch: 2 GB)
set -eu
cd "$(dirname "$0")/.."
VENV=.venv-lava
OUT=out/lava
PYTHON310=${PYTHON310:-python3.10}

if ! command -v "$PYTHON310" >/dev/null 2>&1; then
    echo "Lava needs Python 3.10 (>= 3.10, < 3.11); set PYTHON310 to one" >&2
    exit 2
fi
if [ ! -x "$VENV/bin/python" ]; then
    echo "==> Lava into $VENV"
    "$PYTHON310" -m venv "$VENV"
    "$VENV/bin/pip" install --quiet "numpy<2" lava-nc==0.10.0
fi

echo "==> a network cut into core slices, in Lava"
mkdir -p "$OUT"
cargo run --quiet --release --example export_lava_script -- "$OUT"
# A model error inside Lava hangs its run; the time limit ends it.
timeout 300 "$VENV/bin/python" "$OUT/network.py" "$OUT/input.npz" "$OUT/lava.npz"
"$VENV/bin/python" -B tests/conformance_tools/same_spikes.py "$OUT/expected.npz" "$OUT/lava.npz"

if [ "${1:-}" = netx ]; then
    if ! "$VENV/bin/python" -c "import lava.lib.dl.netx" 2>/dev/null; then
        echo "==> lava-dl into $VENV"
        "$VENV/bin/pip" install --quiet --no-deps torch==2.3.1 torchvision==0.18.1
        "$VENV/bin/pip" install --quiet typing_extensions filelock sympy jinja2 fsspec "pillow<11" \
            h5py matplotlib opencv-python-headless ninja pbr
        "$VENV/bin/pip" install --quiet --no-deps lava-dl==0.6.0
    fi
    for net in tests/data/netx/slayer_*.net tests/data/netx/hand_*.net; do
        name=$(basename "$net" .net)
        [ "$name" = hand_reset ] && continue # was recorded with an argument of netx
        timeout 300 "$VENV/bin/python" -B tests/conformance_tools/netx_run.py "$net" \
            "tests/data/netx/$name.npz" "$OUT/$name.npz" >/dev/null
        "$VENV/bin/python" -B tests/conformance_tools/same_spikes.py "tests/data/netx/$name.npz" \
            "$OUT/$name.npz"
    done
fi
