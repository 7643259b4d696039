#!/usr/bin/env bash
# Builds the committed sources twice, in two folders, and compares the binaries byte for byte. Takes as long as a
# release build on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CARGO_INCREMENTAL=0
cargo_home=${CARGO_HOME:-$HOME/.cargo}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
build() {
  cd "$place/$1"
  # Neither the folder nor whose home it is stands in the binary, nor what C code says of its files.
  export RUSTFLAGS="--remap-path-prefix=$PWD=/portcullis --remap-path-prefix=$cargo_home=/cargo"
  export CFLAGS="-ffile-prefix-map=$PWD=/portcullis -ffile-prefix-map=$cargo_home=/cargo"
  scripts/web_build.sh
  CARGO_TARGET_DIR="$PWD/target" nice cargo build --release --locked --bin portcullis
  sha256sum target/release/portcullis
}
names=(one two-with-a-longer-name)
# Both at once, since most of the time goes into linking, which uses one core.
builds=()
for name in "${names[@]}"; do
  git clone --quiet --no-hardlinks . "$place/$name"
  (build "$name") &
  builds+=($!)
done
for build in "${builds[@]}"; do
  wait "$build"
done
cmp "$place/${names[0]}/target/release/portcullis" "$place/${names[1]}/target/release/portcullis"
echo "reproducible: both are the same"
