#!/usr/bin/env bash
# Every fuzz target for FUZZ_SECONDS (600), or those that are named. A crash ends it with 1 and leaves its input in
# fuzz/artifacts/. New inputs go to fuzz/found/; those worth keeping are moved to fuzz/corpus/, which tests replay.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(scripts/tools.sh)
export PATH="$PATH:$tools/bin" RUSTC_BOOTSTRAP=1
if ! command -v cargo-fuzz >/dev/null; then
  CARGO_TARGET_DIR="$tools/build" cargo install cargo-fuzz --version 0.13.2 --locked --root "$tools"
  rm -rf "$tools/build"
fi
# Without the address sanitizer: the code is safe Rust, and finds more without it in the same time.
nice cargo fuzz build --sanitizer none
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
failed=()
for target in "${targets[@]}"; do
  mkdir -p "fuzz/found/$target"
  # The own corpus first: new inputs go to the first folder.
  if ! nice cargo fuzz run --sanitizer none "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- \
    -max_total_time="${FUZZ_SECONDS:-600}" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    2>"fuzz/found/$target.log"; then
    failed+=("$target")
    tail -40 "fuzz/found/$target.log"
  fi
  grep -E '^stat::number_of_executed_units' "fuzz/found/$target.log" | sed "s/^.*units: */$target: runs /" || true
done
[ ${#failed[@]} = 0 ] && echo "fuzz: ${#targets[@]} targets, no crash" || { echo "fuzz: crashes in ${failed[*]}"; exit 1; }
