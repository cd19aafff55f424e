#!/usr/bin/env bash
# Installs lptrain into an empty folder, builds a foreign project against it, and runs both from elsewhere.   usage: consumer.sh SOURCE BINARY
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
diff <(sed -n '/^```cpp$/,/^```$/p' "$1/CONTRIBUTING.md" | sed '1d;$d') "$1/tests/consumer/main.cpp" ||
  { echo "CONTRIBUTING.md shows another program than tests/consumer/main.cpp"; exit 1; }
cmake --install "$2" --prefix "$work/usr" >/dev/null
cmake -S "$1/tests/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/usr" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work/build" >/dev/null
cd "$work"
"$work/build/consumer"
"$work/usr/bin/lptrain" "$work/usr/share/lptrain/configs/mlp_int8.json" --limit 96 --set train.epochs=1 --out "$work/run" --no-progress >/dev/null
