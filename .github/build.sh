#!/usr/bin/env bash
# The static program for a target, byte for byte the same wherever it is built:
# `.github/build.sh x86_64-unknown-linux-musl DIRECTORY`.
set -euo pipefail
target=$1 directory=$2
cd "$(dirname "$0")/.."

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_TARGET_DIR="$directory/target" CARGO_INCREMENTAL=0
# No path of the machine that built it stands in the program.
export RUSTFLAGS="--remap-path-prefix=$PWD=/mxray --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$directory=/target"
export CFLAGS="-ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo -ffile-prefix-map=$directory=/target"

cargo rustc --profile dist --locked --target "$target" --bin mxray -- -C target-feature=+crt-static
cp "$CARGO_TARGET_DIR/$target/dist/mxray" "$directory/mxray"
