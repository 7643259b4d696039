#!/usr/bin/env bash
# The whole test run: lints, then every test on SQLite and on a throw-away MariaDB.
set -euo pipefail
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null 2>&1; }

if ! have mariadbd; then
  if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "Installing mariadb-server…"
    apt-get update -qq
    # The service must not start: the tests run a server of their own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mariadb-server >/dev/null
  elif [ -n "${CI:-}" ]; then
    echo "MariaDB is missing: install the package mariadb-server." >&2
    exit 1
  else
    echo "MariaDB is not tested: install the package mariadb-server." >&2
  fi
fi

make check

folder=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap finish EXIT

if have mariadbd; then
  as_user=()
  if [ "$(id -u)" = 0 ]; then
    chown mysql "$folder"
    as_user=(--user=mysql)
  fi
  mariadb-install-db --no-defaults "${as_user[@]}" --datadir="$folder/data" --auth-root-authentication-method=normal >/dev/null
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  mariadbd --no-defaults "${as_user[@]}" --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" \
    --bind-address=127.0.0.1 --port="$port" --character-set-server=latin1 --max-connections=500 \
    --innodb-flush-log-at-trx-commit=2 >"$folder/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    mariadb --no-defaults --socket="$folder/socket" -u root -e 'SELECT 1' >/dev/null 2>&1 && break
    sleep 0.2
  done
  mariadb --no-defaults --socket="$folder/socket" -u root \
    -e "CREATE USER tests@'127.0.0.1' IDENTIFIED BY 'tests'; GRANT ALL ON *.* TO tests@'127.0.0.1'"
  export PORTCULLIS_TEST_MYSQL="mysql://tests:tests@127.0.0.1:$port"
  echo "Testing on SQLite and on $(mariadbd --version | cut -c1-60)."
fi

cargo nextest run --workspace
cargo test --doc -p portcullis-security

# A real Django, simplejwt and PyJWT against the binary.
venv="${CARGO_TARGET_DIR:-target}/interop-venv"
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet -r scripts/requirements.txt
cargo build -p portcullis
"$venv/bin/python" scripts/interop.py "$(realpath "${CARGO_TARGET_DIR:-target}/debug/portcullis")"
