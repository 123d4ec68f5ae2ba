#!/usr/bin/env bash
# Fuzzes every target for a while, from what is committed and what earlier runs
# learnt. Ends at the first finding and says how to see it again.
#
#   fuzz/smoke.sh                    every target, 20 seconds each
#   fuzz/smoke.sh 60 tls_records     this one for a minute
#   JOBS=1 fuzz/smoke.sh             one after the other; by default one a core
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "fuzzing needs a nightly compiler and cargo-fuzz:" >&2
    echo "    rustup toolchain install nightly && cargo install cargo-fuzz --locked" >&2
    exit 1
fi

export seconds=${1:-20}
shift || true
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(cargo +nightly fuzz list); fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export logs

# Fuzzes one target; 255, which stops the others, where it finds something.
fuzz_one() {
    local target=$1 log=$logs/$1 kind dictionary runs learnt
    # shellcheck source=fuzz/dictionaries/of.sh
    source fuzz/dictionaries/of.sh
    # The first folder takes what is learnt; the others are only read.
    mkdir -p "fuzz/corpus/$target"
    local folders=("fuzz/corpus/$target")
    for kind in seeds regressions; do
        if [ -d "fuzz/$kind/$target" ]; then folders+=("fuzz/$kind/$target"); fi
    done
    # No oracle needs more at once than a few copies of its input and a flight.
    local options=(-timeout=5 -malloc_limit_mb=64 -rss_limit_mb=1024 -max_len=16384)
    dictionary=$(dictionary_of "$target")
    if [ -n "$dictionary" ]; then options+=("-dict=fuzz/dictionaries/$dictionary.dict"); fi
    if ! cargo +nightly fuzz run "$target" "${folders[@]}" -- \
        -max_total_time="$seconds" -print_final_stats=1 "${options[@]}" >"$log" 2>&1; then
        tail -n 60 "$log"
        printf '\n%s: found something; docs/fuzzing.md says how to keep it.\n' "$target"
        return 255
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    learnt=$(find "fuzz/corpus/$target" -type f | wc -l)
    printf '%-22s %10s runs, %5s inputs, nothing found\n' "$target" "$runs" "$learnt"
}
export -f fuzz_one

# Only what is fuzzed: all of them take many minutes.
if [ ${#targets[@]} -eq "$(cargo +nightly fuzz list | wc -l)" ]; then
    cargo +nightly fuzz build
else
    for target in "${targets[@]}"; do cargo +nightly fuzz build "$target"; done
fi
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'fuzz_one "$1"' - {}
