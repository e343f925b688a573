"""Makes multi-label.json beside this file with PyTorch 2.5.1 and scikit-learn 1.9.1: python multi-label.py

The trainings of training-options.py, with its data and weights, where each sample has any number of classes: BCEWithLogitsLoss, plain,
with `pos_weight`, and on accumulated batches, which are one large batch here. micro F1 of an epoch is that of all predictions that its
steps began with.
"""

import json
from pathlib import Path

import torch
from sklearn.metrics import f1_score
from torch.nn.functional import binary_cross_entropy_with_logits

FOLDER = Path(__file__).parent
data = json.loads((FOLDER / "training-options.json").read_text())
MODALITIES = ["loud", "quiet"]
INPUTS = {m: torch.tensor(data["inputs"][m], dtype=torch.float64) for m in MODALITIES}
PRESENT = {"quiet": torch.tensor(data["present"]["quiet"], dtype=torch.float64)}
LABELS = torch.tensor([[1, 0, 1], [0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
BATCHES = [list(range(i, min(i + 3, 10))) for i in range(0, 10, 3)]
LARGE = [list(range(0, 6)), list(range(6, 10))]


def forward(weights, rows, present):
    total, count = 0, 0
    for m in MODALITIES:
        mask = (present or {}).get(m, torch.ones(10).double())[rows, None]
        features = (INPUTS[m][rows] @ weights[f"{m}/dense/kernel"] + weights[f"{m}/dense/bias"]) * mask
        total = total + mask * (features @ weights[f"head/{m}/kernel"] + weights[f"head/{m}/bias"])
        count = count + mask
    return total / count


def run(name, *, steps, present=None, pos_weight=None):
    weights = {
        n: torch.tensor(values, dtype=torch.float64).reshape(data["shapes"][n]).requires_grad_()
        for n, values in data["weights"].items()
    }
    optimizer = torch.optim.SGD(weights.values(), lr=0.1, momentum=0.9, weight_decay=0.01)
    losses, scores = [], []
    for _ in range(3):
        total, truth, predicted = 0, [], []
        for rows in steps:
            optimizer.zero_grad()
            logits = forward(weights, rows, present)
            loss = binary_cross_entropy_with_logits(logits, LABELS[rows].double(), pos_weight=pos_weight)
            loss.backward()
            optimizer.step()
            total += loss.item()
            truth.append(LABELS[rows])
            predicted.append((logits.detach() > 0).int())
        losses.append(total / len(steps))
        scores.append(100 * f1_score(torch.cat(truth), torch.cat(predicted), average="micro"))
    return {
        "name": name,
        "losses": losses,
        "microF1": scores,
        "weights": {n: w.detach().reshape(-1).tolist() for n, w in weights.items()},
    }


counts = LABELS.sum(0).double()
own = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)
cases = [
    run("plain", steps=BATCHES),
    run("weighted", steps=BATCHES, pos_weight=own, present=PRESENT),
    run("balanced", steps=BATCHES, pos_weight=(10 - counts) / counts),
    run("accumulated and weighted", steps=LARGE, pos_weight=own, present=PRESENT),
]
(FOLDER / "multi-label.json").write_text(json.dumps({"labels": LABELS.tolist(), "cases": cases}) + "\n")
