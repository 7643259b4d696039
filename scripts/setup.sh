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

# A Debian package that brings a service starts it, unless this policy keeps it from that.
install_services() {
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  install_packages "$@"
}

# nginx, which scripts/backends.py starts for itself.
if ! have nginx || [ ! -e /usr/lib/nginx/modules/ngx_http_js_module.so ]; then
  if may_install; then
    install_services nginx libnginx-mod-http-js
  else
    missing "nginx and its JavaScript module; install the packages nginx and libnginx-mod-http-js."
  fi
fi

# Tells files by their content; the guide's Django asks it.
if ! compgen -G '/usr/lib/*/libmagic.so.1' >/dev/null; then
  if may_install; then
    install_packages libmagic1
  else
    missing "libmagic; install the package libmagic1."
  fi
fi

# ClamAV, which a test starts for itself, with a signature of its own.
if ! have clamd; then
  if may_install; then
    install_services clamav-daemon
  else
    missing "ClamAV; install the package clamav-daemon."
  fi
fi

# The web pages are built and the guide's front end is run with it; Debian 12's own is too old.
if ! have node || [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" != true ]; then
  missing "Node 20 or later; install it from https://nodejs.org."
fi

# The browser that tests drive.
if ! have chromium; then
  if may_install; then
    install_packages chromium fonts-inter
  else
    missing "Chromium; install the package chromium."
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

# What scripts/attacks lets loose.
if ! have sqlmap || ! have ffuf || ! have wapiti; then
  if may_install; then
    install_packages sqlmap ffuf wapiti
  else
    missing "attackers; install the packages sqlmap, ffuf and wapiti."
  fi
fi

# A folder of Python packages for a list of them: those that are named and no other, none built here.
install_python() {
  cmp -s "$2" "$1/requirements.txt" && return
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null && may_install; then
    install_packages python3-venv
  fi
  # What an older list brought goes.
  if python3 -m venv --clear "$1" && install_listed "$1/bin/pip" "$(grep '^pip==' "$2")" &&
    install_listed "$1/bin/pip" -r "$2" && "$1/bin/pip" check --quiet; then
    cp "$2" "$1/requirements.txt"
  else
    missing "Python's venv or the packages in $2; install python3-venv."
  fi
}

install_listed() {
  "$1" install --quiet --disable-pip-version-check --no-deps --only-binary :all: "${@:2}"
}

# Django, simplejwt and PyJWT, which scripts/interop.py compares the server with, scripts/backends.py runs and
# scripts/check_url.py probes.
install_python "$tools/python" scripts/requirements.txt
# Schemathesis, HTTP/2 for scripts/attacks, and the schema of CycloneDX.
install_python "$tools/attacks" scripts/attacks/requirements.txt

# What the Express example imports.
node=$tools/node
if ! cmp -s scripts/backends/package-lock.json "$node/installed.json"; then
  mkdir -p "$node"
  if have npm && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' &&
    cp scripts/backends/package*.json "$node" && npm ci --prefix "$node" --silent --no-audit --no-fund; then
    cp scripts/backends/package-lock.json "$node/installed.json"
  else
    rm -rf "$node"
    missing "Node 20 or newer with npm, or the packages in scripts/backends/package.json."
  fi
fi
