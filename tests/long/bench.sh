#!/usr/bin/env bash
# The table of benchmarks can be made: one short pair of each kind, own and peer in turn.   usage: bench.sh SOURCE BINARY
set -euo pipefail
"${PYTHON:-/usr/bin/python3}" -c 'import torch' 2>/dev/null || { echo "skipped: no PyTorch (Debian: apt-get install python3-torch)"; exit 77; }
table=$("$1/tests/bench/compare.py" "$2/lptrain" --pairs 1 --seconds 0.1 --only mlp1000)
echo "$table"
[ "$(grep -c '^| mlp1000 ' <<<"$table")" = 4 ]
grep -q '^| mlp1000 infer, int8 | .* | PyTorch int8 | ' <<<"$table"
