"""Makes cross-attention.json beside this file with PyTorch: python make.py  (PyTorch 2.4.1, CPU, float64).

No weights are stored. Weights and features are v(i) = scale * sin(1.7 i + phase), i in row-major order. The phases count
from 1 over kernels (as [in, out]) and biases in the order of the fusion's layers, scale 0.5; features have phase 20 for the
first modality, 21 for the second, ..., and scale 1.
"""

import json
import math
from itertools import count
from pathlib import Path

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
HIDDEN, HEADS, CLASSES = 4, 2, 2


def values(shape, phase, scale=0.5):
    return (torch.sin(torch.arange(math.prod(shape)) * 1.7 + phase) * scale).reshape(shape)


def golden(widths, masks):
    projections = [nn.Linear(width, HIDDEN) for width in widths]
    attention = nn.MultiheadAttention(HIDDEN, HEADS, batch_first=True)
    norm = nn.LayerNorm(HIDDEN)
    out = nn.Linear(len(widths) * HIDDEN, CLASSES)
    phases = count(1)
    for weight, bias in [
        *((p.weight, p.bias) for p in projections),
        (attention.in_proj_weight, attention.in_proj_bias),
        (attention.out_proj.weight, attention.out_proj.bias),
        (norm.weight, norm.bias),
        (out.weight, out.bias),
    ]:
        axes = range(weight.dim() - 1, -1, -1)
        weight.data = values(weight.shape[::-1], next(phases)).permute(*axes).contiguous()
        bias.data = values(bias.shape, next(phases))
    features = [values((2, width), 20 + i, 1) for i, width in enumerate(widths)]
    present = torch.tensor(masks, dtype=torch.float64)

    def logits(features, present=None):
        tokens = torch.stack([p(f) for p, f in zip(projections, features)], 1)
        absent = None if present is None else present == 0
        attended, _ = attention(tokens, tokens, tokens, key_padding_mask=absent)
        y = norm(tokens + attended)
        y = y if present is None else y * present[:, :, None]
        return [float(f"{x:.9g}") for x in out(y.flatten(1)).flatten().tolist()]

    return {
        "widths": widths,
        "present": masks,
        "logits": logits(features),
        "unimodalLogits": [
            logits([f if j == i else 0 * f for j, f in enumerate(features)]) for i in range(len(widths))
        ],
        "maskedLogits": logits([f * present[:, i, None] for i, f in enumerate(features)], present),
    }


cases = [golden([3, 2], [[1, 0], [1, 1]]), golden([3, 2, 4], [[1, 0, 1], [0, 0, 1]])]
Path(__file__).with_name("cross-attention.json").write_text(json.dumps(cases, indent=2) + "\n")
