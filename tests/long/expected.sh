#!/usr/bin/env bash
# The main configs reach, at reduced size, what leaves no doubt of their expected results.   usage: expected.sh SOURCE BINARY
set -euo pipefail
lptrain=$2/lptrain
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$1"
expect() { # expect CONFIG AT_LEAST ARGUMENTS...
  echo "+ $1 ${*:3}: at least $2"
  "$lptrain" "configs/$1.json" "${@:3}" --out "$work/$1" --no-latency --no-progress -q --fail-below "$2"
}
for config in cnn_int8 cnn_f32 cnn_f16 cnn_bf16 cnn_q8; do expect $config 0.80 --limit 3000 -s train.epochs=2; done
for config in mlp_f32 mlp_int8 lenet300_f32; do expect $config 0.72 --limit 3000 -s train.epochs=2; done
for config in smoke_f32 smoke_int8; do expect $config 0.98; done
expect shapes_int8 0.93
expect table_f32 0.85
if [ -d "${LPTRAIN_SHARED:-/none}/datasets" ]; then
  expect resnet20_int8 0.16 --data "$LPTRAIN_SHARED/datasets" --limit 1500 -s train.epochs=2 -s train.warmup=0
fi
