#!/usr/bin/env bash
# Runs scripts/attacks/run.py with what scripts/setup.sh has installed for it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(scripts/tools.sh)/attacks/bin/python
if [ ! -x "$python" ]; then
  echo "Missing: the packages in scripts/attacks/requirements.txt; run scripts/setup.sh." >&2
  exit 1
fi
exec nice "$python" scripts/attacks/run.py "$@"
