#!/usr/bin/env bash
# Runs the commands that the README shows (all but those that build), from the root of the repository.   usage: readme.sh SOURCE BINARY
set -euo pipefail
[ -d "${LPTRAIN_SHARED:-/none}/datasets" ] && export LPTRAIN_DATA=$LPTRAIN_SHARED/datasets
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cp -r "$1/configs" "$1/models" "$1/datasets" "$1/README.md" "$work"
cd "$work"
mkdir build; ln -s "$2/lptrain" build/lptrain
count=0
while IFS= read -r command; do
  command=${command#./bootstrap && }
  echo "+ $command"
  bash -c "$command" </dev/null >out.txt 2>&1 || { cat out.txt; exit 1; }
  count=$((count + 1))
  [ "$count" -gt 1 ] || first=$(sed -n 's/^test  *[0-9.]*  *\([0-9.]*\)%.*/\1/p' out.txt)   # test   0.0381    98.87%  ...
done < <(sed -n '/^```sh/,/^```$/p' README.md | grep 'build/lptrain' | grep -v '^#')
echo "$count commands ran"
[ "$count" -gt 3 ]
echo "the first reached ${first:-no accuracy} %, wanted 97"
[ "${first%%.*}" -ge 97 ]
