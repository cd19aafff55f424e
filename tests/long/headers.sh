#!/usr/bin/env bash
# Every public header compiles alone.   usage: headers.sh SOURCE BINARY
set -euo pipefail
cd "$1"
find include -name '*.h' | sort | xargs -P 2 -I{} sh -c '${CXX:-g++} -std=c++20 -fopenmp -fsyntax-only -x c++ -include {} /dev/null -Iinclude || { echo {} does not compile alone; exit 255; }'
echo "$(find include -name '*.h' | wc -l) headers"
