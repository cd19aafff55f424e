# Computes tests/golden/niti.json with NumPy's 64-bit integers: four steps of integer-only training (NITI, Wang et al. 2022, as
# configs/methods/niti_*.json say it). A tensor is a pair (integers, e), worth integers times 2^e. Nothing of lptrain is used but the
# formula of its random numbers. Run it from anywhere; the file is written beside this script.
import json
import math
import pathlib

import numpy as np

from noise import draws, key_of

rng = np.random.default_rng(12)
N, H, W, K, STEPS, SHIFT = 8, 2, 6, 4, 4, {"niti_mlp": 3, "niti_mlp_pseudo": 3, "niti_cnn": 4}

# ---- shifts: what falls off is a share of 2^s

def split(v, s):
    return v >> s, v & ((1 << s) - 1)

def to_even(v, s):
    kept, rest = split(v, s)
    half = 1 << (s - 1)
    return kept + ((rest > half) | ((rest == half) & (kept % 2 == 1)))

def randomly(name, step):  # up with the chance rest / 2^s; the draw is an odd number of 24 bits
    def rule(v, s):
        kept, rest = split(v, s)
        draw = 2 * np.array(draws(key_of(1, "step", step, *name), v.shape)).reshape(v.shape) + 1
        return kept + ((draw << s) < (rest << 24))
    return rule

def by_halves(v, s):  # section 3.4: one half of the bits that fall off is the other's random number
    m = np.abs(v)
    idle = min([s] + [(int(x) & -int(x)).bit_length() - 1 for x in m.flat if x])
    kept, rest = split(m >> idle, s - idle)
    low = (s - idle) // 2
    chance, draw = split(rest, low)
    return np.sign(v) * (kept + (chance > (draw << ((s - idle) % 2))))

def moved(x, e, most, rule=to_even, least=None):
    v, own = x
    v = rule(v, e - own) if e > own else v << (own - e)
    return np.clip(v, -most if least is None else least, most), e

def exponent(x, most):  # the least with which the largest magnitude is within the codes
    largest = int(np.abs(x[0]).max())
    if largest == 0:
        return 0
    e = x[1] - 70
    while largest * 2.0 ** (x[1] - e) > most:
        e += 1
    return e

def fitted(x, most, rule=to_even, least=None):
    return moved(x, exponent(x, most), most, rule, least)

# ---- the loss: 2^t in straight pieces over their sum, in 15 bits; the label's error is what the others add up to

def errors(z, labels):
    out = np.zeros(z[0].shape, np.int64)
    for n, row in enumerate(z[0]):
        t = [math.floor(int(v) * 47274 * 2.0 ** (z[1] - 15 + 8)) for v in row]  # log2(e) = 47274 / 2^15; 8 fraction bits
        below = [max(t) - v for v in t]
        y = [((256 + -b % 256) << 12) >> -(-b // 256) if b <= 30 * 256 else 0 for b in below]
        out[n] = [(v << 15) // sum(y) for v in y]
        out[n, labels[n]] = -(out[n].sum() - out[n, labels[n]])
    return out, -15 - 3  # over 8 examples

# ---- layers

def fan_in_end(fan_in):  # log2 of where weights end: the power of two nearest to 2 sqrt(3 / fan-in)
    return round(math.log2(2 * math.sqrt(3 / fan_in)))

class Linear:
    def forward(self, x):
        self.x = (x[0].reshape(N, -1), x[1])
        return self.x[0] @ self.w[0].T, x[1] + self.w[1]
    def gradients(self, e):
        return (e[0] @ self.w[0], e[1] + self.w[1]), (e[0].T @ self.x[0], e[1] + self.x[1])

class Conv:  # 3x3, pad 1; weights [O,3,3,I]
    def forward(self, x):
        self.x = x
        padded = np.pad(x[0], ((0, 0), (1, 1), (1, 1), (0, 0)))
        self.patches = np.stack([padded[:, i:i + H, j:j + W] for i in range(3) for j in range(3)], 3)  # [N,H,W,9,I]
        return np.einsum("nhwpi,opi->nhwo", self.patches, self.w[0].reshape(len(self.w[0]), 9, -1)), x[1] + self.w[1]
    def gradients(self, e):  # of the first layer no dx is asked for
        return None, (np.einsum("nhwo,nhwpi->opi", e[0], self.patches).reshape(self.w[0].shape), e[1] + self.x[1])

def pooled(y):  # 2x2; places of the first maximum
    windows = y.reshape(N, H // 2, 2, W // 2, 2, -1).transpose(0, 1, 3, 5, 2, 4).reshape(N, H // 2, W // 2, -1, 4)
    return windows.max(-1), windows.argmax(-1)

def unpooled(d, place):
    windows = (np.arange(4) == place[..., None]) * d.reshape(place.shape)[..., None]
    return windows.reshape(N, H // 2, W // 2, -1, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(N, H, W, -1)

def take_step(layers, x, labels, step, shift, is_pseudo):
    rule = lambda *name: by_halves if is_pseudo else randomly(name, step)
    seen, behind = x, []
    for layer in layers:
        y = layer.forward(seen)
        live, place = y[0] > 0, None
        top = np.maximum(y[0], 0)
        if isinstance(layer, Conv):
            top, place = pooled(top)
        behind.append((live, place))
        seen = fitted((top, y[1]), 255, least=0)
    d = errors(y, labels)
    for i in reversed(range(len(layers))):
        layer, (live, place) = layers[i], behind[i]
        if i + 1 < len(layers):
            d = ((d[0] if place is None else unpooled(d[0], place)) * live, d[1])
        e = fitted(d, 127, rule(layer.name + ".error", 0))
        dx, dw = layer.gradients(e)
        steps = moved(dw, exponent(dw, 127) + shift, 127, rule(layer.name + ".weight.gradient"))
        layer.w = (np.clip(layer.w[0] - steps[0], -127, 127), layer.w[1])
        d = dx

def numbers(x):
    return {"shape": list(x[0].shape), "values": (x[0] * 2.0 ** x[1]).flatten().tolist()}

def layer_of(kind, name, shape):
    layer = kind()
    layer.name, layer.w = name, (rng.integers(-127, 128, shape), fan_in_end(math.prod(shape[1:])) - 7)
    return layer

def run(name, layers, pixels, labels):
    before = [numbers(l.w) for l in layers]
    for step in range(STEPS):
        take_step(layers, (pixels, -8), labels, step, SHIFT[name], name.endswith("pseudo"))
    return {"name": name, "params": before, "after": [numbers(l.w) for l in layers]}

pixels, labels = rng.integers(0, 256, (N, H, W, 1)), rng.integers(0, K, N)
mlp = lambda: [layer_of(Linear, "fc1", (10, H * W)), layer_of(Linear, "fc2", (6, 10)), layer_of(Linear, "fc3", (K, 6))]
cases = [run("niti_mlp", mlp(), pixels, labels), run("niti_mlp_pseudo", mlp(), pixels, labels),
         run("niti_cnn", [layer_of(Conv, "conv1", (5, 3, 3, 1)), layer_of(Linear, "fc1", (K, H // 2 * (W // 2) * 5))], pixels, labels)]
out = {"x": numbers((pixels, -8)), "labels": labels.tolist(), "steps": STEPS, "cases": cases}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
