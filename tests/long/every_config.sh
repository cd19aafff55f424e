#!/usr/bin/env bash
# Every shipped config trains a few steps, evaluates, and leaves a run folder that repeats itself.   usage: every_config.sh SOURCE BINARY
set -euo pipefail
source_dir=$1 lptrain=$2/lptrain
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$source_dir"
count=0
for config in configs/*.json configs/methods/*.json configs/examples/*/*.json; do
  case $config in configs/schema.json) continue ;; esac
  name=${config//\//_} name=${name%.json}
  data=()
  if "$lptrain" config show "$config" 2>/dev/null | grep -E '"(name|dataset)": "(cifar10|mnist|fashion_mnist|names|japanese_vowels|tinyshakespeare)"' >/dev/null; then
    [ -d "${LPTRAIN_SHARED:-/none}/datasets" ] || { echo "skip $name: no real data (set LPTRAIN_SHARED)"; continue; }
    data=(--data "$LPTRAIN_SHARED/datasets")
  fi
  epochs=(--set train.epochs=1)
  "$lptrain" config show "$config" "${epochs[@]}" >/dev/null 2>&1 || epochs=()   # every phase has its own, or it will fail below
  easy=()   # what so few examples reach
  case $config in */adaptive_bits/*) easy=(--set phases.1.adaptive.target_accuracy=0.1) ;; esac
  "$lptrain" "$config" "${data[@]}" --limit 96 "${epochs[@]}" "${easy[@]}" --out "$work/$name" --no-progress --json >"$work/$name.out" 2>"$work/$name.err" ||
    { echo "$config failed:"; cat "$work/$name.err"; exit 1; }
  "$lptrain" eval "$work/$name" "${data[@]}" --json >/dev/null 2>"$work/$name.err" || { echo "eval of $config failed:"; cat "$work/$name.err"; exit 1; }
  "$lptrain" "$work/$name/config.json" "${data[@]}" --out "$work/$name-again" --no-progress >/dev/null 2>&1
  cmp "$work/$name/last.safetensors" "$work/$name-again/last.safetensors" || { echo "$config: the same run gave other weights"; exit 1; }
  count=$((count + 1))
done
echo "$count configs trained"
[ "$count" -gt 5 ]
