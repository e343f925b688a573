"""The two encoders of MIS-ME: torchvision's MobileNetV2 without its classifier, and dense layers for the table."""

import torchvision
from torch import nn


class MobileNetV2(nn.Module):
    """[B, H, W, C] to [B, 1280]."""

    def __init__(self, shape):
        super().__init__()
        network = torchvision.models.mobilenet_v2(weights=None)
        del network.classifier
        self.network = network
        self.width = 1280

    def prepare(self, x, layout):
        return x.permute(0, 3, 1, 2).contiguous(memory_format=layout)

    def forward(self, x, batch):
        return self.network.features(x).mean((2, 3))


class TabularMlp(nn.Module):
    """[B, D] to [B, 16]: five blocks of dense layer, batch normalization and ReLU; dropout after the first three."""

    def __init__(self, shape, dropout=(0.3, 0.2, 0.1, 0, 0)):
        super().__init__()
        layers, inputs = [], shape[-1]
        for units, rate in zip((256, 128, 64, 32, 16), dropout):
            layers += [nn.Linear(inputs, units), nn.BatchNorm1d(units), nn.ReLU()]
            if rate > 0:
                layers.append(nn.Dropout(rate))
            inputs = units
        self.network = nn.Sequential(*layers)
        self.width = inputs

    def prepare(self, x, layout):
        return x

    def forward(self, x, batch):
        return self.network(x)
