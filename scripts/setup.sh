#!/usr/bin/env bash
# Sees to it that what the tests need is here: installs it when run as root on Debian, otherwise says what to
# install. Without it only CI (CI=1) refuses to go on.
set -euo pipefail
cd "$(dirname "$0")/.."

DENY_VERSION=0.20.2
tools=$(scripts/tools.sh)

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
may_install() { [ "$(id -u)" = 0 ] && have apt-get; }

missing() {
  echo "Missing: $1" >&2
  [ -z "${CI:-}" ] || exit 1
}

install_packages() {
  echo "Installing $*…"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The core packages bring the programs without a service that starts.
if ! have mariadbd || ! have mariadb; then
  if may_install; then
    install_packages mariadb-server-core mariadb-client-core
  else
    missing "MariaDB; install the packages mariadb-server-core and mariadb-client-core."
  fi
fi

# It runs the guide's front end against the server.
if ! have node; then
  if may_install; then
    install_packages nodejs
  else
    missing "Node; install the package nodejs."
  fi
fi

if ! have cargo-nextest; then
  missing "cargo-nextest; run: cargo install cargo-nextest --locked"
  exit 1
fi

if ! have cargo-deny && [ ! -x "$tools/bin/cargo-deny" ]; then
  if [ -n "${CI:-}" ] || may_install; then
    echo "Building cargo-deny $DENY_VERSION, once…"
    CARGO_TARGET_DIR="$tools/build" nice cargo install cargo-deny --version "$DENY_VERSION" --locked --root "$tools"
    rm -rf "$tools/build"
  else
    missing "cargo-deny; run: cargo install cargo-deny --version $DENY_VERSION --locked"
  fi
fi

# Django, simplejwt and PyJWT, which scripts/interop.py compares the server with.
python=$tools/python
if ! cmp -s scripts/requirements.txt "$python/requirements.txt"; then
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null && may_install; then
    install_packages python3-venv
  fi
  if python3 -m venv "$python" && "$python/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements.txt; then
    cp scripts/requirements.txt "$python/requirements.txt"
  else
    missing "Python's venv or the packages in scripts/requirements.txt; install python3-venv."
  fi
fi
