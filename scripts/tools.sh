#!/usr/bin/env bash
# Prints the folder of the tools that tests need: outside the clone where that can be written, so that it is reused.
set -euo pipefail
tools=/var/cache/portcullis/tools
if ! mkdir -p "$tools" 2>/dev/null || [ ! -w "$tools" ]; then
  tools=$(cd "$(dirname "$0")/.." && pwd)/.cache/tools
fi
echo "$tools"
