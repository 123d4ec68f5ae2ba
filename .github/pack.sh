#!/usr/bin/env bash
# An archive and a Debian package of a program that was built:
# `.github/pack.sh TARGET PROGRAM DIRECTORY`.
set -euo pipefail
target=$1 program=$2 directory=$3
cd "$(dirname "$0")/.."

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=mxray-$version-$target
mkdir -p "$directory"

# What `cargo deb` packs, too.
install -D "$program" target/packaged/mxray
target/packaged/mxray man -o target/packaged/man
mkdir -p target/packaged/completions
for shell in bash zsh fish; do
    target/packaged/mxray completions "$shell" > "target/packaged/completions/mxray.$shell"
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/$name"
cp -R target/packaged/. README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$folder/$name/"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$folder" -c "$name" | gzip -n > "$directory/$name.tar.gz"

if cargo deb --version >/dev/null 2>&1; then
    cargo deb --no-build --no-strip --output "$directory/"
fi
