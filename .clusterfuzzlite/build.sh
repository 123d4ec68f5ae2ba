#!/bin/bash -eu
# Builds every fuzz target, with its seeds and its dictionary.
cd "$SRC/mxray"
source fuzz/dictionaries/of.sh
cargo fuzz build -O
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    folders=("fuzz/seeds/$target")
    if [ -d "fuzz/regressions/$target" ]; then folders+=("fuzz/regressions/$target"); fi
    zip -q -j -r "$OUT/${target}_seed_corpus.zip" "${folders[@]}"
    dictionary=$(dictionary_of "$target")
    if [ -n "$dictionary" ]; then cp "fuzz/dictionaries/$dictionary.dict" "$OUT/$target.dict"; fi
    # As in fuzz/smoke.sh.
    printf '[libfuzzer]\ntimeout = 5\nmalloc_limit_mb = 64\nrss_limit_mb = 1024\nmax_len = 16384\n' \
        >"$OUT/$target.options"
done
