#!/usr/bin/env python3
"""The peer: what `lptrain bench train` times, done in PyTorch. Prints one JSON line a case, with the same keys.

    peer.py --task cnn28 --mode fp32 [--threads 2] [--seconds 3]

Modes: fp32; bf16 (autocast); qat (fake-quantized training, int8 weights per channel); int8 (inference of the converted network).
Exits 77 with a message where PyTorch is not installed (Debian: apt-get install python3-torch).
"""
import argparse
import json
import resource
import sys
import time
import warnings

try:
    import torch
    from torch import nn
    from torch.ao import quantization
    from torch.nn import functional
except ImportError:
    print("peer.py: no PyTorch for this Python; skipped (Debian: apt-get install python3-torch)", file=sys.stderr)
    sys.exit(77)


def chain(*layers):
    """Layers between the borders of what is quantized."""
    return nn.Sequential(quantization.QuantStub(), *layers, quantization.DeQuantStub())


def mlp(*widths):
    layers = [nn.Flatten()]
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return chain(*layers[:-1])


def cnn(side):
    return chain(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (side // 2) ** 2, 128), nn.ReLU(), nn.Linear(128, 10))


class Residual(nn.Module):
    """Two 3x3 convolutions; a shortcut that drops pixels and adds empty channels where shapes differ (He et al. 2016, option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.stride, self.grown = stride, outputs - inputs

    def forward(self, x):
        shortcut = functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.grown)) if self.grown else x
        return functional.relu(self.body(x) + shortcut)


def resnet20():
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for outputs in (16, 32, 64):
        for k in range(3):
            layers.append(Residual(inputs, outputs, 2 if k == 0 and outputs > 16 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


# Network, shape of an example, batch, optimizer: as in src/app/bench_cases.cpp.
TASKS = {
    "mlp128": (lambda: mlp(784, 128, 10), (1, 28, 28), 64, torch.optim.Adam),
    "mlp1000": (lambda: mlp(784, 1000, 1000, 10), (1, 28, 28), 64, sgd),
    "cnn16": (lambda: cnn(16), (1, 16, 16), 64, sgd),
    "cnn28": (lambda: cnn(28), (1, 28, 28), 64, sgd),
    "resnet20": (resnet20, (3, 32, 32), 128, sgd),
}
MODES = ("fp32", "bf16", "qat", "int8")


def rates(call, batch, seconds):
    """Images a second: the median over calls, and the best."""
    for _ in range(3):
        call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    times.sort()
    return batch / times[len(times) // 2], batch / times[0]


def measure(task, mode, seconds):
    make, shape, batch, optimizer_of = TASKS[task]
    torch.manual_seed(0)
    model = make()
    if mode in ("qat", "int8"):
        torch.backends.quantized.engine = "onednn"
        model.train().qconfig = quantization.get_default_qat_qconfig("qnnpack")
        model = quantization.prepare_qat(model)
    optimizer = optimizer_of(model.parameters())
    x, labels = torch.rand(batch, *shape), torch.randint(0, 10, (batch,))

    def logits():
        if mode != "bf16":
            return model(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return model(x).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(logits(), labels).backward()
        optimizer.step()

    line = {"peer": "pytorch " + torch.__version__, "task": task, "mode": mode, "batch": batch, "threads": torch.get_num_threads()}
    if mode == "int8":
        step()  # ranges are observed
    else:
        line["train_img_per_s"], line["train_best"] = rates(step, batch, seconds)
    model.eval()
    if mode == "int8":
        model = quantization.convert(model)
    with torch.no_grad():
        line["infer_img_per_s"], line["infer_best"] = rates(logits, batch, seconds)
    line["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(arguments.threads)
    print(json.dumps(measure(arguments.task, arguments.mode, arguments.seconds)))


if __name__ == "__main__":
    main()
