#!/usr/bin/env bash
# Lints, checks and tests the TypeScript client. Argument: the server's binary, to test the client against it.
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

# npm ci takes longer than everything else, and the same lock installs the same packages.
installed=node_modules/.installed-lock.json
if ! cmp -s package-lock.json "$installed"; then
  npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
  cp package-lock.json "$installed"
fi
[ -z "${PORTCULLIS_BINARY:-}" ] || npm run --silent generate:check
npm run --silent check
npm run --silent build
npm pack --dry-run --ignore-scripts --loglevel=error >/dev/null
