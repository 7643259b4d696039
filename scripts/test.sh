#!/usr/bin/env bash
# The whole test run: lints, dependencies, documentation, a real Django, the examples for other backends, the
# TypeScript client, then every test on SQLite and MariaDB.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
make web
tools=$(scripts/tools.sh)
export PATH="$PATH:$tools/bin"

make check
if command -v cargo-deny >/dev/null; then
  for workspace in Cargo.toml fuzz/Cargo.toml; do
    cargo deny --locked --manifest-path "$workspace" --config deny.toml check bans licenses sources
  done
fi
cargo test --doc -p portcullis-security --quiet

# A real Django, simplejwt and PyJWT against the binary; then the examples for other backends; then the client.
cargo build -p portcullis
# As the README has it run: what cargo adds to the environment must be no setting.
cargo run -q -- config explain >/dev/null
built=$(realpath "${CARGO_TARGET_DIR:-target}/debug")
if [ -x "$tools/python/bin/python" ]; then
  # Waits for throttles most of its five minutes, beside what follows.
  "$tools/python/bin/python" scripts/check_url.py "$built/portcullis" >"$built/check-url.txt" 2>&1 &
  probing=$!
  cargo build -p portcullis-security --example axum_backend
  "$tools/python/bin/python" scripts/interop.py "$built/portcullis"
  "$tools/python/bin/python" scripts/backends.py "$built/portcullis" "$built/examples/axum_backend"
fi
# What has run, for the pages that name tests.
TEST_REPORTS="$built/../test-reports"
rm -rf "$TEST_REPORTS" && mkdir "$TEST_REPORTS"
export TEST_REPORTS
scripts/web_test.sh "$built/portcullis"
# What comes from others: its licences, its age, the list of it.
python3 scripts/supply/third_party.py --check
if [ -x "$tools/attacks/bin/python" ]; then
  "$tools/attacks/bin/python" scripts/supply/ages.py "$tools/ages"
  "$tools/attacks/bin/python" scripts/supply/sbom.py "$built/../sbom.json"
  scripts/attack.sh "$built/portcullis" --short
fi
scripts/e2e.sh "$built/portcullis" $(cd web/e2e && ls *.spec.ts | grep -vE '^(screenshots|pictures|first-paint)')
if [ -n "${probing:-}" ]; then
  wait "$probing" || { cat "$built/check-url.txt" && exit 1; }
  cat "$built/check-url.txt"
fi

# Last, so that its summary is what one sees.
cargo nextest run --workspace
cp target/nextest/default/junit.xml "$TEST_REPORTS/rust.xml"
python3 scripts/named_tests_ran.py "$TEST_REPORTS"
