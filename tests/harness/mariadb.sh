#!/bin/sh
# Runs a throw-away MariaDB for as long as a test run lasts.
#
#   mariadb.sh DIRECTORY PORT PID
#
# DIRECTORY/ready appears when the server answers on 127.0.0.1:PORT, DIRECTORY/failed when it will not.
# When the process PID has ended the server stops and DIRECTORY goes.
set -u
PATH=$PATH:/usr/sbin
directory=$1 port=$2 run=$3
server=

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
    fi
    rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# Two servers that share one folder of temporary tables remove each other's.
export TMPDIR="$directory"
data=$directory/data-$port
mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db \
    --user="$(id -un)" --datadir="$data" >"$directory/install.log" 2>&1

# Nothing here outlives the run, so nothing is flushed; latin1, as a server that nobody configured.
mariadbd --no-defaults --user="$(id -un)" --datadir="$data" --bind-address=127.0.0.1 --port="$port" \
    --socket=server.sock --pid-file=server.pid --character-set-server=latin1 --skip-name-resolve --max-connections=1000 \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=64M \
    --performance-schema=OFF --log-error="$directory/error.log" >/dev/null 2>&1 &
server=$!

tries=0
until mariadb --no-defaults --host=127.0.0.1 --port="$port" --user=root --execute='SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if ! kill -0 "$server" 2>/dev/null || [ "$tries" -gt 300 ]; then
        touch "$directory/failed"
        # Whoever waits reads error.log first.
        sleep 5
        exit 1
    fi
    sleep 0.1
done
touch "$directory/ready"

while kill -0 "$run" 2>/dev/null && kill -0 "$server" 2>/dev/null; do
    sleep 0.5
done
