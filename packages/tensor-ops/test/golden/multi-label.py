"""Numbers of a multi-label task for src/multi-label.test.ts, in double precision.

    pip install torch==2.5.1 scikit-learn==1.9.1
    python multi-label.py > multi-label.json
"""

import json
import warnings

import numpy as np
import sklearn
import torch
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from torch.distributions import Bernoulli, kl_divergence
from torch.nn import BCEWithLogitsLoss
from torch.nn.functional import binary_cross_entropy_with_logits

# Classes and samples without a positive are meant.
warnings.simplefilter('ignore')
random = np.random.default_rng(0)
SAMPLES, CLASSES = 8, 5
labels = (random.random((SAMPLES, CLASSES)) < 0.4).astype(int)
logits = (random.normal(size=(SAMPLES, CLASSES)) * 1.5 + 1.6 * (2 * labels - 1)).round(3)
# A class that nobody has, a sample that has none, scores that are equal, logits far out.
labels[:, 4] = 0
labels[3] = 0
logits[1, 0] = logits[2, 0]
logits[5, 1] = logits[6, 1]
logits[0, 2], logits[1, 2] = 9.0, -9.0
pos_weight = [0.5, 2.0, 3.0, 1.0, 0.0]
teacher = (random.normal(size=(SAMPLES, CLASSES)) * 1.5).round(3)
truth = torch.tensor(labels, dtype=torch.float64)


def with_gradient(loss):
    z = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    value = loss(z)
    value.backward()
    return {'value': value.item(), 'gradient': z.grad.tolist()}


def divergence(temperature):
    p = Bernoulli(logits=torch.tensor(teacher) / temperature)
    return with_gradient(
        lambda z: kl_divergence(p, Bernoulli(logits=z / temperature)).mean() * temperature**2
    )


def scores(mask):
    rows = np.flatnonzero(mask)
    y, z = labels[rows], logits[rows]
    predicted = (torch.sigmoid(torch.tensor(z)) > 0.5).int().numpy()
    return {
        'mask': mask,
        'loss': binary_cross_entropy_with_logits(torch.tensor(z), truth[rows]).item(),
        'microF1': 100 * f1_score(y, predicted, average='micro', zero_division=0),
        'macroF1': 100 * f1_score(y, predicted, average='macro', zero_division=0),
        'subsetAccuracy': 100 * accuracy_score(y, predicted),
        'meanAveragePrecision': 100 * average_precision_score(y, z, average='macro'),
        'averagePrecision': [100 * average_precision_score(y[:, c], z[:, c]) for c in range(CLASSES)],
        'f1': [100 * f1 for f1 in f1_score(y, predicted, average=None, zero_division=0)],
    }


weights = torch.tensor(pos_weight, dtype=torch.float64)
by_sample = binary_cross_entropy_with_logits(torch.tensor(logits), truth, reduction='none').mean(1)
print(
    json.dumps(
        {
            'versions': {'torch': torch.__version__, 'scikit-learn': sklearn.__version__},
            'labels': labels.tolist(),
            'logits': logits.tolist(),
            'teacher': teacher.tolist(),
            'posWeight': pos_weight,
            'loss': with_gradient(lambda z: BCEWithLogitsLoss()(z, truth)),
            'weighted': with_gradient(lambda z: BCEWithLogitsLoss(pos_weight=weights)(z, truth)),
            'divergence': divergence(1),
            'softened': divergence(2),
            'probability': torch.exp(-by_sample).tolist(),
            'scores': [scores([1] * SAMPLES), scores([1, 1, 0, 1, 1, 0, 1, 1])],
        }
    )
)
