#!/bin/sh
# Installs what is missing on this machine; quick when everything is there. Usage: setup.sh [build|all]
#
#   build  what `make demo` needs: Rust and the HDF5 library
#   all    and what `make test` needs: a Python environment in .venv, a browser and valgrind (default)
set -eu
cd "$(dirname "$0")/.."
. scripts/browser.sh

need=${1:-all}
case $need in
    build | all) ;;
    *) echo "usage: $0 [build|all]" >&2; exit 2 ;;
esac

stop() {
    echo "setup: $*" >&2
    exit 1
}

# Whether packages can be installed here: a Debian-like system, as root.
can_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

updated=no
# Installs Debian packages; the list of packages is fetched once.
install_packages() {
    echo "setup: installing $*"
    if [ "$updated" = no ]; then
        apt-get update -qq </dev/null || echo "setup: apt-get update failed; going on with the old list" >&2
        updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

check_rust() {
    command -v cargo >/dev/null || stop "cargo is missing: install Rust 1.95 or newer from https://rustup.rs"
    command -v cc >/dev/null || stop "a C compiler is missing: install gcc or clang"
    if [ "$need" = all ]; then
        for tool in fmt clippy; do
            cargo "$tool" --version >/dev/null 2>&1 ||
                stop "cargo $tool is missing: rustup component add rustfmt clippy"
        done
    fi
}

hdf5_found() {
    [ -n "${HDF5_DIR:-}" ] && return 0
    if command -v pkg-config >/dev/null; then
        pkg-config --exists hdf5 && return 0
        pkg-config --exists hdf5-serial && return 0
    fi
    command -v brew >/dev/null && brew list --versions hdf5 >/dev/null 2>&1
}

check_hdf5() {
    hdf5_found && return 0
    if can_install; then
        install_packages libhdf5-dev pkg-config || true
    fi
    hdf5_found || stop "the HDF5 library is missing: apt-get install libhdf5-dev pkg-config (Debian)," \
        "brew install hdf5 pkgconf (macOS), dnf install hdf5-devel pkgconf (Fedora), or set HDF5_DIR"
}

# The first Python that the pinned packages support.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
}

REQUIREMENTS="tests/conformance_tools/requirements.txt tests/browser/requirements.txt"

check_python() {
    # shellcheck disable=SC2086 # a list of files
    if [ -x .venv/bin/python ] && cat $REQUIREMENTS | cmp -s - .venv/installed.txt; then
        return 0
    fi
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.10 or newer is missing"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if can_install; then install_packages python3-venv || true; fi
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            stop "Python's module venv is missing: apt-get install python3-venv (Debian)"
    fi
    echo "setup: Python packages into .venv"
    rm -rf .venv
    "$python" -m venv .venv
    # shellcheck disable=SC2046 # a list of options
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        $(for file in $REQUIREMENTS; do echo "--requirement $file"; done) </dev/null ||
        stop "pip could not install the packages of: $REQUIREMENTS"
    # shellcheck disable=SC2086 # a list of files
    cat $REQUIREMENTS >.venv/installed.txt
}

check_browser() {
    if [ -n "$(browser_missing)" ] && can_install; then
        install_packages chromium chromium-driver || true
    fi
    missing=$(browser_missing)
    [ -z "$missing" ] || echo "setup: the browser test will be skipped: $missing"
}

check_valgrind() {
    command -v valgrind >/dev/null && return 0
    if can_install; then install_packages valgrind || true; fi
    command -v valgrind >/dev/null ||
        echo "setup: instruction counts will be skipped: valgrind is missing"
}

# A full disk shows as linkers and compilers that crash: better said beforehand.
check_disk() {
    wanted=1000
    [ "$need" = build ] || wanted=2500
    [ ! -d "${CARGO_TARGET_DIR:-target}" ] || return 0
    free=$(df -Pm . | awk 'NR == 2 { print int($4) }')
    [ "$free" -ge "$wanted" ] ||
        echo "setup: $free MB of disk are free here, and what follows takes some $wanted MB" >&2
}

check_disk
check_rust
check_hdf5
if [ "$need" = all ]; then
    check_python
    check_browser
    check_valgrind
fi
echo "setup: ready"
