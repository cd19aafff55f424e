#!/usr/bin/env bash
# What configs/examples/cnn_article shows, in small: as printed it cannot learn, and each remedy does.   usage: examples.sh SOURCE BINARY
set -euo pipefail
lptrain=$2/lptrain
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$1"
check() { # check VARIANT at_most|at_least PERCENT ARGUMENTS...
  "$lptrain" "configs/examples/cnn_article/$1.json" --limit 1000 -s train.epochs=3 "${@:4}" --out "$work/$1" --no-latency -q --json >"$work/out"
  local found; found=$(python3 -c 'import json, sys; print(round(100 * json.loads(sys.stdin.readlines()[-1])["test"]["accuracy"]))' <"$work/out")
  echo "$1 ${*:4}: $found %, wanted $2 $3 %"
  case $2 in at_most) [ "$found" -le "$3" ] ;; at_least) [ "$found" -ge "$3" ] ;; esac
}
faster=(-s train.optimizer.sgd.lr=0.1)   # so few steps must be larger ones
check as_printed at_most 20
check clamp_0_01 at_most 20 "${faster[@]}"
check grid_clamp_1 at_most 30
check clamp_1 at_least 50 "${faster[@]}"
check master_f32 at_least 50 "${faster[@]}"
check stochastic at_least 50 "${faster[@]}"
check lr_0_3 at_least 50
