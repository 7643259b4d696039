#!/usr/bin/env bash
# Builds the committed sources twice, in two folders, and compares the binaries byte for byte. Takes as long as two
# release builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_INCREMENTAL=0
cargo_home=${CARGO_HOME:-$HOME/.cargo}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for name in one two-with-a-longer-name; do
  git clone --quiet --no-hardlinks . "$place/$name"
  (
    cd "$place/$name"
    # Neither the folder nor whose home it is stands in the binary, nor what C code says of its files.
    export RUSTFLAGS="--remap-path-prefix=$PWD=/portcullis --remap-path-prefix=$cargo_home=/cargo"
    export CFLAGS="-ffile-prefix-map=$PWD=/portcullis -ffile-prefix-map=$cargo_home=/cargo"
    scripts/web_build.sh
    CARGO_TARGET_DIR="$PWD/target" nice cargo build --release --locked
  )
  sha256sum "$place/$name/target/release/portcullis"
done
cmp "$place/one/target/release/portcullis" "$place/two-with-a-longer-name/target/release/portcullis"
echo "reproducible: both are the same"
