#!/usr/bin/env bash
# The browser tests: scripts/e2e.sh BINARY [tests of web/e2e…]; without names all of them, screenshots too.
set -euo pipefail
E2E_SERVER=$(realpath "$1")
shift
cd "$(dirname "$0")/../web"

if ! command -v chromium >/dev/null || ! command -v npm >/dev/null; then
  echo "Missing: Chromium or npm; the pages are not tested in a browser." >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
E2E_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export E2E_SERVER E2E_PORT
npx playwright test "$@"
