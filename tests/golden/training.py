# Computes tests/golden/training.json with PyTorch 1.13: two small networks (loss, gradients, five steps of each optimizer), losses and
# schedules, all in float64. Run it from anywhere; the file is written beside this script.
import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)

# How tensors of PyTorch lie in lptrain: NCHW -> NHWC, OIHW -> OHWI.
def ours(t):
    return t.permute(0, 2, 3, 1).contiguous() if t.dim() == 4 else t

def numbers(t):
    return {"shape": list(ours(t).shape), "values": ours(t).detach().flatten().tolist()}

N, H, W, C, O, K, F1 = 5, 6, 6, 2, 3, 4, 7

def mlp(x, p):
    return F.linear(F.relu(F.linear(x, p["w1"], p["b1"])), p["w2"], p["b2"])

def cnn(x, p):
    y = F.max_pool2d(F.relu(F.conv2d(x, p["w1"], p["b1"], padding=1)), 2)
    return F.linear(y.permute(0, 2, 3, 1).flatten(1), p["w2"], p["b2"])

NETWORKS = {
    "mlp": (mlp, (N, F1), {"w1": (6, F1), "b1": (6,), "w2": (K, 6), "b2": (K,)}),
    "cnn": (cnn, (N, C, H, W), {"w1": (O, C, 3, 3), "b1": (O,), "w2": (K, O * H * W // 4), "b2": (K,)}),
}

# (as a config says it, the same for PyTorch)
OPTIMIZERS = [
    ({"sgd": {"lr": 0.1}}, lambda p: torch.optim.SGD(p, lr=0.1)),
    ({"sgd": {"lr": 0.1, "momentum": 0.9}}, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ({"sgd": {"lr": 0.1, "momentum": 0.9, "nesterov": True}}, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    ({"sgd": {"lr": 0.1, "weight_decay": 0.05}}, lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05)),
    ({"sgd": {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}},
     lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.05)),
    ("adam", lambda p: torch.optim.Adam(p)),
    ({"adam": {"lr": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.05}},
     lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.05)),
    ("adamw", lambda p: torch.optim.AdamW(p)),
    ({"adamw": {"lr": 0.01, "weight_decay": 0.2}}, lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.2)),
]
STEPS = 5

def network(name):
    forward, input_shape, shapes = NETWORKS[name]
    x = torch.randn(input_shape)
    labels = torch.randint(K, (N,))
    start = {k: 0.5 * torch.randn(s) for k, s in shapes.items()}

    def fresh():
        return {k: v.clone().requires_grad_() for k, v in start.items()}

    def loss_of(p):
        return F.cross_entropy(forward(x, p), labels)

    p = fresh()
    loss_of(p).backward()
    result = {"name": name, "x": numbers(x), "labels": labels.tolist(), "logits": numbers(forward(x, p)), "loss": loss_of(p).item(),
              "params": [numbers(v) for v in p.values()], "gradients": [numbers(v.grad) for v in p.values()], "runs": []}
    for config, make in OPTIMIZERS:
        p = fresh()
        optimizer = make(list(p.values()))
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(p)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        result["runs"].append({"optimizer": config, "losses": losses, "params": [numbers(v) for v in p.values()]})
    return result

def one_hot(labels, columns):
    return labels.unsqueeze(1).double() if columns == 1 else F.one_hot(labels, columns).double()

def hinge(z, labels):
    return F.relu(1 - (2 * one_hot(labels, z.shape[1]) - 1) * z).square().mean()

LOSSES = [
    ("cross_entropy", 4, lambda z, t: F.cross_entropy(z, t)),
    ({"cross_entropy": {"label_smoothing": 0.1}}, 4, lambda z, t: F.cross_entropy(z, t, label_smoothing=0.1)),
    ({"cross_entropy": {"label_smoothing": 1}}, 4, lambda z, t: F.cross_entropy(z, t, label_smoothing=1.0)),
    ("binary_cross_entropy", 1, lambda z, t: F.binary_cross_entropy_with_logits(z, one_hot(t, 1))),
    ("binary_cross_entropy", 3, lambda z, t: F.binary_cross_entropy_with_logits(z, one_hot(t, 3))),
    ("mse", 1, lambda z, t: F.mse_loss(z, one_hot(t, 1))),
    ("mse", 3, lambda z, t: F.mse_loss(z, one_hot(t, 3))),
    ("squared_hinge", 1, hinge),
    ("squared_hinge", 3, hinge),
]

def loss_case(config, columns, f):
    z = (2 * torch.randn(6, columns)).requires_grad_()
    labels = torch.randint(max(columns, 2), (6,))
    loss = f(z, labels)
    loss.backward()
    return {"loss": config, "logits": numbers(z), "labels": labels.tolist(), "value": loss.item(), "gradient": numbers(z.grad)}

# Factors after 0, 1, ... calls of step(); `unit` says what a call counts.
def factors(make, count):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = make(optimizer)
    list_ = []
    for _ in range(count):
        list_.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return list_

S = torch.optim.lr_scheduler
SCHEDULES = [
    ({"step": {"every": 3, "factor": 0.5}}, "epoch", lambda o: S.StepLR(o, 3, 0.5)),
    ({"milestones": {"at": [2, 5, 6], "factor": 0.2}}, "epoch", lambda o: S.MultiStepLR(o, [2, 5, 6], 0.2)),
    ({"exponential": {"factor": 0.9}}, "epoch", lambda o: S.ExponentialLR(o, 0.9)),
    ("cosine", "progress", lambda o: S.CosineAnnealingLR(o, 10)),
    ({"cosine": {"final": 0.1}}, "progress", lambda o: S.CosineAnnealingLR(o, 10, eta_min=0.1)),
    ({"linear": {"final": 0.25}}, "progress", lambda o: S.LinearLR(o, 1.0, 0.25, 10)),
    ("constant", "warmup", lambda o: S.LinearLR(o, 1 / 4, 1.0, 3)),
]

golden = {
    "networks": [network(name) for name in NETWORKS],
    "losses": [loss_case(*row) for row in LOSSES],
    "schedules": [{"schedule": config, "unit": unit, "factors": factors(make, 10)} for config, unit, make in SCHEDULES],
}
text = json.dumps(golden, indent=None, separators=(",", ":")).replace('{"', '\n{"')
(pathlib.Path(__file__).parent / "training.json").write_text(text.lstrip() + "\n")
