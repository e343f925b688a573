"""Makes the golden numbers beside this file with PyTorch: python make.py  (PyTorch 2.4.1, torchvision 0.19.1, CPU, float64).

No weights are stored. Tensor number t of a model's state_dict, in its order, and the inputs (numbered on) are
v(i) = offset + scale * (2 * fract(10000 * sin(i + 1 + 1000 * t)) - 1), i in row-major order of PyTorch's shape, rounded to
float32. Normalization scales and running variances have offset 1, running means and shifts 0.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn

torch.use_deterministic_algorithms(True)


def values(t, shape, offset, scale):
    i = np.arange(math.prod(shape), dtype=np.float64)
    x = 10000 * np.sin(i + 1 + 1000 * t)
    v = (offset + scale * (2 * (x - np.floor(x)) - 1)).astype(np.float32)
    return torch.from_numpy(v.reshape(shape)).double()


def fill(model):
    """Fills a model and lists what its tensors were made of."""
    rows = []
    for t, (name, tensor) in enumerate(model.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            rows.append([name, list(tensor.shape), 0, 0])
            continue
        if tensor.dim() > 1:
            # Uniform with the variance of Kaiming normal weights for the inputs that one output sees.
            offset, scale = 0, math.sqrt(6 / math.prod(tensor.shape[1:]))
        else:
            offset, scale = int(name.endswith(("weight", "running_var"))), 0.25
        tensor.copy_(values(t, tensor.shape, offset, scale))
        rows.append([name, list(tensor.shape), offset, scale])
    return rows


def numbers(tensor):
    return [float(f"{x:.7g}") for x in tensor.detach().flatten().tolist()]


def gradients(model, features):
    """L2 norm, and dot product with values(100 + tensor number), of the gradients of sum(features * values(99))."""
    model.zero_grad()
    (features * values(99, features.shape, 0, 1)).sum().backward()
    parameters = dict(model.named_parameters())
    rows = {}
    for t, name in enumerate(model.state_dict()):
        if name in parameters:
            gradient = parameters[name].grad
            projection = (gradient * values(100 + t, gradient.shape, 0, 1)).sum()
            rows[name] = numbers(torch.stack([gradient.norm(), projection]))
    return rows


def write(name, content):
    Path(__file__).with_name(f"{name}.json").write_text(json.dumps(content))


class Pooled(nn.Module):
    """Frames folded into the batch; mean over frames, height and width."""

    def __init__(self, features):
        super().__init__()
        self.features = features

    def forward(self, x):  # [B, T, C, H, W]
        y = self.features(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2]).mean(dim=(1, 3, 4))


class ResNet18(torchvision.models.ResNet):
    def __init__(self, channels):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        del self.fc, self.avgpool

    def forward(self, x):  # [B, T, C, H, W]
        y = self.maxpool(self.relu(self.bn1(self.conv1(x.flatten(0, 1)))))
        y = self.layer4(self.layer3(self.layer2(self.layer1(y))))
        return y.unflatten(0, x.shape[:2]).mean(dim=(1, 3, 4))


def network(name, model, shape, modes=("eval", "train")):
    """Features in eval mode and in training mode, and how far PyTorch's float32 is from them at most."""
    content = {"input": shape, "parameters": sum(p.numel() for p in model.parameters())}
    x = values(98, shape, 0, 1.5)
    with torch.no_grad():
        content["tensors"] = fill(model)
        single = {mode: model.train(mode == "train")(x.float()) for mode in modes}
        fill(model.double())
        for mode in modes:
            features = model.train(mode == "train")(x)
            content[mode] = numbers(features)
            content[f"{mode}Float32"] = (features - single[mode]).abs().max().item()
    write(name, content)


class Transformer(nn.TransformerEncoder):
    def __init__(self, features, width, layers, heads, hidden):
        layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True)
        super().__init__(layer, layers, enable_nested_tensor=False)
        self.conv = nn.Conv1d(features, width, 1, bias=False)

    def forward(self, x, padding=None):  # [B, T, D]
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return super().forward(y, src_key_padding_mask=padding)[:, 0]


def transformer():
    size = {"features": 5, "width": 12, "layers": 2, "heads": 3, "hidden": 20}
    model = Transformer(**size).double().eval()
    with torch.no_grad():
        tensors = fill(model)
    shape = [3, 4, 5]
    x = values(98, shape, 0, 1.5)
    real = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=torch.float64)
    plain = model(x)
    plain_gradients = gradients(model, plain)
    masked = model(x, real == 0)
    write(
        "transformer",
        {
            "size": size,
            "input": shape,
            "tensors": tensors,
            "mask": real.int().tolist(),
            "eval": numbers(plain),
            "gradients": plain_gradients,
            "masked": numbers(masked),
            "maskedGradients": gradients(model, masked),
            # Of the paper's size, for UR-FUNNY's text.
            "parameters": sum(p.numel() for p in Transformer(300, 768, 4, 8, 2048).parameters()),
        },
    )


def tabular():
    """MIS-ME's meteorological_feature_extractor."""
    layers, width = [], 8
    for units, dropout in ((256, 0.3), (128, 0.2), (64, 0.1), (32, 0), (16, 0)):
        layers += [nn.Linear(width, units), nn.BatchNorm1d(units), nn.ReLU()]
        layers += [nn.Dropout(dropout)] if dropout else []
        width = units
    return nn.Sequential(*layers)


transformer()
network("tabular-mlp", tabular(), [3, 8], modes=("eval",))
network("resnet18-frames", ResNet18(3), [2, 2, 3, 45, 44])
network("resnet18-spectrogram", ResNet18(1), [2, 1, 1, 65, 47])
network("mobilenet-v2", Pooled(torchvision.models.mobilenet_v2(weights=None).features), [2, 1, 3, 64, 65])
