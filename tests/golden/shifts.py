# Computes tests/golden/shifts.json with NumPy in float64: four steps of a small network by WAGE (Wu et al. 2018) and by dynamic fixed
# point (Courbariaux et al. 2015), spelled from the papers, as configs/methods/{wage,dynamic_fixed_point}.json say them. Nothing of lptrain
# is used but the formula of its random numbers. Run it from anywhere; the file is written beside this script.
import json
import pathlib

import numpy as np

from noise import key_of, uniforms

rng = np.random.default_rng(11)
N, I, H, K, STEPS = 8, 12, 6, 4, 4

def rounded(x):
    return np.rint(x)  # ties to even

def shift(x):
    return 2.0 ** np.round(np.log2(np.abs(x).max()))

def onto(x, step, most):
    return np.clip(rounded(x / step), -most, most) * step

def rounded_randomly(x, name, step):  # up with the chance of what lies below
    u = np.array(uniforms(key_of(1, "step", step, name), x.shape)).reshape(x.shape)
    return np.floor(x) + (u < x - np.floor(x))

def onehot(labels):
    return np.eye(K)[labels]

# ---- WAGE
def layer_alpha(fan_in):
    return max(2.0 ** np.round(np.log2(0.75 / np.sqrt(3 / fan_in))), 1)

def wage(x, labels, masters):
    alphas = [layer_alpha(m.shape[1]) for m in masters]
    for step in range(STEPS):
        w1, w2 = (onto(m * a, 0.5, 1) / a for m, a in zip(masters, alphas))
        y = np.maximum(x @ w1.T, 0)
        a = onto(y, 2.0**-7, 127)
        e2 = 2 * (a @ w2.T - onehot(labels)) / (N * K)
        e2 = onto(e2 / shift(e2), 2.0**-7, 127)
        e1 = (e2 @ w2) * (y > 0) * (y <= 127 / 128)
        e1 = onto(e1 / shift(e1), 2.0**-7, 127)
        for i, dw in enumerate((e1.T @ x, e2.T @ a)):
            counts = rounded_randomly(8 * dw / shift(dw), f"fc{i + 1}.weight.gradient", step)  # lr = 8
            steps = np.clip(counts, -127, 127) * 2.0**-7
            masters[i] = np.clip(masters[i] * alphas[i] - steps, -1 + 2.0**-7, 1 - 2.0**-7) / alphas[i]
    return masters

# ---- Dynamic fixed point
class Range:
    """The power of two that a group's numbers should not reach; 10 bits with the sign."""
    def __init__(self):
        self.end = None
    def least(self, x):
        most = np.abs(x).max()
        return 2.0 ** (np.floor(np.log2(most)) + 1) if most > 0 else 0
    def rounded(self, x):
        if self.end is None:
            self.end = self.least(x)
        step = self.end / 512 if self.end else 1.0
        self.seen, self.inside = x, np.abs(x / step) <= 511
        return onto(x, step, 511)
    def move(self):
        rate = lambda end: (np.abs(self.seen) >= end).mean()
        if self.end == 0:
            self.end = self.least(self.seen)
        elif rate(self.end) > 1e-4:
            self.end *= 2
        elif np.abs(self.seen).max() > 0 and rate(self.end / 2) <= 1e-4:
            self.end /= 2

def block(x, bits):
    most = 2 ** (bits - 1) - 1
    return onto(x, 2.0 ** np.ceil(np.log2(np.abs(x).max() / most)), most) if np.abs(x).max() > 0 else x

def dynamic(x, labels, p):
    ranges = {name: Range() for name in ("x1", "w1", "b1", "e1", "x2", "w2", "b2", "e2")}
    velocity = None
    for _ in range(STEPS):
        q = {k: ranges[k].rounded(v) for k, v in p.items()}
        x1 = ranges["x1"].rounded(x)
        y = np.maximum(x1 @ q["w1"].T + q["b1"], 0)
        x2 = ranges["x2"].rounded(y)
        z = x2 @ q["w2"].T + q["b2"]
        s = np.exp(z - z.max(1, keepdims=True))
        e2 = ranges["e2"].rounded((s / s.sum(1, keepdims=True) - onehot(labels)) / N)
        e1 = ranges["e1"].rounded((e2 @ q["w2"]) * ranges["x2"].inside * (y > 0))
        g = {"w1": e1.T @ x1, "b1": e1.sum(0), "w2": e2.T @ x2, "b2": e2.sum(0)}
        g = {k: block(v * ranges[k].inside, 10) for k, v in g.items()}
        velocity = g if velocity is None else {k: 0.5 * velocity[k] + g[k] for k in g}
        p = {k: block(p[k] - 0.1 * velocity[k], 12) for k in p}
        for r in ranges.values():
            r.move()
    return p

def numbers(t):
    return {"shape": list(t.shape), "values": t.flatten().tolist()}

x = rng.integers(0, 256, (N, I)) / 256
labels = rng.integers(0, K, N)
masters = [np.clip(rounded(128 * rng.uniform(-1, 1, s)), -127, 127) / 128 / layer_alpha(s[1]) for s in ((H, I), (K, H))]
free = {"w1": rng.normal(0, 0.5, (H, I)), "b1": np.zeros(H), "w2": rng.normal(0, 0.5, (K, H)), "b2": np.zeros(K)}
cases = [
    {"name": "wage", "params": [numbers(m) for m in masters], "after": [numbers(m) for m in wage(x, labels, list(masters))]},
    {"name": "dynamic_fixed_point", "params": [numbers(v) for v in free.values()],
     "after": [numbers(v) for v in dynamic(x, labels, dict(free)).values()]},
]
out = {"x": numbers(x), "labels": labels.tolist(), "steps": STEPS, "cases": cases}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
