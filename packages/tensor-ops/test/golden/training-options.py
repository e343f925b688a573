"""Makes training-options.json beside this file with PyTorch 2.4.1: python training-options.py

Gradient clipping, weighted and smoothed cross-entropy with gradients, and the rates of ReduceLROnPlateau, in float64. Inputs are
multiples of 1/64 or written with one decimal, so that float32 holds them well.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(0)


def flat(tensor):
    return tensor.detach().double().reshape(-1).tolist()


SHAPES = [[3], [2, 2], [2, 3]]
GRADIENTS = [torch.randint(-96, 97, shape).double() / 64 for shape in SHAPES]


def clipped(function, limit):
    """The second variable has no gradient."""
    parameters = [torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in SHAPES]
    for i, parameter in enumerate(parameters):
        parameter.grad = None if i == 1 else GRADIENTS[i].clone()
    function(parameters, limit)
    return [None if p.grad is None else flat(p.grad) for p in parameters]


clipping = {
    "shapes": SHAPES,
    "gradients": [None if i == 1 else flat(g) for i, g in enumerate(GRADIENTS)],
    "norm": {str(limit): clipped(torch.nn.utils.clip_grad_norm_, limit) for limit in (0.5, 1, 100)},
    "value": {str(limit): clipped(torch.nn.utils.clip_grad_value_, limit) for limit in (0.25, 1, 100)},
}

LOGITS = torch.randint(-192, 193, (6, 4)).double() / 64
LABELS = torch.tensor([0, 2, 2, 3, 1, 2])
WEIGHTS = {"none": None, "some": [0.5, 2.0, 1.0, 0.25], "zero": [1.0, 1.0, 0.0, 3.0]}


def loss(weights, smoothing):
    logits = LOGITS.clone().requires_grad_()
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    value = torch.nn.functional.cross_entropy(logits, LABELS, weight=weight, label_smoothing=smoothing)
    value.backward()
    return {"classWeights": weights, "labelSmoothing": smoothing, "loss": value.item(), "gradient": flat(logits.grad)}


cross_entropy = {
    "logits": LOGITS.tolist(),
    "labels": LABELS.tolist(),
    "cases": [loss(weights, smoothing) for weights in WEIGHTS.values() for smoothing in (0.0, 0.1, 1.0)],
}

NUMBERS = [round(float(v), 1) for v in 3 + torch.randn(40).cumsum(0).double() / 2]


def plateau(**options):
    """The rates of two groups after each number."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.4, 0.05)]
    optimizer = torch.optim.SGD(groups)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for number in NUMBERS:
        scheduler.step(number)
        rates.append([group["lr"] for group in optimizer.param_groups])
    names = {"threshold_mode": "thresholdMode", "min_lr": "min"}
    return {"options": {names.get(k, k): v for k, v in options.items()}, "rates": rates}


reduce_on_plateau = {
    "numbers": NUMBERS,
    "base": [0.4, 0.05],
    "cases": [
        plateau(),
        plateau(patience=0, factor=0.5),
        plateau(patience=2, factor=0.5, min_lr=0.01),
        plateau(patience=1, factor=0.3, cooldown=3),
        plateau(mode="max", patience=1, factor=0.5),
        plateau(mode="max", patience=1, factor=0.5, threshold=0.3, threshold_mode="abs"),
        plateau(mode="max", patience=2, factor=0.9, threshold=0.2, cooldown=1, min_lr=0.3),
        plateau(patience=1, factor=0.5, threshold=0.3, threshold_mode="abs"),
        plateau(patience=1, factor=0.7, threshold=0.2),
        plateau(patience=0, factor=1e-4),
    ],
}

(Path(__file__).parent / "training-options.json").write_text(
    json.dumps({"clipping": clipping, "crossEntropy": cross_entropy, "plateau": reduce_on_plateau}) + "\n")
