"""ResNet-18 without its classifier, as torchvision has it, for pictures, spectrograms and frames."""

import torchvision
from torch import nn


class ResNet18(nn.Module):
    """[B, H, W, C] or [B, T, H, W, C] to [B, 512]; frames are samples, and the features their mean."""

    def __init__(self, shape):
        super().__init__()
        network = torchvision.models.resnet18(weights=None)
        network.conv1 = nn.Conv2d(shape[-1], 64, kernel_size=7, stride=2, padding=3, bias=False)
        network.fc = nn.Identity()
        self.network = network
        self.width = 512

    def prepare(self, x, layout):
        """Frames under each other, channels in PyTorch's place; done once, since the input pipeline would do it."""
        return x.flatten(0, -4).permute(0, 3, 1, 2).contiguous(memory_format=layout)

    def forward(self, x, batch):
        return self.network(x).view(batch, -1, 512).mean(1)
