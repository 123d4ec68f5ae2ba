#!/usr/bin/env bash
# Shows that the oracles bite: plants each defect of fuzz/planted/ in a copy of
# this tree and fuzzes the target that it names, from the seeds alone, until it
# finds something. Fails if one is not found in time, or cannot be planted.
#
#   fuzz/planted.sh                    every defect
#   fuzz/planted.sh san-lost           this one
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# shellcheck source=fuzz/dictionaries/of.sh
source fuzz/dictionaries/of.sh
# The end of a log is shown, and that is to be the error.
export RUST_BACKTRACE=0

# How long a target may look for a defect.
seconds=60
copy=$root/target/planted
built=$root/fuzz/target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Dependencies are built once for this and for fuzzing. The library itself is
# built in a fraction of the time that fuzzing takes, and runs slower.
refresh() {
    rm -rf "$copy" && mkdir -p "$copy"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
    sed -i '/^\[profile\.release\.package\.mxray\]/,/^$/ s/^opt-level = .*/opt-level = 0\ndebug = false/' "$copy/fuzz/Cargo.toml"
    printf '\n[profile.release.package.mxray-fuzz]\nopt-level = 0\ndebug = false\n' >>"$copy/fuzz/Cargo.toml"
}

# Fuzzes one target: how many seconds it took to find something, or nothing.
fuzz() {
    local target=$1 begun
    local options=(-max_total_time="$seconds" -timeout=5 -malloc_limit_mb=64 -rss_limit_mb=1024 -max_len=16384)
    local dictionary
    dictionary=$(dictionary_of "$target")
    if [ -n "$dictionary" ]; then options+=("-dict=fuzz/dictionaries/$dictionary.dict"); fi
    rm -rf "$work/corpus" && mkdir "$work/corpus"
    begun=$(date +%s)
    if "$built/x86_64-unknown-linux-gnu/release/$target" "$work/corpus" "fuzz/seeds/$target" \
        -artifact_prefix="$work/" "${options[@]}" >"$work/log" 2>&1; then
        return 1
    fi
    grep -q '^SUMMARY: ' "$work/log" || return 1
    echo $(($(date +%s) - begun))
}

if [ $# -gt 0 ]; then defects=("$@"); else mapfile -t defects < <(basename -s .patch -a fuzz/planted/*.patch); fi
refresh
missed=0
printf '| %-22s | %-16s | %-12s |\n| %-22s | %-16s | %-12s |\n' defect target found :--- :--- ---:
for defect in "${defects[@]}"; do
    patch=$root/fuzz/planted/$defect.patch
    target=$(sed -n 's/^Target: //p' "$patch")
    if ! (cd "$copy" && patch --dry-run -s -p1 <"$patch") >"$work/log" 2>&1; then
        found="no such place"
    else
        (cd "$copy" && patch -s -p1 <"$patch")
        if ! (cd "$copy" && cargo +nightly fuzz build --target-dir "$built" "$target") >"$work/log" 2>&1; then
            found="not built"
        elif seconds_taken=$(cd "$copy" && fuzz "$target"); then
            found="in $seconds_taken s"
        else
            found="not in $seconds s"
        fi
        (cd "$copy" && patch -s -R -p1 <"$patch")
    fi
    printf '| %-22s | %-16s | %12s |\n' "$defect" "$target" "$found"
    case $found in "in "*) ;; *)
        missed=$((missed + 1))
        tail -n 5 "$work/log" >&2
        ;;
    esac
done
if [ "$missed" -gt 0 ]; then
    echo "$missed of ${#defects[@]} not found" >&2
    exit 1
fi
