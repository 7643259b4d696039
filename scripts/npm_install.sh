#!/usr/bin/env bash
# Installs the packages of the lock file in the working directory, unless they are installed.
set -euo pipefail
# npm ci takes longer than a build, and the same lock installs the same packages.
installed=node_modules/.installed-lock.json
if ! cmp -s package-lock.json "$installed"; then
  npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
  cp package-lock.json "$installed"
fi
