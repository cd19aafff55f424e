#!/usr/bin/env bash
# LaTeX tables stand in an article unchanged, at every size of letters: nothing is an error, nothing sticks out.
# usage: tex.sh SOURCE BINARY
set -euo pipefail
command -v pdflatex >/dev/null || { echo "skipped: no pdflatex here (apt-get install texlive-latex-base)"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$1"
cat >"$work/sweep.json" <<'SWEEP'
{"name": "signs", "base": {"model": "tiny_mlp", "dataset": {"name": "moons", "limit": 100}, "train": {"epochs": 1}}, "seeds": [1, 2],
 "vary": {"format": {"f32": {}, "-8 |<é>| 2² µ_%": {"precision.weights": "int8"}, "[binary]*": {"precision.weights": "binary"}},
          "width $x$ of the hidden layer": {"narrow": {}, "not as narrow, and a description that is longer than the line": {"train.batch": 20}},
          "train.optimizer.adam.lr": [0.01, 0.001]}}
SWEEP
"$2/lptrain" sweep "$work/sweep.json" -q --out "$work/sweep" >/dev/null
binary=$2
write() { "$binary/lptrain" table "$work/sweep" --format tex "${@:2}" >"$work/$1.tex"; }
write default
write columns --rows format --cols train.optimizer.adam.lr
write all --metric accuracy,last,difference,bits_per_weight,packed_bytes,macs,bit_operations,energy,latency_1,latency_64,sparsity,seconds --metric accuracy,difference,bits_per_weight,packed_bytes,energy

for size in 10pt 11pt 12pt; do
  for table in default columns all; do
    printf '%s\n' "\\documentclass[$size]{article}" '\begin{document}' 'Text.' "\\input{$table}" '\end{document}' >"$work/paper.tex"
    (cd "$work" && pdflatex -halt-on-error -interaction=nonstopmode paper.tex >said.txt 2>&1) || { grep -A5 '^!' "$work/said.txt" >&2; exit 1; }
    if grep -E 'Overfull|too large|Missing character|undefined' "$work/paper.log"; then
      echo "$table at $size does not fit" >&2; exit 1
    fi
  done
  echo "$size: fits"
done
