#!/usr/bin/env bash
# Shows that the property tests of the verdict bite: plants each defect of
# tests/planted/ in a copy of this tree and runs the test that it names, which
# must be red then. Fails if one stays green, or cannot be planted.
#
#   tests/planted.sh                     every defect
#   tests/planted.sh unknown-is-observed this one
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
copy=$root/target/planted
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ $# -gt 0 ]; then defects=("$@"); else mapfile -t defects < <(basename -s .patch -a tests/planted/*.patch); fi
rm -rf "$copy" && mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"

# The named test in the copy. Dependencies are those of the tree.
run() { (cd "$copy" && cargo test --target-dir "$root/target" --lib "$1" -- --exact) >"$log" 2>&1; }

missed=0
printf '| %-22s | %-84s | %s |\n|:---|:---|:---|\n' defect test seen
for defect in "${defects[@]}"; do
    patch=$root/tests/planted/$defect.patch
    test=$(sed -n 's/^Test: //p' "$patch")
    if ! (cd "$copy" && patch -s -p1 <"$patch") >"$log" 2>&1; then
        seen="no such place"
    else
        run "$test" || true
        seen=$(sed -n "s/^test $test \.\.\. //p" "$log" | head -n 1)
        case $seen in
        FAILED) seen=red ;;
        ok) seen=green ;;
        *) seen="not built, or no such test" ;;
        esac
        (cd "$copy" && patch -s -R -p1 <"$patch")
    fi
    printf '| %-22s | %-84s | %s |\n' "$defect" "$test" "$seen"
    if [ "$seen" != red ]; then
        missed=$((missed + 1))
        tail -n 20 "$log"
    fi
done
exit $((missed > 0))
