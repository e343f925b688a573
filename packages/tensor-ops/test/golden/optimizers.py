"""Makes optimizers.json and schedules.json beside this file with PyTorch 2.4.1: python optimizers.py

Two variables take six steps with each optimizer, in float64. Gradients are multiples of 1/64, so that float32 holds them
exactly. The second variable is skipped (no gradient) in the first and the fourth step; the learning rate changes before the
fifth.
"""

import json
from pathlib import Path

import torch

here = Path(__file__).parent
torch.manual_seed(0)
START = [torch.tensor([0.5, -1.25, 2.0]), torch.tensor([[1.0, -0.5], [0.25, 3.0]])]
RATES = [0.1, 0.1, 0.1, 0.1, 0.02, 0.02]
SKIPPED = {0, 3}
GRADIENTS = [[torch.randint(-96, 97, start.shape) / 64 for start in START] for _ in RATES]


def sgd(**options):
    return "SGD", torch.optim.SGD, options, {
        "momentum": "momentum", "weight_decay": "weightDecay", "dampening": "dampening", "nesterov": "nesterov"}


def adam(name, **options):
    return name, getattr(torch.optim, name), options, {"betas": "betas", "eps": "epsilon", "weight_decay": "weightDecay"}


RUNS = [
    *(sgd(momentum=m, weight_decay=w, dampening=d, nesterov=n)
      for m in (0, 0.9) for w in (0, 0.1) for d in (0, 0.4) for n in (False, True)
      if not n or (m > 0 and d == 0)),
    *(adam("Adam", weight_decay=w) for w in (0, 0.1)),
    adam("Adam", betas=(0.7, 0.95), eps=1e-3, weight_decay=0.1),
    *(adam("AdamW", **o) for o in ({}, {"weight_decay": 0}, {"betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.2})),
]
STATE = {"momentum_buffer": "velocity", "exp_avg": "firstMoment", "exp_avg_sq": "secondMoment", "step": "step"}


def flat(tensor):
    return tensor.detach().double().reshape(-1).tolist()


def run(name, make, options, names):
    parameters = [torch.nn.Parameter(start.double()) for start in START]
    optimizer = make(parameters, lr=RATES[0], **options)
    steps = []
    for t, rate in enumerate(RATES):
        optimizer.param_groups[0]["lr"] = rate
        for i, parameter in enumerate(parameters):
            parameter.grad = None if i == 1 and t in SKIPPED else GRADIENTS[t][i].double()
        optimizer.step()
        steps.append([flat(parameter) for parameter in parameters])
    state = [{STATE[k]: flat(v) for k, v in optimizer.state[p].items() if v is not None} for p in parameters]
    return {"optimizer": name, "options": {names[k]: v for k, v in options.items()}, "values": steps, "state": state}


(here / "optimizers.json").write_text(json.dumps({
    "shapes": [list(start.shape) for start in START],
    "start": [flat(start) for start in START],
    "learningRates": RATES,
    "gradients": [[None if i == 1 and t in SKIPPED else flat(g) for i, g in enumerate(step)]
                  for t, step in enumerate(GRADIENTS)],
    "runs": [run(*r) for r in RUNS],
}) + "\n")


def rates(make, epochs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = make(optimizer)
    result = []
    for _ in range(epochs):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return result


S = torch.optim.lr_scheduler
(here / "schedules.json").write_text(json.dumps({
    "base": 0.4,
    "StepLR(3, 0.5)": rates(lambda o: S.StepLR(o, 3, 0.5), 10),
    "MultiStepLR([2, 3, 7], 0.1)": rates(lambda o: S.MultiStepLR(o, [2, 3, 7], 0.1), 10),
    "CosineAnnealingLR(8, 0.05)": rates(lambda o: S.CosineAnnealingLR(o, 8, 0.05), 9),
    "LinearLR(0.25, 1, 4)": rates(lambda o: S.LinearLR(o, 0.25, 1.0, 4), 8),
    "ChainedScheduler(LinearLR(0.25, 1, 4), StepLR(3, 0.5))": rates(
        lambda o: S.ChainedScheduler([S.LinearLR(o, 0.25, 1.0, 4), S.StepLR(o, 3, 0.5)]), 10),
    "SequentialLR(LinearLR(0.25, 1, 4), CosineAnnealingLR(6), [4])": rates(
        lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.25, 1.0, 4), S.CosineAnnealingLR(o, 6)], [4]), 10),
}) + "\n")
