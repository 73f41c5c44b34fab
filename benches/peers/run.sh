#!/bin/sh
# Runs a bench beside other tools: run.sh WORKLOAD [arguments of its script].
# The tools are installed once, into $PEERS_VENV (out/peers where it is not set).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=${PEERS_VENV:-$root/out/peers}
workload=${1:-}
[ $# -gt 0 ] && shift

install() {
    # The marker is written last, so that a half-made environment is made again.
    marker="$venv/.installed-$workload"
    [ -e "$marker" ] && return
    free=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ "$free" -lt "$1" ]; then
        echo "this needs $1 GB of disk, $free GB are free: set PEERS_VENV to a folder elsewhere" >&2
        exit 2
    fi
    shift
    echo "==> installing into $venv (some minutes)" >&2
    [ -e "$venv/bin/python" ] || python3 -m venv "$venv"
    for packages in "$@"; do
        # shellcheck disable=SC2086
        "$venv/bin/pip" install --quiet $packages
    done
    touch "$marker"
}

case $workload in
inference)
    install 8 "numpy onnx spikingjelly==2.0.0 sinabs==3.1.3"
    ;;
simulators)
    # An environment of their own: Brian2 2.9 does not know numpy 2.4.
    venv=$venv-simulators
    install 2 "nest-simulator==3.10.0 brian2==2.9.0 numpy==2.3.5"
    ;;
*)
    echo "usage: $0 inference|simulators [arguments]" >&2
    echo "  inference [--json]                converted networks in SpikingJelly and sinabs" >&2
    echo "  simulators [WORKLOAD…] [--json]   spiking networks in NEST and Brian2" >&2
    exit 2
    ;;
esac
if [ ! -e "$root/target/release/spikeloom" ]; then
    (cd "$root" && cargo build --release --package spikeloom-cli)
fi
exec "$venv/bin/python" -B "$here/$workload.py" "$@"
