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
    if [ ! -e "$root/target/release/spikeloom" ]; then
        (cd "$root" && cargo build --release --package spikeloom-cli)
    fi
    ;;
*)
    echo "usage: $0 inference [arguments]" >&2
    exit 2
    ;;
esac
exec "$venv/bin/python" -B "$here/$workload.py" "$@"
