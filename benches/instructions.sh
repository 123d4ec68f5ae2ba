#!/usr/bin/env bash
# Counts instructions by valgrind, or says what is missing for that.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^gungraun = "=\(.*\)"/\1/p' Cargo.toml)
if ! command -v valgrind >/dev/null; then
    echo "counting instructions needs valgrind: apt-get install valgrind" >&2
    exit 1
fi
runner=${GUNGRAUN_RUNNER:-gungraun-runner}
if ! command -v "$runner" >/dev/null; then
    echo "counting instructions needs its runner: cargo install gungraun-runner --version $version --locked" >&2
    exit 1
fi
exec cargo bench --bench instructions -- "$@"
