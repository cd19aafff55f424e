#!/usr/bin/env python3
"""lptrain beside PyTorch: both time the same steps in turn, pair by pair, and the medians become a Markdown table.

    tests/bench/compare.py build/lptrain [--pairs 5] [--seconds 3] [--threads 2] [--only cnn28] > table.md

A pair is one run of ours and one of theirs, right after each other, so that what else the machine does meets both. The peer runs
with its better setting of BLAS threads, found out first. Cases that a machine cannot run (no PyTorch: peer.py exits 77) are left
out with a message. Times are worth something on an idle machine only; there OpenMP's threads may spin while they wait, as they do
unless the environment says otherwise (on a busy one: OMP_WAIT_POLICY=passive, for both sides).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

PEER = pathlib.Path(__file__).with_name("peer.py")

# What is timed (train or infer), the task, our mode, the peer's mode, and the least ratio that we want to reach.
AGAINST_PEER = [
    ("train", "cnn28", "f32", "fp32", 2.3),
    ("train", "cnn28", "bf16", "bf16", 4.5),
    ("train", "cnn28", "int8", "qat", 12),
    ("train", "cnn28", "int8_full", "fp32", 10),
    ("train", "cnn16", "f32", "fp32", None),
    ("train", "cnn16", "int8_full", "fp32", None),
    ("train", "mlp1000", "f32", "fp32", 1.5),
    ("train", "mlp1000", "bf16", "bf16", 1.5),
    ("train", "mlp1000", "int8", "qat", 4),
    ("train", "mlp128", "f32", "fp32", 1.5),
    ("train", "resnet20", "f32", "fp32", None),
    ("train", "resnet20", "bf16", "bf16", 4),
    ("train", "resnet20", "int8_full", "fp32", 5),
    ("infer", "cnn28", "int8", "int8", 1.2),
    ("infer", "cnn16", "int8", "int8", 1.2),
    ("infer", "mlp1000", "int8", "int8", 1.2),
]
# Task, a mode and its threads, what it is measured against, the least ratio.
AGAINST_OURSELVES = [
    ("cnn28", ("int8_full", 2), ("f32", 2), 4),
    ("cnn28", ("int8_full", 2), ("int8_full", 1), 1.65),
]


def run(command, threads, blas_threads=None):
    """The last line of a program's output, as JSON; None if it cannot run here."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    if blas_threads:
        environment["OPENBLAS_NUM_THREADS"] = str(blas_threads)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.strip().splitlines()[-1])
    print(f"left out: {' '.join(map(str, command))}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}", file=sys.stderr)
    return None


class Bench:
    def __init__(self, options):
        self.options = options

    def ours(self, task, mode, threads):
        return run([self.options.lptrain, "bench", "train", "--task", task, "--mode", mode, "--threads", str(threads),
                    "--seconds", str(self.options.seconds), "--json"], threads)

    def theirs(self, task, mode, blas_threads, seconds=None):
        threads = self.options.threads
        return run([self.options.python, PEER, "--task", task, "--mode", mode, "--threads", str(threads),
                    "--seconds", str(seconds or self.options.seconds)], threads, blas_threads)

    def better_setting(self, what, task, mode):
        """The peer's own BLAS threads fight with OpenMP's on some shapes: one, or as many as there are?"""
        rates = {}
        for count in sorted({1, self.options.threads}):
            line = self.theirs(task, mode, count, self.options.seconds / 3)
            if line is None:
                return None
            rates[count] = line[f"{what}_img_per_s"]
        return max(rates, key=rates.get)

    def pairs(self, first, second):
        """Both in turn; nothing if one of them cannot run."""
        lines = []
        for _ in range(self.options.pairs):
            pair = first(), second()
            if None in pair:
                return []
            lines.append(pair)
        return lines


def medians(lines, key):
    ours, theirs = ([line[side][key] for line in lines] for side in (0, 1))
    return statistics.median(ours), statistics.median(theirs), statistics.median(a / b for a, b in zip(ours, theirs))


def row(name, lines, key, peer, wanted):
    mine, other, ratio = medians(lines, key)
    memory = " | ".join(f"{medians(lines, 'peak_bytes')[side] / 1e6:.0f}" for side in (0, 1))
    target = "" if wanted is None else f"{wanted:g}" + (" ✓" if ratio >= wanted else " ✗")
    print(f"| {name} | {mine:,.0f} | {peer} | {other:,.0f} | **{ratio:.2f}** | {target} | {memory} |", flush=True)


def machine(lptrain):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        name = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown processor")
    version = subprocess.run([lptrain, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{name}, {os.cpu_count()} cores; {version}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lptrain")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="a task, or train or infer")
    parser.add_argument("--python", default="/usr/bin/python3", help="that has PyTorch")
    options = parser.parse_args()
    bench = Bench(options)
    print(f"{machine(options.lptrain)}, {options.threads} threads; medians of {options.pairs} pairs, images a second, peak memory in MB.\n")
    print("| task | lptrain | against | theirs | ratio | wanted | our MB | their MB |\n|---|--:|---|--:|--:|--:|--:|--:|", flush=True)
    for what, task, mode, peer, wanted in AGAINST_PEER:
        if options.only not in ("", what, task):
            continue
        setting = bench.better_setting(what, task, peer)
        lines = setting and bench.pairs(lambda: bench.ours(task, mode, options.threads), lambda: bench.theirs(task, peer, setting))
        if lines:
            row(f"{task} {what}, {mode}", lines, f"{what}_img_per_s", f"PyTorch {peer}", wanted)
    for task, (mode, threads), (other, other_threads), wanted in AGAINST_OURSELVES:
        if options.only not in ("", "train", task):
            continue
        lines = bench.pairs(lambda: bench.ours(task, mode, threads), lambda: bench.ours(task, other, other_threads))
        if lines:
            row(f"{task} train, {mode}", lines, "train_img_per_s", f"lptrain {other}, {other_threads} threads", wanted)


if __name__ == "__main__":
    main()
