"""Makes training-options.json beside this file with PyTorch 2.4.1: python training-options.py

Whole trainings of two linear encoders with late fusion on ten samples, in float64: gradient clipping, accumulation, weighted and
smoothed losses, parameter groups with schedules, and frozen parts. Data and weights are multiples of 1/64, so that float32 holds them
exactly. Accumulated batches are one large batch here: two steps an epoch, on six and on four samples.
"""

import json
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

torch.manual_seed(0)
MODALITIES = ["loud", "quiet"]
LABELS = torch.tensor([0, 1, 2, 0, 0, 1, 0, 2, 0, 1])
SHAPES = {
    **{f"{m}/dense/kernel": [4, 5] for m in MODALITIES},
    **{f"{m}/dense/bias": [5] for m in MODALITIES},
    **{f"head/{m}/kernel": [5, 3] for m in MODALITIES},
    **{f"head/{m}/bias": [3] for m in MODALITIES},
}


def numbers(*shape):
    return torch.randint(-128, 129, shape).double() / 64


INPUTS = {m: numbers(10, 4) for m in MODALITIES}
WEIGHTS = {name: numbers(*shape) / 2 for name, shape in SHAPES.items()}
PRESENT = {"quiet": torch.tensor([1, 1, 0, 1, 1, 0, 1, 1, 1, 0]).double()}
VALIDATION = [2.0, 2.5, 1.5, 1.6, 1.7, 1.8]


def forward(weights, rows, present):
    total, count = 0, 0
    for m in MODALITIES:
        mask = (present or {}).get(m, torch.ones(10).double())[rows, None]
        features = (INPUTS[m][rows] @ weights[f"{m}/dense/kernel"] + weights[f"{m}/dense/bias"]) * mask
        total = total + mask * (features @ weights[f"head/{m}/kernel"] + weights[f"head/{m}/bias"])
        count = count + mask
    return total / count


def run(name, *, steps, make, epochs=3, clip=None, present=None, loss=None, groups=None, frozen=(), schedule=None):
    weights = {name: w.clone().requires_grad_(not any(name.startswith(f"{f}/") for f in frozen)) for name, w in WEIGHTS.items()}
    trained = {name: w for name, w in weights.items() if w.requires_grad}
    rates = groups or {}
    of = lambda n: next((g for g in sorted(rates, key=len, reverse=True) if n.startswith(f"{g}/")), None)
    parameters = [{"params": [w for n, w in trained.items() if of(n) is None]}]
    parameters += [{"params": [w for n, w in trained.items() if of(n) == g], "lr": lr} for g, lr in rates.items()]
    optimizer = make(parameters)
    scheduler = schedule and schedule(optimizer)
    options = {"label_smoothing": (loss or {}).get("smoothing", 0.0)}
    if loss and "weights" in loss:
        options["weight"] = torch.tensor(loss["weights"]).double()
    losses, learning = [], []
    for epoch in range(epochs):
        learning.append([group["lr"] for group in optimizer.param_groups])
        total = 0
        for rows in steps:
            optimizer.zero_grad()
            value = cross_entropy(forward(weights, rows, present), LABELS[rows], **options)
            value.backward()
            if clip:
                clip(list(trained.values()))
            optimizer.step()
            total += value.item()
        losses.append(total / len(steps))
        if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            scheduler.step(VALIDATION[epoch])
        elif scheduler:
            scheduler.step()
    return {
        "name": name,
        "losses": losses,
        "learningRates": learning,
        "weights": {n: w.detach().reshape(-1).tolist() for n, w in weights.items()},
    }


BATCHES = [list(range(i, min(i + 3, 10))) for i in range(0, 10, 3)]
LARGE = [list(range(0, 6)), list(range(6, 10))]
sgd = lambda **o: lambda p: torch.optim.SGD(p, **{"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, **o})
adam = lambda p: torch.optim.Adam(p, lr=0.05)
norm = lambda p: torch.nn.utils.clip_grad_norm_(p, 0.5)
value = lambda p: torch.nn.utils.clip_grad_value_(p, 0.05)
counts = torch.bincount(LABELS)
S = torch.optim.lr_scheduler

cases = [
    run("norm", steps=BATCHES, make=sgd(), clip=norm),
    run("value", steps=BATCHES, make=adam, clip=value),
    run("weighted", steps=BATCHES, make=sgd(), loss={"weights": [0.5, 2.0, 1.0], "smoothing": 0.1}, present=PRESENT),
    run("balanced", steps=BATCHES, make=sgd(), loss={"weights": (10 / (3 * counts.double())).tolist()}),
    run("accumulated", steps=LARGE, make=sgd(), present=PRESENT, clip=norm),
    run("accumulated and weighted", steps=LARGE, make=adam, present=PRESENT, loss={"weights": [0.5, 2.0, 1.0], "smoothing": 0.1}),
    run("rates, cosine", steps=BATCHES, make=sgd(), groups={"loud": 0.02, "head/quiet": 0.3},
        schedule=lambda o: S.CosineAnnealingLR(o, 4, 0.01)),
    run("rates, plateau", steps=BATCHES, make=sgd(momentum=0.0), epochs=6, groups={"loud": 0.02, "head": 0.5},
        schedule=lambda o: S.ReduceLROnPlateau(o, patience=0, factor=0.3, min_lr=0.005)),
    run("frozen", steps=BATCHES, make=sgd(), frozen=["loud", "head/quiet"], clip=norm),
]

(Path(__file__).parent / "training-options.json").write_text(json.dumps({
    "labels": LABELS.tolist(),
    "inputs": {m: x.tolist() for m, x in INPUTS.items()},
    "present": {m: x.tolist() for m, x in PRESENT.items()},
    "validation": VALIDATION,
    "shapes": SHAPES,
    "weights": {n: w.reshape(-1).tolist() for n, w in WEIGHTS.items()},
    "cases": cases,
}) + "\n")
