"""Times one training step in PyTorch, on random inputs that lie ready in memory, or compares losses with ours.

Takes the arguments of step.ts and prints the same JSON: {"ms": {"min", "median", "p95"}, "peakRssMB", "torch"}, or with
--losses FILE {"losses"}, where FILE has our weights and batch. compare.ts runs both in turn. `--network` is
{"task", "classes", "costliest", "modalities": {name: {"encoder", "shape"}}}.
"""

import argparse
import json
import math
import os
import resource
import statistics
import sys
import time

import torch

from twins import g2d, safetensors
from twins.network import Network, below, task_loss


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=json.loads, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--method", choices=["joint", "g2d"], default="joint")
    parser.add_argument("--phase", choices=["joint", "prioritized"], default="joint")
    parser.add_argument("--teachers", choices=["none", "cached", "online"], default="none")
    parser.add_argument("--scope", choices=["conv", "encoder"], default="encoder")
    parser.add_argument("--layout", choices=["channels-last", "nchw"], default="channels-last")
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them, which are not")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--samples", type=int, help="time epochs over so many samples in place of steps")
    parser.add_argument("--losses", metavar="FILE", help="compare: losses of --steps steps from the file's weights")
    return parser.parse_args()


def random_batch(description, batch):
    shapes = {name: m["shape"] for name, m in description["modalities"].items()}
    inputs = {name: torch.randn(batch, *shape) for name, shape in shapes.items()}
    if description["task"] == "regression":
        return inputs, 0.01 + 0.98 * torch.rand(batch)
    return inputs, torch.randint(0, description["classes"], (batch,))


class Training:
    """A student, its teachers and its optimizer."""

    def __init__(self, options):
        self.options = options
        self.task = options.network["task"]
        layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format
        self.student = Network(options.network).to(memory_format=layout)
        if options.losses:
            tensors = safetensors.read(options.losses)
            self.student.without_dropout().load(tensors)
            inputs, labels = below(tensors, "inputs."), tensors["labels"]
            self.labels = labels if self.task == "regression" else labels.long()
        else:
            inputs, self.labels = random_batch(options.network, options.samples or options.batch)
        self.inputs = self.student.prepare(inputs, layout)
        if options.teachers == "online":
            self.teacher_network = Network(options.network).to(memory_format=layout).eval()
        elif options.losses:
            self.stored = {name: below(tensors, f"teachers.{name}.") for name in inputs}
        elif options.teachers == "cached":
            prioritized = options.network["costliest"]
            classes = options.network["classes"]
            self.stored = g2d.stored_teachers(self.student, len(self.labels), classes, self.labels, self.task, prioritized)
        # No time depends on the rate. Losses are compared after small steps, as recordStep of packages/bench does.
        rate = 1e-4 if options.losses else 1e-3
        self.optimizer = torch.optim.SGD(self.student.parameters(), lr=rate, momentum=0.9, weight_decay=1e-4)

    def step(self):
        options, batch = self.options, len(self.labels)
        self.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bfloat16):
            features, _, fused = self.student(self.inputs, batch)
            loss = task_loss(self.task, fused, self.labels)
            if options.teachers != "none":
                online = options.teachers == "online"
                teachers = g2d.running_teachers(self.teacher_network, self.inputs, batch) if online else self.stored
                loss = loss + g2d.distillation(self.task, features, fused, teachers)
        value = loss.item()
        loss.backward()
        if options.phase == "prioritized":
            g2d.suppress(self.student, teachers, self.task, self.labels, options.scope)
        self.optimizer.step()
        return value


    def epoch(self):
        """Every sample once, in random order and in whole batches; an input is as many rows as there are samples."""
        everything = self.inputs, self.labels, getattr(self, "stored", {})
        inputs, labels, stored = everything
        order, batch = torch.randperm(len(labels)), self.options.batch
        for start in range(0, len(labels) - batch + 1, batch):
            rows = order[start : start + batch]
            self.inputs = {name: x[rows] for name, x in inputs.items()}
            self.labels = labels[rows]
            self.stored = {n: {key: x[rows] for key, x in teacher.items()} for n, teacher in stored.items()}
            self.step()
        self.inputs, self.labels, self.stored = everything


def timed(run, warmup, steps):
    milliseconds = []
    for _ in range(warmup + steps):
        started = time.perf_counter()
        run()
        milliseconds.append(1000 * (time.perf_counter() - started))
    ordered = sorted(milliseconds[warmup:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "ms": {
            "min": round(ordered[0], 2),
            "median": round(statistics.median(ordered), 2),
            "p95": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 2),
        },
        # macOS counts bytes, Linux units of 1024.
        "peakRssMB": round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10),
    }


def main():
    options = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    training = Training(options)
    if options.losses:
        report = {"losses": [training.step() for _ in range(options.steps)]}
    else:
        report = timed(training.epoch if options.samples else training.step, options.warmup, options.steps)
    print(json.dumps(report | {"torch": torch.__version__, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
