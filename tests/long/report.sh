#!/usr/bin/env bash
# Looks at reports in a real browser: nothing in the console, nothing wider than the window, and something to see, on a phone and
# on a screen, in light and dark.   usage: report.sh SOURCE BINARY
set -euo pipefail
browser=$(command -v chromium || command -v chromium-browser || true)
[ -n "$browser" ] || { echo "skipped: no chromium here (apt-get install chromium)"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$1"
"$2/lptrain" train configs/shapes_int8.json -s train.epochs=2 --limit 300 -q --out "$work/pictures" >/dev/null
"$2/lptrain" train configs/smoke_int8.json -s train.epochs=3 -q --out "$work/table" >/dev/null
cat >"$work/sweep.json" <<'SWEEP'
{"name": "bits", "base": {"model": "tiny_mlp", "dataset": {"name": "spirals", "limit": 200}, "train": {"epochs": 3}}, "seeds": [1, 2],
 "vary": {"format": {"f32": {}, "int8": {"precision.weights": "int8"}, "int4": {"precision.weights": "int4"}, "binary": {"precision.weights": "binary"}},
          "model": {"mlp": {}, "wide": {"train.batch": 50}}}}
SWEEP
"$2/lptrain" sweep "$work/sweep.json" -q --out "$work/sweep" >/dev/null
sed 's/"seeds"/"columns": ["model"], "seeds"/' "$work/sweep.json" >"$work/columns.json"
"$2/lptrain" sweep "$work/columns.json" -q --out "$work/columns" >/dev/null

look() { # look DARK WIDTH HEIGHT ARGUMENTS...
  local dark=$1 width=$2 height=$3; shift 3
  HOME=$work timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --allow-file-access-from-files --enable-logging=stderr --window-size="$width,$height" \
    --blink-settings=preferredColorScheme=$((1 - dark)) --user-data-dir="$work/browser" "$@" 2>>"$work/browser.txt"
}

# A page that shows another in a frame of some width and says what sticks out of it.
# Tables may scroll on narrow screens only.
measure() { # measure FILE WIDTH MAY_SCROLL
  cat >"$work/measure.html" <<PAGE
<body><iframe id=f src="file://$1" style="border:0;width:$2px;height:900px"></iframe><script>
f.onload = () => {
  const d = f.contentDocument, wide = [];
  for (const e of d.querySelectorAll('body *')) {
    if (e.closest('svg,pre') || $3 && e.closest('.scroll')) continue;
    const r = e.getBoundingClientRect();
    if (r.width > 0 && (r.right > $2 + 0.5 || r.left < -0.5)) wide.push(e.tagName + ' ' + e.className);
  }
  for (const e of d.images) if (!e.complete || !e.naturalWidth) wide.push('broken picture');
  const out = document.createElement('pre');
  out.textContent = 'MEAS' + 'URED ' + d.documentElement.scrollWidth + ' ' + d.querySelectorAll('section').length + ' ' + wide.join(', ') + ' E' + 'ND';
  document.body.append(out);
};</script>
PAGE
  look 0 1400 1000 --virtual-time-budget=5000 --dump-dom "file://$work/measure.html" | sed -n 's/.*MEASURED \(.*\) END.*/\1/p'
}

# Every page on A4, as it would be printed: how wide its content is, in 96ths of an inch, and how wide the paper. The rules for
# paper hold on a screen here, whose width is that of A4 between margins of 1 cm.
printed() { # printed FILE
  sed 's/@media print/@media screen/g' "$1" >"$work/printed.html"
  measure "$work/printed.html" 718 false
}

check_picture() { # check_picture FILE "R G B" of the corner: the paper's colour
  python3 - "$1" $2 <<'CODE'
import struct, sys, zlib
data = open(sys.argv[1], 'rb').read()
assert data[:8] == b'\x89PNG\r\n\x1a\n', 'not a PNG'
at, packed = 8, b''
while at < len(data):
    length, kind = struct.unpack('>I4s', data[at:at + 8])
    packed += data[at + 8:at + 8 + length] if kind == b'IDAT' else b''
    at += 12 + length
pixels = zlib.decompress(packed)
corner = list(pixels[1:4])
assert corner == [int(v) for v in sys.argv[2:5]], f'the corner is {corner}'
assert len(packed) > 20000 and len(set(pixels)) > 64, 'hardly anything to see'
CODE
}

for page in "$work"/*/report.html; do
  for width in 390 1280; do
    read -r scrolled sections wide < <(measure "$page" $width $([ $width -lt 600 ] && echo true || echo false))
    echo "$page at $width: $scrolled wide, $sections sections"
    [ "$scrolled" -le $width ] && [ -z "$wide" ] || { echo "sticks out: $wide" >&2; exit 1; }
    [ "$sections" -ge 3 ]
    look 0 $width 2400 --screenshot="$work/light.png" "file://$page" >/dev/null
    look 1 $width 2400 --screenshot="$work/dark.png" "file://$page" >/dev/null
    check_picture "$work/light.png" "255 255 255"
    check_picture "$work/dark.png" "20 23 28"
  done
done
for page in "$work"/*/report.html; do
  read -r scrolled sections wide < <(printed "$page")
  echo "$page on A4: $scrolled wide"
  [ "$scrolled" -le 718 ] && [ -z "$wide" ] || { echo "sticks out of the paper: $wide" >&2; exit 1; }
done
if grep CONSOLE "$work/browser.txt"; then echo "the browser complains" >&2; exit 1; fi
