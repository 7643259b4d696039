#!/usr/bin/env bash
# Builds the web pages into web/dist, from where they are embedded in the binary.
set -euo pipefail
cd "$(dirname "$0")/../web"

if ! command -v npm >/dev/null; then
  echo "Node 20 is missing: the server is built without its web pages." >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
../scripts/npm_install.sh
npm run --silent build
