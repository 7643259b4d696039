#!/usr/bin/env bash
# Lints, checks and tests the TypeScript client and the web pages. Argument: the server's binary, to test the
# client against it.
set -euo pipefail
cd "$(dirname "$0")/../clients/typescript"

if ! command -v npm >/dev/null; then
  echo "Missing: npm; install Node 20 or later to test clients/typescript." >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
if [ -n "${1:-}" ]; then
  PORTCULLIS_BINARY=$(realpath "$1")
  export PORTCULLIS_BINARY
fi

../../scripts/npm_install.sh
[ -z "${PORTCULLIS_BINARY:-}" ] || npm run --silent generate:check
npm run --silent check
npm run --silent build
npm pack --dry-run --ignore-scripts --loglevel=error >/dev/null

cd ../../web
../scripts/npm_install.sh
npm run --silent check
npm run --silent test
npm run --silent size
