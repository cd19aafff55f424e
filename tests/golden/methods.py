# Computes tests/golden/methods.json with PyTorch 1.13: three steps of gradient descent in every phase of the methods in configs/methods,
# in float64, with gradients by autograd of what the papers write. Nothing of lptrain is used but the formula of its random numbers.
# Run it from anywhere (/usr/bin/python3 tests/golden/methods.py); the file is written beside this script.
import json
import math
import pathlib

import torch
import torch.nn.functional as F

from noise import key_of, uniforms

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)

N, I, H, K, STEPS, LR = 6, 9, 8, 4, 3, 0.05

def noise(step, name, shape):  # of a lens
    return torch.tensor(uniforms(key_of(1, "step", step, name, 0), shape)).reshape(shape)

# ---- parts that the papers share

class Straight(torch.autograd.Function):  # forward what was computed, backward as if it were x
    @staticmethod
    def forward(ctx, x, y):
        return y.clone()
    @staticmethod
    def backward(ctx, d):
        return d, None

def straight(x, y):
    return Straight.apply(x, y.detach())

def rounded(x):
    return straight(x, torch.round(x))

class ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, g):
        ctx.g = g
        return x.clone()
    @staticmethod
    def backward(ctx, d):
        return d * ctx.g, None

def sign(x):  # of 0: +1
    return torch.where(x >= 0, 1.0, -1.0)

def clipped_sign(x):  # gradient where |x| <= 1
    return straight(torch.clamp(x, -1, 1), sign(x))

def quantize_k(x, bits):  # DoReFa-Net, eq. 5
    n = 2 ** bits - 1
    return rounded(x * n) / n

def minifloat(x, exponent_bits, mantissa_bits, largest):
    least = 2 - 2 ** (exponent_bits - 1)
    e = torch.floor(torch.log2(x.abs().clamp_min(1e-300))).clamp_min(least)
    step = 2 ** (e - mantissa_bits)
    return torch.clamp(torch.round(x / step) * step, -largest, largest)

# ---- methods. Each: weights(layer, w), activations(layer, x), error(layer, d) and what it learns; `state` lives through the steps.

def relu(x):  # where sums of codes are 0, sums of reals are 0 but for rounding
    return x * (x > 1e-12)

class Method:
    config = None    # the shipped config, if it has another name
    changes = []     # what it is told besides
    momentum = 0
    keeps = [False]  # by phase: what the optimizer remembers of the one before
    fold = None
    activation = staticmethod(relu)
    clip = None
    def __init__(self):
        self.learned = {}
        self.before = {}
    def learn(self, name, start):
        if name not in self.learned:
            self.learned[name] = torch.tensor(float(start), requires_grad=True)
        return self.learned[name]
    def enter(self, phase):
        pass
    def begin(self, step):
        self.step = step
    def end(self):
        pass
    def weights(self, layer, w):
        return w
    def activations(self, layer, x):
        return x
    def error(self, layer, d):
        return d

class Ste(Method):
    def weights(self, layer, w):
        s = w.detach().abs().amax(1, keepdim=True) / 7
        return straight(w, torch.clamp(torch.round(w / s), -7, 7) * s)
    def activations(self, layer, x):
        most = x.detach().abs().max()
        old = self.before.setdefault(layer, most)
        self.before[layer + " next"] = 0.99 * old + 0.01 * most
        s = old / 15
        return straight(x, torch.clamp(torch.round(x / s), 0, 15) * s)
    def end(self):
        for layer in ("fc1", "fc2"):
            self.before[layer] = self.before[layer + " next"]

def bound(w):
    return math.sqrt(6 / w.shape[1])

class BinaryConnect(Method):
    clip = staticmethod(bound)
    def weights(self, layer, w):
        return straight(w, bound(w) * sign(w))

class BinaryConnectStochastic(BinaryConnect):
    def weights(self, layer, w):
        p = torch.clamp((w / bound(w) + 1) / 2, 0, 1)
        return straight(w, bound(w) * torch.where(noise(self.step, layer + ".weight", w.shape) < p, 1.0, -1.0))

class Bnn(Method):
    clip = staticmethod(bound)
    activation = staticmethod(torch.tanh)
    def weights(self, layer, w):
        return bound(w) * clipped_sign(w / bound(w))
    def activations(self, layer, x):
        return clipped_sign(x)

class Xnor(Method):
    activation = staticmethod(torch.tanh)
    def weights(self, layer, w):
        return w.abs().mean(1, keepdim=True) * clipped_sign(w)
    def activations(self, layer, x):
        return x.detach().abs().mean(1, keepdim=True) * clipped_sign(x)

class Twn(Method):
    def weights(self, layer, w):
        threshold = 0.7 * w.abs().mean()
        above = w.abs() > threshold
        return straight(w, w.abs()[above].mean() * torch.sign(w) * above)

class TtqWeights(torch.autograd.Function):  # eqs. 7 and 8
    @staticmethod
    def forward(ctx, w, wp, wn, threshold):
        ctx.save_for_backward(w > threshold, w < -threshold, wp, wn)
        return torch.where(w > threshold, wp, torch.where(w < -threshold, -wn, torch.zeros(())))
    @staticmethod
    def backward(ctx, d):
        up, down, wp, wn = ctx.saved_tensors
        return d * torch.where(up, wp, torch.where(down, wn, torch.ones(()))), d[up].sum(), -d[down].sum(), None

class Ttq(Method):
    def weights(self, layer, w):
        threshold = 0.05 * w.detach().abs().max()
        wp = self.learn(layer + " wp", w.detach()[w > threshold].mean())
        wn = self.learn(layer + " wn", -w.detach()[w < -threshold].mean())
        return TtqWeights.apply(w, wp, wn, threshold)

def dorefa_weights(w, bits):  # eq. 9, the largest magnitude differentiated too
    t = torch.tanh(w)
    return 2 * quantize_k(t / (2 * t.abs().max()) + 0.5, bits) - 1

class Dorefa(Method):
    def weights(self, layer, w):
        return dorefa_weights(w, 4)
    def activations(self, layer, x):
        return quantize_k(torch.clamp(x, 0, 1), 4)
    def error(self, layer, d):  # eq. 12; U(-1/2, 1/2) from lptrain's u as 1/2 - u
        n, m = 2 ** 6 - 1, d.abs().amax(1, keepdim=True).clamp_min(1e-300)
        u = 0.5 - noise(self.step, layer + ".error", d.shape)
        return 2 * m * (torch.round(n * torch.clamp(d / (2 * m) + 0.5 + u / n, 0, 1)) / n - 0.5)

class Pact(Method):
    def weights(self, layer, w):
        return dorefa_weights(w, 4)
    def activations(self, layer, x):  # eqs. 1 to 3
        alpha = self.learn(layer + " alpha", 6)
        y = 0.5 * (x.abs() - (x - alpha).abs() + alpha)
        return straight(y, torch.round(y * 15 / alpha) * alpha / 15)

class Lsq(Method):
    bits = 4
    def step_size(self, layer, kind, x, reach, count):
        s = self.learn(f"{layer} {kind}", 2 * x.detach().abs().mean() / math.sqrt(reach))
        return ScaledGradient.apply(s, 1 / math.sqrt(count * reach))
    def weights(self, layer, w):
        most = 2 ** (self.bits - 1) - 1
        s = self.step_size(layer, "w", w, most, w.numel())
        return rounded(torch.clamp(w / s, -most - 1, most)) * s
    def activations(self, layer, x):
        most = 2 ** self.bits - 1
        s = self.step_size(layer, "a", x, most, x.shape[1])
        return rounded(torch.clamp(x / s, 0, most)) * s

class LsqPlus(Lsq):
    def activations(self, layer, x):
        beta = self.learn(layer + " b", x.detach().min())
        s = self.step_size(layer, "a", x - beta, 15, x.shape[1])
        b = ScaledGradient.apply(beta, 1 / math.sqrt(15 * x.shape[1]))
        return rounded(torch.clamp((x - b) / s, 0, 15)) * s + b

class Progressive(Lsq):  # in float, with 8 bits, with 4: scales begin anew with each width
    momentum = 0.9
    keeps = [False, True, False]
    def enter(self, phase):
        self.bits = (None, 8, 4)[phase]
        self.learned = {}
    def weights(self, layer, w):
        return super().weights(layer, w) if self.bits else w
    def activations(self, layer, x):
        return super().activations(layer, x) if self.bits else x

class Within(torch.autograd.Function):  # Uhlich et al. 2020: dx inside, the range's gradient beyond
    @staticmethod
    def forward(ctx, x, m, low, high):
        ctx.save_for_backward(x < low, x > high, torch.tensor(float(low < 0)))
        return torch.clamp(x, low, high)
    @staticmethod
    def backward(ctx, d):
        below, above, signed = ctx.saved_tensors
        return d * ~(below | above), d[above].sum() - signed * d[below].sum(), None, None

class LearnedBits(Method):
    penalty = 0
    def quantized(self, name, x, signed, mean):
        top = 127 if signed else 255
        step = 2 * mean / math.sqrt(top)
        d = 2 ** self.learn(name + " d", math.log2(step))
        m = 2 ** self.learn(name + " m", math.log2(step * top))
        n = min(max(round((m / d).item()), 1), top)
        self.penalty = self.penalty + 0.01 * torch.log2(m / d + 1)
        if n < top:
            x = Within.apply(x, m, (-n * d).item() if signed else 0.0, (n * d).item())
        return rounded(torch.clamp(x / d, -128 if signed else 0, top)) * d
    def weights(self, layer, w):
        return self.quantized(layer + " w", w, True, w.detach().abs().mean().item())
    def activations(self, layer, x):
        return self.quantized(layer + " a", x, False, x.detach().abs().mean().item())

class BatchNormFolded(Method):
    fold = "batch"
    def weights(self, layer, w):
        s = w.detach().abs().max() / 127
        return straight(w, torch.round(w / s) * s)

class BatchNormFoldedAfterDelay(BatchNormFolded):  # from the second look on activations are quantized to what the looks before saw
    config = "batch_norm_folded"
    changes = ["precision.activations.scale.ema.delay=1"]
    def activations(self, layer, x):
        most = x.detach().max()
        old = self.before.setdefault(layer, most)
        self.before[layer] = 0.99 * old + 0.01 * most
        s = old / 255
        return x if self.step == 0 else rounded(torch.clamp(x / s, 0, 255)) * s

class Fp8(Method):
    def scaled(self, name, x, largest):
        most = x.detach().abs().max()
        self.before.setdefault(name, []).append(most)
        seen = self.before[name][:-1] or [most]
        return max(seen) / largest
    def weights(self, layer, w):
        s = self.scaled(layer + " w", w, 448)
        return straight(w, minifloat(w / s, 4, 3, 448) * s)
    def activations(self, layer, x):
        s = self.scaled(layer + " a", x, 448)
        return straight(x, minifloat(x / s, 4, 3, 448) * s)
    def error(self, layer, d):
        s = self.scaled(layer + " e", d, 57344)
        return minifloat(d / s, 5, 2, 57344) * s

METHODS = {
    "f32": Method, "ste": Ste, "binaryconnect": BinaryConnect, "binaryconnect_stochastic": BinaryConnectStochastic, "bnn": Bnn,
    "xnor": Xnor, "twn": Twn, "ttq": Ttq, "dorefa": Dorefa, "pact": Pact, "lsq": Lsq, "lsq_plus": LsqPlus, "learned_bits": LearnedBits,
    "batch_norm_folded": BatchNormFolded, "fp8": Fp8, "batch_norm_folded_after_delay": BatchNormFoldedAfterDelay,
    "progressive": Progressive,
}

# ---- two linear layers, with a batch norm folded into the first if the method is about that

class Hook(torch.autograd.Function):  # y = x; backward, the error through the method's quantizer
    @staticmethod
    def forward(ctx, x, method, layer):
        ctx.how = (method, layer)
        return x.clone()
    @staticmethod
    def backward(ctx, d):
        method, layer = ctx.how
        return method.error(layer, d), None, None

def product(method, layer, seen, w, b=None):
    return Hook.apply(F.linear(seen, method.weights(layer, w), b), method, layer)

def first_layer(method, x, w, gamma, beta):
    seen = method.activations("fc1", x)
    if not method.fold:
        return product(method, "fc1", seen, w)
    y = F.linear(seen, w)
    gain = gamma / torch.sqrt(y.var(0, unbiased=False) + 1e-5)
    return product(method, "fc1", seen, gain[:, None] * w, beta - y.mean(0) * gain)

def loss_of(method, x, labels, params):
    h = method.activation(first_layer(method, x, params["fc1.weight"], params.get("bn1.weight"), params.get("bn1.bias")))
    return F.cross_entropy(product(method, "fc2", method.activations("fc2", h), params["fc2.weight"]), labels)

def numbers(t):
    return {"shape": list(t.shape), "values": t.detach().flatten().tolist()}

# ---- training

def update(method, p, g, velocity):  # p and velocity in place
    is_scale = isinstance(method, Lsq) and any(p is v for k, v in method.learned.items() if not k.endswith(" b"))
    with torch.no_grad():
        old = p.clone()
        velocity.mul_(method.momentum).add_(g)
        p -= LR * velocity
        if is_scale:
            p.copy_(torch.maximum(p, old / 2))  # lptrain: however large the step, a scale at most halves

def take_step(method, x, labels, params, velocities):
    method.penalty = 0
    loss = loss_of(method, x, labels, params)
    everything = list(params.values()) + list(method.learned.values())
    gradients = torch.autograd.grad(loss + method.penalty, everything, allow_unused=True)
    for p, g in zip(everything, gradients):
        update(method, p, 0 if g is None else g, velocities.setdefault(p, torch.zeros_like(p)))
    if method.clip:
        with torch.no_grad():
            for p in params.values():
                p.clamp_(-method.clip(p), method.clip(p))
    method.end()
    return {"loss": loss.item(), "params": named(params)}

def named(params):
    return [{"name": k, "numbers": numbers(v)} for k, v in params.items()]

def run(name):
    method = METHODS[name]()
    signed = method.activation is torch.tanh
    x = torch.randn(N, I) if signed else torch.rand(N, I) * 1.5
    labels = torch.randint(K, (N,))
    params = {"fc1.weight": 0.4 * torch.randn(H, I), "fc2.weight": 0.4 * torch.randn(K, H)}
    if method.fold:
        params |= {"bn1.weight": 1 + 0.3 * torch.randn(H), "bn1.bias": 0.3 * torch.randn(H)}
    params = {k: v.clone().requires_grad_() for k, v in params.items()}
    sgd = {"sgd": {"lr": LR, "momentum": method.momentum}}
    result = {"name": name, "config": method.config or name, "changes": method.changes + ["train.optimizer=" + json.dumps(sgd)],
              "fold": bool(method.fold), "activation": "tanh" if signed else "relu", "x": numbers(x), "labels": labels.tolist(),
              "params": named(params), "phases": []}
    velocities = {}
    for phase, keeps in enumerate(method.keeps):
        method.enter(phase)
        if not keeps:
            velocities = {}
        steps = []
        for step in range(STEPS):
            method.begin(phase * STEPS + step)
            steps.append(take_step(method, x, labels, params, velocities))
        result["phases"].append({"steps": steps})
    return result

golden = {"methods": [run(name) for name in METHODS]}
text = json.dumps(golden, indent=None, separators=(",", ":")).replace('{"', '\n{"')
(pathlib.Path(__file__).parent / "methods.json").write_text(text.lstrip() + "\n")
