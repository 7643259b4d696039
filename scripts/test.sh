#!/usr/bin/env bash
# The whole test run: lints, dependencies, documentation, then every test on SQLite and MariaDB.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
tools=$(scripts/tools.sh)
export PATH="$PATH:$tools/bin"
export PORTCULLIS_TEST_PYTHON="$tools/python/bin/python"

make check
if command -v cargo-deny >/dev/null; then
  cargo deny --locked check bans licenses sources
fi
cargo test --doc -p portcullis-security --quiet
# Last, so that its summary is what one sees.
cargo nextest run --workspace
