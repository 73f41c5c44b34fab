#!/bin/sh
# Installs Lava into .venv-lava (Python 3.10) and runs our exports in it.
#   scripts/lava.sh            processes of exported scripts (lava-nc)
#   scripts/lava.sh netx       and .net files through netx (lava-dl, needs PyTorch: 6 GB): the recorded
#                              ones, and those that we read and wrote again
set -eu
cd "$(dirname "$0")/.."
VENV=.venv-lava
OUT=out/lava
# A version manager may have a command of this name that only says where Python 3.10 is.
for python in ${PYTHON310:-python3.10 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python}; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; then
        PYTHON310=$python
        break
    fi
done
if ! "${PYTHON310:-python3.10}" -c '' 2>/dev/null; then
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

echo "==> networks that learn, cut into core slices, in Lava: spikes, and the weights at the end"
cargo run --quiet --release --example export_lava_learning -- "$OUT"
for rule in stdp epochs reward payloads; do
    timeout 300 "$VENV/bin/python" "$OUT/$rule.py" "$OUT/${rule}_input.npz" "$OUT/${rule}_lava.npz"
    "$VENV/bin/python" -B tests/conformance_tools/same_spikes.py \
        "$OUT/${rule}_expected.npz" "$OUT/${rule}_lava.npz"
done

echo "==> netx files as scripts of slices, in Lava, against the recordings of netx"
for name in ref_sdnn ref_rf_phase ref_rf_iz ref_input_cuba slayer_mlp slayer_cnn; do
    # Small cores, so that layers are cut; every process is one of the system's.
    case $name in slayer_*) core=60 ;; *) core=4 ;; esac
    cargo run --quiet --release --package spikeloom-cli -- export "tests/data/netx/$name.net" \
        --format lava_script --chip-set neurons_per_core_budget=$core --out "$OUT/$name.py" --force \
        >/dev/null
    timeout 300 "$VENV/bin/python" -B tests/conformance_tools/script_run.py "$OUT/$name.py" \
        "tests/data/netx/$name.npz" "$OUT/script_$name.npz"
done

if [ "${1:-}" = netx ]; then
    if ! "$VENV/bin/python" -c "import lava.lib.dl.netx" 2>/dev/null; then
        echo "==> lava-dl into $VENV"
        # With its dependencies: PyTorch loads NVIDIA's libraries even where it finds no such card.
        "$VENV/bin/pip" install --quiet torch==2.3.1 torchvision==0.18.1 "pillow<11" \
            h5py matplotlib "opencv-python-headless<5" ninja pbr "numpy<2"
        "$VENV/bin/pip" install --quiet --no-deps lava-dl==0.6.0
    fi
    # Runs a file in netx and compares its spikes: in_netx FILE.net RECORDING.npz OUT.npz
    in_netx() {
        timeout 300 "$VENV/bin/python" -B tests/conformance_tools/netx_run.py "$1" "$2" "$3" >/dev/null
        "$VENV/bin/python" -B tests/conformance_tools/same_spikes.py "$2" "$3"
    }
    for net in tests/data/netx/slayer_*.net tests/data/netx/hand_*.net tests/data/netx/ref_*.net; do
        name=$(basename "$net" .net)
        [ "$name" = hand_reset ] && continue # was recorded with an argument of netx
        in_netx "$net" "tests/data/netx/$name.npz" "$OUT/$name.npz"
    done
    echo "==> files that we read and wrote again, in netx"
    for name in ref_sdnn ref_rf_phase ref_rf_iz ref_input_cuba slayer_mlp slayer_cnn hand_dense_rec; do
        cargo run --quiet --release --package spikeloom-cli -- export "tests/data/netx/$name.net" \
            --format netx --out "$OUT/again_$name.net" --force >/dev/null
        in_netx "$OUT/again_$name.net" "tests/data/netx/$name.npz" "$OUT/again_$name.npz"
    done
fi
